"""h2spec's client cases 6.5 to 6.10: what belongs to the connection as a whole."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from pushctl.wire.frames import ErrorCode
from wire.conformance import PING, PONG, Breakdown, Case, GoesOn, StreamError, check
from wire.talk import block, unknown

DATA, HEADERS, SETTINGS, PINGS, GOAWAY, UPDATE, CONTINUATION = 0x0, 0x1, 0x4, 0x6, 0x7, 0x8, 0x9
END_STREAM, END_HEADERS = 0x1, 0x4
MOST: Final = b"\x7f\xff\xff\xff"

ACK: Final = unknown(SETTINGS, 0, b"", 1)
BEGUN: Final = unknown(HEADERS, 1, block(200), END_HEADERS)
FIELD: Final = b"\x00\x01x\x7f\xa1\x1e" + b"v" * 4000
PROTOCOL: Final = Breakdown(ErrorCode.PROTOCOL_ERROR)
FRAME_SIZE: Final = Breakdown(ErrorCode.FRAME_SIZE_ERROR)
FLOW_CONTROL: Final = Breakdown(ErrorCode.FLOW_CONTROL_ERROR)


def setting(identifier: int, value: int) -> bytes:
    return unknown(SETTINGS, 0, struct.pack(">HI", identifier, value))


SETTING_CASES: Final = (
    Case(
        "6.5/1",
        "6.5",
        "An acknowledgement with a payload.",
        unknown(SETTINGS, 0, b"\0", 1),
        FRAME_SIZE,
        first=True,
    ),
    Case(
        "6.5/2",
        "6.5",
        "SETTINGS on a stream.",
        unknown(SETTINGS, 1, b"\0\x03\0\0\0d"),
        PROTOCOL,
        first=True,
    ),
    Case(
        "6.5/3",
        "6.5",
        "SETTINGS that are no multiple of six octets.",
        unknown(SETTINGS, 0, b"\0\x03\0"),
        FRAME_SIZE,
        first=True,
    ),
    Case(
        "6.5.2/1",
        "6.5.2",
        "INITIAL_WINDOW_SIZE above 2^31-1.",
        setting(4, 2**31),
        FLOW_CONTROL,
        first=True,
    ),
    Case(
        "6.5.2/2",
        "6.5.2",
        "MAX_FRAME_SIZE below 16,384.",
        setting(5, 16_383),
        PROTOCOL,
        first=True,
    ),
    Case(
        "6.5.2/3",
        "6.5.2",
        "MAX_FRAME_SIZE above 2^24-1.",
        setting(5, 2**24),
        PROTOCOL,
        first=True,
    ),
    Case(
        "6.5.2/4",
        "6.5.2",
        "A setting that nobody knows is ignored.",
        setting(0xFF, 1) + unknown(PINGS, 0, PING),
        GoesOn(ACK + PONG),
        first=True,
    ),
    Case(
        "6.5.3/1",
        "6.5.3",
        "SETTINGS are acknowledged at once.",
        setting(3, 100),
        GoesOn(ACK),
        first=True,
    ),
)

PING_CASES: Final = (
    Case("6.7/1", "6.7", "PING is answered alike.", unknown(PINGS, 0, PING), GoesOn(PONG)),
    Case(
        "6.7/2",
        "6.7",
        "An answer to PING is not answered.",
        unknown(PINGS, 0, b"invalid\0", 1) + unknown(PINGS, 0, PING),
        GoesOn(PONG),
    ),
    Case("6.7/3", "6.7", "PING on a stream.", unknown(PINGS, 1, bytes(8)), PROTOCOL),
    Case("6.7/4", "6.7", "PING of six octets.", unknown(PINGS, 0, bytes(6)), FRAME_SIZE),
    Case("6.8/1", "6.8", "GOAWAY on a stream.", unknown(GOAWAY, 1, bytes(8)), PROTOCOL),
)

WINDOW_CASES: Final = (
    Case("6.9/1", "6.9", "The connection widened by 0.", unknown(UPDATE, 0, bytes(4)), PROTOCOL),
    Case(
        "6.9/2",
        "6.9",
        "A stream widened by 0.",
        BEGUN + unknown(UPDATE, 1, bytes(4)),
        StreamError(ErrorCode.PROTOCOL_ERROR),
        one=200,
    ),
    Case("6.9/3", "6.9", "WINDOW_UPDATE of three.", unknown(UPDATE, 0, b"\0\0\1"), FRAME_SIZE),
    Case(
        "6.9.1/1",
        "6.9.1",
        "The connection's window above 2^31-1.",
        unknown(UPDATE, 0, MOST) * 2,
        FLOW_CONTROL,
    ),
    Case(
        "6.9.1/2",
        "6.9.1",
        "A stream's window above 2^31-1.",
        BEGUN + unknown(UPDATE, 1, MOST) * 2,
        StreamError(ErrorCode.FLOW_CONTROL_ERROR),
        one=200,
    ),
)

CONTINUATION_CASES: Final = (
    Case(
        "6.10/1",
        "6.10",
        "A block in three pieces is one block.",
        unknown(HEADERS, 1, block(200), END_STREAM)
        + unknown(CONTINUATION, 1, FIELD)
        + unknown(CONTINUATION, 1, FIELD, END_HEADERS)
        + unknown(PINGS, 0, PING),
        GoesOn(PONG),
        one=200,
        choice="up to eight CONTINUATION frames, and 16 KiB in all",
    ),
    Case(
        "6.10/2",
        "6.10",
        "DATA inside a header block.",
        unknown(HEADERS, 1, block(200))
        + unknown(CONTINUATION, 1, FIELD)
        + unknown(DATA, 1, b"test", END_STREAM),
        PROTOCOL,
    ),
    Case(
        "6.10/3",
        "6.10",
        "CONTINUATION on stream 0.",
        unknown(HEADERS, 1, block(200), END_STREAM) + unknown(CONTINUATION, 0, FIELD, END_HEADERS),
        PROTOCOL,
    ),
    Case(
        "6.10/4",
        "6.10",
        "CONTINUATION after HEADERS that were whole.",
        unknown(HEADERS, 1, block(200), END_STREAM | END_HEADERS)
        + unknown(CONTINUATION, 1, FIELD, END_HEADERS),
        PROTOCOL,
        one=200,
    ),
    Case(
        "6.10/5",
        "6.10",
        "CONTINUATION after a CONTINUATION that was the last.",
        unknown(HEADERS, 1, block(200), END_STREAM)
        + unknown(CONTINUATION, 1, FIELD, END_HEADERS) * 2,
        PROTOCOL,
        one=200,
    ),
    Case(
        "6.10/6",
        "6.10",
        "CONTINUATION after DATA.",
        unknown(HEADERS, 1, block(200))
        + unknown(DATA, 1, b"test", END_STREAM)
        + unknown(CONTINUATION, 1, FIELD)
        + unknown(CONTINUATION, 0, FIELD, END_HEADERS),
        PROTOCOL,
    ),
)
CASES: Final = (*SETTING_CASES, *PING_CASES, *WINDOW_CASES, *CONTINUATION_CASES)


@pytest.mark.parametrize("case", SETTING_CASES, ids=str)
def test_settings(case: Case) -> None:
    """The server's SETTINGS, its first words (RFC 9113 section 6.5)."""
    check(case)


@pytest.mark.parametrize("case", PING_CASES, ids=str)
def test_ping_and_goaway(case: Case) -> None:
    """PING and GOAWAY (RFC 9113 sections 6.7 and 6.8)."""
    check(case)


@pytest.mark.parametrize("case", WINDOW_CASES, ids=str)
def test_windows(case: Case) -> None:
    """WINDOW_UPDATE (RFC 9113 section 6.9)."""
    check(case)


@pytest.mark.parametrize("case", CONTINUATION_CASES, ids=str)
def test_continuation(case: Case) -> None:
    """Header blocks in pieces (RFC 9113 section 6.10)."""
    check(case)
