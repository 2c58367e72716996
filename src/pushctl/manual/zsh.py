"""The completion script for zsh (5.0 and newer)."""

from __future__ import annotations

from collections.abc import Iterator

from pushctl.manual import completing
from pushctl.manual.model import Argument, Command, Option, Values

_HEAD = r"""#compdef pushctl
# zsh completion for pushctl
# @notice@

# Offers what only pushctl knows at the moment: names of credentials, ids of runs.  The kind is the
# last word; options for compadd may stand before it.
_pushctl_from() {
    local -a found
    found=(${(f)"$(command pushctl __complete $argv[-1] "${(@)_pushctl_line[2,-1]}" 2>/dev/null)"})
    compadd "${(@)argv[1,-2]}" -- $found
}

_pushctl_reasons() {
    local -a reasons
    reasons=(@reasons@)
    compadd "$@" -- $reasons
}

_pushctl_files() {
    compset -P '(apns|fcm)='
    _files "$@"
}
"""

_TAIL = r"""
_pushctl_start() {
    local -a _pushctl_line
    _pushctl_line=("${words[@]}")
    _pushctl "$@"
}

# Both ways to load it: as a function of fpath, and by sourcing the file.
if [[ $funcstack[1] == _pushctl ]]; then
    _pushctl_start "$@"
else
    compdef _pushctl_start pushctl
fi
"""

_GROUP = r"""
    local curcontext=$curcontext state
    local -a line commands
    local -A opt_args
    _arguments -C -s -A '-*' \
@options@
        ':command:->command' \
        '*::argument:->argument'
    case $state in
        command)
            commands=(
@commands@
            )
            _describe -t commands command commands
            ;;
        argument)
            case $line[1] in
@cases@
            esac
            ;;
    esac
"""

_ACTIONS = {
    Values.ANY: " ",
    Values.FILE: "_pushctl_files",
    Values.FOLDER: "_files -/",
    Values.CREDENTIALS: "_pushctl_from credentials",
    Values.RUNS: "_pushctl_from runs",
    Values.REASONS: "_pushctl_reasons",
}


def script(root: Command) -> str:
    """Return the completion script for the commands of *root*."""
    head = _HEAD.replace("@notice@", completing.NOTICE)
    head = head.replace("@reasons@", " ".join(completing.reasons()))
    functions = [_function(command) for command in root.walk()]
    return "\n".join([head, *functions]) + _TAIL


def _function(command: Command) -> str:
    body = _group(command) if command.commands else _leaf(command)
    return f"{_name(command)}() {{\n{body.strip(chr(10))}\n}}\n"


def _name(command: Command) -> str:
    return "_".join(("_pushctl", *command.path)) if command.path else "_pushctl"


def _leaf(command: Command) -> str:
    specs = [*_options(command), *map(_argument, command.arguments)]
    lines = " \\\n".join(f"        {spec}" for spec in specs)
    return f"    _arguments -s \\\n{lines}"


def _group(command: Command) -> str:
    fillings = {
        "options": "\n".join(f"        {spec} \\" for spec in _options(command)),
        "commands": "\n".join(
            f"                {_quoted(f'{sub.path[-1]}:{sub.summary}')}"
            for sub in command.commands
        ),
        "cases": "\n".join(
            f"                {sub.path[-1]}) {_name(sub)} ;;" for sub in command.commands
        ),
    }
    text = _GROUP
    for name, filling in fillings.items():
        text = text.replace(f"@{name}@", filling)
    return text


def _options(command: Command) -> Iterator[str]:
    for option in command.options:
        yield _option(option)


def _option(option: Option) -> str:
    names = [_with_value(name) if option.takes_value else name for name in option.names]
    about = f"[{_escaped(option.help)}]"
    if option.takes_value:
        about += f":{_escaped(option.metavar or '')}:{_action(option)}"
    others = "*" if option.repeatable else f"({' '.join(option.names)})"
    if option.name == "--help":
        others = "(- *)"
    if len(names) == 1:
        return _quoted(f"{others if option.repeatable else ''}{names[0]}{about}")
    return f"{_quoted(others)}{{{','.join(names)}}}{_quoted(about)}"


def _with_value(name: str) -> str:
    """Return *name* so that its value may be joined to it, and may stand behind it."""
    return f"{name}=" if name.startswith("--") else f"{name}+"


def _argument(argument: Argument) -> str:
    mark = "*:" if argument.repeatable else "1:" if argument.required else "1::"
    return _quoted(f"{mark}{_escaped(argument.metavar)}:{_action(argument)}")


def _action(parameter: Option | Argument) -> str:
    if parameter.values is Values.WORDS:
        return f"({' '.join(parameter.words)})"
    return _ACTIONS[parameter.values]


def _escaped(text: str) -> str:
    """Return *text* for the inside of a specification of ``_arguments``."""
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
