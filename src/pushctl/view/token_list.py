"""Writes tokens for other programs: csv that a database loads, or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushctl.view.outcomes import csv_cell, csv_token
from pushctl.view.terminal import Terminal

_WRITTEN_AT_ONCE = 1 << 16


def write_tokens(
    rows: Iterable[Mapping[str, Any]], fields: Sequence[str], terminal: Terminal, output: str
) -> int:
    """
    Write *rows* with *fields* to stdout as they come, as ``csv`` or ``jsonl``; return how many.

    In csv a spreadsheet finds no formula, and a token stays what it is.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if output == "csv":
        writer.writerow(fields)
    number = 0
    for row in rows:
        number += 1
        if output == "csv":
            writer.writerow(
                csv_token(row[name]) if name == "token" else csv_cell(row[name]) for name in fields
            )
        else:
            buffer.write(json.dumps({name: row[name] for name in fields}, ensure_ascii=False))
            buffer.write("\n")
        if buffer.tell() > _WRITTEN_AT_ONCE:
            terminal.data(buffer.getvalue())
            buffer.seek(0)
            buffer.truncate()
    terminal.data(buffer.getvalue())
    return number
