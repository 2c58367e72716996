"""``-vv``: the wire, as requests and answers on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pushctl.rules.text import printable
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    from pushctl.wire.events import Answer, Closed

_BODY_BYTES_MAX = 4096
"""The largest payload is 4,096 bytes; FCM's envelope around it is cut."""


class WireTrace:
    """
    Shows what goes over the connections of a run, a number in front of all lines of a push.

    ``>`` is sent, ``<`` received, ``*`` is about the connection.  What comes in has its secrets
    taken out already (:mod:`pushctl.wire.trace`).
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._number = 0
        self._open: dict[object, tuple[int, float]] = {}
        """The requests without an end yet: their number, and when they went out."""

    def opened(self, endpoint: str) -> None:
        """Say that a connection is open."""
        self._say("*", f"connected to {endpoint}")

    def request(
        self, tag: object, fields: Iterable[tuple[str, str]], body: bytes, now: float
    ) -> None:
        """Show a request."""
        self._number += 1
        self._open[tag] = self._number, now
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        sign = f"{self._number} >"
        self._say(sign, f"{pseudo[':method']} https://{pseudo[':authority']}{pseudo[':path']}")
        self._fields(sign, ((name, value) for name, value in fields if name not in pseudo))
        self._body(sign, body)

    def answer(self, tag: object, answer: Answer, now: float) -> None:
        """Show an answer and how long it took."""
        number, sent_at = self._open.pop(tag)
        sign = f"{number} <"
        self._say(sign, f"{answer.status}  ({(now - sent_at) * 1000:.0f} ms)")
        headers = answer.headers or ()
        self._fields(sign, (pair for pair in headers if not pair[0].startswith(":")))
        self._body(sign, answer.body)

    def failed(self, tag: object, why: str, now: float) -> None:
        """Show that a request ended without an answer."""
        number, sent_at = self._open.pop(tag)
        self._say(f"{number} <", f"no answer: {why}  ({(now - sent_at) * 1000:.0f} ms)")

    def closed(self, endpoint: str, closed: Closed) -> None:
        """Say that a connection ended, and how."""
        code = "" if closed.code is None else f", HTTP/2 error code {closed.code}"
        self._say("*", f"{endpoint}: {closed.why}{code}")
        self._body("*", closed.debug)

    def _fields(self, sign: str, fields: Iterable[tuple[str, str]]) -> None:
        for name, value in fields:
            self._say(sign, f"{name}: {value}")

    def _body(self, sign: str, body: bytes) -> None:
        if body:
            rest = len(body) - _BODY_BYTES_MAX
            text = body[:_BODY_BYTES_MAX].decode("utf-8", "replace")
            self._say(sign, text + (f" … and {rest:,} bytes" if rest > 0 else ""))

    def _say(self, sign: str, text: str) -> None:
        self._terminal.say(f"{sign} {printable(text, 2 * _BODY_BYTES_MAX)}", style="dim")
