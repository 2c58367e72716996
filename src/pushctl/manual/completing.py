"""What the completions of all shells share: the tables that their scripts are filled with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from pushctl import catalog
from pushctl.manual.model import Command, Option, Values

NOTICE = "Generated from the commands by `python3 dev.py generate`; do not edit."

DYNAMIC = frozenset({Values.CREDENTIALS, Values.RUNS})
"""What only ``pushctl __complete`` knows at the moment."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What may be offered."""

    values: Values
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the kind as one line: its name, then its words."""
        return " ".join((self.values.value, *self.words))


def key(command: Command) -> str:
    """Return what the scripts call *command*: its words, without ``pushctl``."""
    return " ".join(command.path)


def below(root: Command) -> Mapping[str, Sequence[str]]:
    """Return, for each command that has commands below it, their names."""
    return {
        key(command): [sub.path[-1] for sub in command.commands]
        for command in root.walk()
        if command.commands
    }


def option_names(root: Command) -> Mapping[str, Sequence[str]]:
    """Return, for each command, the long names of its options."""
    return {key(command): [it.name for it in command.options] for command in root.walk()}


def kinds(root: Command) -> Mapping[Kind, Sequence[str]]:
    """
    Return the options that take a value, by what that is.

    An option is written ``command:--name``; ``*:--name`` where it means the same everywhere.
    """
    found: dict[str, dict[str, Kind | None]] = {}
    for command, option in _options(root):
        kind = Kind(option.values, option.words) if option.takes_value else None
        for name in option.names:
            found.setdefault(name, {})[key(command)] = kind
    table: dict[Kind, list[str]] = {}
    for name, by_command in found.items():
        if len(set(by_command.values())) == 1:
            by_command = {"*": next(iter(by_command.values()))}
        for command_key, wanted in by_command.items():
            if wanted is not None:
                table.setdefault(wanted, []).append(f"{command_key}:{name}")
    return dict(sorted(table.items(), key=lambda item: str(item[0])))


def arguments(root: Command) -> Mapping[str, Kind]:
    """Return, for each command with positional arguments, what the first of them is."""
    return {
        key(command): Kind(command.arguments[0].values, command.arguments[0].words)
        for command in root.walk()
        if command.arguments
    }


def reasons() -> list[str]:
    """Return the names of all reasons that are one word."""
    names = {name for reason in catalog.all_reasons() for name in reason.names}
    return sorted(name for name in names if not set(name) & set(" */"))


def _options(root: Command) -> Iterator[tuple[Command, Option]]:
    for command in root.walk():
        for option in command.options:
            yield command, option
