"""
Token files with columns: ``.csv`` (comma) and ``.tsv`` (tab).

Read strictly, because what a lenient reader makes of a broken file is a list that nobody wrote:
one header, a delimiter fixed by the name of the file, quotes that close, and each row as wide as
the header.  A row of another width is that row's fault; a quote that does not close is the
file's, for nobody can say where its rows end.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.blocks import Plainness, plain_columns
from pushctl.audience.consent import cell_fault
from pushctl.audience.content import MAX_LINE_BYTES, Content, numbered_lines
from pushctl.audience.header import header_problems
from pushctl.audience.own_records import are_records, kept_apart, unescaped
from pushctl.audience.row import KNOWN_COLUMNS, Row, counted
from pushctl.errors import InvalidInput, Place
from pushctl.rules import tokens

_DELIMITER_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_LONGEST_NAME = 20
"""Characters: what is longer and looks like a token is no name of a column."""


def open_delimited(content: Content, delimiter: str) -> DelimitedSource:
    """
    Return the rows of *content*, whose columns are told apart by *delimiter*.

    The whole file is read once.  Raises :class:`~pushctl.errors.InvalidInput` where it is broken
    as a whole: no usable header, an open quote, a line that is too long or not text.
    """
    records = _records(content, delimiter)
    with closing(records):
        _, header = next(records, (1, []))
    _check_header(header, delimiter, content.shown)
    plain = plain_columns(content, width=len(header), delimiter=delimiter)
    lines = sum(1 for _ in _records(content, delimiter)) if plain is None else plain.lines
    rows = lines - 1
    return DelimitedSource(content, delimiter, header, rows, plain)


@dataclass(frozen=True, slots=True)
class DelimitedSource:
    """The rows of a csv or tsv file that is sound as a whole."""

    content: Content
    delimiter: str
    header: Sequence[str]
    rows: int
    plain: Plainness | None
    """How lines are rows; ``None`` where only a parser can tell the rows."""

    @property
    def records_consent(self) -> bool:
        """Whether there is a column for it."""
        return "consent" in self.header

    @property
    def holds_records(self) -> bool:
        """Whether its rows are records that pushctl wrote."""
        return are_records(self.header)

    @property
    def attribute_names(self) -> frozenset[str]:
        """The names of all columns that are not known ones."""
        return frozenset(self.header).difference(KNOWN_COLUMNS)

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file if its lines are its rows and it is not packed."""
        return () if self.plain is None else self.content.in_place

    @property
    def described(self) -> str:
        """The name and the number of rows."""
        return f"{self.shown} ({counted(self.rows, 'row')})"

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, reading the file once more."""
        row = self.reader()
        return (row(line, record) for line, record in self.records())

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells below the header, with their line, reading the file once more."""
        records = _records(self.content, self.delimiter)
        with closing(records):
            next(records)
            yield from records

    def reader(self) -> Callable[[int, Sequence[str]], Row]:
        """Return what makes a row of a line and its cells."""
        width = len(self.header)
        columns = [*enumerate(self.header)]
        attributes = [(at, name) for at, name in columns if name not in KNOWN_COLUMNS]
        known = [(at, name) for at, name in columns if name in KNOWN_COLUMNS]
        consent = self.header.index("consent") if self.records_consent else None

        def read(line: int, record: Sequence[str]) -> Row:
            if len(record) != width:
                return Row(line, {}, {}, fault=_wrong_width(len(record), width))
            if self.holds_records:
                record = [unescaped(cell) for cell in record]
            row = Row(
                line,
                {name: record[at] for at, name in known},
                # An empty cell is a missing attribute: a push says "Hello Anna" or nothing.
                {name: record[at] for at, name in attributes if record[at]},
                no_consent=None if consent is None else cell_fault(record[consent]),
            )
            return kept_apart(row) if self.holds_records else row

        return read


def _wrong_width(width: int, expected: int) -> str:
    return f"the row has {width} columns and the header {expected}: nothing in it can be trusted"


def _records(content: Content, delimiter: str) -> Generator[tuple[int, list[str]]]:
    """
    Yield each record that is not blank, with the number of its first line.

    Raises :class:`~pushctl.errors.InvalidInput` for what makes the rest unreadable.
    """
    with content.open() as stream:
        lines = _RecordLines(numbered_lines(stream, content.shown), content.shown)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for record in reader:
                if record:
                    yield lines.start, record
                lines.size = 0
        except csv.Error as error:
            raise _broken(str(error), Place(content.shown, lines.start)) from None


class _RecordLines:
    """Hands lines to the csv reader, and knows where its current record began."""

    def __init__(self, lines: Iterator[tuple[int, str]], shown: str) -> None:
        self.start = 1
        self.size = 0
        """Characters of the current record; whoever takes the record sets it back to 0."""
        self._lines = lines
        self._shown = shown

    def __iter__(self) -> Iterator[str]:
        for number, text in self._lines:
            if not self.size:
                self.start = number
            self.size += len(text)
            if self.size > MAX_LINE_BYTES:
                raise InvalidInput(
                    f"a row of more than {MAX_LINE_BYTES // 1024} KiB: "
                    "a quote that opens in it does not close",
                    place=Place(self._shown, self.start),
                )
            yield text


def _broken(complaint: str, place: Place) -> InvalidInput:
    """Return the error for what the csv reader says about the row at *place*."""
    if "new-line character" in complaint:
        return InvalidInput(
            "a carriage return in the middle of a line",
            place=place,
            hint="end lines in a line feed, and put quotes around a text that holds a line break",
        )
    return InvalidInput(
        "a quote in this row does not close, or something follows where it closes",
        place=place,
        hint='inside quotes a quote is written twice: "She said ""hello"""',
    )


def _check_header(header: Sequence[str], delimiter: str, shown: str) -> None:
    """Raise :class:`~pushctl.errors.InvalidInput` with all that is wrong with *header*."""
    hint = _why_no_token_column(header, delimiter)
    problems = header_problems(header, Place(shown, 1), hint)
    if problems:
        raise InvalidInput(problems=problems)


def _why_no_token_column(header: Sequence[str], delimiter: str) -> str:
    """Return the likely reason that a file has no column ``token``, as a hint."""
    for other, called in _DELIMITER_NAMES.items():
        if len(header) == 1 and other != delimiter and other in header[0]:
            return (
                f"a {called} seems to separate the columns: the name of the file says "
                f"{_DELIMITER_NAMES[delimiter]} (.csv is comma, .tsv is tab)"
            )
    if any(tokens.shape(cell) for cell in header if len(cell) > _LONGEST_NAME):
        return "the first row names the columns; put `token` above the tokens"
    return "the first row names the columns, and one of them must be `token`"
