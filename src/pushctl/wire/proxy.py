"""
Through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), then TLS with the real server inside.

The proxy sees host and port of the server and nothing else; the server's certificate is verified
as without a proxy.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from typing import Any, Final

from pushctl.proxy import Proxy
from pushctl.wire.dial import connect, host_and_port, resolve
from pushctl.wire.errors import ConnectFailed, tls_failed

_LONGEST_ANSWER: Final = 16_384
_GOODBYE_S: Final = 1.0
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")
# A lone LF ends a line as well: RFC 9112 section 2.2.
_END: Final = re.compile(rb"\r?\n\r?\n")
_SCHEME: Final = re.compile(rb"^proxy-authenticate:[ \t]*([a-z0-9-]{1,20})", re.I | re.M)
_TLS_ALERT: Final = b"\x15\x03"

_CHECK: Final = "check the proxy's host and port"
_NO_CREDENTIALS: Final = "write them into the proxy's URL: http://user:password@host:port"
_WRONG_CREDENTIALS: Final = "check the user name and password in the proxy's URL"
_WANTS_TLS: Final = "it expects TLS: write its URL with https://"
_NOT_ALLOWED: Final = "ask whoever runs the proxy to allow this host and port"
_NOT_REACHED: Final = "check the host name; the proxy itself may be cut off from the network"


async def open_tunnel(proxy: Proxy, host: str, port: int) -> asyncio.Transport:
    """
    Return a transport that *proxy* has connected to *host* and *port*; nothing was sent there.

    Its protocol must be replaced before the event loop runs again, as ``start_tls()`` does.
    Raises :exc:`~pushctl.wire.errors.ConnectFailed` (proxy).
    """
    target = host_and_port(host, port)
    request = _request(proxy, target)
    transport, waiting = await _reach(proxy)
    transport.write(request)
    try:
        answer = await waiting.answer
        failure = _judge(answer, proxy, target)
        if failure is not None:
            raise failure
    except BaseException:
        transport.abort()
        raise
    return transport


def _request(proxy: Proxy, target: str) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: pushctl"]
    if proxy.username is not None:
        pair = f"{proxy.username}:{proxy.password or ''}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    try:
        if not target.isprintable() or " " in target:
            raise ValueError
        return "\r\n".join((*lines, "", "")).encode("ascii")
    except ValueError:
        raise ConnectFailed("proxy", f"{target!a}: not a host name", "check the host") from None


async def _reach(proxy: Proxy) -> tuple[asyncio.Transport, _Waiting]:
    """Connect to *proxy* itself, over TLS if that is how it is spoken to."""
    loop = asyncio.get_running_loop()
    where = f"proxy {proxy}"
    options: dict[str, Any] = {}
    if proxy.tls:
        context = ssl.create_default_context()
        options = {
            "ssl": context,
            "server_hostname": proxy.host,
            "ssl_shutdown_timeout": _GOODBYE_S,
        }
    try:
        sock = await connect(str(proxy), _CHECK, await resolve(proxy.host, proxy.port))
        return await loop.create_connection(_Waiting, sock=sock, **options)
    except ConnectFailed as failure:
        raise ConnectFailed("proxy", f"proxy {failure.message}", failure.hint) from None
    except ssl.SSLError as error:
        told = tls_failed(where, error)
        raise ConnectFailed("proxy", told.message, told.hint) from None
    except OSError:
        why = "the connection was closed during the TLS handshake"
        raise ConnectFailed("proxy", f"{where}: {why}", _CHECK) from None


class _Waiting(asyncio.Protocol):
    """Collects the proxy's answer up to the end of its head, or to where it goes wrong."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Look whether the head is whole, or can no longer become one."""
        self._received += data
        is_http = self._received.startswith(b"HTTP/1."[: len(self._received)])
        if (
            not is_http
            or len(self._received) > _LONGEST_ANSWER
            or _END.search(self._received) is not None
        ):
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let what has come so far be judged."""
        self._finish()

    def _finish(self) -> None:
        if not self.answer.done():
            self.answer.set_result(self._received)


def _judge(answer: bytes, proxy: Proxy, target: str) -> ConnectFailed | None:
    """Return why *answer* is no tunnel to *target*; ``None`` if it is one."""
    status = _STATUS.match(answer)
    end = _END.search(answer)
    hint = _CHECK
    if not answer:
        why = "it closed the connection without an answer"
    elif status is None:
        why = "its answer is not HTTP/1.1"
        hint = _WANTS_TLS if answer.startswith(_TLS_ALERT) else _CHECK
    elif end is None:
        why = f"its answer is cut short, or longer than {_LONGEST_ANSWER} bytes"
    elif status[1].startswith(b"2"):
        if end.end() == len(answer):
            return None
        why = f"it sent something of its own after connecting to {target}"
    else:
        why, hint = _refusal(int(status[1]), answer[: end.start()], proxy, target)
    return ConnectFailed("proxy", f"proxy {proxy}: {why}", hint)


def _refusal(status: int, head: bytes, proxy: Proxy, target: str) -> tuple[str, str]:
    """Return what a status other than 2xx says, and what to do."""
    if status == 407:
        return _authentication(head, proxy)
    if status < 500:
        return f"it refused to connect to {target} (HTTP {status})", _NOT_ALLOWED
    return f"it could not connect to {target} (HTTP {status})", _NOT_REACHED


def _authentication(head: bytes, proxy: Proxy) -> tuple[str, str]:
    schemes = [scheme.decode("ascii") for scheme in _SCHEME.findall(head)]
    if schemes and "basic" not in map(str.lower, schemes):
        offered = ", ".join(schemes[:5])
        return f"it asks for {offered} authentication", "pushctl can only do Basic"
    if proxy.username is None:
        return "it asks for a user name and password (HTTP 407)", _NO_CREDENTIALS
    return "it refused the user name or password (HTTP 407)", _WRONG_CREDENTIALS
