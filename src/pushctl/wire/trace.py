"""
A link that tells what goes over it.

Only a run that is asked to show the wire opens its connections with this class: where nobody asks,
nothing is tested for and nothing is called.
"""

from __future__ import annotations

import ssl
from typing import Any, Protocol

import hpack

from pushctl.wire.events import Answer, Closed, Event
from pushctl.wire.link import Endpoint, Link, OnEvents

Fields = list[tuple[str, str]]
_SECRETS = frozenset({"authorization", "proxy-authorization", "cookie"})
HIDDEN = "(hidden)"


class Trace(Protocol):
    """Who is told.  No secret is: it is taken out before."""

    def opened(self, endpoint: str) -> None:
        """A connection to *endpoint* is open."""

    def request(self, tag: object, fields: Fields, body: bytes, now: float) -> None:
        """A request goes out; *now* is the link's clock, in seconds."""

    def answer(self, tag: object, answer: Answer, now: float) -> None:
        """It was answered."""

    def failed(self, tag: object, why: str, now: float) -> None:
        """It ended without an answer."""

    def closed(self, endpoint: str, closed: Closed) -> None:
        """The connection ended."""


class TracedLink(Link):
    """An open connection that tells a :class:`Trace` of all requests and their ends."""

    trace: Trace

    @classmethod
    async def open_for(
        cls,
        trace: Trace,
        endpoint: Endpoint,
        ssl_context: ssl.SSLContext,
        *,
        on_events: OnEvents,
        **more: Any,
    ) -> TracedLink:
        """Return a link as :meth:`Link.open` does, with the same options; *trace* hears of it."""

        def heard(link: Link, events: list[Event]) -> None:
            assert isinstance(link, TracedLink)
            for event in events:
                link.tell(event)
            on_events(link, events)

        link = await cls.open(endpoint, ssl_context, on_events=heard, **more)
        assert isinstance(link, TracedLink)
        link.trace = trace
        trace.opened(str(endpoint))
        return link

    def request(self, block: bytes, body: bytes, tag: object) -> None:
        """Open a request as :meth:`Link.request` does, and tell of it."""
        self.trace.request(tag, _readable(block), body, self._clock())
        super().request(block, body, tag)

    def tell(self, event: Event) -> None:
        """Hand *event* to the trace."""
        now = self._clock()
        if isinstance(event, Closed):
            self.trace.closed(str(self.endpoint), event)
        elif isinstance(event, Answer):
            self.trace.answer(event.tag, event, now)
        else:
            self.trace.failed(event.tag, event.why, now)


def _readable(block: bytes) -> Fields:
    """Return the fields of a request's header block, without secrets."""
    # Our blocks use no dynamic table, so each can be read by itself.
    fields: Fields = []
    for name, value in hpack.Decoder().decode(block, raw=True):
        text = value.decode("latin-1")
        if name.decode("ascii") in _SECRETS:
            scheme, blank, _ = text.partition(" ")
            text = f"{scheme} {HIDDEN}" if blank else HIDDEN
        fields.append((name.decode("ascii"), text))
    return fields
