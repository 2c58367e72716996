"""
A gateway as a process of its own: HTTP/2 over TLS on the library h2, nothing of pushctl in it.

It counts a push as accepted before it answers, and answers late, so that there are always many in
flight: its books are the oracle for what was doubled and what was lost.  It is told what to do by
lines of JSON on stdin, and replies with lines of JSON:

``{"do": "signal", "pid": P, "number": K, "after": N, "delay": S}``
    Send signal K to process P, itself perhaps, S seconds after N pushes more have come; reply with
    how many were in flight at that moment.
``{"do": "forget"}``
    Send no signal any more: the process has ended by itself.
``{"do": "clear"}``
    Forget which tokens were accepted and refused: another run begins.
``{"do": "quiet"}``
    Reply once everything that came was answered.
``{"do": "cut", "least": N, "most": M, "seed": S}``
    From now on cut connections after N to M pushes more, at random.
``{"do": "books"}``
    Reply with what was received.

Run as ``gateway.py PEM STREAMS DELAY``.  The first line it prints is its port.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import ssl
import sys
import time
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

GONE = b'{"reason":"Unregistered","timestamp":1790000000000}'


class Books:
    """What came, and what is to be done about it."""

    def __init__(self, streams: int, delay_s: float) -> None:
        self.streams = streams
        self.delay_s = delay_s
        self.accepted: dict[str, list[str]] = {}
        """The apns-ids with which each token was accepted, in order."""
        self.refused: dict[str, int] = {}
        self.issued: dict[str, list[float]] = {}
        """When each provider token was issued, as it says itself, and when it came first."""
        self.received = 0
        self.in_flight = 0
        self.connections = 0
        self.cuts = 0
        self.in_flight_at_cuts: list[int] = []
        self._signal: dict[str, Any] | None = None
        self._due: dict[str, Any] | None = None
        self._cut: tuple[int, int, random.Random] | None = None
        self._cut_at = 0
        self._await_quiet = False

    def told(self, order: dict[str, Any]) -> None:
        """Carry out *order*."""
        if order["do"] == "signal":
            self._signal = {**order, "at": self.received + order["after"]}
            self._look()
        elif order["do"] == "forget":
            self._signal = self._due = None
        elif order["do"] == "clear":
            self.accepted.clear()
            self.refused.clear()
        elif order["do"] == "quiet":
            self._await_quiet = True
            self.answered(0)
        elif order["do"] == "cut":
            self._cut = (order["least"], order["most"], random.Random(order["seed"]))
            self._next_cut()
        else:
            names = ("accepted", "refused", "issued", "received", "connections", "cuts")
            say({name: getattr(self, name) for name in names} | {"lost": self.in_flight_at_cuts})

    def push(self, token: str, push_id: str) -> bool:
        """Note a push, before it is answered; return whether it is accepted."""
        self.received += 1
        self.in_flight += 1
        accepted = not token.startswith("de")
        if accepted:
            self.accepted.setdefault(token, []).append(push_id)
        else:
            self.refused[token] = self.refused.get(token, 0) + 1
        self._look()
        return accepted

    def cuts_now(self) -> bool:
        """Return whether the connection of the last push is cut."""
        if self._cut is None or self.received < self._cut_at:
            return False
        self.cuts += 1
        self._next_cut()
        return True

    def _next_cut(self) -> None:
        assert self._cut is not None
        least, most, chance = self._cut
        self._cut_at = self.received + chance.randint(least, most)

    def answered(self, pushes: int) -> None:
        """Note that so many were answered, or lost with their connection."""
        self.in_flight -= pushes
        if self._await_quiet and not self.in_flight:
            self._await_quiet = False
            say({"quiet": self.received})

    def _look(self) -> None:
        order = self._signal
        if order is not None and self.received >= order["at"]:
            self._signal, self._due = None, order
            asyncio.get_running_loop().call_later(order["delay"], self._send_signal, order)

    def _send_signal(self, order: dict[str, Any]) -> None:
        if order is not self._due:
            return
        told = {"signalled": order["pid"], "in_flight": self.in_flight}
        # Who is killed is told of first: it is looked for once it is gone.
        first = order["number"] == signal.SIGKILL or order["pid"] == os.getpid()
        if first:
            say(told)
        with contextlib.suppress(ProcessLookupError):
            os.kill(order["pid"], order["number"])
        if not first:
            say(told)


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, books: Books) -> None:
        self._books = books
        config = h2.config.H2Configuration(client_side=False, header_encoding="ascii")
        self._h2 = h2.connection.H2Connection(config)
        self._transport: Any = None
        self._heads: dict[int, dict[str, str]] = {}
        self._unanswered: dict[int, tuple[str, bool]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._books.connections += 1
        limit = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS
        self._h2.local_settings = h2.settings.Settings(
            client=False, initial_values={limit: self._books.streams}
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(1 << 30)
        self._write()

    def connection_lost(self, problem: Exception | None) -> None:
        self._books.answered(len(self._unanswered))
        self._unanswered.clear()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        ended = []
        try:
            for event in self._h2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._heads[event.stream_id] = dict(event.headers)  # type: ignore[arg-type]
                elif isinstance(event, h2.events.StreamEnded):
                    ended.append(event.stream_id)
                    if not self._take(event.stream_id):
                        return
        except h2.exceptions.ProtocolError:
            self._transport.abort()
            return
        self._write()
        if ended:
            loop = asyncio.get_running_loop()
            loop.call_later(self._books.delay_s, self._answer, ended)

    def _take(self, stream: int) -> bool:
        """Count the push of *stream*; return whether the connection stays."""
        head = self._heads.pop(stream)
        self._note_token(head.get("authorization", ""))
        token = head[":path"].rpartition("/")[2]
        push_id = head["apns-id"]
        self._unanswered[stream] = (push_id, self._books.push(token, push_id))
        if self._books.cuts_now():
            self._books.in_flight_at_cuts.append(len(self._unanswered))
            self._transport.abort()
            return False
        return True

    def _note_token(self, bearer: str) -> None:
        if bearer not in self._books.issued:
            claims = bearer.split(".")[1]
            issued = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iat"]
            self._books.issued[bearer] = [issued, time.time()]

    def _answer(self, streams: list[int]) -> None:
        if self._transport is None:
            return
        for stream in streams:
            push_id, accepted = self._unanswered.pop(stream)
            status = "200" if accepted else "410"
            head = [(":status", status), ("apns-id", push_id)]
            with contextlib.suppress(h2.exceptions.ProtocolError):  # the client has said goodbye
                self._h2.send_headers(stream, head, end_stream=accepted)
                if not accepted:
                    self._h2.send_data(stream, GONE, end_stream=True)
        self._write()
        self._books.answered(len(streams))

    def _write(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._transport.write(data)


def say(line: dict[str, Any]) -> None:
    """Reply with *line*."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main(pem: str, streams: int, delay_s: float) -> None:
    """Serve until stdin ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2"])
    books = Books(streams, delay_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(books), "127.0.0.1", 0, ssl=context)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await orders.readline():
        books.told(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
