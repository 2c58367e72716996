"""Reads a journal back: what is known about each row, after any crash."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Kind
from pushctl.records.record import SCHEMA, Record

_CRC_TAIL = len(b',"crc":"00000000"}\n')

NOT_OPENED, OPENED, WAITING = 0, 1, 2
"""States of a row without an outcome: beyond every window; may be on its way; answered with
something retryable (so provably not accepted) and waiting for its next try."""
_KIND_CODES = {kind: code for code, kind in enumerate(Kind, start=3)}
_CODE_KINDS = {code: kind for kind, code in _KIND_CODES.items()}


@dataclasses.dataclass(slots=True)
class Replay:
    """What a journal says.  ``states[row]`` is one of the codes above or the code of a kind."""

    run: str | None = None
    states: bytearray = dataclasses.field(default_factory=bytearray)
    high: int = 0
    """The last row of the last opened window."""
    ended: bool = False
    chain: int = 0
    size: int = 0
    """Bytes of the journal that are whole; anything after them is a torn last line."""
    torn: bool = False

    def kind(self, row: int) -> Kind | None:
        """Return how *row* ended; ``None`` where the journal holds no outcome for it."""
        return _CODE_KINDS.get(self.states[row]) if row < len(self.states) else None

    def totals(self) -> dict[Kind, int]:
        """Return how many rows ended in each kind."""
        return {kind: self.states.count(code) for kind, code in _KIND_CODES.items()}

    def open_rows(self) -> list[int]:
        """Return the rows in opened windows that have neither an outcome nor an answer."""
        return [row for row, code in enumerate(self.states) if code == OPENED]

    def note(self, line: dict[str, Any]) -> None:
        """Take one journal line into account."""
        match line["t"]:
            case "start":
                self.run = str(line["run"])
            case "open":
                self._open(int(line["lo"]), int(line["hi"]))
            case "accepted":
                code = _KIND_CODES[Kind.ACCEPTED]
                for row in line["rows"]:
                    self.states[row] = code
            case "outcome":
                self.states[line["record"]["row"]] = _KIND_CODES[Kind(line["record"]["outcome"])]
            case "attempt":
                self.states[line["row"]] = WAITING
            case "end":
                self.ended = True
            case _:  # a newer version's line: its checksum held, its meaning is not ours
                pass

    def _open(self, low: int, high: int) -> None:
        self.ended = False
        missing = high + 1 - len(self.states)
        if missing > 0:
            self.states.extend(bytes(missing))
        for row in range(low, high + 1):
            if self.states[row] in (NOT_OPENED, WAITING):
                self.states[row] = OPENED
        self.high = max(self.high, high)


def lines(path: Path, replay: Replay) -> Iterator[dict[str, Any]]:
    """
    Yield the lines of the journal at *path*, keeping *replay*'s ``chain``, ``size``, ``torn``.

    A last line that is torn or does not fit its checksum is left out (``torn`` is set).  Raises
    :class:`InvalidInput` with the place where a line before the last is damaged.
    """
    with path.open("rb") as stream:
        damaged_at = 0
        for number, raw in enumerate(stream, start=1):
            if damaged_at:
                raise InvalidInput(
                    "the journal is damaged here: the checksum does not fit",
                    place=Place(str(path), damaged_at),
                    hint="restore the run's folder from a copy; pushctl does not guess what"
                    " happened to the rows after this line",
                )
            parsed = _checked(raw, replay.chain)
            if parsed is None:
                damaged_at = number
                continue
            line, replay.chain = parsed
            replay.size += len(raw)
            yield line
        replay.torn = bool(damaged_at)


def replay_journal(path: Path) -> Replay:
    """Return what the journal at *path* says.  Raises :class:`InvalidInput` as :func:`lines`."""
    replay = Replay()
    for line in lines(path, replay):
        if line["t"] == "start" and line.get("schema") != SCHEMA:
            raise InvalidInput(
                f"this journal has schema {line.get('schema')!r}; this pushctl reads {SCHEMA}",
                place=Place(str(path), 1),
                hint="use the version of pushctl that wrote it",
            )
        replay.note(line)
    return replay


def journal_records(path: Path) -> Iterator[Record]:
    """Yield the outcome records that the journal holds whole: all but the accepted rows."""
    for line in lines(path, Replay()):
        if line["t"] == "outcome":
            yield line["record"]


def _checked(raw: bytes, chain: int) -> tuple[dict[str, Any], int] | None:
    body = raw[:-_CRC_TAIL] + b"}"
    expected = zlib.crc32(body, chain)
    if raw[-_CRC_TAIL:] != b',"crc":"%08x"}\n' % expected:
        return None
    line = json.loads(raw)
    return (line, expected) if isinstance(line, dict) else None
