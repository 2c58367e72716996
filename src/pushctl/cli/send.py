"""``pushctl send``: to one token or ten million."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    NoInputOption,
    Progress,
    ProgressOption,
    QuietOption,
    VerboseOption,
    choose_output,
    input_path,
    make_terminal,
    output_option,
)
from pushctl.errors import UsageError

OUTPUTS = ("table", "json", "jsonl", "csv")
TARGET, MESSAGE, DELIVERY, OUTPUT = "Target", "Message", "Delivery", "Output"
ACTIVITY = "Live Activity"
PUSH_TYPES = (
    "alert|background|complication|controls|fileprovider|liveactivity|location|mdm|pushtotalk|voip|"
    "widgets"
)

HELP = """
Send a push to a token, a profile's devices, a list of tokens, or an FCM topic.

Every token ends in exactly one of: accepted (by the service: neither Apple nor Google says
whether a device showed it), rejected, unknown, not_sent, skipped.
"""
EPILOG = """
Examples:

  pushctl send --token 9f3a… --title Hello --body "It works"

  pushctl send --profiles profiles.yaml --profile anna --message spring.yaml

  pushctl send --tokens list.csv --title "Hi {{ first_name }}" -o json

  zcat old.gz | pushctl send --tokens - --format csv --body News --dry-run

Exit codes: 0 all accepted or skipped by rule, 1 some bounced, 2 usage, 3 invalid input (nothing
was sent), 4 credentials refused, 5 service unreachable, 6 stopped by a threshold, 7 some unknown,
74 disk, 130 interrupted.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("send", help=HELP, epilog=EPILOG)(send)


def _option(
    name: str, panel: str, text: str, metavar: str | None = None, *, env: bool = True
) -> typer.models.OptionInfo:
    variable = "PUSHCTL_" + name.removeprefix("--").replace("-", "_").upper()
    option: typer.models.OptionInfo = typer.Option(
        name,
        help=text,
        metavar=metavar,
        rich_help_panel=panel,
        envvar=variable if env else None,
        show_default=False,
    )
    return option


def send(
    token: Annotated[
        list[str] | None,
        _option("--token", TARGET, "A push token; repeatable.", "T", env=False),
    ] = None,
    fid: Annotated[
        list[str] | None,
        _option("--fid", TARGET, "A Firebase installation id; repeatable.", "ID", env=False),
    ] = None,
    platform: Annotated[
        str | None,
        _option(
            "--platform", TARGET, "Where the token does not tell.", "ios|android|web", env=False
        ),
    ] = None,
    profiles: Annotated[
        list[str] | None,
        _option("--profiles", TARGET, "Profiles: .yaml, .json or .jsonl.", "FILE", env=False),
    ] = None,
    profile: Annotated[
        list[str] | None,
        _option("--profile", TARGET, "Only this profile; repeatable.", "ID", env=False),
    ] = None,
    tokens: Annotated[
        list[str] | None,
        _option(
            "--tokens",
            TARGET,
            "Tokens: .txt, .csv, .tsv, .jsonl, .parquet, each also .gz or .zst; - is stdin with"
            " --format.",
            "FILE",
            env=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        _option(
            "--format",
            TARGET,
            "What stdin holds; perhaps with .gz or .zst.",
            "txt|csv|tsv|jsonl|parquet|yaml|json",
        ),
    ] = None,
    fcm_topic: Annotated[
        list[str] | None,
        _option("--fcm-topic", TARGET, "Everyone subscribed to an FCM topic.", "NAME", env=False),
    ] = None,
    fcm_condition: Annotated[
        list[str] | None,
        _option("--fcm-condition", TARGET, "A condition over FCM topics.", "EXPR", env=False),
    ] = None,
    apns_channel: Annotated[
        list[str] | None,
        _option(
            "--apns-channel",
            TARGET,
            "Everyone who listens to a broadcast channel: a Live Activity's update or end.",
            "ID",
            env=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        _option(
            "--where",
            TARGET,
            "Only recipients whose attributes match, such as 'orders >= 3'.",
            "SQL",
        ),
    ] = None,
    suppress: Annotated[
        list[str] | None,
        _option(
            "--suppress",
            TARGET,
            "Leave out tokens that a bounce log calls dead; - is stdin.",
            "LOG",
        ),
    ] = None,
    title: Annotated[str | None, _option("--title", MESSAGE, "The title.")] = None,
    subtitle: Annotated[str | None, _option("--subtitle", MESSAGE, "The subtitle (iOS).")] = None,
    body: Annotated[str | None, _option("--body", MESSAGE, "The text.")] = None,
    badge: Annotated[
        str | None, _option("--badge", MESSAGE, "The number on the icon; 0 removes it.")
    ] = None,
    sound: Annotated[str | None, _option("--sound", MESSAGE, "A sound's name, or default.")] = None,
    image: Annotated[
        str | None,
        _option(
            "--image",
            MESSAGE,
            "An https URL. On iOS the app needs a notification service extension that reads the"
            " payload's image key.",
            "URL",
        ),
    ] = None,
    data: Annotated[
        list[str] | None, _option("--data", MESSAGE, "Custom data; repeatable.", "K=V")
    ] = None,
    collapse_id: Annotated[
        str | None, _option("--collapse-id", MESSAGE, "Pushes of one id replace each other.")
    ] = None,
    ttl: Annotated[
        str | None,
        _option("--ttl", MESSAGE, "How long to keep it: seconds, 90s, 15m, 4h, 28d; 0 now only."),
    ] = None,
    priority: Annotated[
        str | None, _option("--priority", MESSAGE, "How urgent it is.", "high|normal|low")
    ] = None,
    push_type: Annotated[
        str | None, _option("--push-type", MESSAGE, "The apns-push-type.", PUSH_TYPES)
    ] = None,
    thread_id: Annotated[
        str | None, _option("--thread-id", MESSAGE, "Groups notifications (iOS).")
    ] = None,
    category: Annotated[str | None, _option("--category", MESSAGE, "Action buttons (iOS).")] = None,
    interruption_level: Annotated[
        str | None,
        _option(
            "--interruption-level",
            MESSAGE,
            "How loudly it comes (iOS).",
            "passive|active|time-sensitive|critical",
        ),
    ] = None,
    relevance_score: Annotated[
        str | None,
        _option(
            "--relevance-score",
            MESSAGE,
            "0 to 1: what the notification summary shows first; any number for a Live Activity"
            " (iOS).",
            "N",
        ),
    ] = None,
    critical: Annotated[
        bool,
        typer.Option(
            "--critical",
            envvar="PUSHCTL_CRITICAL",
            rich_help_panel=MESSAGE,
            help="The sound of a critical alert, heard although the device is muted (iOS; Apple"
            " grants the entitlement).",
        ),
    ] = False,
    volume: Annotated[
        str | None, _option("--volume", MESSAGE, "How loud a critical alert is, 0 to 1.", "N")
    ] = None,
    message: Annotated[
        str | None,
        _option("--message", MESSAGE, "The message as a YAML or JSON file.", "FILE"),
    ] = None,
    payload: Annotated[
        list[str] | None,
        _option("--payload", MESSAGE, "The service's raw payload.", "[apns=|fcm=]FILE"),
    ] = None,
    live_activity: Annotated[
        str | None,
        _option(
            "--live-activity",
            ACTIVITY,
            "What becomes of it; the token is the activity's, at the start the push-to-start token."
            " The alert is --title, --body and --sound.",
            "start|update|end",
        ),
    ] = None,
    content_state: Annotated[
        str | None,
        _option("--content-state", ACTIVITY, "What it shows, as YAML or JSON.", "FILE"),
    ] = None,
    stale_date: Annotated[
        str | None,
        _option(
            "--stale-date",
            ACTIVITY,
            "When that is out of date: 2026-12-01T18:30:00Z, epoch seconds, or +4h.",
            "TIME",
        ),
    ] = None,
    dismissal_date: Annotated[
        str | None,
        _option(
            "--dismissal-date",
            ACTIVITY,
            "When an ended activity leaves the Lock Screen: at most 4h after the end.",
            "TIME",
        ),
    ] = None,
    attributes_type: Annotated[
        str | None,
        _option("--attributes-type", ACTIVITY, "At the start: the app's type.", "NAME"),
    ] = None,
    attributes: Annotated[
        str | None,
        _option("--attributes", ACTIVITY, "At the start: what never changes.", "FILE"),
    ] = None,
    input_push_token: Annotated[
        bool,
        typer.Option(
            "--input-push-token",
            envvar="PUSHCTL_INPUT_PUSH_TOKEN",
            rich_help_panel=ACTIVITY,
            help="At the start: the activity shall ask for an update token.",
        ),
    ] = False,
    input_push_channel: Annotated[
        str | None,
        _option(
            "--input-push-channel",
            ACTIVITY,
            "At the start: the broadcast channel that it shall listen on.",
            "ID",
        ),
    ] = None,
    live_activity_token: Annotated[
        str | None,
        _option(
            "--live-activity-token",
            ACTIVITY,
            "Through FCM: the activity's token, such as '{{ activity_token }}'.",
            "T",
        ),
    ] = None,
    credential: Annotated[
        list[str] | None,
        _option("--credential", DELIVERY, "The credential to use, one a service.", "NAME"),
    ] = None,
    campaign: Annotated[
        str | None, _option("--campaign", DELIVERY, "Written into every record.", "NAME")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            "-n",
            envvar="PUSHCTL_DRY_RUN",
            rich_help_panel=DELIVERY,
            help="Everything but the sending.",
        ),
    ] = False,
    validate_only: Annotated[
        bool,
        typer.Option(
            "--validate-only",
            envvar="PUSHCTL_VALIDATE_ONLY",
            rich_help_panel=DELIVERY,
            help="FCM checks the push and delivers nothing.",
        ),
    ] = False,
    concurrency: Annotated[
        int | None,
        _option("--concurrency", DELIVERY, "Most requests in flight for a credential.", "N"),
    ] = None,
    connections: Annotated[
        int | None, _option("--connections", DELIVERY, "Most connections for a credential.", "N")
    ] = None,
    rate: Annotated[float | None, _option("--rate", DELIVERY, "Most pushes a second.", "N")] = None,
    retry_for: Annotated[
        str | None, _option("--retry-for", DELIVERY, "How long to retry (5m).", "TIME")
    ] = None,
    timeout: Annotated[
        str | None, _option("--timeout", DELIVERY, "How long to wait for an answer (30s).", "TIME")
    ] = None,
    on_unknown: Annotated[
        str | None,
        _option(
            "--on-unknown",
            DELIVERY,
            "What was sent and never answered: keep it (default), or resend and risk duplicates.",
            "keep|resend",
            env=False,
        ),
    ] = None,
    stop_if: Annotated[
        str | None,
        _option(
            "--stop-if",
            DELIVERY,
            "When to stop: 'faulty>8%' (default), 'unknown>100', never.",
            "COND",
        ),
    ] = None,
    canary: Annotated[
        int | None,
        _option("--canary", DELIVERY, "How many go first (50); 0 is none.", "N"),
    ] = None,
    bounce_log: Annotated[
        str | None, _option("--bounce-log", DELIVERY, "The bounce log to append to.", "FILE")
    ] = None,
    bounce_log_max_size: Annotated[
        str | None,
        _option(
            "--bounce-log-max-size",
            DELIVERY,
            "Rotate the bounce log before it grows beyond this, such as 500MB.",
            "SIZE",
        ),
    ] = None,
    mask_tokens: Annotated[
        bool,
        typer.Option(
            "--mask-tokens",
            envvar="PUSHCTL_MASK_TOKENS",
            rich_help_panel=DELIVERY,
            help="Write masks in place of tokens, to the bounce log and to stdout.",
        ),
    ] = False,
    run: Annotated[str | None, _option("--run", DELIVERY, "The id of this run.", "ID")] = None,
    max_duration: Annotated[
        str | None, _option("--max-duration", DELIVERY, "Stop after this time.", "TIME")
    ] = None,
    keep_duplicates: Annotated[
        bool,
        typer.Option(
            "--keep-duplicates",
            envvar="PUSHCTL_KEEP_DUPLICATES",
            rich_help_panel=DELIVERY,
            help="Send to a token as often as it is listed.",
        ),
    ] = False,
    allow_endpoint: Annotated[
        list[str] | None,
        _option("--allow-endpoint", DELIVERY, "A host the config may send credentials to.", "HOST"),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", rich_help_panel=DELIVERY, help="Do not ask before a bulk send."
        ),
    ] = False,
    count: Annotated[
        int | None,
        _option("--confirm", DELIVERY, "The exact number of pushes, for scripts.", "N", env=False),
    ] = None,
    output: Annotated[
        str,
        output_option(*OUTPUTS, panel=OUTPUT),
    ] = "table",
    fail_on: Annotated[
        str | None,
        _option("--fail-on", OUTPUT, "What makes exit 1 (bounced).", "bounced|faulty|never"),
    ] = None,
    fail_if_empty: Annotated[
        bool,
        typer.Option(
            "--fail-if-empty",
            envvar="PUSHCTL_FAIL_IF_EMPTY",
            rich_help_panel=OUTPUT,
            help="Exit 1 when nothing was sent.",
        ),
    ] = False,
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    no_input: NoInputOption = False,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    if sys.platform == "win32":
        raise UsageError(
            "send is not supported on Windows",
            hint="the other commands work here; send from Linux, macOS or WSL",
        )
    from pushctl.cli.deliver import deliver
    from pushctl.job.options import SendOptions, checked_fail_on

    if validate_only and not dry_run:
        raise UsageError(
            "--validate-only belongs to a dry run",
            hint="add --dry-run: FCM is asked to check every push, and nothing is delivered",
        )
    terminal = make_terminal(quiet, verbose, color, progress, no_input)
    options = SendOptions(
        tokens=token or (),
        fids=fid or (),
        platform=platform,
        profile_files=[input_path(name) for name in profiles or ()],
        profile_ids=profile or (),
        token_files=[input_path(name) for name in tokens or ()],
        format=format,
        fcm_topics=fcm_topic or (),
        fcm_conditions=fcm_condition or (),
        apns_channels=apns_channel or (),
        message_file=None if message is None else input_path(message),
        payloads=payload or (),
        texts={
            "title": title,
            "subtitle": subtitle,
            "body": body,
            "badge": badge,
            "sound": sound,
            "image": image,
            "collapse_id": collapse_id,
            "ttl": ttl,
            "priority": priority,
            "push_type": push_type,
            "thread_id": thread_id,
            "category": category,
            "interruption_level": interruption_level,
            "relevance_score": relevance_score,
        },
        data=data or (),
        critical=critical,
        volume=volume,
        activity={
            "event": live_activity,
            "stale_date": stale_date,
            "dismissal_date": dismissal_date,
            "attributes_type": attributes_type,
            "input_push_token": input_push_token,
            "input_push_channel": input_push_channel,
            "live_activity_token": live_activity_token,
        },
        activity_files={
            "content_state": None if content_state is None else input_path(content_state),
            "attributes": None if attributes is None else input_path(attributes),
        },
        credentials=credential or (),
        campaign=campaign,
        validate_only=validate_only,
        concurrency=concurrency,
        connections=connections,
        rate=rate,
        retry_for=retry_for,
        timeout=timeout,
        on_unknown=on_unknown,
        stop_if=stop_if,
        canary=canary,
        bounce_log=None if bounce_log is None else Path(bounce_log),
        bounce_log_max_size=bounce_log_max_size,
        mask_tokens=mask_tokens,
        run=run,
        max_duration=max_duration,
        keep_duplicates=keep_duplicates,
        where=where,
        suppress=[input_path(name) for name in suppress or ()],
    )
    return deliver(
        options,
        terminal,
        output=output,
        progress=progress.value,
        config=config,
        allow_endpoint=allow_endpoint or (),
        fail_on=checked_fail_on(fail_on),
        fail_if_empty=fail_if_empty,
        yes=yes,
        count=count,
        dry_run=dry_run,
    )
