"""One request and what became of it, as a value; and its form in records, secrets masked."""

from __future__ import annotations

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from pushctl.outcome import JsonValue
from pushctl.simulator.http import Answer, Fields, Request
from pushctl.simulator.provider_token import fingerprint
from pushctl.simulator.script import Addressee

SCHEMA = 1
Outcome = Literal["accepted", "validated", "rejected", "answered", "unprocessed"]
"""``accepted`` and ``rejected`` are for pushes, ``validated`` for a good push that was only to be
checked, ``answered`` for everything else.  ``unprocessed``: above the stream limit or above the
last stream of a GOAWAY; nothing was done, and the client was told."""


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One push as the simulator saw it."""

    time: float
    service: Literal["apns", "fcm"]
    token: str | None
    """The device or registration token, ``topic:NAME``, ``condition:EXPR`` or ``channel:ID``."""
    status: int | None
    """The status of the answer; ``None``: it got none."""
    reason: str | None
    """Why it was refused, or which fault it met; ``None``: accepted and answered."""
    topic: str | None
    """APNs: the topic; FCM: the project."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request of any service, and what became of it."""

    number: int
    """In the order of arrival, from 1, over all services."""
    time: float
    service: Addressee
    request: Request
    connection: int
    """The number of the connection it came on, from 1."""
    target: str | None
    """As :attr:`Received.token`; the account at the token endpoint, the app or the registration
    where channels or topics are managed."""
    topic: str | None
    """APNs: the topic; FCM: the project."""
    outcome: Outcome
    reason: str | None = None
    fault: str | None = None
    """What was done to the connection or stream: drop, hang, rst, goaway, half, silence."""
    answer: Answer | None = None
    """``None``: no whole answer was sent."""
    delay_s: float = 0.0

    @property
    def is_push(self) -> bool:
        """Whether something was to be sent, rather than to be arranged."""
        return self.service in ("apns", "fcm")

    def as_received(self) -> Received:
        """Return the short form.  For pushes alone."""
        assert self.service == "apns" or self.service == "fcm", "only a push has it"
        status = None if self.answer is None else self.answer.status
        shown = self.fault if status is None else self.reason
        return Received(self.time, self.service, self.target, status, shown, self.topic)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the record of this exchange.  No secret is in it."""
        request, answer = self.request, self.answer
        return {
            "schema": SCHEMA,
            "number": self.number,
            "time": rfc3339(self.time),
            "service": self.service,
            "outcome": self.outcome,
            "status": None if answer is None else answer.status,
            "reason": self.reason,
            "fault": self.fault,
            "target": self.target,
            "topic": self.topic,
            "connection": self.connection,
            "stream": request.stream,
            "http": request.version,
            "method": request.method,
            "path": _masked_target(request.target),
            "headers": _masked_fields(request.fields),
            "body": _shown_body(request.fields, request.body, request.body_size),
            "body_bytes": request.body_size,
            "delay_ms": round(self.delay_s * 1000),
            "answer": None
            if answer is None
            else {
                "headers": _masked_fields(answer.fields),
                "body": _shown_body(answer.fields, answer.body, len(answer.body)),
            },
        }


def rfc3339(epoch_s: float) -> str:
    """Return a moment as RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_SECRET_FIELDS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-goog-api-key", "api-key"}
)
_SECRET_KEYS = frozenset(
    {"assertion", "access_token", "id_token", "refresh_token", "client_secret", "password", "key"}
)
_BEARERS = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|ya29\.[\w.-]+")


_MASK = "sha256:"


def _mask(secret: str) -> str:
    return _MASK + fingerprint(secret)


def _masked_text(text: str) -> str:
    """Return *text* with everything that looks like a bearer token masked, wherever it stands."""
    if "eyJ" not in text and "ya29." not in text:
        return text
    return _BEARERS.sub(lambda found: _mask(found[0]), text)


def _masked_fields(fields: Fields) -> dict[str, JsonValue]:
    """Return header fields by name; one that came several times has a list."""
    shown: dict[str, JsonValue] = {}
    for name, value in fields:
        text = _masked_credentials(value) if name in _SECRET_FIELDS else _masked_text(value)
        earlier = shown.get(name)
        if earlier is None:
            shown[name] = text
        else:
            shown[name] = [*(earlier if isinstance(earlier, list) else [earlier]), text]
    return shown


def _masked_credentials(value: str) -> str:
    """Mask all but the scheme: ``bearer sha256:0f3a…``."""
    scheme, blank, secret = value.strip().partition(" ")
    if blank:
        return f"{scheme} {_mask(secret.strip())}"
    name, equals, secret = value.partition("=")  # the legacy API's key=AAAA…
    return f"{name}={_mask(secret)}" if equals and name.isalpha() else _mask(value)


def _masked_target(target: str) -> str:
    path, mark, query = target.partition("?")
    if not mark:
        return _masked_text(target)
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    shown = urllib.parse.urlencode([(key, _masked_pair(key, item)) for key, item in pairs])
    return _masked_text(f"{path}?{shown}")


def _masked_pair(key: str, value: str) -> str:
    return _mask(value) if key.lower() in _SECRET_KEYS and value else _masked_text(value)


def _shown_body(fields: Fields, body: bytes, size: int) -> JsonValue:
    """Return a body as JSON where it is JSON or a form, else as text; ``None`` if it is empty."""
    if not body:
        return None
    kind = next((value for name, value in fields if name == "content-type"), "")
    text = body.decode("utf-8", "replace")
    if kind.startswith("application/x-www-form-urlencoded"):
        return _shown_form(text)
    if size == len(body):
        try:
            return _masked_json(json.loads(_masked_text(text)))
        except (ValueError, RecursionError):
            pass
    return _masked_text(text)


def _shown_form(text: str) -> JsonValue:
    try:
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return _masked_text(text)
    return {key: _masked_pair(key, value) for key, value in pairs}


def _masked_json(value: JsonValue) -> JsonValue:
    """Mask the tokens that an answer of a token endpoint carries, whatever they look like."""
    if not isinstance(value, Mapping):
        return value
    shown = dict(value)
    for key in ("access_token", "id_token"):
        token = shown.get(key)
        if isinstance(token, str) and not token.startswith(_MASK):
            shown[key] = _mask(token)
    return shown
