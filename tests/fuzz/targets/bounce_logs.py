"""
Bounce logs that anybody may have written, read line by line, as a growing file, and for what they
say of dead tokens.

A line never breaks a reader, and what is taken from it has the type that it must have.  However a
growing log is cut, the same lines come out of it, with the places where they stand.  A token is
called dead by a record that says so alone.  One log in a few is also read through DuckDB, which
is to count the bounces and totals that the lines have.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import folder
from pushctl.audience.suppression import read_words
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service, TokenAction
from pushctl.records.following import LINE_BYTES_MAX, Dropped, Line, Tail
from pushctl.records.reading import Bounce, CountsAdded, Foreign, RunEnded, read_line
from pushctl.records.record import FIELDS, Address, outcome_record, to_line
from pushctl.report.files import find_logs
from pushctl.report.logs import open_logs

LARGE_WAY = 100
"""One log in so many is read through DuckDB as well."""
_FOLDER = folder("bounce-logs")
_TYPES: dict[str, tuple[type, ...]] = dict.fromkeys(
    ("schema", "row", "status", "attempts", "latency_ms"), (int, type(None))
)
_CLOSED = {
    "outcome": Kind, "category": Category, "token_action": TokenAction, "retryable": Retryable,
}  # fmt: skip
WORDS = (
    *(b'"event":"Bounced push"', b'"event":"Push counts"', b'"event":"Run finished"', b"}\n"),
    *(b'{"schema":1,', b'"token":"', b'"token_action":"remove"'),
    b'"dead_since":"2026-11-20T10:00:00.000Z"',
    *(b'"service":"apns"', b'"service":"fcm"', b'"time":"2026-11-21T10:00:00.000Z"', b'"run":"r"'),
    *(b'"row":7', b'"totals":{"accepted":1}', b'"seq":1', b'"hour":"2026-11-20T10"'),
    *(b'"accepted":1', b"token,token_action,service,time\n", b'ab,remove,apns,"', b"\r", b"\x00"),
    *(b"1e400", b"[[[[[[[[["),
)  # fmt: skip


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    sizes = draw.take(8)
    log = draw.rest()
    lines = log.split(b"\n")
    for line in lines:
        _check_line(line)
    _check_growth(log, sizes)
    path = _FOLDER / "bounces.jsonl"
    path.write_bytes(log)
    _check_words(path, log)
    if kit.is_sampled(log, LARGE_WAY):
        _check_tables(path)


def seeds() -> Iterator[bytes]:
    """Yield logs as they are."""
    address = Address(1, "list.csv:2", None, "apns", "ios", "shop", None, None, "ab" * 32)
    dead = Outcome(
        kind=Kind.REJECTED,
        status=410,
        reason="Unregistered",
        token_action=TokenAction.REMOVE,
        dead_since="2026-11-20T10:00:00.000Z",
    )
    said: dict[str, Any] = {"run": "r", "campaign": "c", "time": 1.8e9, "attempts": 1}
    bounce = to_line(outcome_record(address, dead, latency_ms=3, **said)).encode()
    counts = b'{"schema":1,"event":"Push counts","run":"r","service":"apns","hour":"2026-11-20T10",'
    counts += b'"seq":1,"accepted":5,"rejected":1}\n'
    finished = b'{"schema":1,"event":"Run finished","run":"r","totals":{"accepted":5}}\n'
    yield bytes(8) + bounce
    yield bytes(8) + bounce + counts + finished + bounce[:100]
    yield (
        bytes(8)
        + b"token,service,token_action,dead_since,time\nab,apns,remove,,2026-11-20T10:00:00Z\n"
    )


def _check_line(line: bytes) -> None:
    match read_line(line):
        case Bounce(record, newer):
            assert tuple(record) == FIELDS
            for name, value in record.items():
                if name in _CLOSED:
                    assert value is None or value in {*map(str, _CLOSED[name])}
                else:
                    assert isinstance(value, _TYPES.get(name, (str, type(None))))
            assert record["token_action"] is not None
            assert newer is (json.loads(line)["schema"] > 1 if newer else False)
        case CountsAdded(run, campaign, service, accepted, rejected):
            assert all(isinstance(one, (str, type(None))) for one in (run, campaign, service))
            assert isinstance(accepted, int)
            assert isinstance(rejected, int)
        case RunEnded(_, _, totals):
            assert all(isinstance(count, int) for count in totals.values())
        case Foreign(why):
            assert why


def _check_growth(log: bytes, sizes: bytes) -> None:
    """The lines of a growing file are those of the whole, each with its place."""
    tail, found, size = Tail(), [], 0
    for piece in Draw(sizes).cut(log):
        size += len(piece)
        due = tail.due(size)
        assert due is not None
        start, end = due
        happened = tail.take(log[start:end])
        assert happened is not None
        found += happened
    at, expected = 0, []
    for line in log.split(b"\n")[:-1]:
        if len(line) > LINE_BYTES_MAX:
            expected.append(Dropped(at, len(line)))
        elif line.strip():
            expected.append(Line(at, line.removesuffix(b"\r")))
        at += len(line) + 1
    assert expected == found


def _check_words(path: Path, log: bytes) -> None:
    with contextlib.suppress(kit.Refused), kit.refusals():
        for said in read_words(path):
            assert said.service in tuple(Service)
            kit.check_shown(said.shown, 200)
            # A record is dead, or was, by the words that the rule goes by.
            assert b"remove" in log or b"dead_since" in log


def _check_tables(path: Path) -> None:
    """DuckDB finds as many whole bounces as reading line by line does."""
    with open_logs(find_logs([], path)) as opened:
        opened.survey()
        opened.notes()
        opened.all("SELECT reason, count(*) FROM bounces GROUP BY reason")
        opened.all("SELECT run, sum(accepted) FROM counts GROUP BY run")
        opened.all("SELECT run, totals FROM finished")
