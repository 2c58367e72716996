"""``pushctl runs``: the runs that were made, and going on with one."""

from __future__ import annotations

import dataclasses
import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    Progress,
    ProgressOption,
    QuietOption,
    VerboseOption,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pushctl.job.runs import RunSummary
    from pushctl.records.folder import RunFolder

LIST_OUTPUTS = ("table", "json", "jsonl", "csv")
SHOW_OUTPUTS = (*LIST_OUTPUTS, "html")

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id; last is the newest.")
]
OutputOption = Annotated[str, output_option(*LIST_OUTPUTS)]

LIST_EPILOG = """
Examples:

  pushctl runs list

  pushctl runs list -o json

Exit codes: 0 listed, 2 usage, 3 the config is invalid.
"""
SHOW_EPILOG = """
Examples:

  pushctl runs show last

  pushctl runs show last -o jsonl > outcomes.jsonl

  pushctl runs show 20261101-101010-aaaaa -o html > run.html

Exit codes: 0 shown, 2 usage, 3 there is no such run, or the config is invalid.
"""
RESUME_EPILOG = """
Examples:

  pushctl runs resume last

  # what was refused for a while, too: 429, 5xx
  pushctl runs resume last --retry-failed

Exit codes: 0 all accepted or skipped by rule, 1 some bounced, 2 usage, 3 invalid input, 4
credentials refused, 5 service unreachable, 6 stopped by a threshold, 7 some unknown, 74 disk, 130
interrupted.
"""
CHECK_EPILOG = """
Examples:

  pushctl runs check last

Exit codes: 0 sound, 1 something is wrong, 2 usage, 3 there is no such run, or the config is
invalid.
"""
PRUNE_EPILOG = """
Examples:

  pushctl runs prune --older-than 90d

Exit codes: 0 deleted, 2 usage, 3 the config is invalid, 74 a run cannot be deleted.
"""


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    runs = typer.Typer(
        help="Look at the runs in the state folder, go on with one.", no_args_is_help=True
    )
    runs.command("list", help="List the runs, newest first.", epilog=LIST_EPILOG)(list_command)
    runs.command(
        "show", help="Show how a run ended: totals and reasons, or every row.", epilog=SHOW_EPILOG
    )(show)
    runs.command(
        "resume",
        help="Go on with a run that ended early: exactly what was not sent, nothing twice.",
        epilog=RESUME_EPILOG,
    )(resume_command)
    runs.command(
        "check",
        help="Prove that a run is sound: checksums, accounting, files.",
        epilog=CHECK_EPILOG,
    )(check)
    runs.command("prune", help="Delete old runs.", epilog=PRUNE_EPILOG)(prune_command)
    app.add_typer(runs, name="runs")


def list_command(
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, LIST_OUTPUTS)
    from pushctl.cli.settings import settings_for
    from pushctl.job.runs import summarise
    from pushctl.records.folder import list_runs
    from pushctl.view.runs import show_runs

    terminal = make_terminal(quiet, 0, color)
    settings = settings_for(config, ())
    rows = [summarise(folder) for folder in list_runs(settings.state_dir)]
    show_runs([_plain(row) for row in rows], terminal, output)
    if not rows:
        terminal.say(f"no runs in {settings.state_dir}")
    return int(ExitCode.OK)


def show(
    run: RunArgument,
    mask_tokens: Annotated[
        bool,
        typer.Option(
            "--mask-tokens", help="Write masks in place of tokens, as for a run sent with them."
        ),
    ] = False,
    output: Annotated[str, output_option(*SHOW_OUTPUTS)] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, SHOW_OUTPUTS)
    from pushctl.cli.settings import settings_for
    from pushctl.job.resume import mask_key_of
    from pushctl.job.runs import run_records, summarise
    from pushctl.records.masking import mask_key, masked
    from pushctl.view.runs import show_run

    terminal = make_terminal(quiet, 0, color)
    state_dir = settings_for(config, ()).state_dir
    folder = _folder(state_dir, run)
    key = mask_key(state_dir) if mask_tokens else mask_key_of(folder)
    records = run_records(folder)
    if key is not None:
        records = (masked(record, key) for record in records)
    summary = _plain(summarise(folder))
    if output == "html":
        from pushctl.view.html_report import receipt_page
        from pushctl.view.receipt import receipt_of

        receipt = receipt_of(summary, folder.read_manifest(), records)
        terminal.data(receipt_page(receipt, datetime.datetime.now(datetime.UTC)))
        return int(ExitCode.OK)
    show_run(summary, records, terminal, output)
    return int(ExitCode.OK)


def resume_command(
    run: RunArgument,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Also what was rejected but may succeed now."),
    ] = False,
    on_unknown: Annotated[
        str,
        typer.Option(
            "--on-unknown",
            metavar="keep|resend",
            help="What was sent and never answered: keep it, or resend and risk duplicates.",
        ),
    ] = "keep",
    output: OutputOption = "table",
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", metavar="bounced|faulty|never", help="What makes exit 1 (bounced)."
        ),
    ] = None,
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, LIST_OUTPUTS)
    from pushctl.cli.deliver import go_on
    from pushctl.cli.settings import settings_for
    from pushctl.job.options import checked_fail_on, checked_on_unknown
    from pushctl.job.resume import Again

    terminal = make_terminal(quiet, verbose, color, progress)
    folder = _folder(settings_for(config, ()).state_dir, run)
    return go_on(
        folder.run,
        Again(retry_failed, checked_on_unknown(on_unknown)),
        terminal,
        output=output,
        progress=progress.value,
        config=config,
        fail_on=checked_fail_on(fail_on),
    )


def check(
    run: RunArgument,
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    from pushctl.cli.settings import settings_for
    from pushctl.job.runs import check_run

    terminal = make_terminal(quiet, 0, color)
    folder = _folder(settings_for(config, ()).state_dir, run)
    found = check_run(folder)
    for sentence in found:
        terminal.data(f"{folder.run}: {sentence}\n")
    if found:
        return int(ExitCode.FINDINGS)
    terminal.say(f"{folder.run} is sound: checksums, accounting, files, bounce log")
    return int(ExitCode.OK)


def prune_command(
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", metavar="TIME", help="Keep those that are younger, such as 90d."
        ),
    ],
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    from pushctl.cli.settings import settings_for
    from pushctl.job.runs import prune
    from pushctl.rules.duration import GRAMMAR, parse_duration

    seconds = parse_duration(older_than)
    if seconds is None:
        raise UsageError(f"--older-than {older_than!r} is no time", hint=f"write {GRAMMAR}")
    terminal = make_terminal(quiet, 0, color)
    pruned = prune(settings_for(config, ()).state_dir, seconds, time.time())
    for run in pruned:
        terminal.data(run + "\n")
    terminal.say(f"deleted {len(pruned)} runs")
    return int(ExitCode.OK)


def _folder(state_dir: Path, run: str) -> RunFolder:
    """Return the folder of *run*; ``last`` is the newest."""
    from pushctl.errors import InvalidInput
    from pushctl.records.folder import find_run, list_runs

    if run != "last":
        return find_run(state_dir, run)
    folders = list_runs(state_dir)
    if not folders:
        raise InvalidInput(f"there are no runs in {state_dir}")
    return folders[0]


def _plain(summary: RunSummary) -> dict[str, Any]:
    values = dataclasses.asdict(summary)
    values["totals"] = {kind.value: number for kind, number in summary.totals.items()}
    return values
