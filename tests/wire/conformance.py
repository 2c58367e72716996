"""
The client cases of h2spec as data, and the judge that plays them against the driver.

h2spec (client mode of 2.6) knows 57 cases.  Each is here under its own number, in words and
frames of ours, beside the section of RFC 9113 that rules it; h2spec was written for RFC 7540, and
where the newer RFC leaves more than one way open, ``choice`` says which is ours and why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from hyperframe.frame import Frame, GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame

from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer, Closed, Event, Unanswered
from pushctl.wire.frames import ErrorCode
from wire.talk import BODY, HEAD, answer, opening, serial

PING = b"are you?"
PONG = serial(PingFrame(0, PING, flags=["ACK"]))


@dataclasses.dataclass(frozen=True)
class GoesOn:
    """Nothing ends; ``replied`` is what the client must have written, whole."""

    replied: bytes = b""


@dataclasses.dataclass(frozen=True)
class StreamError:
    """Stream 1 is reset with ``code``, once, and nothing else is harmed."""

    code: ErrorCode


@dataclasses.dataclass(frozen=True)
class Breakdown:
    """A connection error: GOAWAY with ``code``, and the connection is over."""

    code: ErrorCode


Verdict = GoesOn | StreamError | Breakdown


@dataclasses.dataclass(frozen=True)
class Case:
    """One case: what the server says while two pushes wait on the streams 1 and 3."""

    number: str
    """h2spec's section and number."""
    section: str
    """The section of RFC 9113."""
    rule: str
    says: bytes
    verdict: Verdict
    one: int | None = None
    """The status that the push on stream 1 ends with; ``None``: nobody knows."""
    first: bool = False
    """These are the server's first words: no SETTINGS came before."""
    choice: str = ""
    """Which of several lawful ways is ours."""

    def __str__(self) -> str:
        return self.number


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for position in range(len(data)):
        yield data[position : position + 1]


CUTS: tuple[Callable[[bytes], Iterator[bytes]], ...] = (whole, byte_by_byte)


class Stage:
    """A client with two pushes in flight, before or after the server acknowledged its SETTINGS."""

    def __init__(self, case: Case, *, acknowledged: bool) -> None:
        self.client = Connection(now=0.0)
        self.client.start()
        self.client.take_output()
        self.events: list[Event] = []
        self.pushes = 0 if case.first else 2
        if not case.first:
            self.hear(opening(ack=acknowledged))
            for tag in (1, 3):
                self.client.request(HEAD.block(b"/3/device/%064x" % tag), BODY, tag, 0.0)
            self.client.take_output()

    def hear(self, data: bytes) -> None:
        self.events += self.client.receive(data, 0.0)

    def written(self) -> list[Frame]:
        """Return the frames that the client has to say."""
        return list(parsed(self.client.take_output()))

    def outcome(self, tag: int) -> Event:
        [event] = [event for event in self.events if event[0] == tag]
        return event


def parsed(data: bytes) -> Iterator[Frame]:
    position = 0
    while position < len(data):
        frame, length = Frame.parse_frame_header(memoryview(data[position : position + 9]))
        frame.parse_body(memoryview(data[position + 9 : position + 9 + length]))
        yield frame
        position += 9 + length


def check(case: Case) -> None:
    """Play *case*: the bytes in one piece and singly, before and after the acknowledgement."""
    for acknowledged in (True, False):
        for cut in CUTS:
            stage = Stage(case, acknowledged=acknowledged)
            for piece in cut(case.says):
                stage.hear(piece)
            _JUDGES[type(case.verdict)](stage, case)


def _went_on(stage: Stage, case: Case) -> None:
    assert isinstance(case.verdict, GoesOn)
    written = stage.client.take_output()
    assert case.verdict.replied == written
    assert not stage.client.closed
    if stage.pushes:
        _one_ended_as_told(stage, case, otherwise=answer(1))
    _still_serves(stage)


def _stream_failed(stage: Stage, case: Case) -> None:
    assert isinstance(case.verdict, StreamError)
    [reset] = stage.written()
    assert isinstance(reset, RstStreamFrame)
    assert (1, case.verdict.code) == (reset.stream_id, reset.error_code)
    assert not stage.client.closed
    _one_ended_as_told(stage, case)
    # Whatever else comes for it is dropped: one RST_STREAM is enough (section 5.4.2).
    stage.hear(answer(1, 400, b"late"))
    assert [] == stage.written()
    _still_serves(stage)


def _connection_failed(stage: Stage, case: Case) -> None:
    assert isinstance(case.verdict, Breakdown)
    code = case.verdict.code
    closed = stage.events[-1]
    assert isinstance(closed, Closed)
    assert code == closed.code
    goaway = stage.written()[-1]
    assert isinstance(goaway, GoAwayFrame)
    assert (0, code, closed.why.encode()) == (
        goaway.last_stream_id,
        goaway.error_code,
        goaway.additional_data,
    )
    assert stage.client.closed
    if stage.pushes:
        _one_ended_as_told(stage, case)
        assert Unanswered(3, closed.why) == stage.outcome(3)
    before = list(stage.events)
    stage.hear(answer(3))
    assert before == stage.events
    assert stage.pushes + 1 == len(stage.events)


_JUDGES: dict[type[Verdict], Callable[[Stage, Case], None]] = {
    GoesOn: _went_on,
    StreamError: _stream_failed,
    Breakdown: _connection_failed,
}


def _one_ended_as_told(stage: Stage, case: Case, otherwise: bytes = b"") -> None:
    """Check the push on stream 1; *otherwise* answers it if nothing did yet."""
    if otherwise and not stage.events:
        stage.hear(otherwise)
    event = stage.outcome(1)
    if case.one is None and not otherwise:
        assert isinstance(event, Unanswered)
    else:
        assert isinstance(event, Answer)
        assert (case.one or 200) == event.status


def _still_serves(stage: Stage) -> None:
    """A PING is answered, and so is the other push; a new one can be made."""
    if not stage.pushes:
        stage.hear(serial(SettingsFrame(0, flags=["ACK"])))
    stage.hear(serial(PingFrame(0, PING)))
    assert stage.client.take_output() == PONG
    if stage.pushes:
        stage.hear(answer(3))
        event = stage.outcome(3)
        assert isinstance(event, Answer)
        assert event.status == 200
        assert len(stage.events) == 2
    assert stage.client.capacity() > 0
