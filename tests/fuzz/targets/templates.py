"""
Texts with placeholders, filled for different people.

A text is a template or is refused; filling it gives a text (or, for one placeholder alone, a
value) or says which attribute is missing or unfit.  What comes out grows only with the template
and the attributes, has nothing in it of the program's own, and is the same for the same person.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from pushctl.message.content import MissingAttribute, PayloadTooLarge
from pushctl.message.template import MAX_JOINED_CHARACTERS, BadTemplate, Template

EXECUTIONS = 20_000
PEOPLE = (
    {"a": "Anna", "n": 7, "l": ["a", 1, "c" * 50], "m": {"k": "v", "i": [1]}, "t": True, "f": 1.5},
    {"a": "a" * 500, "n": 10**30, "l": [[1], {}], "m": {"k": None}, "t": False, "f": -0.0},
    {"a": " ", "n": "7", "l": [], "m": {}, "t": "true", "f": 1e300},
    {"a": "{{ n }}", "n": None},
    {},
)
_HAVES = sum(len(json.dumps(person)) for person in PEOPLE)
WORDS = (
    *(b"{{ a }}", b"{{ n }}", b"{{ l | join(', ') }}", b"{{ m.k }}", b"{% if t %}", b"{% endif %}"),
    *(b"{% else %}", b" | default('x')", b" is defined", b" | upper", b" | truncate(3)", b" ~ "),
    *(b" if t else ", b"['k']", b"[0]", b" | first", b" | length", b" | round(1)", b" | int"),
    *(b"{{ '", b"' }}", b"{# x #}", b"{%- ", b" -%}", b"__class__", b"self", b"{% raw %}", b" in "),
    *(
        b" | float",
        b" | abs",
        b" | title",
        b" and ",
        b" not ",
        b"loop",
        b"{% set x = 1 %}",
        b"\\x00",
        b"{{ 7.a ~ 'x' }}",
        b" + 1e999",
        b"[7, 'x']",
    ),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    text = data.decode("utf-8", "replace")
    try:
        template = Template(text)
    except BadTemplate:
        return
    assert not template.names & template.optional
    for person in PEOPLE:
        _check_person(template, text, person)


def seeds() -> Iterator[bytes]:
    """Yield templates as people write them."""
    yield b"Hi {{ a }}, you have {{ n }} new orders"
    yield b"{{ a | default('you') | upper | truncate(9) }}"
    yield b"{% if n > 5 and t is defined %}many{% elif not t %}{{ l[0] }}{% else %}few{% endif %}"
    yield b"{{ l | join('-') ~ m.k ~ m['i'] | first }} {{ (n + 1) | round }} {{ -f | abs }}"


def _check_person(template: Template, text: str, person: dict[str, object]) -> None:
    with contextlib.suppress(MissingAttribute, PayloadTooLarge):
        filled = template.text(person)  # type: ignore[arg-type]
        assert isinstance(filled, str)
        room = (len(text) + 1) * (_HAVES + 16) + MAX_JOINED_CHARACTERS
        assert len(filled) <= room
        assert "<function" not in filled.replace(text, "")
        assert " object at 0x" not in filled
        assert filled == template.text(person)  # type: ignore[arg-type]
    if template.is_single:
        with contextlib.suppress(MissingAttribute, PayloadTooLarge):
            json.dumps(template.value(person))  # type: ignore[arg-type]
