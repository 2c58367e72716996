"""``pushctl bounces``: bounce logs turned into answers."""

from __future__ import annotations

import datetime
import difflib
import importlib
import sys
from collections.abc import Iterable, Sequence
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
    announce_stdin,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pushctl.report.files import LogFile
    from pushctl.report.opens import RunAudience
    from pushctl.report.values import Dimension, Filter, Note, Report
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "csv", "markdown", "html")
SERVICES = ("apns", "fcm")
_OTHERS = ("pushctl.cli.bounces_list", "pushctl.cli.bounces_tokens", "pushctl.cli.bounces_follow")
"""The modules of the other commands of the group, in the order of the help."""

HELP = """
Say what is failing, since when, whose fault it is and what to do.

Counts the bounces of one or more logs by reason, or by what --by names, with their rates, a trend
by day and a diagnosis where a pattern is plain. LOG is a file, a pattern, or - for stdin; also .gz
and .zst. Default: the configured log with its rotated files. Days and hours are those of UTC.
"""
EPILOG = """
Examples:

  pushctl bounces report

  pushctl bounces report --since 7d --by credential --by reason

  pushctl bounces report 'logs/*.gz' --campaign spring -o html > spring.html

  pushctl bounces report --opens opens.csv -o markdown

  pushctl bounces report --sql | duckdb

Exit codes: 0 reported, 1 foreign lines and --strict, 2 usage, 3 a file cannot be read.
"""

WHICH = "Which bounces"

LogsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[LOG]...", help="Bounce logs; default: the configured one.", show_default=False
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit 1 if a line is none of a bounce log.")
]
MaskTokensOption = Annotated[
    bool, typer.Option("--mask-tokens", help="Write masks in place of tokens.")
]

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        rich_help_panel=WHICH,
        help="From this moment on: 2026-11-20, 2026-11-20T08:00Z, or how long ago: 12h, 7d.",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="TIME", rich_help_panel=WHICH, help="Before this moment, written alike."
    ),
]
CampaignOption = Annotated[
    list[str] | None,
    typer.Option(
        "--campaign", metavar="NAME", rich_help_panel=WHICH, help="Only of this campaign."
    ),
]
RunOption = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="ID", rich_help_panel=WHICH, help="Only of this run."),
]
ServiceOption = Annotated[
    list[str] | None,
    typer.Option("--service", metavar="apns|fcm", rich_help_panel=WHICH, help="Only by this one."),
]
ReasonOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reason",
        metavar="REASON",
        rich_help_panel=WHICH,
        help="Only for this reason, or this status; rates stay those of all pushes.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group to *app*."""
    bounces = typer.Typer(help="Read bounce logs.", no_args_is_help=True)
    bounces.command("report", help=HELP, epilog=EPILOG)(report)
    for module in _OTHERS:
        importlib.import_module(module).register(bounces)
    app.add_typer(bounces, name="bounces")


def report(
    logs: LogsArgument = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="WHAT",
            help="reason, service, platform, credential, environment, topic, campaign, run, day or"
            " hour; several are crossed (reason).",
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    campaign: CampaignOption = None,
    run: RunOption = None,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    opens: Annotated[
        str | None,
        typer.Option(
            "--opens",
            metavar="FILE",
            help="What was opened: csv or jsonl with time and token, profile or id.",
        ),
    ] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the queries, for DuckDB, instead of the answers.")
    ] = False,
    mask_tokens: MaskTokensOption = False,
    strict: StrictOption = False,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    now = datetime.datetime.now(datetime.UTC)
    chosen = chosen_bounces(now, since, until, campaign, run, service, reason)
    dimensions = _dimensions(by or ())
    if opens is not None and chosen.services:
        raise UsageError("--opens does not go with --service: an open does not tell its service")
    terminal = make_terminal(quiet, verbose, color, progress)
    files = find_logs_for(logs or (), config)
    if sql:
        from pushctl.report.script import script

        terminal.data(script(files, chosen, dimensions))
        return int(ExitCode.OK)
    announce_stdin(logs or (), terminal)
    from pushctl.view.bounce_report import show_report

    key = mask_key_for(config) if mask_tokens else None
    made = _make(files, chosen, dimensions, now, opens, config, terminal, progress)
    if key is not None:
        from pushctl.report.values import with_masked_tokens

        made = with_masked_tokens(made, key)
    show_report(made, terminal, output)
    _warn_of_nothing(made, terminal)
    return exit_code_of(made.notes, strict=strict)


def chosen_services(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the services of ``--service``.  Raises :class:`UsageError` with the nearest."""
    return tuple(_known(each, SERVICES, "--service") for each in names or ())


def chosen_bounces(
    now: datetime.datetime,
    since: str | None,
    until: str | None,
    campaigns: Sequence[str] | None,
    runs: Sequence[str] | None,
    services: Sequence[str] | None,
    reasons: Sequence[str] | None,
) -> Filter:
    """Return the filter that the options mean.  Raises :class:`UsageError`."""
    from pushctl.report.moments import parse_moment
    from pushctl.report.values import Filter

    begin = None if since is None else parse_moment(since, now, option="--since")
    end = None if until is None else parse_moment(until, now, option="--until")
    if begin is not None and end is not None and begin >= end:
        raise UsageError(
            f"--since is not before --until: nothing lies between {begin:%Y-%m-%dT%H:%M:%SZ}"
            f" and {end:%Y-%m-%dT%H:%M:%SZ}"
        )
    return Filter(
        since=begin,
        until=end,
        campaigns=tuple(campaigns or ()),
        runs=tuple(runs or ()),
        services=chosen_services(services),
        reasons=tuple(reasons or ()),
    )


def find_logs_for(words: Sequence[str], config: str | None) -> list[LogFile]:
    """Return the logs that *words* name; without any, the configured one and its rotated files."""
    from pushctl.report.files import find_logs

    if words:
        return find_logs(words, Path())
    from pushctl.cli.settings import settings_for

    return find_logs((), settings_for(config, ()).bounce_log)


def mask_key_for(config: str | None) -> bytes:
    """Return the key that tokens are masked with, made the first time."""
    from pushctl.cli.settings import settings_for
    from pushctl.records.masking import mask_key

    return mask_key(settings_for(config, ()).state_dir)


def progress_of(terminal: Terminal, files: Sequence[LogFile]) -> Any:
    """Return a context manager that gives a function to show how far reading *files* has come."""
    import contextlib

    from pushctl.view.gauge import Gauge

    megabytes = sum(file.size for file in files) // 2**20

    @contextlib.contextmanager
    def shown() -> Any:
        with Gauge(terminal) as gauge:
            yield lambda share: gauge.show("MB read:", int(share * megabytes), megabytes)

    return shown()


def _make(
    files: Sequence[LogFile],
    chosen: Filter,
    by: Sequence[Dimension],
    now: datetime.datetime,
    opens: str | None,
    config: str | None,
    terminal: Terminal,
    progress: Progress,
) -> Report:
    from pushctl.report.build import build_report
    from pushctl.report.logs import open_logs
    from pushctl.report.opens import count_opens, find_opens

    opened = None if opens is None else find_opens(opens)
    audiences = [] if opened is None else _audiences(config, terminal)
    with open_logs(
        files,
        stdin=sys.stdin.buffer,
        unique=False,
        others=[] if opened is None else [opened],
        in_reach=[path for each in audiences for path in each.files],
    ) as logs:
        count = None
        if opened is not None:
            file = opened
            count = lambda: count_opens(logs, file, logs.others[0], chosen, audiences)  # noqa: E731
        with progress_of(terminal, files) as on_progress:
            return build_report(
                logs,
                chosen=chosen,
                by=by,
                now=now,
                opens=count,
                on_progress=None if progress is Progress.NEVER else on_progress,
            )


def _audiences(config: str | None, terminal: Terminal) -> list[RunAudience]:
    """
    Return whom the runs in the state folder were sent to; an open is matched with them.

    A run whose folder is damaged is left out, with a warning.
    """
    from pushctl.audience.prepared import TABLE
    from pushctl.cli.settings import settings_for
    from pushctl.errors import InvalidInput
    from pushctl.job.intact import refuse_damaged_audience
    from pushctl.records.folder import list_runs
    from pushctl.report.opens import RunAudience

    found = []
    for folder in list_runs(settings_for(config, ()).state_dir):
        tables = sorted(
            path
            for path in (folder.path / TABLE, *folder.path.glob("rows-*.parquet"))
            if path.is_file()
        )
        try:
            manifest = folder.read_manifest()
            refuse_damaged_audience(folder.path, manifest["prepared"])
        except InvalidInput as error:
            problem = error.problems[0]
            where = f"{problem.place}: " if problem.place else ""
            terminal.warn(f"opens of run {folder.run} are not counted: {where}{problem.message}")
            continue
        if tables:
            begun = datetime.datetime.fromtimestamp(manifest["started"], datetime.UTC)
            found.append(RunAudience(folder.run, manifest.get("campaign"), begun, tuple(tables)))
    return found


def _dimensions(words: Sequence[str]) -> tuple[Dimension, ...]:
    from pushctl.report.values import Dimension

    names = [name.strip() for word in words for name in word.split(",")]
    known = [dimension.value for dimension in Dimension]
    return tuple(Dimension(_known(name, known, "--by")) for name in names) or (Dimension.REASON,)


def _known(word: str, words: Sequence[str], option: str) -> str:
    """Return *word* if it is one of *words*.  Raises :class:`UsageError` with the nearest."""
    if word in words:
        return word
    near = difflib.get_close_matches(word.lower(), words, 1)
    raise UsageError(
        f"{option} {word!r} is not known",
        hint=(f"did you mean {near[0]!r}? " if near else "") + "it knows: " + ", ".join(words),
    )


def _warn_of_nothing(made: Report, terminal: Terminal) -> None:
    """Say why there is nothing to see: the filter, a reason that does not exist, or no bounce."""
    if made.bounces:
        return
    from pushctl import catalog

    names = {name for row in catalog.all_reasons() for name in row.names}
    for reason in made.filter.reasons:
        near = difflib.get_close_matches(reason, names, 1, cutoff=0.7)
        if reason not in names and not reason.isdecimal() and near:
            terminal.warn(f"no reason is called {reason!r}", hint=f"did you mean {near[0]!r}?")


def exit_code_of(notes: Iterable[Note], *, strict: bool) -> int:
    """Return 1 for logs that are *strict* and hold foreign lines, by what is noted of them."""
    from pushctl.report.values import NoteKind

    is_foreign = any(note.kind is NoteKind.FOREIGN for note in notes)
    return int(ExitCode.FINDINGS if strict and is_foreign else ExitCode.OK)
