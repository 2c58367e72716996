"""
The words everyone in pushctl shares about what happened to a push.

An :class:`Outcome` is what can be concluded about one input token, and "we cannot know" is one of
the conclusions.  It carries no context (whose token, which run): :mod:`pushctl.records` adds that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
"""Anything that JSON can say, as Python reads it."""


class Kind(StrEnum):
    """How an input token ended.  Every one ends in exactly one of these."""

    ACCEPTED = "accepted"
    """The service took the push.  Not a proof of delivery: neither service reports that."""
    REJECTED = "rejected"
    """The service answered no, or the token was missing or malformed and never left."""
    UNKNOWN = "unknown"
    """The request was sent and never answered: it may or may not have been processed."""
    NOT_SENT = "not_sent"
    """Provably not processed by the service."""
    SKIPPED = "skipped"
    """Left out by a rule on our side (consent, a missing attribute, a duplicate and so on)."""


class Service(StrEnum):
    """Who delivers."""

    APNS = "apns"
    FCM = "fcm"


class Platform(StrEnum):
    """What the device is.  An iOS device may well be served by FCM."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


class Environment(StrEnum):
    """Which of the two APNs worlds a device token belongs to."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class TokenAction(StrEnum):
    """What the owner of the token store should do with the token."""

    KEEP = "keep"
    REMOVE = "remove"
    """Dead by the vendor's own word.  Never given on a doubt."""
    SUSPECT = "suspect"
    """Kept and listed apart for a person."""
    CHECK_ENVIRONMENT = "check-environment"


class Retryable(StrEnum):
    """Whether the same push to the same token can ever succeed."""

    NO = "no"
    WITH_BACKOFF = "yes-with-backoff"
    AFTER_FIX = "yes-after-fix"


class Category(StrEnum):
    """Whose side a refusal is about."""

    TOKEN = "token"  # noqa: S105 -- the vendors' word, not a secret
    CREDENTIALS = "credentials"
    REQUEST = "request"
    PAYLOAD = "payload"
    RATE = "rate"
    SERVER = "server"
    CONNECTION = "connection"
    RULE = "rule"
    """Ours: a skip."""


class Outcome(NamedTuple):
    """
    What is known about one push to one token.

    A named tuple, because a frozen dataclass of so many fields takes more than twice as long to
    make, and a bulk run makes one for each rejection.
    """

    kind: Kind
    status: int | None = None
    """The HTTP status of the answer; ``None`` where there was no answer."""
    reason: str | None = None
    """The vendor's word as it stood in the answer (known aliases in the documented spelling),
    or one of pushctl's own; ``None`` for accepted."""
    case: str | None = None
    """Which of the meanings of ``INVALID_ARGUMENT`` (or which OAuth case) the body fits."""
    description: str | None = None
    """The vendor's current text for the reason, or ours where the vendor has none."""
    category: Category | None = None
    token_action: TokenAction = TokenAction.KEEP
    retryable: Retryable = Retryable.NO
    id: str | None = None
    """The apns-id, or FCM's message name."""
    unique_id: str | None = None
    """apns-unique-id (sandbox only): the key to Apple's Delivery Log."""
    dead_since: str | None = None
    """RFC 3339, UTC: the timestamp of an APNs 410."""
    detail: str | None = None
    """The server's own text, control characters removed, shortened."""
    retry_after_s: float | None = None
    """Seconds the service asked us to wait; ``None`` where it did not."""
    apns_reason: str | None = None
    """The reason APNs gave inside an FCM answer."""


SKIP_REASONS = (
    "NoConsent",
    "MissingAttribute",
    "Suppressed",
    "Duplicate",
    "NotInSegment",
    "NoCredential",
    "PayloadTooLarge",
)
"""Why a push may be skipped; the catalog explains each."""
