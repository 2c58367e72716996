"""
Reads one line of a bounce log that anybody may have written.

What is known of it is taken, and only in the type it must have: a line of a newer pushctl, of
another program or of an unlucky editor never breaks a reader.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pushctl.outcome import Category, Kind, Retryable, TokenAction
from pushctl.records.record import FIELDS, SCHEMA, Record

_NUMBERS = frozenset({"schema", "row", "status", "attempts", "latency_ms"})
_CLOSED: dict[str, type[Kind] | type[Category] | type[Retryable] | type[TokenAction]] = {
    "outcome": Kind,
    "category": Category,
    "token_action": TokenAction,
    "retryable": Retryable,
}
_SAFE: Record = {
    "schema": SCHEMA,
    "row": 0,
    "outcome": Kind.REJECTED.value,
    "source": "",
    "token_action": TokenAction.KEEP.value,
    "retryable": Retryable.NO.value,
}
"""What stands for a value that is not there or not understood: nothing is done on a guess."""


@dataclasses.dataclass(frozen=True, slots=True)
class Bounce:
    """A "Bounced push" line."""

    record: Record
    """Every field of an outcome record, in its order."""
    newer: bool = False
    """Whether a newer schema wrote it: it may say more than is understood."""


@dataclasses.dataclass(frozen=True, slots=True)
class CountsAdded:
    """A "Push counts" line: what was added since the one before; may be negative."""

    run: str | None
    campaign: str | None
    service: str | None
    accepted: int
    rejected: int


@dataclasses.dataclass(frozen=True, slots=True)
class RunEnded:
    """A "Run finished" line."""

    run: str | None
    campaign: str | None
    totals: dict[Kind, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Foreign:
    """A line that is not one of ours."""

    why: str


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody asked for: one of each kind of value that is given, all where none."""

    campaigns: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """In any case; ``INVALID_ARGUMENT/bad_token`` names one meaning of a reason."""

    def sent_by(self, run: str | None, campaign: str | None, service: str | None) -> bool:
        """Return whether what this run, campaign and service did is asked for."""
        return (
            (not self.runs or run in self.runs)
            and (not self.campaigns or campaign in self.campaigns)
            and (not self.services or service in self.services)
        )

    def bounce(self, record: Record) -> bool:
        """Return whether the bounce that *record* tells of is asked for."""
        if not self.sent_by(record["run"], record["campaign"], record["service"]):
            return False
        if not self.reasons:
            return True
        reason = (record["reason"] or "").casefold()
        names = {reason, f"{reason}/{record['case']}".casefold()}
        return any(wanted.casefold() in names for wanted in self.reasons)


def read_line(text: bytes) -> Bounce | CountsAdded | RunEnded | Foreign:
    """Return what the line *text* says.  Never raises."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return Foreign("is no JSON")
    if not isinstance(line, dict):
        return Foreign("is no JSON object")
    match line.get("event"):
        case "Bounced push":
            schema = line.get("schema")
            return Bounce(understood(line), isinstance(schema, int) and schema > SCHEMA)
        case "Push counts":
            return CountsAdded(
                _text(line.get("run")),
                _text(line.get("campaign")),
                _text(line.get("service")),
                _count(line.get("accepted")),
                _count(line.get("rejected")),
            )
        case "Run finished":
            totals = line.get("totals")
            known = totals if isinstance(totals, dict) else {}
            counts = {kind: _count(known.get(kind.value)) for kind in Kind}
            return RunEnded(_text(line.get("run")), _text(line.get("campaign")), counts)
        case _:
            return Foreign("is no line of a bounce log")


def understood(line: dict[str, Any]) -> Record:
    """Return *line* with the fields of an outcome record and nothing else, each in its type."""
    return {name: _field(name, line.get(name)) for name in FIELDS}


def _field(name: str, value: object) -> object:
    if name in _NUMBERS:
        known = isinstance(value, int) and not isinstance(value, bool)
    elif name in _CLOSED:
        known = isinstance(value, str) and value in _CLOSED[name].__members__.values()
    else:
        known = isinstance(value, str)
    return value if known else _SAFE.get(name)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
