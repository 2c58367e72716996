"""
APNs rules for the request around the payload: push types, topics, priorities, header fields.

Source, unless said otherwise: Apple, *Sending notification requests to APNs*.  The payload's own
rules are in :mod:`pushctl.rules.apns_payload`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pushctl.rules.channels import MAX_BROADCAST_PAYLOAD_BYTES
from pushctl.rules.finding import Finding, did_you_mean

MAX_PAYLOAD_BYTES = 4096
MAX_VOIP_PAYLOAD_BYTES = 5120
MAX_COLLAPSE_ID_BYTES = 64
LATEST_EXPIRATION = 4_102_444_800
"""2100-01-01 in epoch seconds: anything later is a date in milliseconds."""

MDM_TOPIC = "com.apple.mgmt."
"""How the topic of an MDM push certificate begins."""

ANY_PRIORITY = (10, 5, 1)
"""At once; by the power considerations of the device; by those above all, waking nothing."""


class Signing(StrEnum):
    """How a provider is authorised."""

    KEY = "push key"
    CERTIFICATE = "certificate"


@dataclasses.dataclass(frozen=True, slots=True)
class Sender:
    """What of a credential the rules ask for."""

    topic: str | None
    """``None`` where the certificate says it."""
    signing: Signing


@dataclasses.dataclass(frozen=True, slots=True)
class PushType:
    """One value of ``apns-push-type`` and what comes with it."""

    name: str
    topic_suffix: str = ""
    """What follows the bundle id in ``apns-topic``."""
    max_payload_bytes: int = MAX_PAYLOAD_BYTES
    priorities: tuple[int, ...] = ANY_PRIORITY
    """The values of ``apns-priority`` that Apple allows with it."""
    default_priority: int = 10
    """What we send where nothing was asked for; APNs itself assumes 10."""
    default_ttl: int | None = None
    """Seconds that we ask for where nothing was asked for; ``None``: APNs' own policy."""
    only_with: Signing | None = None
    """The one way to be authorised that APNs takes for it."""
    aps: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What ``aps`` always holds for this type."""
    needs_aps: bool = True
    page: str = "Sending notification requests to APNs"
    """The page of Apple's documentation that states the rules."""


_TABLE = (
    PushType("alert", page="Generating a remote notification"),
    PushType(
        "background",
        priorities=(5,),
        default_priority=5,
        aps={"content-available": 1},
        page="Pushing background updates to your App",
    ),
    PushType("complication", ".complication", priorities=(10, 5), needs_aps=False),
    PushType(
        "controls",
        ".push-type.controls",
        aps={"content-changed": True},
        page="Updating controls locally and remotely",
    ),
    PushType("fileprovider", ".pushkit.fileprovider", needs_aps=False),
    PushType(
        "liveactivity",
        ".push-type.liveactivity",
        priorities=(10, 5),
        page="Starting and updating Live Activities with ActivityKit push notifications",
    ),
    PushType(
        "location",
        ".location-query",
        priorities=(10, 5),
        only_with=Signing.KEY,
        needs_aps=False,
        page="Creating a location push service extension",
    ),
    PushType("mdm", only_with=Signing.CERTIFICATE, needs_aps=False),
    PushType("pushtotalk", ".voip-ptt", default_ttl=0, needs_aps=False),
    PushType("voip", ".voip", MAX_VOIP_PAYLOAD_BYTES, needs_aps=False),
    PushType(
        "widgets",
        ".push-type.widgets",
        aps={"content-changed": True},
        page="Updating widgets with WidgetKit push notifications",
    ),
)

PUSH_TYPES: Mapping[str, PushType] = MappingProxyType({row.name: row for row in _TABLE})
"""Every push type that Apple documents, by its name."""


def topic_for(push_type: str, bundle_id: str) -> str:
    """
    Return the ``apns-topic`` of a push of *push_type* to the app *bundle_id*.

    The suffix is not doubled where *bundle_id* already ends with it.  An unknown type has no
    suffix.
    """
    row = PUSH_TYPES.get(push_type)
    if row is None or bundle_id.endswith(row.topic_suffix):
        return bundle_id
    return bundle_id + row.topic_suffix


def is_topic_of(bundle_id: str, topic: str) -> bool:
    """Return whether pushes of some type to the app *bundle_id* have the ``apns-topic`` *topic*."""
    return any(topic == bundle_id + row.topic_suffix for row in PUSH_TYPES.values())


def check_sender(push_type: PushType, sender: Sender) -> Iterator[Finding]:
    """
    Yield why *sender* cannot, or hardly can, send pushes of *push_type*.

    A topic that ends with the suffix of another push type will mostly be a mistake, but a bundle
    id may end so too.
    """
    name, topic = push_type.name, sender.topic
    if push_type.only_with not in (None, sender.signing):
        text = f"a push of type {name} is sent with a {push_type.only_with}, not a {sender.signing}"
        hint = "choose another credential with --credential" + (
            f"; Apple, {push_type.page}"
            if push_type.only_with is Signing.KEY
            else ": MDM has its own"
        )
        yield Finding(("push_type",), text, hint)
    if topic is None:
        return
    for row in _TABLE:
        if row.topic_suffix and topic.endswith(row.topic_suffix) and row.name != name:
            text = (
                f"the topic `{topic}` ends with `{row.topic_suffix}`, which belongs to pushes "
                f"of type {row.name}, not {name}"
            )
            yield Finding(("push_type",), text, warning=True)
    if (name == "mdm") != topic.startswith(MDM_TOPIC):
        text = f"the topic `{topic}` is {'not' if name == 'mdm' else 'that'} of an MDM service"
        hint = f"`{MDM_TOPIC}…`, the UID of the MDM push certificate, goes with push type mdm"
        yield Finding(("push_type",), text, hint, warning=True)


def priority_doubt(push_type: PushType, priority: int) -> str | None:
    """Return why *priority* is not what Apple recommends for *push_type*; ``None`` if it is."""
    if push_type.name == "pushtotalk" and priority != 10:
        return f"Apple recommends APNs priority 10 for a push of type pushtotalk, not {priority}"
    return None


def lifespan_doubt(push_type: PushType, lifespan: int) -> str | None:
    """
    Return why *lifespan* is not what Apple recommends for *push_type*; ``None`` if it is.

    *lifespan* is a time to live or an expiration: only whether it is 0 counts.
    """
    if push_type.name == "pushtotalk" and lifespan:
        return "Apple recommends that a push of type pushtotalk is not kept: a time to live of 0"
    return None


def push_type_fault(name: str) -> tuple[str, str | None] | None:
    """Return why *name* is no push type, with a hint; ``None`` if it is one."""
    if name in PUSH_TYPES:
        return None
    hint = did_you_mean(name, PUSH_TYPES) or f"APNs knows {', '.join(PUSH_TYPES)}"
    return f"`{name}` is no APNs push type", hint


def payload_limit(push_type: PushType, *, to_channel: bool = False) -> int:
    """Return how many bytes of payload APNs takes for *push_type*, to a device or a channel."""
    return MAX_BROADCAST_PAYLOAD_BYTES if to_channel else push_type.max_payload_bytes


def priority_fault(push_type: PushType, priority: int) -> str | None:
    """Return why *priority* may not go with *push_type*; ``None`` if it may."""
    if priority in push_type.priorities:
        return None
    allowed = " or ".join(str(value) for value in push_type.priorities)
    return f"a push of type {push_type.name} must have APNs priority {allowed}, not {priority}"


def collapse_id_fault(collapse_id: str) -> str | None:
    """
    Return why APNs or HTTP/2 would refuse *collapse_id*; ``None`` if it may be sent.

    At most 64 bytes of UTF-8 (Apple); no control characters and no white space at either end
    (RFC 9113, section 8.2.1, and RFC 9110, section 5.5).
    """
    if not collapse_id:
        return "a collapse id must not be empty"
    size = len(collapse_id.encode("utf-8", "surrogatepass"))
    if size > MAX_COLLAPSE_ID_BYTES:
        return f"a collapse id has at most {MAX_COLLAPSE_ID_BYTES} bytes; this one has {size}"
    if has_control_characters(collapse_id):
        return "a collapse id must not hold line breaks or other control characters"
    if collapse_id != collapse_id.strip():
        return "a collapse id must not begin or end with white space"
    return None


def expiration_fault(expiration: int) -> str | None:
    """Return why *expiration* is no ``apns-expiration``; ``None`` if it is one."""
    if expiration < 0:
        return "apns-expiration must not be negative"
    if expiration > LATEST_EXPIRATION:
        return "apns-expiration counts seconds since 1970; this looks like milliseconds"
    return None


def has_control_characters(text: str) -> bool:
    """Return whether *text* holds a character that must not stand in a header field."""
    return any(character < " " or character == "\x7f" for character in text)
