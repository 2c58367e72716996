"""Where connections come in: counted, let in or not, and handed to the HTTP that they speak."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import cast

from pushctl.simulator.client_certificate import ClientCertificate
from pushctl.simulator.desk import Desk
from pushctl.simulator.http1 import Http1Protocol
from pushctl.simulator.http2 import Http2Protocol
from pushctl.simulator.plan import Visit
from pushctl.simulator.prompter import Doorkeeper
from pushctl.simulator.provider_token import Session
from pushctl.simulator.stats import Counts

_CLOSING_TIME_S = 5.0


class Entrance:
    """Every connection of a simulator, from the TLS handshake to its end."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._transports: set[asyncio.Transport] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._numbers = 0

    def open(self, desk: Desk) -> None:
        """Let connections in to *desk*, by the rules of its script, counted from nothing."""
        self._desk = desk
        self._doorkeeper = Doorkeeper(desk.script.connections)

    def connection(self) -> asyncio.Protocol:
        """Return a protocol for a new connection."""
        return _Chooser(self._connected)

    async def clear(self) -> None:
        """Cut every connection, and wait until they are gone."""
        for transport in self._transports:
            transport.abort()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _CLOSING_TIME_S)

    def _elapsed(self) -> float:
        return self._loop.time() - self._started

    def _connected(self, transport: asyncio.Transport) -> None:
        """Hand a connection to the protocol that the client chose by ALPN."""
        self._transports.add(transport)
        self._idle.clear()
        self._counts.connected()
        gone = functools.partial(self._gone, transport)
        protocol = self._protocol(transport, gone)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def _protocol(self, transport: asyncio.Transport, gone: Callable[[], None]) -> asyncio.Protocol:
        admitted = self._doorkeeper.admit(self._elapsed())
        if admitted != "accept":
            self._counts.fault(admitted)
            return _Turned(gone, close=admitted == "close")
        self._numbers += 1
        tls = transport.get_extra_info("ssl_object")
        visit = Visit(Session(_certificate(tls.getpeercert(binary_form=True))), 0, self._numbers)
        if tls.selected_alpn_protocol() == "h2":
            return Http2Protocol(self._desk, self._counts, visit, gone, elapsed=self._elapsed)
        return Http1Protocol(self._desk, visit, gone)

    def _gone(self, transport: asyncio.Transport) -> None:
        self._transports.discard(transport)
        self._counts.disconnected()
        if not self._transports:
            self._idle.set()


def _certificate(der: bytes | None) -> ClientCertificate | None:
    """Return what the client showed.  One that cannot be read is good for no environment."""
    if not der:
        return None
    try:
        return ClientCertificate.from_der(der)
    except ValueError:
        return ClientCertificate((), frozenset(), "unreadable")


class _Chooser(asyncio.Protocol):
    """Stands in until TLS is up and the version of HTTP is known."""

    def __init__(self, connected: Callable[[asyncio.Transport], None]) -> None:
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connected(cast(asyncio.Transport, transport))


class _Turned(asyncio.Protocol):
    """A connection that is not let in: closed at once, or never spoken to."""

    def __init__(self, gone: Callable[[], None], *, close: bool) -> None:
        self._gone = gone
        self._close = close

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._close:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone()
