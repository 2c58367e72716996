"""Shows outcomes: a table of pushes, the reasons grouped, csv and the summary document."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pushctl import catalog
from pushctl.outcome import Kind, Outcome
from pushctl.records.record import FIELDS, Record
from pushctl.rules.text import printable, shorten_token
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    from rich.text import Text

SHOWN_ONE_BY_ONE = 50
_FORMULA = re.compile(r"(\A|;)(\s*[-=+@＝＋－＠])")
# What begins a formula, in the full width of East Asian keyboards, too.  Where a comma is the
# decimal sign spreadsheets take ";" between cells, whatever is in quotes.
_HARMLESS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_:-]*")
_CELL_LIMIT = 32_767
"""Characters: the most that spreadsheets take in a cell."""
_KIND_STYLES = {
    Kind.ACCEPTED: "green",
    Kind.REJECTED: "red",
    Kind.UNKNOWN: "yellow",
    Kind.NOT_SENT: "yellow",
    Kind.SKIPPED: "dim",
}


class ReasonKey(NamedTuple):
    """What outcomes are grouped by."""

    kind: Kind
    service: str | None
    status: int | None
    reason: str | None
    case: str | None
    token_action: str


class Reasons:
    """Counts outcomes by reason and keeps one detail of each."""

    def __init__(self) -> None:
        self.counts: Counter[ReasonKey] = Counter()
        self.details: dict[ReasonKey, str] = {}
        self.descriptions: dict[ReasonKey, str] = {}

    def add(self, service: str | None, outcome: Outcome) -> None:
        """Count one outcome that was not accepted."""
        key = ReasonKey(
            outcome.kind,
            service,
            outcome.status,
            outcome.reason,
            outcome.case,
            outcome.token_action._value_,
        )
        self.counts[key] += 1
        if key not in self.descriptions:
            self.descriptions[key] = outcome.description or ""
            if outcome.detail:
                self.details[key] = outcome.detail

    def ranked(self) -> list[tuple[ReasonKey, int]]:
        """Return the reasons with their counts, most frequent first; the same for equal counts."""
        kinds = list(Kind)

        def rank(item: tuple[ReasonKey, int]) -> tuple[object, ...]:
            key, count = item
            name = (key.service or "", key.status or 0, key.reason or "", key.case or "")
            return (-count, kinds.index(key.kind), *name, key.token_action)

        return sorted(self.counts.items(), key=rank)

    def top(self, number: int) -> list[tuple[str, int]]:
        """Return the *number* most frequent reasons with their counts."""
        return [
            (key.reason or key.kind.value, count) for key, count in self.counts.most_common(number)
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """Return the ``reasons`` of the summary document, most frequent first."""
        return [
            {
                "service": key.service,
                "status": key.status,
                "reason": key.reason,
                "count": count,
                "token_action": key.token_action,
            }
            for key, count in self.ranked()
        ]


def push_table(records: Sequence[Record], terminal: Terminal) -> None:
    """Print one row a push."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("outcome", "profile", "service", "token", "answer"):
        table.add_column(name, no_wrap=name != "answer", overflow="fold")
    for record in records:
        kind = Kind(record["outcome"])
        token = record["token"]
        table.add_row(
            Text(f"{terminal.mark(kind)} {_said(kind)}", style=_KIND_STYLES[kind]),
            printable(record["profile"] or "", 40),
            _service_words(record),
            _short(token, terminal) if token else "–" if terminal.unicode else "-",
            _answer(record),
        )
    _print(terminal, table)


def _short(token: str, terminal: Terminal) -> str:
    text = shorten_token(token)
    return text if terminal.unicode else text.replace("…", "..")


def _answer(record: Record) -> Text:
    from rich.text import Text

    if record["outcome"] == Kind.ACCEPTED:  # the long id may be cut: -o jsonl has it whole
        return Text(answer_words(record), no_wrap=True, overflow="ellipsis")
    return Text(answer_words(record))


def reason_groups(reasons: Reasons, terminal: Terminal) -> None:
    """Print each reason with its documented meaning and what to do, most frequent first."""
    for key, count in reasons.ranked():
        title = f"{count:,} x {_reason_title(key)}"
        style = "bold " + ("yellow" if key.kind is not Kind.REJECTED else "red")
        if key.kind is Kind.SKIPPED:
            style = "bold"
        terminal.data(terminal.paint(title, style, out=True) + "\n")
        meaning = reasons.descriptions[key]
        if meaning:
            wrapped(terminal, "", meaning)
        detail = reasons.details.get(key)
        if detail and detail != meaning:
            wrapped(terminal, "detail: ", detail)
        for advice in _advice(key)[:2]:
            wrapped(terminal, "do: ", advice)
        if key.kind is Kind.REJECTED and key.case != catalog.BROADCAST:  # that has no token
            wrapped(terminal, "token: ", TOKEN_WORDS[key.token_action])


TOKEN_WORDS = {
    "keep": "keep it, the token is not at fault",
    "remove": "remove it, the service says it is dead (unless it was registered again since)",
    "suspect": "keep it and look at it: it does not fit, which does not prove it dead",
    "check-environment": "keep it and check the environment: sandbox and production are two worlds",
}


def totals_line(totals: dict[Kind, int], terminal: Terminal) -> str:
    """Return the counts of a run in one line."""
    parts = []
    for kind in Kind:
        number = totals.get(kind, 0)
        if number or kind is Kind.ACCEPTED:
            text = f"{number:,} {_said(kind)}"
            parts.append(terminal.paint(text, _KIND_STYLES[kind] if number else None))
    return " · ".join(parts) if terminal.unicode else ", ".join(parts)


def answer_words(record: Record) -> str:
    """Return status, reason and case of a record in a few words."""
    reason = record["reason"]
    words = [str(record["status"] or ""), printable(str(reason or ""), 80)]
    if record["case"]:
        words.append(f"({printable(str(record['case']), 80)})")
    if reason is None and record["outcome"] == Kind.ACCEPTED:
        words.append(printable(record["id"] or "", 120))
    return " ".join(word for word in words if word)


def push_line(record: Record, terminal: Terminal) -> str:
    """Return one line about one push, for ``-v``."""
    kind = Kind(record["outcome"])
    mark = terminal.paint(f"{terminal.mark(kind)} {kind.value}", _KIND_STYLES[kind])
    token = _short(record["token"], terminal) if record["token"] else "(no token)"
    latency = f" {record['latency_ms']} ms" if record.get("latency_ms") is not None else ""
    return f"{mark} {printable(record['source'], 200)} {token} {answer_words(record)}{latency}"


class CsvWriter:
    """Writes records as csv that a spreadsheet cannot run as formulas."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer, lineterminator="\n")
        self._writer.writerow(FIELDS)

    def write(self, records: Iterable[Record]) -> None:
        """Write *records* (after the header, the first time)."""
        for record in records:
            self._writer.writerow(
                csv_token(record[name]) if name == "token" else csv_cell(record[name])
                for name in FIELDS
            )
        self._terminal.data(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()


def csv_cell(value: object) -> object:
    """
    Return *value* for a csv cell.

    Text is printable, for it may be shown on a terminal; before what a spreadsheet would run
    there is a quote mark.
    """
    if not isinstance(value, str):
        return value
    return _FORMULA.sub(r"\1'\2", printable(value, _CELL_LIMIT))


def csv_token(token: str | None) -> object:
    """
    Return *token* for a csv cell, as it is if it is made of letters, digits, ``-``, ``_``, ``:``.

    Such a text can begin with a hyphen, but no formula can be made of it; and with a mark in
    front it would no longer be the token that a database knows.
    """
    return token if token is not None and _HARMLESS.fullmatch(token) else csv_cell(token)


def summary_document(
    *,
    run: str,
    campaign: str | None,
    totals: dict[Kind, int],
    reasons: Reasons,
    duration_s: float,
    bounce_log: str,
) -> dict[str, Any]:
    """Return the ``-o json`` document of a run."""
    sent = totals.get(Kind.ACCEPTED, 0) + totals.get(Kind.REJECTED, 0) + totals.get(Kind.UNKNOWN, 0)
    return {
        "run": run,
        "campaign": campaign,
        "totals": {kind.value: totals.get(kind, 0) for kind in Kind},
        "reasons": reasons.as_json(),
        "duration_s": round(duration_s, 3),
        "rate_per_s": round(sent / duration_s, 1) if duration_s > 0 else 0.0,
        "bounce_log": bounce_log,
    }


def _said(kind: Kind) -> str:
    return {Kind.NOT_SENT: "not sent"}.get(kind, kind.value)


def _service_words(record: Record) -> str:
    service, platform = record["service"], record["platform"]
    return " ".join(word for word in (service, f"({platform})" if platform else "") if word)


def _reason_title(key: ReasonKey) -> str:
    words = [str(key.status or ""), printable(key.reason or "no reason given", 120)]
    if key.case:
        words.append(f"({printable(key.case, 80)})")
    where = {"apns": "APNs", "fcm": "FCM"}.get(key.service or "", "")
    who = f"{_said(key.kind)} by {where}" if where and key.status else _said(key.kind)
    return " ".join(word for word in words if word) + f", {who}"


def _advice(key: ReasonKey) -> Sequence[str]:
    if key.reason is None:
        return ()
    for service in (key.service, "google", "pushctl"):
        if service is None:
            continue
        found = catalog.lookup(service, key.reason, status=key.status, case=key.case)
        if found is not None:
            return found.what_to_do
    return ()


def wrapped(terminal: Terminal, label: str, text: str) -> None:
    """Write *text* to stdout, indented under what it explains; folded on a terminal."""
    import textwrap

    clean = label + printable(text, 2000)
    if terminal.out_is_tty:
        lines = textwrap.wrap(
            clean, terminal.width - 4, subsequent_indent=" " * len(label), break_long_words=False
        )
    else:
        lines = [clean]
    terminal.data("".join(f"    {line}\n" for line in lines))


def _print(terminal: Terminal, table: object) -> None:
    console = terminal.console(out=True)
    with console.capture() as capture:
        console.print(table)
    terminal.data("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))
