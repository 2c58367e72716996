"""
A modelled gateway: the other side of each connection, and the book of what it did.

It speaks HTTP/2 with a few lines of its own, so that it can also do what no decent server does.
What becomes of a push is decided as it arrives; only the answer takes time.
"""

from __future__ import annotations

import dataclasses
import struct
from collections import Counter
from functools import partial
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.network import Cable

FRAME_HEAD = struct.Struct(">IBI")
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ENDFRAME_HEADERS = 1, 4
CANCEL, REFUSED, INTERNAL, NO_ERROR = 8, 7, 2, 0
_LAST = 2**31 - 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

YES = "accepted"
REJECTIONS = {
    "dead token": (410, b'{"reason":"Unregistered","timestamp":1789000000000}'),
    "bad token": (400, b'{"reason":"BadDeviceToken"}'),
    "try later": (503, b'{"reason":"ServiceUnavailable"}'),
    "shutting down": (503, b'{"reason":"Shutdown"}'),
    "too many": (429, b'{"reason":"TooManyRequests"}'),
    "no sense": (502, b"<html>Bad Gateway</html>"),
    "token expired": (403, b'{"reason":"ExpiredProviderToken"}'),
}
REJECTIONS_FCM = {
    "dead token": (404, b'{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":'
                   b'"type.googleapis.com/google.firebase.fcm.v1.FcmError",'
                   b'"errorCode":"UNREGISTERED"}]}}'),
    "bad token": (400, b'{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"@type":'
                  b'"type.googleapis.com/google.firebase.fcm.v1.FcmError",'
                  b'"errorCode":"INVALID_ARGUMENT"}]}}'),
    "try later": (503, b'{"error":{"code":503,"status":"UNAVAILABLE"}}'),
    "shutting down": (500, b'{"error":{"code":500,"status":"INTERNAL"}}'),
    "too many": (429, b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}'),
    "no sense": (502, b"<html>Bad Gateway</html>"),
    "token expired": (401, b'{"error":{"code":401,"status":"UNAUTHENTICATED"}}'),
}  # fmt: skip
FINAL = frozenset({"dead token", "bad token"})
"""Rejections that no other try can change."""
MISDEEDS = (
    "refused", "reset before", "reset after", "silent before", "silent after", "cut before",
    "cut after", "goaway", "goaway now", "goaway twice", "fault", "late", "limit", "frozen",
)  # fmt: skip


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return FRAME_HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def block(status: int) -> bytes:
    """Return the header block of an answer."""
    return b"\x88" if status == 200 else b"\x08\x03%d" % status


def settings(limit: int | None = None, window: int | None = None) -> bytes:
    """Return SETTINGS with a stream limit and an initial window."""
    pairs = b"" if limit is None else struct.pack(">HI", 3, limit)
    pairs += b"" if window is None else struct.pack(">HI", 4, window)
    return frame(SETTINGS, 0, 0, pairs)


@dataclasses.dataclass(slots=True)
class Book:
    """What the other side did with each row, whatever its sender came to know of it."""

    processed: Counter[int] = dataclasses.field(default_factory=Counter)
    """How often each row's push was accepted."""
    arrived: Counter[int] = dataclasses.field(default_factory=Counter)
    events: Counter[str] = dataclasses.field(default_factory=Counter)
    diary: list[tuple[object, ...]] = dataclasses.field(default_factory=list)
    """All that happened, in order."""


@dataclasses.dataclass(frozen=True, slots=True)
class Weather:
    """How a gateway behaves in one process's life: what happens, and how often of a hundred."""

    rejections: dict[str, int]
    misdeeds: dict[str, int]
    limits: tuple[int, ...] = (100,)
    """Stream limits that it announces, at first and later."""
    window: int | None = None
    slowest_s: float = 0.05


class Desk:
    """The server's side of one connection."""

    def __init__(self, cable: Cable, book: Book, weather: Weather, chance: Random) -> None:
        self._cable = cable
        self._book = book
        self._weather = weather
        self._chance = chance
        self._inbox = b""
        self._bodies: dict[int, bytes] = {}
        """What arrived of requests whose end has not arrived."""
        self._highest = 0
        self._taken = 0
        """The highest stream whose request was taken up."""
        self._refuse_above = _LAST
        self._begun = False

    def greet(self) -> None:
        """Say what a server says first."""
        self._cable.say(settings(self._chance.choice(self._weather.limits), self._weather.window))

    def hear(self, data: bytes) -> None:
        """Take what arrived from the client."""
        inbox = self._inbox + data
        at = 0
        if not self._begun:
            if len(inbox) < len(PREFACE):
                self._inbox = inbox
                return
            assert inbox.startswith(PREFACE)
            self._begun = True
            at = len(PREFACE)
        while len(inbox) - at >= 9:
            word, flags, stream = FRAME_HEAD.unpack_from(inbox, at)
            end = at + 9 + (word >> 8)
            if end > len(inbox):
                break
            self._frame(word & 0xFF, flags, stream, inbox[at + 9 : end])
            at = end
        self._inbox = inbox[at:]

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == HEADERS:
            assert stream > self._highest, "a stream id is used twice"
            self._highest = stream
            self._bodies[stream] = payload
        elif kind == DATA:
            if payload:
                self._cable.say(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload))))
                if self._weather.window is not None and not flags & END_STREAM:
                    self._cable.say(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 64)))
            if stream in self._bodies:
                self._bodies[stream] += payload
                if flags & END_STREAM:
                    self._request(stream, row_of(self._bodies.pop(stream)))
        elif kind == RST_STREAM:
            self._bodies.pop(stream, None)
        elif kind == SETTINGS and not flags & 1:
            self._cable.say(frame(SETTINGS, 1, 0))
        elif kind == PING and not flags & 1:
            self._cable.say(frame(PING, 1, 0, payload))

    # -- what becomes of a push ---------------------------------------------------------------

    def _request(self, stream: int, row: int) -> None:
        if stream > self._refuse_above:
            return  # the client was told, and sends it elsewhere
        self._book.arrived[row] += 1
        fate = self._fate()
        self._book.events[fate] += 1
        self._cable.tell("arrived", stream, row, fate)
        if not fate.startswith("goaway"):
            self._taken = max(self._taken, stream)
        if fate in self._weather.rejections:
            self._answer(stream, row, fate)
        elif fate == YES:
            self._accept(stream, row)
        else:
            self._misbehave(fate, stream, row)

    def _fate(self) -> str:
        luck = self._chance.randrange(100)
        for fate, share in (self._weather.misdeeds | self._weather.rejections).items():
            luck -= share
            if luck < 0:
                return fate
        return YES

    def _accept(self, stream: int, row: int, *, after_s: float = 0.0) -> None:
        self._book.processed[row] += 1
        self._answer(stream, row, YES, after_s=after_s)

    def _answer(self, stream: int, row: int, fate: str, *, after_s: float = 0.0) -> None:
        if fate == YES:
            status, body = 200, self._cable.accepted_body
        else:
            table = REJECTIONS_FCM if self._cable.is_fcm else REJECTIONS
            status, body = table[fate]
        delay = after_s + self._chance.random() * self._weather.slowest_s
        self._cable.later(delay, lambda: self._say_answer(stream, row, fate, status, body))

    def _say_answer(self, stream: int, row: int, fate: str, status: int, body: bytes) -> None:
        pieces = []
        if self._chance.random() < 0.1:
            pieces.append(frame(HEADERS, ENDFRAME_HEADERS, stream, b"\x08\x03103"))
        ends = 0 if body else END_STREAM
        pieces.append(frame(HEADERS, ENDFRAME_HEADERS | ends, stream, block(status)))
        while body:
            size = len(body) if self._chance.random() < 0.7 else self._chance.randint(1, len(body))
            part, body = body[:size], body[size:]
            pieces.append(frame(DATA, 0 if body else END_STREAM, stream, part))
        self._cable.say(b"".join(pieces), answers=(stream, row, fate))

    def _misbehave(self, fate: str, stream: int, row: int) -> None:
        cable, book = self._cable, self._book
        if fate.endswith(" after"):
            book.processed[row] += 1
        match fate:
            case "refused":
                refusal = frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED))
                cable.say(refusal, ends=lambda number: number == stream)
            case "reset before" | "reset after":
                cable.excuse(row, fate)
                code = self._chance.choice((CANCEL, INTERNAL, NO_ERROR))
                reset = frame(RST_STREAM, 0, stream, struct.pack(">I", code))
                cable.say(reset, ends=lambda number: number == stream)
            case "silent before" | "silent after":
                cable.excuse(row, fate)
            case "cut before" | "cut after":
                cable.cut(fate)
            case "late":  # near the client's patience, on one side or the other
                cable.excuse(row, fate)
                self._accept(stream, row, after_s=self._chance.uniform(0.6, 1.4) * cable.patience_s)
            case "goaway" | "goaway now" | "goaway twice":
                self._go_away(fate, stream, row)
            case "fault":
                cable.excuse_all(fate)
                end = partial(cable.excuse_all, fate)
                cable.say(frame(SETTINGS, 0, stream), then=end, ends=lambda number: True)
            case "limit":
                cable.say(settings(self._chance.choice((0, 1, 2, 50))))
                cable.later(0.2, lambda: cable.say(settings(100)))
                self._accept(stream, row)
            case "frozen":
                cable.freeze()
            case _:
                raise AssertionError(fate)

    def _go_away(self, fate: str, stream: int, row: int) -> None:
        """Take up nothing beyond a stream; what was taken up is still answered."""
        if self._chance.random() < 0.5:
            self._accept(stream, row)
            self._taken = max(self._taken, stream)
        last = self._highest if self._chance.random() < 0.3 else self._taken
        if last >= stream > self._taken:  # it is said to be taken up, and never answered
            self._cable.excuse(row, fate)
        code = NO_ERROR if self._chance.random() < 0.7 else INTERNAL
        final = frame(GOAWAY, 0, 0, struct.pack(">II", last, code))
        self._refuse_above = min(self._refuse_above, last)
        delay = 0.0
        if fate == "goaway twice":
            self._cable.say(frame(GOAWAY, 0, 0, struct.pack(">II", _LAST, NO_ERROR)))
            delay = 0.01
        say = partial(self._cable.say, final, ends=lambda number: number > last)
        self._cable.later(delay, say)
        if fate == "goaway now":  # answers that are due come first, then the end
            self._cable.later(self._weather.slowest_s + 0.2, lambda: self._cable.cut("goaway now"))


def row_of(data: bytes) -> int:
    """Return the row of a request: its header block or its body holds a token that names it."""
    at = data.find(b"/3/device/") + 10
    if at < 10:
        at = data.index(b'"token":"') + 9
    return int(data[at : at + 64], 16)
