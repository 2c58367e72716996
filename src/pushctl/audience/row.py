"""What every format is read into: one row for each input, as the file has it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pushctl.outcome import JsonValue

KNOWN_COLUMNS = (
    "token",
    "service",
    "platform",
    "profile",
    "consent",
    "environment",
    "topic",
    "credential",
    "registered_at",
)
"""What a token file may say of a token.  Every other column is an attribute."""

_SHORTEST_ABBREVIATION = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One input as it stands in its file.  Nothing here has been judged but the row's form."""

    line: int | None
    """Counted from 1; ``None`` for ``--token``."""
    values: Mapping[str, JsonValue]
    """What is given of :data:`KNOWN_COLUMNS`, without ``consent``.  Empty values are left out."""
    attributes: Mapping[str, JsonValue]
    no_consent: str | None = None
    """Why nothing may be sent to this person; ``None`` where consent is given or not asked."""
    fault: str | None = None
    """Why the row cannot be read as a row; ``None`` where it can."""


class Source(Protocol):
    """
    One place that rows come from, already found sound as a whole.

    Iterating yields exactly :attr:`rows` rows, in constant memory, as often as one likes.
    """

    @property
    def shown(self) -> str:
        """The name of the file as the person wrote it, ``-`` for stdin, or ``--token``."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def records_consent(self) -> bool:
        """Whether the file says who consents.  Where it does not, the sender vouches."""

    @property
    def attribute_names(self) -> frozenset[str] | None:
        """Every attribute that any row has; ``None`` where there are too many to hold."""

    @property
    def described(self) -> str:
        """The name and the size, for a person: ``list.csv (1,000 rows)``."""

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file, where other readers than ours may read it as it is; else nothing."""

    def __iter__(self) -> Iterator[Row]:
        """Read the source from its start."""


def misspelt_column(name: str, present: Iterable[str]) -> str | None:
    """
    Return the known column that *name* must have meant, or ``None`` for an attribute's name.

    Case, blanks, hyphens and one slip of the finger are seen through, because a misspelt
    ``consent`` would pass as an attribute and everyone would be sent to.  A plural is a name of
    its own (``topics``), and nothing is suspected where the right spelling stands among
    *present*.
    """
    plain = name.strip().casefold().replace("-", "_").replace(" ", "_")
    for known in KNOWN_COLUMNS:
        if known in present:
            continue
        if plain == known or (plain != f"{known}s" and _one_slip_apart(plain, known)):
            return known
    return None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """Return a hint that names the one of *words* nearest to *word*, or ``None``."""
    known = list(words)
    near = difflib.get_close_matches(word, known, n=1)
    if not near and len(word) >= _SHORTEST_ABBREVIATION:
        near = [longer for longer in known if longer.startswith(word)][:1]
    return f"did you mean {near[0]}?" if near else None


def counted(number: int, thing: str) -> str:
    """Return *number* of *thing* in words: ``1 row``, ``1,000 rows``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def kind_of(value: JsonValue) -> str:
    """Return what *value* is, in the words of somebody who writes YAML or JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "a mapping"
    return "empty" if value is None else "a list"


def _one_slip_apart(one: str, other: str) -> bool:
    """Return whether one letter added, lost, changed or swapped with the next is between them."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest_of_one, rest_of_other = one[start:], other[start:]
    swapped = rest_of_one[1:2] + rest_of_one[:1] + rest_of_one[2:]
    return (
        rest_of_one[1:] == rest_of_other
        or rest_of_one == rest_of_other[1:]
        or rest_of_one[1:] == rest_of_other[1:]
        or swapped == rest_of_other
    )
