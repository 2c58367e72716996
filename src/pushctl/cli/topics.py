"""``pushctl topics``: who is subscribed to a topic of FCM."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli.common import (
    AllowEndpointOption,
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    Progress,
    ProgressOption,
    QuietOption,
    TimeoutOption,
    VerboseOption,
    announce_stdin,
    choose_output,
    input_path,
    make_terminal,
    output_option,
)
from pushctl.cli.topics_options import (
    CredentialOption,
    DryRunOption,
    FidOption,
    FormatOption,
    OneByOneOption,
    ProfileOption,
    ProfilesOption,
    RetryForOption,
    SuppressOption,
    TokenOption,
    TokensOption,
    TopicArgument,
    WhereOption,
)
from pushctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pushctl.job.subscriptions import Subscribing
    from pushctl.manage.topics import Ended
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "jsonl", "csv")
DRY_OUTPUTS = ("table", "json")

HELP = """
Subscribe registrations to a topic of FCM, or end their subscriptions.

A push to a topic (send --fcm-topic) reaches everybody who is subscribed then.
"""
SUBSCRIBE_HELP = """
Subscribe registrations to a topic.

Registration tokens are asked for in batches of a thousand, Firebase installation ids one by one.
Each ends as one of: accepted (by Google), rejected, unknown (no answer), not_sent, skipped. Who has
not given consent is skipped. Subscribing somebody twice does no harm, so run it again for what was
left.
"""
UNSUBSCRIBE_HELP = """
End the subscriptions of registrations to a topic.

As subscribe does, for the opposite; it takes no consent to leave somebody alone, so those without
it are unsubscribed too.
"""
_CODES = """
Exit codes: 0 all accepted or skipped by rule, 1 some rejected, 2 usage, 3 invalid input (nobody
was asked), 4 credentials refused, 5 service unreachable, 6 refused as a whole, 7 some unknown, 130
interrupted.
"""
SUBSCRIBE_EPILOG = (
    """
Examples:

  pushctl topics subscribe news --token dX1…:APA91b…

  pushctl topics subscribe news --profiles profiles.yaml --where 'orders >= 3'

  pushctl topics subscribe news --tokens list.csv.gz -o jsonl > done.jsonl
"""
    + _CODES
)
UNSUBSCRIBE_EPILOG = (
    """
Examples:

  pushctl topics unsubscribe news --tokens leavers.csv
"""
    + _CODES
)

OutputOption = Annotated[str, output_option(*OUTPUTS)]


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    topics = typer.Typer(help=HELP, no_args_is_help=True)
    topics.command("subscribe", help=SUBSCRIBE_HELP, epilog=SUBSCRIBE_EPILOG)(_command("subscribe"))
    topics.command("unsubscribe", help=UNSUBSCRIBE_HELP, epilog=UNSUBSCRIBE_EPILOG)(
        _command("unsubscribe")
    )
    app.add_typer(topics, name="topics")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """The options as they were typed."""

    topic: str
    token: Sequence[str]
    fid: Sequence[str]
    tokens: Sequence[str]
    profiles: Sequence[str]
    profile: Sequence[str]
    format: str | None
    where: str | None
    suppress: Sequence[str]
    credential: str | None
    one_by_one: bool
    dry_run: bool
    retry_for: str
    timeout: str
    allow_endpoint: Sequence[str]
    output: str
    config: str | None


def _command(action: str) -> Callable[..., int]:
    """Return the command that does *action*, ``subscribe`` or ``unsubscribe``."""

    def command(
        topic: TopicArgument,
        token: TokenOption = None,
        fid: FidOption = None,
        tokens: TokensOption = None,
        profiles: ProfilesOption = None,
        profile: ProfileOption = None,
        format: FormatOption = None,
        where: WhereOption = None,
        suppress: SuppressOption = None,
        credential: CredentialOption = None,
        one_by_one: OneByOneOption = False,
        dry_run: DryRunOption = False,
        retry_for: RetryForOption = "5m",
        timeout: TimeoutOption = "30s",
        allow_endpoint: AllowEndpointOption = None,
        output: OutputOption = "table",
        config: ConfigOption = None,
        quiet: QuietOption = 0,
        verbose: VerboseOption = 0,
        color: ColorOption = Color.AUTO,
        progress: ProgressOption = Progress.AUTO,
        debug: DebugOption = False,
    ) -> int:
        wish = _Wish(
            topic=topic,
            token=token or (),
            fid=fid or (),
            tokens=tokens or (),
            profiles=profiles or (),
            profile=profile or (),
            format=format,
            where=where,
            suppress=suppress or (),
            credential=credential,
            one_by_one=one_by_one,
            dry_run=dry_run,
            retry_for=retry_for,
            timeout=timeout,
            allow_endpoint=allow_endpoint or (),
            output=output,
            config=config,
        )
        terminal = make_terminal(quiet, verbose, color, progress)
        return _carry_out(action, wish, terminal, progress)

    return command


def _carry_out(action: str, wish: _Wish, terminal: Terminal, progress: Progress) -> int:
    """Do what *wish* asks for, show it, and return the exit code."""
    choose_output(wish.output, DRY_OUTPUTS if wish.dry_run else OUTPUTS)
    from pushctl.rules.fcm import topic_fault

    fault = topic_fault(wish.topic)
    if fault is not None:
        raise UsageError(fault)
    with tempfile.TemporaryDirectory(prefix="pushctl-") as folder:
        work, consent = _prepare(action, wish, terminal, Path(folder))
        if wish.dry_run:
            return _forecast(work, terminal, wish.output)
        terminal.say(f"{work.prepared.description}, consent: {consent}")
        return _run(work, terminal, wish.output, progress)


def _prepare(action: str, wish: _Wish, terminal: Terminal, folder: Path) -> tuple[Subscribing, str]:
    """Return the work, with the audience in *folder*, and who says that it consented."""
    from pushctl.audience import open_audience
    from pushctl.audience.prepare import prepare
    from pushctl.cli.manage import open_one, seconds
    from pushctl.cli.settings import settings_for
    from pushctl.config import FcmSettings
    from pushctl.gateway.topics import Action
    from pushctl.job.subscriptions import Subscribing
    from pushctl.outcome import Service

    timeout_s, retry_for_s = seconds("--timeout", wish.timeout), _retry_for(wish.retry_for)
    inputs = [input_path(name) for name in (*wish.profiles, *wish.tokens, *wish.suppress)]
    if inputs.count("-") > 1:
        raise UsageError("stdin (-) can be read only once")
    settings = settings_for(wish.config, wish.allow_endpoint)
    chosen, credential = open_one(settings, Service.FCM, wish.credential, os.environ)
    assert isinstance(chosen, FcmSettings)
    announce_stdin(inputs, terminal)
    stdin = sys.stdin.buffer if "-" in inputs else None
    audience = open_audience(
        tokens=wish.token,
        fids=wish.fid,
        profile_files=[input_path(name) for name in wish.profiles],
        profile_ids=wish.profile,
        token_files=[input_path(name) for name in wish.tokens],
        format=wish.format,
        stdin=stdin,
    )
    wanted = Action(action)
    if chosen.require_consent and wanted is Action.SUBSCRIBE:
        audience.require_consent(chosen.name)
    prepared = prepare(
        audience,
        folder,
        where=wish.where,
        suppress=[input_path(name) for name in wish.suppress],
        stdin=stdin,
    )
    consent = audience.consent if wanted is Action.SUBSCRIBE else "not needed to unsubscribe"
    work = Subscribing(
        settings=chosen,
        credential=credential,
        action=wanted,
        topic=wish.topic,
        prepared=prepared,
        batches=not wish.one_by_one,
        timeout_s=timeout_s,
        retry_for_s=retry_for_s,
    )
    return work, consent


def _run(work: Subscribing, terminal: Terminal, output: str, progress: Progress) -> int:
    from pushctl.cli.manage import run_until_signal, trace_of
    from pushctl.job.subscriptions import FIELDS, Finished, exit_code, record_of, subscribe
    from pushctl.view.gauge import Gauge
    from pushctl.view.topics import SubscriptionScreen

    begun = time.monotonic()
    with Gauge(terminal) as gauge:
        shown = None if progress is Progress.NEVER else gauge
        total = work.prepared.total
        screen = SubscriptionScreen(terminal, output, FIELDS, total=total, gauge=shown)

        def on_ended(ended: Sequence[Ended]) -> None:
            screen.add([record_of(work, one) for one in ended], [one.outcome for one in ended])

        async def go() -> Finished:
            return await subscribe(work, on_ended, os.environ, trace=trace_of(terminal))

        finished, signalled = run_until_signal(go)
    duration_s = round(time.monotonic() - begun, 3)
    screen.finish({**_named(work), "requests": finished.requests, "duration_s": duration_s})
    return int(exit_code(screen.totals, finished, signalled))


def _forecast(work: Subscribing, terminal: Terminal, output: str) -> int:
    from pushctl.job.subscriptions import forecast
    from pushctl.view.topics import show_forecast

    show_forecast(forecast(work).document(), _named(work), terminal, output)
    return int(ExitCode.OK)


def _named(work: Subscribing) -> dict[str, object]:
    return {
        "action": work.action.value,
        "topic": work.topic,
        "credential": work.settings.name,
        "project": work.credential.project_id,
    }


def _retry_for(text: str) -> float:
    """Return the time that *text* means; 0 is never again."""
    from pushctl.rules.duration import GRAMMAR, parse_duration

    found = parse_duration(text)
    if found is None:
        raise UsageError(f"--retry-for {text[:80]!r} is no time", hint=f"write {GRAMMAR}")
    return float(found)
