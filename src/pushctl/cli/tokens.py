"""``pushctl tokens check``: an audience file looked at offline, as a send would judge it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    DebugOption,
    Progress,
    ProgressOption,
    QuietOption,
    announce_stdin,
    choose_output,
    input_path,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode, InvalidInput, UsageError

if TYPE_CHECKING:
    from pushctl.audience import Audience
    from pushctl.job.messages import Messages
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "csv", "github")

HELP = """
Judge a list offline, before anybody is sent to.

It finds malformed tokens, tokens that a log or a spreadsheet damaged, duplicates, tokens of the
wrong service, consent that is none, rows that cannot be read, and attributes that a message needs.
Nothing is sent, and the files stay as they are.
"""
EPILOG = """
Examples:

  pushctl tokens check list.csv

  pushctl tokens check profiles.yaml --message spring.yaml

  pushctl tokens check list.csv -o github

  zcat export.csv.gz | pushctl tokens check - --format csv -o csv > wrong.csv

Exit codes: 0 nothing wrong (notes are not), 1 something is, 2 usage, 3 a file cannot be read at
all.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    tokens = typer.Typer(help="Look at push tokens in audience files.", no_args_is_help=True)
    tokens.command("check", help=HELP, epilog=EPILOG)(check)
    tokens.callback()(_group)  # one command alone would swallow its group
    app.add_typer(tokens, name="tokens")


def _group() -> None:
    pass


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Token or profile files, in any format that send takes; - is stdin.",
            show_default=False,
        ),
    ],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            envvar="PUSHCTL_FORMAT",
            metavar="txt|csv|tsv|jsonl|parquet|yaml|json",
            help="What stdin holds; perhaps with .gz or .zst.",
            show_default=False,
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            metavar="ios|android|web",
            help="Where a token does not tell.",
            show_default=False,
        ),
    ] = None,
    message: Annotated[
        str | None,
        typer.Option(
            "--message",
            envvar="PUSHCTL_MESSAGE",
            metavar="FILE",
            help="Also check that this message can be filled for everybody.",
            show_default=False,
        ),
    ] = None,
    require_consent: Annotated[
        bool,
        typer.Option(
            "--require-consent",
            envvar="PUSHCTL_REQUIRE_CONSENT",
            help="A file that records no consent is wrong.",
        ),
    ] = False,
    lines: Annotated[
        int,
        typer.Option(
            "--lines",
            envvar="PUSHCTL_LINES",
            metavar="N",
            min=1,
            help="How many rows of each finding are told; csv has them all.",
        ),
    ] = 5,
    output: Annotated[
        str,
        output_option(*OUTPUTS),
    ] = "table",
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    terminal = make_terminal(quiet, 0, color, progress)
    from pushctl.view.list_check import problem_annotation

    try:
        audience = _open(files, platform, format, terminal)
        return _look(
            audience,
            None if message is None else _messages(message),
            terminal,
            require_consent=require_consent,
            lines=lines,
            output=output,
            shows_progress=progress is not Progress.NEVER,
        )
    except InvalidInput as error:
        if output == "github":
            for problem in error.problems:
                terminal.data(problem_annotation(problem), commands=True)
        raise


def _open(
    files: list[str], platform: str | None, format: str | None, terminal: Terminal
) -> Audience:
    from pushctl.audience.audience import open_lists
    from pushctl.job.options import checked_platform

    stdin = sys.stdin.buffer if "-" in files else None
    announce_stdin(files, terminal)
    return open_lists(
        [input_path(name) for name in files],
        platform=checked_platform(platform),
        format=format,
        stdin=stdin,
    )


def _messages(path: str) -> Messages:
    from pushctl.job.messages import Messages, read_message
    from pushctl.message.neutral import dated

    if path == "-":
        raise UsageError("a message is read from a file", hint="give --message FILE")
    message = dated(read_message(Path(path)), time.time())
    return Messages(message, target_kinds=frozenset({"token"}))


def _look(
    audience: Audience,
    messages: Messages | None,
    terminal: Terminal,
    *,
    require_consent: bool,
    lines: int,
    output: str,
    shows_progress: bool,
) -> int:
    from pushctl.job.list_check import check_list
    from pushctl.view.gauge import Gauge
    from pushctl.view.list_check import (
        SpotWriter,
        list_check_annotations,
        list_check_document,
        show_list_check,
        summary_line,
    )

    writer = SpotWriter(terminal) if output == "csv" else None
    with Gauge(terminal) as gauge:
        found = check_list(
            audience,
            messages=messages,
            require_consent=require_consent,
            spots_kept=lines,
            on_spot=writer.add if writer is not None else lambda _: None,
            on_progress=gauge.show if shows_progress else lambda *_: None,
        )
    if output == "table":
        show_list_check(found, terminal)
    elif output == "json":
        document = list_check_document(found)
        terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    elif writer is not None:
        writer.flush()
        terminal.say(summary_line(found, terminal))
    else:
        for line in list_check_annotations(found):
            terminal.data(line, commands=True)
        terminal.say(summary_line(found, terminal))
    return int(ExitCode.OK if found.is_sound else ExitCode.FINDINGS)
