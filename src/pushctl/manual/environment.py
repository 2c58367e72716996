"""``pushctl help environment``: every variable, made from the commands themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pushctl.manual.model import COMMON, Command, Option

_INTRODUCTION = """\
PUSHCTL_<OPTION> sets the option of that name: --fail-on is PUSHCTL_FAIL_ON. The
command line goes before the environment, the environment before the config. An
empty variable counts as not set. A flag takes true or false, -q and -v how
often (2). Where an option may be repeated, commas stand between the values; a
value that has one itself is put in double quotes, as in CSV."""
_NOT_SET = """\
Not from the environment: who gets the push (send --token, --profiles, --tokens,
--fcm-topic and the like), --yes, --confirm and --on-unknown."""
OTHERS = {
    "HTTPS_PROXY, ALL_PROXY": "the HTTP proxy for deliveries, checks and the token endpoint, where"
    " the config names none; also in small letters, which go first",
    "NO_PROXY": "what is reached without it: domains, addresses, CIDR blocks, each also with"
    " :port; * is everything",
    "NO_COLOR, FORCE_COLOR": "switch colour off or on; --color wins",
    "CI, TERM=dumb": "no animation",
    "XDG_CONFIG_HOME, XDG_STATE_HOME": "where config and state are without a project",
    "GOOGLE_APPLICATION_CREDENTIALS": "the credentials of application_default: true",
}
"""What else is read, in the words of the topic."""
_COLUMN, _WIDTH = 26, 80


def environment_topic(root: Command) -> str:
    """Return the topic for the commands of *root*."""
    blocks = [_INTRODUCTION, _NOT_SET, "On every command:"]
    found = variables(root)
    common = {name: it for name, it in found.items() if it[0].group == COMMON}
    blocks[-1] += "".join(_row(name, it.help) for name, (it, _) in common.items())
    own = "Of some commands:"
    for name, (_, commands) in sorted(found.items()):
        if name not in common:
            own += _row(name, ", ".join(commands))
    others = "Not pushctl's own:" + "".join(_row(name, text) for name, text in OTHERS.items())
    return "\n\n".join([*blocks, own, others])


def variables(root: Command) -> dict[str, tuple[Option, list[str]]]:
    """Return each variable with an option that it sets and the commands that have that option."""
    found: dict[str, tuple[Option, list[str]]] = {}
    for command, option in _options(root):
        if option.env is not None:
            found.setdefault(option.env, (option, []))[1].append(" ".join(command.path))
    return found


def _options(root: Command) -> Iterator[tuple[Command, Option]]:
    for command in root.walk():
        if command.path and not command.commands:
            yield from ((command, option) for option in command.options)


def _row(name: str, text: str) -> str:
    indent = " " * (_COLUMN + 4)
    first = f"  {name:{_COLUMN}}  "
    if len(name) > _COLUMN:
        return (
            "\n"
            + f"  {name}\n"
            + textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
        )
    return "\n" + textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )
