"""
``PUSHCTL_<OPTION>``: the environment variable of every option, given in this one place.

A command need not name any.  What chooses recipients, and what answers a question that protects
them, is taken from the command line alone: a variable that was forgotten must not send.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typer.core import TyperOption

from pushctl.errors import InvalidInput, Place, Problem, PushctlError, UsageError

PREFIX: Final = "PUSHCTL_"
NEVER: Final = frozenset({"--yes", "--confirm", "--on-unknown", "--help", "--version"})
"""Options that no variable sets, whatever the command."""
TARGETS: Final = frozenset(
    {
        "--token",
        "--fid",
        "--platform",
        "--profiles",
        "--profile",
        "--tokens",
        "--fcm-topic",
        "--fcm-condition",
        "--apns-channel",
    }
)
"""Options that say whom a command of :data:`_REACHING` reaches."""
_REACHING: Final = frozenset({"send", "subscribe", "unsubscribe"})
_OF_OTHERS: Final = {"check": frozenset({"bounced", "faulty", "never"})}
"""Values of ``PUSHCTL_FAIL_ON`` that mean something to other commands than this one alone."""
_OF_CHECK: Final = frozenset({"fail", "warn"})
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})


class EnvironmentOption(TyperOption):
    """An option whose variable, if it may be repeated, holds a list."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the values in a variable; see :func:`split_list`."""
        return split_list(rv)

    def resolve_envvar_value(self, ctx: Any) -> str | None:
        """Return what the variable holds; ``None`` if that is meant for other commands."""
        value = super().resolve_envvar_value(ctx)
        if self.envvar == PREFIX + "FAIL_ON" and value in _OF_OTHERS.get(ctx.info_name, _OF_CHECK):
            return None
        return value


def give_variables(command: str, parameters: Sequence[Any]) -> None:
    """Give each option among the *parameters* of *command* (its last word) its variable."""
    for parameter in parameters:
        if not isinstance(parameter, TyperOption):
            continue
        name = max(parameter.opts, key=len)
        parameter.envvar = variable_of(command, name)
        parameter.__class__ = EnvironmentOption  # typer makes them, and takes no class for them


def variable_of(command: str, option: str) -> str | None:
    """Return the variable that sets *option* (``--retry-for``) of *command*; ``None`` if none."""
    if option in NEVER or (command in _REACHING and option in TARGETS):
        return None
    return PREFIX + option.removeprefix("--").replace("-", "_").upper()


def split_list(text: str) -> list[str]:
    """
    Return the values of an option that may be repeated.

    Commas stand between; a value that has one itself is put in double quotes, as in CSV.
    """
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return [value.strip() for row in rows for value in row if value.strip()]


def is_set(environ: Mapping[str, str], variable: str) -> bool:
    """Tell whether the *variable* of a flag says yes."""
    return environ.get(variable, "").strip().lower() in _TRUE


def name_variables(
    error: PushctlError, arguments: Sequence[str], environ: Mapping[str, str]
) -> PushctlError:
    """
    Return *error* with the variable named in each problem that one caused.

    A command judges its options without knowing where they come from.  Here a problem is a
    variable's if it names its option or quotes its value, and *arguments* do not have the option.
    """
    if type(error) not in (UsageError, InvalidInput):
        return error
    given = {word.partition("=")[0] for word in arguments}
    suspects = {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value and not given & _names_of(name)
    }
    problems = [_named(problem, suspects) for problem in error.problems]
    return type(error)(problems=problems) if problems != [*error.problems] else error


def _named(problem: Problem, suspects: Mapping[str, str]) -> Problem:
    if problem.place is not None:
        return _placed(problem, problem.place, suspects)
    words = {word.strip("`'\":,.;()") for word in problem.message.split()}
    for variable, value in suspects.items():
        quoted = any(repr(it) in problem.message for it in (value, *split_list(value)))
        if variable not in words and (quoted or words & _names_of(variable)):
            message = f"{problem.message} (from the environment variable {variable})"
            return dataclasses.replace(problem, message=message)
    return problem


def _placed(problem: Problem, place: Place, suspects: Mapping[str, str]) -> Problem:
    """Return *problem* with its variable in its place if it is an option's; else it is a file's."""
    for variable in suspects:
        if place.file in _names_of(variable):
            return dataclasses.replace(problem, place=dataclasses.replace(place, file=variable))
    return problem


def _names_of(variable: str) -> set[str]:
    """Return how the option of *variable* is written."""
    long = "--" + variable.removeprefix(PREFIX).lower().replace("_", "-")
    short = {"--output": "-o", "--dry-run": "-n", "--quiet": "-q", "--verbose": "-v"}.get(long)
    return {long, short} if short else {long}
