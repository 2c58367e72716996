"""What a receipt of a run says, gathered from its records in one pass and in little memory."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushctl.outcome import Kind
from pushctl.records.record import Record
from pushctl.view.outcomes import Reasons
from pushctl.view.runs import outcome_of

ROWS_SHOWN = 100
_SAMPLES = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Lane:
    """One credential of the run and how its pushes ended."""

    credential: str
    service: str | None
    environment: str | None
    topic: str | None
    fingerprint: str | None
    totals: Mapping[Kind, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """How a run went.  Latencies are milliseconds, times epoch seconds."""

    run: str
    started: str
    campaign: str | None
    state: str
    """``finished``, ``unfinished``, ``running`` or ``damaged``."""
    inputs: int
    left: int
    totals: Mapping[Kind, int]
    message: Sequence[tuple[str, str]]
    """What the message says: the name of a text and the text, placeholders unfilled."""
    consent: str | None
    lanes: Sequence[Lane]
    reasons: Reasons
    samples: Mapping[tuple[object, ...], Sequence[str]]
    """Up to two tokens for the service, status, reason and case of a record."""
    answers: Mapping[int, Mapping[Kind, int]]
    """How many were answered how in which second."""
    latencies: Mapping[int, int]
    """How many answers took how long."""
    rows: Sequence[Record]
    """Up to 100 records: those that were not accepted first, then in the order of rows."""


def receipt_of(
    summary: Mapping[str, Any], manifest: Mapping[str, Any], records: Iterable[Record]
) -> Receipt:
    """Return the receipt of the run that *summary* and *manifest* describe."""
    reasons = Reasons()
    samples: dict[tuple[object, ...], list[str]] = {}
    answers: dict[int, Counter[Kind]] = {}
    latencies: Counter[int] = Counter()
    credentials: dict[str, Mapping[str, Any]] = {}
    for lane, fields in manifest["credentials"].items():  # broadcasts have a lane of their own
        credentials.setdefault(fields.get("credential", lane), fields)
    lanes: dict[str, Counter[Kind]] = {name: Counter() for name in credentials}
    accepted: list[Record] = []
    others: list[Record] = []
    for record in records:
        kind = Kind(record["outcome"])
        if record["credential"] in lanes:
            lanes[record["credential"]][kind] += 1
        if record["latency_ms"] is not None:
            latencies[record["latency_ms"]] += 1
            answers.setdefault(_second(record["time"]), Counter())[kind] += 1
        shown = accepted if kind is Kind.ACCEPTED else others
        if len(shown) < ROWS_SHOWN:
            shown.append(record)
        if kind is not Kind.ACCEPTED:
            reasons.add(record["service"], outcome_of(record))
            found = samples.setdefault(sample_key(record), [])
            if record["token"] and len(found) < _SAMPLES:
                found.append(record["token"])
    return Receipt(
        run=summary["run"],
        started=summary["started"],
        campaign=summary["campaign"],
        state=summary["state"],
        inputs=summary["inputs"],
        left=summary["left"],
        totals={kind: summary["totals"][kind] for kind in Kind},
        message=_message(manifest.get("message") or {}),
        consent=manifest.get("consent"),
        lanes=[_lane(name, credentials[name], lanes[name]) for name in lanes],
        reasons=reasons,
        samples=samples,
        answers=answers,
        latencies=latencies,
        rows=[*others, *accepted][:ROWS_SHOWN],
    )


def sample_key(record: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what the samples of a receipt are kept by."""
    return tuple(record[name] for name in ("outcome", "service", "status", "reason", "case"))


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """Return the value that *share* of all counted do not exceed; ``None`` where there is none."""
    total = sum(counts.values())
    reached = 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= share * total:
            return value
    return None


def _lane(name: str, fields: Mapping[str, Any], totals: Mapping[Kind, int]) -> Lane:
    return Lane(
        name,
        fields.get("service"),
        fields.get("environment"),
        fields.get("topic"),
        fields.get("fingerprint"),
        totals,
    )


def _message(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, message[name])
        for name in ("title", "subtitle", "body")
        if isinstance(message.get(name), str)
    ]


def _second(time: str) -> int:
    return int(datetime.datetime.fromisoformat(time).timestamp())
