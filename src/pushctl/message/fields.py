"""The fields of the neutral message: one table for options, message files and the JSON Schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pushctl.message.model import Priority
from pushctl.outcome import JsonValue
from pushctl.rules.apns import PUSH_TYPES, push_type_fault
from pushctl.rules.apns_payload import is_whole
from pushctl.rules.duration import GRAMMAR, parse_duration
from pushctl.rules.finding import did_you_mean, type_name

_TTL_HINT = f"{GRAMMAR}; 0 = now or never"
_HEADERS = ("apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id")
MAX_TTL_S = 366 * 86_400
"""Ours: longer is a slip.  The services keep a push for weeks at most."""
APNS_OVERRIDES = ("headers", "aps", "payload")


class WrongValue(Exception):
    """A value does not fit its field; the text follows the field's name."""

    def __init__(self, message: str, hint: str | None = None, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        """Where inside the value, if not the value as a whole."""


def has_placeholder(text: str) -> bool:
    """Return whether *text* is a template rather than plain text."""
    return "{{" in text or "{%" in text


def is_unicode(text: str) -> bool:
    """Return whether *text* can be sent: bytes of a shell argument that are no UTF-8 cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        hint = None if isinstance(value, Mapping | list) else "write it in quotes"
        raise WrongValue(f"must be a text, not {type_name(value)}", hint)
    if not value.strip():
        raise WrongValue("must not be blank", "leave it out, or give it a text")
    if not is_unicode(value):
        raise WrongValue("is not valid Unicode text")
    return value


def _badge(value: JsonValue) -> int | str:
    if isinstance(value, str) and has_placeholder(value):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    hint = "0 removes the badge; a placeholder such as {{ unread }} may stand here"
    raise WrongValue("must be a whole number from 0", hint)


def _ttl(value: JsonValue) -> int:
    if is_whole(value) or isinstance(value, str):
        seconds = parse_duration(str(value))
        if seconds is not None and seconds <= MAX_TTL_S:
            return seconds
        if seconds is not None:
            raise WrongValue("must be a year at most", "FCM takes four weeks at most")
    raise WrongValue("must be a duration", _TTL_HINT)


def _priority(value: JsonValue) -> Priority:
    words = [priority.value for priority in Priority]
    if isinstance(value, str) and value in words:
        return Priority(value)
    hint = did_you_mean(value, words) if isinstance(value, str) else None
    raise WrongValue(f"must be one of {', '.join(words)}", hint)


def _push_type(value: JsonValue) -> str:
    name = _text(value)
    fault = push_type_fault(name)
    if fault is not None:
        raise WrongValue(f"must be a push type of APNs; `{name}` is none", fault[1])
    return name


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, Mapping):
        raise WrongValue(f"must be an object, not {type_name(value)}")
    return value


def _data(value: JsonValue) -> Mapping[str, JsonValue]:
    data = _object(value)
    for key, member in data.items():
        if member is None:
            raise WrongValue("must not hold null", "leave the key out", (key,))
    return data


def _apns(value: JsonValue) -> Mapping[str, JsonValue]:
    overrides = _object(value)
    for key, member in overrides.items():
        if key not in APNS_OVERRIDES:
            hint = did_you_mean(key, APNS_OVERRIDES) or "headers, aps and payload may stand here"
            raise WrongValue(f"has no key `{key}`", hint, (key,))
        if not isinstance(member, Mapping):
            raise WrongValue(f"must be an object, not {type_name(member)}", None, (key,))
    return overrides


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of the message file and, where it has one, its option."""

    name: str
    """As in the message file; the option is the same with hyphens."""
    read: Callable[[JsonValue], Any]
    """Returns the value as :class:`Message` holds it; raises :class:`WrongValue`."""
    schema: Mapping[str, Any]
    """Its JSON Schema."""
    describes_content: bool = True
    """Whether it says what is shown, which a raw payload says itself; else how to deliver it."""


def _schema(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, **more}


def _text_schema(description: str) -> dict[str, Any]:
    return _schema(description, type="string", minLength=1)


_WHOLE = {"type": "integer", "minimum": 0}
_TEMPLATE = {"type": "string", "pattern": r"\{[{%]"}
_OBJECT = {"type": "object"}

FIELDS: tuple[Field, ...] = (
    Field("title", _text, _text_schema("The notification's title.")),
    Field("subtitle", _text, _text_schema("Shown under the title; Apple devices only.")),
    Field("body", _text, _text_schema("The notification's text.")),
    Field(
        "badge",
        _badge,
        _schema("The number on the app's icon; 0 removes it.", anyOf=[_WHOLE, _TEMPLATE]),
    ),
    Field("sound", _text, _text_schema("A sound file of the app, or `default`.")),
    Field("image", _text, _text_schema("The https address of an image.")),
    Field("data", _data, _schema("Keys of your own for the app.", **_OBJECT)),
    Field(
        "collapse_id",
        _text,
        _text_schema("Pushes with the same id replace one another; at most 64 bytes."),
        False,
    ),
    Field(
        "ttl",
        _ttl,
        _schema(
            f"How long an undelivered push is kept: {_TTL_HINT}.",
            anyOf=[_WHOLE, {"type": "string", "pattern": "^[0-9]{1,9}[smhd]?$"}],
        ),
        False,
    ),
    Field(
        "priority",
        _priority,
        _schema("APNs 10, 5, 1; FCM high, normal.", enum=[word.value for word in Priority]),
        False,
    ),
    Field("push_type", _push_type, _schema("apns-push-type.", enum=list(PUSH_TYPES)), False),
    Field("thread_id", _text, _text_schema("Groups notifications; Apple devices only.")),
    Field("category", _text, _text_schema("Names the action buttons; Apple devices only.")),
    Field(
        "apns",
        _apns,
        _schema(
            "Merged over what is built for APNs; null removes a key.",
            type="object",
            additionalProperties=False,
            properties={
                "headers": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {name: {"type": ["string", "integer"]} for name in _HEADERS},
                },
                "aps": _OBJECT,
                "payload": _OBJECT,
            },
        ),
    ),
    Field(
        "fcm",
        _object,
        _schema("Merged over FCM's message object; null removes a key.", **_OBJECT),
    ),
)
BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}


def message_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the message file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pushctl message",
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: dict(field.schema) for field in FIELDS},
    }
