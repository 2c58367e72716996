"""Shows single bounces: as a table, JSON, or csv; with the fields that were asked for."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pushctl.records.record import FIELDS, Record, to_line
from pushctl.rules.text import printable, shorten_token
from pushctl.view.outcomes import answer_words, csv_cell, csv_token
from pushctl.view.terminal import Terminal
from pushctl.view.words import SERVICE_NAMES

OUTPUTS = ("table", "json", "jsonl", "csv")
_AT_ONCE = 500
_CELL_MAX = 60


def show_bounces(
    records: Iterable[Record], terminal: Terminal, output: str, fields: Sequence[str] | None
) -> int:
    """
    Print *records* to stdout as *output*, with *fields* (``None``: all, in a table the usual).

    Returns how many there were.  Ends early, and quietly, once nobody reads stdout any more.
    """
    batches = _batches(records, terminal)
    if output == "table":
        return _show_table(batches, terminal, fields)
    if output == "csv":
        return _show_csv(batches, terminal, fields or FIELDS)
    return _show_json(batches, terminal, fields, lines=output == "jsonl")


def _batches(records: Iterable[Record], terminal: Terminal) -> Iterator[Sequence[Record]]:
    rest = iter(records)
    while not terminal.stdout_closed:
        batch = list(itertools.islice(rest, _AT_ONCE))
        if not batch:
            return
        yield batch


def _show_json(
    batches: Iterable[Sequence[Record]],
    terminal: Terminal,
    fields: Sequence[str] | None,
    *,
    lines: bool,
) -> int:
    count = 0
    for batch in batches:
        texts = [_json(record, fields) for record in batch]
        if lines:
            terminal.data("".join(f"{text}\n" for text in texts))
        else:
            terminal.data(("[\n" if not count else ",\n") + ",\n".join(texts))
        count += len(batch)
    if not lines:
        terminal.data("\n]\n" if count else "[]\n")
    return count


def _json(record: Record, fields: Sequence[str] | None) -> str:
    if fields is None:
        return to_line(record).rstrip("\n")
    return json.dumps({name: record[name] for name in fields}, ensure_ascii=False)


def _show_csv(
    batches: Iterable[Sequence[Record]], terminal: Terminal, fields: Sequence[str]
) -> int:
    """Write csv whose cells no spreadsheet runs as formulas."""
    count = 0
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(fields)
    for batch in batches:
        for record in batch:
            writer.writerow(
                csv_token(record[name]) if name == "token" else csv_cell(record[name])
                for name in fields
            )
        terminal.data(buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()
        count += len(batch)
    terminal.data(buffer.getvalue())  # the header alone, where there was no batch
    return count


_USUAL = ("time", "service", "answer", "token", "profile", "campaign")


def _show_table(
    batches: Iterable[Sequence[Record]], terminal: Terminal, fields: Sequence[str] | None
) -> int:
    """Print a table, each batch as wide as it needs; the titles stand above the first."""
    names = _USUAL if fields is None else fields
    count = 0
    for batch in batches:
        rows = [[_cell(record, name, terminal) for name in names] for record in batch]
        _print(terminal, names, rows, with_titles=not count)
        count += len(batch)
    return count


def _cell(record: Mapping[str, object], name: str, terminal: Terminal) -> str:
    if name == "answer":
        return answer_words(dict(record)) or "-"
    value = record[name]
    dash = "–" if terminal.unicode else "-"
    if value is None or value == "":
        return dash
    if name == "time":
        return printable(str(value), 80)[:19].replace("T", " ")
    if name == "service":
        return SERVICE_NAMES.get(str(value), printable(str(value), _CELL_MAX))
    if name == "token":
        text = shorten_token(str(value))
        return text if terminal.unicode else text.replace("…", "..")
    return printable(str(value), _CELL_MAX)


def _print(
    terminal: Terminal,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    with_titles: bool,
) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, pad_edge=False, header_style="bold", show_edge=False, show_header=with_titles
    )
    for name in names:
        kept_whole = name in ("time", "service", "token")
        table.add_column(name, no_wrap=kept_whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = terminal.console(out=True)
    with console.capture() as capture:
        console.print(table)
    terminal.data("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))
