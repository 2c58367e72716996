"""
Holds the JSON of ``messages:send`` against its schema, as the front end of Google's APIs does.

Schema: the discovery document of fcm v1, revision 20261023.  Names are the canonical camelCase;
proto3 JSON takes the snake_case spelling of each as well, and the faults are reported in it.
The texts "Invalid value at …" and "Unknown name …" are the front end's; other texts are near them.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TypeAlias

from pushctl.outcome import JsonValue

_FCM = "type.googleapis.com/google.firebase.fcm.v1."
MAX_DEPTH = 100


class Scalar(Enum):
    """A plain value; its value is the type's name in a fault."""

    STRING = "TYPE_STRING"
    BOOL = "TYPE_BOOL"
    INT32 = "TYPE_INT32"
    NUMBER = "TYPE_FLOAT"
    DURATION = "type.googleapis.com/google.protobuf.Duration"
    TIMESTAMP = "type.googleapis.com/google.protobuf.Timestamp"
    STRUCT = "type.googleapis.com/google.protobuf.Struct"


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf:
    """An enumeration."""

    type_name: str
    names: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class ListOf:
    """A repeated field."""

    item: Scalar


@dataclasses.dataclass(frozen=True, slots=True)
class StringMap:
    """map<string, string>."""


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A message type: a name from :data:`MESSAGES`."""

    name: str


Shape: TypeAlias = Scalar | OneOf | ListOf | StringMap | Message

_S, _B, _D = Scalar.STRING, Scalar.BOOL, Scalar.DURATION
_MAP = StringMap()


def _strings(names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), _S)


def _names(type_name: str, names: str) -> OneOf:
    return OneOf(_FCM + type_name, frozenset(names.split()))


_ANDROID_COMMON: dict[str, Shape] = {
    **_strings("collapseKey restrictedPackageName"),
    **dict.fromkeys(["directBootOk", "bandwidthConstrainedOk", "restrictedSatelliteOk"], _B),
    "ttl": _D,
    "data": _MAP,
    "fcmOptions": Message("AndroidFcmOptions"),
}
_ANDROID_NOTIFICATION: dict[str, Shape] = {
    **_strings(
        "title body icon color sound tag clickAction bodyLocKey titleLocKey channelId ticker image"
    ),
    "bodyLocArgs": ListOf(_S),
    "titleLocArgs": ListOf(_S),
    "vibrateTimings": ListOf(_D),
    **dict.fromkeys(
        ["sticky", "localOnly", "defaultSound", "defaultVibrateTimings", "defaultLightSettings"], _B
    ),
    "eventTime": Scalar.TIMESTAMP,
    "notificationCount": Scalar.INT32,
    "notificationPriority": _names(
        "AndroidNotification.NotificationPriority",
        "PRIORITY_UNSPECIFIED PRIORITY_MIN PRIORITY_LOW PRIORITY_DEFAULT PRIORITY_HIGH "
        "PRIORITY_MAX",
    ),
    "visibility": _names(
        "AndroidNotification.Visibility", "VISIBILITY_UNSPECIFIED PRIVATE PUBLIC SECRET"
    ),
    "lightSettings": Message("LightSettings"),
}

MESSAGES: Mapping[str, Mapping[str, Shape]] = {
    "SendMessageRequest": {"message": Message("Message"), "validateOnly": _B},
    "Message": {
        **_strings("name fid token topic condition"),
        "data": _MAP,
        "notification": Message("Notification"),
        "android": Message("AndroidConfig"),
        "androidV2": Message("AndroidConfigV2"),
        "webpush": Message("WebpushConfig"),
        "apns": Message("ApnsConfig"),
        "fcmOptions": Message("FcmOptions"),
    },
    "Notification": _strings("title body image"),
    "FcmOptions": _strings("analyticsLabel"),
    "AndroidFcmOptions": _strings("analyticsLabel"),
    "AndroidConfig": {
        **_ANDROID_COMMON,
        "priority": _names("AndroidConfig.AndroidMessagePriority", "NORMAL HIGH"),
        "notification": Message("AndroidNotification"),
    },
    "AndroidConfigV2": {
        **_ANDROID_COMMON,
        "backgroundSync": Message("AndroidBackgroundSyncMessage"),
        "remoteNotification": Message("AndroidRemoteNotification"),
    },
    "AndroidBackgroundSyncMessage": {},
    "AndroidRemoteNotification": {
        "mutableContent": _B,
        "useAsV1DataMessage": _B,
        "notification": Message("AndroidNotificationV2"),
    },
    "AndroidNotification": {
        **_ANDROID_NOTIFICATION,
        "bypassProxyNotification": _B,
        "proxy": _names(
            "AndroidNotification.Proxy", "PROXY_UNSPECIFIED ALLOW DENY IF_PRIORITY_LOWERED"
        ),
    },
    "AndroidNotificationV2": {**_ANDROID_NOTIFICATION, "id": Scalar.INT32},
    "LightSettings": {"color": Message("Color"), "lightOnDuration": _D, "lightOffDuration": _D},
    "Color": dict.fromkeys(["red", "green", "blue", "alpha"], Scalar.NUMBER),
    "ApnsConfig": {
        "headers": _MAP,
        "payload": Scalar.STRUCT,
        "liveActivityToken": _S,
        "fcmOptions": Message("ApnsFcmOptions"),
    },
    "ApnsFcmOptions": _strings("analyticsLabel image"),
    "WebpushConfig": {
        "headers": _MAP,
        "data": _MAP,
        "notification": Scalar.STRUCT,
        "fcmOptions": Message("WebpushFcmOptions"),
    },
    "WebpushFcmOptions": _strings("analyticsLabel link"),
}

TARGETS = ("fid", "token", "topic", "condition")
"""The members of the message's oneof ``target``."""


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One fault: where, and the front end's words."""

    field: str
    description: str


def canonical(value: JsonValue, shape: Shape = Message("SendMessageRequest")) -> JsonValue:
    """Return *value*, which fits *shape*, with every field in its camelCase spelling."""
    if isinstance(shape, Message) and isinstance(value, Mapping):
        fields = MESSAGES[shape.name]
        known = ((_field_name(key, fields), item) for key, item in value.items())
        return {
            name: canonical(item, fields[name])
            for name, item in known
            if name is not None and item is not None
        }
    return value


def violations(
    value: JsonValue, shape: Shape = Message("SendMessageRequest"), path: str = ""
) -> Iterator[Violation]:
    """Yield what is wrong with *value*, in document order; nothing if it fits."""
    if value is None:  # proto3 JSON: null is the default value
        return
    match shape:
        case Message():
            yield from _message_violations(value, shape.name, path)
        case StringMap():
            yield from _map_violations(value, path)
        case ListOf():
            # A single value is taken for a list of one, as the front end does.
            items = value if _is_list(value) else (value,)
            for index, item in enumerate(items):  # type: ignore[arg-type]
                yield from violations(item, shape.item, f"{path}[{index}]")
        case OneOf():
            fits = isinstance(value, str) and value.upper() in shape.names
            if not fits and not _is_int32(value):
                yield _bad_value(path, shape.type_name, value)
        case _:
            if not _FITS[shape](value):
                yield _bad_value(path, shape.value, value)


def _message_violations(value: JsonValue, name: str, path: str) -> Iterator[Violation]:
    if _is_list(value):
        yield Violation(path, f"{_unknown(path)}: Proto field is not repeating, cannot start list.")
        return
    if not isinstance(value, Mapping):
        yield _bad_value(path, _FCM + name, value)
        return
    fields = MESSAGES[name]
    targets = []
    for key, item in value.items():
        field = _field_name(key, fields)
        inner = f"{path}.{_snake(field or key)}" if path else _snake(field or key)
        if field is None:
            where = f" at '{path}'" if path else ""
            text = f"Invalid JSON payload received. Unknown name {json.dumps(key)}{where}"
            yield Violation(path, f"{text}: Cannot find field.")
            continue
        if name == "Message" and field in TARGETS and item is not None:
            targets.append(field)
        yield from violations(item, fields[field], inner)
    for extra in targets[1:]:
        yield Violation(
            path,
            f"Invalid value at '{path}' (oneof), oneof field 'target' is already set. "
            f"Cannot set '{extra}'",
        )


def _map_violations(value: JsonValue, path: str) -> Iterator[Violation]:
    if not isinstance(value, Mapping):
        yield _bad_value(path, "Map", value)
        return
    for index, item in enumerate(value.values()):
        if not isinstance(item, str):
            yield _bad_value(f"{path}[{index}].value", Scalar.STRING.value, item)


def _unknown(path: str) -> str:
    parent, _, name = path.rpartition(".")
    where = f" at '{parent}'" if parent else ""
    return f'Invalid JSON payload received. Unknown name "{name}"{where}'


def _bad_value(path: str, type_name: str, value: JsonValue) -> Violation:
    shown = json.dumps(value, ensure_ascii=False)[:200]
    return Violation(path, f"Invalid value at '{path}' ({type_name}), {shown}")


def _field_name(key: str, fields: Mapping[str, Shape]) -> str | None:
    """Return the camelCase field that *key* spells in either way."""
    if key in fields:
        return key
    camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), key)
    return camel if camel in fields else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, list)


def _is_int32(value: JsonValue) -> bool:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


DURATION = re.compile(r"(-?[0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)

_FITS: Mapping[Scalar, Callable[[JsonValue], object]] = {
    Scalar.STRING: lambda value: isinstance(value, str),
    Scalar.BOOL: lambda value: isinstance(value, bool),
    Scalar.INT32: _is_int32,
    Scalar.NUMBER: _is_number,
    Scalar.DURATION: lambda value: isinstance(value, str) and DURATION.fullmatch(value),
    Scalar.TIMESTAMP: lambda value: isinstance(value, str) and _TIMESTAMP.fullmatch(value),
    Scalar.STRUCT: lambda value: isinstance(value, Mapping),
}
