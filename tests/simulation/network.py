"""
A modelled network: what goes in at one end comes out at the other, late, in pieces, or never.

A :class:`Cable` is one connection.  It also keeps the book of what its client may rightly know:
which requests are open, and which answers arrived whole.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from simulation.clock import Loop
from simulation.disk import System
from simulation.gateway import (
    DATA,
    FRAME_HEAD,
    HEADERS,
    PREFACE,
    RST_STREAM,
    Book,
    Desk,
    Weather,
    row_of,
)

_LATENCY_S = 0.004


class Witness(Protocol):
    """Who is told what a process may and must know of a row."""

    patience_s: float

    def wrote(self, row: int) -> None:
        """The row's push was handed to the network."""

    def heard(self, row: int, fate: str) -> None:
        """Its answer reached the process, whole."""

    def excuse(self, row: int, why: str) -> None:
        """From now on nobody can tell what became of it."""

    def note(self, event: str) -> None:
        """A fault fired."""

    def tell(self, *what: object) -> None:
        """Put something into the diary."""


class Cable:
    """One connection: asyncio's transport for the client, a wire for the desk."""

    def __init__(
        self,
        loop: Loop,
        system: System,
        witness: Witness,
        chance: Random,
        protocol: Any,
        *,
        number: int,
        is_fcm: bool,
    ) -> None:
        self._number = number
        self.is_fcm = is_fcm
        self.accepted_body = b'{"name":"projects/shop/messages/1"}' if is_fcm else b""
        self.patience_s = witness.patience_s
        self.open: dict[int, int] = {}
        """Rows of the requests whose answer the client may still expect, by stream."""
        self._loop = loop
        self._system = system
        self._witness = witness
        self._chance = chance
        self._protocol = protocol
        self._desk: Desk | None = None
        self._up = bytearray()
        self._up_due = False
        self._down = bytearray()
        self._down_due = False
        self._sent_down = 0
        self._marks: list[tuple[int, Callable[[], None]]] = []
        """What is to be done once the client has so many bytes."""
        self._unnamed: set[int] = set()
        """Streams whose row stands in a body that was not written yet."""
        self._closed = False
        self._over = False
        self._frozen = False
        self._stalled = False

    def plug_in(self, book: Book, weather: Weather) -> None:
        """Let a desk answer at the other end."""
        self._desk = Desk(self, book, weather, self._chance)
        self._desk.greet()

    # -- the client's end: what asyncio's transports do ---------------------------------------

    def write(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._system.step()
        if not self._system.alive or self._over:
            return
        self._read_along(data)
        if self._frozen:
            self.excuse_all("frozen")
            return
        self._up += data
        self._wake_up()
        self._system.step()

    def close(self) -> None:
        """The client hangs up; what it wrote still arrives."""
        if not self._closed:
            self._closed = True
            self.tell("hung up")
            self._loop.call_later(_LATENCY_S, self._end, None)

    abort = close

    def is_closing(self) -> bool:
        """Return whether the client has hung up."""
        return self._closed

    def get_extra_info(self, name: str, default: object = None) -> Any:
        """Return the TLS object, which is this one too."""
        return self if name == "ssl_object" else default

    def selected_alpn_protocol(self) -> str:
        """HTTP/2 was agreed upon."""
        return "h2"

    def _read_along(self, data: bytes) -> None:
        """Keep the book of open requests; the client writes whole frames."""
        at = len(PREFACE) if data.startswith(PREFACE) else 0
        while at < len(data):
            word, _, stream = FRAME_HEAD.unpack_from(data, at)
            kind, end = word & 0xFF, at + 9 + (word >> 8)
            if kind == HEADERS:
                if self.is_fcm:
                    self._unnamed.add(stream)
                else:
                    self._opened(stream, row_of(data[at + 9 : end]))
            elif kind == DATA and stream in self._unnamed:
                self._unnamed.discard(stream)
                self._opened(stream, row_of(data[at + 9 : end]))
            elif kind == RST_STREAM:
                self.open.pop(stream, None)
            at = end

    def _opened(self, stream: int, row: int) -> None:
        self.open[stream] = row
        self.tell("opened", stream, row)
        self._witness.wrote(row)
        if self._stalled:
            self._witness.excuse(row, "stalled")

    # -- the desk's end -----------------------------------------------------------------------

    def say(
        self,
        data: bytes,
        *,
        answers: tuple[int, int, str] | None = None,
        ends: Callable[[int], bool] | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """
        Send *data* to the client.

        Once it has arrived: *answers* is (stream, row, fate) that it told, *then* is called, and
        *ends* says of which streams the client need expect nothing more.
        """
        if self._over or self._frozen or not self._system.alive:
            return
        self._down += data
        end = self._sent_down + len(self._down)
        if answers is not None:
            self._marks.append((end, lambda: self._answered(*answers)))
        if then is not None:
            self._marks.append((end, then))
        if ends is not None:
            self._marks.append((end, lambda: self._ended(ends)))
        if not self._down_due:
            self._down_due = True
            self._loop.call_later(self._chance.random() * _LATENCY_S, self._arrive)

    def later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Have the desk do something after *delay_s*."""
        self._loop.call_later(delay_s, do)

    def tell(self, *what: object) -> None:
        """Put something into the diary."""
        self._witness.tell(f"cable {self._number}", *what)

    def excuse(self, row: int, why: str) -> None:
        """Nobody can tell what became of *row*."""
        self._witness.excuse(row, why)

    def excuse_all(self, why: str) -> None:
        """The same for all that is open."""
        for row in self.open.values():
            self._witness.excuse(row, why)

    # -- what goes wrong on the way -----------------------------------------------------------

    def cut(self, why: str) -> None:
        """The connection breaks: of what is under way, some arrives."""
        if self._over or not self._system.alive:
            return
        self.tell(why)
        self._flush_some_up()
        if not self._frozen and not self._closed and self._down:
            self._deliver(self._chance.randint(0, len(self._down)))
        if not self._over:
            self.excuse_all(why)
            error = None
            if self._chance.random() < 0.5:
                error = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            self._end(error)

    def freeze(self) -> None:
        """From now on nothing arrives any more, at either end, and nobody is told."""
        if not self._over:
            self._frozen = True
            self.excuse_all("frozen")

    def stall(self, for_s: float) -> None:
        """The socket takes no more bytes for a while."""
        if self._over or self._closed or self._stalled:
            return
        self._witness.note("stalled")
        self._stalled = True
        self.excuse_all("stalled")
        self._protocol.pause_writing()
        self._loop.call_later(for_s, self._go_on)

    def lose_client(self) -> None:
        """The client's process is dead: of what it wrote last, some arrives."""
        if not self._over and not self._frozen:
            self._flush_some_up()

    def _go_on(self) -> None:
        self._stalled = False
        if not self._over and not self._closed and self._system.alive:
            self._wake_up()
            self._protocol.resume_writing()

    # -- on the way ---------------------------------------------------------------------------

    def _wake_up(self) -> None:
        if not self._up_due and not self._stalled:
            self._up_due = True
            self._loop.call_later(self._chance.random() * _LATENCY_S, self._depart)

    def _depart(self) -> None:
        """Let the desk have what the client wrote, or a part of it."""
        self._up_due = False
        if (self._over and not self._closed) or self._frozen or self._stalled or not self._up:
            return
        size = len(self._up)
        if self._chance.random() < 0.1:
            size = self._chance.randint(1, size)
        data = bytes(self._up[:size])
        del self._up[:size]
        assert self._desk is not None
        self._desk.hear(data)
        if self._up:
            self._wake_up()

    def _flush_some_up(self) -> None:
        data = bytes(self._up[: self._chance.randint(0, len(self._up))])
        self._up.clear()
        if self._desk is not None:
            self._desk.hear(data)

    def _arrive(self) -> None:
        """Let the client have what the desk said, or a part of it."""
        self._down_due = False
        if self._over or self._closed or self._frozen or not self._down:
            return
        size = len(self._down)
        if self._chance.random() < 0.1:
            size = self._chance.randint(1, size)
        self._deliver(size)
        if self._down and not self._down_due and not self._over:
            self._down_due = True
            self._loop.call_later(self._chance.random() * _LATENCY_S, self._arrive)

    def _deliver(self, size: int) -> None:
        data = bytes(self._down[:size])
        del self._down[:size]
        self._sent_down += size
        self._system.step()
        while self._marks and self._marks[0][0] <= self._sent_down:
            self._marks.pop(0)[1]()
        self._protocol.data_received(data)

    def _answered(self, stream: int, row: int, fate: str) -> None:
        if self.open.pop(stream, None) is not None:
            self.tell("answered", stream, row, fate)
            self._witness.heard(row, fate)

    def _ended(self, ends: Callable[[int], bool]) -> None:
        for stream in [stream for stream in self.open if ends(stream)]:
            del self.open[stream]

    def _end(self, error: Exception | None) -> None:
        if not self._over:
            self._over = True
            self.tell("over", error)
            self._loop.call_soon(self._protocol.connection_lost, error)
            if self._closed and self._up and not self._frozen:
                self._loop.call_later(_LATENCY_S, self._depart)
