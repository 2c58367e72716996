"""The settings that a command works with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pushctl.cli.environment import split_list
from pushctl.cli.memory import keep_memory_private
from pushctl.config import Settings, load_settings
from pushctl.config.discover import Candidate, chosen_config, config_candidates
from pushctl.config.trust import check_ownership
from pushctl.errors import InvalidInput


def settings_for(config: str | None, allow_endpoint: Sequence[str]) -> Settings:
    """
    Return what the config says that *config* (``--config``) or the surroundings choose.

    Whoever has the settings may open credentials: from here on memory is private.

    :raises InvalidInput: with all its faults, or because it is not to be trusted.
    """
    keep_memory_private()
    chosen = chosen_config(candidates_for(config))
    if chosen is not None and not chosen.source.is_named:
        check_ownership(chosen.path)
    extra = split_list(os.environ.get("PUSHCTL_ALLOW_ENDPOINT", ""))
    return load_settings(
        None if chosen is None else chosen.path,
        environ=os.environ,
        cwd=working_folder(),
        home=home_folder(),
        allow_endpoint=[*allow_endpoint, *extra],
    )


def candidates_for(config: str | None) -> list[Candidate]:
    """Return where this process looks for its config, *config* (``--config``) first."""
    return config_candidates(config, os.environ, working_folder(), home_folder())


def working_folder() -> Path:
    """Return the working directory.  Raises :class:`InvalidInput` if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise InvalidInput(
            "the working directory does not exist any more", hint="change to another one"
        ) from None


def home_folder() -> Path:
    """Return the user's home; the root folder where a container's user has none."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")
