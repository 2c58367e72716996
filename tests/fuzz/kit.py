"""What the targets share: which errors are meant, and text that is fit to be shown."""

from __future__ import annotations

import contextlib
import importlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from pushctl.errors import InvalidInput, Problem
from pushctl.rules.text import printable

HERE = Path(__file__).parent
TARGETS = tuple(sorted(path.stem for path in (HERE / "targets").glob("*.py")))
CORPUS = HERE / "corpus"
"""Inputs that together reach what is known to be reached, a folder for each target."""
FOUND = HERE / "found"
"""Inputs that once were findings, named for what they found."""
FINDING, END = "=== finding ===", "=== end of finding ==="
"""What stands around the traceback of a finding."""
LONGEST_MESSAGE = 4_000
WHERE_ATHERIS_IS = "made for Linux on x86-64 and Python 3.11 to 3.13 alone"


def target(name: str) -> ModuleType:
    """
    Return the module of the target *name*.

    Its ``check(data)`` raises if *data* shows a fault.  It may have ``seeds()``, inputs made of
    the samples that other tests use, ``MAX_BYTES``, the longest input worth trying, ``WORDS``, what
    its language is made of, and ``EXECUTIONS``, how many inputs are tried in some four seconds.
    """
    return importlib.import_module(f"fuzz.targets.{name}")


def samples(name: str) -> list[bytes]:
    """Return the inputs that the target *name* makes of what other tests use."""
    seeds = getattr(target(name), "seeds", None)
    return [] if seeds is None else [*seeds()]


def kept(name: str) -> list[Path]:
    """Return the kept inputs of the target *name*, former findings first."""
    return [
        path
        for folder in (FOUND / name, CORPUS / name)
        if folder.is_dir()
        for path in sorted(folder.iterdir())
    ]


class Refused(Exception):
    """The input was refused, as it may be, in a way that a person can act on."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@contextlib.contextmanager
def refusals(file: str | None = None) -> Iterator[None]:
    """
    Turn :class:`InvalidInput` into :class:`Refused`, its problems having been looked at.

    Each must have a place in *file*, where one is named.
    """
    try:
        yield
    except InvalidInput as error:
        for problem in error.problems:
            check_problem(problem)
            assert file is None or (problem.place is not None and problem.place.file == file)
        raise Refused(error.problems) from error


def must_not_be(refused: Refused) -> NoReturn:
    """Fail: what was *refused* is sound."""
    raise AssertionError(f"refused: {refused}") from refused


def is_sampled(data: bytes, one_in: int) -> bool:
    """Return whether *data* is among the few that dear things are done with."""
    return zlib.crc32(data) % one_in == 0


def check_problem(problem: Problem) -> None:
    """Assert that *problem* can be shown: short, in one piece, with a place that is one."""
    assert problem.message
    assert len(problem.message) <= LONGEST_MESSAGE, problem.message[:200]
    assert problem.hint is None or len(problem.hint) <= LONGEST_MESSAGE, problem.hint[:200]
    place = problem.place
    if place is not None:
        assert place.line is None or place.line >= 1
        assert place.column is None or place.column >= 1


def check_shown(text: str | None, longest: int = LONGEST_MESSAGE) -> None:
    """Assert that *text*, which a stranger had a hand in, cannot drive a terminal."""
    assert text is None or text == printable(text, longest), repr(text)
