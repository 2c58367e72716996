"""
``.jsonl``: one JSON object a line, and token files in that form.

Each line stands alone: what is wrong with one says nothing of the next, so a line that cannot be
read is that row's fault, counted and reported like any other.  Only a file in which no line is
an object is broken as a whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.consent import consent_fault
from pushctl.audience.content import Content, numbered_lines
from pushctl.audience.row import KNOWN_COLUMNS, Row, counted, kind_of, misspelt_column
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import JsonValue
from pushctl.rules.text import printable

MAX_NAMES = 10_000
"""More different names than this in one file are not remembered."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ``.jsonl`` file that is not blank."""

    number: int
    value: Mapping[str, JsonValue]
    """Empty where there is a fault."""
    fault: str | None
    """Why the line is no object; ``None`` where it is one."""


def read_lines(content: Content) -> Iterator[Line]:
    """Yield every line of *content* that is not blank, reading it once."""
    with content.open() as stream:
        for number, text in numbered_lines(stream, content.shown):
            if not text.isspace():
                yield _read_line(number, text)


def no_objects(content: Content) -> InvalidInput:
    """Return the error for a file without a single line that is an object."""
    return InvalidInput(
        "no line is a JSON object",
        place=Place(content.shown, 1),
        hint="a .jsonl file holds one object a line, complete on that line",
    )


def open_token_objects(content: Content) -> ObjectSource:
    """
    Return the rows of the token file *content*, which is read once whole.

    Raises :class:`~pushctl.errors.InvalidInput` where it is broken as a whole: a line that is too
    long or not text, no object at all, a misspelt column, or profiles instead of tokens.
    """
    rows = 0
    readable = records_consent = False
    names: set[str] = set()
    problems: dict[str, Problem] = {}
    for line in read_lines(content):
        rows += 1
        readable = readable or line.fault is None
        records_consent = records_consent or "consent" in line.value
        problems |= _misspelt(line, content.shown, names)
        if len(names) <= MAX_NAMES:
            names.update(line.value)
    if problems:
        raise InvalidInput(problems=list(problems.values()))
    if rows and not readable:
        raise no_objects(content)
    few = len(names) <= MAX_NAMES
    attributes = frozenset(names.difference(KNOWN_COLUMNS)) if few else None
    return ObjectSource(content, rows, records_consent, attributes)


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """The objects of a ``.jsonl`` token file: one token each, with what is known of it."""

    content: Content
    rows: int
    records_consent: bool
    attribute_names: frozenset[str] | None
    read_in_place: Sequence[Path] = ()

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    @property
    def described(self) -> str:
        """The name and the number of rows."""
        return f"{self.shown} ({counted(self.rows, 'row')})"

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, reading the file once more."""
        for line in read_lines(self.content):
            yield Row(
                line.number,
                {name: value for name, value in line.value.items() if name in KNOWN_COLUMNS},
                # A null is a missing attribute: there is nothing to fill in.
                {
                    name: value
                    for name, value in line.value.items()
                    if value is not None and name not in KNOWN_COLUMNS
                },
                no_consent=consent_fault(line.value) if self.records_consent else None,
                fault=line.fault,
            )


def _misspelt(line: Line, shown: str, checked: Collection[str]) -> dict[str, Problem]:
    """Return, by name, the columns of *line* that are not among *checked* and look like a slip."""
    place = Place(shown, line.number)
    if isinstance(line.value.get("tokens"), list) and "token" not in line.value:
        problem = Problem("a profile in a token file", place, "give the file with --profiles")
        return {"tokens": problem}
    found = {}
    for name in line.value.keys() - checked:
        known = misspelt_column(name, line.value)
        if known is not None:
            found[name] = Problem(
                f"unknown column `{printable(name)}`", place, f"did you mean {known}?"
            )
    return found


class _Unfit(ValueError):
    """JSON that the standard library reads and that still is none, or is not for us."""


def _read_line(number: int, text: str) -> Line:
    try:
        value = _DECODER.decode(text)
        _check_fitness(value, text)
    except _Unfit as error:
        return Line(number, {}, f"the line cannot be used: {error}")
    except json.JSONDecodeError as error:
        return Line(number, {}, f"the line is not a JSON object: {error.msg}, column {error.colno}")
    except ValueError:
        return Line(number, {}, "the line cannot be used: a number has too many digits")
    except RecursionError:
        return Line(number, {}, f"the line cannot be used: {_TOO_DEEP}")
    if not isinstance(value, dict):
        return Line(number, {}, f"the line is {kind_of(value)}, not a JSON object")
    return Line(number, value, None)


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Return *pairs* as a dict; refuse two of one name, of which the last would win silently."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Unfit("a key stands in it twice")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Unfit("a number is too large")
    return number


def _no_constant(name: str) -> JsonValue:
    raise _Unfit(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant
)
_MAX_DEPTH = 64
_TOO_DEEP = "its lists and objects are nested too deep"


def _check_fitness(value: JsonValue, text: str) -> None:
    """Refuse what could be read and not be written again: half characters, bottomless nesting."""
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise _Unfit("half of a surrogate pair stands in it") from None
    if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(value) > _MAX_DEPTH:
        raise _Unfit(_TOO_DEEP)


def _depth(value: JsonValue) -> int:
    """Return how many lists and objects stand inside each other in *value*."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[JsonValue] = []
        for item in level:
            if isinstance(item, Mapping):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return depth - 1
