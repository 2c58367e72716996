"""``pushctl bounces tokens``: the tokens to delete, and apart from them those in doubt."""

from __future__ import annotations

import contextlib
import datetime
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pushctl.cli.bounces import (
    CampaignOption,
    LogsArgument,
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
    Progress,
    ProgressOption,
    QuietOption,
    announce_stdin,
    choose_output,
    input_path,
    make_terminal,
    output_option,
)
from pushctl.errors import UsageError

if TYPE_CHECKING:
    from pushctl.audience.prepared import Prepared
    from pushctl.report.dead_tokens import Found
    from pushctl.report.files import LogFile
    from pushctl.report.values import Filter
    from pushctl.view.terminal import Terminal

OUTPUTS = ("csv", "jsonl")

HELP = """
Print the tokens that a service itself called dead, ready for a DELETE.

Dead is what APNs answered with 410, unless --registered shows that the app registered it again
since, and what FCM called UNREGISTERED; nothing else. --suspect prints those in doubt instead, with
what speaks for and against them; they are never called dead.
"""
EPILOG = """
Examples:

  pushctl bounces tokens > dead.csv

  pushctl bounces tokens --registered tokens.csv --since 30d > dead.csv

  pushctl bounces tokens --suspect -o jsonl | jq .evidence

  pushctl bounces tokens -o jsonl | pushctl send --suppress - --tokens list.csv

Exit codes: 0 done, 1 foreign lines and --strict, 2 usage, 3 a file cannot be read, or its tokens
are masked.
"""


def register(bounces: typer.Typer) -> None:
    """Add the command to the group *bounces*."""
    bounces.command("tokens", help=HELP, epilog=EPILOG)(tokens)


def tokens(
    logs: LogsArgument = None,
    registered: Annotated[
        str | None,
        typer.Option(
            "--registered",
            metavar="FILE",
            help="A token or profile file that says in registered_at when the app last reported"
            " each token.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help="What --registered holds if its name does not tell."
        ),
    ] = None,
    suspect: Annotated[
        bool, typer.Option("--suspect", help="The tokens in doubt instead of the dead ones.")
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    campaign: CampaignOption = None,
    run: RunOption = None,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    mask_tokens: Annotated[
        bool,
        typer.Option(
            "--mask-tokens", help="Print masks in place of tokens: to compare, not to delete by."
        ),
    ] = False,
    strict: StrictOption = False,
    output: Annotated[str, output_option(*OUTPUTS)] = "csv",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    if registered == "-" and "-" in (logs or ()):
        raise UsageError("stdin (-) can be read only once")
    now = datetime.datetime.now(datetime.UTC)
    chosen = chosen_bounces(now, since, until, campaign, run, service, reason)
    terminal = make_terminal(quiet, 0, color, progress)
    key = mask_key_for(config) if mask_tokens else None
    files = find_logs_for(logs or (), config)
    announce_stdin([*(logs or ()), registered], terminal)
    with _registered(registered, format, terminal, progress) as list_:
        return _print(files, chosen, list_, terminal, output, key, suspect=suspect, strict=strict)


def _print(
    files: list[LogFile],
    chosen: Filter,
    registered: Prepared | None,
    terminal: Terminal,
    output: str,
    key: bytes | None,
    *,
    suspect: bool,
    strict: bool,
) -> int:
    from pushctl.report.dead_tokens import (
        DEAD_FIELDS,
        SUSPECT_FIELDS,
        dead,
        judge,
        registered_files,
        suspects,
    )
    from pushctl.report.logs import open_logs
    from pushctl.view.bounce_report import show_notes
    from pushctl.view.token_list import write_tokens

    in_reach = [] if registered is None else registered_files(registered)
    with open_logs(files, stdin=sys.stdin.buffer, in_reach=in_reach) as logs:
        found = judge(logs, chosen, registered)
        if suspect:
            number = write_tokens(
                _shown(suspects(logs, chosen), key), SUSPECT_FIELDS, terminal, output
            )
            terminal.say(f"{number:,} suspect: keep them; none is proven dead")
        else:
            write_tokens(_shown(dead(logs), key), DEAD_FIELDS, terminal, output)
            _say(found, terminal, registered)
        notes = logs.notes()
        show_notes(notes, terminal)
        return exit_code_of(notes, strict=strict)


def _shown(rows: Iterable[Mapping[str, Any]], key: bytes | None) -> Iterator[Mapping[str, Any]]:
    from pushctl.records.masking import masked

    for row in rows:
        yield row if key is None else masked(dict(row), key)


def _say(found: Found, terminal: Terminal, registered: Prepared | None) -> None:
    from pushctl.outcome import Service
    from pushctl.view.words import SERVICE_NAMES, plural

    services = [
        f"{SERVICE_NAMES[service]} {found.dead[service]:,}"
        for service in Service
        if found.dead[service]
    ]
    who = f" ({', '.join(services)})" if services else ""
    terminal.say(f"{plural(found.dead.total(), 'dead token')}{who}")
    if found.alive:
        terminal.say(f"{plural(found.alive, 'token')} registered again since: not dead")
    if found.doubtful:
        terminal.warn(
            f"{plural(found.doubtful, 'token')} left out: the registered_at cannot be read",
            hint="write RFC 3339, such as 2026-10-01T08:00:00Z; --suspect lists them",
        )
    if found.dead[Service.APNS] and registered is None:
        terminal.say(
            "a device token may have been registered again since: --registered FILE leaves those"
            " out",
            style="dim",
        )
    if found.dead:
        terminal.say(
            "a log tells who was rejected and only counts who was accepted: whether one of these"
            " was accepted later it cannot tell",
            style="dim",
        )


@contextlib.contextmanager
def _registered(
    path: str | None, format: str | None, terminal: Terminal, progress: Progress
) -> Iterator[Prepared | None]:
    """Yield the list *path*, ready to be asked; nothing where there is no path."""
    if path is None:
        yield None
        return
    from pushctl.audience.audience import Audience, open_lists
    from pushctl.audience.prepare import prepare
    from pushctl.view.gauge import Gauge

    found = open_lists([input_path(path)], format=format, stdin=sys.stdin.buffer)
    audience = Audience(found.sources, fallback=None, keep_duplicates=True)
    total = audience.total
    with tempfile.TemporaryDirectory(prefix="pushctl-") as folder:
        with Gauge(terminal) as gauge:
            show = None
            if progress is not Progress.NEVER:
                show = lambda done: gauge.show("read", done, total)  # noqa: E731
            prepared = prepare(audience, Path(folder), on_progress=show)
        yield prepared
