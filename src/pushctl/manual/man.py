"""Man pages (section 1), in the macros that groff and mandoc both know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pushctl import __version__
from pushctl.errors import ExitCode
from pushctl.manual.completing import NOTICE
from pushctl.manual.environment import OTHERS, variables
from pushctl.manual.help import environment_note, option_help
from pushctl.manual.model import COMMON, Command, Meaning, Option
from pushctl.manual.topics import TOPICS

FILES = (
    ("pushctl.yaml", "The configuration: the nearest from the working directory up to the root of"
     " the repository, else the user's."),
    ("~/.config/pushctl/config.yaml", "The user's configuration."),
    (".pushctl/", "The state folder beside pushctl.yaml: a folder for each run."),
    ("bounces.jsonl", "The bounce log beside pushctl.yaml: a line for each push that bounced."),
)  # fmt: skip


def page_name(command: Command) -> str:
    """Return what the man page of *command* is called: ``pushctl-runs-show``."""
    return "-".join(("pushctl", *command.path))


def page(command: Command) -> str:
    """Return the man page of *command*."""
    lines = [
        f'.\\" {NOTICE}',
        f'.TH {page_name(command).upper()} 1 "" "pushctl {__version__}" "pushctl manual"',
        ".nh",  # an option is copied from the page: it is not cut at the end of a line
        ".ad l",
        ".SH NAME",
        f"{page_name(command)} \\- {_text(_lowered(command.summary))}",
        ".SH SYNOPSIS",
        f".B {_text(command.name)}",
        _text(command.usage.removeprefix(command.name).strip()),
        ".SH DESCRIPTION",
        *_paragraphs([command.summary, *command.details]),
        *_examples(command),
        *_commands(command),
        *_arguments(command),
        *_options(command),
        *_notes(command),
        *_exit_status(command),
        *(_topics(command) if not command.path else ()),
        *_see_also(command),
    ]
    return "\n".join(lines) + "\n"


def _lowered(summary: str) -> str:
    """Return *summary* as the NAME section wants it: no capital, no full stop."""
    first = summary.split(" ", 1)[0]
    text = summary if first.isupper() else summary[:1].lower() + summary[1:]
    return text.rstrip(".")


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield ".PP"
        yield _text(text)


def _examples(command: Command) -> Iterator[str]:
    if command.examples:
        yield ".SH EXAMPLES"
    for example in command.examples:
        if example.about:
            yield from (".PP", _text(example.about[:1].upper() + example.about[1:] + ":"))
        yield from (".PP", ".RS 4", ".nf", _text(example.command), ".fi", ".RE")


def _commands(command: Command) -> Iterator[str]:
    if command.commands:
        yield ".SH COMMANDS"
    for below in command.commands:
        yield from (".TP", f"\\fB{_text(page_name(below))}\\fR(1)", _text(below.summary))


def _arguments(command: Command) -> Iterator[str]:
    if command.arguments:
        yield ".SH ARGUMENTS"
    for argument in command.arguments:
        yield from (".TP", f"\\fI{_text(argument.metavar)}\\fR", _text(argument.help))


def _options(command: Command) -> Iterator[str]:
    yield ".SH OPTIONS"
    for name, options in command.groups():
        yield f".SS {_text(name)}"
        for option in options:
            yield from (".TP", _tag(option), _text(option_help(option)))


def _tag(option: Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    if not option.metavar:
        return names
    choices = _text(option.metavar).replace("|", "|\\:")  # a long list may go on in the next line
    return f"{names} \\fI{choices}\\fR"


def _notes(command: Command) -> Iterator[str]:
    if command.notes:
        yield ".SH NOTES"
        yield from _paragraphs(command.notes)
    note = environment_note(command)
    if note:
        yield ".SH ENVIRONMENT"
        yield from _paragraphs([note])


def _exit_status(command: Command) -> Iterator[str]:
    meanings: Iterable[Meaning] = command.exit_codes
    if not command.path:
        meanings = [Meaning(str(int(code)), code.meaning) for code in ExitCode]
    if meanings:
        yield ".SH EXIT STATUS"
    for meaning in meanings:
        yield from (".TP", f"\\fB{_text(meaning.code)}\\fR", _text(meaning.text))


def _topics(root: Command) -> Iterator[str]:
    yield ".SH ENVIRONMENT"
    for name, (option, commands) in sorted(variables(root).items()):
        common = option.group == COMMON
        about = option.help if common else f"{option.name} of {', '.join(commands)}."
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(about))
    for name, about in OTHERS.items():
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(f"{about[:1].upper()}{about[1:]}."))
    yield ".SH FILES"
    for name, about in FILES:
        yield from (".TP", f"\\fI{_text(name)}\\fR", _text(about))
    for heading in ("output", "security"):
        yield f".SH {heading.upper()}"
        yield from (".nf", *map(_text, TOPICS[heading](root).splitlines()), ".fi")


def _see_also(command: Command) -> Iterator[str]:
    parents = [("pushctl", *command.path[:size]) for size in range(len(command.path))]
    names = ["-".join(words) for words in parents]
    if command.path and command.path != ("help",):
        names.append("pushctl-help")
    if names:
        yield ".SH SEE ALSO"
        yield ", ".join(f"\\fB{_text(name)}\\fR(1)" for name in names)


def _text(text: str) -> str:
    r"""Return *text* so that it is shown as it is: hyphens that can be copied, no requests."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    safe = "".join(it if it.isascii() else f"\\[u{ord(it):04X}]" for it in safe)
    return f"\\&{safe}" if safe[:1] in (".", "'") else safe
