"""``pushctl help``: a command's help, or a topic."""

from __future__ import annotations

from collections.abc import Callable

from pushctl.errors import ExitCode, UsageError


def exit_codes() -> str:
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


def environment() -> str:
    """Return which environment variables there are."""
    return """\
PUSHCTL_<OPTION> sets any option: --fail-on is PUSHCTL_FAIL_ON, --color is PUSHCTL_COLOR.
Not from the environment: targets (--token, --profiles, --tokens, --fcm-topic …), --yes,
--confirm and --on-unknown.

  PUSHCTL_CONFIG           the pushctl.yaml to use
  PUSHCTL_ALLOW_ENDPOINT   hosts, comma between them, that a config may send credentials to
  NO_COLOR, FORCE_COLOR    switch colour off or on; --color wins
  CI, TERM=dumb            no animation
  XDG_CONFIG_HOME, XDG_STATE_HOME   where config and state are without a project"""


def output() -> str:
    """Return how output is arranged."""
    return """\
stdout carries data, stderr carries talk: banner, progress, warnings, hints, errors.

  -o table   for people (the default, in a pipe too)
  -o json    one document
  -o jsonl   one record a token, as it happens
  -o csv     the same, safe to open in a spreadsheet

  -q         only results and failures          -qq  nothing but the exit code
  -v         one line a push
  --progress auto|plain|never; SIGUSR1 prints where a run stands

"Accepted" always means accepted by the service: neither Apple nor Google tells a sender
whether a device showed the push. A closed stdout never stops a run."""


def security() -> str:
    """Return what is promised about secrets and personal data."""
    return """\
Keys, passwords, provider tokens and access tokens are never printed, logged or journalled.
Credentials go to the vendors' hosts or to this machine; another host in a config is refused
without --allow-endpoint HOST. Certificates are always verified; a private CA is named with
ca_file. Bounce logs and run folders hold push tokens, which are personal data: they are made
with mode 0600 and 0700, and `pushctl runs prune` deletes old runs."""


TOPICS: dict[str, Callable[[], str]] = {
    "exit-codes": exit_codes,
    "environment": environment,
    "output": output,
    "security": security,
}


def topic(name: str) -> str:
    """Return the text of a topic.  Raises :class:`UsageError` with the nearest."""
    found = TOPICS.get(name.lower())
    if found is not None:
        return found()
    import difflib

    near = difflib.get_close_matches(name.lower(), TOPICS, 1)
    known = "the topics are " + ", ".join(TOPICS) + "; or name a command"
    raise UsageError(
        f"there is no help on {name!r}", hint=f"did you mean {near[0]}?" if near else known
    )
