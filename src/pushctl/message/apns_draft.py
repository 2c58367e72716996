"""
From the neutral message to what APNs is given, before placeholders are filled.

Source of the mapping: Apple, *Sending notification requests to APNs* (header fields) and
*Generating a remote notification* (payload).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pushctl.message import live_activity
from pushctl.message.draft import Draft
from pushctl.message.model import Message, Priority
from pushctl.message.values import has_placeholder
from pushctl.outcome import JsonValue, Service
from pushctl.rules.apns import (
    PUSH_TYPES,
    PushType,
    collapse_id_fault,
    expiration_fault,
    lifespan_doubt,
    priority_doubt,
    priority_fault,
    push_type_fault,
)
from pushctl.rules.apns_payload import infer_push_type, is_whole
from pushctl.rules.by_push_type import VISIBLE_KEYS
from pushctl.rules.finding import Finding, Path, did_you_mean

PRIORITIES = {Priority.HIGH: 10, Priority.NORMAL: 5, Priority.LOW: 1}
_OURS = {
    "apns-topic": "the topic comes from the credential or from the recipient's row",
    "apns-id": "each push gets an id of its own",
    "authorization": "the credential gives it",
}
_VISIBLE = ("title", "subtitle", "body", "badge", "sound")
ALERT_TEXTS = ("title", "subtitle", "body")
APS_FIELDS = (
    ("badge", "badge"),
    ("thread_id", "thread-id"),
    ("category", "category"),
    ("interruption_level", "interruption-level"),
    ("relevance_score", "relevance-score"),
    ("target_content_id", "target-content-id"),
    ("filter_criteria", "filter-criteria"),
)
"""Fields of a message that are keys of ``aps`` as they are."""


@dataclasses.dataclass(slots=True)
class ApnsDraft:
    """The payload and header values of one message for APNs."""

    push_type: PushType
    payload: Draft
    is_type_known: bool = True
    """False where the push type asked for is none: *push_type* is then a stand-in."""
    priority: int = 10
    ttl: int | None = None
    """Seconds from now on; ``None`` where *expiration* or nothing is given."""
    expiration: int | None = None
    """Epoch seconds, where an override says it outright."""
    collapse_id: str | None = None
    collapse_id_origin: Path = ()
    findings: list[Finding] = dataclasses.field(default_factory=list)
    """What is wrong with the header values; paths are those of the message."""


def draft_apns(message: Message) -> ApnsDraft:
    """
    Return what *message* is for APNs.

    Where no push type is given it is ``background`` for a message that shows nothing and has
    data, else ``alert``; for a raw payload it is what the payload tells.
    """
    draft = ApnsDraft(PUSH_TYPES["alert"], Draft())
    headers = message.apns.get("headers")
    overrides = dict(headers) if isinstance(headers, Mapping) else {}
    _choose_push_type(message, draft, overrides.pop("apns-push-type", None))
    if Service.APNS in message.payloads:
        draft.payload.adopt(message.payloads[Service.APNS], ("payload", "apns"))
    else:
        _build_payload(message, draft)
    _set_priority(message, draft, overrides.pop("apns-priority", None))
    _set_expiration(message, draft, overrides.pop("apns-expiration", None))
    _set_collapse_id(message, draft, overrides.pop("apns-collapse-id", None))
    for name in overrides:
        known = ("apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id")
        hint = _OURS.get(name) or did_you_mean(name, known) or f"these may: {', '.join(known)}"
        text = f"the header field `{name}` may not be set"
        draft.findings.append(Finding(("apns", "headers", name), text, hint, key=True))
    return draft


def is_silent(message: Message) -> bool:
    """Return whether *message* is a background push: so asked for, or data with nothing to show."""
    if message.live_activity:
        return False
    if message.push_type is not None:
        return message.push_type == "background"
    if any(getattr(message, name) is not None for name in _VISIBLE):
        return False
    payload = message.apns.get("payload")
    nested = payload.get("aps") if isinstance(payload, Mapping) else None
    for aps in (message.apns.get("aps"), nested):
        if isinstance(aps, Mapping) and any(key in aps for key in VISIBLE_KEYS):
            return False
    return bool(message.data)


def _choose_push_type(message: Message, draft: ApnsDraft, override: JsonValue) -> None:
    name: JsonValue
    origin: Path
    if override is not None:
        name, origin = override, ("apns", "headers", "apns-push-type")
    elif message.live_activity:
        name, origin = "liveactivity", ("live_activity",)
    elif message.push_type is not None:
        name, origin = message.push_type, ("push_type",)
    elif Service.APNS in message.payloads:
        name, origin = infer_push_type(message.payloads[Service.APNS]), ("payload", "apns")
    else:
        name, origin = "background" if is_silent(message) else "alert", ()
    if name is None:
        text = "the payload does not tell its push type"
        hint = f"give --push-type, one of {', '.join(PUSH_TYPES)}"
        draft.findings.append(Finding(origin, text, hint))
        draft.is_type_known = False
    elif (fault := push_type_fault(str(name))) is not None:
        draft.findings.append(Finding(origin, *fault))
        draft.is_type_known = False
    else:
        draft.push_type = PUSH_TYPES[str(name)]


def _build_payload(message: Message, draft: ApnsDraft) -> None:
    payload = draft.payload
    if message.live_activity:
        put_live_activity(message, payload, ("aps",))
        _merge_overrides(message, payload)
        return
    put_alert(message, payload, ("aps", "alert"))
    put_aps_fields(message, payload, ("aps",))
    if message.image is not None:
        payload.put(("aps", "mutable-content"), 1, ("image",))
        payload.put(("image",), message.image, ("image",))
    for key, value in draft.push_type.aps.items():
        payload.put(("aps", key), value, ("push_type",))
    for key, value in message.data.items():
        if key == "aps" or (key == "image" and message.image is not None):
            owner = "Apple's own" if key == "aps" else "taken by `image`"
            text = f"the data key `{key}` is {owner}: choose another"
            draft.findings.append(Finding(("data", key), text, key=True))
        else:
            payload.put((key,), value, ("data", key))
    _merge_overrides(message, payload)


def put_alert(message: Message, payload: Draft, at: Path) -> None:
    """Put the texts of *message* into the alert at *at* of *payload*."""
    for name in ALERT_TEXTS:
        value = getattr(message, name)
        if isinstance(value, Mapping):
            # Of the body the keys are `loc-key` and `loc-args`, without its name.
            prefix = "" if name == "body" else f"{name}-"
            for key, part in value.items():
                payload.put((*at, prefix + key.replace("_", "-")), part, (name, key))
        elif value is not None:
            payload.put((*at, name), value, (name,))


def put_aps_fields(message: Message, payload: Draft, at: Path) -> None:
    """Put what of *message* stands in ``aps`` beside the alert into *payload*, at *at*."""
    for name, key in APS_FIELDS:
        value = getattr(message, name)
        if value is not None:
            payload.put((*at, key), value, (name,))
    put_sound(message, payload, at)


def put_sound(message: Message, payload: Draft, at: Path) -> None:
    """Put the sound of *message* into the object at *at* of *payload*."""
    sound = message.sound
    if isinstance(sound, Mapping):
        for key, part in sound.items():
            value = int(part) if isinstance(part, bool) else part
            payload.put((*at, "sound", key), value, ("sound", key))
    elif sound is not None:
        payload.put((*at, "sound"), sound, ("sound",))


def put_live_activity(message: Message, payload: Draft, at: Path) -> None:
    """
    Put the Live Activity of *message* into ``aps``, which stands at *at* of *payload*.

    Its alert is of a form of its own: a text may be an object there, and the sound stands in it.
    """
    payload.put(at, {}, ("live_activity",))
    for name, key, value in live_activity.aps_of(message.live_activity):
        payload.put((*at, key), value, ("live_activity", name))
    if message.relevance_score is not None:
        payload.put((*at, "relevance-score"), message.relevance_score, ("relevance_score",))
    spoken = [name for name in ("title", "body", "sound") if getattr(message, name) is not None]
    if spoken:
        payload.put((*at, "alert"), {}, (spoken[0],))
    for name in ("title", "body"):
        text = getattr(message, name)
        if isinstance(text, Mapping):
            for key, part in text.items():
                path = (*at, "alert", name, key.replace("_", "-"))
                payload.put(path, part, (name, key))
        elif text is not None:
            payload.put((*at, "alert", name), text, (name,))
    put_sound(message, payload, (*at, "alert"))


def _merge_overrides(message: Message, payload: Draft) -> None:
    for name, at in (("payload", ()), ("aps", ("aps",))):
        override = message.apns.get(name)
        if isinstance(override, Mapping):
            if at and not isinstance(payload.get(at), Mapping):
                payload.put(at, {}, ("apns", name))
            payload.merge(override, at, ("apns", name))


def _set_priority(message: Message, draft: ApnsDraft, override: JsonValue) -> None:
    origin: Path = ("priority",)
    if override is not None:
        origin = ("apns", "headers", "apns-priority")
        number = _as_whole(override)
        if number not in (10, 5, 1):
            text = "apns-priority must be 10, 5 or 1"
            draft.findings.append(Finding(origin, text, _HEADERS_PAGE))
            return
        draft.priority = number
    elif message.priority is not None:
        draft.priority = PRIORITIES[message.priority]
    else:
        draft.priority = draft.push_type.default_priority
    fault = priority_fault(draft.push_type, draft.priority)
    page = f"Apple, {draft.push_type.page}"
    if fault is not None:
        draft.findings.append(Finding(origin, fault, page))
    elif (doubt := priority_doubt(draft.push_type, draft.priority)) is not None:
        draft.findings.append(Finding(origin, doubt, page, warning=True))


def _set_expiration(message: Message, draft: ApnsDraft, override: JsonValue) -> None:
    origin: Path = ("ttl",)
    if override is None:
        draft.ttl = draft.push_type.default_ttl if message.ttl is None else message.ttl
        _doubt_lifespan(draft, draft.ttl or 0, origin)
        return
    origin = ("apns", "headers", "apns-expiration")
    number = _as_whole(override)
    fault = "apns-expiration must be a whole number" if number is None else expiration_fault(number)
    if fault is not None:
        draft.findings.append(Finding(origin, fault, _HEADERS_PAGE))
    draft.expiration = number
    _doubt_lifespan(draft, number or 0, origin)


def _doubt_lifespan(draft: ApnsDraft, lifespan: int, origin: Path) -> None:
    doubt = lifespan_doubt(draft.push_type, lifespan)
    if doubt is not None:
        page = f"Apple, {draft.push_type.page}"
        draft.findings.append(Finding(origin, doubt, page, warning=True))


def _set_collapse_id(message: Message, draft: ApnsDraft, override: JsonValue) -> None:
    origin: Path = ("collapse_id",)
    value: JsonValue = message.collapse_id
    if override is not None:
        value, origin = override, ("apns", "headers", "apns-collapse-id")
    if value is None:
        return
    if not isinstance(value, str):
        draft.findings.append(Finding(origin, "apns-collapse-id must be a text", _HEADERS_PAGE))
        return
    draft.collapse_id, draft.collapse_id_origin = value, origin
    fault = None if has_placeholder(value) else collapse_id_fault(value)
    if fault is not None:
        draft.findings.append(Finding(origin, fault, _HEADERS_PAGE))


def _as_whole(value: JsonValue) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and is_whole(value) else None


_HEADERS_PAGE = "Apple, Sending notification requests to APNs"
