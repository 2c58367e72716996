"""What rendering gives: the content for one recipient, or why there is none."""

from __future__ import annotations

import dataclasses

HeaderFields = tuple[tuple[bytes, bytes], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ApnsContent:
    """One APNs notification without its recipient."""

    push_type: str
    topic_suffix: str
    fields: HeaderFields
    """apns-push-type, apns-priority, and apns-expiration and apns-collapse-id where asked for."""
    body: bytes = dataclasses.field(repr=False)
    """Compact UTF-8 JSON."""


@dataclasses.dataclass(frozen=True, slots=True)
class FcmContent:
    """One FCM message without its target."""

    message: bytes = dataclasses.field(repr=False)
    """The message object, compact UTF-8 JSON."""
    fields: HeaderFields


class MissingAttribute(Exception):
    """The recipient lacks an attribute that the message needs (null and blank count as lacking)."""

    def __init__(self, name: str, message: str | None = None) -> None:
        super().__init__(message or f"the attribute `{name}` is missing")
        self.name = name


class UnusableAttribute(MissingAttribute):
    """The recipient has the attribute, but with a value that cannot stand where it is needed."""

    def __init__(self, name: str, why: str) -> None:
        what = f"the attribute `{name}`" if name else "what the placeholder gives"
        super().__init__(name, f"{what} cannot be used: {why}")


class PayloadTooLarge(Exception):
    """Rendered for this recipient, the message is over the service's limit; sizes in bytes."""

    def __init__(self, size: int, limit: int, what: str = "payload") -> None:
        super().__init__(f"the {what} has {size} bytes; {limit} is the most")
        self.size = size
        self.limit = limit
