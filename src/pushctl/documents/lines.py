"""The source lines of a document, and the way from an offset to a line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import overload

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_EXCERPT_LIMIT = 400
# A longer line says nothing on a screen, and may be a whole JSON document.


class Lines(Sequence[str]):
    """
    The lines of *text*, without their line breaks.  Split only when somebody asks.

    Lines end with LF, CRLF or CR alone, as in YAML 1.2 §5.4 and in editors; U+2028 and U+0085
    are ordinary characters.
    """

    __slots__ = ("_bounds", "_text", "first")

    def __init__(self, text: str, *, first: int = 1) -> None:
        self._text = text
        self._bounds: tuple[list[int], list[int]] | None = None
        self.first = first
        """The number of the first line: above 1 where *text* was cut from a larger file."""

    def _split(self) -> tuple[list[int], list[int]]:
        """Return where each line starts and where it ends (before its line break)."""
        if self._bounds is None:
            starts, ends = [0], []
            for line_break in _LINE_BREAK.finditer(self._text):
                ends.append(line_break.start())
                starts.append(line_break.end())
            ends.append(len(self._text))
            self._bounds = starts, ends
        return self._bounds

    def __len__(self) -> int:
        return len(self._split()[0])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        starts, ends = self._split()
        if isinstance(index, slice):
            return [self._text[a:b] for a, b in zip(starts[index], ends[index], strict=True)]
        return self._text[starts[index] : ends[index]]

    def locate(self, offset: int) -> tuple[int, int]:
        """Return line and column, both from 1, of the character at *offset*."""
        starts, ends = self._split()
        line = bisect_right(starts, offset) - 1
        return line + self.first, min(offset, ends[line]) - starts[line] + 1

    def excerpt(self, line: int, column: int) -> str | None:
        """
        Return what an error may show of *line*, with the caret under *column* still right.

        The end of a long line is cut off; where the column itself lies too far out there is
        nothing worth showing: ``None``.
        """
        text = self[line - self.first]
        if len(text) <= _EXCERPT_LIMIT:
            return text
        return text[: _EXCERPT_LIMIT - 1] + "…" if column < _EXCERPT_LIMIT - 20 else None
