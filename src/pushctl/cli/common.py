"""What every command shares: its common options, the terminal they make, and their environment."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pushctl.errors import UsageError
from pushctl.manual.model import COMMON
from pushctl.view.terminal import Terminal, open_terminal


class Color(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Progress(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    PLAIN = "plain"
    NEVER = "never"


QuietOption = Annotated[
    int,
    typer.Option(
        "-q",
        "--quiet",
        count=True,
        envvar="PUSHCTL_QUIET",
        show_default=False,
        rich_help_panel=COMMON,
        help="Only results and failures; twice: nothing but the exit code.",
    ),
]
VerboseOption = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        envvar="PUSHCTL_VERBOSE",
        show_default=False,
        rich_help_panel=COMMON,
        help="One line a push; twice: the wire, secrets masked.",
    ),
]
DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug",
        envvar="PUSHCTL_DEBUG",
        rich_help_panel=COMMON,
        help="Show the traceback of an internal error.",
    ),
]
ColorOption = Annotated[
    Color,
    typer.Option(
        "--color", envvar="PUSHCTL_COLOR", rich_help_panel=COMMON, help="When to use colour."
    ),
]
ProgressOption = Annotated[
    Progress,
    typer.Option(
        "--progress",
        envvar="PUSHCTL_PROGRESS",
        rich_help_panel=COMMON,
        help="How to show progress on stderr.",
    ),
]
NoInputOption = Annotated[
    bool,
    typer.Option(
        "--no-input",
        envvar="PUSHCTL_NO_INPUT",
        rich_help_panel=COMMON,
        help="Never ask; fail instead.",
    ),
]
AllowEndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-endpoint",
        metavar="HOST",
        show_default=False,
        help="A host the config may send credentials to.",
    ),
]
TimeoutOption = Annotated[
    str,
    typer.Option(
        "--timeout", metavar="TIME", envvar="PUSHCTL_TIMEOUT", help="How long an answer may take."
    ),
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="PUSHCTL_CONFIG",
        rich_help_panel=COMMON,
        help="The pushctl.yaml to use instead of the nearest one.",
    ),
]

_COMMON: dict[str, tuple[Any, Any]] = {
    "config": (ConfigOption, None),
    "quiet": (QuietOption, 0),
    "verbose": (VerboseOption, 0),
    "color": (ColorOption, Color.AUTO),
    "progress": (ProgressOption, Progress.AUTO),
    "no_input": (NoInputOption, False),
    "debug": (DebugOption, False),
}


def with_common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return *function* as a command that takes every common option.

    Those that it has no use for are accepted and dropped: a script may put the same options on
    whatever it runs.
    """
    known = inspect.signature(function, eval_str=True)
    missing = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=option)
        for name, (option, default) in _COMMON.items()
        if name not in known.parameters
    ]
    if not missing:
        return function

    @functools.wraps(function)
    def command(*arguments: Any, **values: Any) -> Any:
        for parameter in missing:
            values.pop(parameter.name, None)
        return function(*arguments, **values)

    signature = known.replace(parameters=[*known.parameters.values(), *missing])
    command.__signature__ = signature  # type: ignore[attr-defined]
    return command


def output_option(*outputs: str, panel: str | None = None) -> Any:
    """Return the ``-o`` of a command that knows *outputs*; judge it by :func:`choose_output`."""
    return typer.Option(
        "-o",
        "--output",
        metavar="|".join(outputs),
        envvar="PUSHCTL_OUTPUT",
        rich_help_panel=panel,
        help="The form of the data.",
    )


def make_terminal(
    quiet: int = 0,
    verbose: int = 0,
    color: Color = Color.AUTO,
    progress: Progress = Progress.AUTO,
    no_input: bool = False,
) -> Terminal:
    """Return the terminal of this process as the common options want it."""
    return open_terminal(
        os.environ,
        quiet=quiet,
        verbose=verbose,
        color=color.value,
        progress=progress.value,
        no_input=no_input,
    )


def choose_output(text: str, allowed: Sequence[str]) -> str:
    """Return *text* if it is one of *allowed*.  Raises :class:`UsageError` with the nearest."""
    if text in allowed:
        return text
    import difflib

    near = difflib.get_close_matches(text.lower(), allowed, 1)
    raise UsageError(
        f"-o {text!r} is not an output of this command",
        hint=(f"did you mean {near[0]!r}? " if near else "") + "it knows: " + ", ".join(allowed),
    )


def announce_stdin(inputs: Collection[object], terminal: Terminal) -> None:
    """Tell a person at the terminal what is waited for, if one of *inputs* is ``-``."""
    if terminal.in_is_tty and "-" in inputs:
        terminal.say("reading from the terminal, end with Ctrl-D")


def input_path(text: str) -> Path | Literal["-"]:
    """Return the path an option names; ``-`` stays ``-`` (stdin)."""
    return "-" if text == "-" else Path(text)
