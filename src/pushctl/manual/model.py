"""The commands as data: names, options, what may stand behind them, examples, exit codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import StrEnum

OPTIONS = "Options"
COMMON = "Common options"
"""The group of what every command takes, before its name too."""


class Values(StrEnum):
    """What may stand behind an option or as an argument, as far as a shell can complete it."""

    ANY = "any"
    """Whatever the person writes."""
    WORDS = "words"
    """One of a few words, see ``words``."""
    FILE = "file"
    FOLDER = "folder"
    CREDENTIALS = "credentials"
    """Names from the config."""
    RUNS = "runs"
    """Ids of runs in the state folder, and ``last``."""
    REASONS = "reasons"
    """Names from the catalog."""


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    """Short before long, as they are shown."""
    help: str
    metavar: str | None = None
    """What its value is called; ``None``: it takes none."""
    group: str = OPTIONS
    env: str | None = None
    """The environment variable that sets it."""
    default: str | None = None
    """What it is when nobody sets it, where that is worth saying."""
    values: Values = Values.ANY
    words: tuple[str, ...] = ()
    repeatable: bool = False
    required: bool = False

    @property
    def name(self) -> str:
        """Return the long name."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])

    @property
    def takes_value(self) -> bool:
        """Return whether a value follows."""
        return self.metavar is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """One positional argument of a command."""

    metavar: str
    help: str
    values: Values = Values.ANY
    words: tuple[str, ...] = ()
    repeatable: bool = False
    required: bool = False

    @property
    def usage(self) -> str:
        """Return the argument as a usage line shows it."""
        name = self.metavar + ("…" if self.repeatable else "")
        return name if self.required else f"[{name}]"


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A command line that works, and what it is for where that needs saying."""

    command: str
    about: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Meaning:
    """What an exit code (or several) means for one command."""

    code: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of commands."""

    path: tuple[str, ...]
    """``("runs", "show")``; empty for pushctl itself."""
    summary: str
    """One sentence, with its full stop."""
    details: tuple[str, ...] = ()
    """Further paragraphs."""
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
    """Paragraphs that stand behind the options."""
    exit_codes: tuple[Meaning, ...] = ()
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    commands: tuple[Command, ...] = ()

    @property
    def name(self) -> str:
        """Return the whole name, ``pushctl`` in front."""
        return " ".join(("pushctl", *self.path))

    @property
    def usage(self) -> str:
        """Return how the command is called."""
        words = [self.name, "[OPTIONS]", *(argument.usage for argument in self.arguments)]
        return " ".join([*words, "COMMAND"] if self.commands else words)

    def groups(self) -> Iterator[tuple[str, list[Option]]]:
        """Yield the groups of options in the order of the command; the common ones come last."""
        names = list(dict.fromkeys(option.group for option in self.options))
        for name in sorted(names, key=lambda name: name == COMMON):
            yield name, [option for option in self.options if option.group == name]

    def walk(self) -> Iterator[Command]:
        """Yield this command and all below it, each before its own."""
        yield self
        for command in self.commands:
            yield from command.walk()
