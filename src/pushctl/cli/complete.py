"""
``pushctl __complete``: what only this machine knows, for the completion scripts.

Runs at every Tab, so it imports neither the command line framework nor anything that sends, and
whatever is wrong with a file, it answers with nothing and without a word.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_CONFIG_BYTES_MAX = 1 << 20
_RUNS_MAX = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""What names of credentials and ids of runs look like."""


def main(arguments: Sequence[str]) -> None:
    """Print the words of the kind that *arguments* name first; the command line follows it."""
    try:
        cwd, home = Path.cwd(), Path.home()
        found = words(arguments, environ=os.environ, cwd=cwd, home=home)
        sys.stdout.write("".join(f"{word}\n" for word in found))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 -- a shell that completes has no place for an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def words(
    arguments: Sequence[str], *, environ: Mapping[str, str], cwd: Path, home: Path
) -> list[str]:
    """
    Return the words of a kind, ``credentials`` or ``runs``, that can stand on this line.

    *arguments* are the kind and the words of the line so far, of which ``--config`` is heeded.
    Only words that can be such names are returned: no file decides what a shell shows or runs.
    Raises whatever reading raises.
    """
    if not arguments:
        return []
    from pushctl.config.discover import find_config

    config = find_config(_given_config(arguments[1:]), environ, cwd, home)
    if arguments[0] == "credentials":
        found = _credentials(config)
    elif arguments[0] == "runs":
        found = _runs(config, environ, home)
    else:
        found = []
    return [word for word in found if _NAME.fullmatch(word)]


def _given_config(line: Sequence[str]) -> str | None:
    for index, word in enumerate(line):
        if word.startswith("--config="):
            return word.partition("=")[2]
        if word == "--config" and index + 1 < len(line):
            return line[index + 1]
    return None


def _credentials(config: Path | None) -> list[str]:
    written = _read(config).get("credentials")
    return [str(name) for name in written] if isinstance(written, dict) else []


def _runs(config: Path | None, environ: Mapping[str, str], home: Path) -> list[str]:
    """Return ``last`` and the ids of the newest runs; nothing where there is no run."""
    from pushctl.config.discover import default_state_dir, expand_home

    written = _read(config).get("state_dir")
    if isinstance(written, str) and config is not None:
        folder = config.parent / expand_home(written, home)
    else:
        folder = default_state_dir(config, environ, home)
    with os.scandir(folder / "runs") as entries:
        found = [(entry.stat().st_mtime, entry.name) for entry in entries if entry.is_dir()]
    newest = [name for _, name in sorted(found, reverse=True)[:_RUNS_MAX]]
    return ["last", *newest] if newest else []


def _read(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    import yaml

    with config.open("rb") as file:
        text = file.read(_CONFIG_BYTES_MAX)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(text, loader)  # noqa: S506 -- a safe loader either way
    return document if isinstance(document, dict) else {}
