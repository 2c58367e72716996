"""Retry, pace and thresholds: the pure rules of sending."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy, is_stale, refuses_credential, retry_delay
from pushctl.dispatch.thresholds import StopIf, Tally, is_dead_token
from pushctl.errors import UsageError
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service


def rejected(status: int, reason: str, **more: object) -> Outcome:
    return Outcome(kind=Kind.REJECTED, status=status, reason=reason, **more)  # type: ignore[arg-type]


def test_only_what_may_succeed_later_has_a_retry_delay() -> None:
    """A dead token is never tried again."""
    dead = rejected(410, "Unregistered")
    assert retry_delay(dead, attempts=1, least_wait_s=10.0, jitter=0.0) is None


def test_the_services_wish_comes_before_the_catalogs_least_delay() -> None:
    """Retry-After is the floor; without it the delay doubles with each attempt."""
    asked = rejected(429, "X", retryable=Retryable.WITH_BACKOFF, retry_after_s=42.0)
    plain = rejected(503, "X", retryable=Retryable.WITH_BACKOFF)

    assert 42.0 == retry_delay(asked, attempts=3, least_wait_s=10.0, jitter=0.0)
    delays = [retry_delay(plain, attempts=n, least_wait_s=10.0, jitter=0.0) for n in (1, 2, 3)]
    assert [10.0, 20.0, 40.0] == delays


def test_an_idle_timeout_is_tried_at_once_but_never_in_a_tight_loop() -> None:
    """Without a least delay the first retry is immediate and later ones wait."""
    idle = rejected(400, "IdleTimeout", retryable=Retryable.WITH_BACKOFF)
    delays = [retry_delay(idle, attempts=n, least_wait_s=None, jitter=0.0) for n in (1, 2, 3)]
    assert [0.0, 1.0, 2.0] == delays


@pytest.mark.parametrize("attempts", [0, 1])
def test_what_never_counted_as_sent_waits_like_the_first_try(attempts: int) -> None:
    """An attempt that was taken back makes no delay shorter or longer."""
    busy = rejected(503, "X", retryable=Retryable.WITH_BACKOFF)

    assert 10.0 == retry_delay(busy, attempts=attempts, least_wait_s=10.0, jitter=0.0)
    assert 0.0 == retry_delay(busy, attempts=attempts, least_wait_s=None, jitter=0.0)


def test_jitter_adds_up_to_half() -> None:
    """The wait asked for is the least, half as much again the most."""
    asked = rejected(429, "X", retryable=Retryable.WITH_BACKOFF, retry_after_s=42.0)
    waits = [retry_delay(asked, attempts=1, least_wait_s=None, jitter=it) for it in (0.0, 0.5, 1.0)]

    assert [42.0, 52.5, 63.0] == waits


def test_how_patient_a_run_is_unless_told_otherwise() -> None:
    """Five minutes of retries, nothing sent twice, a canary of 50."""
    assert (
        Policy(retry_for_s=300.0, on_unknown="keep", resend_limit=3, refusal_limit=5, canary=50)
        == Policy()
    )


def test_a_stale_token_is_told_by_its_reason_or_by_fcms_401() -> None:
    """Each service has its word; APNs has no 401, and a 401 about something else is not stale."""
    by_word = rejected(403, "ACCESS_TOKEN_EXPIRED", category=Category.CREDENTIALS)
    by_status = rejected(401, "UNAUTHENTICATED", category=Category.CREDENTIALS)
    other = rejected(401, "UNAUTHENTICATED", category=Category.REQUEST)
    apns = rejected(403, "ExpiredProviderToken", category=Category.CREDENTIALS)

    outcomes = (by_word, by_status, other, apns)
    assert [True, True, False, False] == [is_stale(it, Service.FCM) for it in outcomes]
    assert [False, False, False, True] == [is_stale(it, Service.APNS) for it in outcomes]


@pytest.mark.parametrize(
    ("status", "category", "refused"),
    [
        (401, Category.CREDENTIALS, True),
        (403, Category.CREDENTIALS, True),
        (400, Category.CREDENTIALS, False),
        (402, Category.CREDENTIALS, False),
        (404, Category.CREDENTIALS, False),
        (403, Category.TOKEN, False),
        (401, None, False),
    ],
)
def test_a_credential_is_refused_by_a_401_or_403_about_it(
    status: int, category: Category | None, refused: bool
) -> None:
    """Any other answer says nothing of the pushes to come."""
    assert refused == refuses_credential(rejected(status, "X", category=category))


def test_a_token_of_another_project_refuses_no_credential() -> None:
    """SENDER_ID_MISMATCH and THIRD_PARTY_AUTH_ERROR are about one token or one platform."""
    for reason in ("SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"):
        assert not refuses_credential(rejected(403, reason, category=Category.CREDENTIALS))
        assert not is_stale(rejected(401, reason, category=Category.CREDENTIALS), Service.FCM)


def test_a_401_of_fcm_asks_for_a_newer_token_unless_it_is_about_the_apns_key() -> None:
    """THIRD_PARTY_AUTH_ERROR is a 401 that says nothing about our access token."""
    expired = rejected(401, "ACCESS_TOKEN_EXPIRED", category=Category.CREDENTIALS)
    bare = rejected(401, "UNAUTHENTICATED", category=Category.CREDENTIALS)
    apns_key = rejected(401, "THIRD_PARTY_AUTH_ERROR", category=Category.CREDENTIALS)

    stale = [is_stale(outcome, Service.FCM) for outcome in (expired, bare, apns_key)]
    assert [True, True, False] == stale
    assert not refuses_credential(apns_key)
    assert refuses_credential(bare)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("faulty>8%", "faulty>8%"),
        (" bounced > 12.5 % ", "bounced>12.5%"),
        ("unknown>3", "unknown>3"),
    ],
)
def test_stop_if_is_read_and_shown_alike(text: str, shown: str) -> None:
    """What was understood can be printed back."""
    assert shown == str(StopIf.parse(text))


@pytest.mark.parametrize(
    "text", ["", "faulty", "faulty<8%", "errors>1%", "faulty>1.5", "faulty>-1%"]
)
def test_a_stop_if_that_is_no_condition_is_a_usage_error(text: str) -> None:
    """The grammar is shown in the hint."""
    with pytest.raises(UsageError):
        StopIf.parse(text)


def test_never_means_never() -> None:
    """``never`` switches the threshold off."""
    assert StopIf.parse("never") is None


def test_a_share_is_judged_from_a_thousand_answers_on() -> None:
    """A handful of bad tokens at the start stops nothing."""
    tally = Tally(StopIf.parse("faulty>8%"))
    bad = rejected(400, "BadTopic")
    stops = [tally.add(bad) for _ in range(1000)]
    assert stops[:999] == [None] * 999
    assert stops[999] is not None


def test_dead_tokens_are_bounced_but_not_faulty() -> None:
    """An old list goes through under the default threshold and not under ``bounced``."""
    dead = rejected(410, "Unregistered")
    assert is_dead_token(dead)
    assert is_dead_token(rejected(404, "UNREGISTERED"))
    old_list, strict = Tally(StopIf.parse("faulty>8%")), Tally(StopIf.parse("bounced>5"))
    assert [None] * 2000 == [old_list.add(dead) for _ in range(2000)]
    assert [None] * 5 == [strict.add(dead) for _ in range(5)]
    assert strict.add(dead) is not None


def test_unknown_outcomes_can_stop_a_run_and_skips_never_do() -> None:
    """Skipped and unsent rows are no answers."""
    tally = Tally(StopIf.parse("unknown>1"))
    assert tally.add(Outcome(kind=Kind.SKIPPED)) is None
    assert tally.add(Outcome(kind=Kind.ACCEPTED)) is None
    assert tally.add(Outcome(kind=Kind.UNKNOWN)) is None
    assert tally.add(Outcome(kind=Kind.UNKNOWN)) is not None
    assert 3 == tally.answers


def test_a_pacer_without_a_rate_lets_everything_through() -> None:
    """No rate, no wait."""
    pacer = Pacer(None)
    assert (10, 0.0) == (pacer.allowance(10, 0.0), pacer.wait(0.0))


@given(st.floats(1.0, 5000.0), st.lists(st.floats(0.0001, 0.5), min_size=1, max_size=80))
def test_a_pacer_never_exceeds_its_rate_by_more_than_its_bucket(
    rate: float, steps: list[float]
) -> None:
    """Over any time from the start: pushes ≤ rate x time + what one bucket holds."""
    pacer, now, sent = Pacer(rate), 0.0, 0
    for step in [0.0, *steps]:
        now += step
        number = pacer.allowance(10**6, now)
        pacer.take(number)
        sent += number
        assert sent <= rate * now + max(1.0, rate * 0.05) + 1e-5


def test_a_pacer_says_how_long_to_wait() -> None:
    """After the wait exactly one more push may leave."""
    pacer = Pacer(2.0)
    pacer.take(pacer.allowance(5, 0.0))
    wait = pacer.wait(0.0)
    assert 0.5 == pytest.approx(wait)
    assert 1 == pacer.allowance(5, wait + 1e-9)


@given(
    st.floats(0.5, 10_000.0),
    st.floats(0.0, 1e6),
    st.lists(st.floats(0.0, 0.01), min_size=1, max_size=50),
)
def test_whoever_waits_as_long_as_told_may_send(
    rate: float, began: float, steps: list[float]
) -> None:
    """Rounding leaves no wait that is too short for the clock: nobody waits for ever."""
    pacer, now = Pacer(rate), began
    for step in steps:
        now += step
        pacer.take(pacer.allowance(1, now))
        wait = pacer.wait(now)
        assert not wait or now + wait > now
        assert 1 == pacer.allowance(1, now + wait)
        now += wait


def test_a_ramp_grows_to_the_full_rate() -> None:
    """At a tenth of the ramp a tenth of the rate leaves; after it, all of it."""
    pacer = Pacer(1000.0, ramp_s=60.0)
    sent_early = sent_late = 0
    for tick in range(1300):
        now = tick / 10
        number = pacer.allowance(10**6, now)
        pacer.take(number)
        if 5 <= now < 7:
            sent_early += number
        if 100 <= now < 102:
            sent_late += number
    assert sent_early < 0.2 * sent_late


def test_a_rate_of_zero_is_refused() -> None:
    """A run that may send nothing would never end."""
    for rate in (0, -1.0):
        with pytest.raises(ValueError, match="above zero"):
            Pacer(rate)


def test_a_bucket_holds_a_twentieth_of_a_second() -> None:
    """One push leaves at the start; after any pause as many as 50 ms give, and at least one."""
    fast, slow = Pacer(1000.0), Pacer(2.0)

    assert (1, 1) == (fast.allowance(10**6, 100.0), slow.allowance(10**6, 100.0))
    assert (50, 1) == (fast.allowance(10**6, 500.0), slow.allowance(10**6, 500.0))
    assert 7 == fast.allowance(7, 500.0)
    fast.take(50)
    assert (0, 0.001) == (fast.allowance(1, 500.0), fast.wait(500.0))
    assert (25, 0.0) == (fast.allowance(10**6, 500.025), fast.wait(500.025))


# Survives `dispatch/pace.py`: `self._filled_at = 0.0`: the first look sets it.
# Survives `dispatch/pace.py`: `_ROUNDING >= 1.0`: no sum of times comes to it exactly.
def test_what_is_as_good_as_a_whole_push_need_not_wait() -> None:
    """A wait that no clock could show is none."""
    pacer = Pacer(1000.0)
    pacer.take(pacer.allowance(1, 1.0))
    now = 1.0 + 0.0009999999

    assert (0.0, 1) == (pacer.wait(now), pacer.allowance(1, now))


def test_a_ramp_is_a_share_of_the_rate() -> None:
    """It begins with a fiftieth, so that something leaves, and grows evenly with the time."""
    pacer = Pacer(100.0, ramp_s=10.0)
    pacer.take(pacer.allowance(1, 50.0))
    assert 0.5 == pytest.approx(pacer.wait(50.0))

    assert 2 == pacer.allowance(10**6, 55.0)
    pacer.take(2)
    assert 0.01 == pytest.approx(pacer.wait(55.0))
    assert 5 == pacer.allowance(10**6, 70.0)
    pacer.take(5)
    assert 0.01 == pytest.approx(pacer.wait(70.0))


def test_without_a_rate_what_was_taken_is_no_debt() -> None:
    """Nothing is counted where nothing is limited."""
    pacer = Pacer(None)
    pacer.take(10)

    assert (10, 0.0) == (pacer.allowance(10, 0.0), pacer.wait(0.0))
