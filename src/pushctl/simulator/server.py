"""The simulator as a whole: its socket, its life, and how to run it beside something else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack, cast

from pushctl.errors import InvalidInput
from pushctl.outcome import Environment
from pushctl.simulator import token_endpoint
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.authority import make_authority
from pushctl.simulator.desk import Desk, Received
from pushctl.simulator.devices import Device
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.http1 import Http1Protocol
from pushctl.simulator.http2 import Http2Protocol
from pushctl.simulator.provider_token import ApnsKey, ProviderTokens
from pushctl.simulator.script import Script
from pushctl.simulator.stats import Counts, Stats
from pushctl.simulator.token_endpoint import AccessTokens, ServiceAccount, TokenEndpoint

_CLOSING_TIME_S = 5.0
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Options(TypedDict, total=False):
    """What a simulator can be told at the start; see :class:`Simulator`."""

    host: str
    port: int
    environment: Environment
    apns_keys: Mapping[str, ApnsKey]
    service_accounts: tuple[ServiceAccount, ...]
    topics: frozenset[str] | None
    devices: Mapping[str, Device]
    script: Script
    clock: Callable[[], float]
    max_tokens: int
    access_token_lifetime_s: int
    on_push: Callable[[Received], None] | None


class Simulator:
    """
    A fake APNs, FCM and Google token endpoint on one loopback port.

    Serves HTTP/2 over TLS, HTTP/1.1 on everything but APNs.  An asynchronous context manager;
    :func:`serve_in_thread` runs one beside synchronous code.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        environment: Environment = Environment.PRODUCTION,
        apns_keys: Mapping[str, ApnsKey] | None = None,
        service_accounts: tuple[ServiceAccount, ...] = (),
        topics: frozenset[str] | None = None,
        devices: Mapping[str, Device] | None = None,
        script: Script | None = None,
        clock: Callable[[], float] = time.time,
        max_tokens: int = 2_000_000,
        access_token_lifetime_s: int = 3599,
        on_push: Callable[[Received], None] | None = None,
    ) -> None:
        """
        :param host: a loopback address or ``localhost``.
        :param port: 0 lets the system choose.
        :param environment: which of the two APNs worlds this is.
        :param apns_keys: push keys by key id; :meth:`trust_key` adds more.
        :param service_accounts: :meth:`trust_account` adds more.
        :param topics: bundle ids that may be pushed to; ``None``: all.
        :param devices: what is known of single tokens; other tokens fit everything.
        :param clock: epoch seconds, by which tokens are judged.
        :param max_tokens: how many device tokens are counted singly.
        :param on_push: called on the simulator's thread for each push, before its answer leaves.
        :raises InvalidInput: *host* is not loopback.
        """
        _refuse_remote(host)
        self._host, self._port = host, port
        self._keys = dict(apns_keys or {})
        self._accounts = {account.email: account for account in service_accounts}
        self._projects = {account.email: account.project_id for account in service_accounts}
        self._topics, self._devices = topics, dict(devices or {})
        self._clock, self._on_push = clock, on_push
        self._max_tokens = max_tokens
        self.environment = environment
        self._script = script or Script()
        self._counts = Counts(max_tokens=max_tokens)
        self._tokens = AccessTokens(access_token_lifetime_s)
        self._authority = make_authority()
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def port(self) -> int:
        """The port it listens on; before the start, the one it was given."""
        return self._port

    @property
    def url(self) -> str:
        """``https://HOST:PORT``: the endpoint of both gateways."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"https://{host}:{self._port}"

    @property
    def token_uri(self) -> str:
        """The address of the token endpoint."""
        return self.url + token_endpoint.PATH

    @property
    def ca_pem(self) -> bytes:
        """The certificate that a client has to trust."""
        return self._authority.ca_pem

    def write_ca(self, path: Path) -> Path:
        """Write :attr:`ca_pem` to *path* and return it."""
        path.write_bytes(self.ca_pem)
        return path

    def client_context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this simulator and nothing else."""
        return ssl.create_default_context(cadata=self.ca_pem.decode("ascii"))

    def trust_key(self, key_id: str, key: ApnsKey) -> None:
        """Accept provider tokens that *key* signed, from now on."""
        self._keys[key_id] = key

    def trust_account(self, account: ServiceAccount) -> None:
        """Accept assertions of *account*, from now on."""
        self._projects[account.email] = account.project_id
        self._accounts[account.email] = account

    def revoke_access_tokens(self) -> None:
        """Let every access token issued so far be answered ACCESS_TOKEN_EXPIRED."""
        self._tokens.revoke_all()

    def stats(self) -> Stats:
        """Return what was received so far.  May be called from any thread."""
        return self._counts.snapshot()

    async def start(self) -> None:
        """
        Listen.

        :raises OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        self._server = await loop.create_server(
            lambda: _Chooser(self._connected),
            self._host,
            self._port,
            ssl=self._authority.server_context,
            backlog=1024,
        )
        self._port = self._server.sockets[0].getsockname()[1]
        self._desk = self._make_desk()

    async def stop(self) -> None:
        """Stop listening, cut every connection, and wait until they are gone."""
        if self._server is None:
            return
        self._server.close()
        for transport in self._transports:
            transport.abort()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _CLOSING_TIME_S)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()

    @contextlib.contextmanager
    def run_in_thread(self) -> Iterator[Self]:
        """
        Serve on a thread of its own until the block ends.

        :raises OSError: the port is taken.
        """
        started: concurrent.futures.Future[Callable[[], None]] = concurrent.futures.Future()
        thread = threading.Thread(
            target=asyncio.run, args=(self._serve(started),), name="pushctl-simulator", daemon=True
        )
        thread.start()
        stop = started.result()
        try:
            yield self
        finally:
            stop()
            thread.join()

    async def _serve(self, started: concurrent.futures.Future[Callable[[], None]]) -> None:
        """Serve until the function that *started* receives is called, from whichever thread."""
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self.start()
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(lambda: cast(None, loop.call_soon_threadsafe(stopping.set)))
        await stopping.wait()
        await self.stop()

    def _make_desk(self) -> Desk:
        uris = {f"https://{name}:{self._port}{token_endpoint.PATH}" for name in _LOCAL_NAMES}
        return Desk(
            apns=ApnsJudge(
                ProviderTokens(self._keys, self.environment),
                self._devices,
                self.environment,
                self._topics,
            ),
            fcm=FcmJudge(self._tokens, self._devices, self._projects),
            tokens=TokenEndpoint(self._accounts, self._tokens, frozenset(uris)),
            environment=self.environment,
            script=self._script,
            counts=self._counts,
            ca_pem=self.ca_pem,
            max_tokens=self._max_tokens,
            clock=self._clock,
            on_push=self._on_push,
        )

    def _connected(self, transport: asyncio.Transport) -> None:
        """Hand a connection to the protocol that the client chose by ALPN."""

        def gone() -> None:
            self._transports.discard(transport)
            self._counts.disconnected()
            if not self._transports:
                self._idle.set()

        self._transports.add(transport)
        self._idle.clear()
        self._counts.connected()
        tls = transport.get_extra_info("ssl_object")
        protocol: asyncio.Protocol
        if tls.selected_alpn_protocol() == "h2":
            protocol = Http2Protocol(self._desk, self._script, self._counts, gone)
        else:
            protocol = Http1Protocol(self._desk, gone)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class _Chooser(asyncio.Protocol):
    """Stands in until TLS is up and the version of HTTP is known."""

    def __init__(self, connected: Callable[[asyncio.Transport], None]) -> None:
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connected(cast(asyncio.Transport, transport))


@contextlib.contextmanager
def serve_in_thread(**options: Unpack[Options]) -> Iterator[Simulator]:
    """
    Run a :class:`Simulator` with *options* on a thread of its own until the block ends.

    :raises InvalidInput: the host is not loopback.
    :raises OSError: the port is taken.
    """
    with Simulator(**options).run_in_thread() as simulator:
        yield simulator


def _refuse_remote(host: str) -> None:
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise InvalidInput(
            f"the simulator listens on loopback only, not on {host[:100]!a}",
            hint="use 127.0.0.1, ::1 or localhost",
        )
