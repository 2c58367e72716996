"""Runs one send for the commands that send: settings, order, screen, exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pushctl.cli.watch import Screen, on_usr1
from pushctl.config import Settings, find_config, load_settings
from pushctl.errors import StorageError
from pushctl.job.ending import FailOn, exit_code
from pushctl.job.options import SendOptions, make_order
from pushctl.job.send import send
from pushctl.view.terminal import Terminal

_ASK_FROM = 1000


def settings_for(config: str | None, allow_endpoint: Sequence[str]) -> Settings:
    """Return the settings that the command is to use.  Raises :class:`InvalidInput`."""
    environ, cwd, home = os.environ, Path.cwd(), Path.home()
    path = find_config(config, environ=environ, cwd=cwd, home=home)
    extra = environ.get("PUSHCTL_ALLOW_ENDPOINT", "").split(",")
    allowed = [*allow_endpoint, *(host for host in extra if host)]
    return load_settings(path, environ=environ, cwd=cwd, home=home, allow_endpoint=allowed)


def deliver(
    options: SendOptions,
    terminal: Terminal,
    *,
    output: str,
    progress: str,
    config: str | None,
    allow_endpoint: Sequence[str],
    fail_on: FailOn,
    fail_if_empty: bool,
    yes: bool,
) -> int:
    """Send, show what became of it, and return the exit code."""
    settings = settings_for(config, allow_endpoint)
    stdin = sys.stdin.buffer if "-" in [*options.profile_files, *options.token_files] else None
    if stdin is not None and terminal.in_is_tty:
        terminal.say("reading from the terminal, end with Ctrl-D")
    order = make_order(options, settings, stdin)
    consent = "none recorded" if order.audience is None else order.audience.consent
    screen = Screen(terminal, output, progress=progress, consent=consent)
    on_usr1(screen)
    try:
        ending = send(order, screen, os.environ)
    finally:
        screen.close()
    screen.summary(ending)
    if ending.storage_error is not None:
        terminal.error(StorageError(ending.storage_error))
    return int(exit_code(ending, fail_on=fail_on, fail_if_empty=fail_if_empty))
