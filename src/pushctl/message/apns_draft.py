"""
From the neutral message to what APNs is given, before placeholders are filled.

Source of the mapping: Apple, *Sending notification requests to APNs* (header fields) and
*Generating a remote notification* (payload).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pushctl.message.draft import Draft
from pushctl.message.fields import has_placeholder
from pushctl.message.model import Message, Priority
from pushctl.outcome import JsonValue, Service
from pushctl.rules.apns import (
    PUSH_TYPES,
    PushType,
    collapse_id_fault,
    expiration_fault,
    priority_fault,
    push_type_fault,
)
from pushctl.rules.apns_payload import VISIBLE_KEYS, infer_push_type, is_whole
from pushctl.rules.finding import Finding, Path, did_you_mean

PRIORITIES = {Priority.HIGH: 10, Priority.NORMAL: 5, Priority.LOW: 1}
_OURS = {
    "apns-topic": "the topic comes from the credential or from the recipient's row",
    "apns-id": "each push gets an id of its own",
    "authorization": "the credential gives it",
}
_VISIBLE = ("title", "subtitle", "body", "badge", "sound")


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
    for name in ("title", "subtitle", "body"):
        _put_given(message, payload, name, ("aps", "alert", name))
    for name, key in (
        ("badge", "badge"),
        ("sound", "sound"),
        ("thread_id", "thread-id"),
        ("category", "category"),
    ):
        _put_given(message, payload, name, ("aps", key))
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


def _put_given(message: Message, payload: Draft, name: str, path: Path) -> None:
    value = getattr(message, name)
    if value is not None:
        payload.put(path, value, (name,))


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
    if fault is not None:
        page = f"Apple, {draft.push_type.page}"
        draft.findings.append(Finding(origin, fault, page))


def _set_expiration(message: Message, draft: ApnsDraft, override: JsonValue) -> None:
    if override is None:
        draft.ttl = message.ttl
        return
    origin = ("apns", "headers", "apns-expiration")
    number = _as_whole(override)
    fault = "apns-expiration must be a whole number" if number is None else expiration_fault(number)
    if fault is not None:
        draft.findings.append(Finding(origin, fault, _HEADERS_PAGE))
    draft.expiration = number


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
