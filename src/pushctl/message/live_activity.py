"""
A Live Activity in words: what starts, updates or ends it, and what that becomes in ``aps``.

Source: Apple, *Starting and updating Live Activities with ActivityKit push notifications*.
Points in time may be written relative to now; they become epoch seconds once, when a run begins,
so that a run and its resume say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pushctl.message.model import Message
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
from pushctl.rules import live_activity as rules
from pushctl.rules.channels import channel_fault
from pushctl.rules.finding import Finding
from pushctl.rules.moment import GRAMMAR, PATTERN, parse_moment

FILES: Mapping[str, str] = MappingProxyType(
    {"content_state_file": "content_state", "attributes_file": "attributes"}
)
"""Keys that name a file, and the key whose value the file holds."""
MOMENTS = tuple(key.replace("-", "_") for key in rules.MOMENTS)
FOR_FCM = "live_activity_token"
"""The activity's own token, which FCM wants beside the registration token."""

_FOREIGN = (
    *("subtitle", "badge", "image", "data", "thread_id", "category", "interruption_level"),
    *("target_content_id", "filter_criteria"),
)
_INSTEAD: Mapping[str, str] = MappingProxyType(
    {"data": "what the activity shows stands in `content_state`"}
)


def read(value: JsonValue) -> dict[str, JsonValue]:
    """
    Return the field ``live_activity`` of a message file, each key read.

    :raises WrongValue: with the first key that is wrong, and its path.
    """
    block = read_object(value)
    check_keys(block, tuple(READERS))
    found: dict[str, JsonValue] = {}
    for key, member in block.items():
        try:
            found[key] = READERS[key](member)
        except WrongValue as wrong:
            path = (key, *wrong.path)
            raise WrongValue(f"has a `{key}` that {wrong.message}", wrong.hint, path) from None
    if "event" not in found:
        raise WrongValue("needs an `event`", f"one of {', '.join(rules.EVENTS)}")
    for name, key in FILES.items():
        if name in found and key in found:
            text = f"has `{key}` and `{name}`: give one of them"
            raise WrongValue(text, None, (name,))
    return found


def dated(activity: Mapping[str, JsonValue], now: float) -> dict[str, JsonValue]:
    """
    Return *activity* with each point in time in epoch seconds, counted from *now*.

    Without a ``timestamp`` of its own it gets *now*: a device ignores an update that is older
    than the last it took.
    """
    found: dict[str, JsonValue] = {"timestamp": int(now), **activity}
    for key in MOMENTS:
        value = found.get(key)
        if value is not None and not has_placeholder(value):
            found[key] = parse_moment(value, now)
    return found


def aps_of(activity: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, JsonValue]]:
    """Yield what *activity*, after :func:`dated`, has for ``aps``: its key, Apple's, the value."""
    for key, value in activity.items():
        if key == FOR_FCM or value is False:
            continue
        yield key, key.replace("_", "-"), 1 if value is True else value


def check(message: Message) -> Iterator[Finding]:
    """Yield what of *message* does not go together with its Live Activity, for any service."""
    if not message.live_activity:
        return
    for name in _FOREIGN:
        if getattr(message, name) not in (None, {}):
            text = f"`{name}` does not belong to a Live Activity: its alert has title, body, sound"
            yield Finding((name,), text, _INSTEAD.get(name))
    if message.push_type not in (None, "liveactivity"):
        text = f"a Live Activity is a push of type liveactivity, not {message.push_type}"
        yield Finding(("push_type",), text, "leave `push_type` out: it follows")
    if message.relevance_score is not None and "relevance_score" in message.live_activity:
        text = "`relevance_score` is given twice: here and in `live_activity`"
        yield Finding(("relevance_score",), text, key=True)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the field."""
    return {
        "description": "Starts, updates or ends a Live Activity on Apple devices.",
        "type": "object",
        "additionalProperties": False,
        "required": ["event"],
        "properties": _SCHEMAS,
        "allOf": [{"not": {"required": [key, name]}} for name, key in FILES.items()],
    }


def _event(value: JsonValue) -> JsonValue:
    return read_word(value, rules.EVENTS)


def _moment(value: JsonValue) -> JsonValue:
    if parse_moment(value, 0) is None:
        raise WrongValue("must be a point in time", f"write {GRAMMAR}")
    return value


def _moment_or_placeholder(value: JsonValue) -> JsonValue:
    return value if has_placeholder(value) else _moment(value)


def _channel(value: JsonValue) -> JsonValue:
    text = read_text(value)
    fault = None if has_placeholder(text) else channel_fault(text)
    if fault is not None:
        raise WrongValue("must be the id of a broadcast channel", fault)
    return text


READERS: Mapping[str, Callable[[JsonValue], JsonValue]] = MappingProxyType(
    {
        "event": _event,
        "content_state": read_object,
        "content_state_file": read_text,
        "timestamp": _moment,
        "stale_date": _moment_or_placeholder,
        "dismissal_date": _moment_or_placeholder,
        "relevance_score": read_number,
        "attributes_type": read_text,
        "attributes": read_object,
        "attributes_file": read_text,
        "input_push_token": read_flag,
        "input_push_channel": _channel,
        FOR_FCM: read_text,
    }
)
"""For each key of the field what reads it; those raise :class:`WrongValue`."""


def _text_schema(description: str) -> dict[str, Any]:
    return {"description": description, "type": "string", "minLength": 1}


def _moment_schema(description: str, *more: Mapping[str, Any]) -> dict[str, Any]:
    forms = ({"type": "integer", "minimum": 0}, {"type": "string", "pattern": PATTERN}, *more)
    return {"description": f"{description} Write {GRAMMAR}.", "anyOf": list(forms)}


_TEMPLATE = {"type": "string", "pattern": r"\{[{%]"}
_SCHEMAS: Mapping[str, Any] = {
    "event": {
        "description": "What becomes of the activity.",
        "enum": list(rules.EVENTS),
    },
    "content_state": {
        "description": "What it shows now, as the app's ContentState type; optional at the end.",
        "type": "object",
    },
    "content_state_file": _text_schema(
        "A YAML or JSON file that holds `content_state`, seen from the message file."
    ),
    "timestamp": _moment_schema("When the content was made; now, if it is left out."),
    "stale_date": _moment_schema("When the content is out of date.", _TEMPLATE),
    "dismissal_date": _moment_schema(
        "When an ended activity leaves the Lock Screen: four hours after the end at the latest.",
        _TEMPLATE,
    ),
    "relevance_score": {
        "description": "Which of the app's activities comes first: the highest.",
        "type": "number",
    },
    "attributes_type": _text_schema("At the start: the name of the app's ActivityAttributes type."),
    "attributes": {
        "description": "At the start: what never changes, as that type has it.",
        "type": "object",
    },
    "attributes_file": _text_schema(
        "A YAML or JSON file that holds `attributes`, seen from the message file."
    ),
    "input_push_token": {
        "description": "At the start: the activity shall ask for an update token of its own.",
        "type": "boolean",
    },
    "input_push_channel": _text_schema(
        "At the start: the id of the broadcast channel that the activity shall listen on."
    ),
    FOR_FCM: _text_schema(
        "Through FCM alone: the activity's token, or the push-to-start token, of the recipient."
    ),
}
