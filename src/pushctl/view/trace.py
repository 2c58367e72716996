"""``-vv``: the wire, as requests and answers on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pushctl.rules.masking import mask
from pushctl.rules.secrets import without_secrets
from pushctl.rules.text import printable
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    from pushctl.wire.events import Answer, Closed

_BODY_SHOWN = 4096
"""Characters.  The largest payload is 4,096 bytes; FCM's envelope around it is cut."""


def token_of(path: str, body: bytes) -> str | None:
    """Return the token, or installation id, that a request is addressed to, if it is."""
    if path.startswith(_DEVICE):
        return path.removeprefix(_DEVICE)
    try:
        message = json.loads(body).get("message")
    except (ValueError, AttributeError):
        return None
    found = message.get("token") or message.get("fid") if isinstance(message, dict) else None
    return found if isinstance(found, str) and found else None


_DEVICE = "/3/device/"


class _Sent(NamedTuple):
    """A request without an end yet."""

    number: int
    at: float
    token: str | None
    """What must not be shown of it."""


class WireTrace:
    """
    Shows what goes over the connections of a run, a number in front of all lines of a push.

    ``>`` is sent, ``<`` received, ``*`` is about the connection.  What comes in has its secrets
    taken out already (:mod:`pushctl.wire.trace`).
    """

    def __init__(self, terminal: Terminal, mask_key: bytes | None = None) -> None:
        """With a *mask_key* tokens are masked."""
        self._terminal = terminal
        self._mask_key = mask_key
        self._number = 0
        self._open: dict[object, _Sent] = {}

    def opened(self, endpoint: str) -> None:
        """Say that a connection is open."""
        self._say("*", f"connected to {endpoint}")

    def request(
        self, tag: object, fields: Iterable[tuple[str, str]], body: bytes, now: float
    ) -> None:
        """Show a request."""
        self._number += 1
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        token = None if self._mask_key is None else token_of(pseudo[":path"], body)
        self._open[tag] = _Sent(self._number, now, token)
        sign = f"{self._number} >"
        first = f"{pseudo[':method']} https://{pseudo[':authority']}{pseudo[':path']}"
        self._say(sign, first, token)
        self._fields(sign, ((name, value) for name, value in fields if name not in pseudo), token)
        self._body(sign, body, token)

    def answer(self, tag: object, answer: Answer, now: float) -> None:
        """Show an answer and how long it took."""
        sent = self._open.pop(tag)
        sign = f"{sent.number} <"
        self._say(sign, f"{answer.status}  ({(now - sent.at) * 1000:.0f} ms)")
        headers = answer.headers or ()
        self._fields(sign, (pair for pair in headers if not pair[0].startswith(":")), sent.token)
        self._body(sign, answer.body, sent.token)

    def failed(self, tag: object, why: str, now: float) -> None:
        """Show that a request ended without an answer."""
        sent = self._open.pop(tag)
        text = f"no answer: {why}  ({(now - sent.at) * 1000:.0f} ms)"
        self._say(f"{sent.number} <", text, sent.token)

    def closed(self, endpoint: str, closed: Closed) -> None:
        """Say that a connection ended, and how."""
        code = "" if closed.code is None else f", HTTP/2 error code {closed.code}"
        self._say("*", f"{endpoint}: {closed.why}{code}")
        self._body("*", closed.debug)

    def _fields(
        self, sign: str, fields: Iterable[tuple[str, str]], token: str | None = None
    ) -> None:
        for name, value in fields:
            self._say(sign, f"{name}: {value}", token)

    def _body(self, sign: str, body: bytes, token: str | None = None) -> None:
        if not body:
            return
        text = self._hidden(body.decode("utf-8", "replace"), token)
        rest = len(text) - _BODY_SHOWN
        self._say(sign, text[:_BODY_SHOWN] + (f" … and {rest:,} characters" if rest > 0 else ""))

    def _hidden(self, text: str, token: str | None) -> str:
        text = without_secrets(text)  # an answer may echo what was sent
        if token is None or self._mask_key is None:
            return text
        return text.replace(token, mask(token, self._mask_key))

    def _say(self, sign: str, text: str, token: str | None = None) -> None:
        text = self._hidden(text, token)
        self._terminal.say(f"{sign} {printable(text, 2 * _BODY_SHOWN)}", style="dim")
