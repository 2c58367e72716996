"""The bounce report as Markdown: for a ticket, a chat or the summary of a CI job.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pushctl.report.values import Dimension, Metrics, Report
from pushctl.rules.text import printable, shorten_token
from pushctl.view.bounce_words import (
    ACTION_WORDS,
    day_range,
    filter_words,
    headline,
    moment,
    reason_title,
    service_words,
)
from pushctl.view.html_report.page import ACCEPTED_MEANS
from pushctl.view.words import percent, plural, share_percent

_ROWS_MAX = 100
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&$])")
_BLOCK_START = re.compile(r"\A(?:(\d+)(?=[.)](?:\s|\Z))|(?=[-+=#]))")
"""Behind this belongs the backslash: before a digit it would be shown."""
_LINKED_BY_ITSELF = re.compile(r"(@|#(?=\d)|:(?=//)|\bwww(?=\.))", re.I)
"""What GitHub makes a mention, a reference or a link of, without any brackets."""


def report_markdown(report: Report) -> str:
    """Return *report* as GitHub-flavoured Markdown in which no foreign text is markup."""
    parts = [
        _head(report),
        _findings(report),
        _metrics(report),
        _reasons(report),
        _groups(report),
        _campaigns(report),
        _notes(report),
        f"{ACCEPTED_MEANS} Times are UTC.\n",
    ]
    return "\n".join(part for part in parts if part)


def _head(report: Report) -> str:
    lines = [f"# {escaped(headline(report))}", ""]
    if report.begin is not None and report.end is not None:
        period = day_range(report.begin.date(), report.end.date())
        lines.append(f"{period}, {plural(report.runs, 'run')}.")
    limits = filter_words(report.filter)
    return "\n".join([*lines, *([escaped(limits)] if limits else []), ""])


def _findings(report: Report) -> str:
    lines = []
    for number, finding in enumerate(report.findings, 1):
        lines.append(f"{number}. **{escaped(finding.sentence)}** {escaped(finding.advice)}")
        if finding.command:
            lines.append(f"   {_code(finding.command)}")
    return _titled("What stands out", lines)


def _metrics(report: Report) -> str:
    rows = [["all", *_metric_cells(report.metrics)]]
    rows += [[f"{day.day}", *_metric_cells(day.metrics)] for day in report.days[-_ROWS_MAX:]]
    if not report.days:
        return ""
    return _titled("By day", _table(("day", *_METRICS), rows, numbers=len(_METRICS)))


_METRICS = ("received", "opened", "bounced", "bounce rate")


def _metric_cells(metrics: Metrics) -> list[str]:
    opened = "–" if metrics.opened is None else f"{metrics.opened:,}"
    rate = share_percent(metrics.bounce_rate)
    return [f"{metrics.received:,}", opened, f"{metrics.bounced:,}", rate]


def _reasons(report: Report) -> str:
    rows = []
    for group in report.reasons[:_ROWS_MAX]:
        key = group.meaning.key if group.meaning else None
        name = f"**{escaped(reason_title(key) if key else group.keys[0] or '–')}**"
        meaning = group.meaning
        what = escaped(meaning.description) if meaning else ""
        todo = " ".join(escaped(step) for step in meaning.what_to_do[:2]) if meaning else ""
        tokens = ", ".join(
            f"{action.value} ({ACTION_WORDS[action]})" for action, _ in group.actions
        )
        samples = ", ".join(_code(shorten_token(token)) for token in group.samples)
        rows.append(
            [
                f"{name} {escaped(service_words(key))}" if key else name,
                f"{group.count:,}",
                percent(group.share, 1),
                what,
                todo,
                escaped(tokens),
                f"{moment(group.first_seen)} to {moment(group.last_seen)}",
                samples,
            ]
        )
    titles = ("reason", "count", "share", "meaning", "what to do", "token", "seen", "such as")
    return _titled("Reasons", _table(titles, rows, numbers=0)) if rows else ""


def _groups(report: Report) -> str:
    if report.by == (Dimension.REASON,) or not report.groups:
        return ""
    names = [dimension.value for dimension in report.by]
    rows = [
        [
            *(escaped(key) if key is not None else "–" for key in group.keys),
            f"{group.count:,}",
            percent(group.share, 1),
            share_percent(group.rate),
        ]
        for group in report.groups[:_ROWS_MAX]
    ]
    lines = _table((*names, "bounced", "share", "bounce rate"), rows, numbers=3)
    more = len(report.groups) - len(rows)
    if more > 0:
        lines += ["", f"{plural(more, 'row')} more."]
    return _titled(f"By {' and '.join(names)}", lines)


def _campaigns(report: Report) -> str:
    if not any(campaign.name for campaign in report.campaigns):
        return ""
    rows = [
        [
            escaped(campaign.name) if campaign.name else "(none)",
            f"{campaign.runs:,}",
            *_metric_cells(campaign.metrics),
        ]
        for campaign in report.campaigns[:_ROWS_MAX]
    ]
    titles = ("campaign", "runs", *_METRICS)
    return _titled("Campaigns", _table(titles, rows, numbers=len(titles) - 1))


def _notes(report: Report) -> str:
    lines = [
        f"- {escaped(str(note.place)) + ': ' if note.place else ''}{escaped(note.message)}"
        for note in report.notes
    ]
    return _titled("About the logs", lines)


def escaped(text: str) -> str:
    """Return *text* on one line, shown as it is: nothing in it is markup, a link or a mention."""
    clean = _SPECIAL.sub(r"\\\1", printable(text, 2000))
    return _LINKED_BY_ITSELF.sub("\\1\u200b", _BLOCK_START.sub(r"\1\\", clean))


def _code(text: str) -> str:
    clean = printable(text, 400).replace("|", "¦")
    fence = "``" if "`" in clean else "`"
    return f"{fence} {clean} {fence}" if "`" in clean else f"`{clean}`"


def _titled(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *lines, ""]) if lines else ""


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int) -> list[str]:
    """Return a table whose last *numbers* columns stand at the right."""

    def lines() -> Iterator[str]:
        first_number = len(titles) - numbers
        yield f"| {' | '.join(titles)} |"
        marks = ("---:" if index >= first_number else "---" for index in range(len(titles)))
        yield f"| {' | '.join(marks)} |"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    return list(lines())
