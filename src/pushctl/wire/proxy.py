"""
Through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), then TLS with the real server inside.

The proxy sees host and port of the server and nothing else; the server's certificate is verified
as without a proxy.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import re
import ssl
from typing import Any, Final
from urllib.parse import unquote

from pushctl.wire.dial import connect, host_and_port, resolve
from pushctl.wire.errors import ConnectFailed, tls_failed

_FORM: Final = "a proxy is written as http://host:port or http://user:password@host:port"
_RESERVED: Final = "in a proxy's user name and password, / ? # @ and : are written as %2F %3F …"
_PLACE: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?")
_PORTS: Final = {"http": 80, "https": 443}

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


@dataclasses.dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that understands CONNECT."""

    host: str
    port: int
    username: str | None = None
    """``None``: no ``proxy-authorization`` is sent."""
    password: str | None = dataclasses.field(default=None, repr=False)
    tls: bool = False
    """The proxy itself is spoken to over TLS, its certificate verified by the system's roots."""

    def __str__(self) -> str:
        """Return ``host:port``, an IPv6 address in brackets."""
        return host_and_port(self.host, self.port)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """
        Return the proxy that *url* names: ``[http[s]://][user[:password]@]host[:port][/]``.

        The port is 80 or 443 if *url* names none; user name and password are percent-decoded.
        Raises :exc:`ValueError` with words for people that hold nothing of *url*.
        """
        scheme, separator, rest = url.partition("://")
        if not separator:
            scheme, rest = "http", url
        scheme = scheme.lower()
        if scheme not in _PORTS:
            raise ValueError(f"{_FORM}; SOCKS proxies are not supported")
        userinfo, _, written_place = rest.rpartition("@")
        place = _PLACE.fullmatch(written_place)
        if place is None:
            raise ValueError(_FORM)
        address, name, digits = place.groups()
        port = int(digits or _PORTS[scheme])
        if not 0 < port < 65_536:
            raise ValueError("a proxy's port is a number from 1 to 65535")
        username, password = _credentials(userinfo)
        return cls(address or name, port, username, password, tls=scheme == "https")


def _credentials(userinfo: str) -> tuple[str | None, str | None]:
    if not userinfo:
        return None, None
    if re.search(r"[/?#@]", userinfo) or userinfo.count(":") > 1:
        raise ValueError(_RESERVED)
    written_name, separator, written_password = userinfo.partition(":")
    try:
        username = unquote(written_name, errors="strict")
        password = unquote(written_password, errors="strict") if separator else None
        userinfo.encode()  # what an environment variable holds need not be text
    except UnicodeError:
        raise ValueError("a proxy's user name or password is not UTF-8") from None
    # RFC 7617 section 2: neither may have control characters, nor the user name a colon.
    if ":" in username:
        raise ValueError("a proxy's user name cannot have a colon")
    if re.search(r"[\x00-\x1f\x7f]", username + (password or "")):
        raise ValueError("a proxy's user name or password has a control character")
    return username, password


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
