"""h2spec's client cases 5.1, 5.4 and 6.1 to 6.4: what belongs to one stream."""

from __future__ import annotations

from typing import Final

import pytest

from pushctl.wire.frames import ErrorCode
from wire.authority import Authority
from wire.conformance import Breakdown, Case, StreamError, check
from wire.server import Owner, Peer, in_loop, linked, push, serving
from wire.talk import block, unknown

DATA, HEADERS, PRIORITY, RST, PING, UPDATE, CONTINUATION = 0x0, 0x1, 0x2, 0x3, 0x6, 0x8, 0x9
END_STREAM, END_HEADERS, PADDED = 0x1, 0x4, 0x8

BEGUN: Final = unknown(HEADERS, 1, block(200), END_HEADERS)
ENDED: Final = unknown(HEADERS, 1, block(200), END_HEADERS | END_STREAM)
FIELD: Final = b"\x00\x01x\x01y"
CANCELLED: Final = unknown(RST, 1, b"\0\0\0\x08")
LENIENT: Final = (
    "RFC 7540 wanted a connection error, RFC 9113 leaves it open: a stream error, so that no other"
    " push is put in doubt"
)
PROTOCOL: Final = Breakdown(ErrorCode.PROTOCOL_ERROR)
FRAME_SIZE: Final = Breakdown(ErrorCode.FRAME_SIZE_ERROR)
CLOSED: Final = StreamError(ErrorCode.STREAM_CLOSED)

STATES: Final = (
    Case("5.1/1", "5.1", "DATA on an idle stream.", unknown(DATA, 2, b"test", 1), PROTOCOL),
    Case("5.1/2", "5.1", "RST_STREAM on an idle stream.", unknown(RST, 2, b"\0\0\0\x08"), PROTOCOL),
    Case("5.1/3", "5.1", "WINDOW_UPDATE on an idle one.", unknown(UPDATE, 2, b"\0\0\0d"), PROTOCOL),
    Case(
        "5.1/4",
        "5.1",
        "CONTINUATION on an idle stream.",
        unknown(CONTINUATION, 2, block(200), END_HEADERS),
        PROTOCOL,
    ),
    Case(
        "5.1/5",
        "5.1",
        "DATA after the server's own RST_STREAM.",
        BEGUN + CANCELLED + unknown(DATA, 1, b"test", END_STREAM),
        CLOSED,
        one=200,
    ),
    Case(
        "5.1/6",
        "5.1",
        "HEADERS after the server's own RST_STREAM.",
        BEGUN + CANCELLED + ENDED,
        CLOSED,
        one=200,
    ),
    Case(
        "5.1/7",
        "5.1",
        "CONTINUATION after the server's own RST_STREAM.",
        BEGUN + CANCELLED + unknown(CONTINUATION, 1, FIELD, END_HEADERS),
        PROTOCOL,
        one=200,
        choice="PROTOCOL_ERROR (section 6.10) and not STREAM_CLOSED: no header block was open",
    ),
    Case(
        "5.1/8",
        "5.1",
        "DATA after END_STREAM.",
        ENDED + unknown(DATA, 1, b"test", END_STREAM),
        CLOSED,
        one=200,
        choice=LENIENT,
    ),
    Case(
        "5.1/9", "5.1", "HEADERS after END_STREAM.", ENDED + ENDED, CLOSED, one=200, choice=LENIENT
    ),
    Case(
        "5.1/10",
        "5.1",
        "CONTINUATION after END_STREAM.",
        ENDED + unknown(CONTINUATION, 1, FIELD, END_HEADERS),
        PROTOCOL,
        one=200,
        choice="PROTOCOL_ERROR (section 6.10) and not STREAM_CLOSED: no header block was open",
    ),
    Case(
        "5.1.1/1",
        "5.1.1",
        "HEADERS on a stream that we never opened.",
        unknown(HEADERS, 101, block(200), END_HEADERS | END_STREAM),
        PROTOCOL,
    ),
)

ERRORS: Final = (
    Case(
        "5.4.1/2",
        "5.4.1",
        "A connection error is told to the server by GOAWAY.",
        unknown(PING, 3, bytes(8)),
        PROTOCOL,
    ),
)
CLOSES_TCP: Final = "5.4.1/1"
"""Played over a real connection, below."""

FRAMES: Final = (
    Case("6.1/1", "6.1", "DATA on stream 0.", unknown(DATA, 0, b"test", 1), PROTOCOL),
    Case(
        "6.1/2",
        "6.1",
        "DATA on a stream whose answer has ended.",
        ENDED + unknown(DATA, 1, b"test", END_STREAM),
        CLOSED,
        one=200,
    ),
    Case(
        "6.1/3",
        "6.1",
        "DATA with as much padding as payload, or more.",
        BEGUN + unknown(DATA, 1, b"\x06Test", END_STREAM | PADDED),
        PROTOCOL,
        one=200,
    ),
    Case(
        "6.2/1",
        "6.2",
        "HEADERS without END_HEADERS, then PRIORITY.",
        unknown(HEADERS, 1, block(200))
        + unknown(PRIORITY, 1, b"\0\0\0\0\xff")
        + unknown(CONTINUATION, 1, FIELD, END_HEADERS),
        PROTOCOL,
    ),
    Case("6.2/2", "6.2", "HEADERS on stream 0.", unknown(HEADERS, 0, block(200), 5), PROTOCOL),
    Case(
        "6.2/3",
        "6.2",
        "HEADERS with more padding than payload.",
        unknown(HEADERS, 1, b"\x11" + block(200), PADDED),
        PROTOCOL,
    ),
    Case("6.3/1", "6.3", "PRIORITY on stream 0.", unknown(PRIORITY, 0, b"\0\0\0\0\xff"), PROTOCOL),
    Case(
        "6.3/2",
        "6.3",
        "PRIORITY of four octets, even for a stream that has ended.",
        ENDED + unknown(PRIORITY, 1, b"\x80\0\0\x01"),
        StreamError(ErrorCode.FRAME_SIZE_ERROR),
        one=200,
    ),
    Case("6.4/1", "6.4", "RST_STREAM on stream 0.", unknown(RST, 0, b"\0\0\0\x08"), PROTOCOL),
    Case("6.4/2", "6.4", "RST_STREAM on an idle one.", unknown(RST, 2, b"\0\0\0\x08"), PROTOCOL),
    Case(
        "6.4/3",
        "6.4",
        "RST_STREAM of three octets.",
        ENDED + unknown(RST, 1, b"\0\0\0"),
        FRAME_SIZE,
        one=200,
    ),
)
CASES: Final = (*STATES, *ERRORS, *FRAMES)


@pytest.mark.parametrize("case", STATES, ids=str)
def test_stream_states(case: Case) -> None:
    """What comes on a stream that is idle or over (RFC 9113 section 5.1)."""
    check(case)


@pytest.mark.parametrize("case", ERRORS, ids=str)
def test_errors_are_told(case: Case) -> None:
    """A connection error ends with GOAWAY and its code (RFC 9113 section 5.4.1)."""
    check(case)


@pytest.mark.parametrize("case", FRAMES, ids=str)
def test_frames_of_a_stream(case: Case) -> None:
    """DATA, HEADERS, PRIORITY and RST_STREAM (RFC 9113 sections 6.1 to 6.4)."""
    check(case)


@in_loop
async def test_a_connection_error_closes_the_socket(authority: Authority) -> None:
    """h2spec 5.4.1/1: after GOAWAY the TCP connection is closed (RFC 9113 section 5.4.1)."""
    peers: list[Peer] = []

    class Wrong(Peer):
        def __init__(self) -> None:
            super().__init__()
            peers.append(self)
            self.heard = b""

        def data_received(self, data: bytes) -> None:
            self.heard += data

    owner = Owner()
    async with (
        serving(Wrong, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link)
        peers[0].transport.write(unknown(PING, 3, bytes(8)))
        closed = await owner.closed()
        lost = await peers[0].lost

    assert lost is None  # orderly, not cut
    assert ErrorCode.PROTOCOL_ERROR == closed.code
    assert closed.why.encode() in peers[0].heard  # type: ignore[attr-defined]
