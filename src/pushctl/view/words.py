"""Numbers, shares and lengths of time as people read them.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

SERVICE_NAMES: Mapping[str, str] = {"apns": "APNs", "fcm": "FCM"}
"""The services as they are called in a sentence."""


def plural(number: int, word: str) -> str:
    """Return *number* with *word*, which takes ``s`` or ``es`` when there is not one of it."""
    ending = "" if number == 1 else "es" if word.endswith(("s", "sh", "ch", "x")) else "s"
    return f"{number:,} {word}{ending}"


def broken(parts: Sequence[str], between: str, width: int | None) -> list[str]:
    """
    Return *parts* joined by *between*, on as many lines as it takes to stay within *width*.

    A part that is longer by itself has a line of its own; a *width* of ``None`` has no end.
    """
    lines: list[str] = []
    for part in parts:
        if lines and (width is None or len(lines[-1]) + len(between) + len(part) <= width):
            lines[-1] += between + part
        else:
            lines.append(part)
    return lines


def percent(part: float, whole: float) -> str:
    """
    Return *part* of *whole* in per cent with one decimal place, below 0.1 % with two.

    What is not nothing never reads as 0 %, what is not all never as 100 %.  A dash where *whole*
    is nothing.
    """
    if whole <= 0:
        return "–"
    share = 100 * part / whole
    if share <= 0:
        return "0 %"
    if share >= 100:
        return f"{share:.0f} %"
    if share < 0.01:
        return "<0.01 %"
    if share >= 99.95:
        return ">99.9 %"
    return f"{share:.{2 if share < 0.0995 else 1}f} %"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: ``3 min 20 s``, ``2 d 4 h``."""
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for (size, name), (smaller, small_name) in pairwise(units):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {small_name}" if rest else "")
    raise AssertionError("less than a minute was told above")


def share_percent(share: float | None) -> str:
    """Return a *share* (0 to 1) in per cent, see :func:`percent`; a dash for ``None``."""
    return "–" if share is None else percent(share, 1)
