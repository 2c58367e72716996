"""``docs/cli.md``: every command on one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pushctl.errors import ExitCode
from pushctl.manual.completing import NOTICE
from pushctl.manual.environment import OTHERS, variables
from pushctl.manual.help import option_help, option_names
from pushctl.manual.model import COMMON, Command, Meaning

_INTRODUCTION = """\
`pushctl help COMMAND` and `man pushctl-COMMAND` say the same. stdout carries data, stderr carries
talk; `-o` chooses the form of the data, and every form but `table` is made for programs and keeps
its names."""


def reference(root: Command) -> str:
    """Return the reference of all commands of *root* as Markdown."""
    lines = [
        f"<!-- {NOTICE} -->",
        "# The command line",
        "",
        _INTRODUCTION,
        "",
        *_contents(root),
        "## Options of every command",
        "",
        *_options(root, common=True),
        *_codes(root),
        *_environment(root),
    ]
    for command in root.walk():
        if command.path:
            lines += _command(command)
    return "\n".join(lines).rstrip("\n") + "\n"


def _contents(root: Command) -> Iterator[str]:
    yield from ("| command | does |", "|---|---|")
    for command in root.walk():
        if command.path:
            yield f"| [`{command.name}`](#{_anchor(command)}) | {_cell(command.summary)} |"
    yield ""


def _anchor(command: Command) -> str:
    return command.name.replace(" ", "-")


def _codes(root: Command) -> Iterator[str]:
    meanings = [Meaning(str(int(code)), code.meaning) for code in ExitCode]
    yield from ("## Exit codes", "", *_rows(("code", "meaning"), _cells(meanings)), "")
    yield "Where several apply, the first of 74, 4, 5, 6, 130/143, 7, 1."
    yield ""


def _environment(root: Command) -> Iterator[str]:
    yield from ("## Environment variables", "")
    yield (
        "`PUSHCTL_<OPTION>` sets the option of that name. The command line goes before the"
        " environment, the environment before the config. Who gets a push, `--yes`, `--confirm`"
        " and `--on-unknown` are taken from the command line alone."
    )
    yield ""
    rows: list[tuple[str, str]] = []
    for name, (option, commands) in sorted(variables(root).items()):
        where = "every command" if option.group == COMMON else ", ".join(commands)
        rows.append((f"`{name}`", f"`{option.name}` of {where}"))
    rows += [(f"`{name}`", text) for name, text in OTHERS.items()]
    yield from (*_rows(("variable", "sets"), rows), "")


def _command(command: Command) -> Iterator[str]:
    yield from (f"{'#' * (1 + len(command.path))} {command.name}", "", command.summary, "")
    for text in command.details:
        yield from (text, "")
    yield from ("```", command.usage, "```", "")
    if command.examples:
        yield "```sh"
        for example in command.examples:
            yield from ([f"# {example.about}"] if example.about else [])
            yield example.command
        yield from ("```", "")
    if command.arguments:
        rows = [(f"`{it.metavar}`", it.help) for it in command.arguments]
        yield from (*_rows(("argument", "meaning"), rows), "")
    yield from _options(command, common=False)
    for note in command.notes:
        yield from (note, "")
    if command.exit_codes:
        yield from (*_rows(("exit code", "meaning"), _cells(command.exit_codes)), "")


def _options(command: Command, *, common: bool) -> Iterator[str]:
    for name, options in command.groups():
        if (name == COMMON) is not common:
            continue
        rows = [(f"`{option_names(option)}`", option_help(option)) for option in options]
        yield from (*_rows((name.lower() if not common else "option", "meaning"), rows), "")


def _cells(meanings: Iterable[Meaning]) -> Iterator[tuple[str, str]]:
    for meaning in meanings:
        yield meaning.code, meaning.text


def _rows(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "|---|---|"
    for name, text in rows:
        yield f"| {_cell(name)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
