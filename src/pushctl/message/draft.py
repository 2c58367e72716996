"""A JSON tree under construction that remembers which part of the message gave each part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pushctl.rules.finding import Finding, Path


class Draft:
    """
    What one service will be given, before the placeholders are filled.

    Later parts are merged over earlier ones as RFC 7396 says: objects are merged, anything else
    is replaced, and null removes.
    """

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self._origins: dict[Path, Path] = {}

    def put(self, path: Path, value: Any, origin: Path) -> None:
        """Set the value at *path*; whatever stands in the way of a parent gives way to it."""
        node = self.tree
        for step in path[:-1]:
            child = node.get(str(step))
            if not isinstance(child, dict):
                child = node[str(step)] = {}
            node = child
        node[str(path[-1])] = _copied(value)
        self._origins[path] = origin

    def adopt(self, tree: Mapping[str, Any], origin: Path) -> None:
        """Begin with *tree* as it is, nulls included."""
        self.tree = _copied(tree)
        self._origins = {(): origin}

    def merge(
        self,
        overrides: Mapping[str, Any],
        at: Path,
        origin: Path,
        rename: Callable[[Path, str], str] = lambda _, key: key,
    ) -> None:
        """
        Merge *overrides* over what stands at *at*.

        *rename* gives the name that a key at a path has in the tree.
        """
        for key, value in overrides.items():
            path = (*at, rename(at, key))
            key_origin = (*origin, key)
            if value is None:
                self._remove(path)
            elif isinstance(value, Mapping):
                if not isinstance(self.get(path), Mapping):
                    self.put(path, {}, key_origin)
                self.merge(value, path, key_origin, rename)
            else:
                self.put(path, value, key_origin)

    def get(self, path: Path) -> Any:
        """Return the value at *path*, which goes through objects only, or ``None``."""
        node: Any = self.tree
        for step in path:
            if not isinstance(node, Mapping) or step not in node:
                return None
            node = node[str(step)]
        return node

    def origin(self, path: Path) -> Path:
        """
        Return the part of the message that gave the value at *path*.

        An object that we made around several parts has the first of them for its origin.
        """
        for length in range(len(path), -1, -1):
            origin = self._origins.get(path[:length])
            if origin is not None:
                return (*origin, *path[length:])
        inside = (origin for at, origin in self._origins.items() if at[: len(path)] == path)
        return next(inside, ()) if path and self.get(path) is not None else ()

    def placed(self, finding: Finding) -> Finding:
        """Return *finding* about this tree as one about the message."""
        return Finding(
            self.origin(finding.path), finding.message, finding.hint, finding.warning, finding.key
        )

    def _remove(self, path: Path) -> None:
        self.get(path[:-1]).pop(path[-1], None)
        self._origins.pop(path, None)


def _copied(value: Any) -> Any:
    """Return *value* with its objects copied, so that merging leaves the message untouched."""
    if isinstance(value, Mapping):
        return {key: _copied(member) for key, member in value.items()}
    return value
