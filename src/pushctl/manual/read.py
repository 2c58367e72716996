"""Reads the commands from the command line framework; nothing else knows how that keeps them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from pushctl.manual.model import (
    COMMON,
    OPTIONS,
    Argument,
    Command,
    Example,
    Meaning,
    Option,
    Values,
)

_WORDS = re.compile(r"[a-z0-9][a-z0-9.-]*(\|[a-z0-9][a-z0-9.-]*)+")
_MEANING = re.compile(r"(\d+(?:, \d+)*) ([^\d].*)")
_VALUES = {
    "FILE": Values.FILE,
    "LOG": Values.FILE,
    "DIR": Values.FOLDER,
    "CREDENTIAL": Values.CREDENTIALS,
    "RUN": Values.RUNS,
    "REASON": Values.REASONS,
}
"""Which metavar stands for what; a metavar of words with bars between lists them itself."""
_VALUES_OF_OPTIONS = {"--credential": Values.CREDENTIALS}


def read_command(command: Any, path: tuple[str, ...] = ()) -> Command:
    """
    Return *command*, as the framework built it, and all commands below it as data.

    The help's first paragraph is the summary.  In the epilog, indented lines below ``Examples:``
    are examples (a line that begins with ``#`` says what the next one is for), ``Exit codes:`` is
    a list such as ``0 accepted, 1 some bounced``; everything else is a note.
    """
    paragraphs = _paragraphs(command.help)
    examples, exit_codes, notes = _epilog(command.epilog)
    below = getattr(command, "commands", {})
    arguments = [it for it in command.params if it.param_type_name == "argument"]
    options = [it for it in command.params if it.param_type_name == "option" and not it.hidden]
    own = [_option(it) for it in options]
    commands = tuple(
        read_command(sub, (*path, name)) for name, sub in below.items() if not sub.hidden
    )
    if not path:
        own += _common(commands)
    return Command(
        path=path,
        summary=paragraphs[0] if paragraphs else "",
        details=tuple(paragraphs[1:]),
        examples=examples,
        notes=notes,
        exit_codes=exit_codes,
        arguments=tuple(_argument(it) for it in arguments),
        options=tuple(sorted((*own, _HELP), key=_place)),
        commands=commands,
    )


_HELP = Option(("-h", "--help"), "Show this help.", group=COMMON)


_COMMON_ORDER = (
    "--quiet", "--verbose", "--color", "--progress", "--no-input", "--config", "--debug", "--help",
)  # fmt: skip


def _place(option: Option) -> int:
    """Return where the option stands: common ones last, in the same order everywhere."""
    if option.group != COMMON:
        return -1
    known = option.name in _COMMON_ORDER
    return _COMMON_ORDER.index(option.name) if known else len(_COMMON_ORDER)


def _common(commands: Iterable[Command]) -> list[Option]:
    """Return the options that the commands share, which may stand before any of them."""
    found: dict[str, Option] = {}
    for command in commands:
        for option in (option for below in command.walk() for option in below.options):
            if option.group == COMMON and option.names != _HELP.names:
                found.setdefault(option.name, option)
    return list(found.values())


def _option(option: Any) -> Option:
    flag = option.is_flag or option.count
    values, words = (Values.ANY, ()) if flag else _values(option)
    given = _VALUES_OF_OPTIONS.get(option.opts[-1])
    if given is not None and values is Values.ANY:
        values = given
    return Option(
        names=tuple(sorted((*option.opts, *option.secondary_opts), key=_short_first)),
        help=_one_line(option.help),
        metavar=None if flag else _metavar(option, words),
        group=option.rich_help_panel or OPTIONS,
        env=_first(option.envvar),
        default=_default(option),
        values=values,
        words=words,
        repeatable=bool(option.multiple or option.count),
        required=bool(option.required),
    )


def _argument(argument: Any) -> Argument:
    values, words = _values(argument)
    return Argument(
        metavar=_metavar(argument, words),
        help=_one_line(argument.help),
        values=values,
        words=words,
        repeatable=argument.nargs == -1,
        required=bool(argument.required),
    )


def _values(parameter: Any) -> tuple[Values, tuple[str, ...]]:
    metavar = parameter.metavar or ""
    if parameter.type_descriptor.is_choice:
        words = tuple(_word(choice) for choice in parameter.type_descriptor.choices or ())
        return Values.WORDS, words
    if _WORDS.fullmatch(metavar):
        return Values.WORDS, tuple(metavar.split("|"))
    if metavar.endswith("]FILE"):  # an optional prefix, as --payload has it
        return Values.FILE, ()
    return _VALUES.get(_bare(metavar), Values.ANY), ()


def _metavar(parameter: Any, words: Sequence[str]) -> str:
    if parameter.metavar:
        return _bare(str(parameter.metavar))
    if words:
        return "|".join(words)
    annotation = parameter.type_descriptor.annotation
    kinds: dict[object, str] = {int: "N", float: "N"}
    return kinds.get(annotation, "TEXT")


def _bare(metavar: str) -> str:
    """Return *metavar* without the dots that say that it may be repeated."""
    return metavar.removesuffix("…").removesuffix("...")


def _default(parameter: Any) -> str | None:
    value = parameter.default
    if not parameter.show_default or value is None or callable(value):
        return None
    if isinstance(value, bool) or value in ("", (), []):
        return None
    return _word(value)


def _word(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def _first(names: str | Sequence[str] | None) -> str | None:
    return names if names is None or isinstance(names, str) else names[0]


def _short_first(name: str) -> bool:
    return name.startswith("--")


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _paragraphs(text: str | None) -> list[str]:
    blocks = inspect.cleandoc(text or "").split("\n\n")
    return [_one_line(block) for block in blocks if block.strip()]


def _epilog(
    text: str | None,
) -> tuple[tuple[Example, ...], tuple[Meaning, ...], tuple[str, ...]]:
    examples: list[Example] = []
    exit_codes: tuple[Meaning, ...] = ()
    notes: list[str] = []
    for block in inspect.cleandoc(text or "").split("\n\n"):
        if block.strip() == "Examples:" or not block.strip():
            continue
        if block.startswith(("Examples:\n", "  ")):
            examples += _examples(block.removeprefix("Examples:\n"))
        elif block.startswith("Exit codes:"):
            exit_codes = _meanings(_one_line(block.removeprefix("Exit codes:")))
        else:
            notes.append(_one_line(block))
    return tuple(examples), exit_codes, tuple(notes)


def _examples(block: str) -> list[Example]:
    found: list[Example] = []
    about: str | None = None
    for line in block.splitlines():
        if line.strip().startswith("#"):
            about = line.strip().lstrip("# ")
        elif line.strip():
            found.append(Example(line.strip(), about))
            about = None
    return found


def _meanings(text: str) -> tuple[Meaning, ...]:
    parts = re.split(r"[,;] (?=\d+(?:, \d+)* [^\d])", text.rstrip("."))
    for place in range(len(parts) - 1, 0, -1):
        if parts[place - 1].strip().isdigit():  # the first of two codes that mean the same
            parts[place - 1 : place + 1] = [f"{parts[place - 1]}, {parts[place]}"]
    matches = [_MEANING.fullmatch(part.strip()) for part in parts]
    return tuple(Meaning(match[1], match[2]) for match in matches if match is not None)
