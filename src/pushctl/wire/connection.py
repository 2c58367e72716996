"""
The client side of one HTTP/2 connection (RFC 9113), without I/O, clock or tasks.

The shape of the hot path: an accepted push is one dict entry from :meth:`Connection.request` to
:meth:`Connection.receive`, its answer is recognised by three comparisons, and everything that
happens less often goes through a table of handlers.

How it can be that simple: the connection announces SETTINGS_HEADER_TABLE_SIZE=0.  Once the
server has acknowledged that, response header blocks no longer depend on one another, and one
that begins with the byte ``0x88`` is a 200 whatever follows.  Before that, and for every other
answer, blocks are decoded by :class:`~pushctl.wire.blocks.BlockReader`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from pushctl.wire import frames
from pushctl.wire.blocks import BlockReader, Fields
from pushctl.wire.events import Answer, Closed, Event, GoAway, Unanswered, Unprocessed
from pushctl.wire.faults import Fault, flood, flow_control, frame_size, protocol
from pushctl.wire.frames import ErrorCode, error_name
from pushctl.wire.guard import Guard
from pushctl.wire.limits import Limits
from pushctl.wire.outbox import Outbox
from pushctl.wire.padding import unpadded
from pushctl.wire.replies import ACCEPTED, Reply, final_status, is_plain_200

STREAM_WINDOW: Final = 131_072
STREAM_WINDOW_STEP: Final = 32_768
"""Octets of an answer after which they are given back to its stream."""
CONNECTION_WINDOW: Final = 1 << 24
CONNECTION_WINDOW_STEP: Final = 1 << 20
UNLIMITED: Final = frames.MAX_STREAM
"""Concurrent streams of a server whose SETTINGS name no limit."""
DEFAULT_LIMITS: Final = Limits()

NEVER_WRITTEN: Final = "the request was never written"
ABOVE_GOAWAY: Final = "the server closed the connection without taking up this request (GOAWAY)"
REFUSED: Final = "the server refused the stream before processing it (REFUSED_STREAM)"
TIMED_OUT: Final = "no answer within the request timeout"

_Handler: TypeAlias = Callable[[int, int, bytes, list[Event], float], None]
_Stream: TypeAlias = tuple[object, float, int]
"""Tag, time of the request, size of its body."""

_unpack: Final = frames.HEADER.unpack_from
_pack: Final = frames.HEADER.pack
# The type's own constructor is a Python function; this skips it (180 ns instead of 300).
_answer: Final[Callable[[tuple[object, int, Fields | None, bytes]], Answer]] = partial(
    tuple.__new__, Answer
)
_LARGEST_HEADERS: Final = frames.DEFAULT_FRAME_SIZE << 8 | frames.HEADERS
_LARGEST_DATA: Final = frames.DEFAULT_FRAME_SIZE << 8 | frames.DATA
_LARGEST_FRAME: Final = frames.DEFAULT_FRAME_SIZE << 8 | 0xFF
_RESET: Final = 4 << 8 | frames.RST_STREAM


class Connection:
    """
    One HTTP/2 connection for POSTs: requests and received bytes in, bytes and events out.

    Every tag given to :meth:`request` is reported exactly once, as :class:`Answer`,
    :class:`Unprocessed` or :class:`Unanswered`, by :meth:`receive`, :meth:`expire` or
    :meth:`lost`.  None of them raises, whatever the server sends.  Times are seconds of any
    clock that does not go backwards.
    """

    def __init__(
        self,
        *,
        now: float,
        request_timeout_s: float = 30.0,
        decode_accepted: bool = False,
        unread: frozenset[str] = frozenset(),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """*unread* names header fields of answers that may be left out: nobody asks for them."""
        self.cap: int | None = None
        """The owner's own limit on open requests; ``None`` leaves it to the server."""
        self.server_limit: int | None = None
        """The server's SETTINGS_MAX_CONCURRENT_STREAMS; ``None`` before its first SETTINGS."""
        self.goaway: GoAway | None = None
        """The server's GOAWAY with the lowest last stream id."""
        self.closed = False
        self.last_received = now
        self.ping_outstanding_since: float | None = None
        self._limits = limits
        self._request_timeout_s = request_timeout_s
        self._decode_accepted = decode_accepted
        self._streams: dict[int, _Stream] = {}
        # Ordered by stream id and so by time of request: the deadline structure as well.
        self._replies: dict[int, Reply] = {}
        self._outbox = Outbox()
        self._next_id = 1
        self._untaken_from = 1
        """Streams from this id on: not one byte of them was handed out for writing."""
        self._accepting = False
        self._closing = False
        self._reader = BlockReader(
            limits.header_list_bytes, unread, header_fields=limits.header_fields
        )
        self._shortcut = False
        """An answer may be recognised without decoding, and no header block is half read."""
        self._rest = b""
        self._block: list[bytes] = []
        """Fragments of a header block that waits for CONTINUATION; its frame:"""
        self._block_stream = 0
        self._block_flags = 0
        self._unreturned = 0
        """Octets of flow control not yet given back to the connection."""
        self._settings_unacknowledged = 0
        self._pings = 0
        self._guard = Guard(limits, now)
        self._resets = self._guard.resets
        self._reset: dict[int, None] = {}
        """Streams that we reset, oldest first: frames that come for them are no surprise."""
        self._handlers: tuple[_Handler, ...] = (
            self._on_data,
            self._on_headers,
            self._on_priority,
            self._on_rst_stream,
            self._on_settings,
            self._on_push_promise,
            self._on_ping,
            self._on_goaway,
            self._on_window_update,
            self._on_continuation,
        )

    @property
    def open_streams(self) -> int:
        """Return how many requests are in flight."""
        return len(self._streams)

    @property
    def draining(self) -> bool:
        """Return whether this connection will take no new request, ever."""
        return (
            self.closed
            or self._closing
            or self.goaway is not None
            or self._next_id > self._limits.last_stream_id
        )

    # ------------------------------------------------------------------ sending

    def start(self) -> None:
        """Queue the client preface: magic, SETTINGS, and a large connection window."""
        announced = (
            (frames.HEADER_TABLE_SIZE, 0),
            (frames.ENABLE_PUSH, 0),
            (frames.INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            (frames.MAX_HEADER_LIST_SIZE, self._limits.header_list_bytes),
        )
        enlarged = frames.window_update(0, CONNECTION_WINDOW - frames.DEFAULT_WINDOW)
        self._outbox.pieces += (frames.PREFACE, frames.settings(announced), enlarged)
        self._settings_unacknowledged += 1

    def capacity(self) -> int:
        """
        Return how many requests may be opened now.

        0 before the server's first SETTINGS, when draining or closed, and while flow control
        holds bodies back.
        """
        outbox = self._outbox
        server_limit = self.server_limit
        if (
            server_limit is None
            or outbox.window <= 0
            or outbox.unsent >= self._limits.unsent_body_bytes
            or self.draining
        ):
            return 0
        room = min(server_limit, self._limits.open_streams)
        if self.cap is not None:
            room = min(room, self.cap)
        ids = (self._limits.last_stream_id - self._next_id) // 2 + 1
        return max(0, min(room - len(self._streams), ids))

    def request(self, block: bytes, body: bytes, tag: object, now: float) -> None:
        """
        Open a stream: HEADERS with *block*, DATA with *body*, END_STREAM.

        *block* comes from :class:`~pushctl.wire.headers.RequestHead`.  The caller has asked
        :meth:`capacity` first; on a connection that takes no requests this raises
        :exc:`RuntimeError`.
        """
        if not self._accepting:
            raise RuntimeError("this connection takes no requests")
        stream = self._next_id
        self._next_id = stream + 2
        length = len(body)
        head = len(block)
        outbox = self._outbox
        self._streams[stream] = (tag, now, length)
        if 0 < length <= outbox.whole and length <= outbox.window and head <= outbox.max_frame:
            outbox.window -= length
            # Type HEADERS with END_HEADERS, then type DATA with END_STREAM.
            outbox.pieces += (
                _pack(head << 8 | 1, 4, stream),
                block,
                _pack(length << 8, 1, stream),
                body,
            )
        else:
            outbox.open(stream, block, body)

    def take_output(self) -> bytes:
        """Return all bytes to write now, ``b""`` if none; they count as sent from here on."""
        pieces = self._outbox.pieces
        if not pieces:
            return b""
        data = b"".join(pieces)
        pieces.clear()
        self._untaken_from = self._next_id
        self._guard.written()
        return data

    def ping(self, now: float) -> None:
        """Queue a PING; :attr:`ping_outstanding_since` is set until the server answers it."""
        self._pings += 1
        self.ping_outstanding_since = now
        self._outbox.pieces.append(frames.ping(self._pings.to_bytes(8, "big")))

    def close(self) -> None:
        """Queue GOAWAY(NO_ERROR) and take no more requests; open ones may still be answered."""
        if self._closing or self.closed:
            return
        self._closing = True
        self._accepting = False
        self._outbox.pieces.append(frames.goaway(0, ErrorCode.NO_ERROR))
        if not self._streams:
            self.closed = True

    # ------------------------------------------------------------------ time and loss

    def expire(self, now: float) -> list[Event]:
        """Give up requests older than the request timeout: RST_STREAM(CANCEL) and report."""
        events: list[Event] = []
        latest = now - self._request_timeout_s
        expired = []
        for stream, (_, opened, _) in self._streams.items():
            if opened > latest:
                break
            expired.append(stream)
        self._withdraw(expired, events)
        for stream in expired:
            if stream in self._streams:
                self._cancel(stream, ErrorCode.CANCEL, TIMED_OUT, events)
        self._finish_if_drained(events)
        return events

    def lost(self, why: str) -> list[Event]:
        """
        Report everything that is open: the transport is gone.

        Requests that :meth:`take_output` never handed out are :class:`Unprocessed`; for the rest
        nobody can know what the server did with the bytes it got.
        """
        events: list[Event] = []
        if not self.closed:
            self._end(why, self.goaway.code if self.goaway else None, events)
        self._outbox.pieces.clear()
        return events

    def _withdraw(self, streams: list[int], events: list[Event]) -> None:
        """Take back those of *streams* that were never handed out, and report them."""
        unwritten = [stream for stream in streams if stream >= self._untaken_from]
        if unwritten:
            self._outbox.withdraw(unwritten)
            for stream in unwritten:
                self._settle(stream, NEVER_WRITTEN, events, processed=False)
            self._outbox.pump()

    def _end(self, why: str, code: int | None, events: list[Event]) -> None:
        """Close: report every open request, then the end itself."""
        self.closed = True
        self._accepting = False
        for stream in list(self._streams):
            if stream >= self._untaken_from:
                self._settle(stream, NEVER_WRITTEN, events, processed=False)
            else:
                self._settle(stream, why, events)
        debug = self.goaway.debug if self.goaway else b""
        events.append(Closed(why, code, debug))

    def _finish_if_drained(self, events: list[Event]) -> None:
        if self.closed or self._streams or not self.draining:
            return
        if self.goaway is not None:
            code = self.goaway.code
            why = f"the server ended the connection (GOAWAY {error_name(code)})"
            self._end(why, code, events)
        elif self._closing:
            self._end("closed by us", None, events)
        else:
            self._outbox.pieces.append(frames.goaway(0, ErrorCode.NO_ERROR))
            self._end("the connection's stream ids are used up", None, events)

    # ------------------------------------------------------------------ settling streams

    def _settle(
        self, stream: int, why: str, events: list[Event], *, processed: bool = True
    ) -> None:
        """Take *stream* off the books and report it; a known status is an answer."""
        tag = self._streams.pop(stream)[0]
        reply = self._replies.pop(stream, None)
        self._outbox.forget(stream)
        if reply is not None:
            self._guard.release(reply)
        if reply is not None and reply.status:
            events.append(Answer(tag, reply.status, reply.headers, reply.body))
        elif processed:
            events.append(Unanswered(tag, why))
        else:
            events.append(Unprocessed(tag, why))

    def _cancel(self, stream: int, code: ErrorCode, why: str, events: list[Event]) -> None:
        """Reset *stream* from our side and settle it (a stream error, section 5.4.2)."""
        self._settle(stream, why, events)
        self._send_reset(stream, code)

    def _send_reset(self, stream: int, code: ErrorCode) -> None:
        """Tell the server, once, that *stream* is over for us."""
        if stream in self._reset:
            return
        self._outbox.pieces.append(frames.rst_stream(stream, code))
        self._reset[stream] = None
        if len(self._reset) > self._limits.remembered_resets:
            del self._reset[next(iter(self._reset))]

    def _answered(
        self, stream: int, status: int, headers: Fields | None, body: bytes, events: list[Event]
    ) -> None:
        """The server ended *stream* after its answer."""
        tag = self._streams.pop(stream)[0]
        reply = self._replies.pop(stream, None)
        if reply is not None:
            self._guard.release(reply)
        events.append(_answer((tag, status, headers, body)))
        if self._outbox.parked and self._outbox.forget(stream):
            # The answer did not wait for the whole request: stop sending it.
            self._send_reset(stream, ErrorCode.CANCEL)

    # ------------------------------------------------------------------ receiving

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the server and return what they mean, in order; never raises."""
        events: list[Event] = []
        if self.closed:
            return events
        self.last_received = now
        if self._rest:
            data = self._rest + data
        try:
            self._rest = data[self._parse(data, events, now) :]
        except Fault as fault:
            self._fail(fault, events)
        else:
            self._finish_if_drained(events)
        return events

    def _parse(self, data: bytes, events: list[Event], now: float) -> int:
        """Handle each whole frame in *data*; return how many bytes were used."""
        streams = self._streams
        replies = self._replies
        parked = self._outbox.parked
        kept = self._limits.kept_body_bytes
        shortcut = self._shortcut
        size = len(data)
        position = 0
        while size - position >= 9:
            word, flags, stream = _unpack(data, position)
            start = position + 9
            end = start + (word >> 8)
            if end > size:
                self._check_head(data, word)
                break
            if (
                shortcut
                and word & 0xFF == 1  # HEADERS
                and 0x100 < word <= _LARGEST_HEADERS
                and stream in streams
                and stream not in replies
            ):
                if flags == 5 and data[start] == 0x88 and not parked:
                    # END_STREAM, END_HEADERS; :status: 200
                    events.append(_answer((streams.pop(stream)[0], 200, None, b"")))
                    position = end
                    if streams or not self.draining:
                        continue
                    break
                if flags == 4:  # END_HEADERS; a body follows
                    reply = self._bare_reply(data[start:end])
                    if reply is not None:
                        replies[stream] = reply
                        position = end
                        continue
            elif (
                flags == 1  # END_STREAM
                and word & 0xFF == 0  # DATA
                and word <= _LARGEST_DATA
                and stream in replies
                and replies[stream].is_bare
                and not parked
                and not self._block
            ):
                # Nearly always the whole body comes in one frame.
                self._return_window(word >> 8)
                reply = replies.pop(stream)
                body = data[start : min(end, start + kept)]
                tag = streams.pop(stream)[0]
                events.append(_answer((tag, reply.status, reply.headers, body)))
                position = end
                if streams or not self.draining:
                    continue
                break
            if (
                word == _RESET
                and self._resets.spare
                and stream not in streams
                and stream & 1
                and stream < self._next_id
                and not self._block
            ):
                self._resets.spare -= 1  # nginx resets each stream that it has answered
                position = end
                continue
            if word > _LARGEST_FRAME or self.server_limit is None:
                self._check_head(data, word)
            kind = word & 0xFF
            if self._block and kind != frames.CONTINUATION:
                raise protocol("a header block was interrupted by another frame")
            if kind <= frames.CONTINUATION:
                handle = self._handlers[kind]
                handle(flags, stream & frames.STREAM_MASK, data[start:end], events, now)
                shortcut = self._shortcut
            else:
                self._guard.glitch(now)
            position = end
            if not streams and self.draining:
                break  # That was the last of it; what follows is no concern of ours.
        return position

    def _bare_reply(self, block: bytes) -> Reply | None:
        """Return the reply that *block* begins, ``None`` if it is no final answer."""
        if is_plain_200(block):
            return ACCEPTED
        headers = self._reader.read(block)
        status = final_status(headers)
        return None if status is None or status < 200 else Reply(status, headers)

    def _check_head(self, data: bytes, word: int) -> None:
        """Refuse a frame by its header, before its payload is waited for."""
        if self.server_limit is None:
            if data.startswith(b"HTTP/"):
                raise protocol("the server answered in HTTP/1, not HTTP/2")
            if word & 0xFF not in (frames.SETTINGS, frames.GOAWAY):
                raise protocol("the server did not begin with SETTINGS")
        if word >> 8 > frames.DEFAULT_FRAME_SIZE:
            raise frame_size("the server sent a frame above the maximum size")

    def _fail(self, fault: Fault, events: list[Event]) -> None:
        """End the connection because of *fault*; requests not yet written stay unwritten."""
        self._outbox.pieces.clear()
        self._end(fault.why, fault.code, events)
        self._outbox.pieces.append(frames.goaway(0, fault.code, fault.why.encode()))

    def _queue(self, piece: bytes) -> None:
        """Queue what the server made us write."""
        self._guard.queue()
        self._outbox.pieces.append(piece)

    def _is_idle(self, stream: int) -> bool:
        """
        Return whether *stream* is one that a server must not speak on.

        Those are 0, even ones (we take no pushes), and those we have not opened.
        """
        return stream == 0 or stream % 2 == 0 or stream >= self._next_id

    def _opened(self, stream: int, what: str) -> _Stream | None:
        """
        Return the open stream a frame belongs to, ``None`` if it has ended already.

        Raises :class:`Fault` for an idle one.
        """
        if self._is_idle(stream):
            raise protocol(f"the server sent {what} on a stream that was never opened")
        return self._streams.get(stream)

    def _on_ended(self, stream: int, work: int, now: float) -> None:
        """
        Refuse what belongs to an answer on a *stream* that has ended (sections 5.1 and 6.1).

        A stream error and no more: the other requests have nothing to do with it.  If we reset
        the stream ourselves, it was on its way.
        """
        self._guard.glitch(now, work)
        self._send_reset(stream, ErrorCode.STREAM_CLOSED)

    # ------------------------------------------------------------------ answers

    def _on_headers(
        self, flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        if stream not in self._streams:
            self._opened(stream, "HEADERS")
        fragment = payload
        if flags & (frames.PADDED | frames.PRIORITISED):
            fragment = unpadded("HEADERS", flags, payload, prioritised=True)
        if flags & frames.END_HEADERS:
            self._on_block(flags, stream, fragment, events, now)
            return
        self._block = [fragment]
        self._block_stream = stream
        self._block_flags = flags
        self._shortcut = False

    def _on_continuation(
        self, flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        block = self._block
        if not block or stream != self._block_stream:
            raise protocol("the server sent CONTINUATION out of place")
        block.append(payload)
        if len(block) - 1 > self._limits.continuation_frames:
            raise flood("the server sent too many CONTINUATION frames")
        if sum(map(len, block)) > self._limits.header_list_bytes:
            raise flood("the server sent a header list that is too long")
        if not flags & frames.END_HEADERS:
            return
        self._block = []
        self._shortcut = self._reader.stateless and not self._decode_accepted
        self._on_block(self._block_flags, stream, b"".join(block), events, now)

    def _on_block(
        self, flags: int, stream: int, block: bytes, events: list[Event], now: float
    ) -> None:
        """Handle a whole header block: informational, final, or trailers."""
        reply = self._replies.get(stream)
        headers: Fields | None = None
        if self._shortcut and is_plain_200(block):
            status: int | None = 200
        else:
            headers = self._reader.read(block)
            status = final_status(headers)
        if stream not in self._streams:
            self._on_ended(stream, len(block), now)
        elif reply is not None and reply.status:
            self._on_trailers(flags, stream, reply, events)
        elif status is None:
            self._malformed(stream, events)
        elif status < 200:
            self._on_informational(flags, stream, reply, events)
        elif flags & frames.END_STREAM:
            self._answered(stream, status, headers, b"", events)
        else:
            self._replies[stream] = Reply(status, headers)

    def _on_trailers(self, flags: int, stream: int, reply: Reply, events: list[Event]) -> None:
        if flags & frames.END_STREAM:
            self._answered(stream, reply.status, reply.headers, reply.body, events)
        else:
            self._malformed(stream, events)

    def _on_informational(
        self, flags: int, stream: int, reply: Reply | None, events: list[Event]
    ) -> None:
        if flags & frames.END_STREAM:
            self._malformed(stream, events)
            return
        if reply is None:
            reply = self._replies[stream] = Reply()
        reply.informational += 1
        if reply.informational > self._limits.informational_answers:
            raise flood("the server sent too many informational answers")

    def _malformed(self, stream: int, events: list[Event]) -> None:
        self._cancel(stream, ErrorCode.PROTOCOL_ERROR, "the answer was malformed", events)

    def _on_data(
        self, flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        self._return_window(len(payload))
        reply = self._replies.get(stream)
        entry = self._opened(stream, "DATA")
        data = payload
        if flags & frames.PADDED:
            data = unpadded("DATA", flags, payload, prioritised=False)
        if entry is None:
            self._on_ended(stream, 0, now)
        elif reply is None or not reply.status:
            self._malformed(stream, events)
        else:
            if reply is ACCEPTED:
                reply = self._replies[stream] = Reply(200)
            if flags & frames.END_STREAM:
                body = (reply.body + data)[: self._limits.kept_body_bytes]
                self._answered(stream, reply.status, reply.headers, body, events)
            else:
                self._on_more_to_come(stream, reply, data, len(payload), events)

    def _on_more_to_come(
        self, stream: int, reply: Reply, data: bytes, octets: int, events: list[Event]
    ) -> None:
        self._guard.keep(reply, data, octets)
        if reply.received >= self._limits.body_bytes:
            # The status is an answer; nobody waits for the end of what may have none.
            self._cancel(stream, ErrorCode.CANCEL, "the answer has no end", events)
            return
        reply.unreturned += octets
        if reply.unreturned >= STREAM_WINDOW_STEP:
            self._queue(frames.window_update(stream, reply.unreturned))
            reply.unreturned = 0

    def _return_window(self, octets: int) -> None:
        """Give the connection's window back: late, so that few frames do it, but always."""
        self._unreturned += octets
        if self._unreturned >= CONNECTION_WINDOW_STEP:
            self._queue(frames.window_update(0, self._unreturned))
            self._unreturned = 0

    def _on_rst_stream(
        self, _flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        if len(payload) != 4:
            raise frame_size("the server sent RST_STREAM of a wrong size")
        entry = self._opened(stream, "RST_STREAM")
        self._guard.reset(now, self._next_id)
        if entry is None:
            return
        code = int.from_bytes(payload, "big")
        if code == ErrorCode.REFUSED_STREAM:
            self._settle(stream, REFUSED, events, processed=False)
        else:
            why = f"the server reset the stream ({error_name(code)})"
            self._settle(stream, why, events)

    # ------------------------------------------------------------------ the connection itself

    def _on_settings(
        self, flags: int, stream: int, payload: bytes, _events: list[Event], now: float
    ) -> None:
        if stream:
            raise protocol("the server sent SETTINGS on a stream")
        if flags & frames.ACK:
            self._on_settings_ack(payload, now)
            return
        entries, odd = divmod(len(payload), frames.SETTING.size)
        if odd:
            raise frame_size("the server sent SETTINGS of a wrong size")
        if entries > self._limits.settings_entries:
            raise flood("the server sent SETTINGS with too many entries")
        if self.server_limit is None:
            self.server_limit = UNLIMITED
        else:
            self._guard.glitch(now, len(self._outbox.parked))
        window = self._outbox.initial_window
        for identifier, value in frames.SETTING.iter_unpack(payload):
            if identifier == frames.INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise flow_control("the server announced an initial window above 2^31-1")
                window = value
            else:
                self._apply(identifier, value)
        if window != self._outbox.initial_window:
            self._outbox.set_initial_window(window)
        self._accepting = not self.draining
        self._queue(frames.SETTINGS_ACK)

    def _apply(self, identifier: int, value: int) -> None:
        if identifier == frames.MAX_CONCURRENT_STREAMS:
            self.server_limit = value
        elif identifier == frames.MAX_FRAME_SIZE:
            if not frames.DEFAULT_FRAME_SIZE <= value <= frames.LARGEST_FRAME_SIZE:
                raise protocol("the server announced an impossible maximum frame size")
            self._outbox.set_max_frame(value)
        elif identifier == frames.HEADER_TABLE_SIZE:
            self._outbox.set_table_size(value)
        elif identifier == frames.ENABLE_PUSH and value != 0:
            raise protocol("the server announced ENABLE_PUSH, which only a client may")

    def _on_settings_ack(self, payload: bytes, now: float) -> None:
        if payload:
            raise frame_size("the server acknowledged SETTINGS with content")
        if self.server_limit is None:
            raise protocol("the server did not begin with SETTINGS")
        if not self._settings_unacknowledged:
            self._guard.glitch(now)
            return
        self._settings_unacknowledged -= 1
        self._reader.forget_table()
        self._shortcut = not self._decode_accepted

    def _on_ping(
        self, flags: int, stream: int, payload: bytes, _events: list[Event], now: float
    ) -> None:
        if stream:
            raise protocol("the server sent PING on a stream")
        if len(payload) != 8:
            raise frame_size("the server sent PING of a wrong size")
        if flags & frames.ACK and payload == self._pings.to_bytes(8, "big"):
            self.ping_outstanding_since = None
            return
        self._guard.glitch(now)
        if not flags & frames.ACK:
            self._queue(frames.ping(payload, ack=True))

    def _on_goaway(
        self, _flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        if stream:
            raise protocol("the server sent GOAWAY on a stream")
        if len(payload) < 8:
            raise frame_size("the server sent GOAWAY of a wrong size")
        last = int.from_bytes(payload[:4], "big") & frames.STREAM_MASK
        code = int.from_bytes(payload[4:8], "big")
        if self.goaway is not None:
            self._guard.glitch(now, len(self._streams))
            # The id must not rise (section 6.8); what was reported as unprocessed stays so.
            last = min(last, self.goaway.last_stream_id)
        debug = payload[8 : 8 + self._limits.debug_bytes]
        if not debug and self.goaway is not None:
            debug = self.goaway.debug
        self.goaway = GoAway(last, code, debug)
        self._accepting = False
        above = [number for number in self._streams if number > last]
        self._withdraw(above, events)
        for number in above:
            if number in self._streams:
                self._settle(number, ABOVE_GOAWAY, events, processed=False)

    def _on_window_update(
        self, _flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        if len(payload) != 4:
            raise frame_size("the server sent WINDOW_UPDATE of a wrong size")
        octets = int.from_bytes(payload, "big") & frames.STREAM_MASK
        unsent = self._outbox.unsent
        if stream == 0:
            if not octets:
                raise protocol("the server widened the connection window by nothing")
            self._outbox.widen(octets)
        else:
            self._widen_stream(stream, octets, events)
        if self._outbox.unsent == unsent:
            self._guard.idle_update(now, self._next_id)

    def _widen_stream(self, stream: int, octets: int, events: list[Event]) -> None:
        entry = self._opened(stream, "WINDOW_UPDATE")
        if entry is None:
            return
        if not octets:
            why = "the server widened the stream's window by nothing"
            self._cancel(stream, ErrorCode.PROTOCOL_ERROR, why, events)
        elif not self._outbox.widen_stream(stream, octets, entry[2]):
            why = "the server raised the stream's window above 2^31-1"
            self._cancel(stream, ErrorCode.FLOW_CONTROL_ERROR, why, events)

    def _on_priority(
        self, _flags: int, stream: int, payload: bytes, events: list[Event], now: float
    ) -> None:
        if stream == 0:
            raise protocol("the server sent PRIORITY on stream 0")
        self._guard.glitch(now)
        if len(payload) == 5:
            return
        why = "the server sent PRIORITY of a wrong size"
        if stream in self._streams:
            self._cancel(stream, ErrorCode.FRAME_SIZE_ERROR, why, events)
        elif self._is_idle(stream):
            raise frame_size(why)  # an idle stream cannot be reset (section 6.4)
        else:
            self._send_reset(stream, ErrorCode.FRAME_SIZE_ERROR)

    def _on_push_promise(
        self, _flags: int, _stream: int, _payload: bytes, _events: list[Event], _now: float
    ) -> None:
        raise protocol("the server sent PUSH_PROMISE, which was forbidden to it")
