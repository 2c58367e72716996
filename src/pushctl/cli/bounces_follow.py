"""``pushctl bounces follow``: bounces as they happen, each reason explained."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pushctl.cli.bounces import MaskTokensOption, chosen_services, mask_key_for
from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    QuietOption,
    VerboseOption,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode

if TYPE_CHECKING:
    from pushctl.records.following import Follower
    from pushctl.records.reading import Bounce, Wanted
    from pushctl.view.bounce_stream import BounceStream
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "jsonl")
_LOOK_EVERY_S = 0.25

HELP = """
Show bounces as they happen, and explain each reason the first time it comes up.

Goes on through rotation, truncation and a log that is not there yet. Ctrl-C ends it with a summary.
"""
EPILOG = """
Examples:

  pushctl bounces follow

  pushctl bounces follow --campaign spring --lines 0

  pushctl bounces follow -o jsonl | jq .reason

Exit codes: 130 ended by Ctrl-C, 143 terminated, 0 when the reader of its output went away.
"""


def register(bounces: typer.Typer) -> None:
    """Add the command to the group *bounces*."""
    bounces.command("follow", help=HELP, epilog=EPILOG)(follow)


def follow(
    log: Annotated[
        str | None,
        typer.Argument(metavar="LOG", help="The log; default: that of the configuration."),
    ] = None,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=0, help="So many earlier bounces are shown first.")
    ] = 10,
    campaign: Annotated[
        list[str] | None, typer.Option("--campaign", metavar="NAME", help="Only of this campaign.")
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option("--run", metavar="ID", help="Only of this run.")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option("--service", metavar="apns|fcm", help="Only by this one.")
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option("--reason", metavar="REASON", help="Only for this reason.")
    ] = None,
    mask_tokens: MaskTokensOption = False,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    from pushctl.records.following import Follower
    from pushctl.records.reading import Wanted
    from pushctl.view.bounce_stream import BounceStream

    terminal = make_terminal(quiet, verbose, color)
    path = _log_path(log, config)
    wanted = Wanted(
        tuple(campaign or ()), tuple(run or ()), chosen_services(service), tuple(reason or ())
    )
    stream = BounceStream(terminal, output, mask_key_for(config) if mask_tokens else None)
    begun = time.monotonic()
    with _signalled() as signalled, Follower(path) as follower:
        watch = _Watch(follower, stream, terminal, wanted)
        watch.begin(lines)
        number = None
        while number is None and not terminal.stdout_closed:
            number = signalled(_LOOK_EVERY_S)
            watch.look()
    stream.summary(time.monotonic() - begun)
    return int(ExitCode.OK) if number is None else 128 + number


@contextmanager
def _signalled() -> Iterator[Callable[[float], int | None]]:
    """
    Take SIGINT and SIGTERM as the wish to end.

    Yields a function that waits so many seconds and returns the number of the signal that came,
    or ``None``.
    """
    reading, writing = os.pipe()
    before: dict[int, Any] = {}

    def note(number: int, _frame: object) -> None:
        os.write(writing, bytes([number]))
        for known, handler in before.items():
            signal.signal(known, handler)  # a second one ends the process at once

    def wait(seconds: float) -> int | None:
        ready, _, _ = select.select([reading], [], [], seconds)
        return os.read(reading, 1)[0] if ready else None

    for ending in (signal.SIGINT, signal.SIGTERM):
        before[ending] = signal.signal(ending, note)
    try:
        yield wait
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)
        os.close(reading)
        os.close(writing)


def _log_path(log: str | None, config: str | None) -> Path:
    if log is not None:
        return Path(log)
    from pushctl.cli.settings import settings_for

    return settings_for(config, ()).bounce_log


class _Watch:
    """Carries what happens to the log to the view."""

    def __init__(
        self,
        follower: Follower,
        stream: BounceStream,
        terminal: Terminal,
        wanted: Wanted,
    ) -> None:
        self._follower, self._stream, self._terminal = follower, stream, terminal
        self._wanted = wanted
        self._live = False
        """Whether what is read now was written since we came."""

    def begin(self, lines: int) -> None:
        """Show the last *lines* wanted bounces."""
        there = self._follower.begin(lines, lambda text: self._bounce(text) is not None)
        path = self._follower.path
        self._terminal.say(f"following {path}" if there else f"waiting for {path}")
        self.look()

    def look(self) -> None:
        """Show what has happened since the last look."""
        from pushctl.records.following import Dropped, Line, Replaced

        for what in self._follower.poll():
            match what:
                case Line(at, text):
                    self._live = self._live or at >= self._follower.begun_at
                    self._line(at, text)
                case Dropped(at, size):
                    self._odd(at, f"a line of {size:,} bytes is none of a bounce log")
                case Replaced(how):
                    self._live = True
                    self._replaced(how)

    def _line(self, at: int, text: bytes) -> None:
        from pushctl.records.reading import (
            Bounce,
            CountsAdded,
            Foreign,
            RunEnded,
            Wanted,
            read_line,
        )

        match read_line(text):
            case Bounce(record) as bounce:
                if self._wanted.bounce(record):
                    self._stream.bounce(bounce, live=self._live)
            case CountsAdded(run, campaign, service) as added if self._live:
                if self._wanted.sent_by(run, campaign, service) and not self._wanted.reasons:
                    self._stream.counts(added)
            case RunEnded(run, campaign) as ended if self._live:
                if Wanted(self._wanted.campaigns, self._wanted.runs).sent_by(run, campaign, None):
                    self._stream.run_ended(ended)
            case Foreign(why):
                self._odd(at, why)
            case _:
                pass  # what the runs said before we came

    def _bounce(self, text: bytes) -> Bounce | None:
        from pushctl.records.reading import Bounce, read_line

        read = read_line(text)
        return read if isinstance(read, Bounce) and self._wanted.bounce(read.record) else None

    def _odd(self, at: int, why: str) -> None:
        name = self._follower.path
        self._terminal.warn(f"{name}: the line at byte {at:,} {why}; passed over")

    def _replaced(self, how: str) -> None:
        path = self._follower.path
        if how == "truncated":
            self._terminal.warn(f"{path} was cut; what it holds now is shown from its beginning")
        elif how == "gone":
            self._terminal.say(f"{path} is not there any more; waiting for a new one")
        else:
            self._terminal.say(f"{path} was rotated" if how == "rotated" else f"{path} is there")
