"""Runs one send for the commands that send: settings, order, screen, exit code."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pushctl.cli.common import announce_stdin
from pushctl.cli.confirm import confirm
from pushctl.cli.settings import settings_for
from pushctl.cli.watch import Screen, on_usr1
from pushctl.config import Settings
from pushctl.errors import ExitCode, StorageError, UsageError
from pushctl.job.ending import Ending, FailOn, exit_code
from pushctl.job.options import SendOptions, make_order
from pushctl.job.rehearse import rehearse
from pushctl.job.resume import Again, mask_key_of, resume
from pushctl.job.send import Order, send
from pushctl.records.folder import find_run
from pushctl.records.masking import borrowed_mask_key
from pushctl.view.rehearsal import masked_sample, show_rehearsal
from pushctl.view.terminal import Terminal


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
    count: int | None = None,
    dry_run: bool = False,
) -> int:
    """Send, show what became of it, and return the exit code."""
    settings = settings_for(config, allow_endpoint)
    from_stdin = [*options.profile_files, *options.token_files, *options.suppress]
    stdin = sys.stdin.buffer if "-" in from_stdin else None
    announce_stdin(from_stdin, terminal)
    if dry_run:  # which leaves nothing behind, no key either
        key = borrowed_mask_key(settings.state_dir) if options.mask_tokens else None
        options = dataclasses.replace(options, mask_tokens=False)
        order = make_order(options, settings, stdin, time.time())
        return _rehearse(order, terminal, output, fail_on, key)
    order = make_order(options, settings, stdin, time.time())
    consent = "none recorded" if order.audience is None else order.audience.consent
    screen = Screen(
        terminal,
        output,
        progress=progress,
        consent=consent,
        warnings=order.messages.warnings,
        allow=lambda found, bindings: confirm(terminal, found, bindings, yes=yes, count=count),
        mask_key=order.mask_key,
    )
    on_usr1(screen)
    try:
        ending = send(order, screen, os.environ)
    finally:
        screen.close()
    return _finish(ending, screen, terminal, fail_on=fail_on, fail_if_empty=fail_if_empty)


def go_on(
    run: str,
    again: Again,
    terminal: Terminal,
    *,
    output: str,
    progress: str,
    config: str | None,
    fail_on: FailOn,
) -> int:
    """Resume *run*, show what became of it, and return the exit code."""
    folder = find_run(settings_for(config, ()).state_dir, run)
    screen = Screen(
        terminal,
        output,
        progress=progress,
        consent="as when the run began",
        mask_key=mask_key_of(folder),
    )
    on_usr1(screen)

    def settings_of_run(path: Path | None) -> Settings:
        chosen = config if config is not None or path is None else str(path)
        return settings_for(chosen, ())

    try:
        ending = resume(
            settings_for(config, ()).state_dir, run, again, screen, settings_of_run, os.environ
        )
    finally:
        screen.close()
    return _finish(ending, screen, terminal, fail_on=fail_on, fail_if_empty=False)


def _finish(
    ending: Ending, screen: Screen, terminal: Terminal, *, fail_on: FailOn, fail_if_empty: bool
) -> int:
    screen.summary(ending)
    if ending.storage_error is not None:
        terminal.error(StorageError(ending.storage_error))
    return int(exit_code(ending, fail_on=fail_on, fail_if_empty=fail_if_empty))


def _rehearse(
    order: Order, terminal: Terminal, output: str, fail_on: FailOn, mask_key: bytes | None
) -> int:
    found = rehearse(order, os.environ)
    document = found.document()
    if mask_key is not None:
        document["samples"] = [masked_sample(each, mask_key) for each in document["samples"]]
    for warning in order.messages.warnings:
        terminal.warn(warning.message, hint=warning.hint)
    if output == "table":
        show_rehearsal(document, terminal)
    elif output == "json":
        terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        raise UsageError(f"a dry run has no -o {output}", hint="it knows: table, json")
    if found.ending is None:
        return int(ExitCode.OK)
    return int(exit_code(found.ending, fail_on=fail_on, fail_if_empty=False))
