"""``pushctl bounces list``: single bounces, newest first."""

from __future__ import annotations

import datetime
import difflib
import itertools
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli.bounces import (
    CampaignOption,
    LogsArgument,
    MaskTokensOption,
    ReasonOption,
    RunOption,
    ServiceOption,
    SinceOption,
    StrictOption,
    UntilOption,
    chosen_bounces,
    exit_code_of,
    find_logs_for,
    mask_key_for,
)
from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    QuietOption,
    announce_stdin,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import UsageError

if TYPE_CHECKING:
    from pushctl.records.record import Record

OUTPUTS = ("table", "json", "jsonl", "csv")
_SHOWN_IN_A_TABLE = 50

HELP = """
List bounces one by one, newest first.

A table shows the newest 50, the other outputs all. LOG is a file, a pattern, or - for stdin; also
.gz and .zst. Default: the configured log with its rotated files.
"""
EPILOG = """
Examples:

  pushctl bounces list

  pushctl bounces list --reason BadDeviceToken --since 7d -o csv > bad.csv

  pushctl bounces list --campaign spring --fields time,profile,reason,token

  pushctl bounces list --reason TooManyRequests -o jsonl > again.jsonl

Exit codes: 0 listed, 1 foreign lines and --strict, 2 usage, 3 a file cannot be read.
"""


def register(bounces: typer.Typer) -> None:
    """Add the command to the group *bounces*."""
    bounces.command("list", help=HELP, epilog=EPILOG)(list_command)


def list_command(
    logs: LogsArgument = None,
    since: SinceOption = None,
    until: UntilOption = None,
    campaign: CampaignOption = None,
    run: RunOption = None,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--limit",
            min=0,
            show_default=False,
            help="So many at most; 0 is all (50 in a table, else all).",
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option("--fields", metavar="A,B,...", help="Only these fields, in this order."),
    ] = None,
    mask_tokens: MaskTokensOption = False,
    strict: StrictOption = False,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    now = datetime.datetime.now(datetime.UTC)
    chosen = chosen_bounces(now, since, until, campaign, run, service, reason)
    shown = None if fields is None else _fields(fields)
    most = _SHOWN_IN_A_TABLE if limit is None and output == "table" else limit or None
    terminal = make_terminal(quiet, 0, color)
    files = find_logs_for(logs or (), config)
    announce_stdin(logs or (), terminal)

    from pushctl.records.masking import masked
    from pushctl.report.listing import newest_first
    from pushctl.report.logs import open_logs
    from pushctl.report.values import Filter
    from pushctl.view.bounce_list import show_bounces
    from pushctl.view.bounce_report import show_notes

    key = mask_key_for(config) if mask_tokens else None
    with open_logs(files, stdin=sys.stdin.buffer) as opened:
        notes = opened.notes()
        show_notes(notes, terminal)
        found: Iterator[Record] = newest_first(opened, chosen, None if most is None else most + 1)
        if key is not None:
            found = (masked(record, key) for record in found)
        first = itertools.islice(found, most)
        count = show_bounces(first, terminal, output, shown)
        if limit is None and most is not None and next(found, None) is not None:
            terminal.say(f"only the newest {most:,} are shown; --limit 0 shows all")
    if not count:
        terminal.say("no bounces" + ("" if chosen == Filter() else " of that kind"))
    return exit_code_of(notes, strict=strict)


def _fields(text: str) -> list[str]:
    """Return the fields that *text* names.  Raises :class:`UsageError` with all there are."""
    from pushctl.records.record import FIELDS

    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in FIELDS:
            near = difflib.get_close_matches(name.lower(), FIELDS, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"--fields: there is no field {name!r}",
                hint=f"{meant}the fields are: {', '.join(FIELDS)}",
            )
    if not names:
        raise UsageError("--fields names none", hint=f"the fields are: {', '.join(FIELDS)}")
    return names
