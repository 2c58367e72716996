"""
Writes what is made from the commands and the catalog: completions, man pages, tables of ``docs/``.

``python -m pushctl.cli.generate`` writes them into the checkout, ``--check`` only tells which of
them are not current.  A test holds them to it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer.main

from pushctl.cli.app import build_app
from pushctl.cli.completion import SHELLS, script
from pushctl.manual import man
from pushctl.manual.config_keys import with_keys
from pushctl.manual.model import Command
from pushctl.manual.read import read_command
from pushctl.manual.reasons import reasons_page
from pushctl.manual.reference import reference

ROOT = Path(__file__).resolve().parents[3]
"""The checkout, if this is one."""
FOLDERS = ("completions", "man")
"""Folders that hold nothing but what is made here."""
CONFIGURATION = "docs/configuration.md"
"""Written by people, but for its tables of keys."""
SCRIPT_NAMES = {
    "bash": "pushctl.bash",
    "zsh": "_pushctl",
    "fish": "pushctl.fish",
    "powershell": "pushctl.ps1",
}


def command_model() -> Command:
    """Return all commands as data."""
    return read_command(typer.main.get_command(build_app()))


def files(checkout: Path) -> Mapping[str, str]:
    """
    Return what belongs into each file, by its path in the checkout.

    Of a page that people write too, that is what it holds with its tables made anew; where there
    is none, none is made.
    """
    root = command_model()
    made = {f"completions/{SCRIPT_NAMES[shell]}": script(root, shell) for shell in SHELLS}
    made |= {f"man/{man.page_name(it)}.1": man.page(it) for it in root.walk()}
    made |= {"docs/cli.md": reference(root), "docs/reasons.md": reasons_page()}
    page = _read(checkout / CONFIGURATION)
    return made if page is None else made | {CONFIGURATION: with_keys(page)}


def stale(root: Path) -> list[str]:
    """Return the files under *root* that differ from what they should hold, or should not be."""
    made = files(root)
    wrong = [path for path, text in made.items() if _read(root / path) != text]
    for folder in FOLDERS:
        there = {f"{folder}/{path.name}" for path in (root / folder).glob("*")}
        wrong += sorted(there - set(made))
    return wrong


def write(root: Path) -> list[str]:
    """Write what is not current under *root*, remove what should not be; return their paths."""
    made, wrong = files(root), stale(root)
    for path in wrong:
        file = root / path
        if path not in made:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made[path], encoding="utf-8")
    return wrong


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with ``--check`` return 1 if one is not current."""
    wrong = stale(ROOT) if "--check" in arguments else write(ROOT)
    sys.stdout.write("".join(f"{path}\n" for path in wrong))
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
