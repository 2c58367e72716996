"""The server's side of an HTTP/1.1 connection, for FCM and token clients that speak no HTTP/2."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable
from typing import cast

import h11

from pushctl.simulator import script
from pushctl.simulator.desk import Desk
from pushctl.simulator.http import Answer, Request, most_kept
from pushctl.simulator.plan import Plan, Visit


class Http1Protocol(asyncio.Protocol):
    """Serves one connection, one request after the other."""

    def __init__(
        self,
        desk: Desk,
        visit: Visit,
        gone: Callable[[], None],
    ) -> None:
        """:param gone: called once the connection is lost."""
        self._desk = desk
        self._visit = visit
        self._gone = gone
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: Plan | None = None
        self._silent = False
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._body_size = self._most_kept = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._h11 = h11.Connection(h11.SERVER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the request."""
        if self._timer is not None:
            self._timer.cancel()
        self._settle_waiting()
        self._gone()

    def data_received(self, data: bytes) -> None:
        """Serve what came."""
        if self._silent:
            return
        self._h11.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        """Close: nobody reads an answer any more."""
        return False

    def _advance(self) -> None:
        while not self._transport.is_closing():
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._answer(Answer(error.error_status_hint, (), b""), last=True)
                return
            match event:
                case h11.Request():
                    self._head, self._body_size = event, 0
                    self._body.clear()
                    self._most_kept = most_kept(event.target.decode("latin-1"))
                    if self._h11.they_are_waiting_for_100_continue:
                        go_on = h11.InformationalResponse(status_code=100, headers=[])
                        self._transport.write(self._h11.send(go_on) or b"")
                case h11.Data():
                    self._body_size += len(event.data)
                    self._body += event.data[: self._most_kept - len(self._body)]
                case h11.EndOfMessage():
                    self._ended()
                case _:  # no more data, or paused until the answer is out
                    return

    def _ended(self) -> None:
        head = self._head
        assert head is not None
        request = Request(
            head.method.decode("ascii"),
            head.target.decode("latin-1"),
            tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers),
            bytes(self._body),
            self._body_size,
            "1.1",
        )
        self._waiting = plan = self._desk.handle(request, self._visit)
        if plan.delay_s > 0:
            self._timer = self._loop.call_later(plan.delay_s, self._late, plan)
        else:
            self._carry_out(plan)

    def _late(self, plan: Plan) -> None:
        self._carry_out(plan)
        self._advance()

    def _carry_out(self, plan: Plan) -> None:
        """Do what HTTP/1.1 can: a reset is a cut, GOAWAY is ``connection: close``."""
        self._settle_waiting()
        match plan.action:
            case script.Drop() | script.Reset():
                self._transport.abort()
            case script.Hang():
                pass
            case script.Silence():
                self._silent = True
            case script.Half():
                self._answer_half(plan, plan.action)
                if plan.action.then == "drop":
                    self._transport.close()
            case script.GoAway():
                if plan.action.last_stream == "previous":
                    self._transport.close()
                else:
                    self._answer(plan.answer, last=True)
            case _:
                self._answer(plan.answer, last=False)

    def _settle_waiting(self) -> None:
        if self._waiting is not None:
            plan, self._waiting = self._waiting, None
            self._desk.settle(plan)

    def _answer_half(self, plan: Plan, action: script.Half) -> None:
        status, body = 200, b"\0"  # never sent: the status alone
        fields: list[tuple[str, str]] = []
        if action.of is not None:
            status, body = plan.answer.status, plan.answer.body or b"\0"
            fields = list(plan.answer.fields)
        size = len(body)
        head = h11.Response(status_code=status, headers=[*fields, ("content-length", str(size))])
        parts = [self._h11.send(head) or b""]
        if half := body[: size // 2]:
            parts.append(self._h11.send(h11.Data(data=half)) or b"")
        self._transport.write(b"".join(parts))

    def _answer(self, answer: Answer, *, last: bool) -> None:
        if self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._transport.close()
            return
        fields = [*answer.fields, ("content-length", str(len(answer.body)))]
        if last:
            fields.append(("connection", "close"))
        parts = (
            h11.Response(
                status_code=answer.status,
                headers=fields,
                reason=http.client.responses.get(answer.status, ""),
            ),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        self._transport.write(b"".join(self._h11.send(part) or b"" for part in parts))
        states = self._h11.states
        if states[h11.SERVER] is h11.MUST_CLOSE:
            self._transport.close()
        elif states[h11.SERVER] is h11.DONE and states[h11.CLIENT] is h11.DONE:
            self._h11.start_next_cycle()
