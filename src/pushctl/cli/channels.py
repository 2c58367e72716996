"""``pushctl channels``: the broadcast channels of an app."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli.common import (
    AllowEndpointOption,
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    NoInputOption,
    QuietOption,
    TimeoutOption,
    VerboseOption,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode, UsageError
from pushctl.rules.channels import Storage, channel_fault

if TYPE_CHECKING:
    from pushctl.cli.manage import Office
    from pushctl.gateway.channels import Call
    from pushctl.outcome import Outcome
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "jsonl", "csv")
DRY_OUTPUTS = ("table", "json", "jsonl")

HELP = """
Make, list, look at and delete the broadcast channels of an app (APNs, iOS 18 and later).

A channel carries the updates of a Live Activity to everybody who listens: send --apns-channel ID.
It belongs to one app and one environment, those of the credential.
"""
CREATE_HELP = """
Make a channel and print its id.

With --storage last, APNs keeps the most recent message for devices that come online later; with
none (default) it keeps nothing, and a push must not ask it to (--ttl 0). Without an answer nobody
knows whether there is one channel more: it is never asked for twice.
"""
_CODES = """
Exit codes: 0 done, 1 refused (no such channel, no room), 2 usage, 3 a config or key is invalid,
4 credentials refused, 5 unreachable or overloaded{more}.
"""
CREATE_EPILOG = """
Examples:

  pushctl channels create

  pushctl channels create --storage last --credential shop-ios -o json
""" + _CODES.format(more=", 7 no answer: there may be a new channel")
LIST_EPILOG = """
Examples:

  pushctl channels list

  pushctl channels list -o json | jq .count
""" + _CODES.format(more="")
SHOW_EPILOG = """
Examples:

  pushctl channels show dHN0LXNyY2gtY2hubA==
""" + _CODES.format(more="")
DELETE_HELP = """
Delete channels.

Who listens to one hears nothing more, and there is no way back: it asks first, unless --yes.
"""
DELETE_EPILOG = """
Examples:

  pushctl channels delete dHN0LXNyY2gtY2hubA==

  pushctl channels list | xargs pushctl channels delete --yes
""" + _CODES.format(more=", 7 no answer: it may be gone")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The channel's id, as APNs gave it.")]
IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Channel ids, as APNs gave them.")
]
CredentialOption = Annotated[
    str | None,
    typer.Option(
        "--credential",
        metavar="NAME",
        envvar="PUSHCTL_CREDENTIAL",
        show_default=False,
        help="The APNs credential: it says which app and environment.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        "-n",
        envvar="PUSHCTL_DRY_RUN",
        help="Print the request without its credential, and ask nobody.",
    ),
]
OutputOption = Annotated[str, output_option(*OUTPUTS)]


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    channels = typer.Typer(help=HELP, no_args_is_help=True)
    channels.command("create", help=CREATE_HELP, epilog=CREATE_EPILOG)(create)
    channels.command("list", help="Print the ids of all channels.", epilog=LIST_EPILOG)(
        list_command
    )
    channels.command("show", help="Print how a channel was made.", epilog=SHOW_EPILOG)(show)
    channels.command(
        "delete",
        help=DELETE_HELP,
        epilog=DELETE_EPILOG,
    )(delete)
    app.add_typer(channels, name="channels")


def create(
    storage: Annotated[
        Storage,
        typer.Option(
            "--storage",
            envvar="PUSHCTL_STORAGE",
            metavar="none|last",
            help="What APNs keeps for devices that are offline.",
        ),
    ] = Storage.NONE,
    credential: CredentialOption = None,
    dry_run: DryRunOption = False,
    timeout: TimeoutOption = "30s",
    allow_endpoint: AllowEndpointOption = None,
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, DRY_OUTPUTS if dry_run else OUTPUTS)
    terminal = make_terminal(quiet, verbose, color)
    office = _office(credential, timeout, allow_endpoint, config, terminal)
    from pushctl.gateway import channels
    from pushctl.manage.channels import exit_code
    from pushctl.outcome import Kind
    from pushctl.view.channels import channel_document, problem_of, show_made

    if dry_run:
        return _show_calls(office, [channels.create(office.app, storage)], output)
    made, stopped = office.channels(lambda manager: manager.create(storage))
    document = channel_document(
        office.home, made.id, made.outcome, storage=storage.value, push_type=made.push_type
    )
    show_made(document, terminal, output)
    if made.outcome.kind is not Kind.ACCEPTED:
        look = "pushctl channels list shows whether there is one channel more"
        terminal.error(problem_of(made.outcome, "create the channel", if_unknown=look))
    elif made.id is None:
        terminal.warn(
            "APNs made the channel, but its answer does not name it",
            hint="pushctl channels list shows it",
        )
    else:
        terminal.say(f"made a channel of {office.home} that stores {_stores(storage)}")
        terminal.next_step(f"pushctl send --apns-channel {made.id} --payload update.json")
    return int(exit_code([made.outcome], stopped))


def list_command(
    credential: CredentialOption = None,
    timeout: TimeoutOption = "30s",
    allow_endpoint: AllowEndpointOption = None,
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    terminal = make_terminal(quiet, verbose, color)
    office = _office(credential, timeout, allow_endpoint, config, terminal)
    from pushctl.view.channels import show_listing

    listing, stopped = office.channels(lambda manager: manager.list_all())
    code = _judge(listing.outcome, stopped, "list the channels", terminal)
    if code is ExitCode.OK:
        show_listing(office.home, listing.ids, terminal, output)
    return int(code)


def show(
    channel: IdArgument,
    credential: CredentialOption = None,
    timeout: TimeoutOption = "30s",
    allow_endpoint: AllowEndpointOption = None,
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    _check_ids([channel])
    terminal = make_terminal(quiet, verbose, color)
    office = _office(credential, timeout, allow_endpoint, config, terminal)
    from pushctl.view.channels import channel_document, show_one

    read, stopped = office.channels(lambda manager: manager.read(channel))
    storage = None if read.storage is None else read.storage.value
    document = channel_document(
        office.home, read.id, read.outcome, storage=storage, push_type=read.push_type
    )
    show_one(document, terminal, output)
    return int(_judge(read.outcome, stopped, "show the channel", terminal))


def delete(
    channels: IdsArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    credential: CredentialOption = None,
    dry_run: DryRunOption = False,
    timeout: TimeoutOption = "30s",
    allow_endpoint: AllowEndpointOption = None,
    output: OutputOption = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    no_input: NoInputOption = False,
    debug: DebugOption = False,
) -> int:
    choose_output(output, DRY_OUTPUTS if dry_run else OUTPUTS)
    ids = list(dict.fromkeys(channels))
    _check_ids(ids)
    terminal = make_terminal(quiet, verbose, color, no_input=no_input)
    office = _office(credential, timeout, allow_endpoint, config, terminal)
    from pushctl.gateway import channels as calls
    from pushctl.manage.channels import exit_code
    from pushctl.outcome import Kind
    from pushctl.view.channels import channel_document, problem_of, show_deleted

    if dry_run:
        return _show_calls(office, [calls.delete(office.app, one) for one in ids], output)
    if not yes:
        _confirm(office, ids, terminal)
    gone, stopped = office.channels(lambda manager: manager.delete(ids))
    show_deleted(
        [channel_document(office.home, one.id, one.outcome) for one in gone], terminal, output
    )
    for outcome in {(one.outcome.kind, one.outcome.reason): one.outcome for one in gone}.values():
        if outcome.kind is not Kind.ACCEPTED and outcome.reason != "Interrupted":
            look = "pushctl channels show ID tells whether it is still there"
            terminal.error(problem_of(outcome, "delete a channel", if_unknown=look))
    return int(exit_code([one.outcome for one in gone], stopped))


def _office(
    credential: str | None,
    timeout: str,
    allow_endpoint: Sequence[str] | None,
    config: str | None,
    terminal: Terminal,
) -> Office:
    from pushctl.cli.manage import open_apns_office

    return open_apns_office(
        credential,
        timeout=timeout,
        allow_endpoint=allow_endpoint or (),
        config=config,
        terminal=terminal,
        environ=os.environ,
    )


def _judge(outcome: Outcome, stopped: ExitCode | None, what: str, terminal: Terminal) -> ExitCode:
    """Say why *what* was not done, if it was not; return the exit code."""
    from pushctl.manage.channels import exit_code
    from pushctl.view.channels import problem_of

    code = exit_code([outcome], stopped)
    if code is not ExitCode.OK:
        terminal.error(problem_of(outcome, what))
        if outcome.reason and outcome.status is not None:
            terminal.next_step(f"pushctl explain {outcome.reason}")
    return code


def _check_ids(ids: Sequence[str]) -> None:
    for channel in ids:
        fault = channel_fault(channel)
        if fault is not None:
            raise UsageError(fault, hint="pushctl channels list prints them")


def _confirm(office: Office, ids: Sequence[str], terminal: Terminal) -> None:
    what = "1 channel" if len(ids) == 1 else f"{len(ids):,} channels"
    if not terminal.may_ask:
        raise UsageError(
            f"to delete {what} of {office.home} needs your word", hint="add --yes: no way back"
        )
    answer = terminal.ask(f"Delete {what} of {office.home}? There is no way back. [y/N]")
    if answer.lower() not in ("y", "yes"):
        raise UsageError("not confirmed: nothing was deleted")


def _show_calls(office: Office, calls: Sequence[Call], output: str) -> int:
    from pushctl.view.channels import show_request

    for call in calls:
        request = {
            "method": call.method,
            "url": f"https://{office.origin}{call.path}",
            "headers": dict(call.fields),
            "body": None if call.body is None else call.body.decode("utf-8"),
        }
        show_request(request, office.terminal, output)
    office.terminal.say("nobody was asked (--dry-run)")
    return int(ExitCode.OK)


def _stores(storage: Storage) -> str:
    return "the last message" if storage is Storage.LAST else "nothing"
