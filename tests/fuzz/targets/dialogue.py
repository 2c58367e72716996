"""
Valid conversations, made by ``h2`` as the server and read by ``h2`` as another client.

Answers of any shape (1xx before them, header blocks over several frames, padding, trailers,
bodies in pieces, resets) come between SETTINGS, PINGs and window updates, and are cut anyhow.  Each
request is to end as the other client saw it end, and ``h2`` must find nothing wrong with what we
write.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.events
import h2.settings

from fuzz.draw import Draw
from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from wire import talk

STEPS = 48
AMPLE = 1 << 24
"""The other client's windows, in bytes: the server keeps to ours, opened at other times."""
REFUSED_STREAM = 7
_STATUSES = (200, 200, 410, 400, 429, 503, 302, 999)
_BODIES = (b"{}", b'{"reason":"Unregistered"}', b"x" * 700, b"y" * 17_000, b"")
_FIELDS = (
    ("apns-id", talk.APNS_ID),
    ("retry-after", "30"),
    ("x", "\u00e4"),
    ("x-long", "z" * 3_000),
    ("content-type", "application/json"),
)


@dataclasses.dataclass(slots=True)
class _Seen:
    """What the other client saw of one stream."""

    status: int = 0
    fields: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    ended: bool = False
    reset: int | None = None


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    stage = _Stage(draw, decode=draw.chance())
    for _ in range(STEPS):
        if not draw:
            break
        stage.step()
    stage.finish()


class _Stage:
    """Our client, a server, and another client that hears the same."""

    def __init__(self, draw: Draw, *, decode: bool) -> None:
        self.draw = draw
        self.decode = decode
        self.ours = Connection(now=0.0, decode_accepted=decode)
        self.server = _h2(client_side=False)
        self.other = _h2(client_side=True)
        self.events: list[Event] = []
        self.seen: dict[int, _Seen] = {}
        self.open: dict[int, bool] = {}
        """Streams that the server has not ended, and whether it has sent their final status."""
        codes = h2.settings.SettingCodes
        self.server.local_settings = h2.settings.Settings(
            client=False, initial_values={codes.MAX_CONCURRENT_STREAMS: 20}
        )
        self.other.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                codes.HEADER_TABLE_SIZE: 0,
                codes.ENABLE_PUSH: 0,
                codes.INITIAL_WINDOW_SIZE: AMPLE,
                codes.MAX_HEADER_LIST_SIZE: 16_384,
            },
        )
        self.server.initiate_connection()
        self.other.initiate_connection()
        self.other.increment_flow_control_window(AMPLE - 65_535)
        self.ours.start()
        self.talk()
        self.push(2)

    def step(self) -> None:
        kind = self.draw.below(12)
        if kind == 0:
            self.push(self.draw.below(3) + 1)
        elif kind == 1:
            self.server.ping(self.draw.take(8).ljust(8))
        elif kind == 2:
            self.settings()
        elif kind == 3:
            self.talk()
        elif self.open:
            stream = self.draw.pick(sorted(self.open))
            self.say(stream, kind)

    def say(self, stream: int, kind: int) -> None:
        """Let the server say something on *stream*, as far as HTTP allows it there."""
        answered = self.open[stream]
        if kind == 4:
            self.server.reset_stream(stream, error_code=self.draw.below(14))
            del self.open[stream]
        elif not answered and kind == 5:
            self.server.send_headers(stream, [(":status", "103"), ("link", "</x>")])
        elif not answered:
            fields = [field for field in _FIELDS if self.draw.below(3) == 2]
            status = str(self.draw.pick(_STATUSES))
            end = self.draw.chance()
            self.server.send_headers(stream, [(":status", status), *fields], end_stream=end)
            self.open[stream] = True
            if end:
                del self.open[stream]
        elif kind == 6:
            self.server.send_headers(stream, [("x-trailer", "1")], end_stream=True)
            del self.open[stream]
        else:
            body = self.draw.pick(_BODIES)[: self.server.local_flow_control_window(stream)]
            end = self.draw.chance()
            pad = self.draw.below(20) if self.draw.chance() and len(body) < 10_000 else None
            for at in range(0, len(body) or 1, 16_000):
                last = at + 16_000 >= len(body)
                piece = body[at : at + 16_000]
                self.server.send_data(stream, piece, end_stream=end and last, pad_length=pad)
            if end:
                del self.open[stream]
        if self.draw.chance():
            self.talk()

    def settings(self) -> None:
        codes = h2.settings.SettingCodes
        name, value = self.draw.pick(
            (
                (codes.MAX_CONCURRENT_STREAMS, 1),
                (codes.MAX_CONCURRENT_STREAMS, 100),
                (codes.INITIAL_WINDOW_SIZE, 5),
                (codes.INITIAL_WINDOW_SIZE, 100_000),
                (codes.MAX_FRAME_SIZE, 20_000),
                (codes.HEADER_TABLE_SIZE, 0),
            )
        )
        self.server.update_settings({name: value})
        self.talk()

    def push(self, count: int) -> None:
        for _ in range(count):
            if self.ours.capacity() > 0:
                stream = self.ours._next_id
                block = talk.HEAD.block(b"/3/device/%08x" % stream)
                self.ours.request(block, b"{}" * self.draw.below(20), stream, 0.0)
                self.other.send_headers(
                    stream,
                    [
                        (":method", "POST"),
                        (":scheme", "https"),
                        (":path", "/"),
                        (":authority", "x"),
                    ],
                    end_stream=True,
                )
                self.seen[stream] = _Seen()
        self.talk()

    def talk(self) -> None:
        """Exchange all that there is to say."""
        while True:
            output = self.ours.take_output()
            for event in self.server.receive_data(output):
                if isinstance(event, h2.events.RequestReceived):
                    self.open[event.stream_id] = False
                elif isinstance(event, h2.events.StreamReset):
                    raise AssertionError(f"we reset stream {event.stream_id}")
                elif isinstance(event, h2.events.DataReceived):
                    length = event.flow_controlled_length
                    self.server.acknowledge_received_data(length, event.stream_id)
            said = self.server.data_to_send()
            if not said and not output:
                return
            self.other.data_to_send()  # nobody listens to it
            for event in self.other.receive_data(said):
                self.note(event)
            for piece in self.draw.cut(said) if self.draw.chance() else [said]:
                self.events += self.ours.receive(piece, 0.0)

    def note(self, event: h2.events.Event) -> None:
        """Keep what the other client saw."""
        match event:
            case h2.events.ResponseReceived():
                seen = self.seen[event.stream_id]
                fields = [(_text(name), _text(value)) for name, value in event.headers]
                seen.status, seen.fields = int(fields[0][1]), fields
            case h2.events.DataReceived():
                self.seen[event.stream_id].body += event.data
                length = event.flow_controlled_length
                self.other.acknowledge_received_data(length, event.stream_id)
            case h2.events.StreamEnded():
                self.seen[event.stream_id].ended = True
            case h2.events.StreamReset():
                self.seen[event.stream_id].reset = int(event.error_code)

    def finish(self) -> None:
        self.talk()
        assert not self.ours.closed
        self.events += self.ours.lost("the end")
        told = {event.tag: event for event in self.events if not isinstance(event, Closed)}
        assert sorted(told) == sorted(self.seen)  # type: ignore[type-var]
        assert len(told) == len(self.events) - 1
        for stream, seen in self.seen.items():
            self.compare(told[stream], seen)

    def compare(self, event: Event, seen: _Seen) -> None:
        if seen.status:
            assert isinstance(event, Answer)
            assert (seen.status, seen.body[:65_536]) == (event.status, event.body)
            if event.headers is None:
                assert seen.status == 200
                assert not self.decode
            else:
                assert list(seen.fields) == event.headers
        elif seen.reset == REFUSED_STREAM:
            assert isinstance(event, Unprocessed)
        else:
            # A request whose body waits for the server's window was not refused either.
            assert isinstance(event, Unanswered)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _h2(*, client_side: bool) -> h2.connection.H2Connection:
    config = h2.config.H2Configuration(client_side=client_side, header_encoding=None)
    return h2.connection.H2Connection(config)
