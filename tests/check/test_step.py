"""The exit code that follows from what was found."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.check.step import (
    Report,
    Step,
    Verdict,
    exit_code,
    failed,
    of_problem,
    passed,
    skipped,
    warned,
)
from pushctl.errors import ExitCode, Place, Problem

INVALID = failed("key", "x", exit_code=ExitCode.INVALID_INPUT)
REFUSED = failed("provider-token", "x", exit_code=ExitCode.CREDENTIALS_REFUSED)
UNTOLD = failed("tcp", "x", exit_code=ExitCode.UNREACHABLE)
WARNED, PASSED, SKIPPED = warned("expiry", "x"), passed("key", "x"), skipped("dns", "x")


def code(*steps: Step, fail_on_warn: bool = False) -> int:
    """Return the exit code of *steps*, each of a report of its own."""
    reports = [Report(name="x", steps=(step,)) for step in steps]
    return int(exit_code(reports, fail_on_warn=fail_on_warn))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), 0),
        ((PASSED, SKIPPED, WARNED), 0),
        ((PASSED, INVALID), 3),
        ((REFUSED,), 4),
        ((UNTOLD, WARNED), 5),
        ((UNTOLD, INVALID), 3),
        ((UNTOLD, INVALID, REFUSED), 4),
    ],
)
def test_exit_codes(steps: tuple[Step, ...], expected: int) -> None:
    """What only a person can mend comes before what may be gone at the next try, in any order."""
    assert {expected} == {code(*order) for order in permutations(steps)}


def test_warnings_count_where_they_are_asked_to() -> None:
    """--fail-on warn makes 1 of a warning, and changes no other code."""
    assert 1 == code(PASSED, WARNED, fail_on_warn=True)
    assert 0 == code(PASSED, SKIPPED, fail_on_warn=True)
    assert 5 == code(WARNED, UNTOLD, fail_on_warn=True)


@given(st.lists(st.sampled_from([PASSED, SKIPPED, WARNED, INVALID, REFUSED, UNTOLD])))
def test_the_code_agrees_with_the_verdict(steps: list[Step]) -> None:
    """A report fails exactly where the exit code says so."""
    verdict = Report(name="x", steps=tuple(steps)).verdict

    assert (verdict is Verdict.FAIL) == (code(*steps) != 0)
    assert (verdict in (Verdict.FAIL, Verdict.WARN)) == (code(*steps, fail_on_warn=True) != 0)


def test_a_problem_becomes_a_step() -> None:
    """Place and hint are kept; the credential's name, which stands above the step, is not."""
    problem = Problem("credential 'shop': it: is damaged", Place("p.yaml", 3, 5), "mend it")
    step = of_problem("key", problem, Verdict.FAIL)

    assert ("it: is damaged", ("mend it",)) == (step.sentence, step.advice)
    assert (Place("p.yaml", 3, 5), ExitCode.INVALID_INPUT) == (step.place, step.exit_code)
    assert "no colon here" == of_problem("x", Problem("no colon here"), Verdict.WARN).sentence
