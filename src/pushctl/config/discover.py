"""Where settings come from and where state goes, without opening anything."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeGuard

CONFIG_NAME = "pushctl.yaml"
USER_CONFIG_NAME = "config.yaml"


class Source(StrEnum):
    """Who says that a config file is to be used."""

    OPTION = "--config"
    VARIABLE = "PUSHCTL_CONFIG"
    PROJECT = "project"
    USER = "user"

    @property
    def is_named(self) -> bool:
        """Whether the person named the file, so that no other may take its place."""
        return self in (Source.OPTION, Source.VARIABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a config file may be."""

    path: Path
    source: Source
    exists: bool


def config_candidates(
    explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path
) -> list[Candidate]:
    """
    Return where a config file is looked for, in the order of preference.

    *explicit* (``--config``), ``PUSHCTL_CONFIG``, ``pushctl.yaml`` from *cwd* up to the root of
    the repository it is in, the user's own.  Outside a repository only *cwd* itself is looked
    at, so that a file in a shared parent folder is never picked up.
    """
    named = ((Source.OPTION, explicit), (Source.VARIABLE, environ.get("PUSHCTL_CONFIG")))
    user = user_folder(environ, home, "XDG_CONFIG_HOME", ".config") / USER_CONFIG_NAME
    places = [
        *((source, cwd / expand_home(path, home)) for source, path in named if path),
        *((Source.PROJECT, folder / CONFIG_NAME) for folder in _project_folders(cwd)),
        (Source.USER, user),
    ]
    return [Candidate(path, source, _is_file(path)) for source, path in places]


def chosen_config(candidates: Sequence[Candidate]) -> Candidate | None:
    """
    Return which of *candidates* is used; ``None`` where there is none.

    A file that was named is used whether or not it exists: a missing one is an error, not a
    reason to use another.
    """
    return next((it for it in candidates if it.source.is_named or it.exists), None)


def find_config(
    explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path
) -> Path | None:
    """Return the config file to use, as the two above decide; ``None`` where there is none."""
    chosen = chosen_config(config_candidates(explicit, environ, cwd, home))
    return None if chosen is None else chosen.path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be entered
        return False


def _project_folders(cwd: Path) -> Iterator[Path]:
    """Yield *cwd* and its parents up to the repository root; *cwd* alone if there is none."""
    folders = [cwd, *cwd.parents]
    root = next((folder for folder in folders if _is_repository(folder)), cwd)
    for folder in folders:
        yield folder
        if folder == root:
            return


def _is_repository(folder: Path) -> bool:
    try:
        return (folder / ".git").exists()
    except OSError:
        return False


def default_bounce_log(config: Path | None, cwd: Path) -> Path:
    """Return where bounces are logged by default: beside ``pushctl.yaml``, else in *cwd*."""
    return (config.parent if _is_project_file(config) else cwd) / "bounces.jsonl"


def default_state_dir(config: Path | None, environ: Mapping[str, str], home: Path) -> Path:
    """
    Return where runs are kept by default: ``.pushctl`` beside ``pushctl.yaml``.

    Without a project's config file, or where its folder cannot be written, it is the user's
    state folder.
    """
    if _is_project_file(config):
        folder = config.parent / ".pushctl"
        if os.access(folder if folder.is_dir() else config.parent, os.W_OK):
            return folder
    return user_folder(environ, home, "XDG_STATE_HOME", ".local/state")


def _is_project_file(config: Path | None) -> TypeGuard[Path]:
    """Tell a project's file from the user's own, beside which nothing is written."""
    return config is not None and not (
        config.name == USER_CONFIG_NAME and config.parent.name == "pushctl"
    )


def user_folder(environ: Mapping[str, str], home: Path, variable: str, default: str) -> Path:
    """Return pushctl's folder of one kind; relative values are ignored (XDG base directories)."""
    configured = environ.get(variable, "")
    return (Path(configured) if os.path.isabs(configured) else home / default) / "pushctl"


def expand_home(path: str, home: Path) -> Path:
    """Return *path* with a leading ``~/`` replaced."""
    return home / path[2:] if path.startswith("~/") else Path(path)
