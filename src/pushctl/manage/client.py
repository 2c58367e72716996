"""
One HTTP client for management: bounded waiting, nothing followed, no secrets out.

APNs speaks HTTP/2 alone, and is asked one thing after the other.  Google is asked several things at
once, over HTTP/1.1: on a connection of HTTP/2 that several large bodies share, httpcore 1.0 can
take a window update for one that another waits for, and the body is never sent whole.

What matters of a request without an answer is whether it had been sent: httpx's trace of its steps
tells, its exceptions do not.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from pushctl.config import CredentialSettings, Origin
from pushctl.credentials import Credential
from pushctl.credentials.credential import Authorization
from pushctl.credentials.through_proxy import httpx_proxy
from pushctl.outcome import Service
from pushctl.proxy import choose_way
from pushctl.rules.text import printable
from pushctl.wire.events import Answer
from pushctl.wire.trace import HIDDEN, Trace

_MAX_ANSWER_BYTES = 4 << 20
"""All channels of an app, ten thousand, are far less."""
_GRACE_S = 1.0
_ENDED = (httpx.NetworkError, httpx.ProtocolError)
_REFUSED_STREAM = 7


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """An answer.  Header names are in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Silence:
    """A request that was not answered."""

    why: str
    was_sent: bool
    """Whether it may have been done: some of it has left, and nobody has said otherwise."""


class _Doubt(Exception):
    """The answer cannot be taken; holds why."""


class Call(Protocol):
    """A request without its credential, as :mod:`pushctl.gateway` makes them."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def fields(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def body(self) -> bytes | None: ...


class ManagementClient:
    """
    Sends requests with one credential.  An asynchronous context manager.

    With APNs, await each request before the next.  Follows no redirect, takes nothing from the
    environment but the proxy.
    """

    def __init__(
        self,
        settings: CredentialSettings,
        credential: Credential,
        environ: Mapping[str, str],
        *,
        timeout_s: float,
        trace: Trace | None = None,
        connections: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        *timeout_s* bounds each request as a whole, *connections* how many there are to a host;
        *clock* gives epoch seconds.
        """
        self._settings = settings
        self._credential = credential
        self._environ = environ
        self._timeout_s = timeout_s
        self._trace = trace
        self._connections = connections
        self._clock = clock
        self._clients: dict[Origin, httpx.AsyncClient] = {}
        self._serial = 0
        self.interrupted = False
        """Somebody cancelled a request: no further one should be made."""

    async def __aenter__(self) -> Self:
        """Return itself: connections are opened when they are needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def authorization(self, refused: Authorization | None = None) -> Authorization | None:
        """
        Return what a request carries now; a newer one than *refused*.

        ``None`` for a client certificate.  :raises CredentialsRefused: the token endpoint says
        no.  :raises Unreachable: it does not answer.
        """
        give = self._credential.authorization
        if refused is None:
            return await asyncio.to_thread(give, self._clock())
        return await asyncio.to_thread(self._credential.renew, self._clock(), refused)

    async def reconnect(self) -> None:
        """Use new connections from now on: APNs ties a provider token to its connection."""
        clients = [*self._clients.values()]
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def ask(
        self,
        origin: Origin,
        call: Call,
        authorization: Authorization | None,
        *,
        more: Sequence[tuple[str, str]] = (),
    ) -> Reply | Silence:
        """
        Send one request to *origin*; return its answer, or what is known without one.

        *more* are header fields besides those of *call*.
        """
        fields = [*call.fields, *more]
        own = [] if authorization is None else [("authorization", _text(authorization))]
        steps = _Steps()
        self._serial += 1
        tag = self._serial
        self._tell_request(tag, origin, call, fields, bool(own))
        try:
            async with asyncio.timeout(self._timeout_s + _GRACE_S):
                reply = await self._send(origin, call, [*own, *fields], steps)
        except asyncio.CancelledError:
            # Nobody may be left without a word on what had begun: the caller ends by this mark.
            self.interrupted = True
            return self._silent(tag, "interrupted", steps)
        except (TimeoutError, httpx.TimeoutException):
            return self._silent(tag, f"no answer within {self._timeout_s:g} s", steps)
        except (httpx.HTTPError, httpx.InvalidURL, _Doubt) as error:
            if steps.is_undone(error):
                steps.was_sent = False
                return self._silent(tag, "the service said that it did not take it", steps)
            return self._silent(tag, _words(error), steps)
        self._tell_answer(tag, reply)
        return reply

    async def _send(
        self, origin: Origin, call: Call, fields: list[tuple[str, str]], steps: _Steps
    ) -> Reply:
        body = bytearray()
        async with self._client(origin).stream(
            call.method,
            f"https://{origin}{call.path}",
            headers=fields,
            content=call.body,
            extensions={"trace": steps.note},
        ) as response:
            async for (
                chunk
            ) in response.aiter_raw():  # nothing is unpacked: nothing was asked packed
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise _Doubt("the answer has no end")
        headers = [(name.lower(), value) for name, value in response.headers.multi_items()]
        return Reply(response.status_code, headers, bytes(body))

    def _client(self, origin: Origin) -> httpx.AsyncClient:
        client = self._clients.get(origin)
        if client is None:
            way = choose_way(
                origin.host,
                origin.port,
                configured=self._settings.proxy,
                environ=self._environ,
            )
            transport = httpx.AsyncHTTPTransport(
                verify=self._credential.ssl_context(),
                http2=self._credential.service is Service.APNS,
                trust_env=False,
                proxy=None if way.proxy is None else httpx_proxy(way.proxy),
                limits=httpx.Limits(max_connections=self._connections),
            )
            client = self._clients[origin] = httpx.AsyncClient(
                transport=transport,
                timeout=self._timeout_s,
                follow_redirects=False,
                trust_env=False,
                headers={"user-agent": "pushctl", "accept-encoding": "identity"},
            )
        return client

    # -- telling ------------------------------------------------------------------------------

    def _tell_request(
        self,
        tag: int,
        origin: Origin,
        call: Call,
        fields: Sequence[tuple[str, str]],
        authorized: bool,
    ) -> None:
        if self._trace is None:
            return
        hidden = [("authorization", f"bearer {HIDDEN}")] if authorized else []
        pseudo = [(":method", call.method), (":authority", str(origin)), (":path", call.path)]
        every = [*pseudo, *hidden, *fields]
        self._trace.request(tag, every, call.body or b"", time.monotonic())

    def _tell_answer(self, tag: int, reply: Reply) -> None:
        if self._trace is not None:
            answer = Answer(tag, reply.status, [*reply.headers], reply.body)
            self._trace.answer(tag, answer, time.monotonic())

    def _silent(self, tag: int, why: str, steps: _Steps) -> Silence:
        if self._trace is not None:
            self._trace.failed(tag, why, time.monotonic())
        return Silence(why, steps.was_sent)


def _words(error: Exception) -> str:
    """Return why there is no answer; httpx words the same event in many ways, or in none."""
    if isinstance(error, _ENDED) and not isinstance(error, httpx.ConnectError):
        return "the connection ended"
    return printable(str(error), 200) or type(error).__name__


class _Steps:
    """Notes whether a request has begun to leave, and on which stream."""

    def __init__(self) -> None:
        self.was_sent = False
        self._stream: int | None = None

    async def note(self, name: str, info: Mapping[str, Any]) -> None:
        """Take a step that httpcore tells of."""
        # The CONNECT to a proxy carries nothing of ours: what it asks for has not begun.
        if name.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self.was_sent = True
            self._stream = info.get("stream_id")

    def is_undone(self, error: Exception) -> bool:
        """
        Tell whether *error* says that the request was not processed (RFC 9113 section 8.7).

        That is REFUSED_STREAM, or a GOAWAY whose last stream is below this one: httpcore hands on
        the event of h2 that it met.
        """
        cause = error.__cause__
        event = cause.args[0] if cause is not None and cause.args else None
        last = getattr(event, "last_stream_id", None)
        if last is not None:
            return self._stream is not None and self._stream > last
        return getattr(event, "error_code", None) == _REFUSED_STREAM


def _text(authorization: Authorization) -> str:
    return authorization.header.decode("ascii")
