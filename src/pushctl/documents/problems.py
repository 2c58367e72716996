"""Collects what is wrong with one text, and the limits both formats share."""

from __future__ import annotations

from typing import NoReturn

from pushctl.documents.document import excerpt
from pushctl.documents.lines import Lines
from pushctl.errors import InvalidInput, Place, Problem

MAX_DEPTH = 100
"""Lists and maps inside one another.  Far above any real file, far below Python's stack."""

MAX_DIGITS = 4300
"""Digits of a whole number: CPython refuses to convert longer ones (its guard against
quadratic time)."""

_MAX_PROBLEMS = 50
"""A file with more is of another kind; the rest adds nothing."""


class Problems:
    """A growing list of problems of one text, by character offset."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self._found: list[Problem] = []

    def add(self, offset: int, message: str, hint: str | None = None) -> None:
        """Note a problem at *offset*; beyond the fiftieth, give up on the text."""
        place = Place(self._file, *self._lines.locate(offset))
        self._found.append(Problem(message, place, hint, excerpt(self._lines, place)))
        if len(self._found) >= _MAX_PROBLEMS:
            self._raise()

    def fail(self, offset: int, message: str, hint: str | None = None) -> NoReturn:
        """Raise all problems so far and this one, after which nothing can be made of the text."""
        self.add(offset, message, hint)
        self._raise()

    def line_of(self, offset: int) -> int:
        """Return the number of the line that *offset* is on."""
        return self._lines.locate(offset)[0]

    def raise_if_any(self) -> None:
        """Raise :class:`InvalidInput` with everything noted, if anything was."""
        if self._found:
            self._raise()

    def _raise(self) -> NoReturn:
        raise InvalidInput(problems=self._found)
