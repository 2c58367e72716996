"""What the tests of the message share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pushctl.documents import Document, load
from pushctl.message.compile import compile_message
from pushctl.message.content import ApnsContent, FcmContent
from pushctl.message.model import Message
from pushctl.message.neutral import from_document
from pushctl.outcome import JsonValue, Service

NOW = 1_795_168_800.25


def document(text: str, file: str = "m.yaml") -> Document:
    """Return *text* read as YAML."""
    return load(text.encode(), file, kind="yaml", max_bytes=100_000)


def from_yaml(text: str) -> Message:
    """Return the message of a message file that holds *text*."""
    return from_document(document(text))


def payload(value: object, file: str = "p.json") -> Document:
    """Return *value* as a payload file."""
    return load(json.dumps(value).encode(), file, kind="json", max_bytes=100_000)


def apns(
    message: Message, attributes: Mapping[str, JsonValue] | None = None, now: float = NOW
) -> ApnsContent:
    """Return *message* rendered for APNs."""
    content = compile_message(message, Service.APNS).render(attributes or {}, now=now)
    assert isinstance(content, ApnsContent)
    return content


def fcm(
    message: Message, attributes: Mapping[str, JsonValue] | None = None, now: float = NOW
) -> FcmContent:
    """Return *message* rendered for FCM."""
    content = compile_message(message, Service.FCM).render(attributes or {}, now=now)
    assert isinstance(content, FcmContent)
    return content


def apns_body(message: Message, attributes: Mapping[str, JsonValue] | None = None) -> Any:
    """Return the payload that APNs would get."""
    return json.loads(apns(message, attributes).body)


def fcm_message(message: Message, attributes: Mapping[str, JsonValue] | None = None) -> Any:
    """Return the message object that FCM would get."""
    return json.loads(fcm(message, attributes).message)
