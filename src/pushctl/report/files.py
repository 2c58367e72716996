"""Which files a report reads: the logs that were named, or the configured one with its past."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pushctl.errors import InvalidInput, Place
from pushctl.records.rotation import rotated
from pushctl.rules.text import printable

Packing: TypeAlias = Literal["gz", "zst"]

_PACKINGS: tuple[Packing, ...] = ("gz", "zst")
_MAGIC: dict[Packing, bytes] = {"gz": b"\x1f\x8b", "zst": b"\x28\xb5\x2f\xfd"}


@dataclass(frozen=True, slots=True)
class LogFile:
    """A bounce log to be read."""

    shown: str
    """Its name, safe to show."""
    path: Path | None
    """``None``: stdin."""
    packing: Packing | None
    size: int
    """Bytes on the disk; 0 where nothing tells."""


def find_logs(words: Sequence[str], default: Path) -> list[LogFile]:
    """
    Return the logs that *words* name, or the *default* one with its rotated files, oldest first.

    A word is a file, ``-`` for stdin, or else a pattern (``logs/*.jsonl``, ``**`` for any depth).
    A file that is named twice, also by another name of it, is returned once.  Raises
    :class:`~pushctl.errors.InvalidInput` where there is none.
    """
    found: list[LogFile] = []
    seen: set[object] = set()
    for path in _named(words) if words else _with_rotated(default):
        log, identity = _identified(path)
        if identity not in seen:
            seen.add(identity)
            found.append(log)
    return found


def _with_rotated(default: Path) -> list[Path | None]:
    logs = [path for path in (*rotated(default), default) if path.exists()]
    if not logs:
        raise InvalidInput(
            "there is no bounce log yet",
            place=Place(printable(str(default))),
            hint="it is written by the first push that bounces; name another log to read that",
        )
    return [*logs]


def _named(words: Sequence[str]) -> Iterator[Path | None]:
    for word in words:
        if word == "-":
            yield None
        elif os.path.lexists(word):
            yield Path(word)
        else:
            matches = sorted(glob.glob(word, recursive=True))
            if not matches:
                raise InvalidInput("no such file", place=Place(printable(word)))
            yield from (Path(match) for match in matches)


def look_at(path: Path) -> LogFile:
    """Return the file *path*; raise :class:`~pushctl.errors.InvalidInput` if it is unreadable."""
    return _identified(path)[0]


def _identified(path: Path | None) -> tuple[LogFile, object]:
    """Return *path* as a log, and what tells it from other files whatever its name."""
    if path is None:
        return LogFile("-", None, None, 0), None
    shown = printable(str(path), 4096)
    head = b""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as stream:
                head = stream.read(4)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", place=Place(shown)) from None
    if stat.S_ISDIR(status.st_mode):
        raise InvalidInput("this is a folder", place=Place(shown), hint="name the logs in it")
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise InvalidInput("this is a device, not a file", place=Place(shown))
    ending = path.name.lower().rpartition(".")[2]
    packing = next((each for each in _PACKINGS if each == ending), None)
    if packing is not None and head and not head.startswith(_MAGIC[packing]):
        raise InvalidInput(f"this is not a .{packing} file", place=Place(shown))
    return LogFile(shown, path, packing, status.st_size), (status.st_dev, status.st_ino)
