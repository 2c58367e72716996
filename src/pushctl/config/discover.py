"""Where settings come from and where state goes, without opening anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

CONFIG_NAME = "pushctl.yaml"
USER_CONFIG_NAME = "config.yaml"


def find_config(
    explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path
) -> Path | None:
    """
    Return the config file to use; ``None`` where there is none.

    In this order: *explicit* (``--config``), ``PUSHCTL_CONFIG``, the nearest ``pushctl.yaml``
    from *cwd* up to the root of the repository it is in, the user's own.  The first two are
    returned whether or not the file exists: naming a file that is missing is an error, not a
    reason to use another.  Outside a repository only *cwd* itself is looked at, so that a
    file in a shared parent folder is never picked up.
    """
    for named in (explicit, environ.get("PUSHCTL_CONFIG")):
        if named:
            return cwd / expand_home(named, home)
    user_config = user_folder(environ, home, "XDG_CONFIG_HOME", ".config") / USER_CONFIG_NAME
    candidates = [folder / CONFIG_NAME for folder in _project_folders(cwd)]
    return next((path for path in (*candidates, user_config) if path.is_file()), None)


def _project_folders(cwd: Path) -> Iterator[Path]:
    """Yield *cwd* and its parents up to the repository root; *cwd* alone if there is none."""
    folders = [cwd, *cwd.parents]
    root = next((folder for folder in folders if (folder / ".git").exists()), cwd)
    for folder in folders:
        yield folder
        if folder == root:
            return


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
