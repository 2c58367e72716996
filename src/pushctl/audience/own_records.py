"""
Records that pushctl wrote, read as a list of tokens: what must survive the round trip.  Pure.

A record holds what became of a push, and no consent.  So somebody who was left out for want of
consent must stay left out when the records are sent to again, and the name of a topic must not
be taken for a token.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pushctl.audience.row import Row
from pushctl.outcome import JsonValue
from pushctl.rules.text import printable
from pushctl.rules.tokens import DEVICE_TARGETS

_MARKS = frozenset({"schema", "event"})
"""What every record has, and no list of somebody else's has both of."""
_ESCAPED = ("'=", "'+", "'-", "'@")
"""How a cell of ours begins that a spreadsheet would have run as a formula."""


def are_records(names: Collection[str]) -> bool:
    """Return whether columns or keys with *names* are those of records."""
    return _MARKS.issubset(names)


def is_count(value: Mapping[str, JsonValue]) -> bool:
    """Return whether *value* is a line of a bounce log that counts and names nobody."""
    return "event" in value and "token" not in value and ("seq" in value or "totals" in value)


def kept_apart(row: Row) -> Row:
    """Return *row*, made of a record, with what the record says against sending to it."""
    target = row.attributes.get("target")
    if target is not None and target not in DEVICE_TARGETS:
        fault = f"this is the record of a {printable(str(target), 40)}, which is no token"
        return Row(row.line, {}, row.attributes, fault=fault)
    if row.attributes.get("reason") == "NoConsent":
        why = "the run that wrote this record found no consent"
        return Row(row.line, row.values, row.attributes, no_consent=why)
    return row


def unescaped(cell: str) -> str:
    """Return a *cell* of a csv file of records as it was before it was made safe to open."""
    return cell[1:] if cell.startswith(_ESCAPED) else cell
