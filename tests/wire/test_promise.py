"""The promise of the room, against servers that do anything: each request reported once."""

from __future__ import annotations

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
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer, Closed, Event, Unprocessed
from pushctl.wire.limits import Limits
from wire.talk import HEAD, answer, block, opening, serial, unknown

Step = tuple[str, object]

# Mostly streams that exist: eight are opened at once, a few more as a script goes on.
streams = st.integers(0, 8).map(lambda number: number * 2 + 1)
statuses = st.sampled_from([100, 103, 200, 200, 200, 400, 410, 500])
END = ["END_HEADERS", "END_STREAM"]


def setting(identifier: int, values: SearchStrategy[int]) -> SearchStrategy[bytes]:
    return values.map(lambda value: serial(SettingsFrame(0, settings={identifier: value})))


server_bytes = st.one_of(
    st.builds(answer, streams, statuses, st.sampled_from([b"", b"{}", b"x" * 300])),
    st.builds(answer, streams),
    st.builds(
        lambda stream, status: serial(HeadersFrame(stream, block(status), flags=["END_HEADERS"])),
        streams,
        statuses,
    ),
    st.builds(
        lambda stream, status, tail: serial(
            HeadersFrame(stream, block(status)[:tail], flags=["END_STREAM"]),
            ContinuationFrame(stream, block(status)[tail:], flags=["END_HEADERS"]),
        ),
        streams,
        statuses,
        st.integers(0, 2),
    ),
    st.builds(
        lambda stream, data, end: serial(DataFrame(stream, data, flags=END[1:] if end else [])),
        streams,
        st.binary(max_size=40),
        st.booleans(),
    ),
    st.builds(
        lambda stream, code: serial(RstStreamFrame(stream, code)),
        streams,
        st.sampled_from([0, 2, 7, 7, 8]),
    ),
    st.builds(
        lambda last, code: serial(GoAwayFrame(0, last, code)),
        st.one_of(streams, st.just(2**31 - 1), st.just(0)),
        st.sampled_from([0, 0, 2, 11]),
    ),
    setting(3, st.sampled_from([0, 1, 5, 1000])),
    setting(4, st.sampled_from([0, 10, 100, 65_535])),
    setting(5, st.sampled_from([16_384, 20_000])),
    st.builds(
        lambda stream, octets: serial(WindowUpdateFrame(stream, octets)),
        st.one_of(streams, st.just(0)),
        st.integers(1, 1000),
    ),
    st.just(serial(PingFrame(0, b"12345678"))),
    st.builds(unknown, st.integers(0, 12), streams, st.binary(max_size=12), st.integers(0, 255)),
)

steps = st.one_of(
    st.tuples(st.just("receive"), server_bytes),
    st.tuples(st.just("receive"), server_bytes),
    st.tuples(st.just("receive"), server_bytes),
    st.tuples(st.just("push"), st.lists(st.integers(0, 200), min_size=1, max_size=5)),
    st.tuples(st.just("take"), st.none()),
    st.tuples(st.just("pass time"), st.floats(0, 20)),
    st.tuples(st.just("ping"), st.none()),
    st.tuples(st.just("close"), st.none()),
    st.tuples(st.just("cap"), st.one_of(st.none(), st.integers(0, 3))),
)


class Owner:
    """Plays steps on a connection and keeps the books."""

    def __init__(self, *, ack: bool, decode: bool) -> None:
        self.connection = Connection(
            now=0.0, decode_accepted=decode, request_timeout_s=30.0, limits=Limits()
        )
        self.connection.start()
        self.now = 0.0
        self.pushed: list[int] = []
        self.events: list[Event] = []
        self.written = b""
        self.hear(opening(ack=ack))

    def hear(self, data: bytes) -> None:
        self.events += self.connection.receive(data, self.now)

    def step(self, name: str, argument: object) -> None:
        if name == "receive":
            assert isinstance(argument, bytes)
            self.hear(argument)
        elif name == "push":
            assert isinstance(argument, list)
            self.push(argument)
        elif name == "take":
            self.written += self.connection.take_output()
        elif name == "pass time":
            assert isinstance(argument, float)
            self.now += argument
            self.events += self.connection.expire(self.now)
        elif name == "ping":
            self.connection.ping(self.now)
        elif name == "close":
            self.connection.close()
        else:
            assert argument is None or isinstance(argument, int)
            self.connection.cap = argument

    def push(self, sizes: list[int]) -> None:
        for size in sizes:
            if self.connection.capacity() > 0:
                tag = len(self.pushed)
                block = HEAD.block(b"/3/device/%08x" % tag)
                self.connection.request(block, b"b" * size, tag, self.now)
                self.pushed.append(tag)

    def check(self) -> None:
        connection = self.connection
        outcomes = [event for event in self.events if not isinstance(event, Closed)]

        assert len(self.pushed) - len(outcomes) == connection.open_streams
        assert connection.capacity() >= 0
        if connection.closed:
            assert 0 == connection.open_streams

    def finish(self) -> None:
        self.written += self.connection.take_output()
        self.events += self.connection.lost("the end")
        tags = [event[0] for event in self.events if not isinstance(event, Closed)]

        assert self.pushed == sorted(tags)  # type: ignore[type-var]
        assert sum(isinstance(event, Closed) for event in self.events) <= 1
        for event in self.events:
            if isinstance(event, Answer):
                assert event.status >= 200
                assert len(event.body) <= 65_536


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=60), st.booleans(), st.booleans())
def test_each_request_is_reported_exactly_once(script: list[Step], ack: bool, decode: bool) -> None:
    """Whatever the server does, accounts are right after every step and complete at the end."""
    owner = Owner(ack=ack, decode=decode)
    owner.push([10] * 8)
    for name, argument in script:
        owner.step(name, argument)
        owner.check()
    owner.finish()


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_the_shortcut_changes_nothing(script: list[Step]) -> None:
    """Recognising a 200 without decoding gives the same outcomes as decoding it."""
    quick = Owner(ack=True, decode=False)
    thorough = Owner(ack=True, decode=True)
    for owner in (quick, thorough):
        owner.push([10] * 8)
    for name, argument in script:
        quick.step(name, argument)
        thorough.step(name, argument)

    def bare(events: list[Event]) -> list[object]:
        return [event[:2] if isinstance(event, Answer) else event for event in events]

    assert bare(thorough.events) == bare(quick.events)
    assert thorough.written == quick.written


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_never_written_means_never_written(script: list[Step]) -> None:
    """A push reported as never written is in no byte that was handed out, before or after."""
    owner = Owner(ack=True, decode=False)
    owner.push([10] * 4)
    owner.step("take", None)
    owner.push([10] * 4)
    for name, argument in script:
        owner.step(name, argument)
    owner.finish()

    for event in owner.events:
        if isinstance(event, Unprocessed) and "never written" in event.why:
            assert b"/3/device/%08x" % event.tag not in owner.written


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20), st.booleans())
def test_garbage_never_raises(pieces: list[bytes], begun: bool) -> None:
    """Random bytes lead to a named end at worst, and lose no request."""
    connection = Connection(now=0.0)
    connection.start()
    events: list[Event] = []
    pushed = 0
    if begun:
        connection.receive(opening(), 0.0)
        connection.request(HEAD.block(b"/3/device/00"), b"{}", 0, 0.0)
        connection.take_output()
        pushed = 1
    for piece in pieces:
        events += connection.receive(piece, 0.0)
    events += connection.lost("the end")

    assert pushed == sum(not isinstance(event, Closed) for event in events)


@settings(max_examples=300, deadline=None)
@given(st.lists(server_bytes, min_size=1, max_size=10), st.data())
def test_corrupted_frames_never_raise(parts: list[bytes], data: st.DataObject) -> None:
    """Frames with one byte changed lead to a named end at worst, and lose no request."""
    owner = Owner(ack=True, decode=False)
    owner.push([10] * 8)
    owner.step("take", None)
    stream = bytearray(b"".join(parts))
    at = data.draw(st.integers(0, len(stream) - 1))
    stream[at] = data.draw(st.integers(0, 255))
    owner.hear(bytes(stream))
    owner.check()
    owner.finish()


@settings(max_examples=200, deadline=None)
@given(st.lists(server_bytes, max_size=12), st.integers(1, 40))
def test_the_cut_does_not_matter(parts: list[bytes], size: int) -> None:
    """Random conversations mean the same however their bytes are cut."""
    whole = Owner(ack=True, decode=False)
    pieces = Owner(ack=True, decode=False)
    data = b"".join(parts)
    for owner in (whole, pieces):
        owner.push([10] * 8)
        owner.step("take", None)
    whole.hear(data)
    for start in range(0, len(data), size):
        pieces.hear(data[start : start + size])
    whole.finish()
    pieces.finish()

    assert whole.events == pieces.events
    assert whole.written == pieces.written
