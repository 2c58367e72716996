"""Rows in the words of SQL, and the few words that describe a text in good order.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushctl.audience.engine import literal
from pushctl.audience.row import Row


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows to be read in the order of their source."""

    table: str
    """What to select from; ``r`` beside it is the number of the row, from 1."""
    line: str
    """The line of a row, or NULL."""
    cells: Mapping[str, str]
    """Which of :data:`~pushctl.audience.parts.CELLS` there are; NULL where a row has nothing."""
    attributes: str
    """A JSON object, or NULL where a row has none."""
    no_consent: str
    """Why nothing may be sent, or NULL."""
    understood: str
    """Whether all of the above is right; where not, only :attr:`row` can tell."""
    present: str
    """Whether the row is here at all, and was not handed over as an odd one."""
    parts: Sequence[str]
    """What :attr:`row` needs of a row, beside its line."""
    row: Callable[[int | None, Sequence[Any]], Row]
    """Makes the row that the strict reader makes."""


_FIRST = r"[!-~\x{a1}-\x{167f}\x{3001}-\x{d7ff}]"
# The first character shows, so that the text is more than white space.
_FIT_TEXT = _FIRST + r"[^\x00-\x1f\x7f-\x9f\x{2028}\x{2029}]*"
_OTHER_SPELLINGS: Mapping[str, tuple[str, ...]] = {"ios": ("iOS",), "apns": ("APNs",)}


def is_fit(text: str) -> str:
    """Return the condition that *text*, an SQL expression, is one that nothing is wrong with."""
    return f"({text} IS NULL OR regexp_full_match({text}, '{_FIT_TEXT}'))"


def spellings(words: Iterable[str]) -> str:
    """Return the usual spellings of *words* as a list in SQL."""
    found = [
        spelling
        for word in words
        for spelling in (word, word.upper(), word.title(), *_OTHER_SPELLINGS.get(word, ()))
    ]
    return ", ".join(literal(spelling) for spelling in found)
