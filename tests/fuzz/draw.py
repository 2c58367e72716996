"""Turns the bytes of an input into decisions, so that a small change of them is a small change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """
    Decisions taken from the front of some bytes.

    Where the bytes are used up every decision is the first possible one, so any input means
    something, and a shorter one means something simpler.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Return whether there are bytes left."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """Return the next byte; 0 at the end."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def below(self, bound: int) -> int:
        """Return a number from 0 up to, and without, *bound*."""
        if bound <= 1:
            return 0
        value = self.byte()
        if bound > 256:
            value = value << 8 | self.byte()
        if bound > 65_536:
            value = value << 16 | self.byte() << 8 | self.byte()
        return value % bound

    def chance(self) -> bool:
        """Return yes or no."""
        return bool(self.byte() & 1)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of *choices*."""
        return choices[self.below(len(choices))]

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes, or as many as there are."""
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._data) - self._at)

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Yield *data* in pieces of 1 to 16 bytes, or more where the decision is 0."""
        at = 0
        while at < len(data):
            size = self.byte() & 0x0F or 64
            yield data[at : at + size]
            at += size
