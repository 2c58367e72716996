"""
Builds HTML so that text can never become markup.

Every piece of text goes through :func:`element` or :func:`escaped`; only what they return is taken
as markup again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pushctl.rules.text import printable

TEXT_LIMIT = 4096


class Markup(str):
    """Text that is HTML already.  Made by the functions of this module alone."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
"""What may stand in an element: text (escaped), a number, markup, nothing, or several of them."""

_VOID = frozenset({"meta", "link", "br"})
"""Elements of HTML that have no end tag."""


def element(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """
    Return the element *name* with *attributes* and *children*.

    ``class_`` is written ``class`` and ``aria_label`` ``aria-label``.  An attribute that is
    ``None`` or false is left out; one that is true stands alone.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        parts.append(f" {attribute}" if value is True else f' {attribute}="{_value(value)}"')
    parts.append(">")
    if name not in _VOID:
        parts += [*_flat(children), f"</{name}>"]
    return Markup("".join(parts))


def joined(*children: Child) -> Markup:
    """Return *children* one after the other."""
    return Markup("".join(_flat(children)))


def prose(text: str) -> Markup:
    """Return *text* with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them has no partner: it is a mark like any other
        return escaped(text)
    return joined(element("code", part) if i % 2 else part for i, part in enumerate(parts))


def raw(text: str) -> Markup:
    """Return *text*, which is ours and holds nothing foreign, as markup."""
    return Markup(text)


def escaped(text: str) -> Markup:
    """Return *text* without control, bidi or invisible characters, as HTML shows it."""
    clean = printable(text, TEXT_LIMIT)
    if not text.isascii():  # where that takes the blanks at both ends; here words go on there
        clean = " " * text.startswith(" ") + clean.strip() + " " * text.endswith(" ")
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        clean = clean.replace(plain, entity)
    return Markup(clean.replace("'", "&#x27;"))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, str):
            yield escaped(child)
        elif isinstance(child, int):
            yield str(child)
        else:
            yield from _flat(child)


def _value(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return escaped(str(value))
