"""Sizes of files as people write them.  Pure."""

from __future__ import annotations

import re

_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"(\d{1,12})\s*([kmg]i?)?b?\Z", re.IGNORECASE)

GRAMMAR = "bytes, or a number with KB, MB, GB or KiB, MiB, GiB: 500MB, 2GiB"
"""How to write one, for a hint."""


def parse_size(text: str) -> int | None:
    """Return the bytes that *text* means (``1000000``, ``500MB``, ``2GiB``), or ``None``."""
    match = _SIZE.match(text.strip())
    return None if match is None else int(match[1]) * _BYTES[(match[2] or "").lower()]
