"""``pushctl init``: a commented config to begin with."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    NoInputOption,
    QuietOption,
    make_terminal,
)
from pushctl.errors import StorageError, UsageError
from pushctl.outcome import Environment, Service

if TYPE_CHECKING:
    from pushctl.config.template import Facts
    from pushctl.view.terminal import Terminal

APNS, FCM = "APNs", "FCM"

HELP = """
Write a commented pushctl.yaml and profiles.yaml to begin with.

Nothing is ever overwritten. Lines that keep keys, the bounce log and runs out of git are added to
.gitignore. A push key and a service account that lie in the folder are found by themselves; on a
terminal the rest is asked, and what stays open is marked to be filled in.
"""
EPILOG = """
Examples:

  pushctl init

  pushctl init --topic com.acme.shop --team-id DEF123GHIJ

  pushctl init shop --service fcm --service-account-file shop-firebase.json

Exit codes: 0 written, 2 usage, or there is a pushctl.yaml already; 74 the files cannot be written.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("init", help=HELP, epilog=EPILOG)(init)


def _text(name: str, panel: str, text: str, metavar: str) -> Any:
    return typer.Option(name, metavar=metavar, rich_help_panel=panel, help=text)


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write them; it may be new.")
    ] = Path(),
    service: Annotated[
        list[Service] | None,
        typer.Option("--service", help="Only this service; repeatable.", show_default=False),
    ] = None,
    environment: Annotated[
        Environment | None,
        typer.Option(
            "--environment",
            rich_help_panel=APNS,
            help="production: TestFlight and App Store; sandbox: run from Xcode.",
        ),
    ] = None,
    topic: Annotated[
        str | None, _text("--topic", APNS, "The app's bundle id.", "BUNDLE_ID")
    ] = None,
    key_file: Annotated[
        str | None, _text("--key-file", APNS, "The push key (.p8).", "FILE")
    ] = None,
    key_id: Annotated[
        str | None,
        _text("--key-id", APNS, "Its key id, where the file's name does not tell.", "ID"),
    ] = None,
    team_id: Annotated[str | None, _text("--team-id", APNS, "The team's id.", "ID")] = None,
    certificate_file: Annotated[
        str | None,
        _text("--certificate-file", APNS, "A certificate instead of a key.", "FILE"),
    ] = None,
    service_account_file: Annotated[
        str | None,
        _text("--service-account-file", FCM, "The service account's JSON file.", "FILE"),
    ] = None,
    project_id: Annotated[
        str | None,
        _text("--project-id", FCM, "The project, where the service account does not tell.", "ID"),
    ] = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
    no_input: NoInputOption = False,
) -> int:
    from pushctl.config.beginning import complete, given_facts

    terminal = make_terminal(quiet, 0, color, no_input=no_input)
    config = folder / "pushctl.yaml"
    if os.path.lexists(config):
        raise UsageError(
            f"{config} exists already: nothing was written",
            hint="pushctl config show tells what it says; to begin anew, move it away",
        )
    facts = given_facts(
        folder,
        services=service,
        environment=environment,
        topic=topic,
        key_file=key_file,
        key_id=key_id,
        team_id=team_id,
        certificate_file=certificate_file,
        service_account_file=service_account_file,
        project_id=project_id,
    )
    if terminal.may_ask:
        facts = complete(facts, lambda question: _ask(terminal, question), terminal.say)
    _write_all(folder, facts, terminal)
    return 0


def _ask(terminal: Terminal, question: str) -> str:
    """Return the answer to *question*.  Raises :class:`typer.Abort` at the end of input."""
    terminal.stderr.write(f"{question} ")
    terminal.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        terminal.stderr.write("\n")
        raise typer.Abort
    return answer.strip()


def _write_all(folder: Path, facts: Facts, terminal: Terminal) -> None:
    from pushctl.config.beginning import add_lines, write_new
    from pushctl.config.template import PROFILES_TEXT, config_text, ignore_lines, lines_to_fill_in

    config, profiles, ignore = (
        folder / name for name in ("pushctl.yaml", "profiles.yaml", ".gitignore")
    )
    text = config_text(facts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # First of all: no moment in which git could take up a key.
        added = add_lines(ignore, ignore_lines(facts))
        write_new(config, text, 0o644)
        made = write_new(profiles, PROFILES_TEXT, 0o600, keep=True)
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename or folder}: {error.strerror}",
            hint="is the folder yours to write?",
        ) from None
    terminal.data(f"{config}\n" + (f"{profiles}\n" if made else ""))
    if not made:
        terminal.say(f"{profiles} exists already and was left as it is")
    if added is None:
        terminal.warn(f"{ignore} is no regular file: add {', '.join(ignore_lines(facts))} to it")
    elif added:
        terminal.say(f"{ignore}: {added} lines added, for keys and personal data")
    for number, key in lines_to_fill_in(text):
        terminal.say(f"fill in: {key} ({config}:{number})")
    here = folder == Path()
    terminal.next_step("pushctl check" if here else f"cd {shlex.quote(str(folder))}; pushctl check")
