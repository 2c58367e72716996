"""Shows a bounce report: in the terminal, as JSON, csv or Markdown, or as a page."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from pushctl.errors import Place
from pushctl.report.values import Campaign, Day, Filter, Group, Metrics, Note, Report
from pushctl.view.bounce_table import show_table
from pushctl.view.outcomes import csv_cell, csv_token
from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "csv", "markdown", "html")
SCHEMA = 1
_MANY_ROWS = 1000


def show_report(report: Report, terminal: Terminal, output: str) -> None:
    """Print *report* to stdout as *output*, one of :data:`OUTPUTS`; its notes go to stderr."""
    show_notes(report.notes, terminal)
    match output:
        case "table":
            show_table(report, terminal)
        case "json":
            text = json.dumps(report_document(report), ensure_ascii=False, indent=2)
            terminal.data(text + "\n")
        case "csv":
            _show_csv(report, terminal)
        case "markdown":
            from pushctl.view.bounce_markdown import report_markdown

            terminal.data(report_markdown(report))
        case "html":
            from pushctl.view.html_report import bounce_page

            terminal.data(bounce_page(report))
        case _:
            raise AssertionError(f"{output} is no output of a report")


def show_notes(notes: Iterable[Note], terminal: Terminal) -> None:
    """Say on stderr what is odd about lines of the logs."""
    for note in notes:
        place = f"{note.place}: " if note.place else ""
        many = f" ({note.count:,} lines)" if note.count > 1 else ""
        terminal.warn(f"{place}{note.message}{many}")


# -- json -----------------------------------------------------------------------------------------


def report_document(report: Report) -> dict[str, Any]:
    """Return *report* as JSON values: times are RFC 3339 in UTC, shares and rates from 0 to 1."""
    return {
        "schema": SCHEMA,
        "made_at": _json(report.made_at),
        "files": list(report.files),
        "filter": _filter_document(report.filter),
        "begin": _json(report.begin),
        "end": _json(report.end),
        "runs": report.runs,
        "bounces": report.bounces,
        "totals": dataclasses.asdict(report.tally),
        "metrics": _metrics_document(report.metrics),
        "by": [dimension.value for dimension in report.by],
        "groups": [_group_document(group, report) for group in report.groups],
        "reasons": [_group_document(group, None) for group in report.reasons],
        "days": [_day_document(day) for day in report.days],
        "campaigns": [_campaign_document(campaign) for campaign in report.campaigns],
        "hours": [
            {**key._asdict(), "counts": list(counts)}
            for key, counts in zip(report.heat.reasons, report.heat.counts, strict=True)
        ],
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
        "notes": [
            {
                "kind": note.kind.value,
                "message": note.message,
                "place": None if note.place is None else str(note.place),
                "count": note.count,
            }
            for note in report.notes
        ],
        "opens": None if report.opens is None else dataclasses.asdict(report.opens),
    }


def _filter_document(wanted: Filter) -> dict[str, Any]:
    return {field.name: _json(getattr(wanted, field.name)) for field in dataclasses.fields(wanted)}


def _group_document(group: Group, report: Report | None) -> dict[str, Any]:
    names = [dimension.value for dimension in report.by] if report is not None else ["reason"]
    document: dict[str, Any] = {
        "keys": dict(zip(names, group.keys, strict=True)),
        "count": group.count,
        "share": group.share,
        "rate": group.rate,
        "first_seen": _json(group.first_seen),
        "last_seen": _json(group.last_seen),
        "samples": list(group.samples),
        "token_actions": {action.value: number for action, number in group.actions},
    }
    if group.meaning is not None:
        meaning = group.meaning
        document |= {
            **meaning.key._asdict(),
            "description": meaning.description,
            "category": _json(meaning.category),
            "fault": meaning.fault.value,
            "what_to_do": list(meaning.what_to_do),
            "documented": meaning.is_documented,
        }
    return document


def _campaign_document(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign": campaign.name,
        "runs": campaign.runs,
        "first_seen": _json(campaign.first_seen),
        "last_seen": _json(campaign.last_seen),
        "metrics": _metrics_document(campaign.metrics),
        "days": [_day_document(day) for day in campaign.days],
    }


def _day_document(day: Day) -> dict[str, Any]:
    return {"day": day.day.isoformat(), **_metrics_document(day.metrics)}


def _metrics_document(metrics: Metrics) -> dict[str, Any]:
    return {
        "received": metrics.received,
        "opened": metrics.opened,
        "bounced": metrics.bounced,
        "bounce_rate": metrics.bounce_rate,
        "open_rate": metrics.open_rate,
    }


def _json(value: object) -> Any:
    match value:
        case datetime.datetime():
            utc = value.astimezone(datetime.UTC)
            return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
        case Enum():
            return value.value
        case Place():
            return str(value)
        case tuple() | list():
            return [_json(item) for item in value]
        case _:
            return value


# -- csv ------------------------------------------------------------------------------------------


def _show_csv(report: Report, terminal: Terminal) -> None:
    """Write a row for each group; a spreadsheet runs no cell of it as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    by_reason = any(group.meaning for group in report.groups)
    writer.writerow(
        [
            *(dimension.value for dimension in report.by),
            *_CSV_NUMBERS,
            *(_CSV_MEANING if by_reason else ()),
        ]
    )
    for number, group in enumerate(report.groups, 1):
        writer.writerow(_csv_row(group, by_reason))
        if number % _MANY_ROWS == 0:
            terminal.data(buffer.getvalue())
            buffer.seek(0)
            buffer.truncate()
    terminal.data(buffer.getvalue())


_CSV_NUMBERS = (
    "count", "share", "rate", "first_seen", "last_seen", "token_action", "sample_1", "sample_2",
)  # fmt: skip
_CSV_MEANING = ("reason_service", "reason_status", "fault", "description")


def _csv_row(group: Group, by_reason: bool) -> Sequence[object]:
    samples = [*group.samples, None, None][:2]
    row = [
        *(csv_cell(key) for key in group.keys),
        group.count,
        round(group.share, 6),
        None if group.rate is None else round(group.rate, 6),
        _json(group.first_seen),
        _json(group.last_seen),
        " ".join(action.value for action, _ in group.actions),
        *(csv_token(token) for token in samples),
    ]
    if by_reason:
        meaning = group.meaning
        row += (
            ["", "", "", ""]
            if meaning is None
            else [
                csv_cell(meaning.key.service),
                meaning.key.status,
                meaning.fault.value,
                csv_cell(meaning.description),
            ]
        )
    return row
