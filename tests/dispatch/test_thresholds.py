"""The canary and --stop-if, to the answer at which they act."""

from __future__ import annotations

import pytest

from pushctl.dispatch.thresholds import Canary, Stop, StopIf, Tally
from pushctl.errors import UsageError
from pushctl.outcome import Kind, Outcome, Service

DEAD = Outcome(kind=Kind.REJECTED, status=410, reason="Unregistered")
FAULTY = Outcome(kind=Kind.REJECTED, status=400, reason="BadTopic")
ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
UNKNOWN = Outcome(kind=Kind.UNKNOWN)


def rejected(status: int, reason: str | None) -> Outcome:
    return Outcome(kind=Kind.REJECTED, status=status, reason=reason)


def judged(service: Service, *outcomes: Outcome) -> list[Stop | None]:
    """Return what a canary of 50 says to each of *outcomes*."""
    canary = Canary(50, service)
    return [canary.rejected(outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("faulty>8%", StopIf("faulty", 0.08, None)),
        ("\tbounced  >  12.5  % ", StopIf("bounced", 0.125, None)),
        ("unknown>100", StopIf("unknown", None, 100)),
        ("faulty > 0", StopIf("faulty", None, 0)),
        (" never ", None),
    ],
)
def test_a_condition_is_a_share_or_a_count(text: str, condition: StopIf | None) -> None:
    """With % it is a share of the answers, without it a number of them."""
    assert condition == StopIf.parse(text)


@pytest.mark.parametrize(
    "text",
    ["faulty>8%x", "xfaulty>8%", "FAULTY>8%", "faulty>8.%", "faulty>.5%", "faulty>%", "never ever"],
)
def test_a_condition_that_cannot_be_read_shows_the_grammar(text: str) -> None:
    """The hint says what could be written."""
    with pytest.raises(UsageError, match="is not a condition") as caught:
        StopIf.parse(text)
    assert "bounced, faulty or unknown" in str(caught.value.problems[0].hint)


def test_a_count_is_a_whole_number() -> None:
    """Half an answer is a percentage that lost its sign."""
    with pytest.raises(UsageError, match=r"'faulty>1\.5': a count is a whole number"):
        StopIf.parse("faulty>1.5")


@pytest.mark.parametrize(
    ("condition", "counted"), [("faulty", FAULTY), ("bounced", DEAD), ("unknown", UNKNOWN)]
)
def test_a_count_is_met_by_one_more(condition: str, counted: Outcome) -> None:
    """Acceptances before and between change nothing; the stop says what was counted."""
    tally = Tally(StopIf.parse(f"{condition}>2"))
    said = [tally.add(it) for it in (ACCEPTED, counted, ACCEPTED, counted, counted)]

    assert [None] * 4 == said[:4]
    stop = said[4]
    assert stop is not None
    assert "threshold" == stop.kind
    assert f"--stop-if '{condition}>2' was met: 3 {condition} of 5 answers" == stop.why
    assert (stop.hint or "").startswith("see the reasons above; ")


def test_each_condition_counts_its_own() -> None:
    """A dead token bounced without being faulty, and what is unknown did neither."""
    tallies = [Tally(StopIf.parse(f"{what}>1")) for what in ("faulty", "bounced", "unknown")]
    outcomes = (FAULTY, DEAD, UNKNOWN, Outcome(kind=Kind.NOT_SENT))
    faulty, bounced, unknown = ([tally.add(it) for it in outcomes] for tally in tallies)

    assert [None] * 4 == faulty == unknown
    assert [False, True, True, False] == [stop is not None for stop in bounced]
    assert [(3, 2, 1, 1)] * 3 == [(it.answers, it.bounced, it.faulty, it.unknown) for it in tallies]


def test_a_share_must_be_exceeded() -> None:
    """Of 1,000 answers 80 are 8 %, and 81 are more."""
    tally = Tally(StopIf.parse("faulty>8%"))
    for number in range(920):
        assert tally.add(FAULTY if number < 80 else ACCEPTED) is None

    assert [None] * 79 == [tally.add(DEAD) for _ in range(79)]
    assert tally.add(DEAD) is None
    assert tally.add(FAULTY) is not None


def test_a_stop_has_a_hint_only_where_there_is_one() -> None:
    """A deadline needs no advice."""
    assert Stop("deadline", "the time is over").hint is None


def test_without_a_condition_everything_is_only_counted() -> None:
    """``--stop-if never`` keeps the books all the same."""
    tally = Tally(None)

    assert [None] * 2000 == [tally.add(FAULTY) for _ in range(2000)]
    assert (2000, 2000) == (tally.answers, tally.faulty)


def test_the_canary_speaks_at_the_twentieth_answer() -> None:
    """Nineteen may be chance; from then on it says so at every further one."""
    said = judged(Service.APNS, *[rejected(400, "BadDeviceToken")] * 21)

    assert [None] * 19 == said[:19]
    first, second = said[19:]
    assert first is not None
    assert second is not None
    assert ("canary", True) == (
        first.kind,
        first.why.startswith("20 of the first 20 answers were BadDeviceToken: "),
    )
    assert second.why.startswith("21 of the first 21 ")


@pytest.mark.parametrize(("others", "stops"), [(2, True), (3, False)])
def test_nine_of_ten_answers_must_agree(others: int, stops: bool) -> None:
    """Eighteen of twenty are a pattern, seventeen are not."""
    alike = [rejected(400, "BadDeviceToken")] * (20 - others)

    assert stops == (judged(Service.APNS, *[DEAD] * others, *alike)[-1] is not None)


# Survives `dispatch/thresholds.py`: `_diagnosis`: the words are free; what they must name is below.
# Survives `dispatch/thresholds.py`: `most_common(1)`: only the first is looked at.
@pytest.mark.parametrize(
    ("service", "status", "reason", "why", "hint"),
    [
        (Service.APNS, 400, "BadDeviceToken", "the other environment", "environment accordingly"),
        (Service.APNS, 400, "DeviceTokenNotForTopic", "another app than the topic", "bundle id"),
        (Service.APNS, 400, "BadTopic", "not one this credential may send to", "bundle id"),
        (Service.APNS, 400, "TopicDisallowed", "not one this credential", "apps the key may serve"),
        (Service.FCM, 403, "SENDER_ID_MISMATCH", "another Firebase project", "google-services"),
        (Service.FCM, 404, None, "a bare 404: the project id", "no token is at fault"),
        (Service.FCM, 404, "NOT_FOUND", "a bare 404: the project id", "project_id and endpoint"),
        (Service.APNS, 404, "BadPath", "a bare 404: the endpoint or its path", "no token"),
    ],
)
def test_a_pattern_is_explained(
    service: Service, status: int, reason: str | None, why: str, hint: str
) -> None:
    """The likely cause is named, and what to look at."""
    stop = judged(service, *[rejected(status, reason)] * 20)[-1]

    assert stop is not None
    assert why in stop.why
    assert hint in (stop.hint or "")


# Survives `dispatch/thresholds.py`: `outcome.reason or ""`: it is one of the telling ones; this is
# for the type checker.
# Survives `dispatch/thresholds.py`: `return ""`: whatever is no name will do.
@pytest.mark.parametrize(
    "outcome", [DEAD, rejected(404, "UNREGISTERED"), rejected(503, None), rejected(400, "Other")]
)
def test_what_says_nothing_of_the_run_stops_nothing(outcome: Outcome) -> None:
    """Dead tokens and answers of all other kinds are for the thresholds."""
    assert [None] * 60 == judged(Service.FCM, *[outcome] * 60)


def test_a_canary_is_over_with_its_size_or_an_acceptance() -> None:
    """Until then only so many are launched; it ends when none of them is still to be answered."""
    canary = Canary(5, Service.APNS)

    assert [5, 2, 0, 0] == [
        canary.room(0, 0),
        canary.room(3, 3),
        canary.room(5, 1),
        canary.room(6, 2),
    ]
    assert canary.room(4, 0) == 1
    assert canary.room(5, 0) is None
    assert (True, None) == (canary.passed, canary.room(0, 9))
    assert [None] * 30 == [canary.rejected(rejected(400, "BadTopic")) for _ in range(30)]


def test_a_canary_of_none_is_over_before_it_begins() -> None:
    """``--canary 0`` switches it off."""
    assert Canary(0, Service.FCM).passed
    assert not Canary(1, Service.FCM).passed
