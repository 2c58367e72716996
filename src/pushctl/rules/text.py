"""Makes foreign text safe to show: no server, file or attribute may drive the terminal."""

from __future__ import annotations

import unicodedata

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Cc: C0, DEL and C1 controls; Cf: bidi marks and zero-width characters; Zl/Zp: line separators.


def printable(text: str, limit: int = 1024) -> str:
    """
    Return *text* on one line without control, bidi or unassigned characters.

    Line breaks and tabs become spaces.  At most *limit* characters are kept; a cut is marked
    with an ellipsis.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    kept: list[str] = []
    for character in text[: limit * 4]:
        if character in "\t\r\n\u2028\u2029":
            kept.append(" ")
        elif unicodedata.category(character) not in _INVISIBLE_CATEGORIES:
            kept.append(character)
        if len(kept) > limit:
            break
    clean = "".join(kept).strip()
    if len(clean) > limit or len(text) > limit * 4:
        return clean[: limit - 1] + "…"
    return clean


def shorten_token(token: str) -> str:
    """Return a push token short enough for a table: its first and last characters."""
    clean = printable(token, 4096)
    return clean if len(clean) <= 16 else f"{clean[:8]}…{clean[-4:]}"
