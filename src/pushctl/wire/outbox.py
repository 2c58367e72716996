"""
The sending half of a connection: bytes to write, and bodies that wait for flow control.

A push body nearly always fits into both windows and one frame; then it goes out at once and
leaves no trace here.  Only the rest is *parked*.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pushctl.wire import frames
from pushctl.wire.faults import flow_control

_EMPTY_TABLE: Final = b"\x20"
"""A dynamic table size update to 0 (RFC 7541 section 6.3); no block of ours begins so else."""


class _Parked:
    """A request that is not sent in full, or whose stream was given extra credit."""

    __slots__ = ("body", "credit", "sent", "total")

    def __init__(self, body: bytes, sent: int, total: int) -> None:
        self.body = body
        self.sent = sent
        self.total = total
        self.credit = 0


class Outbox:
    """Frames to write in order, and the send windows of RFC 9113 section 5.2."""

    __slots__ = (
        "_ready",
        "_size_update",
        "initial_window",
        "max_frame",
        "parked",
        "pieces",
        "unsent",
        "whole",
        "window",
    )

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        """What :meth:`~pushctl.wire.connection.Connection.take_output` will join."""
        self.window = frames.DEFAULT_WINDOW
        """Octets of DATA the connection may still send; never negative."""
        self.initial_window = frames.DEFAULT_WINDOW
        self.max_frame = frames.DEFAULT_FRAME_SIZE
        self.whole = frames.DEFAULT_FRAME_SIZE
        """Largest body that fits into one DATA frame and a fresh stream's window; 0 where the
        header block needs care as well."""
        self.unsent = 0
        """Octets of parked bodies not sent yet."""
        self.parked: dict[int, _Parked] = {}
        self._ready: dict[int, _Parked] = {}
        """Those that wait for nothing but the connection's window, in the order of waiting."""
        self._size_update: bytes | None = None
        """What the next header block begins with; ``None`` until the server asks for it."""

    def open(self, stream: int, block: bytes, body: bytes) -> None:
        """Queue a request that is not for the plain path: split it, park what is left."""
        if self._size_update:
            block = self._size_update + block
            self._expect_size_update(b"")
        end_stream = 0 if body else frames.END_STREAM
        limit = self.max_frame
        if len(block) <= limit:
            flags = frames.END_HEADERS | end_stream
            self.pieces.append(frames.frame(frames.HEADERS, flags, stream, block))
        else:
            self.pieces.append(frames.frame(frames.HEADERS, end_stream, stream, block[:limit]))
            for start in range(limit, len(block), limit):
                flags = frames.END_HEADERS if start + limit >= len(block) else 0
                part = block[start : start + limit]
                self.pieces.append(frames.frame(frames.CONTINUATION, flags, stream, part))
        if body:
            parked = self.parked[stream] = _Parked(body, 0, len(body))
            self.unsent += len(body)
            self._send(stream, parked)

    def forget(self, stream: int) -> bool:
        """Drop what is kept for *stream*; return whether a part of its body was never sent."""
        parked = self.parked.pop(stream, None)
        if parked is None:
            return False
        self._ready.pop(stream, None)
        left = parked.total - parked.sent
        self.unsent -= left
        return left > 0

    def withdraw(self, streams: Iterable[int]) -> None:
        """Remove the frames of *streams*, none of which was handed out yet, and their credit."""
        unwanted = frozenset(streams)
        size_update = b""
        data = b"".join(self.pieces)
        position = len(frames.PREFACE) if data.startswith(frames.PREFACE) else 0
        self.pieces[:] = [data[:position]]
        while position < len(data):
            word, flags, stream = frames.HEADER.unpack_from(data, position)
            start = position + frames.HEADER_BYTES
            end = start + (word >> 8)
            kind = word & 0xFF
            if stream not in unwanted:
                if size_update and kind == frames.HEADERS:
                    head = frames.HEADER.pack(word + 0x100, flags, stream)
                    self.pieces += (head, size_update)
                    size_update, position = b"", start
                self.pieces.append(data[position:end])
            elif kind == frames.DATA:
                self.window += word >> 8
            elif kind == frames.HEADERS and data.startswith(_EMPTY_TABLE, start):
                size_update = _EMPTY_TABLE
            position = end
        if size_update:
            self._expect_size_update(size_update)

    def pump(self) -> None:
        """Send what waits for the connection's window, as far as there is any, oldest first."""
        while self._ready and self.window > 0:
            stream = next(iter(self._ready))
            self._send(stream, self._ready[stream])

    def _send(self, stream: int, parked: _Parked) -> None:
        """Send as much of *parked* as the windows allow, and note whose window it waits for."""
        while True:
            left = parked.total - parked.sent
            window = self.initial_window + parked.credit - parked.sent
            if left <= 0 or window <= 0:
                self._ready.pop(stream, None)
                return
            size = min(left, window, self.window, self.max_frame)
            if size <= 0:
                self._ready[stream] = parked
                return
            part = parked.body[parked.sent : parked.sent + size]
            parked.sent += size
            self.window -= size
            self.unsent -= size
            flags = frames.END_STREAM if parked.sent == parked.total else 0
            self.pieces.append(frames.frame(frames.DATA, flags, stream, part))

    def widen(self, octets: int) -> None:
        """The server gave the connection *octets* more."""
        if self.window + octets > frames.MAX_WINDOW:
            raise flow_control("the server raised the connection window above 2^31-1")
        self.window += octets
        self.pump()

    def widen_stream(self, stream: int, octets: int, sent: int) -> bool:
        """
        The server gave *stream* *octets* more.

        *sent* is the size of its body if all of it was sent.  Returns whether the stream's window
        stayed within 2^31-1.
        """
        parked = self.parked.get(stream)
        if parked is None:
            parked = self.parked[stream] = _Parked(b"", sent, sent)
        parked.credit += octets
        if self.initial_window + parked.credit - parked.sent > frames.MAX_WINDOW:
            return False
        self._send(stream, parked)
        return True

    def set_initial_window(self, octets: int) -> None:
        """
        Apply SETTINGS_INITIAL_WINDOW_SIZE to open streams as well (section 6.9.2).

        This looks at every parked stream: a server must not be let do it without end.
        """
        self.initial_window = octets
        self._measure()
        for stream, parked in self.parked.items():
            if octets + parked.credit - parked.sent > frames.MAX_WINDOW:
                raise flow_control("a new initial window lifts a stream's window above 2^31-1")
            if parked.sent < parked.total:
                self._send(stream, parked)

    def set_max_frame(self, octets: int) -> None:
        """Apply a valid SETTINGS_MAX_FRAME_SIZE."""
        self.max_frame = octets
        self._measure()

    def set_table_size(self, octets: int) -> None:
        """
        Apply SETTINGS_HEADER_TABLE_SIZE: a smaller table than the default must be agreed to.

        Our blocks use no dynamic table, but the server may end the connection unless the first
        one that follows says so (RFC 9113 section 4.3.1, RFC 7541 section 4.2).
        """
        if octets < frames.DEFAULT_TABLE_SIZE and self._size_update is None:
            self._expect_size_update(_EMPTY_TABLE)

    def _expect_size_update(self, update: bytes) -> None:
        self._size_update = update
        self._measure()

    def _measure(self) -> None:
        """Find the largest body of the plain path."""
        self.whole = 0 if self._size_update else min(self.initial_window, self.max_frame)
