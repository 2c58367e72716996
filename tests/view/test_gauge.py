"""Tests of the line that says how far a long look has come."""

import io

from pushctl.view.gauge import Gauge
from pushctl.view.terminal import Terminal


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def gauge(*, animate: bool, quiet: int = 0) -> tuple[Gauge, Clock, io.StringIO]:
    """Return a gauge, its clock and what it writes."""
    clock, written = Clock(), io.StringIO()
    terminal = Terminal(io.StringIO(), written, animate=animate, quiet=quiet)
    return Gauge(terminal, clock=clock), clock, written


def test_a_short_look_shows_nothing() -> None:
    """What is over in two seconds needs no progress."""
    shown, clock, written = gauge(animate=True)
    with shown:
        clock.now = 1.9
        shown.show("checked", 1, 2)
    assert "" == written.getvalue()


def test_a_long_look_shows_its_share_and_takes_the_line_away() -> None:
    """The line is drawn over itself, at most ten times a second, and gone in the end."""
    shown, clock, written = gauge(animate=True)
    with shown:
        clock.now = 2.5
        shown.show("checked", 1_000, 4_000)
        clock.now = 2.55
        shown.show("checked", 2_000, 4_000)
    assert "\r\x1b[K 25%  checked 1,000 of 4,000\r\x1b[K" == written.getvalue()


def test_without_animation_a_line_is_said_twice_a_minute() -> None:
    """The log of a pipeline gets a sign of life and no control characters."""
    shown, clock, written = gauge(animate=False)
    with shown:
        for clock.now in (5.0, 31.0, 40.0):
            shown.show("read", 3, 0)
    assert "progress: –  read 3 of 0\n" == written.getvalue()
