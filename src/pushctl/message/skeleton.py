"""
A JSON tree as bytes with holes.

What is the same for every recipient is encoded once; a hole is filled with the encoded value of
its template.  The structure never depends on a recipient, so joining the pieces gives valid JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pushctl.message.content import UnusableAttribute
from pushctl.message.values import has_placeholder
from pushctl.outcome import JsonValue
from pushctl.rules.finding import Finding, Path

if TYPE_CHECKING:
    from pushctl.message.template import Template

Attributes = Mapping[str, JsonValue]
Hole = Callable[[Attributes, int], bytes]
"""Gives the JSON of one value for one recipient at one moment (epoch seconds)."""

_LEAST_HOLE_BYTES = 1


def encode(value: JsonValue) -> bytes:
    """
    Return *value* as compact UTF-8 JSON.

    Raises :class:`ValueError` for what JSON or UTF-8 cannot say: infinities, NaN, lone
    surrogates.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def encode_text(text: str) -> bytes:
    """Return *text* as a JSON string; raises :class:`ValueError` for a lone surrogate."""
    return encode_basestring(text).encode("utf-8")


class Skeleton:
    """The encoded form of one JSON tree; immutable once made."""

    __slots__ = ("_constant", "_pieces", "is_personal", "names", "optional")

    def __init__(
        self,
        pieces: tuple[bytes | Hole, ...],
        *,
        is_personal: bool = False,
        names: frozenset[str] = frozenset(),
        optional: frozenset[str] = frozenset(),
    ) -> None:
        constant = [piece for piece in pieces if isinstance(piece, bytes)]
        self._constant = b"".join(constant) if len(constant) == len(pieces) else None
        self._pieces = pieces
        self.is_personal = is_personal
        """Whether something depends on the recipient."""
        self.names = names
        """Attributes that must be there."""
        self.optional = optional
        """Attributes that the templates can do without."""

    @property
    def least_bytes(self) -> int:
        """Return how many bytes :meth:`fill` gives at the least."""
        return sum(
            len(piece) if isinstance(piece, bytes) else _LEAST_HOLE_BYTES for piece in self._pieces
        )

    def fill(self, attributes: Attributes, moment: int) -> bytes:
        """
        Return the JSON for one recipient at *moment* (epoch seconds).

        Raises what :class:`~pushctl.message.template.Template` raises.
        """
        if self._constant is not None:
            return self._constant
        return b"".join(
            [
                piece if isinstance(piece, bytes) else piece(attributes, moment)
                for piece in self._pieces
            ]
        )


class SkeletonBuilder:
    """
    Builds skeletons for one service, and collects what is wrong with their templates.

    *takes_text* and *takes_number* say of a path whether a placeholder alone there becomes a
    text or a whole number; elsewhere it keeps the type that the attribute has.  *moments* are
    the paths that hold a point in time as a text: so many seconds after the moment of filling.
    """

    def __init__(
        self,
        *,
        takes_text: Callable[[Path], bool],
        takes_number: Callable[[Path], bool],
        moments: Mapping[Path, int] = MappingProxyType({}),
    ) -> None:
        self.findings: list[Finding] = []
        self._takes_text = takes_text
        self._takes_number = takes_number
        self._moments = moments
        self._pieces: list[bytes | Hole] = []
        self._literal: list[bytes] = []
        self._templates: list[Template] = []

    def build(self, tree: Mapping[str, JsonValue]) -> Skeleton:
        """Return the skeleton of *tree*; a broken template is a finding and leaves ``null``."""
        self._pieces, self._literal = [], []
        self._templates = []
        self._add(tree, ())
        self._flush()
        names = frozenset[str]().union(*(template.names for template in self._templates))
        optional = frozenset[str]().union(*(template.optional for template in self._templates))
        return Skeleton(
            tuple(self._pieces),
            is_personal=bool(self._templates),
            names=names,
            optional=optional - names,
        )

    def _add(self, value: Any, path: Path) -> None:
        if path in self._moments:
            self._add_hole(_moment_hole(self._moments[path]))
        elif isinstance(value, Mapping):
            self._add_object(value, path)
        elif isinstance(value, list | tuple):
            self._add_list(value, path)
        elif isinstance(value, str) and has_placeholder(value):
            self._add_template(value, path)
        else:
            self._add_constant(value, path)

    def _add_object(self, value: Mapping[str, Any], path: Path) -> None:
        opening = b"{"
        for key, member in value.items():
            if has_placeholder(key):
                message = "placeholders are not filled in keys"
                self.findings.append(Finding((*path, key), message, key=True))
            self._literal.append(opening + encode_text(key) + b":")
            self._add(member, (*path, key))
            opening = b","
        self._literal.append(b"}" if value else b"{}")

    def _add_list(self, value: list[Any] | tuple[Any, ...], path: Path) -> None:
        opening = b"["
        for index, member in enumerate(value):
            self._literal.append(opening)
            self._add(member, (*path, index))
            opening = b","
        self._literal.append(b"]" if value else b"[]")

    def _add_constant(self, value: Any, path: Path) -> None:
        try:
            self._literal.append(encode(value))
        except (ValueError, TypeError):
            self.findings.append(Finding(path, "this value cannot be written as JSON"))
            self._literal.append(b"null")

    def _add_template(self, text: str, path: Path) -> None:
        template = parse(text, path, self.findings)
        if template is None:
            self._literal.append(b"null")
            return
        self._templates.append(template)
        if self._takes_number(path):
            self._add_hole(_number_hole(template))
        elif template.is_single and not self._takes_text(path):
            self._add_hole(_value_hole(template))
        else:
            self._add_hole(_text_hole(template))

    def _add_hole(self, hole: Hole) -> None:
        self._flush()
        self._pieces.append(hole)

    def _flush(self) -> None:
        self._pieces.append(b"".join(self._literal))
        self._literal.clear()


def parse(text: str, path: Path, findings: list[Finding]) -> Template | None:
    """Return the template of *text*, or ``None`` with what is wrong added to *findings*."""
    from pushctl.message.template import BadTemplate, Template

    try:
        return Template(text)
    except BadTemplate as bad:
        findings.append(Finding(path, str(bad), bad.hint))
        return None


def _names_of(template: Template) -> str:
    return ", ".join(sorted(template.names | template.optional))


def _text_hole(template: Template) -> Hole:
    def fill(attributes: Attributes, _: int) -> bytes:
        try:
            return encode_text(template.text(attributes))
        except ValueError:
            raise UnusableAttribute(_names_of(template), "it is not valid Unicode") from None

    return fill


def _value_hole(template: Template) -> Hole:
    def fill(attributes: Attributes, _: int) -> bytes:
        value = template.value(attributes)
        try:
            return encode(value)
        except (ValueError, TypeError):
            raise UnusableAttribute(_names_of(template), "it cannot be written as JSON") from None

    return fill


def _number_hole(template: Template) -> Hole:
    def fill(attributes: Attributes, _: int) -> bytes:
        value = template.value(attributes) if template.is_single else template.text(attributes)
        number = whole_number(value)
        if number is None:
            raise UnusableAttribute(_names_of(template), "it is not a whole number from 0")
        return b"%d" % number

    return fill


def _moment_hole(after_s: int) -> Hole:
    return lambda _, moment: b'"%d"' % (moment + after_s)


def whole_number(value: JsonValue) -> int | None:
    """
    Return *value* as a whole number from 0 that fits 32 bits, or ``None``.

    A CSV file holds only texts, so digits alone are a number too, and so is ``3.0``.
    """
    if isinstance(value, str):
        digits = value.strip()
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    return None
