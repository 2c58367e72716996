"""
Reads the answers of APNs (Apple: Handling notification responses from APNs).

Pure: an answer in, an :class:`~pushctl.outcome.Outcome` out.  Nothing that a server sends makes
these functions raise.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping

from pushctl import catalog
from pushctl.gateway.answer import (
    Headers,
    identifier,
    label,
    raw_detail,
    read_object,
    retry_after_s,
    whole_number,
)
from pushctl.outcome import JsonValue, Kind, Outcome, Service, TokenAction
from pushctl.rules.dead_tokens import epoch_s

_FIRST_DEVICE_TOKENS_MS = 1_230_768_000_000
"""2009-01-01: APNs is not older, so an earlier timestamp is in seconds or made up."""
_END_OF_TIME_MS = 4_102_444_800_000
"""2100-01-01."""
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


def read_answer(status: int, headers: Headers, body: bytes) -> Outcome:
    """
    Return what an answer to ``POST /3/device/…`` says about the push.

    A known alias becomes the documented spelling, so that reports count one reason once; the
    answer's own spelling is then kept in ``detail``.  A reason that the tables do not know, or
    know under another status, is classified by the status, which is what APNs itself defines:
    the token is to be removed on 410 only.
    """
    if 200 <= status < 300:
        return Outcome(
            kind=Kind.ACCEPTED,
            status=status,
            id=identifier(headers, "apns-id"),
            unique_id=identifier(headers, "apns-unique-id"),
        )
    push_id = unique_id = wait_s = None
    for name, value in headers:  # once through: a bulk run reads many of these
        if name == "apns-id":
            push_id = push_id or label(value)
        elif name == "apns-unique-id":
            unique_id = unique_id or label(value)
        elif name == "retry-after":
            wait_s = retry_after_s(headers)
    answer = read_object(body)
    given = label(answer.get("reason")) if answer is not None else None
    reason, row = _row(status, given)
    detail = None
    if given is None:
        detail = raw_detail(body)
    elif given != reason:
        detail = f"the answer spells it {given}"
    return Outcome(
        kind=Kind.REJECTED,
        status=status,
        reason=reason,
        description=row.description,
        category=row.category,
        token_action=row.token_action,
        retryable=row.retryable,
        id=push_id,
        unique_id=unique_id,
        dead_since=_dead_since(answer) if status == 410 and answer is not None else None,
        detail=detail,
        retry_after_s=wait_s,
    )


@functools.lru_cache(maxsize=256)
def _row(status: int, given: str | None) -> tuple[str | None, catalog.Reason]:
    """Return the reason in its documented spelling, and the row that classifies it."""
    row = None if given is None else catalog.lookup(Service.APNS, given)
    if row is None or row.status != status:
        return given, catalog.by_status(Service.APNS, status)
    return row.name, row


def keep_if_registered_since(outcome: Outcome, registered_at: str | None) -> Outcome:
    """
    Return *outcome*, with the token kept if the app registered it again after it was dead.

    Apple: a 410 carries the time at which APNs confirmed that the token was no longer valid; a
    token that the app reported later than that is alive.  *registered_at* is RFC 3339 (without
    an offset: UTC); one that cannot be read makes the token suspect, never dead.
    """
    if (
        outcome.token_action is not TokenAction.REMOVE
        or not registered_at
        or not outcome.dead_since
    ):
        return outcome
    registered = epoch_s(registered_at)
    dead_since = epoch_s(outcome.dead_since)
    if registered is None or dead_since is None:
        return outcome._replace(token_action=TokenAction.SUSPECT)
    if registered > dead_since:
        return outcome._replace(token_action=TokenAction.KEEP)
    return outcome


def goaway_reason(debug: bytes) -> str | None:
    """Return the reason in the debug data of a GOAWAY frame, or ``None`` if it is not JSON."""
    answer = read_object(debug)
    return label(answer.get("reason")) if answer is not None else None


def _dead_since(answer: Mapping[str, JsonValue]) -> str | None:
    """Return ``timestamp`` (milliseconds since 1970) as RFC 3339, if it is a likely one."""
    timestamp_ms = answer.get("timestamp")
    if type(timestamp_ms) is not int:
        timestamp_ms = whole_number(timestamp_ms)
    if timestamp_ms is None or not _FIRST_DEVICE_TOKENS_MS <= timestamp_ms < _END_OF_TIME_MS:
        return None
    day, rest = divmod(timestamp_ms, 86_400_000)
    second, milliseconds = divmod(rest, 1000)
    two = _TWO_DIGITS
    time = f"{two[second // 3600]}:{two[second // 60 % 60]}:{two[second % 60]}"
    return f"{_date(day)}T{time}.{milliseconds:03}Z"


@functools.lru_cache(maxsize=512)
def _date(day: int) -> str:
    """Return the date that is *day* days after 1970-01-01: dead tokens die on few days."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
