"""The completion script for fish (3.1 and newer)."""

from __future__ import annotations

from collections.abc import Iterator

from pushctl.manual import completing
from pushctl.manual.model import Argument, Command, Option, Values

_HEAD = r"""# fish completion for pushctl
# @notice@

# Prints the command on the line so far, without options and what belongs to them.
function __pushctl_command
    set -l words (commandline -opc)
    set -e words[1]
    set -l at
    set -l waiting 0
    for word in $words
        if test $waiting = 1
            set waiting 0
            continue
        end
        switch $word
            case '--*=*'
                continue
            case '-*'
                __pushctl_takes_value "$at:$word"; and set waiting 1
                continue
        end
        if contains -- $word (__pushctl_below "$at")
            set at (string join ' ' -- $at $word)
        end
    end
    string join ' ' -- $at
    true
end

function __pushctl_below
    switch $argv[1]
@below@
    end
end

function __pushctl_takes_value
    switch $argv[1]
        case @values@
            return 0
    end
    return 1
end

function __pushctl_at
    set -l at (__pushctl_command)
    test "$at" = "$argv[1]"
end

# Prints what only pushctl knows at the moment: names of credentials, ids of runs.
function __pushctl_from
    set -l words (commandline -opc)
    set -e words[1]
    command pushctl __complete $argv[1] $words 2>/dev/null
end

function __pushctl_reasons
    printf '%s\n' @reasons@
end

complete -c pushctl -f
"""

_OFFERS = {
    Values.ANY: "-x",
    Values.FILE: "-r -F",
    Values.FOLDER: "-x -a '(__fish_complete_directories)'",
    Values.CREDENTIALS: "-x -a '(__pushctl_from credentials)'",
    Values.RUNS: "-x -a '(__pushctl_from runs)'",
    Values.REASONS: "-x -a '(__pushctl_reasons)'",
}


def script(root: Command) -> str:
    """Return the completion script for the commands of *root*."""
    patterns = [pattern for found in completing.kinds(root).values() for pattern in found]
    below = completing.below(root)
    head = _HEAD.replace("@notice@", completing.NOTICE)
    head = head.replace("@values@", " ".join(map(_quoted, sorted(patterns))))
    head = head.replace("@reasons@", " ".join(completing.reasons()))
    cases = (
        f"        case {_quoted(at)}\n            printf '%s\\n' {' '.join(names)}"
        for at, names in below.items()
    )
    lines = [line for command in root.walk() for line in _lines(command)]
    return head.replace("@below@", "\n".join(cases)) + "\n" + "\n".join(lines) + "\n"


def _lines(command: Command) -> Iterator[str]:
    here = f"complete -c pushctl -n {_quoted('__pushctl_at ' + _quoted(completing.key(command)))}"
    for sub in command.commands:
        yield f"{here} -a {sub.path[-1]} -d {_quoted(sub.summary)}"
    for argument in command.arguments[:1]:
        offer = _offer(argument).removeprefix("-x").strip()
        if offer:
            yield f"{here} {offer.replace('-r -F', '-F')}"
    for option in command.options:
        names = " ".join(_name(name) for name in option.names)
        value = f" {_offer(option)}" if option.takes_value else ""
        yield f"{here} {names}{value} -d {_quoted(option.help)}"


def _name(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def _offer(parameter: Option | Argument) -> str:
    if parameter.values is Values.WORDS:
        return f"-x -a {_quoted(' '.join(parameter.words))}"
    return _OFFERS[parameter.values]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
