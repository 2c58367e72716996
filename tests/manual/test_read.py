"""From the command line framework to data."""

from __future__ import annotations

import enum
from typing import Annotated

import pytest
import typer

from pushctl.manual.model import Command, Example, Meaning, Values
from pushctl.manual.read import read_command

EPILOG = """
Examples:

  # the usual way
  pushctl make file.txt

  pushctl make --kind big -

Anything else
is a note.

Exit codes: 0 made, 1 nothing to make; 2 usage, 130, 143 ended early (see
`help exit-codes`).
"""


class Kind(enum.StrEnum):
    BIG = "big"
    SMALL = "small"


@pytest.fixture(scope="module")
def made() -> Command:
    """Return a command with all that there is."""
    app = typer.Typer(add_completion=False)

    @app.callback()
    def root() -> None: ...

    @app.command("make", help="Make it.\n\nMore\nabout it.", epilog=EPILOG)
    def make(
        files: Annotated[list[str], typer.Argument(metavar="FILE", help="What to make.")],
        kind: Annotated[Kind, typer.Option("--kind", envvar="MADE_KIND")] = Kind.SMALL,
        output: Annotated[str, typer.Option("-o", "--output", metavar="json|csv")] = "json",
        credential: Annotated[str | None, typer.Option("--credential", metavar="NAME")] = None,
        payload: Annotated[str | None, typer.Option("--payload", metavar="[a=|b=]FILE")] = None,
        run: Annotated[str | None, typer.Option("--of-run", metavar="RUN")] = None,
        limit: Annotated[int, typer.Option("--limit")] = 5,
        loud: Annotated[int, typer.Option("-l", "--loud", count=True)] = 0,
        dry: Annotated[bool, typer.Option("--dry")] = False,
        secret: Annotated[bool, typer.Option("--secret", hidden=True)] = False,
    ) -> None: ...

    @app.command("ghost", hidden=True)
    def ghost() -> None: ...

    return read_command(typer.main.get_command(app))


def test_texts(made: Command) -> None:
    """The help's paragraphs and the epilog's sections find their places."""
    (make,) = made.commands

    assert ("Make it.", ("More about it.",)) == (make.summary, make.details)
    assert make.examples == (
        Example("pushctl make file.txt", "the usual way"),
        Example("pushctl make --kind big -"),
    )
    assert ("Anything else is a note.",) == make.notes
    assert make.exit_codes == (
        Meaning("0", "made"),
        Meaning("1", "nothing to make"),
        Meaning("2", "usage"),
        Meaning("130, 143", "ended early (see `help exit-codes`)"),
    )


def test_options(made: Command) -> None:
    """What may stand behind an option is known by its type, its metavar or its name."""
    (make,) = made.commands
    options = {option.name: option for option in make.options}

    assert (Values.WORDS, ("big", "small")) == (options["--kind"].values, options["--kind"].words)
    assert ("MADE_KIND", "small") == (options["--kind"].env, options["--kind"].default)
    assert ("json", "csv") == options["--output"].words
    assert ("-o", "--output") == options["--output"].names
    assert Values.CREDENTIALS is options["--credential"].values
    assert Values.FILE is options["--payload"].values
    assert Values.RUNS is options["--of-run"].values
    assert ("N", "5") == (options["--limit"].metavar, options["--limit"].default)
    assert (None, True) == (options["--loud"].metavar, options["--loud"].repeatable)
    assert (None, False) == (options["--dry"].metavar, options["--dry"].repeatable)
    assert "--secret" not in options


def test_usage(made: Command) -> None:
    """Usage lines name arguments, and groups the place of a command."""
    (make,) = made.commands

    assert "pushctl make [OPTIONS] FILE…" == make.usage
    assert "pushctl [OPTIONS] COMMAND" == made.usage
    assert Values.FILE is make.arguments[0].values
