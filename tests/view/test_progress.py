"""Progress, as a block and as lines."""

import io

import pytest

from pushctl.outcome import Kind
from pushctl.view.progress import Pace, ProgressDisplay, Snapshot, block, clock, line
from pushctl.view.terminal import Terminal


def snapshot(elapsed_s: float = 10.0, accepted: int = 400, **more: object) -> Snapshot:
    values: dict[str, object] = {
        "elapsed_s": elapsed_s,
        "total": 1000,
        "totals": {Kind.ACCEPTED: accepted, Kind.REJECTED: 100},
        "retrying": 3,
        "in_flight": 7,
        "p50_ms": 40,
        "p95_ms": 90,
        "reasons": [("Unregistered", 90), ("BadDeviceToken", 10)],
    }
    return Snapshot(**(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_of_the_block_is_wider_than_the_terminal(width: int) -> None:
    """A wrapped line would scroll the block away."""
    lines = block(snapshot(), 1234.0, 65.0, width, True)
    assert all(len(text) <= width for text in lines)
    assert lines[0].startswith(" 50% ")


def test_the_block_tells_counts_rate_reasons_and_latency() -> None:
    """Everything a person watches is on the screen."""
    text = "\n".join(block(snapshot(totals={Kind.UNKNOWN: 2}), 1234.0, 65.0, 120, False))
    for words in ("2/1,000", "1,234/s", "1:05 left", "unknown 2", "Unregistered 90", "p95 90 ms"):
        assert words in text


def test_a_line_for_a_log_holds_the_same_without_marks() -> None:
    """It can be read by people and cut by machines."""
    assert line(snapshot(), 50.0, 10.0) == (
        "progress: 500/1,000, 50/s, accepted 400, rejected 100, retrying 3, p50 40 ms p95 90 ms,"
        " 0:10 left"
    )


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A slow start does not drag the estimate down for the rest of the run."""
    pace = Pace()
    rate = 0.0
    for second in range(1, 31):
        done = second if second < 15 else 14 + (second - 14) * 10
        rate, left = pace.add(snapshot(float(second), done, totals={Kind.ACCEPTED: done}))
    assert 10.0 == pytest.approx(rate, rel=0.15)
    assert left == pytest.approx((1000 - done) / rate)
    assert (0.0, None) == Pace().add(snapshot(0.0, totals={}))


def test_clock_times_are_short() -> None:
    """Minutes and seconds, hours only where there are any."""
    assert ["0:05", "1:05", "2:00:01"] == [clock(value) for value in (5, 65, 7201)]


def test_plain_progress_prints_a_line_each_interval_and_on_demand() -> None:
    """Nothing in between; a signal prints at once."""
    terminal = Terminal(io.StringIO(), io.StringIO())
    display = ProgressDisplay(terminal, plain=False, interval_s=30.0)
    for second in range(1, 65):
        display.tick(snapshot(float(second)))
    display.print_now(snapshot(64.5))
    display.close()
    assert isinstance(terminal.stderr, io.StringIO)
    assert 3 == terminal.stderr.getvalue().count("progress: ")


def test_an_animated_block_is_taken_off_the_screen_at_the_end() -> None:
    """The block is drawn in place, log lines go above it, and the screen is clean afterwards."""
    terminal = Terminal(io.StringIO(), io.StringIO(), err_is_tty=True, animate=True)
    display = ProgressDisplay(terminal, plain=False, interval_s=30.0)
    display.tick(snapshot(0.1))
    display.tick(snapshot(1.0))
    display.print_now(snapshot(1.1))
    display.close()
    assert isinstance(terminal.stderr, io.StringIO)
    written = terminal.stderr.getvalue()
    assert "accepted 400" in written
    assert "progress: " in written
    assert written.endswith(("\x1b[2K", "\x1b[?25h"))
