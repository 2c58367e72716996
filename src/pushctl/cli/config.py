"""``pushctl config``: what is configured, and where each value comes from."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    QuietOption,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import UsageError

OUTPUTS = ("table", "json")
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-endpoint", metavar="HOST", help="A host the config may send credentials to."
    ),
]

SHOW_EPILOG = """
Examples:

  pushctl config show

  # where does this value come from?
  pushctl config show -o json | jq '.settings[] | select(.name == "bounce_log")'

Keys are told by a fingerprint: the beginning of the SHA-256 of the file's or variable's text
without white space. It is the same wherever the key is. Passwords are never told.

Exit codes: 0 shown, 2 usage, 3 the config is invalid.
"""
PATH_EPILOG = """
Examples:

  $EDITOR "$(pushctl config path)"

The order is --config, PUSHCTL_CONFIG, the nearest pushctl.yaml up to the root of the repository,
the user's own. Exactly one file is read: nothing is merged.

Exit codes: 0 told (also that there is none), 2 usage.
"""
SCHEMA_EPILOG = """
Examples:

  pushctl config schema > pushctl.schema.json

  # then as the first line of pushctl.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=pushctl.schema.json

  pushctl config schema --message > message.schema.json

Exit codes: 0 printed, 2 usage.
"""


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    config = typer.Typer(
        help="Show what is configured, and where each value comes from.", no_args_is_help=True
    )
    config.command(
        "show",
        help="Show every setting with its value and its origin; secrets as fingerprints.",
        epilog=SHOW_EPILOG,
    )(show)
    config.command(
        "path", help="Print which config file is used; say where others are.", epilog=PATH_EPILOG
    )(path)
    config.command(
        "schema",
        help="Print the JSON Schema of pushctl.yaml, so that editors complete it.",
        epilog=SCHEMA_EPILOG,
    )(schema)
    app.add_typer(config, name="config")


def show(
    ctx: typer.Context,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
    allow_endpoint: AllowOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
) -> int:
    choose_output(output, OUTPUTS)
    from pushctl.cli.settings import settings_for
    from pushctl.config.discover import chosen_config
    from pushctl.config.origins import settings_with_origins
    from pushctl.view.config import show_settings

    terminal = make_terminal(quiet, 0, color)
    settings = settings_for(config, allow_endpoint or ())
    options = _option_variables(ctx)
    found = settings_with_origins(
        settings, chosen_config(_candidates(ctx, config)), os.environ, Secrets(), options
    )
    show_settings(found, terminal, output)
    named = {it.value for it in found if it.name.endswith("_env")}
    for variable in sorted(os.environ):
        if variable.startswith("PUSHCTL_") and variable not in {*options, *named}:
            terminal.warn(f"{variable} sets no option", hint=_meant(variable, options))
    if settings.path is None:
        terminal.next_step("pushctl init")
    return 0


def path(
    ctx: typer.Context,
    output: Annotated[str, output_option(*OUTPUTS)] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = 0,
    color: ColorOption = Color.AUTO,
) -> int:
    choose_output(output, OUTPUTS)
    from pushctl.config.discover import chosen_config
    from pushctl.view.config import show_path

    terminal = make_terminal(quiet, 0, color)
    candidates = _candidates(ctx, config)
    chosen = chosen_config(candidates)
    show_path(candidates, chosen, terminal, output)
    for it in candidates:
        other = it.path.with_suffix(".yml")
        if not it.exists and os.path.exists(other):
            terminal.warn(f"{other} is not read", hint=f"name it {it.path.name}")
    if chosen is None:
        terminal.say("there is no config file: commands that need a credential say so")
        terminal.next_step("pushctl init")
    return 0


def schema(
    message: Annotated[
        bool, typer.Option("--message", help="That of the file of send --message.")
    ] = False,
    profiles: Annotated[
        bool, typer.Option("--profiles", help="That of the file of send --profiles.")
    ] = False,
    quiet: QuietOption = 0,
) -> int:
    if message and profiles:
        raise UsageError("--message and --profiles exclude each other", hint="ask for one")
    make_terminal(quiet).data(
        json.dumps(_schema(message=message, profiles=profiles), ensure_ascii=False, indent=2) + "\n"
    )
    return 0


def _schema(*, message: bool, profiles: bool) -> dict[str, Any]:
    if message:
        from pushctl.message.fields import message_schema

        return message_schema()
    if profiles:
        from pushctl.audience.json_schema import profiles_schema

        return profiles_schema()
    from pushctl.config.json_schema import config_schema

    return config_schema()


class Secrets:
    """Reads secrets, and tells of them what may be told."""

    def of_file(self, path: Path) -> str:
        """Return the fingerprint of a key file, or why there is none."""
        from pushctl.credentials.sources import MAX_SECRET_BYTES
        from pushctl.documents import read_bytes
        from pushctl.errors import InvalidInput

        try:
            return _fingerprint(read_bytes(path, max_bytes=MAX_SECRET_BYTES))
        except InvalidInput:
            return "cannot be read" if path.exists() else "there is no such file"

    def of_variable(self, name: str) -> str:
        """Return the fingerprint of a key in a variable, or why there is none."""
        value = os.environ.get(name)
        return _fingerprint(os.fsencode(value)) if value else "not set"

    def password(self, name: str) -> str:
        """Return whether a variable is set: a password could be guessed from a fingerprint."""
        return "set" if os.environ.get(name) else "not set"


def _fingerprint(data: bytes) -> str:
    import hashlib

    digest = hashlib.sha256(re.sub(rb"\s+", b"", data)).hexdigest()
    return f"SHA-256 {digest[:12]}…"


def _candidates(ctx: typer.Context, config: str | None) -> list[Any]:
    """Return where the config is looked for; *config* may come from its variable."""
    from typer._click.core import ParameterSource

    from pushctl.cli.settings import candidates_for

    given = ctx.get_parameter_source("config") is ParameterSource.COMMANDLINE
    return candidates_for(config if given else None)


def _option_variables(ctx: typer.Context) -> dict[str, str]:
    """Return the options of all commands by their variables."""
    from pushctl.manual.environment import variables
    from pushctl.manual.read import read_command

    root: Any = ctx.find_root()
    found = variables(read_command(root.command))
    return {name: option.name for name, (option, _) in found.items()}


def _meant(variable: str, options: dict[str, str]) -> str | None:
    from pushctl.config.words import did_you_mean

    return did_you_mean(variable, options) or "pushctl help environment lists those that do"
