"""Makes foreign text safe to show: no server, file or attribute may drive the terminal."""

from __future__ import annotations

import json
import re
import unicodedata

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Cc: C0, DEL and C1 controls; Cf: bidi marks and zero-width characters; Zl/Zp: line separators.

_DRIVING = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of text (UAX #9)
    r"\u2028\u2029\ud800-\udfff]"  # line ends of Unicode, lone surrogates
    r"|##(?=\[|vso\[)"  # a command wherever it stands in a log of Azure Pipelines (GitHub: once)
)
# Joiners are not among them: words and emoji are made with them.
_INERT = (re.compile(rf"{_DRIVING}|^[ \t]*:(?=:)", re.MULTILINE), re.compile(_DRIVING))
# A line that begins with "::" is a command to GitHub Actions.
_INERT_IN_COLOR = tuple(
    re.compile(rf"(\x1b\[[0-9;]*m)|{each.pattern}", each.flags) for each in _INERT
)


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


def inert(text: str, *, color: bool = False, commands: bool = False) -> str:
    """
    Return *text* with all that would drive a terminal or a CI service escaped as in JSON.

    Lines and tabs stay; with *color* colour codes do, with *commands* lines that GitHub Actions
    is to obey.  JSON stays the same JSON; in other text the escapes are what is seen.
    """
    if text.replace("\n", "").isprintable() and "##" not in text and "::" not in text:
        return text  # nearly all is
    if color:
        return _INERT_IN_COLOR[commands].sub(lambda found: found[1] or _escaped(found[0]), text)
    return _INERT[commands].sub(lambda found: _escaped(found[0]), text)


def json_string(text: str) -> str:
    """Return *text* as a JSON string, beyond ASCII as it is unless it could drive a terminal."""
    quoted = _quoted(text)
    return quoted if quoted.isprintable() else inert(quoted)


_quoted = json.encoder.encode_basestring


def _escaped(text: str) -> str:
    return f"{text[:-1]}\\u{ord(text[-1]):04x}"


def shorten_token(token: str) -> str:
    """Return a push token short enough for a table: its first and last characters."""
    clean = printable(token, 4096)
    return clean if len(clean) <= 16 else f"{clean[:8]}…{clean[-4:]}"
