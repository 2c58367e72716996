"""What a check finds, as values, and the exit code that follows from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from enum import StrEnum

from pushctl.errors import ExitCode, Place, Problem
from pushctl.outcome import Environment, Service


class Verdict(StrEnum):
    """How one step ended."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a secret
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at."""

    name: str
    """A stable word, such as ``key`` or ``tls``."""
    verdict: Verdict
    sentence: str
    """What was found."""
    advice: tuple[str, ...] = ()
    """What to do about it, in order."""
    exit_code: ExitCode | None = None
    """Of a step that failed: whose fault it is.  ``INVALID_INPUT``: ours, found without asking
    anybody; ``CREDENTIALS_REFUSED``: the service said no; ``UNREACHABLE``: nobody could tell."""
    reason: str | None = None
    """The service's own word for it, as ``pushctl explain`` knows it."""
    place: Place | None = None
    """Where in the config it can be mended."""
    seconds: float | None = None
    """How long it took, where that was measured."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All steps of one credential, or of the config file itself."""

    name: str
    """The credential's name, or the config file's."""
    steps: tuple[Step, ...]
    service: Service | None = None
    """``None``: this is about the config file."""
    environment: Environment | None = None
    topic: str | None = None
    project_id: str | None = None
    place: Place | None = None
    """Where it is written."""
    fingerprint: str | None = None
    """What may be said of the secret: ``key ABC123DEFG``.  ``None``: it could not be opened."""

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its steps; skipped where nothing was looked at."""
        found = {step.verdict for step in self.steps}
        worst_first = (Verdict.FAIL, Verdict.WARN, Verdict.PASS)
        return next((verdict for verdict in worst_first if verdict in found), Verdict.SKIPPED)


def passed(name: str, sentence: str, *, seconds: float | None = None) -> Step:
    """Return a step that found nothing wrong."""
    return Step(name=name, verdict=Verdict.PASS, sentence=sentence, seconds=seconds)


def skipped(name: str, sentence: str, *advice: str) -> Step:
    """Return a step that was not taken; *sentence* says why."""
    return Step(name=name, verdict=Verdict.SKIPPED, sentence=sentence, advice=advice)


def warned(name: str, sentence: str, *advice: str) -> Step:
    """Return a step that found something that stops no push today."""
    return Step(name=name, verdict=Verdict.WARN, sentence=sentence, advice=advice)


def failed(
    name: str,
    sentence: str,
    *advice: str,
    exit_code: ExitCode,
    reason: str | None = None,
    seconds: float | None = None,
) -> Step:
    """Return a step that found what stops every push."""
    return Step(
        name=name,
        verdict=Verdict.FAIL,
        sentence=sentence,
        advice=advice,
        exit_code=exit_code,
        reason=reason,
        seconds=seconds,
    )


def of_problem(name: str, problem: Problem, verdict: Verdict) -> Step:
    """Return the step that tells *problem*, which was found without asking anybody."""
    _, named, message = problem.message.partition(": ")
    about_credential = bool(named) and problem.message.startswith("credential '")
    return Step(
        name=name,
        verdict=verdict,
        sentence=message if about_credential else problem.message,
        advice=(problem.hint,) if problem.hint else (),
        exit_code=ExitCode.INVALID_INPUT if verdict is Verdict.FAIL else None,
        place=problem.place,
    )


_PRECEDENCE = (ExitCode.CREDENTIALS_REFUSED, ExitCode.INVALID_INPUT, ExitCode.UNREACHABLE)
# A fault that only a person can mend comes before one that may be gone at the next try.


def exit_code(reports: Iterable[Report], *, fail_on_warn: bool = False) -> ExitCode:
    """Return the exit code of a check that made *reports*."""
    steps: Sequence[Step] = [step for report in reports for step in report.steps]
    codes = {step.exit_code for step in steps}
    for code in _PRECEDENCE:
        if code in codes:
            return code
    if fail_on_warn and any(step.verdict is Verdict.WARN for step in steps):
        return ExitCode.FINDINGS
    return ExitCode.OK
