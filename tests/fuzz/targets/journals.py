"""
The journal of a run: whole, cut off at any byte, damaged, or written by a stranger.

A journal that is written is read back as it was meant.  One that is cut off is read up to its last
whole line, and never says of a row that may have been sent that it was not.  One that is damaged
is refused with the line.  A stranger's lines, whose checksums fit, are refused or read.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import folder
from pushctl.outcome import Kind, Outcome, Retryable
from pushctl.records.journal import Journal, seal
from pushctl.records.record import Address, outcome_text
from pushctl.records.replay import journal_records, replay_journal

ROWS = 12
STRANGE_ROWS = 1_000_000
_FOLDER = folder("journals")
_PATH = _FOLDER / "journal.jsonl"
_BOOTS = ("boot-1", "boot-2")
_KINDS = (Kind.REJECTED, Kind.UNKNOWN, Kind.NOT_SENT, Kind.SKIPPED)
WORDS = (
    b'{"t":"start","schema":1,"run":"r","boot":"b"}\n',
    b'{"t":"open","lo":1,"hi":9}\n',
    b'{"t":"sent","rows":[1,3]}\n',
    b'{"t":"unsent","lo":1,"hi":2}\n',
    b'{"t":"withdrawn","rows":[2]}\n',
    b'{"t":"accepted","at":1.0,"credential":"c","rows":[1],"ms":[2]}\n',
    b'{"t":"attempt","row":1,"at":1,"status":503,"reason":null}\n',
    b'{"t":"outcome","record":{"row":2,"outcome":"rejected","retryable":"no","attempts":1}}\n',
    b'{"t":"end","totals":{"accepted":1}}\n',
    *(b'"rows":', b'"lo":-1', b"null", b"99999999999999999999"),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    kind = draw.below(4)
    if kind == 0:
        _check_strange(draw.rest(), sealed=True)
    elif kind == 1:
        _check_strange(draw.rest(), sealed=False)
    else:
        _check_written(draw)


def seeds() -> Iterator[bytes]:
    """Yield what a run may have noted, and the lines themselves."""
    yield b"\x00" + b"".join(WORDS[:9])
    yield b"\x01" + WORDS[0]
    yield bytes((2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20) * 2)


def _check_strange(text: bytes, *, sealed: bool) -> None:
    """Lines of a stranger: with *sealed* their checksums fit, as far as they are JSON."""
    if sealed:
        chain, lines = 0, []
        for line in text.split(b"\n"):
            with contextlib.suppress(ValueError, RecursionError):
                if isinstance(json.loads(line), dict) and line.endswith(b"}") and len(line) > 2:
                    piece, chain = seal(line.decode("utf-8", "replace"), chain)
                    lines.append(piece)
        text = b"".join(lines)
    _PATH.write_bytes(text)
    with contextlib.suppress(kit.Refused), kit.refusals():
        replay = replay_journal(_PATH, inputs=STRANGE_ROWS)
        assert replay.size <= len(text)
        assert sum(replay.totals().values()) <= len(replay.states)
        for record in journal_records(_PATH):
            assert isinstance(record, dict)


def _check_written(draw: Draw) -> None:
    """A journal of several processes, then what a crash may leave of it."""
    model = _Model()
    for number in range(draw.below(3) + 1):
        _write(draw, model, _BOOTS[draw.below(2)], first=number == 0)
    whole = _PATH.read_bytes()
    complete = replay_journal(_PATH)
    for row in range(1, ROWS + 1):
        assert complete.kind(row) == model.ended.get(row), row
    _check_cut(whole, draw.below(len(whole) + 1), model)
    _check_flipped(whole, draw.below(len(whole)), draw.byte() or 1)


class _Model:
    """What is known of each row after each line, by what was asked of the journal."""

    def __init__(self) -> None:
        self.ended: dict[int, Kind] = {}
        self.sent: set[int] = set()
        """Rows that were about to be written, and are not known to be unprocessed."""
        self.history: list[tuple[int, dict[int, Kind], set[int]]] = []
        """Bytes of the journal after each line, with copies of the above."""

    def note(self, size: int) -> None:
        self.history.append((size, dict(self.ended), set(self.sent)))


def _write(draw: Draw, model: _Model, boot: str, *, first: bool) -> None:
    """Let one process write, as one that sends does: opened, sent, ended."""
    if first:
        _PATH.unlink(missing_ok=True)
    chain = 0 if first else replay_journal(_PATH).chain
    journal = Journal(_PATH, chain=chain, wall_clock=lambda: 1.8e9)
    opened: set[int] = set()

    def flushed() -> None:
        journal.flush()
        model.note(_PATH.stat().st_size)

    try:
        journal.add_start("r", boot)
        flushed()
        for _ in range(draw.below(12)):
            row = draw.below(ROWS) + 1
            step = draw.below(6)
            if step == 0 or not opened:
                rows = range(row, min(ROWS, row + draw.below(4)) + 1)
                rows = [one for one in rows if one not in model.ended]  # type: ignore[assignment]
                if rows:
                    journal.add_window(rows)
                    opened.update(rows)
            elif row in opened and row not in model.ended:
                _step(journal, model, draw, row, step)
            flushed()
    finally:
        journal.close()


def _step(journal: Journal, model: _Model, draw: Draw, row: int, step: int) -> None:
    if step == 1 and row not in model.sent:
        journal.add_sent([row])
        model.sent.add(row)
    elif step == 2 and row in model.sent:
        journal.add_unsent([row])
        model.sent.discard(row)
    elif step == 3 and row in model.sent:
        journal.add_attempt(row, 1.8e9, 503, "Shutdown")
        model.sent.discard(row)
    elif step == 4 and row in model.sent:
        journal.add_accepted("shop", row, 5, None, None)
        model.ended[row] = Kind.ACCEPTED
        model.sent.discard(row)
    elif step == 5:
        kind = draw.pick(_KINDS)
        address = Address(row, "l:1", None, "apns", "ios", "shop", None, None, "ab")
        outcome = Outcome(kind=kind, retryable=draw.pick(tuple(Retryable)))
        said: dict[str, Any] = {"run": "r", "campaign": None, "time": 0.0, "attempts": 1}
        journal.add_outcome(outcome_text(address, outcome, latency_ms=3, **said))
        model.ended[row] = kind
        model.sent.discard(row)


def _check_cut(whole: bytes, size: int, model: _Model) -> None:
    """What is left after a crash says what was known when its last whole line was written."""
    _PATH.write_bytes(whole[:size])
    replay = replay_journal(_PATH)
    assert replay.size == whole[:size].rfind(b"\n") + 1
    assert replay.torn == (size != replay.size)
    known = [state for state in model.history if state[0] <= replay.size]
    ended, sent = known[-1][1:] if known else ({}, set())
    for row in range(1, ROWS + 1):
        assert replay.kind(row) == ended.get(row), row
    for boot in (*_BOOTS, None):
        uncertain = replay.uncertain(boot)
        assert sent <= {*uncertain}, (sent, uncertain)
        assert not {*uncertain} & ended.keys()


def _check_flipped(whole: bytes, at: int, by: int) -> None:
    """Damage is refused with its line."""
    _PATH.write_bytes(whole[:at] + bytes((whole[at] ^ by,)) + whole[at + 1 :])
    line = whole[:at].count(b"\n") + 1
    try:
        with kit.refusals(str(_PATH)):
            replay_journal(_PATH)
    except kit.Refused as refused:
        places = [problem.place and problem.place.line for problem in refused.problems]
        # A line end that is damaged joins two lines, and a new one parts one: both say where.
        _check_near(places, line)
        return
    raise AssertionError(f"byte {at} of {whole!r} was changed by {by}")


def _check_near(places: list[int | None], line: int) -> None:
    assert places in ([line], [line + 1])
