"""``pushctl runs``: the runs that were made, and going on with one."""

from __future__ import annotations

import dataclasses
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
)
from pushctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pushctl.job.runs import RunSummary
    from pushctl.records.folder import RunFolder

LIST_OUTPUTS = ("table", "json", "jsonl", "csv")

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or: last.")]
OutputOption = Annotated[
    str,
    typer.Option("-o", "--output", envvar="PUSHCTL_OUTPUT", help="table, json, jsonl or csv."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    runs = typer.Typer(help="The runs in the state folder.", no_args_is_help=True)
    runs.command("list", help="List the runs, newest first.")(list_command)
    runs.command("show", help="Show how a run ended: totals and reasons, or every row.")(show)
    runs.command(
        "resume",
        help="Go on with a run that ended early: exactly what was not sent, nothing twice.",
    )(resume_command)
    runs.command("check", help="Prove that a run is sound: checksums, accounting, files.")(check)
    runs.command("prune", help="Delete old runs.")(prune_command)
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
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, LIST_OUTPUTS)
    from pushctl.cli.settings import settings_for
    from pushctl.job.runs import run_records, summarise
    from pushctl.view.runs import show_run

    terminal = make_terminal(quiet, 0, color)
    folder = _folder(settings_for(config, ()).state_dir, run)
    show_run(_plain(summarise(folder)), run_records(folder), terminal, output)
    return int(ExitCode.OK)


def resume_command(
    run: RunArgument,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Also what was rejected but may succeed now."),
    ] = False,
    on_unknown: Annotated[
        str,
        typer.Option("--on-unknown", help="keep, or resend and risk duplicates."),
    ] = "keep",
    output: OutputOption = "table",
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", envvar="PUSHCTL_FAIL_ON", help="bounced, faulty or never."),
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
    older_than: Annotated[str, typer.Option("--older-than", metavar="TIME", help="Such as 90d.")],
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
