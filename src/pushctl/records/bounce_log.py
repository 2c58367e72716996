"""
The bounce log: one line for each rejected token, and counts from which rates can be computed.

Append-only, mode 0600, safe for several writers: whole lines go out in one write on a descriptor
opened for appending, under an advisory lock.  Its lines are derived from a run's journal and are
unique by (run, row): what a crash kept from it is added by the next command on that run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pushctl.errors import InvalidInput, StorageError
from pushctl.outcome import Kind
from pushctl.records.journal import storage_error, write_all
from pushctl.records.record import SCHEMA, Record, to_text


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
        counter[kind.value] += number

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
    """An open bounce log.  Lines are collected by :meth:`add` and written by :meth:`flush`."""

    def __init__(self, path: Path) -> None:
        """Open (or make, 0600) the log at *path*.  Raises :class:`StorageError`."""
        self.path = path
        self._pending: list[str] = []
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise storage_error("open", str(path), error) from error

    def add(self, line: Record) -> None:
        """Collect one line."""
        self._pending.append(to_text(line) + "\n")

    def add_text(self, text: str) -> None:
        """Collect one line that is JSON already."""
        self._pending.append(text + "\n")

    def flush(self) -> None:
        """Append the collected lines.  Raises :class:`StorageError`; they are kept then."""
        if not self._pending:
            return
        data = "".join(self._pending).encode("utf-8", "replace")
        with self._locked():
            size = os.fstat(self._descriptor).st_size
            # A writer that died mid-line leaves no line end; the next must not be glued to it.
            torn = size and os.pread(self._descriptor, 1, size - 1) != b"\n"
            try:
                write_all(self._descriptor, b"\n" + data if torn else data, str(self.path))
            except StorageError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, size)
                raise
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

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out; an error of the file system is a :class:`StorageError`."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            raise storage_error("write", str(self.path), error) from error


@dataclasses.dataclass(slots=True)
class Logged:
    """What a bounce log holds of one run."""

    rows: set[int] = dataclasses.field(default_factory=set)
    """Rows with a "Bounced push" line."""
    counts: Counter[tuple[CountKey, Kind]] = dataclasses.field(default_factory=Counter)
    """The sums of its "Push counts"."""
    seq: int = 0
    finished: bool = False


def logged_run(path: Path, run: str) -> Logged:
    """
    Return what the log at *path* holds of *run*.  Lines that are no JSON are passed over.

    Raises :class:`InvalidInput` where the log cannot be read.
    """
    logged = Logged()
    needle = json.dumps(run).encode()
    try:
        with path.open("rb") as stream:
            for raw in stream:
                line = _parsed(raw) if needle in raw else None
                if line is not None and line.get("run") == run:
                    _note(logged, line)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    return logged


def _note(logged: Logged, line: dict[str, Any]) -> None:
    match line.get("event"):
        case "Bounced push":
            logged.rows.add(int(line["row"]))
        case "Push counts":
            logged.seq = max(logged.seq, int(line["seq"]))
            key = CountKey(*(line[name] for name in CountKey._fields))
            for kind in Kind:
                logged.counts[key, kind] += int(line[kind.value])
        case "Run finished":
            logged.finished = True
        case _:
            pass


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
