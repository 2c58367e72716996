"""
The bounce log: one line for each rejected token, and counts from which rates can be computed.

Append-only, mode 0600, safe for several writers: whole lines go out in one write on a descriptor
opened for appending, under an advisory lock.  Any of its writers may rotate it.  Its lines are
derived from a run's journal and are unique by (run, row): what a crash kept from it is added by
the next command on that run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pushctl.audience.content import open_growing
from pushctl.errors import InvalidInput, StorageError
from pushctl.outcome import Kind
from pushctl.records.journal import storage_error, write_all
from pushctl.records.masking import masked
from pushctl.records.ownership import refuse_foreign_log
from pushctl.records.record import SCHEMA, Record, to_text
from pushctl.records.rotation import rotate, rotated
from pushctl.records.rows import RowSet
from pushctl.records.skim import Skimmed, skim


class CountKey(NamedTuple):
    """What "Push counts" are kept apart by.  ``hour`` is like ``2026-11-20T10``, UTC."""

    service: str | None
    credential: str | None
    environment: str | None
    topic: str | None
    hour: str


class Counts:
    """Outcomes that happened since the last "Push counts" line, by key."""

    def __init__(self, seq: int = 0) -> None:
        """*seq* is the last number that the run's lines in the log have."""
        self._since: dict[CountKey, Counter[str]] = {}
        self.seq = seq

    def add(self, key: CountKey, kind: Kind, number: int = 1) -> None:
        """Count *number* outcomes of *kind*."""
        counter = self._since.get(key)
        if counter is None:
            counter = self._since[key] = Counter()
        counter[kind._value_] += number

    def take_lines(self, run: str, campaign: str | None) -> list[Record]:
        """Return a "Push counts" line for each key that changed, and start again from zero."""
        taken = []
        for key, counter in self._since.items():
            self.seq += 1
            taken.append(
                {
                    "schema": SCHEMA,
                    "event": "Push counts",
                    "run": run,
                    "campaign": campaign,
                    **key._asdict(),
                    "seq": self.seq,
                    **{kind.value: counter[kind.value] for kind in Kind},
                }
            )
        self._since.clear()
        return taken


def finished_line(run: str, campaign: str | None, time: str, totals: dict[str, int]) -> Record:
    """Return the "Run finished" line."""
    return {
        "schema": SCHEMA,
        "event": "Run finished",
        "run": run,
        "campaign": campaign,
        "time": time,
        "totals": totals,
    }


class BounceLog:
    """
    An open bounce log.  Lines are collected by :meth:`add` and written by :meth:`flush`.

    Where the path leads elsewhere meanwhile, because somebody rotated the log or deleted it, the
    lines go to the file that is there now.
    """

    def __init__(
        self, path: Path, *, max_bytes: int | None = None, mask_key: bytes | None = None
    ) -> None:
        """
        Open (or make, 0600) the log at *path*.

        Raises :class:`StorageError`, and :class:`InvalidInput` where another user put it there.
        A log that would grow beyond *max_bytes* is rotated first; with a *mask_key* tokens are
        masked.
        """
        self.path = path
        self._max_bytes = max_bytes
        self._mask_key = mask_key
        self._pending: list[str] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("make", str(path.parent), error) from error
        refuse_foreign_log(path)
        self._descriptor = self._open()

    def add(self, line: Record) -> None:
        """Collect one line."""
        if self._mask_key is not None:
            line = masked(line, self._mask_key)
        self._pending.append(to_text(line) + "\n")

    def add_text(self, text: str) -> None:
        """Collect one line that is JSON already."""
        if self._mask_key is not None:
            text = to_text(masked(json.loads(text), self._mask_key))
        self._pending.append(text + "\n")

    def flush(self) -> None:
        """Append the collected lines.  Raises :class:`StorageError`; they are kept then."""
        if not self._pending:
            return
        data = "".join(self._pending).encode("utf-8", "replace")
        self._lock()
        try:
            self._rotate_before(len(data))
            self._append(data)
        except OSError as error:
            raise storage_error("write", str(self.path), error) from error
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._pending.clear()

    def sync(self) -> None:
        """Force the log to the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise storage_error("sync", str(self.path), error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self.path, flags, 0o600)
        except OSError as error:
            raise storage_error("open", str(self.path), error) from error

    def _append(self, data: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        # A writer that died mid-line leaves no line end; the next must not be glued to it.
        torn = size and os.pread(self._descriptor, 1, size - 1) != b"\n"
        try:
            write_all(self._descriptor, b"\n" + data if torn else data, str(self.path))
        except StorageError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise

    def _rotate_before(self, more: int) -> None:
        """Begin a new file if this one, which is locked, has no room for *more* bytes."""
        found = os.fstat(self._descriptor)
        if not found.st_size or not stat.S_ISREG(found.st_mode):
            return
        if self._max_bytes is None or found.st_size + more <= self._max_bytes:
            return
        os.fsync(self._descriptor)  # the last sync of a run reaches only the file that is open then
        rotate(self.path)
        self._lock()

    def _lock(self) -> None:
        """
        Lock the file that the path leads to, so that nobody else writes to it or rotates it.

        Who has waited for the lock may hold a file that was rotated away meanwhile.  Raises
        :class:`StorageError`.
        """
        try:
            while True:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                if self._is_current():
                    return
                refuse_foreign_log(self.path)
                fresh = self._open()
                os.close(self._descriptor)  # which gives its lock back
                self._descriptor = fresh
        except OSError as error:
            raise storage_error("write", str(self.path), error) from error
        except InvalidInput as error:  # in the middle of a run, which can be resumed
            raise StorageError(problems=error.problems) from None

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


@dataclasses.dataclass(slots=True)
class Logged:
    """What a bounce log holds of one run."""

    rows: RowSet
    """Rows with a "Bounced push" line."""
    counts: Counter[tuple[CountKey, Kind]] = dataclasses.field(default_factory=Counter)
    """The sums of its "Push counts"."""
    seq: int = 0
    finished: bool = False


_BOUNCED = b'"Bounced push"'


class RunListener(Protocol):
    """Is told what a log holds of a run."""

    def bounced(self, row: int, time: object) -> None:
        """*row* has a "Bounced push" line; its *time* is whatever stands there."""

    def counted(self, hour: object, accepted: object) -> None:
        """A "Push counts" line has these."""


Hear = Callable[[Path, int, dict[str, Any]], None]
"""Is told file, number and content of a line."""


def logged_run(
    path: Path,
    run: str,
    inputs: int,
    *,
    listener: RunListener | None = None,
    hear: Hear | None = None,
) -> Logged:
    """
    Return what the log at *path* and its rotated files hold of *run*, which has *inputs* rows.

    *hear* is told every line, and makes it slower: then each is parsed.

    Lines that are no JSON, and values that are none of ours, are passed over: what is missing is
    added by a resume.  Raises :class:`InvalidInput` where a file cannot be read.
    """
    logged = Logged(RowSet(inputs))
    needle = json.dumps(run).encode()
    for file in (*rotated(path), path):
        if file == path and not path.exists():
            continue
        with open_growing(file) as stream:
            for number, raw in enumerate(stream, start=1):
                if needle not in raw:
                    continue
                skimmed = skim(raw) if hear is None else None
                if skimmed is not None:
                    _note_skimmed(logged, skimmed, run, listener)
                    continue
                line = _parsed(raw)
                if line is not None and line.get("run") == run:
                    _note(logged, line, listener)
                    if hear is not None:
                        hear(file, number, line)
    return logged


def _note_skimmed(logged: Logged, line: Skimmed, run: str, listener: RunListener | None) -> None:
    if line.event == _BOUNCED and line.run == run.encode():
        row = int(line.row)
        logged.rows.add(row)
        if listener is not None:
            listener.bounced(row, line.time.decode("ascii"))


def _note(logged: Logged, line: dict[str, Any], listener: RunListener | None) -> None:
    match line:
        case {"event": "Bounced push", "row": int(row)}:
            logged.rows.add(row)
            if listener is not None:
                listener.bounced(row, line.get("time"))
        case {"event": "Push counts", "seq": int(seq)}:
            logged.seq = max(logged.seq, seq)
            names = [line.get(name) for name in CountKey._fields]
            numbers = [line.get(kind.value) for kind in Kind]
            if all(isinstance(name, str | None) for name in names) and all(
                isinstance(number, int) for number in numbers
            ):
                key = CountKey(*names)  # type: ignore[arg-type]  # as was just checked
                for kind, number in zip(Kind, numbers, strict=True):
                    logged.counts[key, kind] += number  # type: ignore[operator]
        case {"event": "Run finished"}:
            logged.finished = True
        case _:
            pass
    if listener is not None and line.get("event") == "Push counts":
        listener.counted(line.get("hour"), line.get(Kind.ACCEPTED.value))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
