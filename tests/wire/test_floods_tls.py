"""The main floods over real TLS: the link ends, each push has its class, the socket is closed."""

from __future__ import annotations

import asyncio

import pytest

from pushctl.wire.events import Answer, Closed, Unanswered, Unprocessed
from wire.authority import Authority
from wire.server import Owner, Peer, in_loop, linked, push, serving
from wire.talk import opening
from wire.test_floods import ATTACKS, USELESS, chunks

MAIN = (
    "PING",
    "SETTINGS",
    "empty DATA",
    "a body without an end",
    "empty CONTINUATION",
    "a header block without an end",
    "an HPACK bomb",
    "1xx",
    "resets",
    "window updates",
    "GOAWAY",
    "unknown frames",
)
WRITTEN = ("PING", "SETTINGS")
"""Here the acknowledgements go out as fast as they are asked for: another limit ends it."""
PUSHES = 5
_UNREAD = 1 << 18
"""Octets that wait to be read, at which the attacker takes a breath."""


class Attacker(Peer):
    """Waits for the pushes, then floods until the client hangs up."""

    name = ""

    def __init__(self) -> None:
        super().__init__()
        self.flooding: asyncio.Task[None] | None = None
        self.sent = 0
        self.room = asyncio.Event()
        self.room.set()

    def begin(self) -> None:
        attack = ATTACKS[self.name]
        self.transport.set_write_buffer_limits(_UNREAD)
        self.transport.write(opening(100, ack=attack.acknowledged))

    def data_received(self, data: bytes) -> None:
        # A request of these tests ends with its body, so they can be counted without h2.
        self.requests += [1] * data.count(b"/3/device/")
        if len(self.requests) >= PUSHES and self.flooding is None:
            self.flooding = asyncio.get_running_loop().create_task(self.flood())

    async def flood(self) -> None:
        attack = ATTACKS[self.name]
        self.transport.write(attack.before)
        for chunk, _ in chunks(attack.repeats):
            if self.transport.is_closing() or self.lost.done():
                return
            self.transport.write(chunk)
            self.sent += len(chunk)
            await self.room.wait()
            await asyncio.sleep(0)

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.set()
        super().connection_lost(exc)


@pytest.mark.parametrize("name", MAIN)
def test_flood_over_tls(authority: Authority, name: str) -> None:
    """The flood ends by its name, all pushes are told of, and the attacker is hung up on."""
    attackers: list[Attacker] = []

    def attacker() -> Attacker:
        one = Attacker()
        one.name = name
        attackers.append(one)
        return one

    @in_loop
    async def run() -> None:
        owner = Owner()
        async with (
            serving(attacker, authority.server()) as port,
            linked(port, authority.client(), owner) as link,
        ):
            push(link, PUSHES)
            closed = await owner.closed()
            await attackers[0].lost
            flooding = attackers[0].flooding
            assert flooding is not None
            await flooding

            assert link.connection.closed
            assert 0 == link.capacity()
        outcomes = [event for event in owner.events if not isinstance(event, Closed)]

        words = {ATTACKS[name].words}
        if name in WRITTEN:
            words.add(USELESS)
        assert any(one in closed.why for one in words)
        assert ATTACKS[name].code == closed.code
        assert list(range(PUSHES)) == sorted(event[0] for event in outcomes)  # type: ignore[type-var]
        assert not any(isinstance(event, Unprocessed) for event in outcomes)
        assert all(isinstance(event, Answer | Unanswered) for event in outcomes)

    run()
