"""
``.jsonl``: one JSON object a line, and token files in that form.

Each line stands alone: what is wrong with one says nothing of the next, so a line that cannot be
read is that row's fault, counted and reported like any other.  Only a file in which no line is
an object is broken as a whole.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, starmap
from operator import attrgetter
from pathlib import Path

from pushctl.audience.blocks import Plainness, plain_objects
from pushctl.audience.consent import consent_fault
from pushctl.audience.content import Content, numbered_lines
from pushctl.audience.engine import Engine, NotPossible, attempted
from pushctl.audience.objects import Shape, lines_of, token_shapes, unsound_tokens
from pushctl.audience.own_records import are_records, is_count, kept_apart
from pushctl.audience.row import KNOWN_COLUMNS, Row, counted, kind_of, misspelt_column
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import JsonValue
from pushctl.rules.text import printable

MAX_NAMES = 10_000
"""More different names than this in one file are not remembered."""

_LINES_THAT_TELL = 1_000
_PROFILE_KEYS = frozenset({"tokens", "attributes"})
"""What a profile has and a token never."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ``.jsonl`` file that is not blank."""

    number: int
    value: Mapping[str, JsonValue]
    """Empty where there is a fault."""
    fault: str | None
    """Why the line is no object; ``None`` where it is one."""


def read_lines(content: Content) -> Generator[Line]:
    """Yield every line of *content* that is not blank, reading it once."""
    with content.open() as stream:
        for number, text in numbered_lines(stream, content.shown):
            if not text.isspace():
                yield read_line(number, text.rstrip("\r\n"))


def no_objects(content: Content) -> InvalidInput:
    """Return the error for a file without a single line that is an object."""
    return InvalidInput(
        "no line is a JSON object",
        place=Place(content.shown, 1),
        hint="a .jsonl file holds one object a line, complete on that line",
    )


def holds_profiles(content: Content) -> bool:
    """Return whether the first lines of *content* are profiles rather than tokens."""
    lines = read_lines(content)
    with closing(lines):
        for line in islice(lines, _LINES_THAT_TELL):
            if "token" in line.value:
                return False
            if not _PROFILE_KEYS.isdisjoint(line.value):
                return True
    return False


def open_token_objects(content: Content) -> ObjectSource:
    """
    Return the rows of the token file *content*, which is read once whole.

    Raises :class:`~pushctl.errors.InvalidInput` where it is broken as a whole: a line that is too
    long or not text, no object at all, a misspelt column, or profiles instead of tokens.
    """
    plain = plain_objects(content)
    survey = None if plain is None else _quick_survey(content, plain)
    if survey is None:
        survey = _Survey(content.shown)
        for line in read_lines(content):
            survey.add(line)
        rows = survey.lines
    else:
        rows = 0 if plain is None else plain.lines
    survey.check(content)
    return ObjectSource(content, rows, survey.records_consent, survey.attribute_names, plain)


class _Survey:
    """What the lines of a file have in common."""

    def __init__(self, shown: str) -> None:
        self.lines = 0
        self.records_consent = False
        self._shown = shown
        self._readable = False
        self._names: set[str] = set()
        self._problems: dict[str, Problem] = {}

    def add(self, line: Line) -> None:
        """Take one line, or one for many with the same names."""
        self.lines += 1
        self._readable = self._readable or line.fault is None
        self.records_consent = self.records_consent or "consent" in line.value
        self._problems |= _misspelt(line, self._shown, self._names)
        if len(self._names) <= MAX_NAMES:
            self._names.update(line.value)

    def check(self, content: Content) -> None:
        """Raise :class:`~pushctl.errors.InvalidInput` where the file is broken as a whole."""
        if self._problems:
            raise InvalidInput(problems=list(self._problems.values()))
        if self.lines and not self._readable:
            raise no_objects(content)

    @property
    def attribute_names(self) -> frozenset[str] | None:
        """The names that are not known columns; ``None`` where there are too many."""
        few = len(self._names) <= MAX_NAMES
        return frozenset(self._names.difference(KNOWN_COLUMNS)) if few else None


def _quick_survey(content: Content, plain: Plainness) -> _Survey | None:
    """
    Return the survey of *content*, in which lines of one shape are taken as one.

    ``None`` where DuckDB cannot make it: the file is not there to be read by others, or there
    are more shapes than fit in memory.
    """
    survey = _Survey(content.shown)
    for path in content.in_place:
        lines = lines_of(path, plain.line_break)
        try:
            with (
                attempted(),
                content.open(),
                Engine(files=[path]) as engine,
            ):
                shapes = token_shapes(engine, lines)
                alike = [Line(shape.line, _value_of(shape), None) for shape in shapes]
                others: Iterator[Line] = iter(())
                if sum(shape.lines for shape in shapes) < plain.lines:
                    others = starmap(read_line, unsound_tokens(engine, lines))
                for line in heapq.merge(alike, others, key=attrgetter("number")):
                    survey.add(line)
        except NotPossible:
            return None
        return survey
    return None


def _value_of(shape: Shape) -> Mapping[str, JsonValue]:
    """Return an object of that *shape*."""
    value: dict[str, JsonValue] = dict.fromkeys(shape.names)
    return {**value, "tokens": []} if shape.has_tokens else value


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """The objects of a ``.jsonl`` token file: one token each, with what is known of it."""

    content: Content
    rows: int
    records_consent: bool
    attribute_names: frozenset[str] | None
    plain: Plainness | None
    """How lines are objects; ``None`` where some are blank or something else."""

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file if its lines are its rows and it is not packed."""
        return () if self.plain is None else self.content.in_place

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
        return map(self.row, read_lines(self.content))

    def row(self, line: Line) -> Row:
        """Return *line* as a row."""
        row = Row(
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
        return kept_apart(row) if are_records(line.value) else row


def _misspelt(line: Line, shown: str, checked: Collection[str]) -> dict[str, Problem]:
    """Return, by name, the columns of *line* that are not among *checked* and look like a slip."""
    place = Place(shown, line.number)
    if is_count(line.value):
        problem = Problem(
            "a bounce log, whose counts are no recipients",
            place,
            "its bounces alone: pushctl bounces list LOG -o jsonl | pushctl send --tokens -"
            " --format jsonl",
        )
        return {"event": problem}
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


def read_line(number: int, text: str) -> Line:
    """Return what *text*, the line with that *number* without its line break, holds."""
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
