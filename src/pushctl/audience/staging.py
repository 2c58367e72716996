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
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from pushctl.audience.blocks import LineBreak
from pushctl.audience.columnar import ColumnarSource
from pushctl.audience.consent import cell_fault
from pushctl.audience.content import MAX_LINE_BYTES
from pushctl.audience.delimited import DelimitedSource
from pushctl.audience.engine import literal, text_file
from pushctl.audience.jsonlines import ObjectSource, read_line
from pushctl.audience.objects import (
    UNIT,
    lines_of,
    no_consent_of,
    profile_table,
    token_table,
)
from pushctl.audience.own_records import are_records
from pushctl.audience.parts import CELLS, PARTS, attributes_text, member_name, row_of_parts
from pushctl.audience.plain import PlainSource
from pushctl.audience.profiles import ProfileLines, rows_of_line
from pushctl.audience.relation import Relation
from pushctl.audience.row import KNOWN_COLUMNS, Row, Source
from pushctl.errors import StorageError
from pushctl.rules.text import printable
from pushctl.rules.tokens import DEVICE_TARGETS

OnOddRow: TypeAlias = Callable[[int, Row], None]
"""Takes a row that has no plain form, with its number in its source, counted from 1."""

_ODD = "odd"
"""Stands in place of the line of a row that is not in the copy."""
_WRITTEN_AT_ONCE = 1_000

_CONSENT_WORDS = (
    *("true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO"),
    *("y", "Y", "n", "N", "1", "0", "t", "f", "on", "off", "null", "NULL", "None"),
)


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
    elif isinstance(source, ObjectSource) and source.plain is not None:
        placed, relation = _objects(source, path, source.plain.line_break)
    elif isinstance(source, ProfileLines) and source.plain is not None:
        placed, relation = _profiles(source, path, source.plain.line_break)
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
        table=text_file(path, ["c0"], UNIT, line_break),
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
        plain = source.plain
        table = text_file(
            path,
            columns,
            source.delimiter,
            plain.line_break,
            skip=1,
            is_quoted=plain.is_quoted,
        )
        line, present = "r + 1", "true"
    else:
        placed = nullcontext()
        _write(path, _delimited_lines(source, read, on_odd_row))
        table = text_file(path, ["line", *columns], UNIT, "\n")
        line, present = "try_cast(line AS BIGINT)", f"line <> '{_ODD}'"
    by_name = dict(zip(source.header, columns, strict=True))
    no_consent, understood = "NULL", "true"
    if source.records_consent:
        no_consent, understood = _consent_of_cell(by_name["consent"])
    if source.holds_records:
        understood += f" AND {_plain_record_of_cells(by_name)}"
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
    odd_line = UNIT.join((_ODD, *[""] * width)) + "\n"
    for number, (line, record) in enumerate(source.records(), start=1):
        text = UNIT.join((str(line), *record))
        if len(record) == width and _is_one_line(text, width):
            yield text + "\n"
        else:
            on_odd_row(number, read(line, record))
            yield odd_line


def _objects(
    source: ObjectSource, path: Path, line_break: LineBreak
) -> tuple[AbstractContextManager[None], Relation]:
    understood, no_consent = "fit", "NULL"
    if source.records_consent:
        understood, no_consent = "fit AND consent <> 'odd'", no_consent_of("consent")
    if source.attribute_names is None or are_records(source.attribute_names):
        understood += f" AND {_PLAIN_RECORD}"
    return source.content.placed(path), Relation(
        table=token_table(lines_of(path, line_break)),
        line="line",
        cells={name: name for name in CELLS},
        attributes="attributes",
        no_consent=no_consent,
        understood=understood,
        present="true",
        parts=["j"],
        row=lambda line, parts: source.row(read_line(line or 0, parts[0])),
    )


_DEVICES = ", ".join(literal(kind) for kind in DEVICE_TARGETS)
_PLAIN_RECORD = f"""coalesce(json_extract_string(attributes, '$.target'), 'token') IN ({_DEVICES})
    AND coalesce(json_extract_string(attributes, '$.reason'), '') <> 'NoConsent'"""
"""The condition of a record against which nothing is to be said."""


def _plain_record_of_cells(columns: Mapping[str, str]) -> str:
    """Return the condition of a record, its cells in *columns*, that is read as it stands."""
    conditions = [f"NOT starts_with(coalesce({column}, ''), '''')" for column in columns.values()]
    for name, plain in (("target", f"IN ('', {_DEVICES})"), ("reason", "<> 'NoConsent'")):
        if name in columns:
            conditions.append(f"coalesce({columns[name]}, '') {plain}")
    return " AND ".join(conditions)


def _profiles(
    source: ProfileLines, path: Path, line_break: LineBreak
) -> tuple[AbstractContextManager[None], Relation]:
    def row(line: int | None, parts: Sequence[Any]) -> Row:
        text, index = parts
        return [*rows_of_line(read_line(line or 0, text))][int(index)]

    return source.content.placed(path), Relation(
        table=profile_table(lines_of(path, line_break), source.odd_lines),
        line="line",
        cells={name: name for name in CELLS},
        attributes="attributes",
        no_consent=no_consent_of("consent"),
        understood="fit",
        present="true",
        parts=["j", "i::VARCHAR"],
        row=row,
    )


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
        table=text_file(path, ["line", *PARTS], UNIT, "\n"),
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
    odd_line = UNIT.join((_ODD, *[""] * (len(PARTS)))) + "\n"
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
    return UNIT.join((line, *texts, no_consent, attributes_text(row.attributes) or ""))


def _is_one_line(text: str, marks: int) -> bool:
    """Return whether *text* reads back as the parts that it was joined of with *marks* marks."""
    return (
        text.count(UNIT) == marks
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
