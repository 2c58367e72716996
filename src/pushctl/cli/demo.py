"""``pushctl demo``: the main job, end to end, with nothing to configure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    DebugOption,
    QuietOption,
    VerboseOption,
    make_terminal,
)
from pushctl.errors import InvalidInput

if TYPE_CHECKING:
    from pushctl.simulator import Rule
    from pushctl.view.terminal import Terminal

HELP = """
Send to a mixed audience through a built-in simulator of APNs and FCM.

Starts the simulator on this machine (HTTP/2 over TLS, its own CA), makes throw-away credentials,
sends, and shows the outcomes and the bounce log. Nothing leaves this machine.
"""

EPILOG = """
Examples:

  pushctl demo

  pushctl demo --folder try-it

Exit codes: 0 shown, 2 usage, 3 the folder holds files already.
"""

PROFILES = """\
# The audience of the demo: one profile is one person, who may have several devices.
profiles:
  - id: anna                       # two devices: the push is tried on both
    consent: true
    attributes: {first_name: Anna, orders: 7}
    tokens:
      - {platform: ios, token: 3f9ab2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f80}
      - {platform: android, token: "dAnna1_phoneQ7x2yZ0w:APA91bAnnaPhone_kT3vQ8mN5rW1xY7zB4cD6eF"}
  - id: ben                        # has uninstalled the app
    consent: true
    attributes: {first_name: Ben, orders: 2}
    tokens:
      - {platform: ios, token: b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf}
  - id: carla                      # the app was removed from her Android phone
    consent: true
    attributes: {first_name: Carla, orders: 1}
    tokens:
      - {platform: android, token: "dCarla_goneP5s6tU7v8:APA91bCarlaGone_aB2cD4eF6gH8iJ0kL3mN5oP7"}
  - id: dora                       # a token of a development build, sent to production
    consent: true
    attributes: {first_name: Dora, orders: 12}
    tokens:
      - {platform: ios, token: d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d}
  - id: emil                       # never agreed: skipped, whatever his tokens
    consent: false
    attributes: {first_name: Emil, orders: 3}
    tokens:
      - {platform: ios, token: e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00}
  - id: fiona                      # agreed, but no device has registered yet
    consent: true
    attributes: {first_name: Fiona, orders: 0}
  - id: gustav                     # the token was stored in the format of a log line
    consent: true
    attributes: {first_name: Gustav, orders: 5}
    tokens:
      - {platform: ios, token: "{length = 32, bytes = 0x9f3a2b1c 4d5e6f70 ... 8192a3b4 }"}
  - id: hilde                      # we do not know her first name: no push beats "Hi ,"
    consent: true
    attributes: {orders: 9}
    tokens:
      - {platform: android, token: "dHilde_tabM1n2O3p4Q5:APA91bHildeTab_rS6tU8vW0xY2zA4bC6dE8fG"}
"""

MESSAGE = """\
# What is sent: neutral words for both services; {{ ... }} is filled for each recipient.
title: Hi {{ first_name }}
body: Your spring order ships today
sound: default
collapse_id: spring-order
ttl: 4h
data: {screen: orders}
"""

BEN = "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
CARLA = "dCarla_goneP5s6tU7v8:APA91bCarlaGone_aB2cD4eF6gH8iJ0kL3mN5oP7"
DORA = "d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d0ade50d"

SHOWN_FIELDS = ("event", "profile", "service", "status", "reason", "token_action", "campaign")


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("demo", help=HELP, epilog=EPILOG)(demo)


def demo(
    folder: Annotated[
        str | None,
        typer.Option(
            "--folder", metavar="DIR", help="Where to leave its files (a new pushctl-demo)."
        ),
    ] = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> int:
    from pushctl.cli.deliver import deliver
    from pushctl.config.beginning import write_new
    from pushctl.job.options import SendOptions
    from pushctl.simulator import Script, make_credentials, serve_in_thread, write_config

    terminal = make_terminal(quiet, verbose, color)
    place = _new_folder(folder)
    with serve_in_thread(script=Script(rules=_rules())) as simulator:
        made = make_credentials(place, simulator)
        config = write_config(place, simulator, made)
        profiles, message = place / "profiles.yaml", place / "message.yaml"
        for path, text in ((profiles, PROFILES), (message, MESSAGE)):
            path.unlink(missing_ok=True)  # the simulator has its own profiles
            write_new(path, text, 0o600)
        terminal.say(f"a simulator of APNs and FCM listens on {simulator.url} (this machine only)")
        terminal.say(f"$ pushctl send --profiles {profiles} --message {message} --campaign spring")
        deliver(
            SendOptions(profile_files=[profiles], message_file=message, campaign="spring"),
            terminal,
            output="table",
            progress="never",
            config=str(config),
            allow_endpoint=(),
            fail_on="never",
            fail_if_empty=False,
            yes=True,
        )
    _show_bounce_log(place / "bounces.jsonl", terminal)
    _show_next(place, terminal)
    return 0


def _rules() -> tuple[Rule, ...]:
    from pushctl.simulator import Rule

    return (
        Rule(token=BEN, answer="Unregistered"),
        Rule(token=CARLA, answer="UNREGISTERED"),
        Rule(token=DORA, answer="BadDeviceToken"),
    )


def _new_folder(wanted: str | None) -> Path:
    """Return a new folder.  Raises :class:`InvalidInput` if the one that is wanted holds files."""
    if wanted is not None:
        place = Path(wanted)
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise InvalidInput(
                f"{place} exists already", hint="name a new or empty folder with --folder"
            )
        return place
    names = ("pushctl-demo", *(f"pushctl-demo-{number}" for number in range(2, 1000)))
    return next(Path(name) for name in names if not Path(name).exists())


def _show_bounce_log(log: Path, terminal: Terminal) -> None:
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    bounced = [line for line in lines if line["event"] == "Bounced push"]
    terminal.data(f"\nThe bounce log, {log} ({len(lines)} lines; some fields of each bounce):\n")
    for line in sorted(bounced, key=lambda bounce: int(bounce["row"])):
        shown = {name: line[name] for name in SHOWN_FIELDS}
        terminal.data("  " + json.dumps(shown, ensure_ascii=False) + "\n")


def _show_next(place: Path, terminal: Terminal) -> None:
    terminal.data(
        f"\nEverything is in {place}/: credentials, profiles.yaml, message.yaml, bounces.jsonl.\n"
        "What to do next:\n"
        "  pushctl explain Unregistered          what a reason means and what to do\n"
        f"  pushctl simulate --folder {place}     the simulator again, with this config\n"
        f"  pushctl send --config {place}/pushctl.yaml --profiles {place}/profiles.yaml"
        " --profile anna --title Hello\n"
    )
