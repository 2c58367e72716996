"""
The fields of an FCM message and their types.

Source: Google's discovery document of the FCM API, version 1, revision 20261023.  Names are the
canonical camelCase ones; the API takes snake_case as well (proto3 JSON mapping).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pushctl.rules.finding import Path, type_name

REVISION = "20261023"

_ANDROID_COMMON = {
    "collapseKey": "string",
    "ttl": "ttl",
    "restrictedPackageName": "string",
    "data": "texts by key",
    "fcmOptions": "AndroidFcmOptions",
    "directBootOk": "bool",
    "bandwidthConstrainedOk": "bool",
    "restrictedSatelliteOk": "bool",
}
_ANDROID_NOTIFICATION = {
    **dict.fromkeys(
        (
            *("title", "body", "icon", "sound", "tag", "clickAction", "bodyLocKey", "titleLocKey"),
            *("channelId", "ticker"),
        ),
        "string",
    ),
    "eventTime": "timestamp",
    "color": "color",
    "image": "image",
    "bodyLocArgs": "strings",
    "titleLocArgs": "strings",
    **dict.fromkeys(
        (
            *("sticky", "localOnly", "defaultSound", "defaultVibrateTimings"),
            "defaultLightSettings",
        ),
        "bool",
    ),
    "notificationCount": "count",
    "vibrateTimings": "durations",
    "lightSettings": "LightSettings",
    "notificationPriority": "NotificationPriority",
    "visibility": "Visibility",
}

STRUCTS: Mapping[str, Mapping[str, str]] = {
    "Message": {
        "name": "string",
        "data": "texts by key",
        "notification": "Notification",
        "android": "AndroidConfig",
        "androidV2": "AndroidConfigV2",
        "webpush": "WebpushConfig",
        "apns": "ApnsConfig",
        "fcmOptions": "FcmOptions",
        "fid": "string",
        "token": "string",
        "topic": "string",
        "condition": "string",
    },
    "Notification": {"title": "string", "body": "string", "image": "image"},
    "AndroidConfig": {
        **_ANDROID_COMMON,
        "priority": "AndroidMessagePriority",
        "notification": "AndroidNotification",
    },
    "AndroidConfigV2": {
        **_ANDROID_COMMON,
        "remoteNotification": "AndroidRemoteNotification",
        "backgroundSync": "object",
    },
    "AndroidRemoteNotification": {
        "mutableContent": "bool",
        "notification": "AndroidNotificationV2",
        "useAsV1DataMessage": "bool",
    },
    "AndroidNotification": {
        **_ANDROID_NOTIFICATION,
        "bypassProxyNotification": "bool",
        "proxy": "Proxy",
    },
    "AndroidNotificationV2": {**_ANDROID_NOTIFICATION, "id": "int"},
    "LightSettings": {
        "color": "Color",
        "lightOnDuration": "duration",
        "lightOffDuration": "duration",
    },
    "Color": dict.fromkeys(("red", "green", "blue", "alpha"), "fraction"),
    "ApnsConfig": {
        "headers": "texts by key",
        "payload": "object",
        "fcmOptions": "ApnsFcmOptions",
        "liveActivityToken": "string",
    },
    "WebpushConfig": {
        "headers": "texts by key",
        "data": "texts by key",
        "notification": "object",
        "fcmOptions": "WebpushFcmOptions",
    },
    "FcmOptions": {"analyticsLabel": "label"},
    "AndroidFcmOptions": {"analyticsLabel": "label"},
    "ApnsFcmOptions": {"analyticsLabel": "label", "image": "image"},
    "WebpushFcmOptions": {"analyticsLabel": "label", "link": "https link"},
}
"""For each object type its fields and their types: another object's name, an enumeration's, or
one of the plain types that :func:`plain_fault` knows."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "LightSettings": ("color", "lightOnDuration", "lightOffDuration"),
}
_PRIORITIES = ("UNSPECIFIED", "MIN", "LOW", "DEFAULT", "HIGH", "MAX")
ENUMS: Mapping[str, tuple[str, ...]] = {
    # Google's own samples write "high" and "normal".
    "AndroidMessagePriority": ("NORMAL", "HIGH", "normal", "high"),
    "NotificationPriority": tuple(f"PRIORITY_{word}" for word in _PRIORITIES),
    "Visibility": ("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    "Proxy": ("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
}

MAX_TTL_S = 2_419_200
"""Four weeks: Firebase, *Setting a message's lifespan*."""

_DURATION = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?s")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_LABEL = re.compile(r"[a-zA-Z0-9_.~%-]{1,50}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_TEXT_TYPES = frozenset(
    {"string", "ttl", "duration", "timestamp", "color", "image", "label", "https link"}
)
_SNAKE = re.compile(r"_+([a-zA-Z0-9])")


def camel_case(name: str) -> str:
    """Return the canonical JSON name of a field spelled in snake_case or already canonical."""
    return _SNAKE.sub(lambda match: match[1].upper(), name)


def type_at(path: Path) -> str | None:
    """
    Return the type of the field at *path* of a message, or ``None`` where the schema ends.

    Members of a map or list of texts are of type ``string``; what lies inside an ``object`` is
    the sender's own.
    """
    kind: str | None = "Message"
    for step in path:
        if kind in ("texts by key", "strings"):
            kind = "string"
        elif kind == "durations":
            kind = "duration"
        else:
            kind = STRUCTS.get(kind or "", {}).get(str(step))
    return kind


def takes_text(path: Path) -> bool:
    """Return whether a placeholder alone at *path* of a message must become a text."""
    kind = type_at(path)
    return kind in _TEXT_TYPES or kind in ENUMS


def takes_count(path: Path) -> bool:
    """Return whether a placeholder alone at *path* must become a whole number."""
    return type_at(path) == "count"


def plain_fault(kind: str, value: Any) -> str | None:
    """Return what is wrong with *value* for a field of the plain type or enumeration *kind*."""
    if kind in ENUMS:
        words = ENUMS[kind]
        return None if value in words else f"must be one of {', '.join(words)}"
    if kind in _TEXT_TYPES:
        if not isinstance(value, str):
            example = ', such as "90s"' if kind in ("ttl", "duration") else ""
            return f"must be a text{example}, not {type_name(value)}"
        return _text_fault(kind, value)
    if kind in ("strings", "durations"):
        return _list_fault(kind, value)
    return _value_fault(kind, value)


def _text_fault(kind: str, value: str) -> str | None:
    match kind:
        case "ttl" if not _DURATION.fullmatch(value) or float(value[:-1]) > MAX_TTL_S:
            return f'must be seconds from "0s" to "{MAX_TTL_S}s" (four weeks)'
        case "duration" if not _DURATION.fullmatch(value):
            return 'must be seconds, such as "1.5s"'
        case "timestamp" if not _TIMESTAMP.fullmatch(value):
            return "must be an RFC 3339 time, such as 2026-12-01T18:30:00Z"
        case "color" if not _COLOR.fullmatch(value):
            return "must be a colour of the form #rrggbb"
        case "label" if not _LABEL.fullmatch(value):
            return "must be 1 to 50 of the characters a-z A-Z 0-9 - _ . ~ %"
        case "https link" if not value.startswith("https://"):
            return "must be an https:// address"
        case "image" if not value.startswith(("https://", "http://")):
            return "must be an https:// address"
        case _:
            return None


def _list_fault(kind: str, value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return f"must be a list of texts, not {type_name(value)}"
    item_kind = "string" if kind == "strings" else "duration"
    faults = (plain_fault(item_kind, item) for item in value)
    return next((f"holds an item that {fault}" for fault in faults if fault), None)


def _value_fault(kind: str, value: Any) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match kind:
        case "bool":
            good, wanted = isinstance(value, bool), "true or false"
        case "int":
            good, wanted = whole and abs(value) < 2**31, "a whole number"
        case "count":
            good, wanted = whole and 0 <= value < 2**31, "a whole number from 0"
        case "fraction":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            good, wanted = number and 0 <= value <= 1, "a number from 0 to 1"
        case _:
            good, wanted = isinstance(value, Mapping), "an object"
    return None if good else f"must be {wanted}"
