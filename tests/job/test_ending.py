"""The exit code: one rule a code, and which of them goes first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.dispatch.thresholds import Stop
from pushctl.errors import ExitCode
from pushctl.job.ending import Ending, FailOn, counts_as_unreached, exit_code
from pushctl.outcome import Kind

PRECEDENCE = (74, 4, 5, 6, 130, 143, 7, 1, 0)


def ending(totals: dict[Kind, int] | None = None, **more: Any) -> Ending:
    """Return the end of a run."""
    given_totals = {Kind.ACCEPTED: 1} if totals is None else totals
    return Ending("run", None, given_totals, 1.0, "bounces.jsonl", **more)


CASES: dict[str, tuple[Ending, int]] = {
    "all accepted": (ending(), 0),
    "all skipped": (ending({Kind.SKIPPED: 3}), 0),
    "some bounced": (ending({Kind.ACCEPTED: 1, Kind.REJECTED: 1}), 1),
    "some unknown": (ending({Kind.UNKNOWN: 1, Kind.REJECTED: 1}), 7),
    "credential refused": (ending(refused=[("shop", "InvalidProviderToken")]), 4),
    "out of reach": (ending({Kind.NOT_SENT: 1}, unreached=1), 5),
    "stopped by the canary": (ending(stop=Stop("canary", "")), 6),
    "stopped by a threshold": (ending(stop=Stop("threshold", "")), 6),
    "out of time": (ending(stop=Stop("deadline", "")), 6),
    "interrupted": (ending({Kind.UNKNOWN: 1}, stop=Stop("interrupted", "")), 130),
    "terminated": (ending(stop=Stop("terminated", "")), 143),
    "disk full": (ending(storage_error="full", stop=Stop("storage", "full")), 74),
    "not sent for another reason": (ending({Kind.NOT_SENT: 1}), 0),
}


@pytest.mark.parametrize(("end", "code"), CASES.values(), ids=CASES)
def test_each_ending_has_its_code(end: Ending, code: int) -> None:
    """Each way for a run to end has the exit code of the contract."""
    assert code == exit_code(end, fail_on="bounced", fail_if_empty=False)


@pytest.mark.parametrize(
    ("fail_on", "faulty", "code"),
    [("bounced", 0, 1), ("faulty", 0, 0), ("faulty", 1, 1), ("never", 1, 0)],
)
def test_fail_on(fail_on: FailOn, faulty: int, code: int) -> None:
    """--fail-on chooses between all rejections, those that are no dead tokens, and none."""
    end = ending({Kind.REJECTED: 2}, faulty=faulty)

    assert code == exit_code(end, fail_on=fail_on, fail_if_empty=False)


@pytest.mark.parametrize(
    ("totals", "code"),
    [({}, 1), ({Kind.SKIPPED: 5}, 1), ({Kind.ACCEPTED: 1}, 0), ({Kind.NOT_SENT: 1}, 0)],
)
def test_fail_if_empty(totals: dict[Kind, int], code: int) -> None:
    """--fail-if-empty makes a run that tried nothing exit 1."""
    assert code == exit_code(ending(totals), fail_on="bounced", fail_if_empty=True)


@given(
    totals=st.dictionaries(st.sampled_from(list(Kind)), st.integers(0, 2)),
    storage=st.booleans(),
    refused=st.booleans(),
    unreached=st.booleans(),
    stop=st.sampled_from([None, "canary", "deadline", "interrupted", "terminated"]),
)
def test_the_first_that_applies_wins(
    totals: dict[Kind, int], storage: bool, refused: bool, unreached: bool, stop: Any
) -> None:
    """Where several rules apply the code is the first of 74, 4, 5, 6, 130/143, 7, 1."""
    end = ending(
        totals,
        storage_error="full" if storage else None,
        refused=[("shop", "no")] if refused else [],
        unreached=int(unreached),
        stop=None if stop is None else Stop(stop, ""),
    )
    applies = {0}
    applies |= {74} if storage else set()
    applies |= {4} if refused else set()
    applies |= {5} if unreached else set()
    applies |= {"canary": {6}, "deadline": {6}, "interrupted": {130}, "terminated": {143}}.get(
        str(stop), set()
    )
    applies |= {7} if totals.get(Kind.UNKNOWN) else set()
    applies |= {1} if totals.get(Kind.REJECTED) else set()

    code = exit_code(end, fail_on="bounced", fail_if_empty=False)

    assert next(one for one in PRECEDENCE if one in applies) == code
    assert isinstance(code, ExitCode)


def test_what_counts_as_out_of_reach() -> None:
    """Only connections that failed and an overloaded service make exit 5."""
    assert [True, True, False, False, False] == [
        counts_as_unreached(reason)
        for reason in ("NotReached", "NotProcessed", "CredentialsRefused", "Interrupted", None)
    ]
