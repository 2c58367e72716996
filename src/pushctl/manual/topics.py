"""What ``pushctl help TOPIC`` says, and the man page and ``docs/cli.md`` with it."""

from __future__ import annotations

from collections.abc import Callable

from pushctl.errors import ExitCode
from pushctl.manual.environment import environment_topic
from pushctl.manual.model import Command


def exit_codes(_: Command) -> str:
    """Return the table of exit codes."""
    lines = [f"{int(code):>5}  {code.meaning}" for code in ExitCode]
    return "\n".join(
        [
            "The exit code tells what became of a command:",
            "",
            *lines,
            "",
            "Where several apply, the first of 74, 4, 5, 6, 130/143, 7, 1.",
            "What makes 1 of `send` is chosen with --fail-on bounced|faulty|never.",
        ]
    )


def output(_: Command) -> str:
    """Return how output is arranged."""
    return """\
stdout carries data; stderr carries talk: banner, progress, warnings, hints and
errors.

  -o table   for people (the default, in a pipe too)
  -o json    one document
  -o jsonl   one record a token, as it happens
  -o csv     the same, safe to open in a spreadsheet

  -q         only results and failures          -qq  nothing but the exit code
  -v         one line a push                    -vv  the wire, secrets masked
  --progress auto|plain|never; SIGUSR1 prints where a run stands

"Accepted" always means accepted by the service: neither Apple nor Google tells
a sender whether a device showed the push. A closed stdout never stops a run."""


def security(_: Command) -> str:
    """Return what is promised about secrets and personal data."""
    return """\
Keys, passwords, provider tokens and access tokens are never printed, logged or
journalled, at any verbosity.

Credentials go to the vendors' hosts or to this machine; another host in a
config is refused without --allow-endpoint HOST. Certificates are always
verified; a private CA is named with ca_file.

Bounce logs and run folders hold push tokens, which are personal data: they are
made with mode 0600 and 0700, and `pushctl runs prune` deletes old runs."""


TOPICS: dict[str, Callable[[Command], str]] = {
    "exit-codes": exit_codes,
    "environment": environment_topic,
    "output": output,
    "security": security,
}
"""Each topic and what makes its text of the commands."""
