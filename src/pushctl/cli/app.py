"""Puts the commands together, and turns every error into one clear message and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer

from pushctl.cli.environment import is_set, name_variables
from pushctl.cli.framework import Group, adopt
from pushctl.errors import ExitCode, Problem, PushctlError, UsageError
from pushctl.view.terminal import ColorChoice, Terminal, open_terminal

COMMANDS = {
    "demo": "pushctl.cli.demo",
    "init": "pushctl.cli.init",
    "send": "pushctl.cli.send",
    "explain": "pushctl.cli.explain",
    "check": "pushctl.cli.check",
    "tokens": "pushctl.cli.tokens",
    "bounces": "pushctl.cli.bounces",
    "channels": "pushctl.cli.channels",
    "topics": "pushctl.cli.topics",
    "runs": "pushctl.cli.runs",
    "config": "pushctl.cli.config",
    "completion": "pushctl.cli.completion",
    "help": "pushctl.cli.help",
    "simulate": "pushctl.cli.simulate",
}
"""Each command and the module whose ``register`` adds it.  The order is that of the help."""

_NEED_ALL = frozenset({"config", "help", "completion"})
"""Commands that tell of all others."""

_LEADING_FLAGS = frozenset({"-q", "-qq", "--quiet", "-v", "-vv", "--verbose", "--debug"}) | {
    "--no-input"
}
_SHORT_FLAGS = re.compile(r"-([nqvy]+)")
_LEADING_VALUES = frozenset({"--color", "--progress", "--config", "-o", "--output"})

HELP = """
Send pushes straight to APNs and FCM, understand every answer, keep the bounce log.

"Accepted" always means accepted by the service: neither Apple nor Google tells a sender
whether a device showed the push.
"""
EPILOG = """
Examples:

  # see it work, with nothing to configure
  pushctl demo

  pushctl send --token 9f3a… --title Hello --body "It works"

  pushctl explain Unregistered

Topics: help exit-codes, help environment, help output, help security.
"""


class Root(Group):
    """pushctl itself: its commands stand in the order of :data:`COMMANDS`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        order = {name: place for place, name in enumerate(COMMANDS)}
        names = sorted(self.commands, key=lambda name: order.get(name, len(order)))
        self.commands = {name: self.commands[name] for name in names}


def build_app(only: str | None = None) -> typer.Typer:
    """Return the app with all commands, or with *only* one (start-up is a feature)."""
    app = typer.Typer(
        name="pushctl",
        help=HELP,
        epilog=EPILOG,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", "-V", help="Show the version.", is_eager=True, callback=_version
        ),
    ) -> None:
        pass

    for name, module in COMMANDS.items():
        if only is None or name == only:
            importlib.import_module(module).register(app)
    adopt(app)
    app.info.cls = Root
    return app


def hoist(arguments: Sequence[str]) -> list[str]:
    """
    Return *arguments* with common options that stand before the command moved behind it.

    ``pushctl -q send …`` and ``pushctl send -q …`` are the same.
    """
    leading: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest[0]
        if word in _LEADING_FLAGS or ("=" in word and word.partition("=")[0] in _LEADING_VALUES):
            leading.append(rest.pop(0))
        elif word in _LEADING_VALUES and len(rest) > 1:
            leading += [rest.pop(0), rest.pop(0)]
        else:
            break
    return [*rest[:1], *leading, *rest[1:]] if rest else leading


def run(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name and return the exit code.  Never raises."""
    arguments = hoist(arguments)
    debug = "--debug" in arguments or is_set(os.environ, "PUSHCTL_DEBUG")
    only = arguments[0] if arguments and arguments[0] in COMMANDS else None
    if only in _NEED_ALL:
        only = None
    try:
        return _invoke(build_app(only), arguments)
    except PushctlError as error:
        _terminal(arguments).error(name_variables(error, arguments, os.environ))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        return int(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 -- the last line of defence
        return _internal_error(error, arguments, debug=debug)


def _invoke(app: typer.Typer, arguments: list[str]) -> int:
    from typer._click.exceptions import ClickException, NoArgsIsHelpError
    from typer._click.exceptions import UsageError as Misuse

    terminal = _terminal(arguments)
    try:
        result = app(
            args=arguments,
            prog_name="pushctl",
            standalone_mode=False,
            obj=terminal,
            color=terminal.color_out,
        )
    except NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return int(ExitCode.USAGE)
    except Misuse as error:
        from pushctl.cli.usage import usage_error

        raise usage_error(error, _command_words(arguments)) from None
    except ClickException as error:
        raise UsageError(error.format_message()) from None
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    return int(result) if isinstance(result, int) else int(ExitCode.OK)


def _command_words(arguments: Sequence[str]) -> str:
    """Return the command for errors that come before the framework knows it."""
    known = arguments and arguments[0] in COMMANDS
    return f"pushctl {arguments[0]}" if known else "pushctl"


def _version(wanted: bool) -> None:
    if wanted:
        from pushctl import __version__

        typer.echo(f"pushctl {__version__}")
        raise typer.Exit


def _terminal(arguments: Sequence[str]) -> Terminal:
    """Return a terminal for an error: the options may be what is wrong, so they are guessed."""
    flags = [match[1] for word in arguments if (match := _SHORT_FLAGS.match(word))]
    quiet = "".join(flags).count("q") + arguments.count("--quiet")
    wish = os.environ.get("PUSHCTL_QUIET", "")
    if not quiet and wish.isdecimal():
        quiet = int(wish)
    colors: dict[str, ColorChoice] = {"always": "always", "never": "never"}
    color = colors.get(os.environ.get("PUSHCTL_COLOR", ""), "auto")
    for word, following in pairwise([*arguments, ""]):
        name, equals, value = word.partition("=")
        if name == "--color":
            color = colors.get(value if equals else following, "auto")
    return open_terminal(os.environ, quiet=quiet, color=color)


def _internal_error(error: Exception, arguments: Sequence[str], *, debug: bool) -> int:
    """Say that this is a bug of ours; with *debug* show the traceback, else write a report."""
    from pushctl.cli.crash import traceback_lines, write_report

    terminal = _terminal(arguments)
    hint = "this is a bug in pushctl; please report it with that file (--debug shows the traceback)"
    if debug:
        terminal.trouble(traceback_lines(error, os.environ))
        details, hint = "its traceback is above", "this is a bug in pushctl; please report it"
    elif path := write_report(error, _commands(arguments), arguments):
        details = f"details are in {path}"
    else:
        details = "no report could be written"
        hint = "this is a bug in pushctl; please report it with what --debug shows"
    problem = Problem(f"internal error ({type(error).__name__}); {details}", hint=hint)
    terminal.error(PushctlError(problems=[problem]))
    return int(ExitCode.INTERNAL)


def _commands(arguments: Sequence[str]) -> Any:
    """Return the framework's command for *arguments*, or nothing where it cannot be built."""
    from typer.main import get_command

    with contextlib.suppress(Exception):
        return get_command(build_app(arguments[0] if arguments else None))
    return None
