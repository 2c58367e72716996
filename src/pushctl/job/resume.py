"""Goes on with a run that ended early: exactly what was not sent, and nothing twice."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pushctl.audience.prepared import Prepared
from pushctl.config import Settings
from pushctl.dispatch.policy import OnUnknown
from pushctl.dispatch.push import unknown
from pushctl.dispatch.thresholds import StopIf
from pushctl.errors import InvalidInput
from pushctl.job import manifest as manifests
from pushctl.job.binding import Binding, Chooser, open_bindings
from pushctl.job.ending import Ending
from pushctl.job.messages import Messages
from pushctl.job.outgoing import Row
from pushctl.job.recorder import Past, Recorder
from pushctl.job.running import Delivery, Running
from pushctl.job.send import Sender, windows
from pushctl.job.survey import survey
from pushctl.outcome import Kind
from pushctl.records.bounce_log import BounceLog, CountKey, Logged, logged_run
from pushctl.records.folder import RunFolder, find_run, locked
from pushctl.records.journal import Journal, boot_id
from pushctl.records.record import Record
from pushctl.records.replay import (
    NOT_OPENED,
    OPENED,
    WAITING,
    Replay,
    journal_records,
    replay_journal,
)

LoadSettings = Callable[[Path | None], Settings]


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """What is sent again beside what was not sent."""

    retry_failed: bool = False
    """Also what was rejected with an answer that allows another try."""
    on_unknown: OnUnknown = "keep"


def resume(
    state_dir: Path,
    run: str,
    again: Again,
    sender: Sender,
    load_settings: LoadSettings,
    environ: Mapping[str, str],
) -> Ending:
    """
    Go on with *run* and return how it ended, counted over the whole run.

    Never sent again: what was accepted, what was rejected for good, and what is ``unknown``
    (unless *again* says so).  Raises :class:`InvalidInput` where another process works on the
    run, the input has changed, or the run's folder is damaged.
    """
    folder = find_run(state_dir, run)
    with locked(folder):
        past = _Past(folder)
        manifests.refuse_changed(past.manifest["files"])
        past.mend_journal()
        return _Resuming(past, again, sender, load_settings, environ).go()


class _Past:
    """What the folder of a run holds."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.manifest = folder.read_manifest()
        if self.manifest.get("schema") != manifests.SCHEMA:
            raise InvalidInput(
                f"run {folder.run} was made by another version of pushctl",
                hint=f"use pushctl {self.manifest.get('pushctl')}",
            )
        self.replay = replay_journal(folder.journal) if folder.journal.exists() else Replay()
        self.prepared = Prepared.open(folder.path) if self.manifest["audience"] else None
        self.targets = [(kind, value) for kind, value in self.manifest["targets"]]
        self.bounce_log = Path(self.manifest["bounce_log"])

    def mend_journal(self) -> None:
        """Cut off a torn last line: what is appended must not be glued to it."""
        if self.replay.torn:
            os.truncate(self.folder.journal, self.replay.size)


class _Resuming:
    def __init__(
        self,
        past: _Past,
        again: Again,
        sender: Sender,
        load_settings: LoadSettings,
        environ: Mapping[str, str],
    ) -> None:
        self._past = past
        self._again = again
        self._sender = sender
        self._environ = environ
        self._boot = boot_id()
        config = past.manifest["config"]
        self._settings = load_settings(None if config is None else Path(config))
        self._delivery: Delivery = dataclasses.replace(
            manifests.delivery_from_json(past.manifest["delivery"])
        )
        if again.on_unknown != self._delivery.policy.on_unknown:
            policy = dataclasses.replace(self._delivery.policy, on_unknown=again.on_unknown)
            self._delivery = dataclasses.replace(self._delivery, policy=policy)

    def go(self) -> Ending:
        """Find out what is left, close what is uncertain, send the rest."""
        past, replay = self._past, self._past.replay
        chooser = Chooser(self._settings, past.manifest["chosen"])
        kinds = frozenset({"token"} | {kind for kind, _ in past.targets})
        message = manifests.message_from_json(past.manifest["message"])
        messages = Messages(message, target_kinds=kinds)
        found = survey(past.prepared, past.targets, chooser, messages)
        bindings = open_bindings(list(found.needed.values()), messages, self._environ)
        self._sender.planned(past.folder.run, found, bindings)

        uncertain = set(replay.uncertain(self._boot))
        left = self._left(uncertain)
        logged = logged_run(past.bounce_log, past.folder.run)
        recorder = self._recorder(left, uncertain, logged, bindings)
        running = Running(
            past.folder.run,
            self._delivery,
            recorder,
            bindings,
            chooser,
            self._sender,
            sendable=found.sendable,
            inputs=found.inputs,
        )
        try:
            if self._again.on_unknown == "keep" and uncertain:
                self._close_uncertain(running, recorder, uncertain)
            return asyncio.run(running.go(self._rows(left)))
        finally:
            recorder.close()

    def _left(self, uncertain: set[int]) -> Callable[[int], bool]:
        """Return whether a row is to be sent now."""
        replay, again = self._past.replay, self._again
        resend = again.on_unknown == "resend"
        failed: set[int] = replay.failed if again.retry_failed else set()

        def is_left(row: int) -> bool:
            state = replay.state(row)
            if state in (NOT_OPENED, WAITING):
                return True
            if row in uncertain:
                return resend
            if state == OPENED:  # and not uncertain: it was provably not written
                return True
            kind = replay.kind(row)
            return kind is Kind.NOT_SENT or row in failed or (resend and kind is Kind.UNKNOWN)

        return is_left

    def _rows(self, left: Callable[[int], bool]) -> Iterator[Sequence[Row]]:
        past = self._past
        for window in windows(past.prepared, past.targets):
            rows = [row for row in window if left(row[0])]
            if rows:
                yield rows

    def _recorder(
        self,
        left: Callable[[int], bool],
        uncertain: set[int],
        logged: Logged,
        bindings: Mapping[str, Binding],
    ) -> Recorder:
        """Return a recorder that goes on where the earlier processes stopped."""
        past = self._past
        log = BounceLog(past.bounce_log)
        journal = Journal(past.folder.journal, chain=past.replay.chain)
        journal.add_start(past.folder.run, self._boot)
        standing = _Standing(past, bindings, left)
        for record in standing.bounces:
            if record["row"] not in logged.rows:
                logged.rows.add(record["row"])
                log.add(record)
        recorder = Recorder(
            journal,
            log,
            run=past.folder.run,
            campaign=past.manifest["campaign"],
            stop_if=StopIf.parse(past.manifest["stop_if"]),
            past=Past(standing.totals(), logged.seq, logged.rows),
            on_outcome=self._sender.outcome,
            on_record=self._sender.on_record,
        )
        recorder.correct_counts(standing.counts, logged.counts)
        recorder.flush()
        return recorder

    def _close_uncertain(self, running: Running, recorder: Recorder, uncertain: set[int]) -> None:
        outcome = unknown("NoAnswer", "the process that sent it ended before an answer was noted")
        past = self._past
        for window in windows(past.prepared, past.targets):
            for row in window:
                if row[0] in uncertain:
                    recorder.decided(running.address_of(row), outcome)


class _Standing:
    """What earlier processes found out and what stands of it: rows that go out again do not."""

    def __init__(
        self, past: _Past, bindings: Mapping[str, Binding], left: Callable[[int], bool]
    ) -> None:
        self.counts: Counter[tuple[CountKey, Kind]] = Counter()
        self.bounces: list[Record] = []
        last: dict[int, Record] = {}
        for record in journal_records(past.folder.journal) if past.folder.journal.exists() else ():
            last[record["row"]] = record
        for record in last.values():
            kind = Kind(record["outcome"])
            if kind is Kind.REJECTED:
                self.bounces.append(record)
            if not left(record["row"]) and past.replay.kind(record["row"]) is kind:
                self.counts[_key(record), kind] += 1
        for (credential, hour), number in past.replay.accepted.items():
            fields = past.manifest["credentials"].get(credential, {})
            key = CountKey(
                fields.get("service"),
                credential,
                fields.get("environment"),
                fields.get("topic"),
                hour,
            )
            self.counts[key, Kind.ACCEPTED] += number

    def totals(self) -> dict[Kind, int]:
        """Return how many rows stand, by kind."""
        totals = dict.fromkeys(Kind, 0)
        for (_, kind), number in self.counts.items():
            totals[kind] += number
        return totals


def _key(record: Record) -> CountKey:
    return CountKey(
        record["service"],
        record["credential"],
        record["environment"],
        record["topic"],
        str(record["time"])[:13],
    )
