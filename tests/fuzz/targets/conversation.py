"""
Whole conversations: real frames in any order, some of them damaged, between calls of the client.

Pushes, waiting, PINGs and the end of it come between what the server says, and bodies wait for
its windows.  After every step the books are right, and no request waits longer than it may,
however slowly the server goes on; at the end each request was reported once,
what is called never written is in no byte that was handed out, and neither the cut of the bytes
nor recognising answers without decoding them changes an outcome or a byte that is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from fuzz.draw import Draw
from fuzz.events import bare, found_by_decoding
from pushctl.wire.connection import Connection
from pushctl.wire.events import Closed, Event, Unprocessed
from wire import talk

EXECUTIONS = 6_000
MAX_STEPS = 40
TIMEOUT_S = 30.0
_STATUSES = (200, 200, 410, 400, 100, 103, 429, 500)
_VALUES = (0, 1, 5, 10, 100, 1_000, 16_384, 20_000, 65_535, 2**31 - 1)
_BODIES = (b"{}", b"b" * 100, b"b" * 9_000, b"", b"b" * 20_000)


class Step(NamedTuple):
    """One call of the client."""

    name: str
    argument: Any


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    acknowledged = draw.chance()
    sizes = draw.take(8)
    steps = list(_steps(draw))
    whole, pieces, decoding = (
        _Played(steps, acknowledged=acknowledged, sizes=cut, decode=decode)
        for cut, decode in ((None, False), (sizes, False), (None, True))
    )
    assert whole.events == pieces.events
    assert whole.written == pieces.written
    if not found_by_decoding(decoding.events):
        assert bare(whole.events) == bare(decoding.events)
        assert whole.written == decoding.written


class _Played:
    """A client that played all steps, and its books."""

    def __init__(
        self, steps: list[Step], *, acknowledged: bool, sizes: bytes | None, decode: bool
    ) -> None:
        self.client = Connection(now=0.0, decode_accepted=decode, request_timeout_s=TIMEOUT_S)
        self.sizes = sizes
        self.now = 0.0
        self.pushed = 0
        self.opened: dict[object, float] = {}
        self.events: list[Event] = []
        self.written = b""
        self.client.start()
        self.hear(talk.opening(ack=acknowledged))
        self.push(2)
        for step in steps:
            self.play(step)
            self.check_books()
        self.written += self.client.take_output()
        self.events += self.client.lost("the end")
        self.check_end()

    def hear(self, data: bytes) -> None:
        pieces = [data] if self.sizes is None else Draw(self.sizes).cut(data)
        for piece in pieces:
            self.events += self.client.receive(piece, self.now)

    def push(self, count: int, body: bytes = b"{}") -> None:
        for _ in range(count):
            if self.client.capacity() > 0:
                block = talk.HEAD.block(b"/3/device/%08x" % self.pushed)
                self.client.request(block, body, self.pushed, self.now)
                self.opened[self.pushed] = self.now
                self.pushed += 1

    def play(self, step: Step) -> None:
        match step.name:
            case "hear":
                self.hear(step.argument)
            case "push":
                self.push(*step.argument)
            case "take":
                self.written += self.client.take_output()
            case "wait":
                self.now += step.argument
                self.events += self.client.expire(self.now)
                self.check_deadlines()
            case "ping":
                self.client.ping(self.now)
            case "cap":
                self.client.cap = step.argument
            case "close":
                self.client.close()

    def check_books(self) -> None:
        reported = sum(not isinstance(event, Closed) for event in self.events)
        assert self.pushed - reported == self.client.open_streams
        assert self.client.capacity() >= 0
        assert not (self.client.closed and self.client.open_streams)

    def check_deadlines(self) -> None:
        """However slowly a server answers, no request waits longer than it may."""
        told = {event.tag for event in self.events if not isinstance(event, Closed)}
        waiting = [at for tag, at in self.opened.items() if tag not in told]
        assert all(self.now - at < TIMEOUT_S for at in waiting)

    def check_end(self) -> None:
        tags = [event.tag for event in self.events if not isinstance(event, Closed)]
        assert list(range(self.pushed)) == sorted(tags)  # type: ignore[type-var]
        assert sum(isinstance(event, Closed) for event in self.events) <= 1
        for event in self.events:
            if isinstance(event, Unprocessed) and "never written" in event.why:
                assert b"/3/device/%08x" % event.tag not in self.written


def _steps(draw: Draw) -> Iterator[Step]:
    for _ in range(MAX_STEPS):
        if not draw:
            return
        kind = draw.below(16)
        if kind < 10:
            yield Step("hear", _said(draw))
        elif kind == 10:
            yield Step("push", (draw.below(6), draw.pick(_BODIES)))
        elif kind in (11, 12):
            yield Step("take", None)
        elif kind == 13:
            yield Step("wait", draw.below(20))
        elif kind == 14:
            yield Step("ping", None)
        else:
            yield draw.pick((Step("cap", None), Step("cap", draw.below(4)), Step("close", None)))


class _Maker(Protocol):
    def __call__(self, draw: Draw, stream: int) -> bytes: ...


def _said(draw: Draw) -> bytes:
    """Return something that a server may say, now and then with one byte changed."""
    make = draw.pick(_MAKERS)
    said = make(draw, draw.below(8) * 2 + 1)
    if draw.below(8) == 7 and said:
        at = draw.below(len(said))
        return said[:at] + bytes((draw.byte(),)) + said[at + 1 :]
    return said


def _answer(draw: Draw, stream: int) -> bytes:
    fields = [("apns-id", talk.APNS_ID)] if draw.chance() else []
    return talk.answer(stream, draw.pick(_STATUSES), draw.pick(_BODIES), fields)


def _head(draw: Draw, stream: int) -> bytes:
    flags = ["END_HEADERS"] + (["PADDED"] if draw.chance() else [])
    pad = draw.below(20) if "PADDED" in flags else 0
    block = talk.block(draw.pick(_STATUSES), huffman=draw.chance())
    return talk.serial(HeadersFrame(stream, block, flags=flags, pad_length=pad))


def _split_head(draw: Draw, stream: int) -> bytes:
    block = talk.block(draw.pick(_STATUSES), [("x", "y" * draw.below(30))])
    at = draw.below(len(block))
    first = HeadersFrame(stream, block[:at], flags=["END_STREAM"] if draw.chance() else [])
    last = ContinuationFrame(stream, block[at:], flags=["END_HEADERS"] if draw.byte() else [])
    return talk.serial(first, last)


def _data(draw: Draw, stream: int) -> bytes:
    flags = (["END_STREAM"] if draw.chance() else []) + (["PADDED"] if draw.chance() else [])
    pad = draw.below(20) if "PADDED" in flags else 0
    return talk.serial(DataFrame(stream, draw.pick(_BODIES), flags=flags, pad_length=pad))


def _reset(draw: Draw, stream: int) -> bytes:
    return talk.serial(RstStreamFrame(stream, draw.below(14)))


def _goaway(draw: Draw, stream: int) -> bytes:
    last = draw.pick((stream, 0, 2**31 - 1))
    return talk.serial(GoAwayFrame(0, last, draw.below(14), draw.take(draw.below(8))))


def _settings(draw: Draw, _: int) -> bytes:
    said = {draw.below(8): draw.pick(_VALUES) for _ in range(draw.below(3))}
    return talk.serial(SettingsFrame(0, settings=said))


def _settings_ack(_: Draw, __: int) -> bytes:
    return talk.serial(SettingsFrame(0, flags=["ACK"]))


def _window(draw: Draw, stream: int) -> bytes:
    octets = draw.pick(_VALUES) or 1
    return talk.serial(WindowUpdateFrame(stream if draw.chance() else 0, octets))


def _ping(draw: Draw, _: int) -> bytes:
    return talk.serial(PingFrame(0, draw.take(8).ljust(8), flags=["ACK"] if draw.chance() else []))


def _anything(draw: Draw, stream: int) -> bytes:
    return talk.unknown(draw.below(14), stream, draw.take(draw.below(16)), draw.byte())


_MAKERS: tuple[_Maker, ...] = (
    *(_answer, _answer, _head, _split_head, _data, _reset, _goaway, _settings, _settings_ack),
    *(_window, _ping, _anything),
)
