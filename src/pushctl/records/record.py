"""The outcome record: one JSON object a token; the same on stdout, in runs and bounce logs."""

from __future__ import annotations

import functools
import json
from typing import Any, NamedTuple, TypeAlias

from pushctl.outcome import Kind, Outcome
from pushctl.records.identity import rfc3339

SCHEMA = 1
Record: TypeAlias = dict[str, Any]
"""An outcome record: the fields of :data:`FIELDS`, in that order, as JSON values."""

FIELDS = (
    "schema", "row", "source", "event", "outcome", "time", "run", "campaign", "profile", "service",
    "platform", "credential", "environment", "topic", "token", "target", "status", "reason", "case",
    "description", "category", "token_action", "retryable", "attempts", "latency_ms", "id",
    "unique_id", "dead_since", "detail",
)  # fmt: skip

_EVENTS = {Kind.ACCEPTED: "Received push", Kind.REJECTED: "Bounced push"}


class Address(NamedTuple):
    """Whom a push goes to and through which credential, as a record tells it."""

    row: int
    source: str
    profile: str | None
    service: str | None
    platform: str | None
    credential: str | None
    environment: str | None
    topic: str | None
    token: str | None
    """The device token or registration token; for another target, its value."""
    target: str = "token"


def outcome_record(
    address: Address,
    outcome: Outcome,
    *,
    run: str,
    campaign: str | None,
    time: float,
    attempts: int,
    latency_ms: int | None,
) -> Record:
    """Return the record of one input token.  *time* is epoch seconds, *latency_ms* milliseconds."""
    return {
        "schema": SCHEMA,
        "row": address.row,
        "source": address.source,
        "event": _EVENTS.get(outcome.kind),
        "outcome": outcome.kind.value,
        "time": rfc3339(time),
        "run": run,
        "campaign": campaign,
        "profile": address.profile,
        "service": address.service,
        "platform": address.platform,
        "credential": address.credential,
        "environment": address.environment,
        "topic": address.topic,
        "token": address.token,
        "target": address.target,
        "status": outcome.status,
        "reason": outcome.reason,
        "case": outcome.case,
        "description": outcome.description,
        "category": None if outcome.category is None else outcome.category.value,
        "token_action": outcome.token_action.value,
        "retryable": outcome.retryable.value,
        "attempts": attempts,
        "latency_ms": latency_ms,
        "id": outcome.id,
        "unique_id": outcome.unique_id,
        "dead_since": outcome.dead_since,
        "detail": outcome.detail,
    }


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = functools.lru_cache(maxsize=4096)(json.encoder.encode_basestring)
# Most texts of a record stand in thousands of others: the reason, its description, the topic.
_OPENINGS = tuple(f',"{name}":' for name in FIELDS)


def to_text(record: Record) -> str:
    """Return *record* as JSON on one line, without a line end; control characters stay escaped."""
    if len(record) != len(FIELDS):
        return _dumps(record)
    parts: list[str] = []
    add = parts.append
    for opening, value in zip(_OPENINGS, record.values(), strict=True):
        add(opening)
        if value is None:
            add("null")
        elif isinstance(value, str):
            add(_quoted(value))
        else:
            add(str(value))
    parts[0] = '{"schema":'
    add("}")
    return "".join(parts)


def to_line(record: Record) -> str:
    """Return *record* as one line of JSON with its line end."""
    return to_text(record) + "\n"
