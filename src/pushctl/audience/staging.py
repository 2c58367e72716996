"""
Sources as relations that DuckDB can read without interpreting anything.

Four forms, all of which leave nothing to a sniffer: Parquet; a plain file as it is; a copy of a
csv file with a mark that no cell holds between its cells; and for everything else a copy of its
rows, one text for each thing that is known of them.  The copies are written by the same readers
that everybody else uses, and what cannot be written that way (a line break in a cell, a value that
is no text) is handed over as the row it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from pushctl.audience.blocks import LineBreak
from pushctl.audience.columnar import ColumnarSource
from pushctl.audience.consent import cell_fault
from pushctl.audience.content import MAX_LINE_BYTES
from pushctl.audience.delimited import DelimitedSource
from pushctl.audience.engine import literal
from pushctl.audience.parts import CELLS, PARTS, attributes_text, member_name, row_of_parts
from pushctl.audience.plain import PlainSource
from pushctl.audience.row import KNOWN_COLUMNS, Row, Source
from pushctl.errors import StorageError
from pushctl.rules.text import printable

OnOddRow: TypeAlias = Callable[[int, Row], None]
"""Takes a row that has no plain form, with its number in its source, counted from 1."""

_MARK = "\x1f"
"""Between the cells of a copy.  ASCII calls it the unit separator."""
_ODD = "odd"
"""Stands in place of the line of a row that is not in the copy."""
_WRITTEN_AT_ONCE = 1_000
_BUFFER_BYTES = 4 * 2**20
_LONGEST_LINE_BYTES = 5 * MAX_LINE_BYTES
# A copied line has at most MAX_LINE_BYTES characters, and a character at most four bytes.

_CONSENT_WORDS = (
    *("true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO"),
    *("y", "Y", "n", "N", "1", "0", "t", "f", "on", "off", "null", "NULL", "None"),
)


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows in the words of SQL, to be read in the order of the source."""

    table: str
    """What to select from; ``r`` beside it is the number of the row, from 1."""
    line: str
    """The line of a row, or NULL."""
    cells: Mapping[str, str]
    """Which of :data:`CELLS` there are; NULL where a row has nothing there."""
    attributes: str
    """A JSON object, or NULL where a row has none."""
    no_consent: str
    """Why nothing may be sent, or NULL."""
    understood: str
    """Whether ``no_consent`` is known by the above."""
    present: str
    """Whether the row is here at all, and was not handed over as an odd one."""
    parts: Sequence[str]
    """What :attr:`row` needs of a row, beside its line."""
    row: Callable[[int | None, Sequence[Any]], Row]
    """Makes the row that the strict reader makes."""


@contextmanager
def staged(source: Source, path: Path, on_odd_row: OnOddRow) -> Iterator[Relation]:
    """
    Yield *source* as a relation, readable meanwhile; *path* is where a file of ours may stand.

    Raises :class:`~pushctl.errors.InvalidInput` where the source has changed since it was
    checked, also at the end, and :class:`~pushctl.errors.StorageError` where there is no room.
    """
    if isinstance(source, DelimitedSource):
        placed, relation = _delimited(source, path, on_odd_row)
    elif isinstance(source, PlainSource) and source.plain is not None:
        placed, relation = _plain(source, path, source.plain.line_break)
    elif isinstance(source, ColumnarSource):
        placed, relation = source.unchanged(), _columnar(source)
    else:
        placed, relation = _copied_rows(source, path, on_odd_row)
    with placed:
        yield relation


def _plain(
    source: PlainSource, path: Path, line_break: LineBreak
) -> tuple[AbstractContextManager[None], Relation]:
    return source.content.placed(path), Relation(
        table=_read_csv(path, ["c0"], _MARK, line_break),
        line="r",
        cells={"token": "c0"},
        attributes="NULL",
        no_consent="NULL",
        understood="true",
        present="true",
        parts=["c0"],
        row=lambda line, parts: Row(line, {"token": parts[0] or ""}, {}),
    )


def _delimited(
    source: DelimitedSource, path: Path, on_odd_row: OnOddRow
) -> tuple[AbstractContextManager[None], Relation]:
    columns = [f"c{at}" for at in range(len(source.header))]
    read = source.reader()
    if source.plain is not None:
        placed = source.content.placed(path)
        table = _read_csv(path, columns, source.delimiter, source.plain.line_break, skip=1)
        line, present = "r + 1", "true"
    else:
        placed = nullcontext()
        _write(path, _delimited_lines(source, read, on_odd_row))
        table = _read_csv(path, ["line", *columns], _MARK, "\n")
        line, present = "try_cast(line AS BIGINT)", f"line <> '{_ODD}'"
    by_name = dict(zip(source.header, columns, strict=True))
    no_consent, understood = "NULL", "true"
    if source.records_consent:
        no_consent, understood = _consent_of_cell(by_name["consent"])
    return placed, Relation(
        table=table,
        line=line,
        cells={name: by_name[name] for name in CELLS if name in by_name},
        attributes=_object_of_cells(
            {name: by_name[name] for name in source.header if name not in KNOWN_COLUMNS}
        ),
        no_consent=no_consent,
        understood=understood,
        present=present,
        parts=columns,
        row=lambda line, parts: read(line or 0, [part or "" for part in parts]),
    )


def _delimited_lines(
    source: DelimitedSource,
    read: Callable[[int, Sequence[str]], Row],
    on_odd_row: OnOddRow,
) -> Iterator[str]:
    """Yield the lines of a copy of *source*."""
    width = len(source.header)
    odd_line = _MARK.join((_ODD, *[""] * width)) + "\n"
    for number, (line, record) in enumerate(source.records(), start=1):
        text = _MARK.join((str(line), *record))
        if len(record) == width and _is_one_line(text, width):
            yield text + "\n"
        else:
            on_odd_row(number, read(line, record))
            yield odd_line


def _columnar(source: ColumnarSource) -> Relation:
    return Relation(
        table=source.table,
        line="r",
        cells={name: name for name in CELLS},
        attributes="attributes",
        no_consent="no_consent",
        understood="true",
        present="true",
        parts=PARTS,
        row=row_of_parts,
    )


def _copied_rows(
    source: Source, path: Path, on_odd_row: OnOddRow
) -> tuple[AbstractContextManager[None], Relation]:
    _write(path, _row_lines(source, on_odd_row))
    return nullcontext(), Relation(
        table=_read_csv(path, ["line", *PARTS], _MARK, "\n"),
        line="try_cast(line AS BIGINT)",
        cells={name: name for name in CELLS},
        attributes="attributes",
        no_consent="no_consent",
        understood="true",
        present=f"coalesce(line <> '{_ODD}', true)",
        parts=PARTS,
        row=row_of_parts,
    )


def _row_lines(source: Iterable[Row], on_odd_row: OnOddRow) -> Iterator[str]:
    """Yield the lines of a copy of the rows of *source*."""
    odd_line = _MARK.join((_ODD, *[""] * (len(PARTS)))) + "\n"
    for number, row in enumerate(source, start=1):
        text = None if row.fault is not None else _row_line(row)
        if text is not None and _is_one_line(text, len(PARTS)):
            yield text + "\n"
        else:
            on_odd_row(number, row)
            yield odd_line


def _row_line(row: Row) -> str | None:
    """Return *row* as a line, or ``None`` where one of its values is no text."""
    cells = [row.values.get(name) for name in CELLS]
    texts = [cell or "" for cell in cells if cell is None or isinstance(cell, str)]
    if len(texts) != len(cells):
        return None
    line = "" if row.line is None else str(row.line)
    no_consent = "" if row.no_consent is None else printable(row.no_consent)
    return _MARK.join((line, *texts, no_consent, attributes_text(row.attributes) or ""))


def _is_one_line(text: str, marks: int) -> bool:
    """Return whether *text* reads back as the parts that it was joined of with *marks* marks."""
    return (
        text.count(_MARK) == marks
        and "\n" not in text
        and "\r" not in text
        and "\0" not in text
        and len(text) <= MAX_LINE_BYTES
        and (text.isascii() or text == _encodable(text))
    )


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _write(path: Path, lines: Iterator[str]) -> None:
    try:
        file = path.open("x", encoding="utf-8", newline="\n")
    except OSError as error:
        raise _no_room(path, error) from None
    try:
        while chunk := "".join(islice(lines, _WRITTEN_AT_ONCE)):
            try:
                file.write(chunk)
            except OSError as error:
                raise _no_room(path, error) from None
    finally:
        try:
            file.close()
        except OSError as error:
            raise _no_room(path, error) from None


def _no_room(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path}: {os.strerror(error.errno or 0)}",
        hint="set state_dir to a folder with more room",
    )


def _read_csv(
    path: Path, columns: Sequence[str], delimiter: str, line_break: LineBreak, *, skip: int = 0
) -> str:
    """Return the table of the file *path*, whose lines have exactly *columns*, all text."""
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    shown_break = {"\n": r"\n", "\r\n": r"\r\n"}[line_break]
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip={skip},"
        f" columns={{{types}}}, delim={literal(delimiter)}, quote='', escape='', comment='',"
        f" nullstr='', new_line='{shown_break}', encoding='utf-8', compression='none',"
        f" null_padding=false, ignore_errors=false, parallel=false,"
        f" hive_partitioning=false,"
        f" max_line_size={_LONGEST_LINE_BYTES}, buffer_size={_BUFFER_BYTES})"
    )


def _object_of_cells(columns: Mapping[str, str]) -> str:
    """Return the JSON object of the cells in *columns*, by name, that are not empty."""
    if not columns:
        return "NULL"
    members = ", ".join(
        f"{literal(member_name(name))} || to_json({column})" for name, column in columns.items()
    )
    return f"'{{' || nullif(concat_ws(',', {members}), '') || '}}'"


def _consent_of_cell(column: str) -> tuple[str, str]:
    """Return why the cell gives no consent, and whether the cell is one of the usual words."""
    faults = {word: cell_fault(word) for word in _CONSENT_WORDS}
    cases = " ".join(
        f"WHEN {column} = {literal(word)} THEN {literal(fault and printable(fault))}"
        for word, fault in faults.items()
    )
    silence = cell_fault("")
    words = ", ".join(literal(word) for word in _CONSENT_WORDS)
    return (
        f"CASE WHEN {column} IS NULL THEN {literal(silence)} {cases} END",
        f"({column} IS NULL OR {column} IN ({words}))",
    )
