"""
What every service's answer has in common: header fields, a body that may be anything, waiting.

All of it is pure and total: whatever a server or a proxy sends, nothing here raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pushctl.catalog import Reason
from pushctl.outcome import JsonValue, Kind, Outcome
from pushctl.rules.secrets import without_secrets
from pushctl.rules.text import printable

Headers: TypeAlias = Sequence[tuple[str, str]]
"""Header fields in the order of the answer; names in lower case, as HTTP/2 has them."""

BODY_BYTES_READ_MAX = 65_536
"""A longer body is no answer of these services; only its beginning is shown."""
RETRY_AFTER_SECONDS_MAX = 3_600.0
"""No service may hold a run longer than an hour: the documented advice is to give up by then."""
_INT64 = 2**63
_JSON_BLANKS = " \t\r\n"
_decode = json.JSONDecoder().raw_decode  # half of what loads() takes for the body of a refusal
_NAME_LENGTH_MAX = 128
_DETAIL_LENGTH_MAX = 1_024
_RAW_LENGTH_MAX = 300
_DELAY_SECONDS = re.compile(r"[0-9]+")
_PROTO_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)s")


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of the field *name*, or ``None``."""
    for key, value in headers:
        if key == name:
            return value
    return None


def label(value: object) -> str | None:
    """
    Return a name that a server gave, safe to show, or ``None`` if it is none.

    What cannot be shown leaves a mark: a name must not become another one by losing it.
    """
    if not isinstance(value, str):
        return None
    if not value.isprintable():
        value = "".join(
            character if character.isprintable() else "\ufffd"
            for character in value[: _NAME_LENGTH_MAX + 1]
        )
    return _safe(value, _NAME_LENGTH_MAX)


def identifier(headers: Headers, name: str) -> str | None:
    """Return an identifier from the field *name*, safe to show."""
    return label(header(headers, name))


def read_object(body: bytes) -> Mapping[str, JsonValue] | None:
    """Return *body* as a JSON object, or ``None`` if it is anything else."""
    if len(body) > BODY_BYTES_READ_MAX or not body:
        return None
    try:
        text = body.decode("utf-8").strip(_JSON_BLANKS)
        value, end = _decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) and isinstance(value, dict) else None


def raw_detail(body: bytes) -> str | None:
    """Return the beginning of a body that could not be read, safe to show."""
    text = body[: _RAW_LENGTH_MAX * 4].decode("utf-8", "replace").replace("\ufffd", "?")
    return _safe(" ".join(text.split()), _RAW_LENGTH_MAX)


def detail(text: str) -> str | None:
    """Return the server's own text, safe to show and shortened."""
    return _safe(text, _DETAIL_LENGTH_MAX)


def _safe(text: str, limit: int) -> str | None:
    """Return *text* as it may be shown: a gateway in between might echo our own credentials."""
    return printable(without_secrets(text), limit) or None


def retry_after_s(headers: Headers) -> float | None:
    """
    Return how many seconds the answer asks to wait, between 0 and one hour.

    ``Retry-After`` holds seconds or a date (RFC 9110 section 10.2.3); a date is measured against
    the answer's own ``Date``, so that no clock of ours matters.  ``None`` if there is no such
    field or it makes no sense.
    """
    value = header(headers, "retry-after")
    if value is None:
        return None
    value = value.strip()
    if _DELAY_SECONDS.fullmatch(value):
        return min(float(value), RETRY_AFTER_SECONDS_MAX)
    until, now = _http_date(value), _http_date(header(headers, "date"))
    if until is None or now is None:
        return None
    return min(max(until - now, 0.0), RETRY_AFTER_SECONDS_MAX)


def proto_duration_s(value: object) -> float | None:
    """Return a protobuf duration (``"42s"``) in seconds, at most one hour, or ``None``."""
    match = _PROTO_DURATION.fullmatch(value) if isinstance(value, str) else None
    return min(float(match[1]), RETRY_AFTER_SECONDS_MAX) if match else None


def whole_number(value: object) -> int | None:
    """Return *value* as an integer if it is a whole JSON number of 64 bits, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not -_INT64 <= value < _INT64 or value != int(value):  # the first is false for NaN
        return None
    return int(value)


def rejected(status: int, reason: str | None, row: Reason, **more: object) -> Outcome:
    """Return a rejection classified by *row*; *more* fills or overrides fields of the outcome."""
    fields: dict[str, object] = {
        "description": row.description,
        "category": row.category,
        "token_action": row.token_action,
        "retryable": row.retryable,
        **more,
    }
    return Outcome(kind=Kind.REJECTED, status=status, reason=reason, **fields)  # type: ignore[arg-type] # fields of Outcome, given by name


def _http_date(value: str | None) -> float | None:
    if value is None:
        return None
    from email.utils import parsedate_to_datetime  # slow to import, seldom needed

    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
