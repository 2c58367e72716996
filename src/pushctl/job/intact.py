"""
Whether what lies in a run's folder is what was put there: a resume must not send what nobody meant.

The journal has its own checksums, and so has the manifest; here it is the resolved audience, and
what the bounce log remembers of a journal that has lost lines.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pushctl.audience.prepared import FACTS, TABLE, Prepared
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Kind
from pushctl.records.identity import rfc3339
from pushctl.records.journal import storage_error
from pushctl.records.record import Record
from pushctl.records.replay import NOT_OPENED, OPENED, Replay
from pushctl.records.rows import RowSet

_BLOCK_BYTES = 1 << 20
_HINT = "restore the run's folder from a copy; to send to the list anew, start another run"


def audience_marks(prepared: Prepared | None) -> list[dict[str, Any]]:
    """
    Return name, size and CRC-32 of each file that *prepared* consists of.

    Raises :class:`StorageError` where one cannot be read.
    """
    if prepared is None:
        return []
    folder = prepared.folder
    marks = []
    for path in (folder / FACTS, folder / TABLE, *prepared.later_files()):
        try:
            marks.append(_mark(path))
        except OSError as error:
            raise storage_error("read", str(path), error) from error
    return marks


def refuse_damaged_audience(folder: Path, marks: Sequence[Mapping[str, Any]]) -> None:
    """Raise :class:`InvalidInput` with each file in *folder* that is not as its mark says."""
    problems = list(_damaged(folder, marks))
    if problems:
        raise InvalidInput(problems=problems)


def _damaged(folder: Path, marks: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for mark in marks:
        path = folder / mark["name"]
        try:
            now = _mark(path)
        except OSError as error:
            yield Problem(f"cannot read {path}: {error.strerror or error}", hint=_HINT)
            continue
        if now != mark:
            yield Problem(
                "the audience of the run is damaged: the checksum does not fit",
                Place(str(path)),
                _HINT,
            )


def _mark(path: Path) -> dict[str, Any]:
    # Three times as fast as a digest, and there may be 400 MB of it before the first push; that
    # nobody changed it by intent is the business of the folder's mode.
    crc = size = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return {"name": path.name, "size": size, "crc32": f"{crc:08x}"}


class Witness:
    """
    Holds the bounce log's lines of a run against its journal.

    A line of the log is written after the journal has the same, so a log that knows more proves
    that the journal has lost lines: rows that were sent would look as if they had not been.  After
    another boot the journal may lack what was written last; what it calls unknown or leaves in
    doubt proves nothing.  Lines that are older than the run are another run's with the same id.
    """

    def __init__(self, replay: Replay, boot: str | None, started: float) -> None:
        """*boot* is the machine's present one; *started* is when the run began, epoch seconds."""
        same_boot = boot is not None and boot == replay.boot
        self._replay = replay
        self._unsent = (NOT_OPENED, OPENED) if same_boot else (NOT_OPENED,)
        unknown = len(replay.uncertain(boot)) + replay.totals()[Kind.UNKNOWN]
        self._most = replay.accepted.total() + unknown
        self._started = rfc3339(started)
        self._accepted = 0
        self._bounced: int | None = None

    def bounced(self, row: int, time: object) -> None:
        """The log says that *row* bounced."""
        if self._bounced is None and self._is_recent(time) and self._is_unsent(row):
            self._bounced = row

    def counted(self, hour: object, accepted: object) -> None:
        """The log counts pushes that were *accepted* in an *hour*."""
        if self._is_recent(hour) and isinstance(accepted, int):
            self._accepted += accepted

    def testimony(self) -> str | None:
        """Return what the log knows and the journal does not, in words; ``None``: nothing."""
        if self._bounced is not None:
            return f"that row {self._bounced:,} bounced"
        if self._accepted > self._most:
            return f"of {self._accepted:,} accepted pushes, the journal of {self._most:,}"
        return None

    def _is_recent(self, moment: object) -> bool:
        return isinstance(moment, str) and moment >= self._started[: len(moment)]

    def _is_unsent(self, row: int) -> bool:
        replay = self._replay
        known = row in replay.reopened or row in replay.doubtful
        return not known and replay.state(row) in self._unsent


class Copies:
    """Holds the bounces in the log against the records that they are copies of."""

    def __init__(self, started: float, inputs: int, *, masked: bool) -> None:
        """
        *started* is when the run of so many *inputs* began.

        The log of a *masked* run does not show tokens.
        """
        self.rows = RowSet(inputs)
        """The rows that have a record."""
        self._copied = RowSet(inputs)
        self._wrong: list[Place] = []
        self._older: dict[int, Place] = {}
        """Lines that are no copies and older than the run: another run's with the same id?"""
        self._started = rfc3339(started)
        self._left_out = {"token", "detail"} if masked else set()
        # The texts of ten million bounces are more than memory; so is a set of their digests.
        self._digests = array("q", bytes(8 * (inputs + 1)))
        self._more: set[tuple[int, int]] = set()
        """Row and digest of the records of a row that has several."""

    def know(self, record: Record) -> None:
        """Take a rejection that the journal holds into account."""
        row, digest = record["row"], self._digest(record)
        if row in self.rows:
            self._more.add((row, digest))
        elif 0 < row < len(self._digests):
            self.rows.add(row)
            self._digests[row] = digest

    def hear(self, file: Path, number: int, line: Mapping[str, Any]) -> None:
        """Take a line of the log into account."""
        if line.get("event") != "Bounced push":
            return
        row, time = line.get("row"), line.get("time")
        if isinstance(row, int) and self._is_copy(row, line):
            self._copied.add(row)
        elif isinstance(row, int) and isinstance(time, str) and time < self._started:
            self._older[row] = Place(str(file), number)
        else:
            self._wrong.append(Place(str(file), number))

    def wrong(self) -> list[Place]:
        """Return where lines of this run stand that are no copies."""
        return [*self._wrong, *(place for row, place in self._older.items() if self._is_alone(row))]

    def _is_alone(self, row: int) -> bool:
        return row in self.rows and row not in self._copied

    def _is_copy(self, row: int, line: Mapping[str, Any]) -> bool:
        digest = self._digest(line)
        return row in self.rows and (self._digests[row] == digest or (row, digest) in self._more)

    def _digest(self, record: Mapping[str, Any]) -> int:
        shown = {name: value for name, value in record.items() if name not in self._left_out}
        return hash(json.dumps(shown))


def lost_lines(testimony: str, journal: Path, bounce_log: Path) -> Problem:
    """Return the problem that *journal* has lost lines, because *bounce_log* tells *testimony*."""
    return Problem(
        f"the journal has lost lines: {bounce_log} tells {testimony}",
        Place(str(journal)),
        "restore the run's folder from a copy; if the bounce log is what is wrong, move it away",
    )
