"""
Servers that are slow, endless or deaf: no request waits longer than its timeout.

Time is virtual: a second passes from one word of the server to the next.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pushctl.wire.connection import NEVER_WRITTEN, TIMED_OUT, Connection
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from wire.talk import BODY, HEAD, answer, block, opening, unknown

DATA, HEADERS, CONTINUATION = 0x0, 0x1, 0x9
TIMEOUT_S = 30
REFUSAL = unknown(HEADERS, 1, block(429), 4)
LONG = answer(1, 429, fields=[("x-long", "v" * 60)])


def drip(data: bytes) -> Callable[[int], bytes]:
    return lambda second: data[second - 1 : second]


# What the server says in each second, and what becomes of the push.
SLOW: dict[str, tuple[Callable[[int], bytes], Event]] = {
    "says nothing": (lambda second: b"", Unanswered(1, TIMED_OUT)),
    "begins with HEADERS a byte a second": (drip(LONG), Unanswered(1, TIMED_OUT)),
    "sends a body a byte a second": (
        lambda second: REFUSAL if second == 1 else unknown(DATA, 1, b"x"),
        Answer(1, 429, [(":status", "429")], b"x" * 28),
    ),
    "sends a body of full frames without an end": (
        lambda second: (REFUSAL if second == 1 else b"") + unknown(DATA, 1, b"x" * 8000),
        Answer(1, 429, [(":status", "429")], b"x" * 65_536),
    ),
    "never ends a body that it began": (
        lambda second: REFUSAL if second == 1 else b"",
        Answer(1, 429, [(":status", "429")], b""),
    ),
    "promises one header block for ever": (
        lambda second: unknown(HEADERS, 1, b"\x88", 0) if second == 1 else b"",
        Unanswered(1, TIMED_OUT),
    ),
    "says 103 every five seconds": (
        lambda second: b"" if second % 5 else unknown(HEADERS, 1, block(103), 4),
        Unanswered(1, TIMED_OUT),
    ),
    "answers the moment after": (
        lambda second: answer(1) if second == TIMEOUT_S else b"",
        Unanswered(1, TIMED_OUT),
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_server_that(name: str) -> None:
    """A slow answer ends the request at its deadline, with what is known; the connection lives."""
    says, expected = SLOW[name]
    client = begun()
    client.request(HEAD.block(b"/3/device/01"), BODY, 1, 0.0)
    client.take_output()
    events: list[Event] = []
    ended = None
    for second in range(1, TIMEOUT_S + 3):
        events += client.expire(float(second))
        if events and ended is None:
            ended = second
        events += client.receive(says(second), float(second))
        client.take_output()

    assert [expected] == events
    assert ended == TIMEOUT_S
    assert not client.closed
    assert 0 == client.open_streams
    assert {} == client._replies


def begun(streams: int = 100) -> Connection:
    client = Connection(now=0.0, request_timeout_s=TIMEOUT_S)
    client.start()
    client.receive(opening(streams), 0.0)
    client.take_output()
    return client


def test_a_header_block_without_an_end_is_cut_off() -> None:
    """A CONTINUATION a second ends the connection with the ninth, long before the deadline."""
    client = begun()
    client.request(HEAD.block(b"/3/device/01"), BODY, 1, 0.0)
    client.take_output()
    events = client.receive(unknown(HEADERS, 1, b"\x88", 0), 0.0)
    second = 0
    while not client.closed:
        second += 1
        events += client.receive(unknown(CONTINUATION, 1, b"\x00\x01x\x01y"), float(second))

    assert 9 == second
    assert "CONTINUATION" in str(events[-1])
    assert Unanswered(1, "the server sent too many CONTINUATION frames") == events[0]


def test_a_server_that_reads_nothing() -> None:
    """
    Where no byte can be written, requests end as never sent, and what waits does not grow.

    Such a server can still talk: what it makes us queue has a limit of its own.
    """
    client = begun(1000)
    for tag in range(1000):
        client.request(HEAD.block(b"/3/device/01"), BODY, tag, 0.0)
    waiting = sum(map(len, client._outbox.pieces))
    early = client.expire(TIMEOUT_S - 1)
    events = client.expire(TIMEOUT_S)
    left = sum(map(len, client._outbox.pieces))
    ping = unknown(6, 0, b"12345678")
    fine = client.receive(ping * 1000, TIMEOUT_S)
    flood = client.receive(ping, TIMEOUT_S)

    assert waiting < 1000 * 200
    assert [] == early
    assert [Unprocessed(tag, NEVER_WRITTEN) for tag in range(1000)] == events
    assert 0 == left
    assert [] == fine
    assert [Closed("the server asked for too many acknowledgements", 11, b"")] == flood


def test_a_window_that_never_opens() -> None:
    """With no room for bodies few requests are begun; they end in doubt, for HEADERS went out."""
    client = begun(4000)
    client.receive(unknown(4, 0, b"\0\4\0\0\0\0"), 0.0)
    tag = 0
    while client.capacity():
        client.request(HEAD.block(b"/3/device/01"), b"b" * 4096, tag, 0.0)
        tag += 1
    client.take_output()
    events = client.expire(TIMEOUT_S)

    assert 16 == tag
    assert [Unanswered(one, TIMED_OUT) for one in range(tag)] == events
    assert 0 == client._outbox.unsent
    assert {} == client._outbox.parked
    assert client.capacity() > 0


def test_no_stream_for_ever() -> None:
    """With a stream limit of 0 nothing is sent, so nothing can be in doubt."""
    client = begun(0)
    rooms = {client.capacity()}
    for second in range(100):
        client.expire(float(second))
        rooms.add(client.capacity())

    assert {0} == rooms
    assert not client.closed
    assert b"" == client.take_output()


def test_answers_that_never_end_are_forgotten() -> None:
    """What is kept of unfinished answers is given back with the requests, at each deadline."""
    client = begun(1000)
    for era in range(20):
        now = float(era * (TIMEOUT_S + 1))
        events = []
        for tag in range(400):
            client.request(HEAD.block(b"/3/device/01"), b"", tag, now)
        client.take_output()
        for number in range(400):
            stream = 2 * (400 * era + number) + 1
            part = (
                unknown(HEADERS, stream, block(429), 4) + unknown(DATA, stream, b"x" * 16_384) * 4
            )
            events += client.receive(part, now)
            client.take_output()
        assert [] == events
        events = client.expire(now + TIMEOUT_S)
        client.take_output()

        assert [65_536] * 400 == [len(event.body) for event in events if isinstance(event, Answer)]
        assert 0 == client._guard._held
