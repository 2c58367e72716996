"""
From a host name to a connected TCP socket.

Names are resolved for each connection, so that many connections spread over the addresses the
service gives out (Apple, "Establishing a connection to APNs").  Addresses are tried a quarter of
a second apart, address families in turn (RFC 8305): one dead address costs that, not a timeout.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import socket
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from pushctl.wire.errors import ConnectFailed

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""An entry of :func:`socket.getaddrinfo`."""

ATTEMPT_DELAY_S: Final = 0.25
_FIREWALL: Final = "a firewall may be in the way; check host and port"
_FIREWALL_APNS: Final = "a firewall may be in the way; APNs listens on port 2197 as well"


async def resolve(host: str, port: int) -> list[AddressInfo]:
    """Return the addresses of *host*, families alternating; raises :exc:`ConnectFailed` (dns)."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "not a host name"
        raise ConnectFailed(
            "dns",
            f"{host}: the name cannot be resolved: {why}",
            "check the spelling, the network and its DNS",
        ) from None
    return _interleave(found)


def _interleave(found: Sequence[AddressInfo]) -> list[AddressInfo]:
    families: dict[int, list[AddressInfo]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    rounds = itertools.zip_longest(*families.values())
    return [info for one in rounds for info in one if info is not None]


async def connect(where: str, hint: str, addresses: Sequence[AddressInfo]) -> socket.socket:
    """
    Return a socket connected to the first of *addresses* that answers.

    Raises :exc:`ConnectFailed` (connect) when none does, with *where* in its message and *hint*.
    However it ends, no other socket stays open.
    """
    attempts: list[asyncio.Task[socket.socket]] = []
    waiting = list(reversed(addresses))
    winner: socket.socket | None = None
    try:
        while winner is None:
            running = [attempt for attempt in attempts if not attempt.done()]
            if waiting:
                attempts.append(asyncio.create_task(_attempt(waiting.pop())))
                running.append(attempts[-1])
            elif not running:
                raise _none_answered(where, hint, attempts)
            timeout = ATTEMPT_DELAY_S if waiting else None
            await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            winner = next(filter(None, map(_connected, attempts)), None)
    finally:
        for attempt in attempts:
            if _connected(attempt) is not winner or winner is None:
                attempt.cancel()
                attempt.add_done_callback(_discard)
    return winner


async def _attempt(info: AddressInfo) -> socket.socket:
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _connected(attempt: asyncio.Task[socket.socket]) -> socket.socket | None:
    if not attempt.done() or attempt.cancelled() or attempt.exception() is not None:
        return None
    return attempt.result()


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that came too late, or take note of its failure."""
    sock = _connected(attempt)
    if sock is not None:
        sock.close()


def _none_answered(
    where: str, hint: str, attempts: Sequence[asyncio.Task[socket.socket]]
) -> ConnectFailed:
    """Return the failure, told by the first attempt's error: the most preferred address."""
    error = attempts[0].exception() if attempts else None
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ECONNREFUSED:
        why = "the connection was refused"
    else:
        # asyncio's own text repeats the address; the operating system's words are enough.
        why = "no connection: " + ("no address" if number is None else os.strerror(number))
    tried = f" ({len(attempts)} addresses tried)" if len(attempts) > 1 else ""
    return ConnectFailed("connect", f"{where}: {why}{tried}", hint)


def host_and_port(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def firewall_hint(host: str, port: int) -> str:
    """Return what to try when *host* cannot be reached on *port*."""
    if port == 443 and host.endswith(".push.apple.com"):
        return _FIREWALL_APNS
    return _FIREWALL
