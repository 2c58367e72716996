"""Says in our words what is wrong with a command line, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pushctl.config.words import nearest
from pushctl.errors import UsageError
from pushctl.rules.text import printable

if TYPE_CHECKING:
    from typer._click.exceptions import UsageError as Misuse

OTHER_WORDS: Mapping[str, str] = {
    "push": "send",
    "bulk": "send",
    "deliver": "send",
    "publish": "send",
    "why": "explain",
    "rule": "explain",
    "reason": "explain",
    "reasons": "explain",
    "error": "explain",
    "mock": "simulate",
    "fake": "simulate",
    "serve": "simulate",
    "server": "simulate",
    "simulator": "simulate",
    "try": "demo",
    "example": "demo",
    "doctor": "check",
    "smoke": "check",
    "verify": "check",
    "test": "check",
    "report": "bounces report",
    "bounce": "bounces",
    "log": "bounces list",
    "tail": "bounces follow",
    "suppress": "bounces tokens",
    "lint": "tokens check",
    "validate": "tokens check",
    "token": "tokens check",
    "run": "runs",
    "history": "runs list",
    "resume": "runs resume",
    "retry": "runs resume",
    "continue": "runs resume",
    "prune": "runs prune",
    "clean": "runs prune",
    "setup": "init",
    "new": "init",
    "settings": "config",
    "schema": "config schema",
    "completions": "completion",
    "man": "help",
    "version": "--version",
}
"""What people coming from other tools type, and what does it here."""

_NO_COMMAND = re.compile(r"No such command '(.*)'", re.S)
_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.S)
_NO_VALUE = re.compile(r"Option '(.*)' requires an argument")
_NEEDS_NONE = re.compile(r"Option '(.*)' does not take a value")
_NOT_ONE_OF = re.compile(r"'(.*)' is not one of ", re.S)
_BOUND = re.compile(r"Input should be (less|greater) than or equal to ([-0-9.]+)")
_KINDS = {
    "valid integer": "needs a whole number",
    "valid number": "needs a number",
    "valid boolean": "needs true or false",
}


def usage_error(misuse: Misuse, command: str) -> UsageError:
    """Return *misuse*, found by the framework in the words of *command*, as an error of ours."""
    if misuse.ctx is not None:
        command = misuse.ctx.command_path
    message, meant = _judged(misuse)
    see = f"see: {command} --help"
    return UsageError(message, hint=see if meant is None else f"{meant} ({see})")


def _judged(misuse: Misuse) -> tuple[str, str | None]:
    """Return what is wrong, and what was probably meant."""
    from typer._click.exceptions import BadParameter, MissingParameter, NoSuchOption

    text = misuse.message
    if isinstance(misuse, NoSuchOption):
        return _no_option(misuse)
    if isinstance(misuse, MissingParameter):
        return f"{_parameter(misuse, misuse.param)} is missing", None
    if isinstance(misuse, BadParameter):
        return _bad_value(misuse)
    if found := _NO_COMMAND.search(text):
        return _no_command(misuse, found[1])
    if found := _EXTRA.search(text):
        return f"unexpected argument {printable(found[1], 200)!r}", None
    if found := _NO_VALUE.search(text):
        return f"{found[1]} needs a value", None
    if found := _NEEDS_NONE.search(text):
        return f"{found[1]} takes no value", None
    return misuse.format_message().rstrip("."), None


def _no_command(misuse: Misuse, word: str) -> tuple[str, str | None]:
    command: Any = misuse.ctx.command if misuse.ctx is not None else None
    path = misuse.ctx.command_path if misuse.ctx is not None else "pushctl"
    known: list[str] = list(getattr(command, "commands", ()))
    near = difflib.get_close_matches(word.lower(), known, 1)
    meant = f"{path} {near[0]}" if near else None
    if path == "pushctl":
        other = OTHER_WORDS.get(word.lower())
        if other is not None and (other.startswith("-") or other.split()[0] in known):
            meant = f"pushctl {other}"
    message = f"there is no command {printable(f'{path} {word}', 200)!r}"
    return message, f"did you mean: {meant}" if meant else None


def _no_option(misuse: Any) -> tuple[str, str | None]:
    name = printable(misuse.option_name, 200)
    known = [] if misuse.ctx is None else list(_option_names(misuse.ctx.command.params))
    near = difflib.get_close_matches(name, [*known, "--help"], 1, 0.6)
    begun = [option for option in known if len(name) > 3 and option.startswith(name)]
    meant = begun[0] if begun else near[0] if near else None
    return f"there is no option {name}", f"did you mean {meant}?" if meant else None


def _option_names(parameters: Iterable[Any]) -> Iterable[str]:
    for parameter in parameters:
        if parameter.param_type_name == "option" and not parameter.hidden:
            yield from (*parameter.opts, *parameter.secondary_opts)


def _bad_value(misuse: Any) -> tuple[str, str | None]:
    name, text = _parameter(misuse, misuse.param), misuse.message
    if (found := _NOT_ONE_OF.search(text)) and misuse.param is not None:
        word = printable(found[1], 80)
        choices = [str(choice.value) for choice in misuse.param.type_descriptor.choices or ()]
        meant = nearest(word, choices)
        hint = f"did you mean {meant}?" if meant else None
        return f"{name}: {word!r} is not one of {', '.join(choices)}", hint
    if found := _BOUND.search(text):
        return f"{name} must be {found[2]} or {'less' if found[1] == 'less' else 'more'}", None
    for kind, need in _KINDS.items():
        if kind in text:
            return f"{name} {need}", None
    return f"{name}: {printable(text.removeprefix('Value error, '), 400)}", None


def _parameter(misuse: Any, parameter: Any) -> str:
    """Return what the person wrote: the option, the argument, or the environment variable."""
    from typer._click.core import ParameterSource

    if parameter is None:
        return misuse.param_hint or "a value"
    source = misuse.ctx.get_parameter_source(parameter.name) if misuse.ctx is not None else None
    if source is ParameterSource.ENVIRONMENT and parameter.envvar:
        variables = parameter.envvar
        return variables if isinstance(variables, str) else str(variables[0])
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))
