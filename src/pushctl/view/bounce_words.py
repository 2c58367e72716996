"""How a bounce report says things, whatever it is rendered as.  Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from pushctl.outcome import TokenAction
from pushctl.report.values import Filter, ReasonKey, Report
from pushctl.rules.text import printable
from pushctl.view.words import SERVICE_NAMES, plural, share_percent

_TITLE_MAX = 120

ACTION_WORDS: Mapping[TokenAction, str] = {
    TokenAction.KEEP: "the token is not at fault",
    TokenAction.REMOVE: "dead, unless it was registered again since",
    TokenAction.SUSPECT: "does not fit, which does not prove it dead",
    TokenAction.CHECK_ENVIRONMENT: "sandbox and production are two worlds",
}
"""Why a token is to be treated so, in few words."""


def headline(report: Report) -> str:
    """Return what the report comes to, in one line."""
    metrics = report.metrics
    if not metrics.bounced:
        if report.filter.reasons:
            return "No push bounced for " + " or ".join(report.filter.reasons)
        if not metrics.received:  # what was sent and never answered may be there all the same
            return "No push was accepted, none bounced"
        return f"None of {metrics.received:,} pushes bounced"
    total = metrics.received + metrics.bounced
    if report.filter.reasons or not metrics.received:
        return plural(metrics.bounced, "push") + " bounced"
    return f"{share_percent(metrics.bounce_rate)} of {total:,} pushes bounced"


def filter_words(wanted: Filter) -> str | None:
    """Return what the report is limited to, or ``None``."""
    parts = [
        f"{name} {' or '.join(values)}"
        for name, values in (
            ("campaign", wanted.campaigns),
            ("run", wanted.runs),
            ("service", wanted.services),
            ("reason", wanted.reasons),
        )
        if values
    ]
    if wanted.since is not None:
        parts.append(f"what came since {moment(wanted.since)}")
    if wanted.until is not None:
        parts.append(f"what came before {moment(wanted.until)}")
    return f"Limited to {', '.join(parts)}." if parts else None


def moment(time: datetime.datetime) -> str:
    """Return day and minute of *time* in UTC."""
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"


def day_range(first: datetime.date, last: datetime.date) -> str:
    """Return the days from *first* to *last*, such as ``28 Oct to 24 Nov 2026``."""
    if first == last:
        return f"{last.day} {last:%B %Y}"
    begin = f"{first.day} {first:%b}" + ("" if first.year == last.year else f" {first.year}")
    return f"{begin} to {last.day} {last:%b} {last.year}"


def reason_title(key: ReasonKey) -> str:
    """Return the reason's name and which of its meanings it is."""
    name = key.reason or (f"HTTP {key.status}" if key.status else "no reason given")
    return printable(f"{name} ({key.case})" if key.case else name, _TITLE_MAX)


def service_words(key: ReasonKey) -> str:
    """Return who answered so and with which status; or that nobody was asked."""
    if key.status is None:
        return "not sent"
    service = SERVICE_NAMES.get(key.service or "", printable(key.service or "", 40))
    return f"{service} {key.status}" if service else str(key.status)


def hours_sentence(title: str, counts: Sequence[int]) -> str:
    """Return when *title* comes up, for one who cannot see the colours of the hours."""
    most = max(range(len(counts)), key=counts.__getitem__)
    return (
        f"{title} by hour of the day: {sum(counts):,} in all, most between {most:02d}:00"
        f" and {most:02d}:59 UTC ({counts[most]:,})."
    )
