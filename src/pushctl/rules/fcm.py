"""
FCM rules: the message's fields, its size, its data keys, and whom it may go to.

Sources: Google's discovery document (:mod:`pushctl.rules.fcm_schema`) and the pages of the
Firebase documentation named in the hints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pushctl.rules import apns, fcm_schema, live_activity
from pushctl.rules.apns_payload import check_aps
from pushctl.rules.by_push_type import VISIBLE_KEYS
from pushctl.rules.finding import Finding, Path, did_you_mean, type_name

MAX_PAYLOAD_BYTES = 4096
MAX_TOPIC_PAYLOAD_BYTES = 2048
"""To a topic or condition: Firebase, *FCM error codes*, ``INVALID_ARGUMENT``."""
MAX_TTL_S = fcm_schema.MAX_TTL_S
MAX_CONDITION_TOPICS = 5
TARGETS = ("token", "fid", "topic", "condition")

RESERVED_DATA_KEYS = frozenset({"from", "message_type"})
RESERVED_DATA_PREFIXES = ("google.", "gcm.notification.")
DOUBTFUL_DATA_PREFIXES = ("google", "gcm")
"""Reserved by older pages of the documentation; the discovery document is narrower."""

WEB_URGENCIES = ("very-low", "low", "normal", "high")
HTTP_IMAGE = "an image that is not served over https is not shown on most devices"

_TOPIC = re.compile(r"[a-zA-Z0-9_.~%-]{1,900}")
_TOPIC_IN_CONDITION = re.compile(r"'([^']*)'\s+in\s+topics")
_CONDITION_STEP = re.compile(r"!T|\(T\)|T(?:&&|\|\|)T")
_APS = ("apns", "payload", "aps")
_DATA_MAPS = (("data",), ("android", "data"), ("androidV2", "data"), ("webpush", "data"))
_SHOWS_SOMETHING = (
    ("notification",),
    ("data",),
    ("android", "notification"),
    ("android", "data"),
    ("androidV2", "remoteNotification"),
    ("androidV2", "backgroundSync"),
    ("androidV2", "data"),
    ("webpush", "notification"),
    ("webpush", "data"),
    ("apns", "payload"),
)


def at(tree: Mapping[str, Any], path: Path) -> Any:
    """Return the value at *path* of *tree*, or ``None`` where there is none."""
    node: Any = tree
    for step in path:
        if not isinstance(node, Mapping) or step not in node:
            return None
        node = node[step]
    return node


def payload_limit(target_kind: str) -> int:
    """Return how many bytes of payload FCM takes for a target of *target_kind*."""
    return MAX_TOPIC_PAYLOAD_BYTES if target_kind in ("topic", "condition") else MAX_PAYLOAD_BYTES


def counted_bytes(message: Mapping[str, Any]) -> int:
    """
    Return the bytes of *message* that surely count against FCM's limit.

    Keys and values of ``notification`` and ``data``.  Google does not say how it counts the
    parts for one platform, so those are left out, and ``data`` with them where ``android.data``
    takes its place: a message over the limit by this count is too large by any.
    """
    counted = [at(message, ("notification",))]
    if at(message, ("android", "data")) is None and at(message, ("androidV2", "data")) is None:
        counted.append(at(message, ("data",)))
    return sum(
        len(key.encode("utf-8")) + len(value.encode("utf-8"))
        for part in counted
        if isinstance(part, Mapping)
        for key, value in part.items()
        if isinstance(value, str)
    )


def topic_fault(name: str) -> str | None:
    """Return why *name* is no topic of FCM; ``None`` if it is one (discovery document)."""
    if name.startswith("/topics/"):
        return "a topic is named without `/topics/` in front"
    if not _TOPIC.fullmatch(name):
        return "a topic has 1 to 900 of the characters a-z A-Z 0-9 - _ . ~ %"
    return None


def condition_fault(condition: str) -> str | None:
    """
    Return why *condition* is no condition of FCM; ``None`` if it may be one.

    Judged are the topics, their number (five at most: Firebase, *Send messages to topics*), and
    that they are joined by ``&&``, ``||``, ``!`` and brackets into an expression.
    """
    topics = _TOPIC_IN_CONDITION.findall(condition)
    if not topics:
        return "a condition names topics, as in `'news' in topics && 'sport' in topics`"
    if len(topics) > MAX_CONDITION_TOPICS:
        return f"a condition has at most {MAX_CONDITION_TOPICS} topics; this one has {len(topics)}"
    fault = next((fault for topic in topics if (fault := topic_fault(topic))), None)
    if fault is not None:
        return fault
    skeleton = "".join(_TOPIC_IN_CONDITION.sub("T", condition).split())
    if not _is_expression(skeleton):
        return "a condition joins topics with `&&`, `||` and `!`, with brackets that close"
    return None


def check_message(message: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with an FCM *message* that has no target yet."""
    yield from _check_struct("Message", message, ())
    for path in _DATA_MAPS:
        values = at(message, path)
        if isinstance(values, Mapping):
            yield from _check_data_keys(values, path)
    yield from _check_whole(message)
    yield from _check_web_headers(message)
    yield from _check_apns_headers(message)
    aps = at(message, _APS)
    if isinstance(aps, Mapping):
        has_alert = "notification" in message
        yield from check_aps(aps, _APS, has_alert=has_alert)
        yield from _check_live_activity(message, aps)
    elif aps is not None:
        yield Finding(_APS, f"`aps` must be an object, not {type_name(aps)}")


def _check_live_activity(message: Mapping[str, Any], aps: Mapping[str, Any]) -> Iterator[Finding]:
    token = at(message, ("apns", "liveActivityToken"))
    if token is None and "event" not in aps:
        return
    yield from live_activity.check(aps, _APS)
    if token is None:
        text = "through FCM a Live Activity needs the activity's own token: `live_activity_token`"
        hint = (
            "give each recipient's, for instance --live-activity-token '{{ activity_token }}'; "
            "Firebase, Get started with Live Activity"
        )
        yield Finding(_APS, text, hint)


def _check_whole(message: Mapping[str, Any]) -> Iterator[Finding]:
    for name in TARGETS:
        if name in message:
            hint = "name the target with --token, --tokens, --fcm-topic or --fcm-condition"
            yield Finding((name,), f"the target `{name}` does not belong in the message", hint)
    if isinstance(message.get("message"), Mapping):
        text = "this is a whole request: the message is what stands inside `message`"
        yield Finding(("message",), text, key=True)
    if "name" in message:
        yield Finding(("name",), "`name` is FCM's to give: it may not be sent", key=True)
    if "android" in message and "androidV2" in message:
        text = "`android` and `androidV2` exclude each other"
        hint = "set `android: null` in the overrides to leave out what the neutral fields give"
        yield Finding(("androidV2",), text, hint, key=True)
    if not any(at(message, path) for path in _SHOWS_SOMETHING):
        yield Finding((), "the message is empty for FCM: no notification and no data")
    if _is_silent_for_apple(message) and at(message, ("apns", "headers", "apns-priority")) == "10":
        text = "a data-only message to Apple devices must have `apns-priority` 5"
        yield Finding(("apns", "headers", "apns-priority"), text, "FCM API, Message.data")
    for path in (("notification", "image"), ("android", "notification", "image")):
        image = at(message, path)
        if isinstance(image, str) and image.startswith("http://"):
            yield Finding(path, HTTP_IMAGE, warning=True)


def _check_web_headers(message: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what a push service would refuse (RFC 8030, sections 5.2 and 5.3)."""
    path = ("webpush", "headers")
    headers = at(message, path)
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if not isinstance(value, str) or _is_template(value):
            continue
        if name.casefold() == "ttl" and not (value.isascii() and value.isdigit()):
            text = "`TTL` for web push must be a whole number of seconds"
            yield Finding((*path, name), text, "RFC 8030, section 5.2")
        elif name.casefold() == "urgency" and value not in WEB_URGENCIES:
            text = f"`Urgency` for web push is one of {', '.join(WEB_URGENCIES)}"
            yield Finding((*path, name), text, "RFC 8030, section 5.3", warning=True)


def _check_apns_headers(message: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what Apple would refuse in the header fields for iOS devices."""
    path = ("apns", "headers")
    headers = at(message, path)
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if not isinstance(value, str) or _is_template(value):
            continue
        fault = None
        if name == "apns-push-type" and value not in apns.PUSH_TYPES:
            fault = f"`{value}` is no APNs push type"
        elif name == "apns-priority" and value not in ("10", "5", "1"):
            fault = "apns-priority must be 10, 5 or 1"
        elif name == "apns-expiration" and not (value.isascii() and value.isdigit()):
            fault = "apns-expiration must be a whole number"
        elif name == "apns-expiration" and len(value) < 16:
            fault = apns.expiration_fault(int(value))
        elif name == "apns-collapse-id":
            fault = apns.collapse_id_fault(value)
        if fault is not None:
            hint = "Apple, Sending notification requests to APNs"
            yield Finding((*path, name), f"for iOS devices: {fault}", hint, warning=True)


def _is_template(value: str) -> bool:
    return "{{" in value or "{%" in value


def _is_silent_for_apple(message: Mapping[str, Any]) -> bool:
    aps = at(message, _APS) or {}
    shown = (*VISIBLE_KEYS, "event")  # a Live Activity is seen as well
    return "notification" not in message and not any(key in aps for key in shown)


def _check_struct(kind: str, value: Any, path: Path) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield Finding(path, f"`{path[-1]}` must be an object, not {type_name(value)}")
        return
    fields = fcm_schema.STRUCTS[kind]
    for name in fcm_schema.REQUIRED.get(kind, ()):
        if name not in value:
            yield Finding(path, f"`{path[-1]}` lacks `{name}`", "FCM API, LightSettings")
    for name, member in value.items():
        member_kind = fields.get(name)
        if member_kind is None:
            yield _unknown(name, fields, (*path, name))
        elif member is not None:  # null means "not set" in proto3 JSON
            yield from _check_field(member_kind, name, member, (*path, name))


def _check_field(kind: str, name: str, value: Any, path: Path) -> Iterator[Finding]:
    if kind in fcm_schema.STRUCTS:
        yield from _check_struct(kind, value, path)
    elif kind == "texts by key":
        yield from _check_texts(name, value, path)
    elif (fault := fcm_schema.plain_fault(kind, value)) is not None:
        yield Finding(path, f"`{name}` {fault}", f"FCM API, field {_dotted(path)}")


def _check_texts(name: str, values: Any, path: Path) -> Iterator[Finding]:
    if not isinstance(values, Mapping):
        yield Finding(path, f"`{name}` must be an object, not {type_name(values)}")
        return
    for key, value in values.items():
        if not isinstance(value, str):
            text = f"FCM takes only texts in `{_dotted(path)}`; `{key}` is {type_name(value)}"
            yield Finding((*path, key), text, "write it as a text, JSON in quotes if need be")


def _check_data_keys(values: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for key in values:
        if not key:
            yield Finding((*path, key), "a data key must not be empty", key=True)
        elif key in RESERVED_DATA_KEYS or key.startswith(RESERVED_DATA_PREFIXES):
            text = f"the data key `{key}` is reserved by FCM"
            yield Finding((*path, key), text, _RESERVED_HINT, key=True)
        elif key.startswith(DOUBTFUL_DATA_PREFIXES):
            text = f"FCM has reserved data keys like `{key}`: choose another"
            yield Finding((*path, key), text, _RESERVED_HINT, warning=True, key=True)


_RESERVED_HINT = "reserved: from, message_type, google.*, gcm.notification.* (FCM API, Message)"


def _unknown(name: str, fields: Mapping[str, str], path: Path) -> Finding:
    text = f"FCM's schema of {fcm_schema.REVISION} has no field `{_dotted(path)}`"
    return Finding(path, text, did_you_mean(name, fields), warning=True, key=True)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _is_expression(skeleton: str) -> bool:
    """Tell whether a condition, each of its topics written ``T``, is an expression."""
    while (simpler := _CONDITION_STEP.sub("T", skeleton)) != skeleton:
        skeleton = simpler
    return skeleton == "T"
