"""The man pages, as the programs that show them see them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from pushctl.cli.generate import ROOT
from pushctl.manual.man import page, page_name
from pushctl.manual.model import Command, Example, Option

PAGES = sorted((ROOT / "man").glob("*.1"))


def test_there_is_a_page_for_every_command(model: Command) -> None:
    """pushctl(1), and one for each command and group."""
    assert {page_name(command) for command in model.walk()} == {path.stem for path in PAGES}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_no_complaint() -> None:
    """All pages are formatted without a warning."""
    command = ["groff", "-man", "-Tutf8", "-ww", "-z", *map(str, PAGES)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "" == done.stderr


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_has_no_complaint() -> None:
    """All pages are sound for mandoc too, which macOS and BSD use."""
    command = ["mandoc", "-T", "lint", "-W", "error", *map(str, PAGES)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stdout)


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_a_page() -> None:
    """`man -l` shows what a reader looks for, and cuts no option at the end of a line."""
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "MANWIDTH": "80"}
    command = ["man", "--warnings=all", "-l", str(ROOT / "man" / "pushctl-send.1")]

    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)

    assert "" == done.stderr
    for shown in ("PUSHCTL-SEND(1)", "--retry-for TIME", "EXAMPLES", "EXIT STATUS", "pushctl(1)"):
        assert shown in done.stdout
    assert "‐\n" not in done.stdout


def test_what_groff_would_take_for_markup_is_shown_as_it_is() -> None:
    """Backslashes, leading dots and quotes, and characters beyond ASCII come out as written."""
    odd = Command(
        path=("odd",),
        summary="Do it.",
        details=(".PP is no request, nor is 'ft; \\fB is no font.",),
        examples=(Example("pushctl odd --path 'C:\\new' …"),),
        options=(Option(("--a-b",), ".hidden"),),
    )

    lines = page(odd).splitlines()

    assert "\\&.PP is no request, nor is 'ft; \\efB is no font." in lines
    assert "pushctl odd \\-\\-path 'C:\\enew' \\[u2026]" in lines
    assert "\\&.hidden" in lines
    assert all(line.isascii() for line in lines)
