"""The fields of the neutral message: one table for options, message files and the JSON Schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pushctl.message import live_activity
from pushctl.message.model import Priority
from pushctl.message.values import (
    WrongValue,
    check_keys,
    has_placeholder,
    read_flag,
    read_number,
    read_object,
    read_text,
    read_word,
)
from pushctl.outcome import JsonValue
from pushctl.rules.apns import PUSH_TYPES, push_type_fault
from pushctl.rules.apns_payload import INTERRUPTION_LEVELS, is_whole
from pushctl.rules.duration import GRAMMAR, parse_duration
from pushctl.rules.finding import type_name

_TTL_HINT = f"{GRAMMAR}; 0 = now or never"
_HEADERS = ("apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id")
MAX_TTL_S = 366 * 86_400
"""Ours: longer is a slip.  The services keep a push for weeks at most."""
APNS_OVERRIDES = ("headers", "aps", "payload")
_LOCALIZED_KEYS = ("loc_key", "loc_args")
_SOUND_KEYS = ("name", "critical", "volume")


def _localized_text(value: JsonValue) -> str | Mapping[str, JsonValue]:
    """Return a text, or the key and arguments of one that the app holds."""
    if not isinstance(value, Mapping):
        return read_text(value)
    check_keys(value, _LOCALIZED_KEYS)
    if "loc_key" not in value:
        raise WrongValue("needs a `loc_key`", "the key of a text in the app's own languages")
    _at("loc_key", read_text, value["loc_key"])
    arguments = value.get("loc_args", [])
    if not isinstance(arguments, list):
        raise WrongValue("must have a list of texts in `loc_args`", None, ("loc_args",))
    for index, argument in enumerate(arguments):
        if not isinstance(argument, str):
            text = f"must have texts in `loc_args`, not {type_name(argument)}"
            raise WrongValue(text, "write it in quotes", ("loc_args", index))
    return value


def _sound(value: JsonValue) -> str | Mapping[str, JsonValue]:
    """Return the name of a sound, or what the sound of a critical alert is."""
    if not isinstance(value, Mapping):
        return read_text(value)
    check_keys(value, _SOUND_KEYS)
    sound: dict[str, JsonValue] = {"name": "default"}
    for key, read in (("name", read_text), ("critical", read_flag), ("volume", read_volume)):
        if key in value:
            sound[key] = _at(key, read, value[key])
    if "volume" in sound and not sound.get("critical"):
        text = "has a `volume`, which only the sound of a critical alert can have"
        raise WrongValue(text, "add `critical: true`, or leave the volume out", ("volume",))
    return sound


def read_volume(value: JsonValue) -> int | float:
    """Return *value*, how loud a critical alert is.  Raises :class:`WrongValue`."""
    volume = read_number(value)
    if not 0 <= volume <= 1:
        raise WrongValue("must be a number from 0 to 1")
    return volume


def _at(key: str, read: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    """Return what *read* returns; what it refuses is said of *key*."""
    try:
        return read(value)
    except WrongValue as wrong:
        raise WrongValue(f"has a `{key}` that {wrong.message}", wrong.hint, (key,)) from None


def _interruption_level(value: JsonValue) -> str:
    return read_word(value, INTERRUPTION_LEVELS)


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
    return Priority(read_word(value, [priority.value for priority in Priority]))


def _push_type(value: JsonValue) -> str:
    name = read_text(value)
    fault = push_type_fault(name)
    if fault is not None:
        raise WrongValue(f"must be a push type of APNs; `{name}` is none", fault[1])
    return name


def _data(value: JsonValue) -> Mapping[str, JsonValue]:
    data = read_object(value)
    for key, member in data.items():
        if member is None:
            raise WrongValue("must not hold null", "leave the key out", (key,))
    return data


def _apns(value: JsonValue) -> Mapping[str, JsonValue]:
    overrides = read_object(value)
    check_keys(overrides, APNS_OVERRIDES)
    for key, member in overrides.items():
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
_LOCALIZED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["loc_key"],
    "properties": {
        "loc_key": _text_schema("The key of a text that the app holds in its languages."),
        "loc_args": {
            "description": "What fills the placeholders of that text.",
            "type": "array",
            "items": {"type": "string"},
        },
    },
}
_CRITICAL_SOUND = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": _text_schema("A sound file of the app, or `default`."),
        "critical": {"description": "Sounds although the device is muted.", "type": "boolean"},
        "volume": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "dependentSchemas": {
        "volume": {"required": ["critical"], "properties": {"critical": {"const": True}}}
    },
}


def _text_or(schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return _schema(description, anyOf=[{"type": "string", "minLength": 1}, schema])


FIELDS: tuple[Field, ...] = (
    Field("title", _localized_text, _text_or(_LOCALIZED, "The notification's title.")),
    Field(
        "subtitle",
        _localized_text,
        _text_or(_LOCALIZED, "Shown under the title; Apple devices only."),
    ),
    Field("body", _localized_text, _text_or(_LOCALIZED, "The notification's text.")),
    Field(
        "badge",
        _badge,
        _schema("The number on the app's icon; 0 removes it.", anyOf=[_WHOLE, _TEMPLATE]),
    ),
    Field("sound", _sound, _text_or(_CRITICAL_SOUND, "A sound file of the app, or `default`.")),
    Field("image", read_text, _text_schema("The https address of an image.")),
    Field("data", _data, _schema("Keys of your own for the app.", **_OBJECT)),
    Field(
        "collapse_id",
        read_text,
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
    Field("thread_id", read_text, _text_schema("Groups notifications; Apple devices only.")),
    Field("category", read_text, _text_schema("Names the action buttons; Apple devices only.")),
    Field(
        "interruption_level",
        _interruption_level,
        _schema("How loudly it comes; Apple devices only.", enum=list(INTERRUPTION_LEVELS)),
    ),
    Field(
        "relevance_score",
        read_number,
        _schema(
            "0 to 1: which of the app's notifications the summary shows first; "
            "any number for a Live Activity. Apple devices only.",
            type="number",
        ),
    ),
    Field(
        "target_content_id",
        read_text,
        _text_schema("The window that comes forward; Apple devices only."),
    ),
    Field(
        "filter_criteria",
        read_text,
        _text_schema("What a Focus filters by; Apple devices only."),
    ),
    Field("live_activity", live_activity.read, live_activity.schema()),
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
        read_object,
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
