"""
Follows a log that others append to: every whole line once, whatever happens to the file.

A log may be renamed while it is followed (rotation; a writer that has it open goes on writing to
the renamed file for a while), cut to nothing and written again, deleted, or not be there yet.  A
line counts once its line end is there.  :class:`Tail` is the pure part: which bytes of one file
are due and which lines they complete.  :class:`Follower` looks at the folder and reads.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pushctl.errors import InvalidInput

CHUNK_BYTES = 1 << 20
LINE_BYTES_MAX = 1 << 20
"""A longer line is no line of a bounce log; it is dropped and told as :class:`Dropped`."""
_ANCHOR_BYTES = 64
_RENAMED_KEPT = 4
"""So many renamed files are read on: their writers may not have noticed yet."""
_LOOK_BACK_BYTES = 64 << 20


class Line(NamedTuple):
    """A whole line of the log, without its line end."""

    at: int
    """Byte in the file at which it begins."""
    text: bytes


class Dropped(NamedTuple):
    """Bytes that are no line: longer than :data:`LINE_BYTES_MAX`."""

    at: int
    size: int


class Replaced(NamedTuple):
    """Something happened to the file; what follows comes from its new content."""

    how: str
    """``appeared``, ``rotated``, ``truncated`` or ``gone``."""


Happening = Line | Dropped | Replaced


class Tail:
    """Where the reading of one file stands.  Does no I/O."""

    def __init__(self, position: int = 0) -> None:
        """Begin at byte *position*, which must be the beginning of a line."""
        self._position = position
        self._anchor = b""
        """What was read last, to be found again before what is new."""
        self._begun = position
        """Where the line begins whose end was not read yet."""
        self._parts: list[bytes] = []
        self._dropping = False

    def due(self, size: int) -> tuple[int, int] | None:
        """
        Return the bytes (from, to) to read now that the file has *size* bytes; ``None``: nothing.

        The range begins a little before what is new, so that :meth:`take` can tell whether what
        was read before is still there.
        """
        if size <= self._position:
            return None
        start = self._position - len(self._anchor)
        return start, min(size, self._position + CHUNK_BYTES)

    def shrunk(self, size: int) -> bool:
        """Return whether a file of *size* bytes was cut since it was read; begin again if so."""
        if size >= self._position:
            return False
        self._restart()
        return True

    def take(self, data: bytes) -> list[Happening] | None:
        """
        Return what *data*, the bytes of :meth:`due`, completes.

        ``None`` where the bytes before the new ones are not those that were read: the file was
        written anew, and reading begins again at its beginning.
        """
        overlap = len(self._anchor)
        if data[:overlap] != self._anchor:
            self._restart()
            return None
        new = data[overlap:]
        self._anchor = data[-_ANCHOR_BYTES:]
        happened: list[Happening] = []
        pieces = new.split(b"\n")
        for piece in pieces[:-1]:
            self._position += len(piece) + 1
            self._parts.append(piece)
            happened += self._line_ends()
        rest = pieces[-1]
        self._position += len(rest)
        if rest and not self._dropping:
            self._parts.append(rest)
            if self._position - self._begun > LINE_BYTES_MAX:
                self._parts.clear()
                self._dropping = True
        return happened

    def _line_ends(self) -> Iterator[Happening]:
        at, size = self._begun, self._position - self._begun - 1
        text = b"".join(self._parts)
        too_long, self._dropping = self._dropping or size > LINE_BYTES_MAX, False
        self._parts.clear()
        self._begun = self._position
        if too_long:
            yield Dropped(at, size)
        elif text.strip():
            yield Line(at, text.removesuffix(b"\r"))

    def _restart(self) -> None:
        self._position = self._begun = 0
        self._anchor = b""
        self._parts.clear()
        self._dropping = False


class _Open(NamedTuple):
    stream: io.FileIO
    identity: tuple[int, int]
    tail: Tail


class Follower:
    """Reads what is added to a log.  Use it as a context manager; call :meth:`poll` repeatedly."""

    def __init__(self, path: Path) -> None:
        """Follow the log at *path*, whether or not it is there."""
        self.path = path
        self.begun_at = 0
        """Byte behind the last whole line of the file :meth:`begin` found; what follows is new."""
        self._current: _Open | None = None
        self._renamed: list[_Open] = []
        self._gone = False

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        for file in [*self._renamed, *([self._current] if self._current else [])]:
            file.stream.close()

    def begin(self, last: int, wanted: Callable[[bytes], bool]) -> bool:
        """
        Begin before the last *last* lines that are *wanted*; return whether there is a file.

        The search goes back 64 MB at most.  Raises :class:`InvalidInput`.
        """
        file = self._open()
        if file is None:
            return False
        size = os.fstat(file.stream.fileno()).st_size
        self.begun_at = _end_of_lines(file.stream.fileno(), size)
        start = _before_last(file.stream.fileno(), self.begun_at, last, wanted)
        self._current = file._replace(tail=Tail(start))
        return True

    def poll(self) -> Iterator[Happening]:
        """Yield what has happened since the last time.  Raises :class:`InvalidInput`."""
        for file in self._renamed:
            yield from self._read(file)
        if self._current is not None:
            yield from self._read(self._current)
        try:
            now = self.path.stat()
        except FileNotFoundError:
            if self._current is not None and not self._gone:
                self._gone = True
                yield Replaced("gone")
            return
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if self._current is None or (now.st_dev, now.st_ino) != self._current.identity:
            yield from self._replaced()

    def _replaced(self) -> Iterator[Happening]:
        """The path leads to another file: read those that came between, then this one."""
        missed = self._missed()
        fresh = self._open()
        if fresh is None:
            return
        if self._current is None or self._gone:
            yield Replaced("appeared")
        else:
            yield Replaced("rotated")
        if self._current is not None:
            yield from self._read(self._current)  # written between our last read and the rename
            self._renamed += [self._current, *missed]
        self._current, self._gone = fresh, False
        for file in missed:
            yield from self._read(file)
        yield from self._read(fresh)
        while len(self._renamed) > _RENAMED_KEPT:
            self._renamed.pop(0).stream.close()

    def _missed(self) -> list[_Open]:
        """Return the files that were log and renamed since our last look, oldest first."""
        if self._current is None:
            return []
        missed: list[_Open] = []
        for number in range(1, 100):
            file = self._open(self.path.with_name(f"{self.path.name}.{number}"))
            if file is None:
                break
            if file.identity == self._current.identity:
                file.stream.close()
                return missed[::-1]
            missed.append(file)
        for file in missed:  # ours is not among them: these are older than it
            file.stream.close()
        return []

    def _open(self, path: Path | None = None) -> _Open | None:
        path = path or self.path
        try:
            stream = io.FileIO(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        found = os.fstat(stream.fileno())
        return _Open(stream, (found.st_dev, found.st_ino), Tail())

    def _read(self, file: _Open) -> Iterator[Happening]:
        """Yield what is new in *file*, up to its end as it is now."""
        try:
            while True:
                size = os.fstat(file.stream.fileno()).st_size
                if file.tail.shrunk(size):
                    yield Replaced("truncated")
                due = file.tail.due(size)
                if due is None:
                    return
                data = os.pread(file.stream.fileno(), due[1] - due[0], due[0])
                if len(data) < due[1] - due[0]:
                    continue  # cut while we looked: the next look at its size tells
                happened = file.tail.take(data)
                if happened is None:
                    yield Replaced("truncated")
                    continue
                yield from happened
        except OSError as error:
            raise _unreadable(self.path, error) from error


def _before_last(descriptor: int, end: int, last: int, wanted: Callable[[bytes], bool]) -> int:
    """Return where the *last*-th wanted line before *end* begins, or the nearest to it."""
    if last <= 0:
        return end
    found, position, carry = 0, end, b""
    while position > 0 and end - position < _LOOK_BACK_BYTES:
        start = max(0, position - CHUNK_BYTES)
        block = os.pread(descriptor, position - start, start) + carry
        first_end = 0 if start == 0 else block.find(b"\n") + 1
        if start and not first_end:
            carry, position = block, start
            continue
        at = len(block)
        for line in reversed(block[first_end:].split(b"\n")[:-1]):
            at -= len(line) + 1
            if wanted(line):
                found += 1
                if found == last:
                    return start + at
        carry, position = block[:first_end], start
    return position + len(carry)


def _end_of_lines(descriptor: int, size: int) -> int:
    """Return the byte after the last line end: what stands behind it is still being written."""
    position = size
    while position > 0:
        start = max(0, position - CHUNK_BYTES)
        found = os.pread(descriptor, position - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _unreadable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"cannot read {path}: {error.strerror or error}")
