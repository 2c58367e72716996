"""``pushctl completion``: the completion script of a shell."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pushctl.errors import UsageError

SHELLS = ("bash", "zsh", "fish", "powershell")

HELP = """
Print the script that completes pushctl's commands in a shell.

It completes commands, options, their values, reasons, credentials of the nearest pushctl.yaml and
ids of runs. An installed pushctl brings the same scripts under share/; where a shell does not look
there, load this one.
"""
EPILOG = """
Examples:

  # bash: in ~/.bashrc
  source <(pushctl completion bash)

  # zsh: in ~/.zshrc, behind compinit
  source <(pushctl completion zsh)

  # fish: once
  pushctl completion fish > ~/.config/fish/completions/pushctl.fish

  # PowerShell: in $PROFILE
  pushctl completion powershell | Out-String | Invoke-Expression

Exit codes: 0 printed, 2 usage.
"""


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("completion", help=HELP, epilog=EPILOG)(completion)


def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="|".join(SHELLS), help="Your shell.")],
) -> int:
    from pushctl.config.words import did_you_mean
    from pushctl.manual.read import read_command

    if shell not in SHELLS:
        known = "it knows: " + ", ".join(SHELLS)
        raise UsageError(
            f"there is no completion for {shell!r}", hint=did_you_mean(shell, SHELLS) or known
        )
    root: Any = ctx.find_root()
    root.obj.data(script(read_command(root.command), shell))
    return 0


def script(root: Any, shell: str) -> str:
    """Return the script of one of :data:`SHELLS` for the commands of *root*."""
    import importlib

    text: str = importlib.import_module(f"pushctl.manual.{shell}").script(root)
    return text
