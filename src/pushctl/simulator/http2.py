"""
The server's side of an HTTP/2 connection: h2 does the protocol, this does what APNs does with it.

A stream above the limit of :mod:`pushctl.simulator.stream_limit` is reset with REFUSED_STREAM.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame, SettingsFrame

from pushctl.simulator import script
from pushctl.simulator.desk import Desk
from pushctl.simulator.docket import service_of
from pushctl.simulator.http import Answer
from pushctl.simulator.plan import Plan, Visit
from pushctl.simulator.stats import Counts
from pushctl.simulator.stream import Stream, head_of
from pushctl.simulator.stream_limit import StreamLimit

_AFTER_S = 0.05
"""How long an answer "after" a GOAWAY waits: long enough for a segment of its own."""
_HIGHEST_STREAM = 2**31 - 1
_CONFIG = H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False)


class Http2Protocol(asyncio.Protocol):
    """Serves one connection.  Made once TLS is up and ``h2`` was agreed on."""

    def __init__(
        self,
        desk: Desk,
        counts: Counts,
        visit: Visit,
        gone: Callable[[], None],
        *,
        elapsed: Callable[[], float],
    ) -> None:
        """
        :param gone: called once the connection is lost.
        :param elapsed: returns the seconds since the simulator's start.
        """
        self._desk = desk
        self._counts = counts
        self._visit = visit
        self._gone = gone
        self._streams: dict[int, Stream] = {}
        trusted = visit.session.certificate is not None
        self._limit = StreamLimit(desk.script, elapsed, trusted=trusted)
        self._known_open: set[int] = set()
        self._limit_timers: list[asyncio.TimerHandle] = []
        self._silent = False
        self._last_stream = _HIGHEST_STREAM
        self._highest_seen = 0
        self._highest_settled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Announce the first stream limit."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._h2 = H2Connection(_CONFIG)
        limit = {SettingCodes.MAX_CONCURRENT_STREAMS: self._limit.announced}
        self._h2.local_settings = Settings(client=False, initial_values=limit)
        self._h2.initiate_connection()
        # h2 would end the connection over a stream above the limit; here that is no fault of the
        # connection, so the limit is kept by this class alone.
        unlimited = {SettingCodes.MAX_CONCURRENT_STREAMS: _HIGHEST_STREAM}
        self._h2.local_settings = Settings(client=False, initial_values=unlimited)
        self._limit_timers = [
            self._loop.call_later(delay_s, self._limit_is_due, limit)
            for delay_s, limit in self._limit.coming()
        ]
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the streams."""
        for timer in self._limit_timers:
            timer.cancel()
        self._forget_all()
        self._gone()

    def data_received(self, data: bytes) -> None:
        """Serve what came."""
        if self._silent:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._forget_all()
            self._flush()  # the GOAWAY that names the error
            self._transport.close()
            return
        if self._h2.state_machine.state is ConnectionState.CLOSED:
            # A GOAWAY of the client's: it opens no more streams, but those it has are still
            # answered.  h2 would not send another frame, so its state is put back.
            self._h2.state_machine.state = ConnectionState.SERVER_OPEN
        # Answers go out after the whole batch: no client can have known of them, or of a higher
        # limit, when it sent what came here.
        self._limit.arrive()
        self._known_open = set(self._streams)
        for event in events:
            self._take(event)
            if self._silent or self._transport.is_closing():
                return
        self._flush()

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._open(event.stream_id, event.headers)
            case DataReceived():
                self._add_data(event)
            case StreamEnded():
                self._ended(event.stream_id)
            case StreamReset():
                self._known_open.discard(event.stream_id)
                self._settle_waiting(event.stream_id)
                self._forget(event.stream_id)
            case WindowUpdated() | RemoteSettingsChanged():
                for stream_id in [key for key, item in self._streams.items() if item.unsent]:
                    self._pump(stream_id)
            case ConnectionTerminated():
                self._last_stream = min(self._last_stream, self._highest_seen)
                self._close_if_done()

    def _open(self, stream_id: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._highest_seen = stream_id
        if stream_id > self._last_stream:
            return  # after our GOAWAY: not processed, and the client knows
        request = head_of(stream_id, headers)
        if self._limit.refuses(service_of(request.path), len(self._known_open)):
            self._desk.refused_stream(request, self._visit)
            with contextlib.suppress(StreamClosedError):  # the client gave it up already
                self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._streams[stream_id] = Stream(request)
        self._known_open.add(stream_id)
        self._counts.streams(len(self._known_open))

    def _add_data(self, event: DataReceived) -> None:
        stream_id = event.stream_id
        self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream_id)
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.take(event.data or b"")

    def _ended(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        stream.plan = plan = self._desk.handle(stream.request(), self._visit)
        if plan.delay_s > 0:
            stream.timer = self._loop.call_later(plan.delay_s, self._late, stream_id, plan)
        else:
            self._carry_out(stream_id, plan)

    def _late(self, stream_id: int, plan: Plan) -> None:
        if not self._silent:
            self._carry_out(stream_id, plan)
            self._flush()

    def _settle_waiting(self, stream_id: int) -> None:
        """Settle what was handled and not carried out; nobody will hear the answer."""
        stream = self._streams.get(stream_id)
        if stream is not None and stream.plan is not None:
            plan, stream.plan = stream.plan, None
            self._highest_settled = max(self._highest_settled, stream_id)
            self._desk.settle(plan)

    def _carry_out(self, stream_id: int, plan: Plan) -> None:
        if isinstance(plan.action, script.GoAway):
            self._go_away(stream_id, plan, plan.action)
            return
        self._settle_waiting(stream_id)
        match plan.action:
            case script.Drop():
                self._transport.abort()
            case script.Hang():
                pass
            case script.Silence():
                self._flush()
                self._silent = True
            case script.Reset():
                self._h2.reset_stream(stream_id, plan.action.code)
                self._forget(stream_id)
            case script.Half():
                self._answer_half(stream_id, plan, plan.action)
            case _:
                self._answer(stream_id, plan.answer)
                self._announce(self._limit_after(plan))

    def _answer_half(self, stream_id: int, plan: Plan, action: script.Half) -> None:
        if action.of is None:
            self._h2.send_headers(stream_id, [(":status", "200")])
        else:
            answer = plan.answer
            self._h2.send_headers(stream_id, [(":status", str(answer.status)), *answer.fields])
            if half := answer.body[: len(answer.body) // 2]:
                self._h2.send_data(stream_id, half)
        if action.then == "drop":
            self._flush()
            self._transport.close()

    def _answer(self, stream_id: int, answer: Answer) -> None:
        head = [(":status", str(answer.status)), *answer.fields]
        self._h2.send_headers(stream_id, head, end_stream=not answer.body)
        if answer.body:
            self._streams[stream_id].unsent = memoryview(answer.body)
            self._pump(stream_id)
        else:
            self._forget(stream_id)

    def _pump(self, stream_id: int) -> None:
        """Send as much of the answer's body as the client's windows allow."""
        stream = self._streams[stream_id]
        while unsent := stream.unsent:
            room = self._h2.local_flow_control_window(stream_id)
            size = min(room, self._h2.max_outbound_frame_size, len(unsent))
            if size <= 0:
                return
            stream.unsent = unsent[size:]
            self._h2.send_data(stream_id, bytes(unsent[:size]), end_stream=size == len(unsent))
        self._forget(stream_id)

    def _limit_after(self, plan: Plan) -> int | None:
        return self._limit.after(self._visit.pushes, opens_up=plan.opens_up)

    def _limit_is_due(self, limit: int) -> None:
        if not self._silent and not self._transport.is_closing():
            self._announce(self._limit.when_due(limit))

    def _announce(self, limit: int | None) -> None:
        if limit is not None:
            settings = {int(SettingCodes.MAX_CONCURRENT_STREAMS): limit}
            self._write(SettingsFrame(0, settings=settings).serialize())

    def _go_away(self, stream_id: int, plan: Plan, action: script.GoAway) -> None:
        answered = plan.answers
        if action.last_stream == "all":
            last = _HIGHEST_STREAM
        elif action.last_stream == "this":
            last = max(stream_id, self._highest_settled)
        else:
            # Stream ids of a client are odd: the one before is two lower.  Where a higher one
            # was processed already, only a reset can still say that this one was not.
            last = max(stream_id - 2, 0, self._highest_settled)
        highest_settled = self._highest_settled
        self._settle_waiting(stream_id)
        if not answered:
            self._highest_settled = highest_settled
            if last > stream_id:
                self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
                self._forget(stream_id)
        # h2 would end the connection here; a real server still answers what lies below.
        frame = GoAwayFrame(
            0, last_stream_id=last, error_code=int(action.code), additional_data=action.debug
        ).serialize()
        if answered and action.answers == "before":
            self._answer(stream_id, plan.answer)
            self._flush()
        ahead = self._h2.data_to_send() + frame
        if answered and action.answers == "together":
            self._answer(stream_id, plan.answer)
            ahead += self._h2.data_to_send()
        self._transport.write(ahead)
        self._last_stream = last
        for other in [key for key in self._streams if key > last]:
            self._abandon(other)
        if answered and action.answers == "after" and (stream := self._streams.get(stream_id)):
            stream.timer = self._loop.call_later(_AFTER_S, self._answer_after, stream_id, plan)
        self._announce(self._limit_after(plan))
        self._close_if_done()

    def _answer_after(self, stream_id: int, plan: Plan) -> None:
        self._answer(stream_id, plan.answer)
        self._flush()
        self._close_if_done()

    def _abandon(self, stream_id: int) -> None:
        """Give up a stream above the last one of our GOAWAY: nothing of it was processed."""
        plan = self._streams[stream_id].plan
        if plan is not None:
            self._desk.abandon(plan)
        self._forget(stream_id)

    def _forget(self, stream_id: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            if stream.timer is not None:
                stream.timer.cancel()
            if self._last_stream < _HIGHEST_STREAM:
                self._close_if_done()

    def _forget_all(self) -> None:
        for stream_id, stream in self._streams.items():
            self._settle_waiting(stream_id)
            if stream.timer is not None:
                stream.timer.cancel()
        self._streams.clear()

    def _close_if_done(self) -> None:
        if not self._streams and self._last_stream < _HIGHEST_STREAM:
            self._flush()
            self._transport.close()

    def _write(self, frame: bytes) -> None:
        """Write a frame that h2 knows nothing of, after all that it has queued."""
        self._transport.write(self._h2.data_to_send() + frame)

    def _flush(self) -> None:
        if (data := self._h2.data_to_send()) and not self._silent:
            self._transport.write(data)
