"""A small h2 server on loopback, whose behaviour a test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, ParamSpec

import h2.config
import h2.connection
import h2.events

from pushctl.wire.events import Closed, Event
from pushctl.wire.link import Endpoint, Link
from wire.talk import HEAD

P = ParamSpec("P")


def in_loop(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            async with asyncio.timeout(20):
                await test(*args, **kwargs)

        asyncio.run(main())

    return run


class Peer(asyncio.Protocol):
    """The server's side of one connection: accepts every push.  Subclasses do otherwise."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(client_side=False)
        self.h2 = h2.connection.H2Connection(config)
        self.transport: Any = None
        self.requests: list[int] = []
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.begin()

    def begin(self) -> None:
        self.h2.initiate_connection()
        self.send()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.StreamEnded) and event.stream_id is not None:
                self.requests.append(event.stream_id)
                self.asked(event.stream_id)
        self.send()

    def asked(self, stream: int) -> None:
        self.h2.send_headers(stream, [(":status", "200"), ("apns-id", "x")], end_stream=True)

    def send(self) -> None:
        data = self.h2.data_to_send()
        if data:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(exc)


class Silent(Peer):
    """Never says a word."""

    def begin(self) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        pass


@contextlib.asynccontextmanager
async def serving(
    make: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None
) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1; every connection gets a protocol from *make*."""
    loop = asyncio.get_running_loop()
    protocols: list[Any] = []

    def made() -> asyncio.Protocol:
        protocols.append(make())
        return protocols[-1]  # type: ignore[no-any-return]

    server = await loop.create_server(made, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for protocol in protocols:
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                transport.abort()
        await server.wait_closed()


class Owner:
    """What a link reports to in these tests."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.wakes = 0
        self.batches = 0
        self._changed = asyncio.Event()

    def on_events(self, link: Link, events: list[Event]) -> None:
        self.events += events
        self.batches += 1
        self._changed.set()

    def on_wake(self, link: Link) -> None:
        self.wakes += 1
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds; looked at after every report."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def reported(self, count: int) -> None:
        """Wait until *count* requests were reported."""
        await self.until(lambda: count <= sum(not isinstance(e, Closed) for e in self.events))

    async def closed(self) -> Closed:
        """Wait for the end and return it."""
        await self.until(lambda: any(isinstance(event, Closed) for event in self.events))
        return next(event for event in self.events if isinstance(event, Closed))


def endpoint(port: int, host: str = "127.0.0.1", name: str | None = "localhost") -> Endpoint:
    """Return an endpoint on loopback whose certificate is for *name*."""
    return Endpoint(host, port, "api.push.example", name)


@contextlib.asynccontextmanager
async def linked(
    port: int, context: ssl.SSLContext, owner: Owner, **options: Any
) -> AsyncIterator[Link]:
    """Open a link, and close it whatever happens."""
    options.setdefault("request_timeout_s", 10.0)
    link = await Link.open(
        endpoint(port), context, on_events=owner.on_events, on_wake=owner.on_wake, **options
    )
    try:
        yield link
    finally:
        await link.close()


def push(link: Link, count: int = 1, body: bytes = b"{}", first: int = 0) -> None:
    """Open *count* requests with the tags *first*, *first* + 1, … and send them."""
    for tag in range(first, first + count):
        link.request(HEAD.block(b"/3/device/%064x" % tag), body, tag)
    link.flush()


@contextlib.contextmanager
def refusing_clients(context: ssl.SSLContext) -> Iterator[int]:
    """
    Serve TLS that ends in the server's alert; yield the port on 127.0.0.1.

    By hand: asyncio's own server drops the connection without the alert that says why.
    """

    def refuse(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                _refuse_one(listener.accept()[0], context)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _refuse_one(accepted: socket.socket, context: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    with accepted:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                accepted.sendall(outgoing.read())
                incoming.write(accepted.recv(65_536))
            except ssl.SSLError:
                accepted.sendall(outgoing.read())
                accepted.shutdown(socket.SHUT_WR)
                break
        while accepted.recv(65_536):
            pass
