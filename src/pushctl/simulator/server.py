"""The simulator as a whole: its socket, its life, and how to run it beside something else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack, cast

from pushctl.errors import InvalidInput
from pushctl.outcome import Environment
from pushctl.simulator import token_endpoint
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.authority import make_authority
from pushctl.simulator.channels import Channels
from pushctl.simulator.desk import Desk
from pushctl.simulator.devices import Device
from pushctl.simulator.docket import Judges
from pushctl.simulator.entrance import Entrance
from pushctl.simulator.exchange import Exchange, Received
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.feed import Feed
from pushctl.simulator.google_access import GoogleAccess
from pushctl.simulator.options import Options
from pushctl.simulator.page import PageServer
from pushctl.simulator.provider_token import ApnsKey, ProviderTokens
from pushctl.simulator.script import Rule, Script
from pushctl.simulator.stats import Counts, Stats
from pushctl.simulator.subscriptions import Subscriptions
from pushctl.simulator.token_endpoint import AccessTokens, ServiceAccount, TokenEndpoint

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


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
        on_exchange: Callable[[Exchange], None] | None = None,
        page_port: int | None = None,
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
        :param on_exchange: the same for each request of every service.
        :param page_port: serve the page that shows the traffic there, over plain HTTP; 0 lets the
            system choose, ``None``: no page.
        :raises InvalidInput: *host* is not loopback.
        """
        _refuse_remote(host)
        self._host, self._port = host, port
        self._keys = dict(apns_keys or {})
        self._accounts = {account.email: account for account in service_accounts}
        self._projects = {account.email: account.project_id for account in service_accounts}
        self._topics, self._devices = topics, dict(devices or {})
        self._clock, self._on_push = clock, on_push
        self._listeners = [on_exchange] if on_exchange is not None else []
        self._page_port = page_port
        self._max_tokens = max_tokens
        self.environment = environment
        self._script = script or Script()
        self._counts = Counts(max_tokens=max_tokens)
        self._provider_tokens = ProviderTokens(
            self._keys,
            environment,
            lifetime_s=self._script.provider_token_lifetime_s,
            interval_s=self._script.provider_token_interval_s,
        )
        self._tokens = AccessTokens(access_token_lifetime_s)
        self._authority = make_authority()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._entrance: Entrance | None = None
        self._page: PageServer | None = None

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
    def page_url(self) -> str | None:
        """The address of the page that shows the traffic; ``None`` where there is none."""
        return None if self._page is None else self._page.url

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

    def trust_certificate(self, pem: bytes) -> None:
        """
        Accept the provider certificates in *pem*, whoever issued them, from now on.

        :raises ValueError: there is none in it.
        """
        self._authority.trust(pem)

    def push_certificate(self, bundle_id: str) -> bytes:
        """Return a new provider certificate of *bundle_id* with its key, as PEM.  Is accepted."""
        return self._authority.push_certificate(bundle_id)

    def play(self, script: Script) -> None:
        """
        Follow *script* from now on, in place of the one before.  May be called from any thread.

        Rules count from nothing; connections that are open keep their stream limits.
        """
        self._script = script
        self._provider_tokens.lifetime_s = script.provider_token_lifetime_s
        self._provider_tokens.interval_s = script.provider_token_interval_s

        def follow() -> None:
            if self._entrance is not None:
                self._desk.play(script)
                self._entrance.open(self._desk)

        self._on_its_thread(follow)

    def add_rule(self, rule: Rule) -> None:
        """Follow *rule* too, before those of the script.  May be called from any thread."""
        self._script = dataclasses.replace(self._script, rules=(rule, *self._script.rules))
        self._on_its_thread(lambda: None if self._entrance is None else self._desk.add(rule))

    def _on_its_thread(self, work: Callable[[], None]) -> None:
        """Do *work* where requests are served, and return once it is done."""
        if self._loop is None or self._server is None or threading.get_ident() == self._thread:
            work()
            return
        done: concurrent.futures.Future[None] = concurrent.futures.Future()

        def do() -> None:
            work()
            done.set_result(None)

        self._loop.call_soon_threadsafe(do)
        done.result()

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
        loop = self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._entrance = Entrance(self._counts)
        self._server = await loop.create_server(
            self._entrance.connection,
            self._host,
            self._port,
            ssl=self._authority.server_context,
            backlog=1024,
        )
        self._port = self._server.sockets[0].getsockname()[1]
        self._desk = self._make_desk()
        self._entrance.open(self._desk)
        if self._page_port is not None:
            feed = Feed(self._counts, self.url, self.environment)
            self._listeners.append(feed.take)
            self._page = PageServer(feed)
            try:
                await self._page.start(self._host, self._page_port)
            except OSError:
                self._page = None
                await self.stop()
                raise

    async def stop(self) -> None:
        """Stop listening, cut every connection, and wait until they are gone."""
        if self._server is None or self._entrance is None:
            return
        self._server.close()
        if self._page is not None:
            await self._page.stop()
        await self._entrance.clear()
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
        tokens = self._provider_tokens
        access = GoogleAccess(self._tokens, self._projects)
        judges = Judges(
            apns=ApnsJudge(tokens, self._devices, self.environment, self._topics),
            channels=Channels(tokens, self._topics),
            fcm=FcmJudge(access, self._devices),
            subscriptions=Subscriptions(access, self._devices),
            tokens=TokenEndpoint(self._accounts, self._tokens, frozenset(uris)),
        )
        return Desk(
            judges,
            environment=self.environment,
            script=self._script,
            counts=self._counts,
            ca_pem=self.ca_pem,
            max_tokens=self._max_tokens,
            clock=self._clock,
            on_push=self._on_push,
            on_exchange=self._tell if self._listeners or self._page_port is not None else None,
        )

    def _tell(self, exchange: Exchange) -> None:
        for listener in self._listeners:
            listener(exchange)


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
