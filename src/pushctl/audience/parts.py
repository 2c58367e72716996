"""What is known of a row as a few texts, for tables whose cells are all of one type.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pushctl.audience.row import KNOWN_COLUMNS, Row
from pushctl.outcome import JsonValue

CELLS = tuple(name for name in KNOWN_COLUMNS if name != "consent")

PARTS = (*CELLS, "no_consent", "attributes")
"""The parts of a row, each a text or ``None``; ``attributes`` is a JSON object."""


def row_of_parts(line: int | None, parts: Sequence[str | None]) -> Row:
    """Return the row at *line* from its :data:`PARTS`."""
    *cells, no_consent, attributes = parts
    return Row(line, dict(zip(CELLS, cells, strict=True)), attributes_of(attributes), no_consent)


def attributes_text(attributes: Mapping[str, JsonValue]) -> str | None:
    """Return *attributes* as JSON on one line; ``None`` where there are none."""
    return json.dumps(attributes, ensure_ascii=False, default=dict) if attributes else None


def attributes_of(text: str | None) -> Mapping[str, JsonValue]:
    """Return what :func:`attributes_text` made *text* of."""
    attributes: Mapping[str, JsonValue] = {} if text is None else json.loads(text)
    return attributes


def member_name(name: str) -> str:
    """Return *name* as JSON has it before a member of an object, colon included."""
    return json.dumps(name, ensure_ascii=False) + ":"
