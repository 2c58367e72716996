"""``pushctl check``: are these push credentials good?"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

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
    make_terminal,
)
from pushctl.errors import InvalidInput, UsageError
from pushctl.rules.duration import GRAMMAR, parse_duration

if TYPE_CHECKING:
    from pushctl.check.step import Report
    from pushctl.config import CredentialSettings, Settings
    from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "junit", "github")
FAIL_ON = ("fail", "warn")

HELP = """
Check push credentials without any device: offline, then with the service itself.

Offline: the key, certificate or service account opens, is of the right kind, fits the config, and
nobody else can read it. Online: DNS, TCP, TLS, HTTP/2, this machine's clock, and one request that
can reach no device: APNs with an impossible device token, FCM with validate_only. Without
CREDENTIAL all of the config are checked.

Whether devices of the topic belong to the environment, only a device can prove.
"""
EPILOG = """
Examples:

  pushctl check

  pushctl check shop-ios --offline

  pushctl check -o junit --fail-on warn > push-credentials.xml

Exit codes: 0 all good, 1 a warning and --fail-on warn, 2 usage, 3 a config or key is invalid,
4 refused by the service, 5 unreachable or overloaded: nobody could tell. Of several 4, then 3,
then 5.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("check", help=HELP, epilog=EPILOG)(check)


def check(
    credentials: Annotated[
        list[str] | None,
        typer.Argument(metavar="CREDENTIAL", help="Names from the config; none: all of them."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody.")] = False,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="fail|warn", help="What does not exit with 0.")
    ] = "fail",
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            help="How long a connection, and then the answer, may take.",
        ),
    ] = "10s",
    allow_endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-endpoint",
            metavar="HOST",
            help="A host besides Apple's and Google's that may be given credentials.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="|".join(OUTPUTS), help="What stdout carries."),
    ] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    no_input: NoInputOption = False,
    debug: DebugOption = False,
) -> int:
    """Check, show what was found, and return the exit code."""
    choose_output(output, OUTPUTS)
    if fail_on not in FAIL_ON:
        raise UsageError(
            f"--fail-on {fail_on!r} is not known here", hint="check knows: " + ", ".join(FAIL_ON)
        )
    timeout_s = _seconds(timeout)
    terminal = make_terminal(quiet, verbose, color, progress, no_input)
    return _run(
        terminal,
        credentials or [],
        output=output,
        offline=offline,
        fail_on_warn=fail_on == "warn",
        timeout_s=timeout_s,
        config=config,
        allow_endpoint=allow_endpoint or [],
    )


def _run(
    terminal: Terminal,
    names: Sequence[str],
    *,
    output: str,
    offline: bool,
    fail_on_warn: bool,
    timeout_s: float,
    config: str | None,
    allow_endpoint: Sequence[str],
) -> int:
    from pushctl.check.opening import report_of_faults
    from pushctl.check.run import Checking, check_config, check_credentials
    from pushctl.check.step import exit_code
    from pushctl.cli.settings import settings_for
    from pushctl.config.choose import named_credentials
    from pushctl.view.check import show_check, summary

    try:
        settings = settings_for(config, allow_endpoint)
        wanted = named_credentials(settings, names or settings.credentials)
    except InvalidInput as error:
        if output != "table":  # a report of CI names the line as well
            faults = [report_of_faults("config", error)]
            show_check(faults, error.exit_code, terminal, output, offline=offline)
        raise
    if not offline:
        terminal.say(f"asking {_services(wanted)}; no device is needed, none can be reached")
    reports: list[Report] = [check_config(settings, _shown(settings))]
    how = Checking(environ=os.environ, clock=time.time, offline=offline, timeout_s=timeout_s)
    reports += check_credentials(wanted, how)
    code = exit_code(reports, fail_on_warn=fail_on_warn)
    show_check(reports, code, terminal, output, offline=offline)
    terminal.say(summary(reports))
    reason = next((step.reason for it in reports for step in it.steps if step.reason), None)
    if reason is not None:
        terminal.next_step(f"pushctl explain {reason}")
    return int(code)


def _services(wanted: Sequence[CredentialSettings]) -> str:
    names = {"apns": "APNs", "fcm": "FCM"}
    return " and ".join(dict.fromkeys(names[settings.service.value] for settings in wanted))


def _shown(settings: Settings) -> str:
    spot = settings.places.get(())
    return spot.place.file if spot is not None else str(settings.path)


def _seconds(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise UsageError(f"--timeout {text!r} is not a length of time", hint=GRAMMAR)
    return float(seconds)
