"""
A stage for scripted conversations: our connection on one side, ``h2`` as the server on the other.

``h2`` checks everything the client writes and produces the ordinary answers.  What no decent
library would send (late answers after GOAWAY, broken frames) is built with ``hyperframe``.  Every
call on the client is recorded, so that a conversation can be replayed with the received bytes cut
differently.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame

from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from pushctl.wire.headers import RequestHead
from pushctl.wire.limits import Limits

Fields = Sequence[tuple[str, str]]
Cut = Callable[[bytes], Iterator[bytes]]

HEAD = RequestHead(
    authority=b"api.push.example",
    fields=[(b"authorization", b"bearer abc.def.ghi"), (b"apns-push-type", b"alert")],
)
BODY = b'{"aps":{"alert":"hello"}}'
APNS_ID = "6d1f6d3e-7c52-4a56-9c3a-0b8a3f3f0f10"


def serial(*parts: Frame) -> bytes:
    """Return *parts* as bytes."""
    return b"".join(part.serialize() for part in parts)


def unknown(kind: int, stream: int, body: bytes = b"", flags: int = 0) -> bytes:
    """Return a frame of any type, known or not, with any content."""
    return struct.pack(">IBI", len(body) << 8 | kind, flags, stream) + body


def block(status: int | str, fields: Fields = (), *, huffman: bool = True) -> bytes:
    """Return a response header block that needs no dynamic table."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    pairs = [(":status", str(status)), *fields]
    return encoder.encode(pairs, huffman=huffman).lstrip(b"\x20")


def answer(stream: int, status: int = 200, body: bytes = b"", fields: Fields = ()) -> bytes:
    """Return the frames of a whole answer."""
    if not body:
        flags = ["END_HEADERS", "END_STREAM"]
        return serial(HeadersFrame(stream, block(status, fields), flags=flags))
    return serial(
        HeadersFrame(stream, block(status, fields), flags=["END_HEADERS"]),
        DataFrame(stream, body, flags=["END_STREAM"]),
    )


def opening(limit: int | None = 100, *, ack: bool = True) -> bytes:
    """Return what a server says first."""
    settings = {} if limit is None else {SettingsFrame.MAX_CONCURRENT_STREAMS: limit}
    said = serial(SettingsFrame(0, settings=settings))
    return said + serial(SettingsFrame(0, flags=["ACK"])) if ack else said


@dataclasses.dataclass
class Call:
    """One recorded call on the client."""

    name: str
    arguments: tuple[Any, ...]


class Recorder:
    """The client, every call on it noted down."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.connection = Connection(now=0.0, **options)
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.written = b""

    def do(self, name: str, *arguments: Any) -> Any:
        """Call a method, keep its events and output."""
        self.calls.append(Call(name, arguments))
        return self.perform(name, *arguments)

    def perform(self, name: str, *arguments: Any) -> Any:
        """Call a method without noting it."""
        result = getattr(self.connection, name)(*arguments)
        if name in ("receive", "expire", "lost"):
            self.events += result
        elif name == "take_output":
            self.written += result
        return result

    def replay(self, cut: Cut) -> Recorder:
        """Return a fresh client after the same calls, received bytes cut by *cut*."""
        other = Recorder(**self.options)
        for call in self.calls:
            if call.name == "receive":
                data, now = call.arguments
                for piece in cut(data):
                    other.perform("receive", piece, now)
            else:
                other.perform(call.name, *call.arguments)
        return other


class Talk:
    """One conversation; ``events`` grows as it goes on."""

    def __init__(
        self,
        *,
        limit: int | None = 100,
        window: int | None = None,
        judge: bool = True,
        begin: bool = True,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        if limits is not None:
            options["limits"] = limits
        self.recorder = Recorder(**options)
        self.client = self.recorder.connection
        self.server = self._server(limit, window) if judge else None
        self.tags: list[str] = []
        self.seen: list[h2.events.Event] = []
        self.now = 0.0
        if begin:
            self.begin(limit)

    def begin(self, limit: int | None = 100) -> None:
        """Exchange prefaces and SETTINGS."""
        self.recorder.do("start")
        if self.server is None:
            self.write()
            self.hear(opening(limit))
            self.write()
        else:
            self.exchange()

    @staticmethod
    def _server(limit: int | None, window: int | None) -> h2.connection.H2Connection:
        server = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        codes = h2.settings.SettingCodes
        initial = {codes.MAX_CONCURRENT_STREAMS: limit} if limit is not None else {}
        if window is not None:
            initial[codes.INITIAL_WINDOW_SIZE] = window
        server.local_settings = h2.settings.Settings(client=False, initial_values=initial)
        server.initiate_connection()
        return server

    @property
    def events(self) -> list[Event]:
        """Return everything reported so far."""
        return self.recorder.events

    @property
    def outcomes(self) -> dict[object, tuple[str, object]]:
        """Return, for each tag reported, the kind of event with its status or reason."""
        return {
            event.tag: (
                type(event).__name__,
                event.status if isinstance(event, Answer) else event.why,
            )
            for event in self.events
            if not isinstance(event, Closed)
        }

    def push(self, count: int = 1, *, body: bytes = BODY, head: RequestHead = HEAD) -> list[int]:
        """Open *count* requests; return their stream ids.  Their tags are ``a1``, ``a3``, …"""
        streams = []
        for _ in range(count):
            stream = self.client._next_id
            tag = f"a{stream}"
            self.tags.append(tag)
            path = f"/3/device/{stream:064x}".encode()
            self.recorder.do("request", head.block(path), body, tag, self.now)
            streams.append(stream)
        return streams

    def write(self) -> bytes:
        """Take the client's output and let the judge read it."""
        output: bytes = self.recorder.do("take_output")
        if output and self.server is not None:
            self.seen += self.server.receive_data(output)
        return output

    def hear(self, data: bytes) -> None:
        """Give the client *data* from the server."""
        self.recorder.do("receive", data, self.now)

    def exchange(self) -> None:
        """Let both sides talk until neither has anything to say."""
        assert self.server is not None
        while True:
            output = self.write()
            data = self.server.data_to_send()
            if data:
                self.hear(data)
            if not output and not data:
                return

    def respond(
        self, stream: int, status: int = 200, body: bytes = b"", fields: Fields = ()
    ) -> None:
        """Let ``h2`` answer; nothing is delivered yet."""
        assert self.server is not None
        pairs = [(":status", str(status)), *fields]
        self.server.send_headers(stream, pairs, end_stream=not body)
        if body:
            self.server.send_data(stream, body, end_stream=True)

    def expire(self, now: float) -> None:
        """Let time pass."""
        self.now = now
        self.recorder.do("expire", now)

    def finish(self) -> None:
        """Cut the connection and check the promise: each tag reported exactly once."""
        self.recorder.do("lost", "cut")
        reported = [event.tag for event in self.events if not isinstance(event, Closed)]

        assert sorted(self.tags) == sorted(map(str, reported))
        assert sum(isinstance(event, Closed) for event in self.events) <= 1
        assert [] == self.client.lost("again")


def accepted(stream: int) -> Answer:
    """Return the event of a 200 that was not decoded."""
    return Answer(f"a{stream}", 200, None, b"")


__all__ = [
    "APNS_ID",
    "BODY",
    "HEAD",
    "Answer",
    "Closed",
    "Recorder",
    "Talk",
    "Unanswered",
    "Unprocessed",
    "accepted",
    "answer",
    "block",
    "opening",
    "serial",
    "unknown",
]
