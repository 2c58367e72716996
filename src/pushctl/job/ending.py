"""How a run ended, and which exit code that is.  Pure."""

from __future__ import annotations

import dataclasses
from typing import Literal

from pushctl.dispatch.thresholds import Stop
from pushctl.errors import ExitCode
from pushctl.outcome import Kind

FailOn = Literal["bounced", "faulty", "never"]

_OVERLOADED = frozenset({"NotReached", "NotProcessed"})


@dataclasses.dataclass(slots=True)
class Ending:
    """The end of a run: what counts for its exit code and its last words."""

    run: str
    campaign: str | None
    totals: dict[Kind, int]
    duration_s: float
    bounce_log: str
    faulty: int = 0
    unreached: int = 0
    """How many are ``not_sent`` because the service was unreachable or overloaded."""
    refused: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """Credentials that were refused, with the reason."""
    problems: list[str] = dataclasses.field(default_factory=list)
    """Connections that could not be opened, in words."""
    stop: Stop | None = None
    storage_error: str | None = None

    planned: int = 0
    """How many input tokens the whole run has."""

    @property
    def resumable(self) -> bool:
        """Return whether rows are left that a resume would send."""
        return self.inputs < self.planned or self.totals.get(Kind.NOT_SENT, 0) > 0

    @property
    def inputs(self) -> int:
        """Return how many input tokens there were (as far as the run got to see them)."""
        return sum(self.totals.values())


def counts_as_unreached(reason: str | None) -> bool:
    """Tell whether a ``not_sent`` with *reason* means that the service was out of reach."""
    return reason in _OVERLOADED


def exit_code(ending: Ending, *, fail_on: FailOn, fail_if_empty: bool) -> ExitCode:
    """Return the exit code: the first that applies of 74, 4, 5, 6, 130/143, 7, 1, and 0."""
    stop = ending.stop.kind if ending.stop else None
    attempted = sum(
        ending.totals.get(kind, 0)
        for kind in (Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN, Kind.NOT_SENT)
    )
    bounced = ending.totals.get(Kind.REJECTED, 0)
    checks = (
        (ExitCode.IO, ending.storage_error is not None),
        (ExitCode.CREDENTIALS_REFUSED, bool(ending.refused)),
        (ExitCode.UNREACHABLE, ending.unreached > 0),
        (ExitCode.STOPPED, stop in ("canary", "threshold", "deadline")),
        (ExitCode.INTERRUPTED, stop == "interrupted"),
        (ExitCode.TERMINATED, stop == "terminated"),
        (ExitCode.UNKNOWN_OUTCOMES, ending.totals.get(Kind.UNKNOWN, 0) > 0),
        (ExitCode.FINDINGS, fail_on == "bounced" and bounced > 0),
        (ExitCode.FINDINGS, fail_on == "faulty" and ending.faulty > 0),
        (ExitCode.FINDINGS, fail_if_empty and attempted == 0),
    )
    return next((code for code, applies in checks if applies), ExitCode.OK)
