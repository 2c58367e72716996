"""Bends the command line framework to our conventions: help, common options, lazy commands."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pushctl.cli.common import with_common_options
from pushctl.cli.environment import give_variables
from pushctl.view.terminal import Terminal


class Command(TyperCommand):
    """A command with our help (:mod:`pushctl.manual.help`) and a variable for each option."""

    def __init__(self, name: str | None, **more: Any) -> None:
        super().__init__(name, **more)
        give_variables(name or "", self.params)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx))


class Group(TyperGroup):
    """A group of commands with our help; what was probably meant is :mod:`~pushctl.cli.usage`."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "suggest_commands": False})

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx))


def adopt(app: typer.Typer) -> None:
    """Make every command in *app* follow our conventions."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
        if command.callback is not None:
            command.callback = with_common_options(command.callback)
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance is not None:
            adopt(group.typer_instance)


def _help(command: Any, ctx: Any) -> str:
    from pushctl.manual.help import help_text
    from pushctl.manual.read import read_command

    terminal: Terminal = ctx.obj
    path = tuple(ctx.command_path.split()[1:])
    return help_text(
        read_command(command, path),
        terminal.width,
        lambda text, style: terminal.paint(text, style, out=True),
    )
