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

    title: str | None = None
    subtitle: str | None = None
    body: str | None = None
    badge: int | str | None = None
    """A whole number from 0, or a text with a placeholder."""
    sound: str | None = None
    image: str | None = None
    data: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)
    collapse_id: str | None = None
    ttl: int | None = None
    """Seconds that an undelivered push is kept; 0 = now or never."""
    priority: Priority | None = None
    push_type: str | None = None
    thread_id: str | None = None
    category: str | None = None
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
