"""Reads a journal back: what is known about each row, after any crash."""

from __future__ import annotations

import dataclasses
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Kind, Retryable
from pushctl.records.folder import RunFolder
from pushctl.records.record import SCHEMA, Record
from pushctl.records.skim import Skimmed, skim_sound

Tell = Callable[[Record | Skimmed], None]
_Line = TypeVar("_Line")
_MOST_ROWS = (1 << 31) - 1
"""More than any run has."""
_CRC_TAIL = len(b',"crc":"00000000"}\n')
_OUTCOME = b'{"t":"outcome","record":'

NOT_OPENED, OPENED, WAITING, SENT, FAILED = 0, 1, 2, 8, 9
"""
States of a row.  The first four have no outcome: beyond every window, or provably not sent;
opened and perhaps on its way; answered with something retryable and waiting for its next try;
about to be written.  The last was rejected with an answer that allows another try.
"""
KIND_CODES = {kind: code for code, kind in enumerate(Kind, start=3)}
"""The states of rows that ended otherwise, by kind."""
_NAMED_KINDS = {kind.value.encode(): kind for kind in Kind}
_CODE_KINDS = {code: kind for kind, code in KIND_CODES.items()} | {FAILED: Kind.REJECTED}
_ACCEPTED, _UNKNOWN = KIND_CODES[Kind.ACCEPTED], KIND_CODES[Kind.UNKNOWN]


@dataclasses.dataclass(slots=True)
class Replay:
    """What a journal says.  ``states[row]`` is one of the codes above."""

    run: str | None = None
    boot: str | None = None
    """The boot of the machine in which the last process wrote."""
    highest: int = _MOST_ROWS
    """The last row that there may be: a span beyond it is no span, and would fill the memory."""
    states: bytearray = dataclasses.field(default_factory=bytearray)
    high: int = 0
    """The last row of any opened window."""
    ended: bool = False
    chain: int = 0
    size: int = 0
    """Bytes of the journal that are whole; anything after them is a torn last line."""
    torn: bool = False
    end_totals: dict[str, int] = dataclasses.field(default_factory=dict)
    """The totals that the last process to end noted."""
    reopened: dict[int, int] = dataclasses.field(default_factory=dict)
    """The states of rows that had ended when they were opened again, until they end again."""
    doubtful: set[int] = dataclasses.field(default_factory=set)
    """Rows that an earlier process left in doubt, until they end."""
    accepted: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)
    """Accepted rows by credential and hour (``2026-11-20T10``, UTC)."""

    def kind(self, row: int) -> Kind | None:
        """Return how *row* ended; ``None`` where the journal holds no outcome for it."""
        return _CODE_KINDS.get(self.states[row]) if row < len(self.states) else None

    def state(self, row: int) -> int:
        """Return the state of *row*, or the code of how it ended."""
        return self.states[row] if row < len(self.states) else NOT_OPENED

    def totals(self) -> dict[Kind, int]:
        """Return how many rows ended in each kind."""
        totals = {kind: self.states.count(code) for kind, code in KIND_CODES.items()}
        totals[Kind.REJECTED] += self.states.count(FAILED)
        return totals

    def uncertain(self, boot: str | None) -> list[int]:
        """
        Return the rows that may have been processed although no outcome is noted.

        In the same *boot* of the machine nothing that was written is lost, so these are the
        rows noted as sent.  After another boot, all rows of opened windows: the note that one
        was sent, or sent again, is not forced to the disk before it is.
        """
        rows = self.doubtful.union(_places(self.states, SENT))
        if boot is None or boot != self.boot:
            rows.update(_places(self.states, OPENED), _places(self.states, WAITING), self.reopened)
        return sorted(rows)

    def note(self, line: dict[str, Any] | Skimmed) -> None:
        """Take one journal line into account; one of a kind that we do not know means nothing."""
        if isinstance(line, Skimmed):
            kind = _NAMED_KINDS[line.outcome]
            self._outcome(int(line.row), kind, may_be_tried=line.may_be_tried())
            return
        match line["t"]:
            case "accepted":
                self._accepted(line)
            case "sent":
                self._set(_rows(line), SENT)
            case "unsent":
                for row in _rows(line):
                    self.states[row] = self.reopened.get(row, OPENED)
            case "withdrawn":
                self._withdrawn(_rows(line))
            case "open":
                self._open(_rows(line))
            case "outcome":
                record = line["record"]
                may_be_tried = record["retryable"] != Retryable.NO and record["attempts"]
                self._outcome(record["row"], Kind(record["outcome"]), may_be_tried=may_be_tried)
            case "attempt":
                self._attempt(line["row"], answered=line["status"] is not None)
            case "start":
                self._start(str(line["run"]), line["boot"])
            case "end":
                self.ended, self.end_totals = True, line["totals"]

    def _start(self, run: str, boot: str | None) -> None:
        """
        A process begins.

        What is in doubt after another boot stays so: this process may die before it has noted
        that, and whoever comes next shares its boot.
        """
        self.doubtful.update(self.uncertain(boot))
        self.run, self.boot = run, boot

    def _accepted(self, line: dict[str, Any]) -> None:
        states, rows = self.states, line["rows"]
        for row in rows:
            states[row] = _ACCEPTED
        if self.reopened:
            for row in rows:
                self.reopened.pop(row, None)
        if self.doubtful:
            self.doubtful.difference_update(rows)
        hour = time.strftime("%Y-%m-%dT%H", time.gmtime(line["at"]))
        self.accepted[line["credential"], hour] += len(rows)

    def _set(self, rows: range | list[int], code: int) -> None:
        if isinstance(rows, range):
            self.states[rows.start : rows.stop] = bytes([code]) * len(rows)
        else:
            for row in rows:
                self.states[row] = code

    def _open(self, rows: range | list[int]) -> None:
        self.ended = False
        high = rows[-1] if isinstance(rows, range) else max(rows)
        if not 0 <= high <= self.highest:
            raise ValueError
        missing = high + 1 - len(self.states)
        if missing > 0:
            self.states.extend(bytes(missing))
        self.high = max(self.high, high)
        fresh = isinstance(rows, range) and not any(self.states[rows.start : rows.stop])
        if fresh:
            self._set(rows, OPENED)
            return
        for row in rows:
            if self.states[row] in (NOT_OPENED, WAITING):
                self.states[row] = OPENED
            elif self.states[row] != OPENED:
                self.reopened[row] = self.states[row]

    def _attempt(self, row: int, *, answered: bool) -> None:
        if not answered:  # it may have been processed, whatever becomes of the next try
            self.reopened[row] = _UNKNOWN
        self.states[row] = SENT if self.reopened.get(row) in (SENT, _UNKNOWN) else WAITING

    def _withdrawn(self, rows: range | list[int]) -> None:
        for row in rows:
            if row in self.reopened:
                self.states[row] = self.reopened.pop(row)
            elif row < len(self.states) and self.states[row] in (OPENED, WAITING, SENT):
                self.states[row] = NOT_OPENED

    def _outcome(self, row: int, kind: Kind, *, may_be_tried: bool) -> None:
        self.states[row] = FAILED if kind is Kind.REJECTED and may_be_tried else KIND_CODES[kind]
        self.reopened.pop(row, None)
        self.doubtful.discard(row)


def _places(states: bytearray, code: int) -> Iterator[int]:
    place = states.find(code)
    while place >= 0:
        yield place
        place = states.find(code, place + 1)


def _rows(line: dict[str, Any]) -> range | list[int]:
    if "rows" in line:
        rows: list[int] = line["rows"]
        return rows
    low, high = line["lo"], line["hi"]
    if not 0 <= low <= high <= _MOST_ROWS:
        raise ValueError
    return range(low, high + 1)


def lines(path: Path, replay: Replay, run: str | None = None) -> Iterator[dict[str, Any]]:
    """
    Yield the lines of the journal at *path*, keeping *replay*'s ``chain``, ``size``, ``torn``.

    With *run* the journal must be that of this run.

    A last line that is torn is left out (``torn`` is set).  Raises :class:`InvalidInput` with the
    place of a line that is damaged or not ours to read, and where the journal cannot be read.
    """
    return _lines(path, replay, run, _parsed)


def _lines(
    path: Path, replay: Replay, run: str | None, read: Callable[[bytes], _Line | None]
) -> Iterator[_Line]:
    try:
        with path.open("rb") as stream:
            yield from _lines_of(stream, path, replay, run, read)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error


def _lines_of(
    stream: Iterable[bytes],
    path: Path,
    replay: Replay,
    run: str | None,
    read: Callable[[bytes], _Line | None],
) -> Iterator[_Line]:
    for number, raw in enumerate(stream, start=1):
        chain = _chained(raw, replay.chain)
        line = None if chain is None else read(raw)
        if chain is None or line is None:
            replay.torn = _is_torn(raw, replay.chain)
            if replay.torn:
                return
            raise InvalidInput(
                "the journal is damaged here: the checksum does not fit",
                place=Place(str(path), number),
                hint="restore the run's folder from a copy; pushctl does not guess what"
                " happened to the rows from this line on",
            )
        replay.chain = chain
        replay.size += len(raw)
        if isinstance(line, dict) and line.get("t") == "start":
            _refuse_foreign(line, run, Place(str(path), number))
        yield line


def _refuse_foreign(start: dict[str, Any], run: str | None, place: Place) -> None:
    """Raise :class:`InvalidInput` where a process of another version or run began to write."""
    if start.get("schema") != SCHEMA:
        raise InvalidInput(
            f"this journal has schema {start.get('schema')!r}; this pushctl reads {SCHEMA}",
            place=place,
            hint="use the version of pushctl that wrote it",
        )
    if run is not None and start.get("run") != run:
        raise InvalidInput(
            f"this is the journal of run {start.get('run')}, in the folder of run {run}",
            place=place,
            hint="restore the run's folder from a copy",
        )


def replay_journal(
    path: Path, run: str | None = None, *, inputs: int = _MOST_ROWS, tell: Tell | None = None
) -> Replay:
    """
    Return what the journal at *path* says, of a run of so many *inputs*.

    *tell* is told each outcome record on the way.

    Raises :class:`InvalidInput` as :func:`lines` does.
    """
    replay = Replay(highest=inputs)
    found: Iterator[dict[str, Any] | Skimmed] = _lines(path, replay, run, _skimmed_or_parsed)
    for number, line in enumerate(found, start=1):
        try:
            replay.note(line)
            if tell is not None:
                if isinstance(line, Skimmed):
                    tell(line)
                elif line["t"] == "outcome":
                    tell(line["record"])
        except (LookupError, TypeError, ValueError, ArithmeticError, OSError):
            # OSError is the calendar's word for a time that is none.
            raise InvalidInput(
                "this line of the journal makes no sense, although its checksum fits",
                place=Place(str(path), number),
                hint="was it written by another program? Restore the run's folder from a copy",
            ) from None
    return replay


def replay_of(folder: RunFolder, *, inputs: int = _MOST_ROWS, tell: Tell | None = None) -> Replay:
    """Return what the journal in *folder* says: nothing, where the run never came to write one."""
    if not folder.journal.exists():
        return Replay()
    return replay_journal(folder.journal, folder.run, inputs=inputs, tell=tell)


def journal_records(path: Path) -> Iterator[Record]:
    """Yield the outcome records that the journal holds whole: all but the accepted rows."""
    for line in lines(path, Replay()):
        if line.get("t") == "outcome":
            yield line["record"]


def _is_torn(raw: bytes, chain: int) -> bool:
    """
    Return whether *raw*, which does not check, is what a write leaves that was cut short.

    Such a line lacks its end.  A line that has one was written as a whole, and acted on: that
    rows were sent may stand in it, so it is damaged and not torn, even if it is the last.
    """
    whole = raw[:-1] + b"\n"
    is_damaged = _chained(whole, chain) is not None and _parsed(whole) is not None
    return not raw.endswith(b"\n") and not is_damaged


def _chained(raw: bytes, chain: int) -> int | None:
    """Return the checksum of all lines up to *raw*; ``None`` where *raw* has another."""
    expected = zlib.crc32(raw[:-_CRC_TAIL] + b"}", chain)
    return expected if raw[-_CRC_TAIL:] == b',"crc":"%08x"}\n' % expected else None


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line: dict[str, Any] = json.loads(raw)  # an object, as it ends like one
    except (ValueError, RecursionError):
        return None
    return line


def _skimmed_or_parsed(raw: bytes) -> dict[str, Any] | Skimmed | None:
    skimmed = skim_sound(raw, len(_OUTCOME)) if raw.startswith(_OUTCOME) else None
    return _parsed(raw) if skimmed is None else skimmed
