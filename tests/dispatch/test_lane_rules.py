"""The lane's rules one by one: who may leave when, what is noted, and what ends how."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pushctl.dispatch.lane import SILENT_PROBES, Lane, is_silent, no_answer
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push, not_sent, unknown
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import StorageError
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service
from pushctl.wire.connection import TIMED_OUT

ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
LOST = no_answer("connection lost")


def rejected(
    status: int | None,
    category: Category,
    retryable: Retryable = Retryable.NO,
    reason: str = "X",
    retry_after_s: float | None = None,
) -> Outcome:
    return Outcome(
        kind=Kind.REJECTED,
        status=status,
        reason=reason,
        category=category,
        retryable=retryable,
        retry_after_s=retry_after_s,
    )


BAD_TOKEN = rejected(400, Category.TOKEN, reason="BadDeviceToken")
BUSY = rejected(503, Category.SERVER, Retryable.WITH_BACKOFF)
QUOTA = rejected(429, Category.RATE, Retryable.WITH_BACKOFF)
EXPIRED = rejected(403, Category.CREDENTIALS, Retryable.AFTER_FIX, "ExpiredProviderToken")
REFUSED = rejected(403, Category.CREDENTIALS, Retryable.AFTER_FIX, "InvalidProviderToken")
CROWDED = rejected(429, Category.RATE, Retryable.AFTER_FIX, "TooManyProviderTokenUpdates")


class World:
    """Remembers all that a lane asked for, in order; *full* is the error of a full disk."""

    def __init__(self) -> None:
        self.ended: dict[int, tuple[Outcome, float]] = {}
        self.retried: list[tuple[int, Outcome, float]] = []
        self.sent: list[list[int]] = []
        self.renewals = 0
        self.stops: list[Stop] = []
        self.full: StorageError | None = None
        self.lane: Lane | None = None

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        assert lane is self.lane
        assert push.row not in self.ended
        self.ended[push.row] = outcome, now

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        assert lane is self.lane
        assert pushes, "there is nothing to note of nothing"
        if self.full is not None:
            raise self.full
        self.sent.append([push.row for push in pushes])

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        assert lane is self.lane
        self.retried.append((push.row, outcome, now))

    def renew(self, lane: Lane) -> None:
        assert lane is self.lane
        self.renewals += 1

    def stop(self, stop: Stop) -> None:
        self.stops.append(stop)


def made(
    number: int,
    *,
    service: Service = Service.APNS,
    pacer: Pacer | None = None,
    jitter: float = 0.0,
    least_wait_s: float | None = None,
    proven: bool = True,
    **policy: object,
) -> tuple[Lane, World]:
    """Return a lane that holds the pushes 1 to *number*, and its world."""
    world = World()
    lane = Lane(
        "shop",
        service,
        policy=Policy(**{"canary": 0, **policy}),  # type: ignore[arg-type]
        effects=world,
        pacer=pacer or Pacer(None),
        jitter=lambda: jitter,
        least_wait_s=lambda outcome: None if outcome.status is None else least_wait_s,
    )
    world.lane = lane
    lane.proven = proven
    lane.offer([a_push(row) for row in range(1, number + 1)], 0.0)
    return lane, world


def a_push(row: int) -> Push:
    return Push(row, None, b"/3/device/aa", (), None, b"{}")


def rows(pushes: Sequence[Push]) -> list[int]:
    return [push.row for push in pushes]


# Survives `dispatch/lane.py`: `self._renewal_began = -1.0`: any time before the first push will do.
# Survives `dispatch/lane.py`: `self._serial = 0`: it only tells two apart that are due at one time.
# Survives `dispatch/lane.py`: `self._serial += 1`: likewise, by any step.
def test_a_push_that_leaves_is_counted_and_dated() -> None:
    """What was sent is noted in order before it leaves, and dated by its first try."""
    lane, world = made(3)
    assert ("shop", 3, False) == (lane.name, lane.queued, lane.idle)
    first, second = lane.take(2, 5.0)

    assert ([[1, 2]], 2, 2, 1) == (world.sent, lane.in_flight, lane.launched, lane.queued)
    assert (1, 5.0, 5.0) == (first.attempts, first.first_at, first.sent_at)
    assert "Push(row=1, attempts=1)" == repr(first)
    lane.unprocessed(first, "GOAWAY", 6.0)
    assert (1, 1, 2) == (lane.in_flight, lane.launched, lane.queued)
    assert [1, 3] == rows(lane.take(9, 7.0))
    assert (1, 5.0, 7.0, 3) == (first.attempts, first.first_at, first.sent_at, lane.launched)
    assert (0, False) == (lane.queued, lane.idle)
    assert [] == lane.take(9, 8.0)
    for push in (first, second):
        lane.answered_yes(push, ACCEPTED, 8.0)
    assert (1, False) == (lane.in_flight, lane.idle)
    assert {1: (ACCEPTED, 8.0), 2: (ACCEPTED, 8.0)} == world.ended


def test_what_waits_for_a_connection_is_ready() -> None:
    """A lane is ready while something is queued and nothing but a connection is wanting."""
    lane, _ = made(1)
    assert lane.ready(0.0)
    lane.renewing = True
    assert not lane.ready(0.0)
    lane.renewed()
    lane.paused_until = 5.0
    assert [False, True] == [lane.ready(4.9), lane.ready(5.0)]
    lane.take(1, 5.0)
    assert not lane.ready(5.0)
    lane.offer([a_push(2)], 5.0)
    assert lane.ready(5.0)
    lane.close("Interrupted", None, 5.0)
    assert not lane.ready(5.0)


def test_what_has_waited_long_enough_is_ready() -> None:
    """A push that waits for its next try is ready when that is due, and not before."""
    lane, _ = made(1, least_wait_s=10.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, BUSY, 1.0)

    assert not lane.idle
    assert [False, True] == [lane.ready(10.9), lane.ready(11.0)]


def test_the_pace_limits_what_leaves() -> None:
    """Who leaves is taken from the bucket; the next wake-up is when it holds a push again."""
    lane, _ = made(5, pacer=Pacer(20.0))

    assert [1] == rows(lane.take(5, 10.0))
    assert ([], False) == (lane.take(5, 10.0), lane.ready(10.0))
    assert 10.05 == pytest.approx(lane.next_wake(10.0) or 0)
    assert lane.ready(10.06)
    assert [2] == rows(lane.take(5, 10.06))


@pytest.mark.parametrize("state", ["renewing", "paused", "closed"])
def test_nothing_leaves_while_it_must_not(state: str) -> None:
    """While a newer token is fetched, a service wants quiet, or the lane is closed."""
    lane, world = made(2)
    lane.renewing = state == "renewing"
    lane.paused_until = 3.0 if state == "paused" else 0.0
    if state == "closed":
        lane.close("Interrupted", None, 0.0)

    assert ([], []) == (lane.take(1, 2.9), world.sent)
    assert (3.0 if state == "paused" else None) == lane.next_wake(2.0)
    lane.renewed()
    assert (state == "closed") == (lane.take(1, 3.0) == [])


def test_what_cannot_be_noted_is_not_written() -> None:
    """On a full disk nothing leaves: the lane closes, and everything ends as not sent."""
    lane, world = made(3)
    world.full = StorageError("could not write journal")

    assert [] == lane.take(2, 1.0)
    assert (0, 0, True, True) == (lane.in_flight, lane.launched, lane.closed, lane.idle)
    expected = not_sent("Stopped", str(world.full)), 1.0
    assert {1: expected, 2: expected, 3: expected} == world.ended


def test_the_next_wake_is_the_first_of_all_that_is_awaited() -> None:
    """The earliest retry, but not before a pause is over; what is due already needs no wake."""
    lane, _ = made(2, least_wait_s=10.0)
    for push in lane.take(2, 0.0):
        lane.answered_no(push, BUSY, float(push.row))

    assert [11.0, None] == [lane.next_wake(0.0), lane.next_wake(11.0)]
    lane.paused_until = 11.5
    assert 11.5 == lane.next_wake(0.0)
    lane.renewing = True
    assert lane.next_wake(0.0) is None
    lane.renewed()
    lane.close("Interrupted", None, 0.0)
    assert lane.next_wake(0.0) is None


def test_retries_come_before_what_never_left() -> None:
    """What is due goes to the front, one of two that are due together after the other."""
    lane, _ = made(4, least_wait_s=10.0)
    for push in lane.take(3, 0.0):
        lane.answered_no(push, BUSY, 0.0)

    assert [3, 2, 1, 4] == rows(lane.take(9, 10.0))


def test_what_is_put_back_keeps_its_order() -> None:
    """Several pushes of one refused write go again as they were."""
    lane, world = made(3)
    world.full = StorageError("full")
    lane.take(3, 1.0)

    assert [1, 2, 3] == list(world.ended)


@pytest.mark.parametrize(
    ("outcome", "proven"),
    [
        (BAD_TOKEN, True),
        (rejected(410, Category.TOKEN), True),
        (rejected(503, Category.TOKEN), True),
        (rejected(413, Category.PAYLOAD), True),
        (rejected(499, Category.REQUEST), True),
        (rejected(500, Category.SERVER), False),
        (rejected(429, Category.RATE), False),
        (rejected(428, Category.REQUEST), True),
        (rejected(None, Category.REQUEST), False),
        (BUSY, False),
        (REFUSED, False),
    ],
)
def test_what_proves_a_credential(outcome: Outcome, proven: bool) -> None:
    """An answer about token, payload or request shows that the credential was taken."""
    lane, _ = made(2, proven=False)
    (push,) = lane.take(9, 0.0)
    lane.answered_no(push, outcome, 0.5)

    assert (proven, 0) == (lane.proven, lane.in_flight)


def test_a_refusal_for_good_ends_with_what_was_answered() -> None:
    """The outcome is the answer, at the time it came."""
    lane, world = made(2)
    first, second = lane.take(2, 0.0)
    lane.answered_no(first, BAD_TOKEN, 0.5)
    lane.answered_no(second, rejected(500, Category.SERVER), 0.7)

    assert {1: (BAD_TOKEN, 0.5), 2: (rejected(500, Category.SERVER), 0.7)} == world.ended
    assert [] == world.retried


def test_a_fault_of_the_token_that_may_pass_is_tried_again() -> None:
    """Only what can never succeed ends at once."""
    lane, world = made(1, least_wait_s=1.0)
    (push,) = lane.take(1, 0.0)
    passing = rejected(503, Category.TOKEN, Retryable.WITH_BACKOFF)
    lane.answered_no(push, passing, 0.5)

    assert ({}, [(1, passing, 0.5)]) == (world.ended, world.retried)
    assert push.last_answer is passing


def test_a_stale_token_is_renewed_once_for_all_that_carried_it() -> None:
    """Who left before the renewal began goes again without another one; who left after, not."""
    lane, world = made(3)
    first, second = lane.take(2, 1.0)
    lane.answered_no(first, EXPIRED, 2.0)
    assert (1, True, 1, [(1, EXPIRED, 2.0)]) == (
        world.renewals, lane.renewing, first.renewals, world.retried,
    )  # fmt: skip
    lane.renewed()
    assert [1, 3] == rows(lane.take(9, 2.0))
    lane.answered_no(second, EXPIRED, 3.0)
    assert (1, False) == (world.renewals, lane.renewing)
    (_, third) = [*lane.take(9, 4.0), a_push(3)]
    third.sent_at = 2.0
    lane.in_flight += 1
    lane.answered_no(third, EXPIRED, 5.0)
    assert 1 == world.renewals
    (again,) = lane.take(9, 6.0)
    again.renewals = 0
    lane.answered_no(again, EXPIRED, 7.0)
    assert 2 == world.renewals


@pytest.mark.parametrize("answer", ["accepted", "dead"])
def test_a_newer_token_that_was_taken_may_become_stale_too(answer: str) -> None:
    """The same push may meet it: that is no refused credential, three times over."""
    lane, world = made(6)
    first, _ = lane.take(2, 1.0)
    for renewal, now in enumerate((2.0, 5.0, 8.0), start=1):
        lane.answered_no(first, EXPIRED, now)
        assert (renewal, renewal, True) == (world.renewals, first.renewals, lane.renewing)
        lane.renewed()
        taken = lane.take(2, now + 1)
        assert first is taken[0]
        if answer == "accepted":
            lane.answered_yes(taken[1], ACCEPTED, now + 2)
        else:
            lane.answered_no(taken[1], BAD_TOKEN, now + 2)

    lane.answered_no(first, EXPIRED, 11.0)
    assert (EXPIRED, 11.0) == world.ended[1]
    assert (3, EXPIRED) == (world.renewals, lane.refused)


def test_who_carried_a_token_that_is_being_replaced_goes_again() -> None:
    """Two renewals may pass over one push: what it carried says nothing about the newest token."""
    lane, world = made(3)
    first, second = lane.take(2, 1.0)
    lane.answered_no(first, EXPIRED, 2.0)
    lane.answered_no(second, EXPIRED, 2.0)
    lane.renewed()
    again = lane.take(3, 3.0)
    lane.answered_yes(again[2], ACCEPTED, 4.0)
    lane.answered_no(first, EXPIRED, 5.0)
    lane.renewed()
    lane.answered_no(second, EXPIRED, 6.0)

    assert (2, None, 2) == (world.renewals, lane.refused, second.renewals)
    assert {1, 2} == {*rows(lane.take(3, 7.0))}


def test_a_late_answer_to_an_older_token_does_not_speak_for_the_newer() -> None:
    """A newer token that nothing was accepted with and that is called stale ends the lane."""
    lane, world = made(2)
    first, second = lane.take(2, 1.0)
    lane.answered_no(first, EXPIRED, 2.0)
    lane.answered_yes(second, ACCEPTED, 2.5)
    lane.renewed()
    assert [first] == lane.take(1, 3.0)
    lane.answered_no(first, EXPIRED, 4.0)

    assert (1, EXPIRED) == (world.renewals, lane.refused)


def test_on_a_closed_lane_a_stale_token_is_an_answer_like_any_other() -> None:
    """Nothing is renewed or blamed when nothing more is sent."""
    lane, world = made(2)
    first, second = lane.take(2, 0.0)
    lane.close("Interrupted", "Ctrl-C", 1.0)
    lane.answered_no(first, EXPIRED, 2.0)
    lane.answered_no(second, BUSY, 3.0)

    assert {1: (EXPIRED, 2.0), 2: (BUSY, 3.0)} == world.ended
    assert (0, None, []) == (world.renewals, lane.refused, world.retried)


def test_a_refused_credential_closes_the_lane_with_its_reason() -> None:
    """The first refusal is kept; what comes after it ends the same way."""
    lane, world = made(3)
    first, second = lane.take(2, 0.0)
    lane.answered_no(first, REFUSED, 1.0)
    lane.answered_no(second, rejected(401, Category.CREDENTIALS, reason="Other"), 2.0)

    assert (REFUSED, True) == (lane.refused, lane.closed)
    assert ("CredentialsRefused", "InvalidProviderToken") == lane.closed_for
    assert (not_sent("CredentialsRefused", "InvalidProviderToken"), 1.0) == world.ended[3]


@pytest.mark.parametrize(
    ("service", "outcome", "paused_until"),
    [
        (Service.FCM, QUOTA, 11.0),
        (Service.APNS, QUOTA, 0.0),
        (Service.FCM, BUSY, 0.0),
    ],
)
def test_only_a_quota_of_fcm_pauses_the_lane(
    service: Service, outcome: Outcome, paused_until: float
) -> None:
    """Google's quota is the project's, Apple's is the token's; a longer pause is not cut short."""
    lane, _ = made(2, service=service, least_wait_s=10.0)
    first, second = lane.take(2, 0.0)
    lane.answered_no(first, outcome, 1.0)
    assert paused_until == lane.paused_until
    lane.answered_no(second, outcome._replace(retry_after_s=1.0), 2.0)

    assert paused_until == lane.paused_until


@pytest.mark.parametrize(("retry_for_s", "tried"), [(11.0, True), (10.9, False)])
def test_a_retry_must_begin_within_the_patience_of_the_run(retry_for_s: float, tried: bool) -> None:
    """--retry-for counts from the first try to the beginning of the next one."""
    lane, world = made(1, least_wait_s=10.0, retry_for_s=retry_for_s)
    (push,) = lane.take(1, 5.0)
    lane.answered_no(push, BUSY, 6.0)

    assert tried == (world.ended == {})
    assert (16.0 if tried else None) == lane.next_wake(6.0)


def test_a_crowded_connection_is_left_once_and_at_once() -> None:
    """TooManyProviderTokenUpdates: the push goes again without waiting, a second time it ends."""
    lane, world = made(1)
    (push,) = lane.take(1, 1.0)
    lane.answered_no(push, CROWDED, 2.0)
    assert ([(1, CROWDED, 2.0)], 1) == (world.retried, push.renewals)
    assert [1] == rows(lane.take(1, 2.0))
    lane.answered_no(push, CROWDED, 3.0)

    assert {1: (CROWDED, 3.0)} == world.ended


def test_refusals_in_a_row_double_the_wait_up_to_a_minute() -> None:
    """Four go again at once; then 1, 2, 4 … 64 s, and half as much more by chance."""
    lane, world = made(1, jitter=1.0, retry_for_s=1e6)
    now, waits = 1.0, []
    for _ in range(13):
        (push,) = lane.take(1, now)
        lane.unprocessed(push, "REFUSED_STREAM", now)
        waits.append((lane.next_wake(now) or now) - now)
        now += waits[-1]

    assert [0, 0, 0, 0, 1.5, 3, 6, 12, 24, 48, 96, 96, 96] == waits
    assert {not_sent("NotProcessed", "REFUSED_STREAM")} == {it for _, it, _ in world.retried}
    assert [1.0, 1.0, 1.0, 1.0, 1.0, 2.5] == [at for _, _, at in world.retried[:6]]
    assert (13, 0, 0) == (len(world.retried), push.attempts, lane.launched)


@pytest.mark.parametrize(("retry_for_s", "given_up"), [(2.0, False), (1.9, True)])
def test_refusals_are_given_up_with_the_patience_of_the_run(
    retry_for_s: float, given_up: bool
) -> None:
    """The wait must end in time; what was answered before is the outcome, else "not processed"."""
    lane, world = made(2, retry_for_s=retry_for_s, refusal_limit=1)
    first, second = lane.take(2, 1.0)
    second.last_answer = BUSY
    for push in (first, second):
        lane.unprocessed(push, "GOAWAY", 2.0)

    expected = {1: (not_sent("NotProcessed", "GOAWAY"), 2.0), 2: (BUSY, 2.0)}
    assert (expected if given_up else {}) == world.ended
    assert ([] if given_up else [1, 2]) == [row for row, _, _ in world.retried]
    assert (None if given_up else 3.0) == lane.next_wake(2.0)


def test_on_a_closed_lane_what_was_not_processed_ends_as_not_sent() -> None:
    """The service has not got it, and nobody will send it again."""
    lane, world = made(1)
    (push,) = lane.take(1, 0.0)
    lane.close("Interrupted", "Ctrl-C", 1.0)
    lane.close("Other", "later", 1.5)
    lane.unprocessed(push, "GOAWAY", 2.0)

    assert {1: (not_sent("Interrupted", "Ctrl-C"), 2.0)} == world.ended
    assert ([], True) == (world.retried, lane.idle)


def test_what_is_in_doubt_stays_so_when_its_next_try_is_refused() -> None:
    """A refused stream says nothing of the try before it, so it is no news of the push."""
    lane, world = made(1, on_unknown="resend")
    (push,) = lane.take(1, 0.0)
    lane.unanswered(push, LOST, 1.0)
    assert [(1, LOST, 1.0)] == world.retried
    (push,) = lane.take(1, 1.0)
    lane.unprocessed(push, "REFUSED_STREAM", 2.0)
    assert [(1, LOST, 1.0)] == world.retried
    lane.close("Interrupted", None, 3.0)

    assert {1: (LOST, 3.0)} == world.ended


def test_a_resend_is_bounded_and_goes_first() -> None:
    """Under --on-unknown resend: in front of the others, so many times, and on an open lane."""
    lane, world = made(4, on_unknown="resend", resend_limit=2)
    first, second, third = lane.take(3, 0.0)
    lane.answered_yes(third, ACCEPTED, 1.0)
    lane.unanswered(first, LOST, 1.0)
    assert [1, 4] == rows(lane.take(9, 1.0))
    lane.unanswered(first, LOST, 1.0)
    assert (LOST, 1.0) == world.ended[1]
    lane.close("Interrupted", None, 3.0)
    lane.unanswered(second, LOST, 4.0)

    assert (LOST, 4.0) == world.ended[2]
    assert 1 == len(world.retried)


def test_by_default_what_is_in_doubt_is_not_sent_again() -> None:
    """Whatever else waits, it ends as unknown at once."""
    lane, world = made(1)
    (push,) = lane.take(1, 0.0)
    lane.unanswered(push, LOST, 1.0)

    assert ({1: (LOST, 1.0)}, [], 0) == (world.ended, world.retried, lane.in_flight)


def test_a_silent_service_costs_three_probes() -> None:
    """One request at a time, each alone; after the third unanswered one the lane gives up."""
    assert 3 == SILENT_PROBES
    lane, world = made(9, proven=False)
    for now in (0.0, 2.0, 4.0):
        assert not lane.closed
        (push,) = lane.take(9, now)
        lane.unanswered(push, LOST, now + 2.0)

    assert lane.closed
    why = "3 requests in a row went unanswered: connection lost"
    assert (not_sent("NotReached", why), 6.0) == world.ended[9]


@pytest.mark.parametrize("answer", [ACCEPTED, BUSY])
def test_any_answer_ends_the_silence(answer: Outcome) -> None:
    """The probes are counted anew, and with an acceptance everybody may leave again."""
    lane, _ = made(40, proven=False)
    now = 0.0
    for outcome in (LOST, LOST, answer, LOST, LOST):
        if lane.proven:
            break
        (push, *_) = lane.take(9, now)
        now += 2.0
        if outcome is ACCEPTED:
            lane.answered_yes(push, outcome, now)
        elif outcome is BUSY:
            lane.answered_no(push, outcome, now)
        else:
            lane.unanswered(push, outcome, now)

    assert (answer is ACCEPTED) == (len(lane.take(9, now)) > 1)
    assert not lane.closed


def test_after_an_acceptance_the_probes_are_counted_anew() -> None:
    """The first silence after it only makes the lane cautious; three probes follow."""
    lane, _ = made(40, proven=False)
    now = 0.0
    for outcome in (LOST, LOST, ACCEPTED, LOST, LOST, LOST, LOST):
        assert not lane.closed
        (push, *_) = lane.take(1, now)
        now += 2.0
        if outcome is ACCEPTED:
            lane.answered_yes(push, outcome, now)
        else:
            lane.unanswered(push, outcome, now)

    assert lane.closed


def test_a_proven_lane_that_falls_silent_probes_first() -> None:
    """Those sent together count as one silence; then each probe counts."""
    lane, _ = made(40)
    together = lane.take(3, 1.0)
    for push in together[:2]:
        lane.unanswered(push, LOST, 10.0)
    assert (False, []) == (lane.proven, lane.take(9, 10.0))
    lane.unanswered(together[2], LOST, 10.0)
    for now in (10.0, 20.0):
        assert not lane.closed
        (push,) = lane.take(9, now)
        lane.unanswered(push, LOST, now + 9.0)

    assert lane.closed


def test_a_push_between_answered_ones_is_no_silence() -> None:
    """Silent is who answered nothing for more than half of the time that the push waited."""
    push = a_push(1)
    push.sent_at = 10.0

    assert [False, True, True] == [is_silent(heard, push, 20.0) for heard in (15.0, 14.9, 0.0)]


def test_an_answer_dates_the_silence() -> None:
    """Yes or no: whoever just answered is not silent."""
    for answer in (ACCEPTED, BUSY):
        lane, _ = made(2)
        first, second = lane.take(2, 10.0)
        if answer is ACCEPTED:
            lane.answered_yes(first, answer, 19.0)
        else:
            lane.answered_no(first, answer, 19.0)
        lane.unanswered(second, LOST, 20.0)
        assert lane.proven


def test_a_canary_holds_the_others_back_until_it_is_judged() -> None:
    """What waits for another try is still to be judged, and goes again within the canary."""
    lane, _ = made(9, canary=2, least_wait_s=10.0)
    first, second = lane.take(9, 0.0)
    lane.answered_no(first, BAD_TOKEN, 1.0)
    assert [] == lane.take(9, 1.0)
    lane.answered_no(second, BUSY, 2.0)
    assert [] == lane.take(9, 11.0)
    assert [2] == rows(lane.take(9, 12.0))
    assert [] == lane.take(9, 12.0)
    lane.answered_no(second, BAD_TOKEN, 13.0)

    assert [3, 4, 5, 6, 7, 8, 9] == rows(lane.take(9, 13.0))


def test_one_in_flight_keeps_the_canary_open() -> None:
    """Beside one that waits, or goes again, the others are still held back."""
    lane, _ = made(9, canary=3, least_wait_s=10.0)
    first, second, third = lane.take(9, 0.0)
    lane.answered_no(third, BAD_TOKEN, 1.0)
    lane.answered_no(second, BUSY, 2.0)
    assert [] == lane.take(9, 2.0)
    assert [2] == rows(lane.take(9, 12.0))
    for push in (first, second):
        lane.answered_no(push, BUSY, 13.0)
    assert [2, 1] == rows(lane.take(9, 33.0))


def test_what_goes_again_does_not_use_up_the_canary() -> None:
    """One that was refused before it was processed counts as not launched."""
    lane, _ = made(9, canary=3, least_wait_s=10.0)
    first, second, third = lane.take(9, 0.0)
    lane.unprocessed(third, "GOAWAY", 1.0)
    assert [3] == rows(lane.take(9, 1.0))
    lane.answered_no(first, BUSY, 1.0)
    lane.unprocessed(second, "GOAWAY", 2.0)
    assert [1, 2] == rows(lane.take(9, 11.0))
    assert [] == lane.take(9, 11.0)
    lane.answered_yes(first, ACCEPTED, 12.0)

    assert [4, 5, 6, 7, 8, 9] == rows(lane.take(9, 12.0))


def test_a_stop_of_the_canary_knows_its_service() -> None:
    """The run is told to stop with the cause that fits the service."""
    lane, world = made(30, service=Service.FCM, canary=30)
    for push in lane.take(20, 0.0):
        lane.answered_no(push, rejected(404, Category.REQUEST, reason="NOT_FOUND"), 1.0)

    (stop,) = world.stops
    assert "project id" in stop.why


def test_a_closed_lane_ends_what_it_is_given() -> None:
    """By the last answer, else by the first reason it was closed for."""
    lane, world = made(2, least_wait_s=10.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, BUSY, 1.0)
    lane.close("Interrupted", "Ctrl-C", 2.0)
    lane.close("Stopped", "later", 3.0)
    lane.offer([a_push(3)], 4.0)

    interrupted = not_sent("Interrupted", "Ctrl-C")
    assert {1: (BUSY, 2.0), 2: (interrupted, 2.0), 3: (interrupted, 4.0)} == world.ended
    assert (True, 0) == (lane.idle, lane.queued)


def test_a_push_begins_with_what_it_was_given() -> None:
    """Nothing was tried yet."""
    fields = ((b"apns-topic", b"com.acme"),)
    push = Push(7, "Anna", b"/3/device/aa", fields, b"id", b"{}")

    given = (7, "Anna", b"/3/device/aa", fields, b"id", b"{}")
    assert given == (push.row, push.subject, push.path, push.fields, push.id, push.body)
    assert (0, 0, 0, 0.0, 0.0, None) == (
        push.attempts, push.refusals, push.renewals, push.first_at, push.sent_at, push.last_answer,
    )  # fmt: skip


def test_the_reasons_of_the_dispatcher_itself() -> None:
    """Without an answer the connection is named, and another try may succeed."""
    about = {"category": Category.CONNECTION, "retryable": Retryable.WITH_BACKOFF, "detail": "why"}

    assert Outcome(kind=Kind.UNKNOWN, reason="R", **about) == unknown("R", "why")  # type: ignore[arg-type]
    assert Outcome(kind=Kind.NOT_SENT, reason="R", **about) == not_sent("R", "why")  # type: ignore[arg-type]
    assert unknown("NoAnswer", TIMED_OUT) == no_answer(TIMED_OUT)
    assert unknown("ConnectionLost", "reset") == no_answer("reset")
