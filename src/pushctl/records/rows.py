"""A set of rows of a run that takes a byte a row, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator


class RowSet:
    """Some of the rows 1 to *highest*; other numbers are never in it."""

    __slots__ = ("_flags",)

    def __init__(self, highest: int) -> None:
        self._flags = bytearray(highest + 1)

    def add(self, row: int) -> None:
        """Take *row* in, if there is such a row."""
        if 0 < row < len(self._flags):
            self._flags[row] = 1

    def __contains__(self, row: int) -> bool:
        return 0 < row < len(self._flags) and self._flags[row] == 1

    def __iter__(self) -> Iterator[int]:
        return (row for row, flag in enumerate(self._flags) if flag)

    def __len__(self) -> int:
        return self._flags.count(1)

    def without(self, others: RowSet) -> int:
        """Return how many of the rows are not among *others*, which has the same highest."""
        mine, theirs = (int.from_bytes(rows._flags, "little") for rows in (self, others))
        return (mine & ~theirs).bit_count()
