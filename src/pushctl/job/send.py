"""Carries out a new send: the run's folder, the audience, a survey, credentials, then the run."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pushctl.audience import Audience, FilePath
from pushctl.audience.prepare import prepare
from pushctl.audience.prepared import Prepared
from pushctl.config import Settings
from pushctl.dispatch.thresholds import StopIf
from pushctl.job.binding import Binding, Chooser, open_bindings
from pushctl.job.ending import Ending
from pushctl.job.intact import audience_marks
from pushctl.job.manifest import manifest, stop_if_text
from pushctl.job.messages import Messages
from pushctl.job.recorder import Recorder, open_recorder_files
from pushctl.job.running import Delivery, Running, Watcher
from pushctl.job.survey import Survey, passed_over, refuse_hopeless, survey
from pushctl.job.targets import Row, target_row
from pushctl.records.bounce_log import BounceLog
from pushctl.records.folder import RunFolder, create_run, locked
from pushctl.records.identity import new_run_id
from pushctl.records.journal import Journal, boot_id

WINDOW = 4096
"""Rows that are opened in the journal at a time."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asked for, checked as far as the command line can."""

    settings: Settings
    audience: Audience | None
    """``None`` where only topics, conditions or channels are the target."""
    messages: Messages
    credentials: Sequence[str] = ()
    targets: Sequence[tuple[str, str]] = ()
    """Topics and conditions of FCM, channels of APNs: (``topic``, value) and so on."""
    files: Sequence[Path] = ()
    """The files that the audience is read from."""
    where: str | None = None
    suppress: Sequence[FilePath] = ()
    stdin: BinaryIO | None = None
    """What ``-`` among *suppress* means."""
    campaign: str | None = None
    run: str | None = None
    bounce_log: Path
    bounce_log_max_bytes: int | None = None
    """What the bounce log may grow to before it is rotated."""
    mask_key: bytes | None = dataclasses.field(default=None, repr=False)
    """Masks tokens in the bounce log; ``None``: they stand there as they are."""
    delivery: Delivery
    stop_if: StopIf | None = None


class Sender(Watcher, Protocol):
    """Who follows a send from its beginning."""

    def planned(self, run: str, found: Survey, bindings: Mapping[str, Binding]) -> None:
        """Everything is checked; the next thing is the first byte.  May raise to call it off."""


def send(order: Order, sender: Sender, environ: Mapping[str, str]) -> Ending:
    """
    Carry out *order* and return how it ended.

    Raises :class:`~pushctl.errors.InvalidInput`, or :class:`~pushctl.errors.StorageError` where
    the run's files or the bounce log cannot be made; nothing was sent then, and no run is left
    behind.
    """
    run = order.run or new_run_id(time.time(), os.urandom(5))
    folder = create_run(order.settings.state_dir, run)
    with locked(folder):
        try:
            plan = make_plan(order, folder, environ)
            sender.planned(run, plan.found, plan.bindings)
            folder.write_manifest(_manifest(order, run, plan))
            journal, log = open_recorder_files(
                folder.journal,
                order.bounce_log,
                max_bytes=order.bounce_log_max_bytes,
                mask_key=order.mask_key,
            )
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        return _carry_out(order, run, journal, log, plan, sender)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """A send that was checked as a whole."""

    prepared: Prepared | None
    found: Survey
    chooser: Chooser
    bindings: Mapping[str, Binding]


def make_plan(order: Order, folder: RunFolder, environ: Mapping[str, str]) -> Plan:
    """
    Prepare the audience in *folder*, choose and open the credentials, judge the message.

    Raises :class:`~pushctl.errors.InvalidInput` with what is wrong.
    """
    chooser = Chooser(order.settings, order.credentials)
    prepared = None
    if order.audience is not None:
        prepared = prepare(
            order.audience,
            folder.path,
            where=order.where,
            suppress=order.suppress,
            stdin=order.stdin,
        )
    found = survey(prepared, order.targets, chooser, order.messages)
    refuse_hopeless(found)
    order.messages.warnings += passed_over(found, order.credentials)
    for need in found.needed.values():
        if need.settings.require_consent and order.audience is not None and not need.to_channel:
            order.audience.require_consent(need.settings.name)
    bindings = open_bindings(found.needed, order.messages, environ)
    return Plan(prepared, found, chooser, bindings)


def windows(
    prepared: Prepared | None, targets: Sequence[tuple[str, str]], *, after: int = 0
) -> Iterator[Sequence[Row]]:
    """Yield the rows after row *after* in windows: the audience, then the other targets."""
    total = 0
    if prepared is not None:
        total = prepared.total
        yield from prepared.batches(WINDOW, after=after)
    rest = itertools.count(total + 1)
    rows = [target_row(next(rest), kind, value) for kind, value in targets]
    rows = [row for row in rows if row[0] > after]
    if rows:
        yield rows


def _carry_out(
    order: Order, run: str, journal: Journal, log: BounceLog, plan: Plan, sender: Sender
) -> Ending:
    journal.add_start(run, boot_id())
    recorder = Recorder(
        journal,
        log,
        run=run,
        campaign=order.campaign,
        stop_if=order.stop_if,
        on_outcome=sender.outcome,
        on_record=sender.on_record,
    )
    running = Running(
        run,
        order.delivery,
        recorder,
        plan.bindings,
        plan.chooser,
        sender,
        sendable=plan.found.sendable,
        inputs=plan.found.inputs,
    )
    try:
        return asyncio.run(running.go(windows(plan.prepared, order.targets)))
    finally:
        recorder.close()


def _manifest(order: Order, run: str, plan: Plan) -> dict[str, Any]:
    audience = order.audience
    return manifest(
        run,
        message=order.messages.message,
        delivery=order.delivery,
        found=plan.found,
        bindings=plan.bindings,
        files=order.files,
        campaign=order.campaign,
        config=None if order.settings.path is None else str(order.settings.path.absolute()),
        audience=None if audience is None else audience.description,
        consent=None if audience is None else audience.consent,
        prepared=audience_marks(plan.prepared),
        targets=[list(target) for target in order.targets],
        chosen=list(order.credentials),
        stop_if=stop_if_text(order.stop_if),
        bounce_log=str(order.bounce_log.absolute()),
        bounce_log_max_bytes=order.bounce_log_max_bytes,
        mask_tokens=order.mask_key is not None,
    )
