"""The outcome record: one JSON object a token; the same on stdout, in runs and bounce logs."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from pushctl.outcome import Kind, Outcome
from pushctl.records.identity import rfc3339
from pushctl.rules.text import inert, json_string

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


def outcome_text(
    address: Address,
    outcome: Outcome,
    *,
    run: str,
    campaign: str | None,
    time: float,
    attempts: int,
    latency_ms: int | None,
    push_id: str | None = None,
) -> str:
    """
    Return what :func:`to_text` makes of :func:`outcome_record`, without the detour.

    *push_id* stands in for an id that the answer did not give.
    """
    kind = outcome.kind
    category = outcome.category
    return _line(
        SCHEMA,
        address.row,
        address.source,
        _EVENTS.get(kind),
        kind._value_,
        rfc3339(time),
        run,
        campaign,
        address.profile,
        address.service,
        address.platform,
        address.credential,
        address.environment,
        address.topic,
        address.token,
        address.target,
        outcome.status,
        outcome.reason,
        outcome.case,
        outcome.description,
        None if category is None else category._value_,
        outcome.token_action._value_,
        outcome.retryable._value_,
        attempts,
        latency_ms,
        outcome.id or push_id,
        outcome.unique_id,
        outcome.dead_since,
        outcome.detail,
    )


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = json_string


def to_text(record: Record) -> str:
    """
    Return *record* as JSON on one line, without a line end.

    What could drive the terminal of whoever looks at it is escaped.
    """
    return _line(*record.values()) if len(record) == len(FIELDS) else inert(_dumps(record))


def to_line(record: Record) -> str:
    """Return *record* as one line of JSON with its line end."""
    return to_text(record) + "\n"


def _line(
    schema: int, row: int, source: str, event: str | None, outcome: str, time: str, run: str,
    campaign: str | None, profile: str | None, service: str | None, platform: str | None,
    credential: str | None, environment: str | None, topic: str | None, token: str | None,
    target: str, status: int | None, reason: str | None, case: str | None,
    description: str | None, category: str | None, token_action: str, retryable: str,
    attempts: int, latency_ms: int | None, id: str | None,
    unique_id: str | None, dead_since: str | None, detail: str | None,
) -> str:  # fmt: skip
    """
    Return the JSON of one record.

    Most of it stands in thousands of others (run, credential, reason with its description): those
    parts are put into JSON once and kept.
    """
    return (
        f'{{"schema":{schema},"row":{row},"source":{_quoted(source)},{_what(event, outcome)},'
        f'"time":{_quoted(time)},{_which(run, campaign)},'
        f'"profile":{"null" if profile is None else _quoted(profile)},'
        f"{_where(service, platform, credential, environment, topic)},"
        f'"token":{"null" if token is None else _quoted(token)},'
        + _why(target, status, reason, case, description, category, token_action, retryable)
        + f',"attempts":{attempts},"latency_ms":{"null" if latency_ms is None else latency_ms},'
        f'"id":{"null" if id is None else _quoted(id)},'
        f'"unique_id":{"null" if unique_id is None else _quoted(unique_id)},'
        f'"dead_since":{"null" if dead_since is None else _quoted(dead_since)},'
        f'"detail":{"null" if detail is None else _quoted(detail)}}}'
    )


def _kept(*names: str) -> Callable[..., str]:
    """Return a function from the values of the fields *names* to their part of a record."""

    @functools.lru_cache(maxsize=1024)
    def part(*values: str | int | None) -> str:
        return inert(_dumps(dict(zip(names, values, strict=True))))[1:-1]

    return part


_what = _kept(*FIELDS[3:5])
_which = _kept(*FIELDS[6:8])
_where = _kept(*FIELDS[9:14])
_why = _kept(*FIELDS[15:23])
