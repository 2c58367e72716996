"""A parsed document: its value, and where each part of the value stands."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Mapping, Sequence

from pushctl.documents.lines import Lines
from pushctl.errors import Place, Problem
from pushctl.outcome import JsonValue

Offsets = dict[int, "array[int]"]
"""
Character offsets by the ``id()`` of the list or dict that holds the values.

A list has one offset for each item; a dict has two for each item: key, value.  Flat arrays keep
the cost of positions at a few bytes a value, which is what allows 16 MB documents.
"""


class Marks:
    """Offsets of all values of one document; found on first use where finding them costs."""

    __slots__ = ("_find", "_offsets", "_orders", "root")

    def __init__(self, root: int, find: Callable[[], Offsets]) -> None:
        self.root = root
        self._find = find
        self._offsets: Offsets | None = None
        self._orders: dict[int, dict[str, int]] = {}

    def of(self, container: object) -> array[int]:
        """Return the offsets of the items of *container*, a list or dict of the document."""
        if self._offsets is None:
            self._offsets = self._find()
        return self._offsets[id(container)]

    def order(self, container: Mapping[str, JsonValue], key: str) -> int:
        """Return which item of *container*, from 0, has the *key*."""
        known = self._orders.get(id(container))
        if known is None:  # once for each map: a file may be wrong in every one of its keys
            known = {name: number for number, name in enumerate(container)}
            self._orders[id(container)] = known
        return known[key]


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """The plain value of a YAML or JSON text, with the position of every part of it."""

    value: JsonValue
    """dict, list, str, int, float, bool and None; keys are always text."""
    file: str
    """The file's name as shown to the user; ``-`` is standard input."""
    lines: Sequence[str]
    """The source lines, without line breaks."""
    marks: Marks | None = dataclasses.field(default=None, repr=False, compare=False)
    """Where the values stand; ``None`` where that is not known (a value made by hand)."""

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """
        Return where the value at *path* stands, or its key with *key*.

        Where *path* leads nowhere, the place of the nearest parent that exists is returned.
        A list item has no key: its own place is returned.
        """
        if self.marks is None or not isinstance(self.lines, Lines):
            return Place(self.file)
        return Place(self.file, *self.lines.locate(self._offset(self.marks, path, key)))

    def problem(
        self,
        path: Sequence[str | int],
        message: str,
        *,
        hint: str | None = None,
        key: bool = False,
    ) -> Problem:
        """Return a problem about the value (or key) at *path*, with place and source line."""
        place = self.place(path, key=key)
        return Problem(message, place, hint, excerpt(self.lines, place))

    def _offset(self, marks: Marks, path: Sequence[str | int], key: bool) -> int:
        offset, node = marks.root, self.value
        for depth, step in enumerate(path, start=1):
            if isinstance(node, Mapping):
                if step not in node:
                    break
                at = 2 * marks.order(node, str(step))
                offset = marks.of(node)[at if key and depth == len(path) else at + 1]
                node = node[str(step)]
            elif isinstance(node, Sequence) and not isinstance(node, str):
                if not isinstance(step, int) or not 0 <= step < len(node):
                    break
                offset = marks.of(node)[step]
                node = node[step]
            else:
                break
        return offset


def excerpt(lines: Sequence[str], place: Place) -> str | None:
    """Return the source line to show under an error at *place*; ``None`` if there is none."""
    if place.line is None or not isinstance(lines, Lines):
        return None
    return lines.excerpt(place.line, place.column or 1)
