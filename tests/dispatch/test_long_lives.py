"""
Long lives: a day of one run, and connections that use up their stream ids.

Runner, lane, link, connection and provider tokens are real; time is virtual, and the network is a
transport in memory with ``h2`` at its other end.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

from credentials import material
from pushctl.credentials.provider_token import LIFETIME_S, ProviderTokenCredential
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push
from pushctl.dispatch.runner import Route, Runner
from pushctl.dispatch.thresholds import Stop
from pushctl.outcome import Kind, Outcome, Service
from pushctl.wire import link as link_module
from pushctl.wire.link import Endpoint, Link
from simulation import clock as virtual
from simulation.clock import Clock, Loop

ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
LEAST_BETWEEN_TOKENS_S = 20 * 60
LATENCY_S = 0.01
HOUR = 3600.0


class Gateway:
    """APNs, as far as it is strict: what it saw of each push, token and connection."""

    def __init__(self, clock: Clock, loop: Loop) -> None:
        self.clock = clock
        self.loop = loop
        self.served: Counter[str] = Counter()
        self.cables: list[Cable] = []
        self.complaints: list[str] = []
        self.pings = 0


class Cable:
    """One connection: the client's transport, and ``h2`` at its other end."""

    def __init__(self, service: Gateway, protocol: Any) -> None:
        self.service = service
        self.protocol = protocol
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.tokens: list[tuple[float, str]] = []
        self.requests = 0
        self.closed = False
        self.h2.initiate_connection()
        service.loop.call_later(LATENCY_S, self._say)

    # What asyncio's transports do.

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.service.loop.call_later(LATENCY_S, self._hear, data)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.service.loop.call_later(LATENCY_S, self.protocol.connection_lost, None)

    abort = close

    def get_extra_info(self, name: str, default: object = None) -> Any:
        return self if name == "ssl_object" else default

    def selected_alpn_protocol(self) -> str:
        return "h2"

    # The server.

    def _hear(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.PingReceived):
                self.service.pings += 1
            elif isinstance(event, h2.events.RequestReceived):
                self._judge({bytes(n).decode(): bytes(v).decode() for n, v in event.headers})
            elif isinstance(event, h2.events.StreamEnded):
                self.h2.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
        self._say()

    def _judge(self, headers: dict[str, str]) -> None:
        service = self.service
        service.served[headers[":path"]] += 1
        self.requests += 1
        token = headers["authorization"]
        now = service.clock.time()
        if not self.tokens or self.tokens[-1][1] != token:
            if self.tokens and now - self.tokens[-1][0] < LEAST_BETWEEN_TOKENS_S:
                service.complaints.append("TooManyProviderTokenUpdates")
            self.tokens.append((now, token))
        if not 0 <= now - issued_at(token) <= LIFETIME_S:
            service.complaints.append("ExpiredProviderToken")

    def say_goodbye(self) -> None:
        """The service closes the connection in an orderly way, as it may at any time."""
        if not self.closed:
            self.h2.close_connection()
            self._say()

    def _say(self) -> None:
        data = self.h2.data_to_send()
        if data and not self.closed:
            self.service.loop.call_later(LATENCY_S, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if not self.closed:
            self.protocol.data_received(data)


def issued_at(header: str) -> int:
    """Return the ``iat`` of a provider token."""
    claims = header.split(".")[1]
    return int(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iat"])


class Books:
    """What became of each push."""

    def __init__(self) -> None:
        self.ended: dict[int, Outcome] = {}

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        assert push.row not in self.ended
        self.ended[push.row] = outcome

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        pass

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        pass

    def renew(self, lane: Lane) -> None:
        raise AssertionError("no token may be refused")

    def stop(self, stop: Stop) -> None:
        raise AssertionError(stop)

    def connecting(self, lane: Lane, problem: object, retry_in_s: float | None) -> None:
        raise AssertionError(problem)


class World:
    """A run in virtual time."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, credential: ProviderTokenCredential, *, hours: float
    ) -> None:
        self.clock = Clock()
        self.loop = Loop(
            self.clock, thread=lambda: (0.001, 0.001), tls=self._tls, limit_s=(hours + 1) * HOUR
        )
        self.service = Gateway(self.clock, self.loop)
        self.books = Books()
        self.credential = credential
        self.on_connect: Callable[[Link], None] = lambda link: None
        monkeypatch.setattr(virtual, "_MOST_ROUNDS", 2_000_000)
        monkeypatch.setattr(link_module, "resolve", self._resolve)
        monkeypatch.setattr(link_module, "connect", self._connect)

    async def _resolve(self, host: str, port: int) -> list[str]:
        return [host]

    async def _connect(self, where: str, hint: str, addresses: Sequence[str]) -> Any:
        return self  # stands for the socket: no more than abort() is asked of it

    def abort(self) -> None:
        """The socket is gone."""

    def _tls(self, tunnel: Any, protocol: Link) -> Cable:
        self.on_connect(protocol)
        cable = Cable(self.service, protocol)
        self.service.cables.append(cable)
        return cable

    def run(self, pauses_s: Sequence[float], *, at_once: int = 1) -> None:
        """Send *at_once* pushes after each of the pauses."""
        lane = Lane(
            "shop",
            Service.APNS,
            policy=Policy(canary=0),
            effects=self.books,
            pacer=Pacer(None),
            jitter=lambda: 0.0,
            least_wait_s=lambda outcome: None,
        )
        route = Route(
            endpoint=Endpoint("api.push.example", 443, "api.push.example"),
            ssl_context=lambda: None,  # type: ignore[arg-type, return-value]
            authorizer=self.credential,
            read_answer=lambda status, headers, body: ACCEPTED,
            read_goaway=lambda debug: None,
            accepted=ACCEPTED,
            binds_token=True,
            connections=1,
        )
        runner = Runner(
            {lane: route},
            self.books,
            queue_limit=100,
            wall_clock=self.clock.time,
            clock=self.clock.monotonic,
        )

        async def feed() -> AsyncIterator[list[tuple[Lane, Push]]]:
            row = 0
            for pause in pauses_s:
                await asyncio.sleep(pause)
                rows = range(row, row + at_once)
                row += at_once
                fields = ((b"apns-push-type", b"alert"),)
                yield [
                    (lane, Push(n, None, b"/3/device/%064x" % n, fields, None, b"{}")) for n in rows
                ]

        try:
            self.loop.run_until_complete(runner.run(feed()))
        finally:
            self.loop.abandon()


@pytest.fixture
def provider_token() -> ProviderTokenCredential:
    """Return a credential of the test key."""
    return ProviderTokenCredential(material.key_settings(), material.ec_key())


def test_a_day(monkeypatch: pytest.MonkeyPatch, provider_token: ProviderTokenCredential) -> None:
    """
    24 hours: every push arrives once, no token is too old or too new, idle connections are asked.

    A push each half minute; three hours of silence; every four hours APNs closes the connection.
    """
    world = World(monkeypatch, provider_token, hours=24)
    service = world.service
    for hour in (4, 8, 12, 16, 20):
        world.loop.call_later(hour * HOUR + 7, lambda: service.cables[-1].say_goodbye())
    pauses = [30.0] * 1200 + [3 * HOUR] + [30.0] * 1320
    assert sum(pauses) == 24 * HOUR
    world.run(pauses)
    tokens = {token for cable in service.cables for _, token in cable.tokens}
    print(
        f"24 h: {len(pauses)} pushes, {len(service.cables)} connections, {len(tokens)} provider"
        f" tokens, {service.pings} PINGs"
    )

    assert {Kind.ACCEPTED: len(pauses)} == Counter(o.kind for o in world.books.ended.values())
    assert {1} == set(service.served.values())
    assert len(pauses) == len(service.served)
    assert [] == service.complaints
    assert {1} == {len(cable.tokens) for cable in service.cables}
    assert service.pings >= 2
    assert len(service.cables) < 24 * 3
    assert all(cable.closed for cable in service.cables)
    assert [] == world.loop.failed


def test_stream_ids_run_out(
    monkeypatch: pytest.MonkeyPatch, provider_token: ProviderTokenCredential
) -> None:
    """Connections near stream 2^31-1 give way to new ones: nothing is lost, doubled or in doubt."""
    left = 50

    def nearly_used_up(link: Link) -> None:
        first = 2**31 - 1 - 2 * (left - 1)
        link.connection._next_id = link.connection._untaken_from = first

    world = World(monkeypatch, provider_token, hours=1)
    world.on_connect = nearly_used_up
    world.run([0.01] * 40, at_once=25)
    service = world.service

    assert {Kind.ACCEPTED: 1000} == Counter(o.kind for o in world.books.ended.values())
    assert {1} == set(service.served.values())
    assert [left] * 20 == [cable.requests for cable in service.cables]
    assert all(cable.closed for cable in service.cables)
    assert [] == world.loop.failed
