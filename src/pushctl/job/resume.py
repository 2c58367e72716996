"""Goes on with a run that ended early: exactly what was not sent, and nothing twice."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pushctl import catalog
from pushctl.audience.prepared import Prepared
from pushctl.config import Settings
from pushctl.dispatch.policy import OnUnknown
from pushctl.dispatch.push import unknown
from pushctl.dispatch.thresholds import StopIf
from pushctl.errors import InvalidInput
from pushctl.job import manifest as manifests
from pushctl.job.binding import Chooser, open_bindings
from pushctl.job.ending import Ending
from pushctl.job.intact import Witness, lost_lines, refuse_damaged_audience
from pushctl.job.messages import Messages
from pushctl.job.recorder import Past, Recorder, open_recorder_files
from pushctl.job.running import Delivery, Running
from pushctl.job.send import Sender, windows
from pushctl.job.survey import survey
from pushctl.job.targets import Row
from pushctl.outcome import Kind, Service
from pushctl.records.bounce_log import BounceLog, CountKey, logged_run
from pushctl.records.folder import RunFolder, find_run, locked
from pushctl.records.identity import push_id, push_id_prefix
from pushctl.records.journal import boot_id, storage_error
from pushctl.records.masking import mask_key
from pushctl.records.record import Record, to_text
from pushctl.records.replay import (
    FAILED,
    KIND_CODES,
    NOT_OPENED,
    OPENED,
    SENT,
    WAITING,
    Replay,
    journal_records,
    replay_of,
)
from pushctl.records.rows import RowSet
from pushctl.records.skim import Skimmed

LoadSettings = Callable[[Path | None], Settings]
_LOGGED_AT_ONCE = 1000
_REJECTED = Kind.REJECTED.value.encode()


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


def mask_key_of(folder: RunFolder) -> bytes | None:
    """
    Return the key that masks what the run in *folder* writes, ``None`` if nothing is masked.

    Raises :class:`InvalidInput` and :class:`StorageError` as reading the key does.
    """
    if not folder.read_manifest().get("mask_tokens"):
        return None
    return mask_key(folder.path.parent.parent)


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
        inputs = int(self.manifest["inputs"])
        self.recorded = _Recorded(inputs)
        self.replay = replay_of(folder, inputs=inputs, tell=self.recorded.note)
        refuse_damaged_audience(folder.path, self.manifest["prepared"])
        self.prepared = Prepared.open(folder.path) if self.manifest["audience"] else None
        self.targets = [(kind, value) for kind, value in self.manifest["targets"]]
        self.bounce_log = Path(self.manifest["bounce_log"])

    def mend_journal(self) -> None:
        """Cut off a torn last line: what is appended must not be glued to it."""
        if self.replay.torn:
            # Not by its path: whatever a link in its place leads to stays as it is.
            try:
                with open(self.folder.journal, "r+b", opener=_no_link) as journal:
                    journal.truncate(self.replay.size)
            except OSError as error:
                raise storage_error("mend", str(self.folder.journal), error) from error


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


class _Left:
    """Answers which rows are sent now."""

    def __init__(self, replay: Replay, uncertain: frozenset[int], again: Again) -> None:
        """*uncertain* are the rows that may have been processed without a note of it."""
        resend = again.on_unknown == "resend"
        codes = {NOT_OPENED, OPENED, WAITING, KIND_CODES[Kind.NOT_SENT]}
        if again.retry_failed:
            codes.add(FAILED)
        if resend:
            codes.add(KIND_CODES[Kind.UNKNOWN])
        # One byte a row, made at C speed: there may be ten million.
        self._left = replay.states.translate(bytes(code in codes for code in range(256)))
        self._left[:1] = b"\0"  # rows count from 1
        for row in uncertain:
            self._left[row] = resend

    def __call__(self, row: int) -> bool:
        """Return whether *row* is sent now; a row that no window had reached is."""
        return row >= len(self._left) or self._left[row] == 1

    @property
    def first(self) -> int:
        """Return the first row that is sent; beyond the last row there may be none."""
        row = self._left.find(1)
        return row if row >= 0 else max(len(self._left), 1)


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
        delivery = manifests.delivery_from_json(past.manifest["delivery"])
        policy = dataclasses.replace(delivery.policy, on_unknown=again.on_unknown)
        # A run that its deadline stopped must not be stopped by it again.
        self._delivery: Delivery = dataclasses.replace(delivery, policy=policy, max_duration_s=None)

    def go(self) -> Ending:
        """Find out what is left, close what is uncertain, send the rest."""
        past = self._past
        chooser = Chooser(self._settings, past.manifest["chosen"])
        kinds = frozenset({"token"} | {kind for kind, _ in past.targets})
        message = manifests.message_from_json(past.manifest["message"])
        messages = Messages(message, target_kinds=kinds)
        found = survey(past.prepared, past.targets, chooser, messages)
        bindings = open_bindings(found.needed, messages, self._environ)
        self._sender.planned(past.folder.run, found, bindings)

        doubtful = self._doubtful()
        uncertain = frozenset(row[0] for row in doubtful)
        left = _Left(past.replay, uncertain, self._again)
        recorder = self._recorder(left, uncertain)
        try:
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
            if self._again.on_unknown == "keep":
                for row in doubtful:
                    self._close(running, recorder, row)
            return asyncio.run(running.go(self._rows(left)))
        finally:
            recorder.close()

    def _doubtful(self) -> list[Row]:
        """Return the rows that may have been processed although no outcome is noted."""
        rows = self._past.replay.uncertain(self._boot)
        if not rows:
            return []
        wanted = set(rows)
        doubtful = []
        for window in self._windows(rows[0]):
            # A row that was decided on our side was opened with the others, but never sent.
            doubtful += [row for row in window if row[0] in wanted and row[11] is None]
            if window[-1][0] >= rows[-1]:
                break
        return doubtful

    def _rows(self, left: _Left) -> Iterator[Sequence[Row]]:
        for window in self._windows(left.first):
            rows = [row for row in window if left(row[0])]
            if rows:
                yield rows

    def _windows(self, first: int) -> Iterator[Sequence[Row]]:
        return windows(self._past.prepared, self._past.targets, after=first - 1)

    def _recorder(self, left: _Left, uncertain: frozenset[int]) -> Recorder:
        """Return a recorder that goes on where the earlier processes stopped."""
        past = self._past
        witness = Witness(past.replay, self._boot, past.manifest["started"])
        inputs = int(past.manifest["inputs"])
        logged = logged_run(past.bounce_log, past.folder.run, inputs, listener=witness)
        testimony = witness.testimony()
        if testimony is not None:
            problem = lost_lines(testimony, past.folder.journal, past.bounce_log)
            raise InvalidInput(problems=[problem])
        journal, log = open_recorder_files(
            past.folder.journal,
            past.bounce_log,
            chain=past.replay.chain,
            max_bytes=past.manifest.get("bounce_log_max_bytes"),
            mask_key=mask_key_of(past.folder),
        )
        try:
            if past.recorded.rejected.without(logged.rows):
                _add_bounces(log, past.folder.journal, logged.rows)
            standing, again = _standing(past, left, uncertain)
            past.recorded = _Recorded(0)  # 50 MB for ten million rows, and the sending comes now
            journal.add_start(past.folder.run, self._boot)
            totals = dict.fromkeys(Kind, 0)
            for (_, kind), number in standing.items():
                totals[kind] += number
            recorder = Recorder(
                journal,
                log,
                run=past.folder.run,
                campaign=past.manifest["campaign"],
                stop_if=StopIf.parse(past.manifest["stop_if"]),
                past=Past(totals, logged.seq, logged.rows, again),
                on_outcome=self._sender.outcome,
                on_record=self._sender.on_record,
            )
            recorder.correct_counts(standing, logged.counts)
            recorder.flush()
        except BaseException:
            journal.close()
            log.close()
            raise
        return recorder

    def _close(self, running: Running, recorder: Recorder, row: Row) -> None:
        """Note that *row* is unknown."""
        run, number = self._past.folder.run, row[0]
        died = unknown("NoAnswer", "the process that sent it ended before an answer was noted")
        outcome = died._replace(
            description=catalog.own("NoAnswer").description,
            id=push_id(push_id_prefix(run), number) if row[3] == Service.APNS else None,
        )
        was_sent = self._past.replay.state(number) == SENT
        recorder.decided(running.address_of(row), outcome, attempts=int(was_sent))


class _Recorded:
    """The records that a journal holds, in so far as a resume needs them: by their rows."""

    def __init__(self, inputs: int) -> None:
        self.pair = array("I", bytes(4 * (inputs + 1)))
        """The number of the pair of each row's last record, from 1; 0: none."""
        self.rejected = RowSet(inputs)
        self._numbers: dict[tuple[CountKey, Kind], int] = {}
        self._skimmed: dict[tuple[bytes, bytes, bytes], int] = {}

    def note(self, record: Record | Skimmed) -> None:
        """Take *record* into account.  Raises :class:`IndexError` for a row that is none."""
        if isinstance(record, Skimmed):
            row, is_rejected = int(record.row), record.outcome == _REJECTED
        else:
            row, is_rejected = record["row"], record["outcome"] == Kind.REJECTED
        self.pair[row] = self._number(record)
        if is_rejected:
            self.rejected.add(row)

    def pairs(self) -> list[tuple[CountKey, Kind]]:
        """Return the pairs of key and kind in the order of their numbers."""
        return list(self._numbers)

    def _number(self, record: Record | Skimmed) -> int:
        if not isinstance(record, Skimmed):
            pair = _key(record), Kind(record["outcome"])
            return self._numbers.setdefault(pair, len(self._numbers) + 1)
        told = record.outcome, record.where, record.time[: len("2026-11-20T10")]
        number = self._skimmed.get(told)
        if number is None:
            number = self._skimmed[told] = self._number(record.record())
        return number


def _add_bounces(log: BounceLog, journal: Path, logged: RowSet) -> None:
    """
    Add to *log* what a crash kept from it: rejections in *journal* of rows that are not *logged*.

    Raises :class:`StorageError`.
    """
    added = 0
    for record in journal_records(journal):
        if record["outcome"] == Kind.REJECTED and record["row"] not in logged:
            logged.add(record["row"])
            log.add_text(to_text(record))
            added += 1
            if added % _LOGGED_AT_ONCE == 0:
                log.flush()


def _standing(
    past: _Past, left: _Left, uncertain: frozenset[int]
) -> tuple[Counter[tuple[CountKey, Kind]], dict[int, tuple[CountKey, Kind]]]:
    """
    Return what stands of what earlier processes noted, and how rows had ended that go out again.
    """
    replay = past.replay
    of_pair = past.recorded.pairs()
    counts: Counter[tuple[CountKey, Kind]] = Counter()
    again: dict[int, tuple[CountKey, Kind]] = {}
    for row, number in enumerate(past.recorded.pair):
        if not number or row in uncertain:
            continue
        pair = of_pair[number - 1]
        if replay.kind(row) is not pair[1]:
            continue  # it was accepted later
        if not left(row):
            counts[pair] += 1
        elif pair[1] is not Kind.NOT_SENT:
            again[row] = pair
    in_doubt = CountKey(None, None, None, None, time.strftime("%Y-%m-%dT%H", time.gmtime()))
    again.update((row, (in_doubt, Kind.UNKNOWN)) for row in uncertain if left(row))
    for (lane, hour), number in replay.accepted.items():
        fields = {"credential": lane, **past.manifest["credentials"].get(lane, {})}
        key = CountKey(
            fields.get("service"),
            fields["credential"],
            fields.get("environment"),
            fields.get("topic"),
            hour,
        )
        counts[key, Kind.ACCEPTED] += number
    return counts, again


def _key(record: Record) -> CountKey:
    return CountKey(
        record["service"],
        record["credential"],
        record["environment"],
        record["topic"],
        str(record["time"])[:13],
    )
