"""Shows what became of subscriptions: rows as they end, a summary, a forecast."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushctl.outcome import Kind, Outcome
from pushctl.records.record import Record
from pushctl.view.gauge import Gauge
from pushctl.view.outcomes import (
    SHOWN_ONE_BY_ONE,
    Reasons,
    csv_cell,
    csv_token,
    push_line,
    push_table,
    reason_groups,
    totals_line,
)
from pushctl.view.terminal import Terminal

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DONE = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}


class SubscriptionScreen:
    """Takes the records of rows as they end, and shows them as *output* says."""

    def __init__(
        self,
        terminal: Terminal,
        output: str,
        fields: Sequence[str],
        *,
        total: int,
        gauge: Gauge | None,
    ) -> None:
        self.totals: Counter[Kind] = Counter()
        self._terminal = terminal
        self._output = output
        self._fields = fields
        self._total = total
        self._gauge = gauge
        self._reasons = Reasons()
        self._first: list[Record] = []
        if output == "csv":
            self._csv([dict(zip(fields, fields, strict=True))])

    def add(self, records: Sequence[Record], outcomes: Sequence[Outcome]) -> None:
        """Take *records*, whose outcomes are *outcomes*."""
        for record, outcome in zip(records, outcomes, strict=True):
            self.totals[outcome.kind] += 1
            if outcome.kind is not Kind.ACCEPTED:
                self._reasons.add(record["service"], outcome)
        if self._output == "jsonl":
            self._terminal.data("".join(f"{_encoded(record)}\n" for record in records))
        elif self._output == "csv":
            self._csv(records)
        elif self._output == "table" and self._terminal.verbose:
            for record in records:
                self._terminal.data(push_line(record, self._terminal) + "\n")
        elif len(self._first) <= SHOWN_ONE_BY_ONE:
            self._first += records[: SHOWN_ONE_BY_ONE + 1]
        if self._gauge is not None:
            self._gauge.show("asked", self.totals.total(), self._total)

    def finish(self, document: Mapping[str, Any]) -> None:
        """Print the summary; *document* has action, topic, credential, project and duration."""
        terminal = self._terminal
        if self._output == "json":
            totals = {kind.value: self.totals[kind] for kind in Kind}
            whole = {**document, "totals": totals, "reasons": self._reasons.as_json()}
            terminal.data(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
            return
        said = f"{_DONE[document['action']]} {_preposition(document['action'])}"
        line = (
            f"{said} {document['topic']} through {document['credential']}:"
            f" {totals_line(dict(self.totals), terminal)}"
        )
        if self._output != "table":
            terminal.say(line)
        else:
            if not terminal.verbose and self.totals.total() <= SHOWN_ONE_BY_ONE:
                push_table(self._first, terminal)
                if self._reasons.counts:
                    terminal.data("\n")
            reason_groups(self._reasons, terminal)
            terminal.data(line + "\n")
        if self.totals[Kind.UNKNOWN] or self.totals[Kind.NOT_SENT]:
            terminal.say("run it again for what was left: asking twice does no harm")

    def _csv(self, records: Iterable[Record]) -> None:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for record in records:
            writer.writerow(
                csv_token(record[name]) if name == "token" else csv_cell(record[name])
                for name in self._fields
            )
        self._terminal.data(buffer.getvalue())


def show_forecast(
    document: Mapping[str, Any], what: Mapping[str, Any], terminal: Terminal, output: str
) -> None:
    """Print what would be done: *document* is a forecast's, *what* names topic and credential."""
    if output == "json":
        terminal.data(json.dumps({**what, **document}, ensure_ascii=False, indent=2) + "\n")
        return
    action = what["action"]
    terminal.data(
        f"dry run: {_many(document['to_ask'], 'registration')} would be {_DONE[action]}"
        f" {_preposition(action)} {what['topic']} through {what['credential']},"
        f" in {_many(document['requests'], 'request')}; nobody was asked\n"
    )
    for one in document["decided"]:
        mark = terminal.mark(one["outcome"])
        said = Kind(one["outcome"]).value
        terminal.data(f"  {mark} {one['count']:,} {said}: {one['reason']}\n")


def _preposition(action: str) -> str:
    return "to" if action == "subscribe" else "from"


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
