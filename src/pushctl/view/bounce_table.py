"""The bounce report in the terminal: three metrics, a trend, reasons explained, what stands out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pushctl.report.values import Day, Dimension, Group, Report
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
from pushctl.view.terminal import Terminal
from pushctl.view.words import percent, plural, share_percent

_PIPE_WIDTH = 100
_BAR_MAX = 24
_ROWS_MAX = 50
_ADVICE_MAX = 1
_SPARKS = ("▁▂▃▄▅▆▇█", "_.:-=+*#")
_BARS = (("█", "▏▎▍▌▋▊▉"), ("#", ""))


def show_table(report: Report, terminal: Terminal) -> None:
    """Print *report* for a person; as wide as the terminal, at least 80 columns otherwise."""
    _Table(report, terminal).show()


class _Table:
    def __init__(self, report: Report, terminal: Terminal) -> None:
        self._report, self._terminal = report, terminal
        self._width = terminal.width if terminal.out_is_tty else _PIPE_WIDTH
        self._all = terminal.verbose > 0

    def show(self) -> None:
        """Print the parts, what matters most at the end."""
        self._head()
        self._trend()
        if self._report.by == (Dimension.REASON,):
            self._reasons()
        else:
            self._groups()
        self._campaigns()
        self._findings()

    # -- parts --------------------------------------------------------------------------------

    def _head(self) -> None:
        report = self._report
        self._line(headline(report), "bold")
        if report.begin is not None and report.end is not None:
            first, last = report.begin.date(), report.end.date()
            days = plural((last - first).days + 1, "day")
            self._line(
                self._dotted(day_range(first, last), days, plural(report.runs, "run"), "UTC")
            )
        limits = filter_words(report.filter)
        if limits:
            self._wrapped(limits)
        metrics = report.metrics
        rows = [("Received push", metrics.received, "accepted by the service")]
        if metrics.opened is not None:
            rows.append(
                ("Opened push", metrics.opened, f"{share_percent(metrics.open_rate)} of received")
            )
        rate = f"{share_percent(metrics.bounce_rate)} of received and bounced"
        rows.append(("Bounced push", metrics.bounced, rate))
        width = max(len(f"{number:,}") for _, number, _ in rows)
        self._line()
        for name, number, words in rows:
            self._line(f"{name:<13}  {number:>{width},}  {self._plain(words)}")

    def _trend(self) -> None:
        days = self._report.days
        if len(days) < 2:
            return
        places = max(10, min(self._width - 40, 100))
        size = -(-len(days) // places)
        parts = [days[index : index + size] for index in range(0, len(days), size)]
        self._line()
        self._line("By day" if size == 1 else f"Each mark is {size} days", "bold")
        self._spark("received", parts, _received)
        if self._report.metrics.opened is not None:
            self._spark("opened", parts, _opened)
        self._spark("bounced", parts, _bounced)

    def _spark(
        self, name: str, parts: Sequence[Sequence[Day]], value: Callable[[Day], int]
    ) -> None:
        values = [sum(map(value, part)) for part in parts]
        most = max(values)
        marks = _SPARKS[0 if self._terminal.unicode else 1]
        text = "".join(_spark_mark(number, most, marks) for number in values)
        text = self._terminal.paint(text, _TONES[name], out=True)
        where = parts[values.index(most)][0].day
        self._line(f"{name:<8}  {text}  most {most:,} on {where}")

    def _reasons(self) -> None:
        groups = self._report.groups
        shown = groups if self._all else groups[:_ROWS_MAX]
        if not shown:
            return
        self._line()
        self._line("Reasons", "bold")
        count_width = max(len(f"{group.count:,}") for group in shown)
        share_width = max(len(percent(group.share, 1)) for group in shown)
        bar_width = min(_BAR_MAX, self._width // 5)
        widest = max(group.share for group in shown) or 1
        for group in shown:
            bar = self._bar(group.share / widest, bar_width)
            title = self._terminal.paint(self._title(group), "bold", out=True)
            origin = f"  {service_words(group.meaning.key)}" if group.meaning else ""
            self._line(
                f"{group.count:>{count_width},}  {percent(group.share, 1):>{share_width}}  {bar}"
                f"  {title}{origin}"
            )
            for words in self._about(group):
                self._wrapped(words, indent="    ")
        self._more(len(groups) - len(shown), "reason")

    def _about(self, group: Group) -> Iterator[str]:
        meaning = group.meaning
        if meaning is not None:
            if meaning.description:
                yield meaning.description
            for advice in meaning.what_to_do[: None if self._all else _ADVICE_MAX]:
                yield f"do: {advice}"
        actions = ", ".join(
            f"{action.value} ({ACTION_WORDS[action]})"
            + (f" {number:,}" if len(group.actions) > 1 else "")
            for action, number in group.actions
        )
        fault = f"fault: {meaning.fault.value}; " if meaning is not None else ""
        yield f"{fault}token: {actions}"
        samples = ", ".join(shorten_token(token) for token in group.samples)
        such = f", such as {samples}" if samples else ""
        yield f"seen {moment(group.first_seen)} to {moment(group.last_seen)}{such}"

    def _groups(self) -> None:
        report = self._report
        shown = report.groups if self._all else report.groups[:_ROWS_MAX]
        if not shown:
            return
        self._line()
        titles = [dimension.value for dimension in report.by]
        rows = [
            [
                *(printable(key, 60) if key is not None else self._dash() for key in group.keys),
                f"{group.count:,}",
                percent(group.share, 1),
                self._plain(share_percent(group.rate)),
                f"{moment(group.first_seen)}",
                f"{moment(group.last_seen)}",
            ]
            for group in shown
        ]
        self._print(
            [*titles, "bounced", "share", "rate", "first seen", "last seen"],
            rows,
            numbers=range(len(titles), len(titles) + 3),
            flexible=range(len(titles)),
        )
        self._more(len(report.groups) - len(shown), "row")

    def _campaigns(self) -> None:
        campaigns = self._report.campaigns
        if (
            not any(campaign.name for campaign in campaigns)
            or Dimension.CAMPAIGN in self._report.by
        ):
            return
        shown = campaigns if self._all else campaigns[:_ROWS_MAX]
        opened = self._report.metrics.opened is not None
        rows = []
        for campaign in shown:
            metrics = campaign.metrics
            name = printable(campaign.name, 60) if campaign.name else "(none)"
            row = [name, f"{campaign.runs:,}", f"{metrics.received:,}"]
            row += [f"{metrics.opened or 0:,}"] if opened else []
            rows.append(
                [*row, f"{metrics.bounced:,}", self._plain(share_percent(metrics.bounce_rate))]
            )
        titles = [
            "campaign",
            "runs",
            "received",
            *(["opened"] if opened else []),
            "bounced",
            "rate",
        ]
        self._line()
        self._print(titles, rows, numbers=range(1, len(titles)), flexible=range(1))
        self._more(len(campaigns) - len(shown), "campaign")

    def _findings(self) -> None:
        if not self._report.findings:
            return
        self._line()
        self._line("What stands out", "bold")
        for number, finding in enumerate(self._report.findings, 1):
            first = f"{number:>2}. "
            self._wrapped(finding.sentence, indent=first, style="yellow")
            self._wrapped(finding.advice, indent="    ")
            if finding.command:
                self._line(f"    $ {printable(finding.command, 400)}", "cyan")

    # -- means --------------------------------------------------------------------------------

    def _print(
        self,
        titles: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        numbers: range,
        flexible: range,
    ) -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for index, title in enumerate(titles):
            justify: Any = "right" if index in numbers else "left"
            table.add_column(title, justify=justify, no_wrap=index not in flexible, overflow="fold")
        for row in rows:
            table.add_row(*row)
        console = self._terminal.console(out=True)
        with console.capture() as capture:
            console.print(table)
        for line in capture.get().splitlines():
            self._terminal.data(line.rstrip() + "\n")

    def _bar(self, share: float, width: int) -> str:
        full, parts = _BARS[0 if self._terminal.unicode else 1]
        eighths = max(1, round(share * width * 8))
        text = full * (eighths // 8)
        if eighths % 8 and parts:
            text += parts[eighths % 8 - 1]
        return self._terminal.paint(f"{text or full:<{width}}", "red", out=True)

    def _title(self, group: Group) -> str:
        if group.meaning is None:
            return printable(group.keys[0] or self._dash(), 120)
        return reason_title(group.meaning.key)

    def _line(self, text: str = "", style: str | None = None) -> None:
        self._terminal.data(self._terminal.paint(text, style, out=True) + "\n")

    def _wrapped(self, text: str, *, indent: str = "", style: str | None = None) -> None:
        clean = self._plain(printable(text, 4096))
        if not self._terminal.out_is_tty:
            self._line(indent + clean, style)
            return
        rest = " " * len(indent)
        for line in textwrap.wrap(
            clean,
            self._width,
            initial_indent=indent,
            subsequent_indent=rest,
            break_on_hyphens=False,
        ):
            self._line(line, style)

    def _more(self, number: int, word: str) -> None:
        if number > 0:
            self._line(f"{plural(number, word)} more; -v shows all")

    def _dotted(self, *parts: str) -> str:
        return (" · " if self._terminal.unicode else ", ").join(parts)

    def _dash(self) -> str:
        return "–" if self._terminal.unicode else "-"

    def _plain(self, text: str) -> str:
        return text if self._terminal.unicode else text.replace("–", "-").replace("…", "..")


_TONES = {"received": "cyan", "opened": "green", "bounced": "red"}


def _received(day: Day) -> int:
    return day.metrics.received


def _opened(day: Day) -> int:
    return day.metrics.opened or 0


def _bounced(day: Day) -> int:
    return day.metrics.bounced


def _spark_mark(number: int, most: int, marks: str) -> str:
    """Return the mark of *number*; a blank for nothing, so that quiet days are seen as such."""
    if number <= 0 or most <= 0:
        return " "
    return marks[min(len(marks) - 1, number * len(marks) // most)]
