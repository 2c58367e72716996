"""
Which lines of a log are torn, foreign or newer, and where they stand.

DuckDB passes over such lines and can count them, but not say where they are.  Only if there are
some are the files read once more, in Python, and only as far as it takes to find them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pushctl.audience.content import open_growing
from pushctl.errors import InvalidInput, Place
from pushctl.records.record import SCHEMA
from pushctl.report.files import LogFile
from pushctl.report.values import Note, NoteKind

SHOWN_OF_A_KIND = 5
"""So many lines of each kind are told one by one."""

_NEEDED: dict[str | None, dict[str, type]] = {
    "Bounced push": {"run": str, "row": int, "time": str},
    "Received push": {"run": str, "row": int, "time": str},
    None: {"run": str, "row": int, "outcome": str},
    "Push counts": {"run": str, "seq": int, "hour": str},
    "Run finished": {"run": str},
}
"""The events of a log, and what a line of each must have to be one."""
_OPENING = b'{"schema":'
_ORDINARY = (
    b'{"schema":%d,"row":' % SCHEMA,
    b',"event":"Bounced push","outcome":"rejected","time"',
)
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d")
_CHUNK_BYTES = 2**20

_MESSAGES = {
    NoteKind.TORN: "a torn line, passed over: a process died while it wrote",
    NoteKind.FOREIGN: "not a line of a bounce log, passed over",
    NoteKind.NEWER: "a line of a newer pushctl: only what is known of it was read",
}
_MORE = {
    NoteKind.TORN: "more torn lines, passed over",
    NoteKind.FOREIGN: "more lines that are none of a bounce log, passed over",
    NoteKind.NEWER: "more lines of a newer pushctl: only what is known of them was read",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """How many odd lines there are to be found."""

    strange: int
    """Torn or foreign."""
    newer: int


@dataclass(slots=True)
class _Found:
    places: dict[NoteKind, list[Place]] = field(
        default_factory=lambda: {kind: [] for kind in NoteKind}
    )
    counts: Counter[NoteKind] = field(default_factory=Counter)

    def add(self, kind: NoteKind, file: str, line: int) -> None:
        self.counts[kind] += 1
        if len(self.places[kind]) < SHOWN_OF_A_KIND:
            self.places[kind].append(Place(file, line))

    def has(self, expected: Expected) -> bool:
        strange = self.counts[NoteKind.TORN] + self.counts[NoteKind.FOREIGN]
        return strange >= expected.strange and self.counts[NoteKind.NEWER] >= expected.newer


def notes_on(files: Sequence[tuple[LogFile, Path]], expected: Expected) -> tuple[Note, ...]:
    """
    Return the notes on the lines of *files*, of which *expected* are odd.

    The path of each file is where it lies now.  What cannot be found again (the file was rotated
    away meanwhile) is told without a place.
    """
    found = _Found()
    _find(files, expected, found)
    strange = found.counts[NoteKind.TORN] + found.counts[NoteKind.FOREIGN]
    found.counts[NoteKind.FOREIGN] += max(0, expected.strange - strange)
    found.counts[NoteKind.NEWER] = max(expected.newer, found.counts[NoteKind.NEWER])
    return tuple(note for kind in NoteKind for note in _notes(kind, found))


def judge(line: bytes) -> NoteKind | None:
    """Return what is odd about a *line* of a log; ``None`` where nothing is."""
    if line.isspace():
        return None
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        is_cut = line.startswith(_OPENING) and not line.rstrip().endswith(b"}")
        return NoteKind.TORN if is_cut or _OPENING.startswith(line) else NoteKind.FOREIGN
    if not isinstance(record, dict):
        return NoteKind.FOREIGN
    schema, event = record.get("schema"), record.get("event")
    if isinstance(schema, int) and schema > SCHEMA:
        return NoteKind.NEWER
    needed = _NEEDED.get(event) if event is None or isinstance(event, str) else None
    if needed is None or not all(isinstance(record.get(key), needed[key]) for key in needed):
        return NoteKind.FOREIGN
    if event == "Run finished":
        return None
    moment = str(record.get("hour" if event == "Push counts" else "time"))
    return None if _HOUR.match(moment) else NoteKind.FOREIGN


def _find(files: Sequence[tuple[LogFile, Path]], expected: Expected, found: _Found) -> None:
    if found.has(expected):
        return
    torn = [(log, path) for log, path in files if _is_tail_torn(log, path)]
    if len(torn) == expected.strange and not expected.newer:
        for log, path in torn:  # the usual case after a crash: no line needs to be looked at
            found.add(NoteKind.TORN, log.shown, _line_breaks(path) + 1)
        return
    for log, path in files:
        with contextlib.suppress(InvalidInput), open_growing(path) as stream:
            for number, line in enumerate(stream, start=1):
                if not _is_ordinary(line):
                    kind = judge(line)
                    if kind is not None:
                        found.add(kind, log.shown, number)
                        if found.has(expected):
                            return


def _is_ordinary(line: bytes) -> bool:
    """Return whether *line* is most likely a whole line of a bounce; parsing it takes longer."""
    return line.startswith(_ORDINARY[0]) and line.endswith(b"}\n") and _ORDINARY[1] in line


def _is_tail_torn(log: LogFile, path: Path) -> bool:
    """Return whether the last line was cut off, of what is not packed."""
    if log.packing is not None:
        return False
    with contextlib.suppress(OSError), path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _CHUNK_BYTES))
        last = stream.read().rpartition(b"\n")[2]
        return bool(last) and judge(last) is NoteKind.TORN
    return False


def _line_breaks(path: Path) -> int:
    with path.open("rb", buffering=0) as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))


def _notes(kind: NoteKind, found: _Found) -> Iterator[Note]:
    places = found.places[kind]
    for place in places:
        yield Note(kind=kind, message=_MESSAGES[kind], place=place)
    more = found.counts[kind] - len(places)
    if more == 1 and not places:
        yield Note(kind=kind, message=_MESSAGES[kind])
    elif more:
        yield Note(kind=kind, message=_MORE[kind], count=more)
