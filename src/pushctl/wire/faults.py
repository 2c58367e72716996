"""How the protocol code inside this room says that the server broke the protocol."""

from __future__ import annotations

from pushctl.wire.frames import ErrorCode


class Fault(Exception):
    """
    A connection error (RFC 9113 section 5.4.1).

    Never leaves the room: :meth:`~pushctl.wire.connection.Connection.receive` turns it into a
    GOAWAY and a :class:`~pushctl.wire.events.Closed`.
    """

    def __init__(self, code: ErrorCode, why: str) -> None:
        self.code = code
        self.why = why
        super().__init__(why)


def protocol(why: str) -> Fault:
    """Return a PROTOCOL_ERROR."""
    return Fault(ErrorCode.PROTOCOL_ERROR, why)


def frame_size(why: str) -> Fault:
    """Return a FRAME_SIZE_ERROR."""
    return Fault(ErrorCode.FRAME_SIZE_ERROR, why)


def flow_control(why: str) -> Fault:
    """Return a FLOW_CONTROL_ERROR."""
    return Fault(ErrorCode.FLOW_CONTROL_ERROR, why)


def flood(why: str) -> Fault:
    """Return an ENHANCE_YOUR_CALM: allowed frames in a number that only an attack has."""
    return Fault(ErrorCode.ENHANCE_YOUR_CALM, why)
