"""The lane: what each answer leads to, told without a clock or a socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.dispatch.lane import Lane, no_answer
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import Stop
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service, TokenAction
from pushctl.wire.connection import TIMED_OUT

ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
UNREGISTERED = Outcome(
    kind=Kind.REJECTED,
    status=410,
    reason="Unregistered",
    category=Category.TOKEN,
    token_action=TokenAction.REMOVE,
)
BAD_TOKEN = Outcome(
    kind=Kind.REJECTED, status=400, reason="BadDeviceToken", category=Category.TOKEN
)
UNAVAILABLE = Outcome(
    kind=Kind.REJECTED,
    status=503,
    reason="ServiceUnavailable",
    category=Category.SERVER,
    retryable=Retryable.WITH_BACKOFF,
)
TOO_MANY = Outcome(
    kind=Kind.REJECTED,
    status=429,
    reason="QUOTA_EXCEEDED",
    category=Category.RATE,
    retryable=Retryable.WITH_BACKOFF,
    retry_after_s=7.0,
)
INVALID_KEY = Outcome(
    kind=Kind.REJECTED,
    status=403,
    reason="InvalidProviderToken",
    category=Category.CREDENTIALS,
    retryable=Retryable.AFTER_FIX,
)
EXPIRED = Outcome(
    kind=Kind.REJECTED,
    status=403,
    reason="ExpiredProviderToken",
    category=Category.CREDENTIALS,
    retryable=Retryable.AFTER_FIX,
)
WRONG_PROJECT = Outcome(
    kind=Kind.REJECTED,
    status=403,
    reason="SENDER_ID_MISMATCH",
    category=Category.CREDENTIALS,
    token_action=TokenAction.SUSPECT,
)


class World:
    """Fake effects that remember what a lane asked for."""

    def __init__(self) -> None:
        self.ended: dict[int, Outcome] = {}
        self.retried: list[int] = []
        self.renewals = 0
        self.stops: list[Stop] = []

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        assert push.row not in self.ended, "a push ends once"
        self.ended[push.row] = outcome

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        pass

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        self.retried.append(push.row)

    def renew(self, lane: Lane) -> None:
        self.renewals += 1

    def stop(self, stop: Stop) -> None:
        self.stops.append(stop)

    def kinds(self) -> dict[int, Kind]:
        return {row: outcome.kind for row, outcome in self.ended.items()}


def make_lane(
    world: World,
    *,
    service: Service = Service.APNS,
    policy: Policy | None = None,
    pacer: Pacer | None = None,
    jitter: Callable[[], float] = lambda: 0.0,
    least_wait_s: float | None = 900.0,
) -> Lane:
    return Lane(
        "shop",
        service,
        policy=policy or Policy(canary=0),
        effects=world,
        pacer=pacer or Pacer(None),
        jitter=jitter,
        least_wait_s=lambda outcome: least_wait_s,
    )


def pushes(*rows: int) -> list[Push]:
    return [Push(row, None, b"/3/device/aa", (), None, b"{}") for row in rows]


def proven_lane(world: World, **options: object) -> Lane:
    lane = make_lane(world, **options)  # type: ignore[arg-type]
    lane.offer(pushes(0), 0.0)
    (first,) = lane.take(10, 0.0)
    lane.answered_yes(first, ACCEPTED, 0.0)
    return lane


def test_an_unproved_credential_gets_one_request_at_a_time() -> None:
    """Nothing else leaves before an answer has shown that the credential is taken."""
    lane = make_lane(World())
    lane.offer(pushes(1, 2, 3), 0.0)

    (first,) = lane.take(10, 0.0)
    assert [] == lane.take(10, 0.0)
    lane.answered_yes(first, ACCEPTED, 0.1)
    assert [2, 3] == [push.row for push in lane.take(10, 0.1)]


def test_a_rejected_device_token_proves_the_credential() -> None:
    """BadDeviceToken says that the provider token was fine."""
    lane = make_lane(World())
    lane.offer(pushes(1, 2, 3), 0.0)
    (first,) = lane.take(10, 0.0)
    lane.answered_no(first, BAD_TOKEN, 0.1)
    assert 2 == len(lane.take(10, 0.1))


def test_a_refused_credential_costs_one_request() -> None:
    """The rest of the list is not_sent, with the refusal named."""
    world = World()
    lane = make_lane(world)
    lane.offer(pushes(1, 2, 3), 0.0)
    (first,) = lane.take(10, 0.0)
    lane.answered_no(first, INVALID_KEY, 0.1)
    lane.offer(pushes(4), 0.2)

    assert {1: Kind.REJECTED, 2: Kind.NOT_SENT, 3: Kind.NOT_SENT, 4: Kind.NOT_SENT} == world.kinds()
    assert ("CredentialsRefused", "InvalidProviderToken") == (
        world.ended[2].reason,
        world.ended[2].detail,
    )
    assert lane.refused is INVALID_KEY
    assert lane.idle


def test_a_token_of_another_project_is_no_refusal_of_the_credential() -> None:
    """SENDER_ID_MISMATCH is a 403 about one token: the others still go out."""
    world = World()
    lane = proven_lane(world, service=Service.FCM)
    lane.offer(pushes(1, 2), 0.0)
    first, second = lane.take(10, 0.0)
    lane.answered_no(first, WRONG_PROJECT, 0.1)
    lane.answered_yes(second, ACCEPTED, 0.1)
    assert lane.refused is None
    assert {0: Kind.ACCEPTED, 1: Kind.REJECTED, 2: Kind.ACCEPTED} == world.kinds()


def test_an_expired_provider_token_is_renewed_once_and_the_push_sent_again() -> None:
    """Nothing leaves until the newer token is there; a second refusal is final."""
    world = World()
    lane = proven_lane(world)
    lane.offer(pushes(1, 2), 0.0)
    first, second = lane.take(10, 0.0)
    lane.answered_no(first, EXPIRED, 0.1)
    lane.answered_no(second, EXPIRED, 0.1)

    assert (1, []) == (world.renewals, lane.take(10, 0.2))
    lane.renewed()
    again = lane.take(10, 0.3)
    assert {1, 2} == {push.row for push in again}
    lane.answered_no(again[0], EXPIRED, 0.4)
    assert Kind.REJECTED is world.ended[again[0].row].kind
    assert lane.refused is EXPIRED


def test_an_answered_failure_waits_for_the_least_delay_of_the_catalog() -> None:
    """APNs asks for 15 minutes after a 5xx: inside --retry-for it is tried again, else final."""
    patient, impatient = World(), World()
    lane = proven_lane(patient, policy=Policy(canary=0, retry_for_s=3600))
    lane.offer(pushes(1), 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, UNAVAILABLE, 1.0)
    assert ([1], []) == (patient.retried, lane.take(1, 900.9))
    assert 901.0 == lane.next_wake(1.0)
    assert [1] == [push.row for push in lane.take(1, 901.0)]

    lane = proven_lane(impatient, policy=Policy(canary=0, retry_for_s=300))
    lane.offer(pushes(1), 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, UNAVAILABLE, 1.0)
    assert Kind.REJECTED is impatient.ended[1].kind


def test_a_quota_answer_of_fcm_pauses_the_whole_project() -> None:
    """Retry-After holds for everything that goes out with the credential."""
    world = World()
    lane = proven_lane(world, service=Service.FCM)
    lane.offer(pushes(1, 2), 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, TOO_MANY, 1.0)

    assert [] == lane.take(10, 7.9)
    assert [1, 2] == [push.row for push in lane.take(10, 8.0)]


def test_jitter_spreads_retries_by_up_to_half_of_the_delay() -> None:
    """The delay is never shorter than what the service asked for."""
    lane = proven_lane(World(), service=Service.FCM, jitter=lambda: 1.0)
    lane.offer(pushes(1), 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, TOO_MANY, 0.0)
    assert 10.5 == lane.next_wake(0.0)


def test_what_was_provably_not_processed_goes_again_at_once_and_counts_no_attempt() -> None:
    """A refused stream is not a try; after many refusals in a row the push waits."""
    world = World()
    lane = proven_lane(world)
    lane.offer(pushes(1), 0.0)
    for _ in range(4):
        (push,) = lane.take(1, 0.0)
        lane.unprocessed(push, "REFUSED_STREAM", 0.0)
    (push,) = lane.take(1, 0.0)
    assert 1 == push.attempts
    lane.unprocessed(push, "REFUSED_STREAM", 0.0)
    assert [] == lane.take(1, 0.5)
    assert [1] == [push.row for push in lane.take(1, 1.0)]


def test_refusals_beside_answers_cost_no_wait() -> None:
    """A server that takes fewer requests on a connection than are in flight refuses nobody."""
    lane = proven_lane(World())
    lane.offer(pushes(*range(1, 41)), 0.0)
    for connection in range(20):
        now = float(connection)
        answered, *above_the_goaway = lane.take(40, now)
        lane.answered_yes(answered, ACCEPTED, now + 0.1)
        for push in reversed(above_the_goaway):
            lane.unprocessed(push, "GOAWAY", now + 0.2)
        assert 39 - connection == lane.queued, "all others can go out at once"


def test_refusals_without_end_are_given_up_as_not_sent() -> None:
    """After --retry-for the push ends as provably not processed."""
    world = World()
    lane = proven_lane(world, policy=Policy(canary=0, retry_for_s=10))
    lane.offer(pushes(1), 0.0)
    now = 0.0
    while 1 not in world.ended:
        (push,) = lane.take(1, now)
        lane.unprocessed(push, "REFUSED_STREAM", now)
        now = lane.next_wake(now) or now
    assert (Kind.NOT_SENT, "NotProcessed") == (world.ended[1].kind, world.ended[1].reason)


def test_an_unanswered_push_is_unknown_and_not_sent_again() -> None:
    """By default nothing can reach a device twice."""
    world = World()
    lane = proven_lane(world)
    lane.offer(pushes(1, 2), 0.0)
    first, second = lane.take(2, 0.0)
    lane.unanswered(first, no_answer(TIMED_OUT), 30.0)
    lane.unanswered(second, no_answer("connection lost"), 30.0)
    assert ("NoAnswer", "ConnectionLost") == (world.ended[1].reason, world.ended[2].reason)
    assert Kind.UNKNOWN is world.ended[1].kind


def test_on_unknown_resend_sends_again_a_bounded_number_of_times() -> None:
    """The option trades possible duplicates for a bounded number of tries."""
    world = World()
    lane = proven_lane(world, policy=Policy(canary=0, on_unknown="resend"))
    lane.offer(pushes(1), 0.0)
    for _ in range(3):
        (push,) = lane.take(1, 0.0)
        lane.unanswered(push, no_answer(TIMED_OUT), 0.0)
    assert (Kind.UNKNOWN, 3) == (world.ended[1].kind, push.attempts)


def test_a_canary_that_meets_one_telling_reason_stops_the_run() -> None:
    """20 answers, none accepted, all BadDeviceToken: the likely cause is said in words."""
    world = World()
    lane = make_lane(world, policy=Policy(canary=50))
    lane.offer(pushes(*range(1, 101)), 0.0)
    answered = 0
    while not world.stops:
        for push in lane.take(7, 0.0):
            lane.answered_no(push, BAD_TOKEN, 0.0)
            answered += 1
    assert 20 <= answered <= 50
    assert "environment" in world.stops[0].why


def test_a_canary_with_one_acceptance_lets_the_list_through() -> None:
    """An old list with many dead tokens is not stopped."""
    world = World()
    lane = make_lane(world, policy=Policy(canary=50))
    lane.offer(pushes(*range(1, 101)), 0.0)
    sent = 0
    while batch := lane.take(10, 0.0):
        for push in batch:
            sent += 1
            if push.row == 15:
                lane.answered_yes(push, ACCEPTED, 0.0)
            else:
                lane.answered_no(push, BAD_TOKEN, 0.0)
    assert (100, []) == (sent, world.stops)


def test_dead_tokens_alone_do_not_stop_a_canary() -> None:
    """410 is the fault of the list's age, not of the run."""
    world = World()
    lane = make_lane(world, policy=Policy(canary=50))
    lane.offer(pushes(*range(1, 101)), 0.0)
    while batch := lane.take(10, 0.0):
        for push in batch:
            lane.answered_no(push, UNREGISTERED, 0.0)
    assert (100, []) == (len(world.ended), world.stops)


def test_a_canary_without_answers_does_not_hold_up_the_run_for_ever() -> None:
    """If the first 50 go unanswered the rest still goes out."""
    world = World()
    lane = proven_lane(world, policy=Policy(canary=50))
    lane.offer(pushes(*range(1, 101)), 0.0)
    while batch := lane.take(10, 0.0):
        for push in batch:
            lane.unanswered(push, no_answer(TIMED_OUT), 0.0)
    assert 101 == len(world.ended)


def test_closing_a_lane_ends_what_waits_by_what_is_known_of_it() -> None:
    """A push that was answered is rejected with that answer; one that never left is not_sent."""
    world = World()
    lane = proven_lane(world, service=Service.FCM, least_wait_s=10.0)
    lane.offer(pushes(1, 2), 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, TOO_MANY, 0.0)
    lane.close("Interrupted", "Ctrl-C", 1.0)

    assert (Kind.REJECTED, "QUOTA_EXCEEDED") == (world.ended[1].kind, world.ended[1].reason)
    assert (Kind.NOT_SENT, "Interrupted") == (world.ended[2].kind, world.ended[2].reason)


def test_too_many_provider_token_updates_is_tried_once_more_elsewhere() -> None:
    """The connection is unusable, the push is not."""
    world = World()
    lane = proven_lane(world)
    lane.offer(pushes(1), 0.0)
    refusal = Outcome(
        kind=Kind.REJECTED,
        status=429,
        reason="TooManyProviderTokenUpdates",
        category=Category.RATE,
        retryable=Retryable.AFTER_FIX,
    )
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, refusal, 0.0)
    (push,) = lane.take(1, 0.0)
    lane.answered_no(push, refusal, 0.0)
    assert Kind.REJECTED is world.ended[1].kind


ANSWERS = ["yes", "dead", "busy", "quota", "refuse", "expired", "unprocessed", "lost"]


@settings(max_examples=200, deadline=None)
@given(
    script=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=60),
    number=st.integers(1, 30),
    canary=st.sampled_from([0, 5, 50]),
    close_at=st.integers(0, 80),
    resend=st.booleans(),
)
def test_every_push_ends_exactly_once_whatever_is_answered(
    script: list[str], number: int, canary: int, close_at: int, resend: bool
) -> None:
    """The accounting identity holds for every sequence of answers, and no lane gets stuck."""
    world = World()
    policy = Policy(canary=canary, on_unknown="resend" if resend else "keep")
    lane = make_lane(world, service=Service.FCM, policy=policy, least_wait_s=10.0)
    lane.offer(pushes(*range(1, number + 1)), 0.0)
    now, step, accepted = 0.0, 0, set()
    while not lane.idle:
        assert step < 5000, "the lane got stuck"
        step += 1
        if step == close_at:
            lane.close("Interrupted", None, now)
        if lane.renewing:
            lane.renewed()
        batch = lane.take(3, now)
        if not batch and not lane.in_flight:
            wake = lane.next_wake(now)
            assert wake is not None or lane.idle
            now = max(now, wake or now)
        for push in batch:
            step += 1
            assert push.row not in accepted, "an accepted push is never sent again"
            match script[step % len(script)] if step < 600 else "yes":
                case "yes":
                    accepted.add(push.row)
                    lane.answered_yes(push, ACCEPTED, now)
                case "dead":
                    lane.answered_no(push, UNREGISTERED, now)
                case "busy":
                    lane.answered_no(push, UNAVAILABLE, now)
                case "quota":
                    lane.answered_no(push, TOO_MANY, now)
                case "refuse":
                    lane.answered_no(push, INVALID_KEY, now)
                case "expired":
                    lane.answered_no(push, EXPIRED, now)
                case "unprocessed":
                    lane.unprocessed(push, "GOAWAY", now)
                case _:
                    lane.unanswered(push, no_answer(TIMED_OUT), now)
    assert set(range(1, number + 1)) == set(world.ended)
