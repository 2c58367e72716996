"""``pushctl simulate``: a fake APNs, FCM and token endpoint to send to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
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
from pushctl.outcome import Environment
from pushctl.rules.text import printable, shorten_token
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pushctl.simulator import ApnsKey, Received, Rule, ServiceAccount, Simulator, Stats

OUTPUTS = ("table", "jsonl")
SERVE, ACCEPT, ANSWER = "Where", "What is accepted", "How it answers"
_MAX_FILE = 1 << 20

HELP = """
Serve a fake APNs, FCM and Google token endpoint on loopback.

It speaks HTTP/2 over TLS and judges credentials, header fields and payloads by the vendors'
tables. Throw-away credentials and a pushctl.yaml that fits are written to a folder. Runs until
Ctrl-C.
"""
EPILOG = """
Examples:

  pushctl simulate

  pushctl simulate --answer 9f3a1c…=Unregistered --answer dX1…:APA91b…=UNREGISTERED

  pushctl simulate --answer 9f3a1c…=drop --delay 50ms -o jsonl

--answer takes a reason of either service (pushctl explain lists them; INVALID_ARGUMENT/bad_ttl
picks a meaning), a status (503), or accept, drop, hang, half, goaway, rst:REFUSED_STREAM.

GET /stats tells what was received, as JSON.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("simulate", help=HELP, epilog=EPILOG)(simulate)


def simulate(
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            envvar="PUSHCTL_PORT",
            rich_help_panel=SERVE,
            help="The port; 0 lets the system choose.",
        ),
    ] = 2197,
    host: Annotated[
        str,
        typer.Option(envvar="PUSHCTL_HOST", rich_help_panel=SERVE, help="A loopback address."),
    ] = "127.0.0.1",
    folder: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            envvar="PUSHCTL_FOLDER",
            rich_help_panel=SERVE,
            help="Where the credentials and a pushctl.yaml are written, anew each time.",
        ),
    ] = Path("pushctl-simulator"),
    environment: Annotated[
        Environment,
        typer.Option(
            envvar="PUSHCTL_ENVIRONMENT", rich_help_panel=ACCEPT, help="Which APNs it plays."
        ),
    ] = Environment.PRODUCTION,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BUNDLE_ID",
            envvar="PUSHCTL_TOPIC",
            rich_help_panel=ACCEPT,
            help="Accept only this APNs topic (push-type suffixes are added); repeatable.",
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="PUSHCTL_KEY_FILE",
            rich_help_panel=ACCEPT,
            help="Accept this push key (.p8) as well; needs --team-id.",
        ),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(
            envvar="PUSHCTL_KEY_ID",
            rich_help_panel=ACCEPT,
            help="Its key id, where the file's name does not tell.",
        ),
    ] = None,
    team_id: Annotated[
        str | None,
        typer.Option(
            envvar="PUSHCTL_TEAM_ID", rich_help_panel=ACCEPT, help="The team of --key-file."
        ),
    ] = None,
    service_account: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="PUSHCTL_SERVICE_ACCOUNT",
            rich_help_panel=ACCEPT,
            help="Accept this service account as well.",
        ),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN=REASON",
            rich_help_panel=ANSWER,
            help="Answer a token with a reason, a status or a fault; repeatable.",
        ),
    ] = None,
    delay: Annotated[
        str,
        typer.Option(
            envvar="PUSHCTL_DELAY", rich_help_panel=ANSWER, help="Before each answer: 50ms, 1.5s."
        ),
    ] = "0s",
    max_streams: Annotated[
        int,
        typer.Option(
            min=1,
            envvar="PUSHCTL_MAX_STREAMS",
            rich_help_panel=ANSWER,
            help="Streams at once on a connection, after its first good request.",
        ),
    ] = 1000,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            envvar="PUSHCTL_OUTPUT",
            help="table (nothing on stdout), or jsonl: a record for each push.",
        ),
    ] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    no_input: NoInputOption = False,
    debug: DebugOption = False,
) -> int:
    choose_output(output, OUTPUTS)
    terminal = make_terminal(quiet, verbose, color, progress, no_input)
    from pushctl.simulator import Script, Simulator
    from pushctl.simulator.throwaway import claim_folder

    script = Script(rules=_rules(answer or ()), delay_s=parse_delay(delay), max_streams=max_streams)
    simulator = Simulator(
        host=host,
        port=port,
        environment=environment,
        topics=frozenset(topic) if topic else None,
        script=script,
        on_push=_listener(terminal, jsonl=output == "jsonl"),
    )
    if key_file is not None:
        simulator.trust_key(_key_id(key_file, key_id), _push_key(key_file, team_id))
    if service_account is not None:
        simulator.trust_account(_account(service_account))
    claim_folder(folder)
    _run(simulator, folder, topic[0] if topic else None, terminal)
    return 0


def _run(simulator: Simulator, folder: Path, topic: str | None, terminal: Terminal) -> None:
    import asyncio

    from pushctl.simulator.throwaway import TOPIC, make_credentials, write_config

    async def serve() -> None:
        stop = _stop_on_signals()
        try:
            await simulator.start()
        except OSError as error:
            raise UsageError(
                f"cannot listen on port {simulator.port} of loopback: {error.strerror}",
                hint="another simulator may be running; --port 0 lets the system choose",
            ) from None
        try:
            made = make_credentials(folder, simulator, topic=topic or TOPIC)
            _introduce(terminal, simulator, write_config(folder, simulator, made))
            await stop.wait()
        finally:
            await simulator.stop()
            _conclude(terminal, simulator.stats())

    asyncio.run(serve())


def _stop_on_signals() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set.  Both are how a server is meant to end."""
    import asyncio
    import contextlib
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows: there Ctrl-C interrupts the loop.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _introduce(terminal: Terminal, simulator: Simulator, config: Path) -> None:
    import shlex

    arrow = "▸" if terminal.unicode else ">"
    terminal.say(
        f"{arrow} simulator · APNs {simulator.environment} + FCM + token endpoint"
        f" · {simulator.url}",
        style="bold",
    )
    terminal.say(f"  credentials to send with: {config}")
    terminal.say(f"  what it received:         {simulator.url}/stats")
    profiles = config.with_name("profiles.yaml")
    words = f"pushctl send --config {shlex.quote(str(config))} --profiles"
    command = f"{words} {shlex.quote(str(profiles))} --title Hello"
    terminal.say(f"{terminal.paint('next:', 'cyan')} in another terminal: {command}")
    terminal.say("  Ctrl-C stops it")


def _conclude(terminal: Terminal, stats: Stats) -> None:
    terminal.say(
        f"received {stats.requests:,} pushes on {stats.connections:,} connections, accepted"
        f" {stats.accepted:,}"
    )
    for reason, count in sorted(stats.reasons.items(), key=lambda item: -item[1]):
        terminal.say(f"  {count:>8,}  {printable(reason, 100)}")


def _listener(terminal: Terminal, *, jsonl: bool) -> Callable[[Received], None] | None:
    """Return what is called for each push; ``None`` where nobody wants to see them."""
    import json

    def record(push: Received) -> None:
        line = {
            "time": _rfc3339(push.time),
            "service": push.service,
            "token": push.token,
            "topic": push.topic,
            "status": push.status,
            "reason": push.reason,
        }
        terminal.data(json.dumps(line, ensure_ascii=True) + "\n")

    def line(push: Received) -> None:
        status = "-" if push.status is None else str(push.status)
        token = shorten_token(push.token or "(no token)")
        terminal.say(f"{push.service:<4}  {status:>3}  {token:<16}  {push.reason or 'accepted'}")

    if jsonl:
        return record
    return line if terminal.verbose else None


def _rfc3339(epoch_s: float) -> str:
    import datetime

    moment = datetime.datetime.fromtimestamp(epoch_s, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_delay(text: str) -> float:
    """
    Return *text* (``50ms``, ``1.5s``, ``2``: seconds) in seconds.

    :raises UsageError: it is something else, or more than an hour.
    """
    found = re.fullmatch(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(ms|s)?", text.strip())
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= 3600:
        raise UsageError(f"--delay {text[:40]!a} is no delay", hint="write 50ms or 1.5s")
    return seconds


def _rules(pairs: Sequence[str]) -> tuple[Rule, ...]:
    from pushctl.simulator import Rule

    rules = []
    for pair in pairs:
        token, equals, word = pair.rpartition("=")
        if not equals or not token:
            raise UsageError(
                f"--answer {pair[:80]!a} is not TOKEN=REASON",
                hint="for example --answer 9f3a1c…=Unregistered",
            )
        _check_word(word)
        rules.append(Rule(token=token, answer=word))
    return tuple(rules)


def _check_word(word: str) -> None:
    import difflib

    from pushctl.simulator import Say, answers, parse_action

    try:
        action = parse_action(word)
    except ValueError as error:
        raise UsageError(f"--answer: {error}") from None
    if isinstance(action, Say) and action.reason and not answers.known(action.reason):
        near = difflib.get_close_matches(word, answers.names(), 1, 0.5)
        raise UsageError(
            f"--answer: neither service has the reason {word[:60]!a}",
            hint=f"did you mean {near[0]}?" if near else "pushctl explain lists the reasons",
        )


def _key_id(path: Path, key_id: str | None) -> str:
    found = re.fullmatch(r"AuthKey_([A-Z0-9]{10})\.p8", path.name)
    if key_id is None and found is None:
        raise UsageError(f"the key id of {path.name} is not known", hint="give it with --key-id")
    return key_id or (found[1] if found else "")


def _push_key(path: Path, team_id: str | None) -> ApnsKey:
    from pushctl.simulator import ApnsKey

    if team_id is None:
        raise UsageError("--key-file needs --team-id, the team that the key belongs to")
    try:
        return ApnsKey.from_pem(_read(path), team_id)
    except (ValueError, TypeError):
        raise InvalidInput(f"{path} is not a push key (.p8, a PEM on P-256)") from None


def _account(path: Path) -> ServiceAccount:
    import json

    from pushctl.simulator import ServiceAccount

    try:
        info = json.loads(_read(path))
        if not isinstance(info, dict):
            raise ValueError("no object")
        return ServiceAccount.from_info(info)
    except (ValueError, TypeError):
        raise InvalidInput(f"{path} is not a service account's JSON file") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None
