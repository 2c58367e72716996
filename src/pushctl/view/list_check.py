"""Shows what was found in audience files: a table, json, csv, annotations of GitHub Actions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pushctl.audience.checking import Finding, Level, ListCheck, Spot
from pushctl.errors import Problem
from pushctl.outcome import Service
from pushctl.rules.text import printable
from pushctl.view.github import AnnotationLevel, annotation
from pushctl.view.outcomes import csv_cell, csv_token, wrapped
from pushctl.view.terminal import Terminal
from pushctl.view.words import SERVICE_NAMES, plural

CSV_COLUMNS = ("source", "finding", "level", "profile", "token", "detail")

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "bold yellow", Level.NOTE: "bold"}
_MARKS = {Level.ERROR: "rejected", Level.WARNING: "not_sent", Level.NOTE: "skipped"}
_GITHUB: Mapping[Level, AnnotationLevel] = {
    Level.ERROR: "error",
    Level.WARNING: "warning",
    Level.NOTE: "notice",
}


def show_list_check(check: ListCheck, terminal: Terminal) -> None:
    """Print the findings, the gravest first, each with its first rows."""
    for finding in check.ranked():
        mark = terminal.mark(_MARKS[finding.level])
        title = f"{mark} {finding.count:,} x {finding.name}, {finding.level.value}"
        terminal.data(terminal.paint(title, _STYLES[finding.level], out=True) + "\n")
        wrapped(terminal, "", finding.detail)
        for line in _places(finding):
            wrapped(terminal, "", line)
    terminal.data(summary_line(check, terminal) + "\n")


def summary_line(check: ListCheck, terminal: Terminal) -> str:
    """Return in one line how many there are and how many would be sent to."""
    services = [
        f"{SERVICE_NAMES[service]} {check.sendable[service]:,}"
        for service in Service
        if check.sendable[service]
    ]
    who = f" ({', '.join(services)})" if services else ""
    found = sum(one.count for one in check.findings.values() if one.level is Level.ERROR)
    doubted = sum(one.count for one in check.findings.values() if one.level is Level.WARNING)
    parts = [plural(check.rows, "input"), f"{check.sendable.total():,} to send to{who}"]
    parts += [plural(number, word) for number, word in ((found, "error"), (doubted, "warning"))]
    return (" · " if terminal.unicode else ", ").join(parts)


def list_check_document(check: ListCheck) -> dict[str, Any]:
    """Return the ``-o json`` document."""
    return {
        "files": check.description,
        "rows": check.rows,
        "sendable": {service.value: check.sendable[service] for service in Service},
        "consent": check.consent,
        "sound": check.is_sound,
        "findings": [
            {
                "finding": finding.name,
                "level": finding.level.value,
                "count": finding.count,
                "detail": finding.detail,
                "rows": [
                    {"source": spot.source, "profile": spot.profile, "detail": spot.detail}
                    for spot in finding.spots
                ],
            }
            for finding in check.ranked()
        ],
    }


def list_check_annotations(check: ListCheck) -> Iterable[str]:
    """Yield an annotation for each row that is kept, and for what is about the whole."""
    for finding in check.ranked():
        level = _GITHUB[finding.level]
        for spot in finding.spots:
            file, _, line = spot.source.rpartition(":")
            place = (file, int(line)) if file and line.isdecimal() else (spot.source, None)
            yield annotation(level, spot.detail, title=finding.name, file=place[0], line=place[1])
        left = finding.count - len(finding.spots)
        if left and finding.spots:
            yield annotation(level, f"{left:,} more rows like these", title=finding.name)
        elif left:
            yield annotation(level, finding.detail, title=finding.name)


def problem_annotation(problem: Problem) -> str:
    """Return the annotation for a file that is broken as a whole."""
    place = problem.place
    message = problem.message + (f"; {problem.hint}" if problem.hint else "")
    if place is None:
        return annotation("error", message)
    return annotation("error", message, file=place.file, line=place.line, column=place.column)


class SpotWriter:
    """Writes every row that something was found about as csv, as it is found."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer, lineterminator="\n")
        self._writer.writerow(CSV_COLUMNS)

    def add(self, spot: Spot) -> None:
        """Write one row."""
        self._writer.writerow(
            (
                csv_cell(spot.source),
                spot.name,
                spot.level.value,
                csv_cell(spot.profile),
                csv_token(spot.token),
                csv_cell(spot.detail),
            )
        )
        if self._buffer.tell() > _WRITTEN_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        self._terminal.data(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()


_WRITTEN_AT_ONCE = 1 << 16


def _places(finding: Finding) -> Iterator[str]:
    """Yield where rows are: each with what it shows, or all on a line where that is the same."""
    places = [printable(spot.source, 200) for spot in finding.spots]
    left = finding.count - len(places)
    more = f"and {left:,} more"
    if all(spot.detail == finding.detail for spot in finding.spots):
        if places:
            yield "at: " + ", ".join(places) + (f" {more}" if left else "")
        return
    for place, spot in zip(places, finding.spots, strict=True):
        yield f"at: {place}: {spot.detail}"
    if left:
        yield more
