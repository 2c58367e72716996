"""h2spec's client cases 1, 4 and 5.5: the preface, how frames are built, what is not known."""

from __future__ import annotations

from typing import Final

import pytest

from pushctl.wire.frames import ErrorCode
from wire.conformance import PING, PONG, Breakdown, Case, GoesOn, check
from wire.talk import block, opening, unknown

DATA, HEADERS, PINGS = 0x0, 0x1, 0x6
EMPTY_PONG: Final = unknown(PINGS, 0, bytes(8), 1)
ACK: Final = unknown(0x4, 0, b"", 1)

CASES: Final = (
    Case(
        "1/1",
        "3.4",
        "A server's preface, SETTINGS, is taken and acknowledged.",
        opening(ack=False),
        GoesOn(ACK),
        first=True,
    ),
    Case(
        "4.1/1",
        "4.1",
        "A frame of a type that nobody knows is dropped.",
        unknown(0x16, 0, bytes(8)) + unknown(PINGS, 0, PING),
        GoesOn(PONG),
    ),
    Case(
        "4.1/2",
        "4.1",
        "Flags without a meaning are ignored.",
        unknown(PINGS, 0, bytes(8), 0x16),
        GoesOn(EMPTY_PONG),
    ),
    Case(
        "4.1/3",
        "4.1",
        "The reserved bit before the stream id is ignored.",
        unknown(PINGS, 0x8000_0000, bytes(8), 0x16),
        GoesOn(EMPTY_PONG),
    ),
    Case(
        "4.2/1",
        "4.2",
        "A frame may hold 16,384 octets.",
        unknown(HEADERS, 1, block(200), 4)
        + unknown(DATA, 1, b"x" * 16_384, 1)
        + unknown(PINGS, 0, PING),
        GoesOn(PONG),
        one=200,
    ),
    Case(
        "4.2/2",
        "4.2",
        "DATA above that is a FRAME_SIZE_ERROR.",
        unknown(HEADERS, 1, block(200), 4) + unknown(DATA, 1, b"x" * 16_385, 1),
        Breakdown(ErrorCode.FRAME_SIZE_ERROR),
        one=200,
        choice="of the connection, where a stream error would do: such a server is not read on",
    ),
    Case(
        "4.2/3",
        "4.2",
        "HEADERS above that is a FRAME_SIZE_ERROR of the connection.",
        unknown(HEADERS, 1, block(200) + b"\x00" * 16_384, 5),
        Breakdown(ErrorCode.FRAME_SIZE_ERROR),
    ),
    Case(
        "4.3/1",
        "4.3",
        "A header block that cannot be decoded is a COMPRESSION_ERROR of the connection.",
        unknown(HEADERS, 1, b"\x40", 5),
        Breakdown(ErrorCode.COMPRESSION_ERROR),
    ),
    Case(
        "5.5/1",
        "5.5",
        "An extension frame, here between an answer's HEADERS and its DATA, is dropped.",
        unknown(HEADERS, 1, block(200), 4)
        + unknown(0x16, 1, bytes(8))
        + unknown(DATA, 1, b"{}", 1)
        + unknown(PINGS, 0, PING),
        GoesOn(PONG),
        one=200,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_framing(case: Case) -> None:
    """The frame itself: size, type, flags, compression (RFC 9113 sections 3.4, 4 and 5.5)."""
    check(case)
