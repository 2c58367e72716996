"""
From the neutral message to what FCM is given, before placeholders are filled.

Sources of the mapping: Google's discovery document of the FCM API; Firebase, *Setting the
priority of a message*, *Setting a message's lifespan* and *Collapsible message types*.  An iOS app
that uses Firebase takes its badge, sound, grouping and lifespan from the ``apns`` part.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pushctl.message.apns_draft import (
    ALERT_TEXTS,
    PRIORITIES,
    is_silent,
    put_alert,
    put_aps_fields,
    put_live_activity,
)
from pushctl.message.draft import Draft
from pushctl.message.live_activity import FOR_FCM
from pushctl.message.model import Message, Priority
from pushctl.outcome import JsonValue, Service
from pushctl.rules import fcm_schema
from pushctl.rules.finding import Path

_APS = ("apns", "payload", "aps")
_APNS_HEADERS = ("apns", "headers")
_ANDROID_NOTIFICATION = ("android", "notification")
EXPIRATION = (*_APNS_HEADERS, "apns-expiration")
"""Where the moment stands that depends on when the push is sent."""


@dataclasses.dataclass(slots=True)
class FcmDraft:
    """The message object of one message for FCM."""

    message: Draft
    ttl: int | None = None
    """Seconds from now on, to be written at :data:`EXPIRATION`; ``None`` to leave that alone."""


def draft_fcm(message: Message) -> FcmDraft:
    """Return what *message* is for FCM, whatever the platform of the device."""
    draft = FcmDraft(Draft())
    raw = message.payloads.get(Service.FCM)
    if raw is not None:
        draft.message.adopt({}, ("payload", "fcm"))
        draft.message.merge(raw, (), ("payload", "fcm"), canonical)
    elif not message.live_activity:
        _build_content(message, draft.message)
    if not message.live_activity:
        _build_android(message, draft.message)
    _build_apns(message, draft, is_raw=raw is not None)
    draft.message.merge(message.fcm, (), ("fcm",), canonical)
    if draft.message.origin(EXPIRATION)[:1] == ("fcm",):
        draft.ttl = None
    return draft


def canonical(at: Path, key: str) -> str:
    """
    Return the canonical spelling of the field *key* of the object at *at*.

    Keys of maps and free objects (data, headers, payloads) are the sender's own and stay.
    """
    fields = fcm_schema.STRUCTS.get(fcm_schema.type_at(at) or "", {})
    name = fcm_schema.camel_case(key)
    return name if name in fields else key


def _build_content(message: Message, draft: Draft) -> None:
    for name in ("title", "body", "image"):
        value = getattr(message, name)
        if isinstance(value, Mapping):
            _put_localized(draft, name, value)
        elif value is not None:
            draft.put(("notification", name), value, (name,))
    for key, value in message.data.items():
        draft.put(("data", key), _data_text(value), ("data", key))
    if not draft.tree.keys() & {"notification", "android"}:
        return  # an empty android.notification would show an empty notification
    sound = message.sound
    if isinstance(sound, Mapping):
        draft.put((*_ANDROID_NOTIFICATION, "sound"), sound["name"], ("sound", "name"))
    elif sound is not None:
        draft.put((*_ANDROID_NOTIFICATION, "sound"), sound, ("sound",))
    if message.badge is not None:
        draft.put((*_ANDROID_NOTIFICATION, "notificationCount"), message.badge, ("badge",))


def _put_localized(draft: Draft, name: str, text: Mapping[str, JsonValue]) -> None:
    """Put the key and arguments of a text where Android looks for them."""
    for key, part in text.items():
        field = f"{name}LocKey" if key == "loc_key" else f"{name}LocArgs"
        draft.put((*_ANDROID_NOTIFICATION, field), part, (name, key))


def _data_text(value: JsonValue) -> JsonValue:
    """Return numbers and booleans as the texts that FCM asks for; the rest is left to the lint."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


def _build_android(message: Message, draft: Draft) -> None:
    if message.priority is not None:
        value = "HIGH" if message.priority is Priority.HIGH else "NORMAL"
        draft.put(("android", "priority"), value, ("priority",))
    if message.ttl is not None:
        draft.put(("android", "ttl"), f"{message.ttl}s", ("ttl",))
    if message.collapse_id is not None:
        draft.put(("android", "collapseKey"), message.collapse_id, ("collapse_id",))


def _build_apns(message: Message, draft: FcmDraft, *, is_raw: bool) -> None:
    tree = draft.message
    if not is_raw and is_silent(message) and "notification" not in message.fcm:
        # Google asks for priority 5 in a data-only message to Apple devices (Message.data).
        tree.put((*_APNS_HEADERS, "apns-push-type"), "background", ("data",))
        tree.put((*_APNS_HEADERS, "apns-priority"), "5", ("data",))
        tree.put((*_APS, "content-available"), 1, ("data",))
    elif message.priority is not None:
        value = str(PRIORITIES[message.priority])
        tree.put((*_APNS_HEADERS, "apns-priority"), value, ("priority",))
    if message.ttl is not None:
        tree.put(EXPIRATION, "0", ("ttl",))
        draft.ttl = message.ttl
    if message.collapse_id is not None:
        path = (*_APNS_HEADERS, "apns-collapse-id")
        tree.put(path, message.collapse_id, ("collapse_id",))
    if not is_raw:
        _build_aps(message, tree)


def _build_aps(message: Message, tree: Draft) -> None:
    if message.live_activity:
        token = message.live_activity.get(FOR_FCM)
        if token is not None:
            tree.put(("apns", "liveActivityToken"), token, ("live_activity", FOR_FCM))
        put_live_activity(message, tree, _APS)
        return
    texts = [getattr(message, name) for name in ALERT_TEXTS]
    if message.subtitle is not None or any(isinstance(text, Mapping) for text in texts):
        # apns.payload takes the place of notification.title and body, so all three go there.
        put_alert(message, tree, (*_APS, "alert"))
    put_aps_fields(message, tree, _APS)
    if message.image is not None:
        tree.put((*_APS, "mutable-content"), 1, ("image",))
