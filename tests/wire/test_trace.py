"""A link that tells what goes over it, against a real server."""

from __future__ import annotations

import pytest

from pushctl.wire.events import Answer, Closed
from pushctl.wire.headers import RequestHead
from pushctl.wire.link import Endpoint
from pushctl.wire.trace import Fields, TracedLink
from wire.authority import Authority
from wire.server import Owner, Peer, endpoint, in_loop, serving

SECRET = b"bearer eyJhbGciOiJFUzI1NiJ9.secret.signature"


class Notes:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.requests: list[Fields] = []

    def opened(self, endpoint: str) -> None:
        self.told.append(("opened", endpoint))

    def request(self, tag: object, fields: Fields, body: bytes, now: float) -> None:
        self.told.append(("request", tag, body))
        self.requests.append(fields)

    def answer(self, tag: object, answer: Answer, now: float) -> None:
        self.told.append(("answer", tag, answer.status))

    def failed(self, tag: object, why: str, now: float) -> None:
        self.told.append(("failed", tag))

    def closed(self, endpoint: str, closed: Closed) -> None:
        self.told.append(("closed", endpoint))


async def traced(notes: Notes, place: Endpoint, authority: Authority, owner: Owner) -> TracedLink:
    """Return an open link that tells *notes*."""
    return await TracedLink.open_for(
        notes,
        place,
        authority.client(),
        on_events=owner.on_events,
        on_wake=owner.on_wake,
        request_timeout_s=5.0,
        decode_accepted=True,
    )


def push(link: TracedLink, tag: object) -> None:
    """Send one push with a secret in it."""
    fields = ((b"authorization", SECRET), (b"apns-topic", b"com.example.shop"))
    head = RequestHead(authority=b"localhost", fields=fields)
    link.request(head.block(b"/3/device/abc", ()), b"{}", tag)
    link.flush()


@in_loop
async def test_requests_and_answers_are_told_in_order(authority: Authority) -> None:
    """Opened, request, answer; the owner gets the same events as without a trace."""
    notes, owner = Notes(), Owner()
    async with serving(Peer, authority.server()) as port:
        link = await traced(notes, endpoint(port), authority, owner)
        push(link, "one")
        await owner.reported(1)
        await link.close()

    opened, request, answer, *_ = notes.told
    assert "opened" == opened[0]
    assert ("request", "one", b"{}") == request
    assert ("answer", "one", 200) == answer
    assert ["one"] == [event.tag for event in owner.events if isinstance(event, Answer)]


@in_loop
async def test_no_secret_is_told(authority: Authority) -> None:
    """The authorization field is told as present, its value is not."""
    notes, owner = Notes(), Owner()
    async with serving(Peer, authority.server()) as port:
        link = await traced(notes, endpoint(port), authority, owner)
        push(link, "one")
        await owner.reported(1)
        await link.close()

    (fields,) = notes.requests
    assert ("authorization", "bearer (hidden)") in fields
    assert ("apns-topic", "com.example.shop") in fields
    assert (":path", "/3/device/abc") in fields
    assert "secret" not in repr(fields)


@pytest.mark.parametrize("value", [b"x", b"Basic dTpw"])
def test_masking_keeps_the_scheme_alone(value: bytes) -> None:
    """A value of one word is hidden whole; of two, all but the scheme."""
    from pushctl.wire.trace import _readable

    head = RequestHead(authority=b"h", fields=((b"authorization", value),))
    fields = dict(_readable(head.block(b"/", ())))

    assert ("Basic (hidden)" if b" " in value else "(hidden)") == fields["authorization"]
