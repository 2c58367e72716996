"""
The journal of a run: JSON lines, each carrying a checksum chained to the line before.

Line kinds (key ``t``):

``start``     run id, schema, and the boot of the machine; one for each process that sends.
``open``      rows ``lo`` to ``hi``, or ``rows``, may be sent from now on; on disk before their
              first byte leaves.
``sent``      these rows are about to be written to a socket; written, not synced, before that.
``unsent``    the service provably did not take these rows up: they may be sent again.
``withdrawn`` these rows will not be sent by this process, whatever ``open`` and ``sent`` said.
``accepted``  a batch of accepted rows of one credential, column by column.
``outcome``   the record of one row that ended otherwise.
``attempt``   a row goes out again: it was answered with something retryable, or (``status`` is
              null) was not answered and may be sent twice.
``end``       the process has nothing more to send, with the totals of the run.

A row in an opened window without an outcome is ``unknown`` after the machine died: what was
written last may be lost then.  After the death of the process alone nothing that was written is
lost, so there a row is ``unknown`` only if it was ``sent``.  A row beyond every window was not
sent.  A row that had ended and is opened again keeps its outcome until it is ``sent``.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pushctl.errors import StorageError
from pushctl.records.record import SCHEMA
from pushctl.rules.text import inert

_RESERVE_BYTES = 1 << 20
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def seal(line: str, chain: int) -> tuple[bytes, int]:
    """
    Return *line* as bytes with its checksum, and the checksum the next line chains to.

    *line* is a JSON object.
    """
    body = line.encode("utf-8", "replace")
    chain = zlib.crc32(body, chain)
    return body[:-1] + b',"crc":"%08x"}\n' % chain, chain


def write_all(descriptor: int, data: bytes, name: str) -> None:
    """Write all of *data*.  Raises :class:`StorageError`: the caller must stop the run."""
    view = memoryview(data)
    while view:
        try:
            written = os.write(descriptor, view)
        except OSError as error:
            raise storage_error("write", name, error) from error
        view = view[written:]


def storage_error(verb: str, name: str, error: OSError) -> StorageError:
    """Return the error to raise when *verb* failed on the file called *name*."""
    return StorageError(
        f"could not {verb} {name}: {error.strerror or error}",
        hint="free space or fix the folder; everything recorded so far is kept and the run"
        " can be resumed",
    )


class Journal:
    """
    The write side of a journal.  One writer, guarded by the lock of the run's folder.

    Lines are collected by the ``add`` methods and reach the file with :meth:`flush`.  After any
    :class:`StorageError` the run must stop: what a journal cannot hold must not be sent.
    """

    def __init__(
        self, path: Path, *, chain: int = 0, wall_clock: Callable[[], float] = time.time
    ) -> None:
        """Open *path* for appending; *chain* is the checksum of the last line already there."""
        self._path = path
        self._chain = chain
        self._lines: list[str] = []
        self.accepted: defaultdict[str, AcceptedRows] = defaultdict(AcceptedRows)
        """What was accepted since the last flush, by credential; a sender adds to it."""
        self._wall_clock = wall_clock
        self._reserve = path.with_suffix(".reserve")
        self._broken: StorageError | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise storage_error("open", str(path), error) from error
        try:
            self._size = os.fstat(self._descriptor).st_size
            with open(self._reserve, "wb", opener=_private) as reserve:
                reserve.write(bytes(_RESERVE_BYTES))
        except OSError as error:
            self.close()
            raise storage_error("write", str(self._reserve), error) from error

    def add_start(self, run: str, boot: str | None) -> None:
        """Note that a process begins to send *run*; *boot* names the machine's boot."""
        self._add({"t": "start", "schema": SCHEMA, "run": run, "boot": boot})

    def add_window(self, rows: Sequence[int]) -> None:
        """Note that *rows* may be sent.  Flush and sync before sending them."""
        self._add({"t": "open", **_span(rows)})

    def add_sent(self, rows: Sequence[int]) -> None:
        """Note that *rows* are about to be written to a socket.  Flush before that."""
        self._add({"t": "sent", **_span(rows)})

    def add_unsent(self, rows: Sequence[int]) -> None:
        """Note that *rows* were provably not processed and may be sent again."""
        self._add({"t": "unsent", **_span(rows)})

    def add_withdrawn(self, rows: Sequence[int]) -> None:
        """Note that *rows* were opened and will not be sent by this process."""
        self._add({"t": "withdrawn", **_span(rows)})

    def add_accepted(
        self,
        credential: str,
        row: int,
        latency_ms: int,
        push_id: str | None,
        unique_id: str | None,
        attempts: int = 1,
    ) -> None:
        """
        Note one accepted row.  *push_id* is ``None`` where it follows from run and row.

        Whoever notes thousands in a second, and has nothing but row and latency to say, adds those
        to :attr:`accepted` without a call.
        """
        batch = self.accepted[credential]
        batch.rows.append(row)
        batch.latencies.append(latency_ms)
        if push_id is not None:
            batch.ids[row] = push_id
        if unique_id is not None:
            batch.unique_ids[row] = unique_id
        if attempts != 1:
            batch.attempts[row] = attempts

    def add_outcome(self, record: str) -> None:
        """Note the record, as JSON, of a row that ended otherwise than accepted."""
        self._lines.append(f'{{"t":"outcome","record":{record}}}')

    def add_attempt(self, row: int, at: float, status: int | None, reason: str | None) -> None:
        """Note that *row* goes out again, and the answer it had; a *status* of ``None``: none."""
        line = {"t": "attempt", "row": row, "at": round(at, 3), "status": status, "reason": reason}
        self._add(line)

    def add_end(self, totals: dict[str, int]) -> None:
        """Note the end of the run (or of this process's share of it)."""
        self._take_accepted()
        self._add({"t": "end", "totals": totals})

    def flush(self) -> None:
        """
        Hand all lines to the operating system.

        Raises :class:`StorageError`: then the file ends after the last line that had room, the
        others are kept, and after :meth:`release_reserve` a second try may succeed.
        """
        if self.accepted:
            self._take_accepted()
        if not self._lines:
            return
        if self._broken is not None:
            raise self._broken
        chain = self._chain
        pieces = []
        for line in self._lines:
            piece, chain = seal(line, chain)
            pieces.append(piece)
        data = b"".join(pieces)
        try:
            write_all(self._descriptor, data, str(self._path))
        except StorageError as error:
            self._keep_whole_lines(pieces, error)
            raise
        self._size += len(data)
        self._chain = chain
        self._lines.clear()

    def _keep_whole_lines(self, pieces: Sequence[bytes], error: StorageError) -> None:
        """After a write of *pieces* that stopped on the way: let the file end with a whole line."""
        try:
            written = os.fstat(self._descriptor).st_size - self._size
            whole = 0
            for piece in pieces:
                if len(piece) > written:
                    break
                written -= len(piece)
                self._size += len(piece)
                whole += 1
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._broken = error  # a torn line must stay the last one
            return
        for line in self._lines[:whole]:
            _, self._chain = seal(line, self._chain)
        del self._lines[:whole]

    def sync(self) -> None:
        """Force what was flushed to the disk.  May block; raises :class:`StorageError`."""
        try:
            _fdatasync(self._descriptor)
        except OSError as error:
            # An error of fsync is never tried again: the kernel may have dropped the pages.
            raise storage_error("sync", str(self._path), error) from error

    def release_reserve(self) -> None:
        """Give back the space kept for a full disk, so that answers in flight can be noted."""
        with contextlib.suppress(OSError):
            self._reserve.unlink()

    def close(self) -> None:
        """Close the file.  Lines that were not flushed are lost."""
        self.release_reserve()
        os.close(self._descriptor)

    def _add(self, line: dict[str, Any]) -> None:
        self._lines.append(_json(line))

    def _take_accepted(self) -> None:
        at = round(self._wall_clock(), 3)
        for credential, batch in self.accepted.items():
            self._lines.append(batch.line(at, credential))
        self.accepted.clear()


class AcceptedRows:
    """Accepted rows of one credential that are not in the file yet, column by column."""

    __slots__ = ("attempts", "ids", "latencies", "rows", "unique_ids")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.latencies: list[int] = []
        """In milliseconds, one for each of the rows."""
        self.ids: dict[int, str] = {}
        self.unique_ids: dict[int, str] = {}
        self.attempts: dict[int, int] = {}

    def line(self, at: float, credential: str) -> str:
        """Return the line of the journal for these rows, flushed *at* seconds of the epoch."""
        head = {"t": "accepted", "at": at, "credential": credential}
        # Python's own spelling of a list of integers is JSON and takes half the time.
        columns = f'"rows":{self.rows},"ms":{self.latencies}'
        rest: dict[str, dict[int, str] | dict[int, int]] = {}
        if self.ids:
            rest["ids"] = self.ids
        if self.unique_ids:
            rest["unique_ids"] = self.unique_ids
        if self.attempts:
            rest["attempts"] = self.attempts
        more = f",{_json(rest)[1:-1]}" if rest else ""
        return f"{_json(head)[:-1]},{columns}{more}}}"


def boot_id() -> str | None:
    """Return what names the machine's present boot; ``None`` where nothing tells."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None


def _json(value: dict[str, Any]) -> str:
    return inert(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _span(rows: Sequence[int]) -> dict[str, Any]:
    """Return *rows*, no two of which are the same, as they stand in a line."""
    low, high = min(rows), max(rows)
    if high - low + 1 == len(rows):
        return {"lo": low, "hi": high}
    return {"rows": list(rows)}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
