"""Outcomes that no answer gave."""

from __future__ import annotations

from pushctl import catalog
from pushctl.outcome import Kind, Outcome


def own_outcome(kind: Kind, reason: str, why: str | None) -> Outcome:
    """Return an outcome with one of pushctl's own reasons, and *why* in words."""
    row = catalog.own(reason)
    return Outcome(
        kind=kind,
        reason=reason,
        description=row.description,
        category=row.category,
        token_action=row.token_action,
        retryable=row.retryable,
        detail=why,
    )
