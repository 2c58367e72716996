"""A command's help as text: what it is for, examples, options in groups, exit codes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from pushctl.manual.model import COMMON, Command, Option

WIDTH_MAX = 100
"""Lines longer than this are hard to read, however wide the terminal is."""
_WIDTH_MIN = 40
_TWO_COLUMNS = 60
"""Below this width a text stands under its name."""
_NAMES_MAX = 28

Paint = Callable[[str, str], str]
"""Returns a text in a style such as ``bold``."""


def help_text(command: Command, width: int, paint: Paint = lambda text, _style: text) -> str:
    """Return the help of *command* for a terminal *width* columns wide, without a last newline."""
    page = _Page(min(max(width, _WIDTH_MIN), WIDTH_MAX), paint)
    page.paragraph(command.summary)
    for text in command.details:
        page.paragraph(text)
    page.lines.append("")
    page.filled(command.usage, first=f"{paint('Usage:', 'bold')} ", hidden=len("Usage: "))
    if command.examples:
        page.heading("Examples")
        for example in command.examples:
            if example.about:
                page.filled(f"# {example.about}", first="  ")
            page.lines.append(f"  {example.command}")
    if command.commands:
        page.heading("Commands")
        page.table([(below.path[-1], below.summary) for below in command.commands])
    if command.arguments:
        page.heading("Arguments")
        page.table([(it.metavar, it.help) for it in command.arguments])
    for name, options in command.groups():
        page.heading(name if name != COMMON or command.path else "On every command")
        page.table([(option_names(option), option_help(option)) for option in options])
    environment = environment_note(command)
    for note in (*command.notes, *([environment] if environment else [])):
        page.paragraph(note)
    if command.exit_codes:
        page.heading("Exit codes")
        page.table([(meaning.code, meaning.text) for meaning in command.exit_codes])
    return "\n".join(page.lines).strip("\n")


def option_names(option: Option) -> str:
    """Return the names of *option* and what its value is called."""
    names = ", ".join(option.names)
    return f"{names} {option.metavar}" if option.metavar else names


def option_help(option: Option) -> str:
    """Return what *option* does, and its default."""
    text = option.help
    if option.default is not None:
        text = f"{text} [{option.default}]"
    if option.env and option.env != regular_variable(option.name):
        text = f"{text} [env: {option.env}]"
    return text


def regular_variable(name: str) -> str:
    """Return the environment variable that belongs to the option called *name*."""
    return "PUSHCTL_" + name.removeprefix("--").replace("-", "_").upper()


def environment_note(command: Command) -> str | None:
    """Return which options of *command* the environment sets; ``None`` where there is none."""
    settable = [option for option in command.options if option.env]
    if not settable or not command.path:
        return None
    own = [option for option in settable if option.group != COMMON] or settable
    example = next((it for it in own if it.name.count("-") > 2), own[0])
    rest = [option.name for option in command.options if not option.env and option.name != "--help"]
    text = f"PUSHCTL_<OPTION> sets any option, such as {example.env} for {example.name}"
    return f"{text}; not {_listed(rest)}." if rest else f"{text}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


class _Page:
    """The lines of a page while it grows."""

    def __init__(self, width: int, paint: Paint) -> None:
        self.lines: list[str] = []
        self._width = width
        self._paint = paint

    def heading(self, text: str) -> None:
        self.lines += ["", self._paint(f"{text}:", "bold")]

    def paragraph(self, text: str) -> None:
        self.lines.append("")
        self.filled(text)

    def filled(self, text: str, *, first: str = "", hidden: int | None = None) -> None:
        """Add *text*; *first* stands before it and takes *hidden* columns."""
        indent = " " * (len(first) if hidden is None else hidden)
        wrapped = _wrap(text, self._width - len(indent))
        self.lines += [first + wrapped[0], *(indent + line for line in wrapped[1:])]

    def table(self, rows: Iterable[tuple[str, str]]) -> None:
        rows = list(rows)
        if self._width < _TWO_COLUMNS:
            for name, text in rows:
                self._name(name)
                self.filled(text, first="      ")
            return
        fitting = [len(name) for name, _ in rows if len(name) <= _NAMES_MAX]
        column = 2 + max(fitting, default=_NAMES_MAX) + 2
        for name, text in rows:
            if len(name) + 4 > column:
                self._name(name)
                self.filled(text, first=" " * column)
            else:
                shown = "  " + self._paint(name, "cyan")
                self.filled(text, first=shown + " " * (column - 2 - len(name)), hidden=column)

    def _name(self, name: str) -> None:
        """Add *name* on lines of its own, broken after a ``|`` where it is too long for one."""
        indent, line = "  ", ""
        for part in re.findall(r"[^|]+\|?", name):
            if line and len(indent + line + part) > self._width:
                self.lines.append(indent + self._paint(line, "cyan"))
                indent, line = " " * 6, ""
            line += part
        self.lines.append(indent + self._paint(line, "cyan"))


def _wrap(text: str, width: int) -> list[str]:
    # Options and tokens are copied from the screen: they are never cut at a hyphen.
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]
