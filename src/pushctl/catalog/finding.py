"""What an answer or a record that somebody wants explained turned out to be."""

from __future__ import annotations

import dataclasses

from pushctl.catalog import Reason
from pushctl.outcome import Kind, TokenAction


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one answer or record turned out to be."""

    service: str | None = None
    status: int | None = None
    """The HTTP status, if the text tells it."""
    kind: Kind | None = None
    reason: str | None = None
    """The name as it stands in the text, known or not."""
    case: str | None = None
    evidence: str | None = None
    """What in the body says that it is this case."""
    token_action: TokenAction | None = None
    detail: str | None = None
    dead_since: str | None = None
    rows: tuple[Reason, ...] = ()
    """The rows of the catalog that explain it, the nearest first; empty for an unknown name."""
    candidates: tuple[Reason, ...] = ()
    """The cases it may be, where the body does not decide."""
