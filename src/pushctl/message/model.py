"""The neutral message, and where each of its parts came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum

from pushctl.documents import Document
from pushctl.errors import Place, Problem
from pushctl.outcome import JsonValue, Service
from pushctl.rules.finding import Path


class Priority(StrEnum):
    """How urgent a push is: APNs 10, 5, 1; FCM high, normal, normal."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    What to send, in words that both services share; any text may hold ``{{ attribute }}``.

    ``None`` and an empty mapping mean "not given".
    """

    title: str | Mapping[str, JsonValue] | None = None
    """A text, or ``loc_key`` and ``loc_args`` of one that the app holds in several languages."""
    subtitle: str | Mapping[str, JsonValue] | None = None
    body: str | Mapping[str, JsonValue] | None = None
    badge: int | str | None = None
    """A whole number from 0, or a text with a placeholder."""
    sound: str | Mapping[str, JsonValue] | None = None
    """A name, or ``name``, ``critical`` and ``volume`` of a critical alert's sound."""
    image: str | None = None
    data: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)
    collapse_id: str | None = None
    ttl: int | None = None
    """Seconds that an undelivered push is kept; 0 = now or never."""
    priority: Priority | None = None
    push_type: str | None = None
    thread_id: str | None = None
    category: str | None = None
    interruption_level: str | None = None
    relevance_score: int | float | None = None
    target_content_id: str | None = None
    filter_criteria: str | None = None
    live_activity: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)
    """What starts, updates or ends a Live Activity, see :mod:`pushctl.message.live_activity`."""
    apns: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)
    """Overrides: ``headers``, ``aps`` and ``payload``."""
    fcm: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)
    """Overrides: fields of FCM's message object."""
    payloads: Mapping[Service, Mapping[str, JsonValue]] = dataclasses.field(default_factory=dict)
    """Raw payloads, which take the place of everything but the delivery fields."""
    sources: Mapping[Path, Document | str] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    """The file, or the option's name, that each part came from, by its path in the message."""

    def problem(
        self, path: Path, message: str, *, hint: str | None = None, key: bool = False
    ) -> Problem:
        """
        Return a problem about the part of this message at *path*, with its place where known.

        *path* is written in the words of the message file (``("apns", "aps", "badge")``); a raw
        payload's part begins with ``("payload", "apns")`` or ``("payload", "fcm")``.
        """
        for length in range(len(path), -1, -1):
            source = self.sources.get(path[:length])
            if isinstance(source, Document):
                return source.problem(path[length:], message, hint=hint, key=key)
            if source is not None:
                return Problem(message, Place(source), hint)
        return Problem(message, hint=hint)
