"""
One live HTTP/2 connection: the asyncio shell around :class:`~pushctl.wire.connection.Connection`.

No task and no timer per request: one callback for each chunk of received bytes, and one periodic
timer for deadlines and health.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, TypeAlias, TypedDict, cast

from pushctl.proxy import Proxy
from pushctl.tls_faults import tls_reason
from pushctl.wire.connection import Connection
from pushctl.wire.dial import connect, firewall_hint, host_and_port, resolve
from pushctl.wire.errors import ConnectFailed, Stage, alpn_failed, tls_failed
from pushctl.wire.events import Closed, Event
from pushctl.wire.proxy import open_tunnel

_LONGEST_TICK_S: Final = 1.0
_SHORTEST_TICK_S: Final = 0.01
_GOODBYE_S: Final = 1.0
"""How long a closed connection may take to flush and say goodbye before it is cut."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect, and what to call it."""

    host: str
    port: int
    authority: str
    """The value of ``:authority``."""
    server_name: str | None = None
    """The name the certificate must carry; ``None``: the host."""
    proxy: Proxy | None = None
    """The way there; ``None``: directly."""

    def __str__(self) -> str:
        """Return ``host:port``, an IPv6 address in brackets."""
        return host_and_port(self.host, self.port)


@dataclasses.dataclass(frozen=True, slots=True)
class Liveness:
    """
    When silence is suspicious, in seconds.

    A connection in use that is half-open is given up after ``busy_s`` and ``answer_s``, each late
    by one tick of the clock (a second) at most: 20 s in all.
    """

    busy_s: float = 10.0
    """PING after so long without a byte while requests are open."""
    idle_s: float = 3600.0
    """PING after so long without a byte otherwise (Apple: check idle connections hourly)."""
    answer_s: float = 8.0
    """A PING unanswered for so long, in silence: the connection is half-open."""


OnEvents: TypeAlias = Callable[["Link", list[Event]], None]
OnWake: TypeAlias = Callable[["Link"], None]
DEFAULT_LIVENESS: Final = Liveness()
HALF_OPEN: Final = "the connection is half-open: the server stopped answering, even to PING"
LOST: Final = "the server closed the connection"
CLOSED_BY_US: Final = "we closed the connection"


class _Tls(TypedDict):
    """What asyncio is told about TLS, whichever way it leads."""

    server_hostname: str
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float


class Link(asyncio.Protocol):
    """
    An open connection to one endpoint.  Made by :meth:`open` only.

    ``on_events`` gets every batch of events once; ``on_wake`` is called when :meth:`capacity` has
    grown, or the connection began to drain, without an event to say so.  Both are called from the
    event loop and may call :meth:`request` and :meth:`flush`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        on_events: OnEvents,
        on_wake: OnWake,
        request_timeout_s: float,
        clock: Callable[[], float],
        decode_accepted: bool,
        unread: frozenset[str],
        liveness: Liveness,
    ) -> None:
        self.endpoint = endpoint
        self.connection = Connection(
            now=clock(),
            request_timeout_s=request_timeout_s,
            decode_accepted=decode_accepted,
            unread=unread,
        )
        self._on_events = on_events
        self._on_wake = on_wake
        self._clock = clock
        self._liveness = liveness
        # Often enough that a deadline is late by an eighth at most, never busier than needed.
        shortest = min(request_timeout_s, *dataclasses.astuple(liveness)) / 8
        self._tick_s = min(_LONGEST_TICK_S, max(_SHORTEST_TICK_S, shortest))
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._tick_due = 0.0
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._live = False
        """:meth:`open` has returned, so the owner knows this link."""
        self._failure: ConnectFailed | None = None
        """Why it will not return."""

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        ssl_context: ssl.SSLContext,
        *,
        on_events: OnEvents,
        on_wake: OnWake,
        request_timeout_s: float,
        connect_timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        decode_accepted: bool = False,
        unread: frozenset[str] = frozenset(),
        liveness: Liveness = DEFAULT_LIVENESS,
    ) -> Link:
        """
        Return a link that has the server's SETTINGS.

        Resolves the name and connects, or lets the endpoint's proxy do both, verifies the
        certificate as *ssl_context* says (it must offer ALPN ``h2``) and waits for SETTINGS; all
        of it within *connect_timeout_s*.  Raises :exc:`~pushctl.wire.errors.ConnectFailed`, also
        when the server says GOAWAY first.
        """
        link = cls(
            endpoint,
            on_events=on_events,
            on_wake=on_wake,
            request_timeout_s=request_timeout_s,
            clock=clock,
            decode_accepted=decode_accepted,
            unread=unread,
            liveness=liveness,
        )
        stages: list[Stage] = []
        try:
            async with asyncio.timeout(connect_timeout_s):
                await link._connect(ssl_context, stages, connect_timeout_s)
            if link._failure is not None:
                raise link._failure
            link._live = True
        except TimeoutError:
            raise _timed_out(endpoint, stages[-1], connect_timeout_s) from None
        finally:
            if not link._live:
                link._abort()
        link._tick_in(link._tick_s)
        return link

    async def _connect(
        self, ssl_context: ssl.SSLContext, stages: list[Stage], timeout_s: float
    ) -> None:
        """Go through the stages of opening; *stages* ends with the one under way."""
        endpoint = self.endpoint
        # Queued now: through a proxy, bytes can come before connection_made() is called.
        self.connection.start()
        way = await self._way(stages)
        stages.append("tls")
        options: _Tls = {
            "server_hostname": endpoint.server_name or endpoint.host,
            # Only a second guard: the timeout around all stages strikes first.
            "ssl_handshake_timeout": timeout_s + 1,
            "ssl_shutdown_timeout": _GOODBYE_S,
        }
        try:
            if isinstance(way, socket.socket):
                await self._loop.create_connection(
                    lambda: self, sock=way, ssl=ssl_context, **options
                )
            else:
                await self._start_tls(way, ssl_context, options)
        except ssl.SSLError as error:
            raise tls_failed(str(endpoint), error) from None
        except OSError as error:
            raise _dropped(str(endpoint), "tls", error) from None
        stages.append("settings")
        await self._opened

    async def _way(self, stages: list[Stage]) -> socket.socket | asyncio.Transport:
        """Return what leads to the server: a socket, or a tunnel through the proxy."""
        endpoint = self.endpoint
        if endpoint.proxy is not None:
            stages.append("proxy")
            return await open_tunnel(endpoint.proxy, endpoint.host, endpoint.port)
        stages.append("dns")
        addresses = await resolve(endpoint.host, endpoint.port)
        stages.append("connect")
        hint = firewall_hint(endpoint.host, endpoint.port)
        return await connect(str(endpoint), hint, addresses)

    async def _start_tls(
        self, tunnel: asyncio.Transport, ssl_context: ssl.SSLContext, options: _Tls
    ) -> None:
        """Speak TLS with the server inside *tunnel*."""
        try:
            inside = await self._loop.start_tls(tunnel, self, ssl_context, **options)
        except BaseException:
            tunnel.abort()
            raise
        assert inside is not None, "only where TLS is not available"
        self.connection_made(inside)

    # ------------------------------------------------------------------ the owner's side

    @property
    def transport(self) -> asyncio.Transport:
        """The socket below: who is at its other end, and what TLS was agreed on."""
        assert self._transport is not None, "open() has returned"
        return self._transport

    def capacity(self) -> int:
        """Return how many requests may be opened now; 0 while the socket takes no more bytes."""
        return 0 if self._paused else self.connection.capacity()

    def request(self, block: bytes, body: bytes, tag: object) -> None:
        """Open a request; see :meth:`Connection.request`.  :meth:`flush` sends it."""
        self.connection.request(block, body, tag, self._clock())

    def flush(self) -> None:
        """Write all that waits, in one piece, unless the socket takes no more bytes."""
        if self._transport is not None and not self._paused:
            output = self.connection.take_output()
            if output:
                self._transport.write(output)

    async def close(self) -> None:
        """
        Say GOAWAY and close; returns when the socket is closed.

        Requests that are still open are reported to ``on_events`` as lost.
        """
        self.connection.close()
        self.flush()
        assert self._transport is not None, "open() has returned"
        self._transport.close()
        await asyncio.wait([self._gone])

    # ------------------------------------------------------------------ asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up: check that the server speaks HTTP/2, and send the preface."""
        self._transport = cast(asyncio.Transport, transport)
        tls = cast(ssl.SSLObject, transport.get_extra_info("ssl_object"))
        spoken = tls.selected_alpn_protocol()
        if spoken != "h2":
            self._fail(alpn_failed(str(self.endpoint), spoken))
            return
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Feed the connection, tell the owner, write what came of both."""
        connection = self.connection
        room = connection.capacity()
        draining = connection.draining
        events = connection.receive(data, self._clock())
        if not self._live:
            self._begin(events)
        elif events:
            self._on_events(self, events)
        elif connection.capacity() > room or connection.draining > draining:
            self._on_wake(self)
        self._write_and_hang_up()

    def _begin(self, events: list[Event]) -> None:
        """Let :meth:`open` go on once the server has said SETTINGS, or something worse."""
        if events and isinstance(events[-1], Closed):
            self._fail(_refused(self.endpoint, events[-1]))
        elif self.connection.server_limit is not None and not self._opened.done():
            self._opened.set_result(None)

    def _fail(self, failure: ConnectFailed) -> None:
        """Remember the first *failure* and wake :meth:`open`."""
        if self._failure is None:
            self._failure = failure
        if not self._opened.done():
            self._opened.set_result(None)

    def _write_and_hang_up(self) -> None:
        """Write what waits; after the end of the connection, close the socket too."""
        self.flush()
        if self.connection.closed and self._transport is not None:
            self._transport.close()

    def pause_writing(self) -> None:
        """The socket's buffer is full: take no requests, keep bytes in the connection."""
        self._paused = True

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self._paused = False
        self.flush()
        if self.capacity():
            self._on_wake(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report what was open; whatever the reason, the socket is gone."""
        if not self._live:
            # With TLS 1.3 a refused client certificate shows only here, after the handshake.
            where = str(self.endpoint)
            if isinstance(exc, ssl.SSLError):
                self._fail(tls_failed(where, exc))
            else:
                self._fail(_dropped(where, "settings", exc))
        self._end(LOST if exc is None else f"{LOST} ({_cause(exc)})")
        self._gone.set_result(None)

    def _end(self, why: str) -> None:
        """Report the end once, and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        events = self.connection.lost(why)
        if events and self._live:
            self._on_events(self, events)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _tick_in(self, seconds: float) -> None:
        self._tick_due = self._clock() + seconds
        self._timer = self._loop.call_later(seconds, self._tick)

    def _tick(self) -> None:
        """Give up late requests, and ask a silent server whether it is still there."""
        now = self._clock()
        if now - self._tick_due > self._tick_s:
            # The process stood still (a stopped job, a paused machine) and has heard nothing
            # meanwhile: what came is read before anything is given up.
            self._tick_in(0.0)
            return
        self._tick_in(self._tick_s)
        events = self.connection.expire(now)
        if events:
            self._on_events(self, events)
        if self._is_half_open(now):
            self._end(HALF_OPEN)
            self._abort()
            return
        if self._is_silent(now):
            self.connection.ping(now)
        self._write_and_hang_up()

    def _is_half_open(self, now: float) -> bool:
        asked = self.connection.ping_outstanding_since
        if asked is None:
            return False
        heard = max(asked, self.connection.last_received)
        return now - heard >= self._liveness.answer_s

    def _is_silent(self, now: float) -> bool:
        connection = self.connection
        if connection.ping_outstanding_since is not None:
            return False
        patience = self._liveness.busy_s if connection.open_streams else self._liveness.idle_s
        return now - connection.last_received >= patience


def _cause(error: Exception) -> str:
    """Return a short, safe name of what asyncio reported."""
    if isinstance(error, ssl.SSLError):
        return tls_reason(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _dropped(where: str, stage: Stage, error: Exception | None) -> ConnectFailed:
    when = "during the TLS handshake" if stage == "tls" else "before HTTP/2 began"
    cause = "" if error is None else f" ({_cause(error)})"
    return ConnectFailed(
        stage,
        f"{where}: the connection was closed {when}{cause}",
        "a firewall, a proxy or a refused client certificate can cause this",
    )


def _refused(endpoint: Endpoint, closed: Closed) -> ConnectFailed:
    """Return the failure of a server that said GOAWAY, or nonsense, instead of SETTINGS."""
    return ConnectFailed(
        "settings",
        f"{endpoint}: {closed.why}",
        "with a client certificate, the server may have refused it" if closed.debug else None,
        code=closed.code,
        debug=closed.debug,
    )


def _timed_out(endpoint: Endpoint, stage: Stage, timeout_s: float) -> ConnectFailed:
    if stage == "proxy":
        where = f"proxy {endpoint.proxy}"
        why = f"no tunnel to {endpoint} within {timeout_s:g} s"
        return ConnectFailed("proxy", f"{where}: {why}", "check the proxy's host and port")
    what = {
        "dns": "the name was not resolved",
        "connect": "no connection",
        "tls": "the TLS handshake did not finish",
    }.get(stage, "the server sent no SETTINGS")
    hint = firewall_hint(endpoint.host, endpoint.port)
    return ConnectFailed(stage, f"{endpoint}: {what} within {timeout_s:g} s", hint)
