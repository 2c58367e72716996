"""Padding and priority fields around the content of DATA and HEADERS (RFC 9113 section 6)."""

from __future__ import annotations

from pushctl.wire import frames
from pushctl.wire.faults import frame_size, protocol

_PRIORITY_BYTES = 5


def unpadded(what: str, flags: int, payload: bytes, *, prioritised: bool) -> bytes:
    """
    Return *payload* of a *what* frame without padding and, if *prioritised*, priority fields.

    Raises :class:`~pushctl.wire.faults.Fault`: FRAME_SIZE_ERROR if those fields themselves are
    missing (section 4.2), PROTOCOL_ERROR if there is more padding than room (sections 6.1, 6.2).
    """
    start = 0
    end = len(payload)
    if flags & frames.PADDED:
        if not payload:
            raise frame_size(f"the server sent {what} without the length of its padding")
        start = 1
        end -= payload[0]
    if prioritised and flags & frames.PRIORITISED:
        start += _PRIORITY_BYTES
        if start > len(payload):
            raise frame_size(f"the server sent {what} without its priority fields")
    if start > end:
        raise protocol(f"the server sent {what} with more padding than room")
    return payload[start:end]
