"""
HTTP/2 frames as bytes: the numbers of RFC 9113 and how to pack them.

Frame types and flags are plain integers: the hot path compares them a hundred thousand times a
second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes a client sends (RFC 9113 section 3.4)."""

HEADER: Final = struct.Struct(">IBI")
"""A frame header: length shifted left by 8 bits plus type, flags, stream (section 4.1)."""
HEADER_BYTES: Final = 9

# Frame types (RFC 9113 section 6).
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

# Flags.  ACK and END_STREAM share a bit; they belong to different frame types.
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITISED: Final = 0x20

# Settings (section 6.5.2).
HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6

SETTING: Final = struct.Struct(">HI")
NUMBER: Final = struct.Struct(">I")

STREAM_MASK: Final = 0x7FFFFFFF
MAX_STREAM: Final = 0x7FFFFFFF
MAX_WINDOW: Final = 0x7FFFFFFF
DEFAULT_TABLE_SIZE: Final = 4_096
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME_SIZE: Final = 16_384
LARGEST_FRAME_SIZE: Final = 0xFFFFFF


class ErrorCode(IntEnum):
    """Why a stream or a connection ended (RFC 9113 section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


def error_name(code: int) -> str:
    """Return the RFC's name of *code*, or its hexadecimal number if it has none."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return f"0x{code:x}"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one whole frame."""
    return HEADER.pack(len(payload) << 8 | kind, flags, stream) + payload


SETTINGS_ACK: Final = frame(SETTINGS, ACK, 0)


def settings(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Return a SETTINGS frame that announces *pairs* of (identifier, value)."""
    return frame(SETTINGS, 0, 0, b"".join(SETTING.pack(*pair) for pair in pairs))


def rst_stream(stream: int, code: int) -> bytes:
    """Return a RST_STREAM frame that ends *stream* with *code*."""
    return frame(RST_STREAM, 0, stream, NUMBER.pack(code))


def window_update(stream: int, octets: int) -> bytes:
    """Return a WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream, NUMBER.pack(octets))


def ping(payload: bytes, *, ack: bool = False) -> bytes:
    """Return a PING frame around the eight bytes of *payload*."""
    return frame(PING, ACK if ack else 0, 0, payload)


def goaway(last_stream: int, code: int, debug: bytes = b"") -> bytes:
    """Return a GOAWAY frame."""
    return frame(GOAWAY, 0, 0, NUMBER.pack(last_stream) + NUMBER.pack(code) + debug)
