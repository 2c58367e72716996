"""``pushctl help``: a command's help, or a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pushctl.errors import UsageError
from pushctl.manual.topics import TOPICS

HELP = """
Show the help of a command, or of a topic.

The topics are exit-codes, environment, output and security.
"""
EPILOG = """
Examples:

  pushctl help send

  pushctl help runs resume

  pushctl help exit-codes

Exit codes: 0 shown, 2 there is no such command or topic.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("help", help=HELP, epilog=EPILOG)(show_help)


def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="A topic, or a command's words.")
    ] = None,
) -> int:
    root: Any = ctx.find_root()
    typer.echo(help_on(words or (), root.command, ctx), color=root.color)
    return 0


def help_on(words: Sequence[str], root: Any, ctx: Any) -> str:
    """
    Return the text of a topic, or the help of the command *words* of *root*.

    :raises UsageError: with the nearest, if there is neither.
    """
    if len(words) == 1 and words[0].lower() in TOPICS:
        from pushctl.manual.read import read_command

        return TOPICS[words[0].lower()](read_command(root))
    path = "pushctl"
    command, context = root, type(ctx)(root, info_name=path, obj=ctx.obj)
    for word in words:
        below = getattr(command, "commands", {}).get(word)
        if below is None:
            raise _unknown(word, path, getattr(command, "commands", ()))
        command, path = below, f"{path} {word}"
        context = type(ctx)(command, info_name=word, parent=context, obj=ctx.obj)
    return str(command.get_help(context))


def _unknown(word: str, path: str, commands: Any) -> UsageError:
    import difflib

    known = list(commands) if path != "pushctl" else [*TOPICS, *commands]
    near = difflib.get_close_matches(word.lower(), known, 1)
    hint = "the topics are " + ", ".join(TOPICS) + "; or name a command"
    return UsageError(
        f"there is no help on {word!r}", hint=f"did you mean {near[0]}?" if near else hint
    )
