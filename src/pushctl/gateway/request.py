"""What goes to a service for one recipient, without the credential."""

from __future__ import annotations

import dataclasses

from pushctl.message.content import HeaderFields


@dataclasses.dataclass(frozen=True, slots=True)
class PushRequest:
    """One request: ``POST`` to *path*, with *fields* and *body*."""

    path: bytes
    """The ``:path`` pseudo-header field."""
    fields: HeaderFields
    """Header fields with lower-case names; neither pseudo-header fields nor authorization."""
    body: bytes = dataclasses.field(repr=False)
