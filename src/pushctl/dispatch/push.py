"""One push on its way, and the reasons the dispatcher itself gives."""

from __future__ import annotations

from pushctl.outcome import Category, Kind, Outcome, Retryable


class Push:
    """
    One request to one token, with what the dispatcher remembers about it.

    *subject* is the caller's (whom the push is for); the dispatcher never looks at it.
    """

    __slots__ = (
        "attempts",
        "body",
        "fields",
        "first_at",
        "id",
        "last_answer",
        "path",
        "refusals",
        "renewals",
        "row",
        "sent_at",
        "subject",
    )

    def __init__(
        self,
        row: int,
        subject: object,
        path: bytes,
        fields: tuple[tuple[bytes, bytes], ...],
        push_id: bytes | None,
        body: bytes,
    ) -> None:
        self.row = row
        self.subject = subject
        self.path = path
        self.fields = fields
        self.id = push_id
        self.body = body
        self.attempts = 0
        """How often it was sent, without the times it was provably not processed."""
        self.refusals = 0
        self.renewals = 0
        self.first_at = 0.0
        self.sent_at = 0.0
        self.last_answer: Outcome | None = None
        """What became of its last try; its outcome if no more tries come."""

    def __repr__(self) -> str:
        return f"Push(row={self.row}, attempts={self.attempts})"


def unknown(reason: str, why: str) -> Outcome:
    """Return the outcome of a request that was sent and never answered."""
    return Outcome(
        kind=Kind.UNKNOWN,
        reason=reason,
        category=Category.CONNECTION,
        retryable=Retryable.WITH_BACKOFF,
        detail=why,
    )


def not_sent(reason: str, why: str | None) -> Outcome:
    """Return the outcome of a push that the service provably did not process."""
    return Outcome(
        kind=Kind.NOT_SENT,
        reason=reason,
        category=Category.CONNECTION,
        retryable=Retryable.WITH_BACKOFF,
        detail=why,
    )
