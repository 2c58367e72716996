"""
Anything that a server may send over HTTP/2, cut anyhow.

The first bytes decide the circumstances, all others come from the server.  Whatever it says:
nothing raises; each request is reported once, and the end at most once; the cut changes nothing,
and recognising an answer without decoding it changes nothing but its fields, unless these cannot
be decoded; what is written stays in proportion to what came, and is frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hyperframe.frame import (
    ContinuationFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from fuzz.draw import Draw
from fuzz.events import bare, found_by_decoding
from pushctl.wire import frames
from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer, Closed, Event
from wire import talk

EXECUTIONS = 10_000
REQUESTS = 4
WORDS = (
    *(b"\x88", b"\x20\x88", b"HTTP/1.1 ", b'{"reason":"Unregistered"}', b"\x08\x03410"),
    *(b"\x00\x00\x04%c\x00\x00\x00\x00" % kind for kind in b"\x03\x08"),
    *(b"\x00\x00\x00\x04\x01\x00\x00\x00\x00", b"\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88"),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    begun, acknowledged, written = draw.chance(), draw.chance(), draw.chance()
    sizes = Draw(draw.take(draw.below(16)))
    server = draw.rest()

    def played(pieces: Iterable[bytes], *, decode: bool = False) -> tuple[list[Event], bytes]:
        connection = Connection(now=0.0, decode_accepted=decode)
        connection.start()
        events: list[Event] = []
        requests = 0
        output = connection.take_output()
        if begun:
            events += connection.receive(talk.opening(ack=acknowledged), 0.0)
            requests = REQUESTS
            for tag in range(requests):
                connection.request(talk.HEAD.block(b"/3/device/%02x" % tag), b"{}", tag, 0.0)
            if written:
                output += connection.take_output()
        before = len(output)
        for piece in pieces:
            events += connection.receive(piece, 0.0)
        output += connection.take_output()
        assert len(output) - before <= 4 * len(server) + 1_000
        events += connection.lost("the end")
        _settled(events, requests, len(server))
        return events, output

    events, output = played([server])
    assert (events, output) == played(sizes.cut(server))
    decoded, same_output = played([server], decode=True)
    if not found_by_decoding(decoded):
        assert bare(events) == bare(decoded)
        assert output == same_output
    _parsed(output)


def seeds() -> Iterator[bytes]:
    """Yield what servers do say, one thing at a time and all at once."""
    begun, fresh = b"\x01\x01\x01\x00", b"\x00\x00\x00\x00"
    refusal = talk.block(410, [("apns-id", talk.APNS_ID)])
    said = [
        talk.answer(1),
        talk.answer(3, 410, b'{"reason":"Unregistered"}', [("apns-id", talk.APNS_ID)]),
        talk.serial(
            HeadersFrame(5, refusal[:9], flags=["END_STREAM"]),
            ContinuationFrame(5, refusal[9:], flags=["END_HEADERS"]),
        ),
        talk.serial(HeadersFrame(7, talk.block(103), flags=["END_HEADERS"])) + talk.answer(7),
        talk.serial(RstStreamFrame(3, 7), RstStreamFrame(5, 2)),
        talk.serial(SettingsFrame(0, settings={3: 1, 4: 10, 5: 20_000})),
        talk.serial(WindowUpdateFrame(0, 1000), WindowUpdateFrame(7, 1000)),
        talk.serial(PingFrame(0, b"12345678"), GoAwayFrame(0, 5, 0, b'{"reason":"Shutdown"}')),
    ]
    yield fresh + talk.opening()
    yield fresh + b"HTTP/1.1 400 Bad Request\r\n\r\n"
    yield from (begun + each for each in said)
    yield begun + b"".join(said)


def _settled(events: list[Event], requests: int, received: int) -> None:
    """Assert that each of *requests* was reported once, and nothing was made up."""
    tags = [event.tag for event in events if not isinstance(event, Closed)]
    assert sorted(map(str, tags)) == [str(tag) for tag in range(requests)]
    assert sum(isinstance(event, Closed) for event in events) == 1
    answers = [event for event in events if isinstance(event, Answer)]
    assert sum(len(answer.body) for answer in answers) <= received
    assert all(200 <= answer.status <= 999 for answer in answers)


def _parsed(output: bytes) -> None:
    """Assert that *output* is the preface and whole frames, each request on a fresh stream."""
    assert output.startswith(frames.PREFACE)
    at, last = len(frames.PREFACE), 0
    while at < len(output):
        frame, length = Frame.parse_frame_header(memoryview(output[at : at + 9]), strict=True)
        frame.parse_body(memoryview(output[at + 9 : at + 9 + length]))
        at += 9 + length
        if frame.type == frames.HEADERS:
            assert frame.stream_id == (last + 2 if last else 1)
            last = frame.stream_id
    assert at == len(output)
