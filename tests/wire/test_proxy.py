"""Links through an HTTP proxy on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.proxy import Proxy
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer
from pushctl.wire.link import Endpoint, Link
from pushctl.wire.proxy import _judge
from wire.authority import Authority
from wire.server import Owner, Peer, Silent, in_loop, push, serving

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
NO_PROXY = Proxy("proxy.example", 3128)
NAMED = Proxy("proxy.example", 3128, "ann", "s3cret")


class Forwarder:
    """A proxy that answers CONNECT with *answer*, and forwards unless it wants a password."""

    def __init__(
        self,
        answer: bytes = ESTABLISHED,
        *,
        wants: str | None = None,
        piece: int = 1000,
        gather: bool = False,
    ) -> None:
        self.answer = answer
        self.piece = piece
        self.pause = 300 if gather else 0
        self.wants = None if wants is None else base64.b64encode(wants.encode()).decode()
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        self.requests.append(head)
        if self.wants is not None and f"Proxy-Authorization: Basic {self.wants}\r\n" not in head:
            writer.write(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
            return
        for start in range(0, len(self.answer), self.piece):
            writer.write(self.answer[start : start + self.piece])
            await asyncio.sleep(0)
        host, port = head.split()[1].rsplit(":", 1)
        inner, outer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_copy(reader, outer), _copy(inner, writer, self.pause))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: int = 0) -> None:
    """Copy until the end; what comes while the loop runs *pause* times is passed on as one."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            for _ in range(pause):
                await asyncio.sleep(0)
    writer.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def proxying(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a proxy on a free port of 127.0.0.1, and wait for its connections to end."""
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if handlers:
            await asyncio.wait(handlers, timeout=5)
        await server.wait_closed()


def through(proxy: Proxy, port: int) -> Endpoint:
    return Endpoint("127.0.0.1", port, "api.push.example", "localhost", proxy)


async def opened(
    place: Endpoint, authority: Authority, owner: Owner, timeout_s: float = 10.0
) -> Link:
    return await Link.open(
        place,
        authority.client(),
        on_events=owner.on_events,
        on_wake=owner.on_wake,
        request_timeout_s=10.0,
        connect_timeout_s=timeout_s,
    )


async def failure(
    place: Endpoint, authority: Authority, *, timeout_s: float = 10.0
) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        await opened(place, authority, Owner(), timeout_s)
    return caught.value


# --------------------------------------------------------------------------- tunnels


@in_loop
async def test_pushes_go_through(authority: Authority) -> None:
    """Behind a proxy everything works as before; the proxy sees host and port, no more."""
    owner = Owner()
    forwarder = Forwarder()
    async with serving(Peer, authority.server()) as port, proxying(forwarder) as at:
        link = await opened(through(Proxy("127.0.0.1", at), port), authority, owner)
        push(link, 100)
        await owner.reported(100)
        await link.close()

    assert [Answer(tag, 200, None, b"") for tag in range(100)] == owner.events
    target = f"127.0.0.1:{port}"
    expected = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: pushctl\r\n\r\n"
    assert [expected] == forwarder.requests


@pytest.mark.parametrize("password", ["s3cret", "pä:ss@/", "", None])
def test_basic_authentication(authority: Authority, password: str | None) -> None:
    """User name and password are sent as RFC 7617 says, in UTF-8."""

    @in_loop
    async def run() -> None:
        forwarder = Forwarder(wants=f"ann:{password or ''}")
        async with serving(Peer, authority.server()) as port, proxying(forwarder) as at:
            proxy = Proxy("127.0.0.1", at, "ann", password)
            link = await opened(through(proxy, port), authority, Owner())
            await link.close()

        assert 1 == len(forwarder.requests)

    run()


@in_loop
async def test_a_proxy_over_tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may itself be spoken to over TLS; inside runs the TLS of the server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    owner = Owner()
    outside = authority.server("127.0.0.1", protocols=())
    async with serving(Peer, authority.server()) as port, proxying(Forwarder(), outside) as at:
        link = await opened(through(Proxy("127.0.0.1", at, tls=True), port), authority, owner)
        push(link, 100, b"x" * 500)
        await owner.reported(100)
        await link.close()

    assert [Answer(tag, 200, None, b"") for tag in range(100)] == owner.events


@in_loop
async def test_the_proxy_over_tls_is_verified(authority: Authority) -> None:
    """A proxy whose certificate comes from an unknown CA gets neither request nor password."""
    forwarder = Forwarder()
    outside = authority.server("127.0.0.1", protocols=())
    async with proxying(forwarder, outside) as at:
        proxy = Proxy("127.0.0.1", at, "ann", "s3cret", tls=True)
        error = await failure(through(proxy, 1), authority)

    assert "proxy" == error.stage
    assert f"proxy 127.0.0.1:{at}: the server is not trusted" in error.message
    assert [] == forwarder.requests


@in_loop
async def test_a_plain_proxy_spoken_to_over_tls(authority: Authority) -> None:
    """https:// for a proxy that speaks plain HTTP is told as that."""

    async def confused(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with proxying(confused) as at:
        error = await failure(through(Proxy("127.0.0.1", at, tls=True), 1), authority)

    assert "proxy" == error.stage
    assert "it does not speak TLS" in error.message


@in_loop
async def test_a_proxy_that_cuts_the_handshake(authority: Authority) -> None:
    """A proxy that closes during its TLS handshake is an error of the stage proxy."""

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.transport.abort()

    async with proxying(cutting) as at:
        error = await failure(through(Proxy("127.0.0.1", at, tls=True), 1), authority)

    assert "proxy" == error.stage
    assert "during the TLS handshake" in error.message


@in_loop
async def test_settings_that_come_at_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server says in one segment with the end of the handshake is not lost."""
    early: list[bool] = []

    def noting(link: Link, data: bytes) -> None:
        early.append(link._transport is None)
        data_received(link, data)

    data_received = Link.data_received
    monkeypatch.setattr(Link, "data_received", noting)
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # where the server has the last word
    owner = Owner()
    async with serving(Peer, context) as port, proxying(Forwarder(gather=True)) as at:
        link = await opened(through(Proxy("127.0.0.1", at), port), authority, owner)
        push(link)
        await owner.reported(1)
        await link.close()

    assert early[0]
    assert [Answer(0, 200, None, b"")] == owner.events


@in_loop
async def test_tls_errors_inside_are_the_servers(authority: Authority) -> None:
    """Behind the proxy the server's certificate is verified, and told by the server's name."""
    context = authority.server("elsewhere.example")
    async with serving(Peer, context) as port, proxying(Forwarder()) as at:
        error = await failure(through(Proxy("127.0.0.1", at), port), authority)

    assert "tls" == error.stage
    assert f"127.0.0.1:{port}: the server is not trusted" in error.message


@in_loop
async def test_a_server_that_cuts_the_handshake(authority: Authority) -> None:
    """A connection that is cut inside the tunnel says so."""

    class Cutting(Silent):
        def data_received(self, data: bytes) -> None:
            self.transport.abort()

    async with serving(Cutting, None) as port, proxying(Forwarder()) as at:
        error = await failure(through(Proxy("127.0.0.1", at), port), authority)

    assert "tls" == error.stage
    assert "during the TLS handshake" in error.message


# --------------------------------------------------------------------------- no tunnel


@in_loop
async def test_wrong_password(authority: Authority) -> None:
    """A refused password is told without showing it."""
    async with proxying(Forwarder(wants="ann:right")) as at:
        error = await failure(through(Proxy("127.0.0.1", at, "ann", "s3cret"), 1), authority)

    assert "proxy" == error.stage
    assert "refused the user name or password" in error.message
    assert "s3cret" not in f"{error} {error.hint}"


@in_loop
async def test_a_proxy_that_closes(authority: Authority) -> None:
    """A proxy that hangs up without a word is told as that."""

    async def closing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with proxying(closing) as at:
        error = await failure(through(Proxy("127.0.0.1", at), 1), authority)

    assert "proxy" == error.stage
    assert f"proxy 127.0.0.1:{at}: it closed the connection without an answer" == error.message


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 10, b"HTTP/1.1 200 " + b"x" * 20_000]
)
def test_garbage_is_not_waited_out(authority: Authority, said: bytes) -> None:
    """What cannot become an answer ends the attempt at once, however open the connection."""

    @in_loop
    async def run() -> None:
        async def talking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            await reader.read()  # until the other side closes

        async with proxying(talking) as at:
            error = await failure(through(Proxy("127.0.0.1", at), 1), authority)

        assert "proxy" == error.stage

    run()


@in_loop
async def test_an_answer_in_pieces(authority: Authority) -> None:
    """The head may come byte by byte, with 2xx other than 200 and fields to ignore."""

    forwarder = Forwarder(b"HTTP/1.0 299 Fine\r\nContent-Length: 9\r\n\r\n", piece=1)
    async with serving(Peer, authority.server()) as port, proxying(forwarder) as at:
        link = await opened(through(Proxy("127.0.0.1", at), port), authority, Owner())
        await link.close()

    assert 1 == len(forwarder.requests)


@in_loop
async def test_a_silent_proxy(authority: Authority) -> None:
    """A proxy that never answers is given up, and it is the proxy that is named."""
    async with serving(Silent, None) as at:
        error = await failure(through(Proxy("127.0.0.1", at), 1), authority, timeout_s=0.15)

    assert "proxy" == error.stage
    assert f"proxy 127.0.0.1:{at}: no tunnel to 127.0.0.1:1 within 0.15 s" == error.message


@in_loop
async def test_a_silent_server_behind_a_proxy(authority: Authority) -> None:
    """A server that falls silent inside the tunnel is given up at its own stage."""
    async with serving(Silent, None) as port, proxying(Forwarder()) as at:
        place = through(Proxy("127.0.0.1", at), port)
        error = await failure(place, authority, timeout_s=0.3)

    assert "tls" == error.stage


@in_loop
async def test_an_unknown_proxy(authority: Authority) -> None:
    """A proxy whose name does not exist, or that refuses, is told as the proxy's fault."""
    unknown = await failure(through(Proxy("nonexistent.invalid", 3128), 1), authority)
    async with serving(Silent, None) as at:
        pass
    closed = await failure(through(Proxy("127.0.0.1", at), 1), authority)

    assert ("proxy", "proxy") == (unknown.stage, closed.stage)
    assert unknown.message.startswith("proxy nonexistent.invalid: the name cannot be resolved")
    assert f"proxy 127.0.0.1:{at}: the connection was refused" == closed.message


@pytest.mark.parametrize("host", ["a\r\nx: y", "a b", "pü.example", "a\0"])
def test_a_host_that_is_none(authority: Authority, host: str) -> None:
    """A host name that would break out of the request line is refused before anything is sent."""

    @in_loop
    async def run() -> None:
        place = Endpoint(host, 443, "x", "localhost", Proxy("nonexistent.invalid", 1))
        error = await failure(place, authority)

        assert "proxy" == error.stage
        assert "not a host name" in error.message
        assert error.message.isprintable()

    run()


BASIC = b'Proxy-Authenticate: Basic realm="x"\r\n'
NTLM = b"proxy-authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"


@pytest.mark.parametrize(
    ("answer", "proxy", "words", "hint"),
    [
        (b"HTTP/1.1 407 x\r\n" + BASIC + b"\r\n", NO_PROXY, "asks for a user name", "user:pass"),
        (b"HTTP/1.1 407 x\r\n" + NTLM + BASIC + b"\r\n", NAMED, "refused the user", "check the"),
        (b"HTTP/1.1 407 x\r\n\r\n", NO_PROXY, "asks for a user name and password", "user:pass"),
        (b"HTTP/1.1 407 x\r\n" + NTLM + b"\r\n", NAMED, "Negotiate, NTLM auth", "only do Basic"),
        (b"HTTP/1.1 403 No\r\n\r\n", NAMED, "refused to connect to h:443 (HTTP 403)", "allow"),
        (b"HTTP/1.1 301 x\r\nLocation: y\r\n\r\n", NAMED, "(HTTP 301)", "allow"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", NAMED, "(HTTP 100)", "allow"),
        (b"HTTP/1.0 502 Bad\r\n\r\n<html>", NAMED, "could not connect to h:443 (HTTP 502)", "cut"),
        (b"HTTP/1.1 200 OK\r\n\r\nx", NAMED, "something of its own", "host and port"),
        (b"HTTP/1.1 200 OK\r\nx: y", NAMED, "cut short", "host and port"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", NAMED, "not HTTP/1.1", "host and port"),
        (b"HTTP/2 200 OK\r\n\r\n", NAMED, "not HTTP/1.1", "host and port"),
        (b"\x15\x03\x01\x00\x02\x02\x46", NAMED, "not HTTP/1.1", "https://"),
        (b"", NAMED, "closed the connection without an answer", "host and port"),
    ],
)
def test_what_an_answer_means(answer: bytes, proxy: Proxy, words: str, hint: str) -> None:
    """Each answer that is no tunnel is told in words that lead on, and never shows a password."""
    error = _judge(answer, proxy, "h:443")

    assert error is not None
    assert "proxy" == error.stage
    assert error.message.startswith("proxy proxy.example:3128: ")
    assert words in error.message
    assert hint in (error.hint or "")
    assert "s3cret" not in f"{error!r} {error.hint}"


@pytest.mark.parametrize(
    "answer",
    [ESTABLISHED, b"HTTP/1.0 200\r\nVia: x\r\n\r\n", b"HTTP/1.1 204 x\n\n"],
)
def test_what_a_tunnel_is(answer: bytes) -> None:
    """Any 2xx with nothing behind it is a tunnel."""
    assert _judge(answer, NAMED, "h:443") is None


@given(st.binary(max_size=200))
def test_any_answer_has_a_meaning(answer: bytes) -> None:
    """Whatever a proxy sends is a tunnel or an error with printable words."""
    for said in (answer, b"HTTP/1.1 407 " + answer, b"HTTP/1.1 200 " + answer + b"\r\n\r\n"):
        error = _judge(said, NAMED, "h:443")

        assert error is None or error.message.isprintable()


def test_a_proxy_in_words() -> None:
    """An endpoint names its proxy without the password."""
    assert "s3cret" not in repr(Endpoint("h", 1, "h", proxy=NAMED))
