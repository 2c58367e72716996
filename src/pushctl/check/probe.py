"""The one request that a check makes, on a connection of its own.  All waiting is bounded."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
import time
from collections.abc import Callable, Sequence

from pushctl.check.connection import Certificate, read_certificate
from pushctl.gateway.request import PushRequest
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer, Closed, Event
from pushctl.wire.headers import RequestHead
from pushctl.wire.link import Endpoint, Link
from pushctl.wire.peer import Peer, peer_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of the request."""

    answer: Answer | None = None
    why: str | None = None
    """Why there is no answer."""
    goaway: bytes = b""
    """The debug data of a GOAWAY that came instead of one."""
    asked_at: float
    answered_at: float
    """Epoch seconds by this machine's clock."""
    seconds: float

    @property
    def date(self) -> str | None:
        """The ``Date`` of the answer."""
        headers = self.answer.headers if self.answer is not None else None
        return next((value for name, value in headers or () if name == "date"), None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a connection, and the request on it, came to."""

    peer: Peer | None = None
    """``None``: it could not be opened."""
    failure: ConnectFailed | None = None
    shown: Certificate | None = None
    """The certificate that was not trusted."""
    seconds: float
    """How long opening took."""
    reply: Reply | None = None
    """``None``: nothing was asked."""


async def visit(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    *,
    request: PushRequest | None,
    authorization: bytes | None,
    timeout_s: float,
    clock: Callable[[], float],
) -> Visit:
    """
    Open a connection to *endpoint*, make *request* on it if there is one, and close it.

    *clock* gives epoch seconds; *timeout_s* bounds the opening and the answer, each.  Never
    raises for what the network does.
    """
    talk = _Talk()
    begun = time.monotonic()
    try:
        link = await Link.open(
            endpoint,
            context,
            on_events=talk.on_events,
            on_wake=talk.on_wake,
            request_timeout_s=timeout_s,
            connect_timeout_s=timeout_s,
            decode_accepted=True,
        )
    except ConnectFailed as failure:
        seconds = time.monotonic() - begun
        shown = await _look_at(endpoint, timeout_s) if _is_distrust(failure) else None
        return Visit(failure=failure, shown=shown, seconds=seconds)
    seconds = time.monotonic() - begun
    try:
        peer = peer_of(link)
        reply = None
        if request is not None:
            reply = await _ask(link, talk, request, authorization, timeout_s, clock)
        return Visit(peer=peer, seconds=seconds, reply=reply)
    finally:
        await link.close()


async def _ask(
    link: Link,
    talk: _Talk,
    request: PushRequest,
    authorization: bytes | None,
    timeout_s: float,
    clock: Callable[[], float],
) -> Reply:
    own = ((b"authorization", authorization),) if authorization is not None else ()
    head = RequestHead(
        authority=link.endpoint.authority.encode("ascii"), fields=(*own, *request.fields)
    )
    begun, asked_at = time.monotonic(), clock()
    try:
        async with asyncio.timeout(timeout_s + 1):  # the link's own deadline strikes first
            await talk.until(lambda: link.capacity() > 0 or talk.closed is not None)
            if talk.closed is None:
                link.request(head.block(request.path), request.body, None)
                link.flush()
                await talk.until(lambda: talk.ended is not None or talk.closed is not None)
    except TimeoutError:
        talk.why = talk.why or "the server takes no requests"
    closed = talk.closed
    return Reply(
        answer=talk.answer,
        why=talk.why or (closed.why if closed is not None else None),
        goaway=closed.debug if closed is not None and talk.answer is None else b"",
        asked_at=asked_at,
        answered_at=clock(),
        seconds=time.monotonic() - begun,
    )


async def _look_at(endpoint: Endpoint, timeout_s: float) -> Certificate | None:
    """
    Return the certificate of a server that is not trusted, for people to see whose it is.

    Nothing is sent to it but an HTTP/2 preface: no credential, no client certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    talk = _Talk()
    try:
        link = await Link.open(
            endpoint,
            context,
            on_events=talk.on_events,
            on_wake=talk.on_wake,
            request_timeout_s=timeout_s,
            connect_timeout_s=timeout_s,
        )
    except ConnectFailed:
        return None
    try:
        return read_certificate(peer_of(link).certificate)
    finally:
        await link.close()


def _is_distrust(failure: ConnectFailed) -> bool:
    return failure.stage == "tls" and "not trusted" in failure.message


class _Talk:
    """What a link reports during one request."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.why: str | None = None
        self.closed: Closed | None = None
        self._changed = asyncio.Event()

    @property
    def ended(self) -> object:
        """Whatever ended the request; ``None`` while it is open."""
        return self.answer or self.why

    def on_events(self, link: Link, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Closed):
                self.closed = event
            elif isinstance(event, Answer):
                self.answer = event
            else:
                self.why = event.why
        self._changed.set()

    def on_wake(self, link: Link) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds; it is looked at after every report."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()
