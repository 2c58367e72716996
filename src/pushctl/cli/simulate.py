"""``pushctl simulate``: a fake APNs, FCM and token endpoint to send to."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pushctl.cli import simulate_inputs as inputs
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
    output_option,
)
from pushctl.outcome import Environment

if TYPE_CHECKING:
    from pushctl.simulator.options import Options

OUTPUTS = ("table", "jsonl")
SERVE, ACCEPT, ANSWER, SHOW = "Where", "What is accepted", "How it answers", "What it shows"

HELP = """
Serve a fake APNs, FCM and Google token endpoint on loopback.

It speaks HTTP/2 over TLS and judges credentials, header fields and payloads by the vendors'
tables. Throw-away credentials and a pushctl.yaml that fits are written to a folder. A page shows
the traffic live. Runs until Ctrl-C.
"""
EPILOG = """
Examples:

  pushctl simulate

  pushctl simulate --answer 9f3a1c…=Unregistered --answer dX1…=UNREGISTERED

  # a bad day, as a file; and all that came in, as JSON lines
  pushctl simulate --scenario bad-day.yaml --record received.jsonl

--answer takes a reason of either service (pushctl explain lists them; INVALID_ARGUMENT/bad_ttl
picks a meaning), a status (503), or accept, drop, hang, half, silence, goaway, rst:REFUSED_STREAM.

GET /stats tells what was received, as JSON. -o table writes nothing to stdout, -o jsonl a record
for each push.

Exit codes: 0 stopped, 2 usage, 3 a key, a service account or the scenario is invalid, 74 the record
cannot be written.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("simulate", help=HELP, epilog=EPILOG)(simulate)


def simulate(
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, rich_help_panel=SERVE, help="The port; 0 lets the system choose."
        ),
    ] = 2197,
    host: Annotated[str, typer.Option(rich_help_panel=SERVE, help="A loopback address.")] = (
        "127.0.0.1"
    ),
    folder: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            rich_help_panel=SERVE,
            help="Where the credentials and a pushctl.yaml are written, anew each time.",
        ),
    ] = Path("pushctl-simulator"),
    environment: Annotated[
        Environment | None,
        typer.Option(rich_help_panel=ACCEPT, help="Which APNs it plays (production)."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BUNDLE_ID",
            rich_help_panel=ACCEPT,
            help="Accept only this APNs topic (push-type suffixes are added); repeatable.",
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=ACCEPT,
            help="Accept this push key (.p8) as well; needs --team-id.",
        ),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=ACCEPT, help="Its key id, where the file's name does not tell."
        ),
    ] = None,
    team_id: Annotated[
        str | None, typer.Option(rich_help_panel=ACCEPT, help="The team of --key-file.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=ACCEPT,
            help="Accept this provider certificate (.pem) as well.",
        ),
    ] = None,
    service_account: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=ACCEPT, help="Accept this service account as well."
        ),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=ANSWER,
            help="Answers, faults, quotas and limits as a YAML file (docs/simulator.md).",
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
        str | None,
        typer.Option(rich_help_panel=ANSWER, help="Before each answer: 50ms, 1.5s."),
    ] = None,
    max_streams: Annotated[
        int | None,
        typer.Option(
            min=1,
            rich_help_panel=ANSWER,
            help="Streams at once on a connection, after its first good request (1000).",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=SHOW,
            help="Append a JSON line for each request; tokens of credentials as fingerprints.",
        ),
    ] = None,
    page: Annotated[
        bool, typer.Option("--page/--no-page", rich_help_panel=SHOW, help="Serve the live page.")
    ] = True,
    page_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, rich_help_panel=SHOW, help="Its port (the one after --port)."
        ),
    ] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", rich_help_panel=SHOW, help="Print the JSON Schema of a scenario and end."
        ),
    ] = False,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
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
    if schema:
        terminal.data(_schema())
        return 0
    from pushctl.cli.simulate_serving import Serving, serve
    from pushctl.simulator import Simulator
    from pushctl.simulator.throwaway import claim_folder

    options = _scripted(scenario, answer or [], delay, max_streams)
    if environment is not None:
        options["environment"] = environment
    if topic:
        options["topics"] = frozenset(topic)
    if page or page_port is not None:
        options["page_port"] = inputs.page_port_of(host, port, page_port)
    serving = Serving(terminal, folder, topic[0] if topic else None, record)
    options["on_push"] = serving.listener(jsonl=output == "jsonl")
    if record is not None:
        options["on_exchange"] = serving.record
    options["host"], options["port"] = host, port
    simulator = Simulator(**options)
    if key_file is not None:
        key_id = inputs.key_id_of(key_file, key_id)
        simulator.trust_key(key_id, inputs.push_key(key_file, team_id))
    if certificate is not None:
        inputs.trust_certificate(simulator, certificate)
    if service_account is not None:
        simulator.trust_account(inputs.account_of(service_account))
    claim_folder(folder)
    serve(simulator, serving)
    return 0


def _scripted(
    scenario: Path | None, answers: list[str], delay: str | None, max_streams: int | None
) -> Options:
    """Return what the scenario says, with the options of the command line laid over it."""
    from pushctl.simulator import Script

    rules = inputs.rules_of(answers)
    options: Options = {}
    script = Script()
    if scenario is not None:
        from pushctl.simulator.scenario import read_scenario

        options = read_scenario(scenario).options()
        script = options["script"]
    script = dataclasses.replace(script, rules=(*rules, *script.rules))
    if delay is not None:
        script = dataclasses.replace(script, delay_s=inputs.parse_delay(delay))
    if max_streams is not None:
        script = dataclasses.replace(script, max_streams=max_streams)
    options["script"] = script
    return options


def _schema() -> str:
    import json

    from pushctl.simulator.scenario import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"
