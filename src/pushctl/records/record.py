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
        "outcome": outcome.kind._value_,
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
        "category": None if outcome.category is None else outcome.category._value_,
        "token_action": outcome.token_action._value_,
        "retryable": outcome.retryable._value_,
        "attempts": attempts,
        "latency_ms": latency_ms,
        "id": outcome.id,
        "unique_id": outcome.unique_id,
        "dead_since": outcome.dead_since,
        "detail": outcome.detail,
    }


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring


def to_text(record: Record) -> str:
    """
    Return *record* as JSON on one line, without a line end; control characters stay escaped.

    Most of an outcome record stands in thousands of others (run, credential, reason with its
    description), so those parts are put into JSON once and kept.
    """
    if len(record) != len(FIELDS):
        return _dumps(record)
    r = record
    return (
        f'{{"schema":{SCHEMA},"row":{r["row"]},"source":{_quoted(r["source"])},'
        f"{_part(_WHAT, r['event'], r['outcome'])},"
        f'"time":"{r["time"]}",{_part(_WHICH, r["run"], r["campaign"])},'
        f'"profile":{_text(r["profile"])},'
        + _part(_WHERE, r["service"], r["platform"], r["credential"], r["environment"], r["topic"])
        + f',"token":{_text(r["token"])},'
        + _part(
            _WHY,
            r["target"],
            r["status"],
            r["reason"],
            r["case"],
            r["description"],
            r["category"],
            r["token_action"],
            r["retryable"],
        )
        + f',"attempts":{r["attempts"]},"latency_ms":{_number(r["latency_ms"])},'
        f'"id":{_text(r["id"])},"unique_id":{_text(r["unique_id"])},'
        f'"dead_since":{_text(r["dead_since"])},"detail":{_text(r["detail"])}}}'
    )


def to_line(record: Record) -> str:
    """Return *record* as one line of JSON with its line end."""
    return to_text(record) + "\n"


_WHAT = FIELDS[3:5]
_WHICH = FIELDS[6:8]
_WHERE = FIELDS[9:14]
_WHY = FIELDS[15:23]


@functools.lru_cache(maxsize=1024)
def _part(names: tuple[str, ...], *values: str | int | None) -> str:
    return _dumps(dict(zip(names, values, strict=True)))[1:-1]


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)
