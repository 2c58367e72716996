"""Help as text: order, widths, colour."""

from __future__ import annotations

import pytest

from pushctl.manual.help import WIDTH_MAX, help_text
from pushctl.manual.model import Command

WIDTHS = (40, 50, 60, 72, 80, 100, 200)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_screen(model: Command, width: int) -> None:
    """
    At every width all lines fit; examples and names, which are copied, are never cut, and a list
    of choices only between two of them.
    """
    for command in model.walk():
        metavars = {option.metavar or "" for option in command.options}
        copied = {metavar for metavar in metavars if "|" not in metavar}
        copied |= {example.command for example in command.examples}
        for line in help_text(command, width).splitlines():
            whole = any(text and text in line for text in copied)
            assert whole or len(line) <= min(width, WIDTH_MAX), f"{command.name}: {line}"


def test_examples_fit_into_80_columns(model: Command) -> None:
    """What is meant to be copied is seen whole on a usual screen."""
    for command in model.walk():
        assert all(len(example.command) <= 78 for example in command.examples), command.name


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_is_said(model: Command, width: int) -> None:
    """Each option, argument, command, example and exit code is in the help at any width."""
    for command in model.walk():
        text = " ".join(help_text(command, width).split())
        said = [name for option in command.options for name in option.names]
        said += [option.help for option in command.options]
        said += [argument.metavar for argument in command.arguments]
        said += [below.summary for below in command.commands]
        said += [example.command for example in command.examples]
        said += [meaning.text for meaning in command.exit_codes]
        for what in said:
            assert " ".join(what.split()) in text, f"{command.name}: {what}"


def test_the_order_is_that_of_a_reader(model: Command) -> None:
    """What it is for, usage, examples, own options, common options, exit codes."""
    send = next(command for command in model.walk() if command.path == ("send",))
    text = help_text(send, 80)
    marks = [
        send.summary[:40], "Usage:", "Examples:", "Target:", "Message:", "Delivery:", "Output:",
        "Common options:", "Exit codes:",
    ]  # fmt: skip

    assert sorted(text.index(mark) for mark in marks) == [text.index(mark) for mark in marks]


def test_paint_changes_nothing_but_colour(model: Command) -> None:
    """Without its colour the painted help is the plain one: columns stay straight."""
    painted = help_text(model, 80, lambda text, _style: f"\x1b[1m{text}\x1b[0m")

    assert "\x1b[1m" in painted
    assert help_text(model, 80) == painted.replace("\x1b[1m", "").replace("\x1b[0m", "")
