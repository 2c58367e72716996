"""Progress of a run: one block for a person, plain lines for a log."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pushctl.outcome import Kind
from pushctl.rules.text import printable
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    from rich.live import Live

_RATE_OVER_S = 5.0
PLAIN_EVERY_S = 30.0
_SHOW_AFTER_S = 0.5
_DRAW_EVERY_S = 0.2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where a run stands.  Times are seconds unless they say otherwise."""

    elapsed_s: float
    total: int
    totals: Mapping[Kind, int]
    retrying: int = 0
    in_flight: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    reasons: Sequence[tuple[str, int]] = ()
    """The most frequent reasons with their counts."""

    @property
    def done(self) -> int:
        """Return how many rows have ended."""
        return sum(self.totals.values())


class Pace:
    """The rate over the last seconds, and the time that is left at it."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def add(self, snapshot: Snapshot) -> tuple[float, float | None]:
        """Return rows a second, and the seconds left (``None`` where the rate is nought)."""
        points = self._points
        points.append((snapshot.elapsed_s, snapshot.done))
        while len(points) > 2 and points[1][0] < snapshot.elapsed_s - _RATE_OVER_S:
            points.popleft()
        (begun, first), (now, last) = points[0], points[-1]
        if len(points) < 2 or now <= begun:
            begun, first = 0.0, 0
        rate = (last - first) / (now - begun) if now > begun else 0.0
        left = max(0, snapshot.total - snapshot.done)
        return rate, (left / rate if rate > 0 else None)


def block(
    snapshot: Snapshot, rate: float, left_s: float | None, width: int, unicode: bool
) -> list[str]:
    """Return the lines of the block: bar, outcomes, reasons, latency.  None is over *width*."""
    share = snapshot.done / snapshot.total if snapshot.total else 1.0
    numbers = f" {snapshot.done:,}/{snapshot.total:,}  {rate:,.0f}/s"
    numbers += f"  {clock(left_s)} left" if left_s is not None else ""
    room = max(10, min(40, width - len(numbers) - 7))
    full = round(share * room)
    on, off = ("█", "░") if unicode else ("#", ".")
    totals = snapshot.totals
    outcome = (
        f"accepted {totals.get(Kind.ACCEPTED, 0):,}  rejected {totals.get(Kind.REJECTED, 0):,}"
    )
    outcome += f"  retrying {snapshot.retrying:,}  in flight {snapshot.in_flight:,}"
    for kind, word in ((Kind.UNKNOWN, "unknown"), (Kind.SKIPPED, "skipped")):
        if totals.get(kind):
            outcome += f"  {word} {totals[kind]:,}"
    lines = [f"{share:4.0%} {on * full}{off * (room - full)}{numbers}", outcome]
    if snapshot.reasons:
        words = (f"{printable(name, 40)} {number:,}" for name, number in snapshot.reasons)
        lines.append("  ".join(words))
    if snapshot.p50_ms is not None:
        lines.append(f"latency p50 {snapshot.p50_ms} ms  p95 {snapshot.p95_ms} ms")
    return [line[:width] for line in lines]


def line(snapshot: Snapshot, rate: float, left_s: float | None) -> str:
    """Return the same in one line for a log."""
    totals = snapshot.totals
    parts = [f"{snapshot.done:,}/{snapshot.total:,}", f"{rate:,.0f}/s"]
    parts += [f"{kind.value} {totals[kind]:,}" for kind in Kind if totals.get(kind)]
    if snapshot.retrying:
        parts.append(f"retrying {snapshot.retrying:,}")
    if snapshot.p50_ms is not None:
        parts.append(f"p50 {snapshot.p50_ms} ms p95 {snapshot.p95_ms} ms")
    if left_s is not None:
        parts.append(f"{clock(left_s)} left")
    return "progress: " + ", ".join(parts)


def clock(seconds: float) -> str:
    """Return *seconds* as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds_left:02}"
    return f"{minutes}:{seconds_left:02}"


class ProgressDisplay:
    """Shows snapshots as the terminal wants them.  Call :meth:`tick` often; it draws seldom."""

    def __init__(self, terminal: Terminal, *, plain: bool, interval_s: float) -> None:
        """*plain* asks for lines even on a terminal; *interval_s* is the time between them."""
        self._terminal = terminal
        self._plain = plain or not terminal.animate
        self._interval_s = interval_s
        self._pace = Pace()
        self._live: Live | None = None
        self._drawn_at = 0.0

    def tick(self, snapshot: Snapshot) -> None:
        """Draw *snapshot* if it is time."""
        since = snapshot.elapsed_s - self._drawn_at
        if self._plain:
            if since >= self._interval_s:
                self.print_now(snapshot)
        elif snapshot.elapsed_s >= _SHOW_AFTER_S and since >= _DRAW_EVERY_S:
            self._drawn_at = snapshot.elapsed_s
            self._draw(snapshot)

    def print_now(self, snapshot: Snapshot) -> None:
        """Print one plain line at once (a signal asked for it)."""
        self._drawn_at = snapshot.elapsed_s
        if self._terminal.quiet == 0:
            text = line(snapshot, *self._pace.add(snapshot))
            if self._live is not None:
                self._live.console.print(text)
            else:
                self._terminal.say(text)

    def close(self) -> None:
        """Take the block off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, snapshot: Snapshot) -> None:
        from rich.live import Live
        from rich.text import Text

        terminal = self._terminal
        if self._live is None:
            console = terminal.console(out=False, animated=True)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        rate, left_s = self._pace.add(snapshot)
        lines = block(snapshot, rate, left_s, terminal.width - 1, terminal.unicode)
        self._live.update(Text("\n".join(lines)), refresh=True)
