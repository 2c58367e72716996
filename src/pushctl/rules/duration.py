"""Lengths of time as people write them.  Pure."""

from __future__ import annotations

import re

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+)([smhd]?)\Z")

GRAMMAR = "seconds, or a number with s, m, h or d: 90s, 15m, 4h, 28d"
"""How to write one, for a hint."""


def parse_duration(text: str) -> int | None:
    """Return the seconds that *text* means (``90``, ``90s``, ``15m``, ``4h``, ``28d``), or None."""
    match = _DURATION.match(text.strip())
    if match is None or len(match[1]) > 12:
        return None
    return int(match[1]) * _SECONDS[match[2]]
