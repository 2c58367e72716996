"""Names, addresses and sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pushctl.wire import dial
from pushctl.wire.dial import connect, firewall_hint, resolve
from pushctl.wire.errors import ConnectFailed
from wire.server import in_loop


def info(port: int, host: str = "127.0.0.1") -> dial.AddressInfo:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))


@contextlib.contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """Listen on a port whose queue is full: further connections hang."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@in_loop
async def test_resolve_a_literal() -> None:
    """An address is its own resolution."""
    found = await resolve("127.0.0.1", 443)

    assert [("127.0.0.1", 443)] == [entry[4] for entry in found]


@in_loop
async def test_families_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 and IPv4 addresses are tried in turn, the resolver's favourite family first."""

    async def found(*_: Any, **__: Any) -> list[Any]:
        families = [socket.AF_INET6] * 3 + [socket.AF_INET]
        return [(f, socket.SOCK_STREAM, 6, "", (n, 1)) for n, f in enumerate(families)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    order = [entry[4][0] for entry in await resolve("x", 1)]

    assert [0, 3, 1, 2] == order


@pytest.mark.parametrize("host", ["nonexistent.invalid", "a" * 70 + ".example", "\udcff"])
def test_unresolvable(host: str) -> None:
    """A name that does not exist or cannot exist is an error of the stage dns."""

    @in_loop
    async def run() -> None:
        with pytest.raises(ConnectFailed) as caught:
            await resolve(host, 443)

        assert "dns" == caught.value.stage
        assert "cannot be resolved" in caught.value.message

    run()


@in_loop
async def test_a_dead_address_costs_little() -> None:
    """With a dead address in front, the next one is used after a quarter of a second."""
    with deaf() as dead, listening() as port:
        begun = asyncio.get_running_loop().time()
        with await connect("x:1", "hint", [info(dead), info(port)]) as sock:
            spent = asyncio.get_running_loop().time() - begun

            assert port == sock.getpeername()[1]
            assert spent < 2


@in_loop
async def test_a_refusing_address_costs_nothing() -> None:
    """An address that refuses is passed over at once, whether first or last."""
    with refusing() as closed, listening() as port:
        for order in ([closed, closed, port], [port, closed]):
            with await connect("x:1", "hint", [info(number) for number in order]) as sock:
                assert port == sock.getpeername()[1]


@in_loop
async def test_nobody_answers() -> None:
    """When every address fails, the first failure is told, and how many were tried."""
    with refusing() as one, refusing() as two, pytest.raises(ConnectFailed) as caught:
        await connect("x:1", "look here", [info(one), info(two)])

    assert "connect" == caught.value.stage
    assert "x:1: the connection was refused (2 addresses tried)" == caught.value.message
    assert "look here" == caught.value.hint


@in_loop
async def test_unreachable_network() -> None:
    """An error of the operating system is told in its words, without the address repeated."""
    with pytest.raises(ConnectFailed) as caught:
        await connect("x:1", "hint", [info(1, "255.255.255.255")])

    assert caught.value.message.startswith("x:1: no connection: ")
    assert "255" not in caught.value.message


@in_loop
async def test_no_addresses() -> None:
    """A name without addresses is an error, not a hang."""
    with pytest.raises(ConnectFailed, match="no address"):
        await connect("x:1", "hint", [])


@in_loop
async def test_late_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When two attempts succeed together, the first wins and the other's socket is closed."""
    made: list[socket.socket] = []
    both = asyncio.Event()

    async def attempt(entry: dial.AddressInfo) -> socket.socket:
        made.append(socket.socket())
        if len(made) == 2:
            both.set()
        await both.wait()
        return made[entry[4][1]]

    monkeypatch.setattr(dial, "_attempt", attempt)
    monkeypatch.setattr(dial, "ATTEMPT_DELAY_S", 0.001)
    with await connect("x:1", "hint", [info(0), info(1)]) as winner:
        await asyncio.sleep(0)

        assert made[0] is winner
        assert -1 == made[1].fileno()


@in_loop
async def test_cancelled_attempts_close_their_sockets() -> None:
    """Whoever stops waiting leaves no half-open socket: the loop would warn of it."""
    with deaf() as dead:
        task = asyncio.create_task(connect("x:1", "hint", [info(dead)]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_hint_for_a_blocked_port() -> None:
    """Only for APNs on port 443 the hint speaks of port 2197."""
    assert "2197" in firewall_hint("api.push.apple.com", 443)
    assert "2197" in firewall_hint("api.sandbox.push.apple.com", 443)
    assert "2197" not in firewall_hint("api.push.apple.com", 2197)
    assert "2197" not in firewall_hint("fcm.googleapis.com", 443)
