"""Points in time as people write them.  Pure: the clock is passed in."""

from __future__ import annotations

import datetime

from pushctl.rules.duration import parse_duration

LATEST_EPOCH_S = 4_102_444_800
"""2100-01-01 in epoch seconds: anything later is a date in milliseconds."""
GRAMMAR = (
    "2026-12-01T18:30:00Z with its time zone, seconds since 1970 (not milliseconds), "
    "or a time from now: +30m, +4h"
)
"""How to write one, for a hint."""
PATTERN = (
    r"^\s*([0-9]{1,11}|\+[0-9]+[smhd]|[0-9]{4}-?[0-9W].*[Tt].*([Zz]|[+-][0-9]{2}(:?[0-9]{2})*))\s*$"
)
"""What every text that means one looks like, for a JSON Schema; not all of these mean one."""


def parse_moment(value: object, now: float) -> int | None:
    """
    Return the point in time that *value* means, in epoch seconds, or ``None``.

    *value* is a number or text of epoch seconds, an RFC 3339 text, or ``+`` and a duration, which
    counts from *now* (epoch seconds).
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < LATEST_EPOCH_S else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return parse_moment(int(text), now) if len(text) < 12 else None
    if text.startswith("+"):
        # Without a unit it would be another thing in YAML, where +90 is the number 90.
        seconds = None if text[-1].isdigit() else parse_duration(text[1:])
        return None if seconds is None else parse_moment(int(now) + seconds, now)
    return _rfc3339(text)


def _rfc3339(text: str) -> int | None:
    text = text.upper()  # RFC 3339 lets `t` and `z` be small
    if "T" not in text:
        return None  # a date alone names no moment
    try:
        moment = datetime.datetime.fromisoformat(text)
        return None if moment.tzinfo is None else parse_moment(int(moment.timestamp()), 0)
    except (ValueError, OverflowError):
        return None
