"""
Rotation of a log: what is full becomes ``bounces.jsonl.1``, what was that becomes ``.2``.

Nothing is ever deleted or written over, and packed files (``.2.gz``) keep their packing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pushctl.records.journal import storage_error

_ROTATED = re.compile(r"[.-](\d{1,14})((?:\.(?:gz|zst))?)\Z")
"""What rotation appends: ``.1``, ``.2.gz``, or a date as logrotate's ``dateext`` writes it."""
_DATE_DIGITS = 8


def rotated(log: Path) -> list[Path]:
    """Return the files that rotation made of *log*, oldest first; *log* itself is none of them."""
    numbered = []
    for name in _names(log):
        match = _ROTATED.fullmatch(name, len(log.name))
        if match is not None:
            numbered.append((_age(match[1]), name))
    return [log.with_name(name) for _, name in sorted(numbered)]


def rotate(log: Path) -> None:
    """
    Rename *log* to ``.1``, and files that are in its way to the next number.

    A crash in between leaves a gap in the numbers and every file in its place.  Whoever calls
    this keeps others from doing so at the same time.  Raises
    :class:`~pushctl.errors.StorageError`.
    """
    places = _places(log)
    free = 1
    while free in places:
        free += 1
    try:
        for number in range(free, 1, -1):
            packing = places[number - 1]
            _numbered(log, number - 1, packing).rename(_numbered(log, number, packing))
        log.rename(_numbered(log, 1, ""))
    except OSError as error:
        raise storage_error("rotate", str(log), error) from error


def _places(log: Path) -> dict[int, str]:
    """Return the numbers that are taken, each with the packing of its file."""
    places: dict[int, str] = {}
    for name in _names(log):
        match = _ROTATED.fullmatch(name, len(log.name))
        if match is not None and name[len(log.name)] == "." and len(match[1]) < _DATE_DIGITS:
            places[int(match[1])] = match[2]
    return places


def _numbered(log: Path, number: int, packing: str) -> Path:
    return log.with_name(f"{log.name}.{number}{packing}")


def _names(log: Path) -> list[str]:
    try:
        with os.scandir(log.parent) as entries:
            return [entry.name for entry in entries if entry.name.startswith(log.name)]
    except OSError:
        return []


def _age(number: str) -> tuple[int, int]:
    """Return a key that sorts by age, oldest first: dates upwards, then numbers downwards."""
    is_date = len(number) >= _DATE_DIGITS
    return (0, int(number)) if is_date else (1, -int(number))
