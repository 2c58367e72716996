"""What a vendor rule says about one part of a message."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a JSON tree: keys and list indexes from the root."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule objects to."""

    path: Path
    message: str
    """What is wrong, with the rule's limit in it."""
    hint: str | None = None
    """What to do, or the vendor's page that states the rule."""
    warning: bool = False
    """The service takes it, but hardly as meant."""
    key: bool = False
    """It is the key at *path* that is wrong, not the value."""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean `x`?`` for the known word most like *word*, if one is like it."""
    by_folded = {_folded(name): name for name in known}
    near = difflib.get_close_matches(_folded(word), by_folded, n=1, cutoff=0.7)
    return f"did you mean `{by_folded[near[0]]}`?" if near else None


def type_name(value: object) -> str:
    """Return what JSON calls *value*, with its article: for "must be a text, not a number"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list | tuple) else "an object"


def _folded(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")
