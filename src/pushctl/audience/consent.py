"""Consent is explicit or it is not there.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pushctl.audience.row import kind_of
from pushctl.outcome import JsonValue


def consent_fault(value: Mapping[str, JsonValue]) -> str | None:
    """
    Return why the ``consent`` of the profile or row *value* gives none; ``None`` if it is true.

    For formats that know what true is.  It is never inferred: not from a text, not from a 1,
    not from silence.
    """
    consent = value.get("consent")
    if consent is True:
        return None
    if consent is None:
        return "no consent is recorded"
    if isinstance(consent, str):
        return f"consent is the text `{consent}`: only true, without quotes, gives it"
    if isinstance(consent, bool | int | float):
        return f"consent is {json.dumps(consent)}: only true gives it"
    return f"consent is {kind_of(consent)}: only true gives it"


def cell_fault(cell: str) -> str | None:
    """
    Return why a *cell* of a consent column gives none; ``None`` if it is true in any case.

    For formats in which everything is text.
    """
    if cell.strip().lower() == "true":
        return None
    return f"consent is `{cell}`: only true gives it" if cell.strip() else "no consent is recorded"


_PLAIN_NOES = frozenset(
    {consent_fault({"consent": False}), *(cell_fault(word) for word in ("false", "False", "FALSE"))}
)


def is_plain_no(fault: str | None) -> bool:
    """Return whether *fault* is that of a person who said no, in so many words."""
    return fault in _PLAIN_NOES
