"""Shows runs: a list of them, or how one ended."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushctl.outcome import Category, Kind, Outcome, Retryable, TokenAction
from pushctl.records.record import Record, to_line
from pushctl.rules.text import printable
from pushctl.view.outcomes import (
    SHOWN_ONE_BY_ONE,
    CsvWriter,
    Reasons,
    csv_cell,
    push_table,
    reason_groups,
    totals_line,
)
from pushctl.view.terminal import Terminal

_COLUMNS = ("run", "started", "campaign", "state", "inputs", "left")
_UNBROKEN = 1_000
"""Columns in which a table of runs fits whatever it holds."""


def show_runs(runs: Sequence[Mapping[str, Any]], terminal: Terminal, output: str) -> None:
    """Print the summaries *runs*, newest first."""
    if output == "json":
        terminal.data(json.dumps(list(runs), ensure_ascii=False, indent=2) + "\n")
    elif output == "jsonl":
        for run in runs:
            terminal.data(json.dumps(run, ensure_ascii=False) + "\n")
    elif output == "csv":
        terminal.data(_csv(runs))
    elif runs:
        _table(runs, terminal)


def show_run(
    run: Mapping[str, Any], records: Iterable[Record], terminal: Terminal, output: str
) -> None:
    """Print how *run* ended: *records* are the outcome records of its rows."""
    if output == "jsonl":
        for record in records:
            terminal.data(to_line(record))
        return
    if output == "csv":
        writer = CsvWriter(terminal)
        writer.write(records)
        return
    reasons = Reasons()
    shown: list[Record] = []
    for record in records:
        if len(shown) <= SHOWN_ONE_BY_ONE:
            shown.append(record)
        if record["outcome"] != Kind.ACCEPTED:
            reasons.add(record["service"], outcome_of(record))
    if output == "json":
        document = {**run, "reasons": reasons.as_json()}
        terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    totals = {Kind(name): number for name, number in run["totals"].items()}
    campaign = f", campaign {printable(run['campaign'], 80)}" if run["campaign"] else ""
    terminal.data(f"run {run['run']}, begun {run['started']}{campaign}, {run['state']}\n")
    terminal.data(f"{run['inputs']:,} inputs: {totals_line(totals, terminal)}\n")
    if len(shown) <= SHOWN_ONE_BY_ONE:
        push_table(shown, terminal)
    reason_groups(reasons, terminal)
    if run["left"]:
        terminal.next_step(f"pushctl runs resume {run['run']}")


def outcome_of(record: Record) -> Outcome:
    """Return the outcome that *record* tells."""
    category = record["category"]
    return Outcome(
        kind=Kind(record["outcome"]),
        status=record["status"],
        reason=record["reason"],
        case=record["case"],
        description=record["description"],
        category=None if category is None else Category(category),
        token_action=TokenAction(record["token_action"]),
        retryable=Retryable(record["retryable"]),
        detail=record["detail"],
    )


def _table(runs: Sequence[Mapping[str, Any]], terminal: Terminal) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in (*_COLUMNS, *Kind):
        justify: Any = "right" if name in ("inputs", "left", *Kind) else "left"
        table.add_column(str(name), justify=justify, no_wrap=True)
    for run in runs:
        first = [printable(str(run[name] or ""), 60) for name in _COLUMNS[:4]]
        numbers = [f"{run[name]:,}" for name in _COLUMNS[4:]]
        table.add_row(*first, *numbers, *(f"{run['totals'][kind]:,}" for kind in Kind))
    console = terminal.console(out=True)
    unbroken = console.options.update(width=_UNBROKEN)
    if terminal.out_is_tty and console.measure(table, options=unbroken).maximum > terminal.width:
        _blocks(runs, terminal)
        return
    with console.capture() as capture:
        console.print(table)
    terminal.data("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def _blocks(runs: Sequence[Mapping[str, Any]], terminal: Terminal) -> None:
    # Eleven columns cut down to a narrow terminal are unreadable, and a cut id cannot be copied.
    for run in runs:
        campaign = printable(run["campaign"], 30) if run["campaign"] else ""
        parts = (run["run"], run["started"], campaign, run["state"])
        terminal.data("  ".join(printable(part, 60) for part in parts if part) + "\n")
        totals = {kind: run["totals"][kind] for kind in Kind}
        left = f"{run['left']:,} left, " if run["left"] else ""
        terminal.data(f"  {run['inputs']:,} inputs: {left}{totals_line(totals, terminal)}\n")


def _csv(runs: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(kind.value for kind in Kind)])
    for run in runs:
        values = [run[name] for name in _COLUMNS] + [run["totals"][kind] for kind in Kind]
        writer.writerow([csv_cell(value) for value in values])
    return buffer.getvalue()
