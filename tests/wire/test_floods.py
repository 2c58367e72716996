"""
Floods: each is borne up to a limit, at little cost, and then ends with a name.

Nothing here is timed.  Work is counted in lines of Python that ran, memory in bytes; both are
bounded for the whole of an attack, and the figures are printed (``pytest -s``).
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterator
from typing import Final

import hpack
import pytest
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    PingFrame,
    PriorityFrame,
    SettingsFrame,
)

from pushctl.wire.connection import ABOVE_GOAWAY, NEVER_WRITTEN, Connection
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from pushctl.wire.frames import ErrorCode
from wire.meter import peak_of, work_of
from wire.talk import HEAD, answer, block, serial, unknown

DATA, HEADERS, RST, SETTINGS, GOAWAY, UPDATE, CONTINUATION = 0x0, 0x1, 0x3, 0x4, 0x7, 0x8, 0x9
CHUNK: Final = 2048
MOST_WORK: Final = 1_500_000
"""Lines of Python for a whole attack: a tenth of a second or so."""
MOST_MEMORY: Final = 2 << 20
GIVE_UP: Final = 256 << 20
"""Octets after which an attack has plainly not been stopped."""


@dataclasses.dataclass(frozen=True)
class Attack:
    """What a hostile server says while many requests are in flight, and how it ends."""

    words: str
    repeats: bytes | Callable[[int], bytes]
    """What it says again and again, by the number of the time."""
    borne: int
    """How often at least."""
    before: bytes = b""
    code: ErrorCode = ErrorCode.ENHANCE_YOUR_CALM
    requests: int = 1000
    window: int | None = None
    """SETTINGS_INITIAL_WINDOW_SIZE."""
    body: bytes = b"{}"
    acknowledged: bool = True
    work: int = MOST_WORK
    memory: int = MOST_MEMORY


@dataclasses.dataclass
class Course:
    """How an attack went."""

    client: Connection
    events: list[Event] = dataclasses.field(default_factory=list)
    times: int = 0
    octets: int = 0
    written: int = 0


def prepare(attack: Attack) -> Course:
    """Return a client with requests in flight, and two more that were not written yet."""
    client = Connection(now=0.0)
    client.start()
    pairs = {SettingsFrame.MAX_CONCURRENT_STREAMS: 4096}
    if attack.window is not None:
        pairs[SettingsFrame.INITIAL_WINDOW_SIZE] = attack.window
    client.receive(serial(SettingsFrame(0, settings=pairs)), 0.0)
    if attack.acknowledged:
        client.receive(serial(SettingsFrame(0, flags=["ACK"])), 0.0)
    for tag in range(attack.requests):
        client.request(HEAD.block(b"/3/device/%064x" % tag), attack.body, tag, 0.0)
    client.take_output()
    for tag in range(attack.requests, attack.requests + 2):
        client.request(HEAD.block(b"/3/device/%064x" % tag), b"", tag, 0.0)
    return Course(client)


def suffer(attack: Attack, course: Course) -> None:
    """Let the server have its way until the connection is closed; nothing is written."""
    client = course.client
    course.events += client.receive(attack.before, 0.0)
    for chunk, times in chunks(attack.repeats):
        course.events += client.receive(chunk, 0.0)
        course.octets += len(chunk)
        if client.closed:
            break
        course.times += times
        assert course.octets < GIVE_UP, "nothing stops it"


def chunks(repeats: bytes | Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield what a socket would hand over, and how many repetitions are in it."""
    if isinstance(repeats, bytes):
        times = max(1, CHUNK // len(repeats))
        while True:
            yield repeats * times, times
    number = 0
    while True:
        yield repeats(number), 1
        number += 1


def update(stream: int, octets: int) -> bytes:
    return unknown(UPDATE, stream, struct.pack(">I", octets))


def windows(*octets: int) -> bytes:
    pairs = b"".join(struct.pack(">HI", 4, one) for one in octets)
    return unknown(SETTINGS, 0, pairs)


def huffman_block() -> bytes:
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode([(":status", "400"), ("x", "0" * 15_000)], huffman=True)


def table_bomb() -> bytes:
    """A block that puts 4 KB into the table and then names them 10,000 times, a byte each."""
    entry = b"\x40\x01x\x7f\x81\x1e" + b"v" * 3968
    return block(200) + entry + b"\xbe" * 10_000


def many_fields(number: int) -> bytes:
    """Return a block of a hundred fields, none of which came before."""
    fields = (b"\x00\x04%04x\x05%05x" % (n, (99 * number + n) & 0xFFFFF) for n in range(99))
    return b"\x08\x03400" + b"".join(fields)


def begun(requests: int, octets: int = 0) -> bytes:
    """Return the beginning of an answer on every stream."""
    parts = (
        unknown(HEADERS, 2 * n + 1, block(400), 4)
        + (unknown(DATA, 2 * n + 1, b"x" * octets) if octets else b"")
        for n in range(requests)
    )
    return b"".join(parts)


HEAD_ONLY: Final = unknown(HEADERS, 1, block(400), 4)
MOST_STREAMS: Final = 4096
SMALL = "too many small or empty DATA frames"
USELESS = "too many useless frames"
UPDATES = "too many useless window updates"
ASKED = "too many acknowledgements"
LIST = "header list that is too long"

ATTACKS: Final = {
    "PING": Attack(ASKED, serial(PingFrame(0, b"12345678")), 900),
    "SETTINGS": Attack(ASKED, unknown(SETTINGS, 0, b"\0\3\0\0\0d"), 900),
    "SETTINGS that move every window": Attack(
        USELESS,
        windows(*[100, 65_535] * 15, 100) + windows(*[65_535, 100] * 15, 65_535),
        30,
        before=b"".join(update(2 * n + 1, 1) for n in range(MOST_STREAMS - 2)),
        requests=MOST_STREAMS - 2,
        work=3_000_000,
    ),
    "stray PING acknowledgements": Attack(
        USELESS, serial(PingFrame(0, b"12345678", flags=["ACK"])), 9000
    ),
    "stray SETTINGS acknowledgements": Attack(
        USELESS, serial(SettingsFrame(0, flags=["ACK"])), 5000
    ),
    "empty DATA": Attack(SMALL, serial(DataFrame(1, b"")), 0, before=HEAD_ONLY),
    "padding": Attack(
        SMALL, serial(DataFrame(1, b"", pad_length=255, flags=["PADDED"])), 0, before=HEAD_ONLY
    ),
    "a body in single bytes": Attack(SMALL, serial(DataFrame(1, b"x")), 0, before=HEAD_ONLY),
    "a body without an end": Attack(
        USELESS, unknown(DATA, 1, b"x" * 16_384), 10_000, before=HEAD_ONLY
    ),
    "unfinished answers": Attack(
        "leaves too many answers unfinished",
        lambda n: begun(MOST_STREAMS - 2) if n == 0 else unknown(DATA, 2 * n - 1, b"x" * 16_384),
        2000,
        requests=MOST_STREAMS - 2,
        memory=(32 << 20) + (12 << 20),
    ),
    "answers of many fields, unfinished": Attack(
        "header list of too many fields",
        lambda n: unknown(HEADERS, 2 * n + 1, many_fields(n) + b"\x88" * (n == 999), 4),
        999,
        work=4_000_000,
        memory=16 << 20,
    ),
    "DATA on a finished stream": Attack(
        USELESS, serial(DataFrame(1, b"x" * 1000)), 9000, before=answer(1)
    ),
    "HEADERS on a finished stream": Attack(USELESS, answer(1), 9000, before=answer(1)),
    "long blocks on a finished stream": Attack(
        USELESS, unknown(HEADERS, 1, huffman_block(), 5), 60, before=answer(1), work=8_000_000
    ),
    "HEADERS without a field": Attack(
        USELESS, lambda n: unknown(HEADERS, 2 * (n % 1000) + 1, b"", 5), 10_000
    ),
    "empty CONTINUATION": Attack(
        "too many CONTINUATION",
        unknown(CONTINUATION, 1, b""),
        0,
        before=unknown(HEADERS, 1, b"\x88", 1),
    ),
    "a header block without an end": Attack(
        LIST, unknown(CONTINUATION, 1, b"\x82" * 16_384), 0, before=unknown(HEADERS, 1, b"\x88", 1)
    ),
    "a long header list": Attack(
        LIST, unknown(HEADERS, 1, block(400) + b"\x00\x01a\x00" * 4000, 4), 0
    ),
    "a header list of many fields": Attack(
        "header list of too many fields",
        unknown(HEADERS, 1, block(400) + b"\x00\x01a\x00" * 100, 4),
        0,
    ),
    "an HPACK bomb": Attack(
        LIST, unknown(HEADERS, 1, table_bomb(), 4), 0, acknowledged=False, code=ErrorCode(0xB)
    ),
    "an HPACK integer without an end": Attack(
        "undecodable header block",
        unknown(HEADERS, 1, b"\x7f" + b"\xff" * 16_000, 5),
        0,
        code=ErrorCode.COMPRESSION_ERROR,
    ),
    "1xx": Attack("informational", unknown(HEADERS, 1, block(103), 4), 0),
    "1xx on every stream": Attack(
        "informational",
        lambda n: unknown(HEADERS, 2 * (n % 1000) + 1, block(103), 4),
        10_000,
        work=4_000_000,
    ),
    "resets": Attack("too many resets", unknown(RST, 1, bytes(4)), 1000, before=answer(1)),
    "PRIORITY": Attack(USELESS, serial(PriorityFrame(3)), 9000),
    "unknown frames": Attack(USELESS, unknown(0xFE, 0), 9000),
    "window updates": Attack(UPDATES, update(0, 1), 10_000),
    "window updates of a stream": Attack(UPDATES, update(1, 1), 10_000),
    "window updates of a finished stream": Attack(UPDATES, update(1, 1), 10_000, before=answer(1)),
    "window updates while thousands wait": Attack(
        UPDATES, update(0, 1), 10_000, requests=2600, window=0, body=b"x" * 25
    ),
    "GOAWAY": Attack(
        USELESS,
        serial(GoAwayFrame(0, 2**31 - 1, 0)),
        100,
        requests=MOST_STREAMS - 2,
    ),
    "GOAWAY that falls": Attack(
        USELESS,
        lambda n: serial(GoAwayFrame(0, 2 * (MOST_STREAMS - n), 0)),
        100,
        requests=MOST_STREAMS - 2,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_flood(name: str) -> None:
    """A flood ends the connection by a name, at a bounded cost, and each push has its class."""
    attack = ATTACKS[name]
    measured = prepare(attack)
    _, work = work_of(lambda: suffer(attack, measured))
    course = prepare(attack)
    _, peak = peak_of(lambda: suffer(attack, course))
    print(f"{name}: {course.octets:,} octets, {work:,} lines, {peak:,} bytes")

    closed = course.events[-1]
    assert isinstance(closed, Closed)
    assert attack.words in closed.why
    assert attack.code == closed.code
    assert course.times >= attack.borne
    assert work < attack.work
    assert peak < attack.memory
    assert len(course.client.take_output()) < 200
    check_classes(attack, course, closed)


def check_classes(attack: Attack, course: Course, closed: Closed) -> None:
    """What was never written is free, what a GOAWAY excludes too; all else was answered or is not
    known."""
    *outcomes, _ = course.events
    assert sorted(event[0] for event in outcomes) == list(range(attack.requests + 2))
    last = course.client.goaway.last_stream_id if course.client.goaway else 2**31 - 1
    for event in outcomes:
        tag = event[0]
        assert isinstance(tag, int)
        if tag >= attack.requests:
            assert Unprocessed(tag, NEVER_WRITTEN) == event
        elif 2 * tag + 1 > last:
            assert Unprocessed(tag, ABOVE_GOAWAY) == event
        else:
            assert isinstance(event, Answer | Unanswered)
    unknown_ones = [event for event in outcomes if isinstance(event, Unanswered)]
    assert {event.why for event in unknown_ones} <= {closed.why, "the answer was malformed"}
