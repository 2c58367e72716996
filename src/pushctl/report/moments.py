"""Moments as people write them for ``--since`` and ``--until``.  Pure: the clock is passed in."""

from __future__ import annotations

import datetime

from pushctl.errors import UsageError
from pushctl.rules.duration import parse_duration
from pushctl.rules.text import printable

GRAMMAR = "a date or time such as 2026-11-20 or 2026-11-20T08:00Z (UTC unless it says otherwise), or how long ago: 90m, 12h, 7d"  # noqa: E501


def parse_moment(text: str, now: datetime.datetime, *, option: str) -> datetime.datetime:
    """
    Return the moment that *text* means, in UTC: ISO 8601, or so long before *now*.

    A date means its first moment.  Raises :class:`~pushctl.errors.UsageError`, in which *option*
    is the option that was given.
    """
    clean = text.strip()
    if clean[-1:] in tuple("smhd"):
        seconds = parse_duration(clean)
        if seconds is not None and seconds <= now.timestamp():
            return now - datetime.timedelta(seconds=seconds)
    try:
        moment = datetime.datetime.fromisoformat(clean)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=datetime.UTC)
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {printable(text, 80)!r} is no moment", hint=f"write {GRAMMAR}"
        ) from None
