"""The names of columns, and everything that can be wrong with them.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pushctl.audience.row import misspelt_column
from pushctl.errors import Place, Problem
from pushctl.rules.text import printable

_FID_HINT = "call the column token: installation ids stand there beside tokens, told by their form"


def header_problems(header: Sequence[str], place: Place, no_token_hint: str) -> list[Problem]:
    """
    Return all that is wrong with *header*, which stands at *place*.

    *no_token_hint* says what to do where no column is called ``token``.
    """
    problems = [*_unusable_names(header, place)]
    misspelt = {name: misspelt_column(name, header) for name in header}
    problems += [
        Problem(f"unknown column `{printable(name)}`", place, f"did you mean {known}?")
        for name, known in misspelt.items()
        if known is not None
    ]
    if "token" not in header and "token" not in misspelt.values():
        hint = _FID_HINT if "fid" in header else no_token_hint
        problems.append(Problem("no column is called token", place, hint))
    return problems


def _unusable_names(header: Sequence[str], place: Place) -> Iterator[Problem]:
    """Yield what is wrong with names of columns apart from their spelling."""
    for number, name in enumerate(header, start=1):
        if not name.strip():
            yield Problem(f"column {number} has no name", place)
        elif name in header[: number - 1]:
            yield Problem(f"two columns are called `{printable(name)}`", place)
        elif name != name.strip() and misspelt_column(name, header) is None:
            yield Problem(f"white space around the name of column {number}", place, "remove it")
