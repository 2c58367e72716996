"""
A disk that fails, and forgets: real files, with what may go wrong put between.

:class:`System` stands in for ``os`` in the rooms that write journals and logs.  There is one for
each process; the files outlive it.
"""

from __future__ import annotations

import errno
import os
import types
from collections.abc import Callable
from pathlib import Path
from random import Random

from simulation.clock import Died

RESERVE_BYTES = 600
"""What a journal keeps in reserve for a full disk."""
_REAL = {name: getattr(os, name) for name in dir(os) if not name.startswith("__")}


class Disk:
    """The folder of a world, and how much of each file survives a power cut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._durable: dict[int, int] = {}

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.folder / "journal.jsonl"

    @property
    def log(self) -> Path:
        """Where the bounce log is."""
        return self.folder / "bounces.jsonl"

    def synced(self, descriptor: int) -> None:
        """What the file holds now survives."""
        stat = os.fstat(descriptor)
        self._durable[stat.st_ino] = stat.st_size

    def lose_power(self, chance: Random) -> None:
        """Cut each file somewhere between what is durable and what was written."""
        for file in sorted(self.folder.glob("*.jsonl*")):
            stat = file.stat()
            durable = min(self._durable.get(stat.st_ino, 0), stat.st_size)
            kept = chance.randint(durable, stat.st_size)
            os.truncate(file, kept)
            self._durable[stat.st_ino] = kept


class System:
    """
    The operating system as one process knows it.

    Each call that has an effect outside goes through :meth:`step`, which may be the last one.
    After that nothing has an effect any more, whatever the process still tries.
    """

    def __init__(
        self,
        disk: Disk,
        chance: Random,
        note: Callable[[str], None],
        *,
        dies_at: int | None = None,
        space: int | None = None,
        bad_sync_at: int | None = None,
    ) -> None:
        """
        *dies_at* is the number of the last step, *bad_sync_at* of the sync that fails.

        *space* is how many bytes may be added before the disk is full.  *note* hears of faults.
        """
        self.disk = disk
        self.alive = True
        self.failed = False
        """An error was given: what the process could not write, it could not write."""
        self._chance = chance
        self._note = note
        self._steps = 0
        self._dies_at = dies_at
        self._space = space
        self._reserved = True
        self._bad_sync_at = bad_sync_at
        self._syncs = 0
        self.os = types.SimpleNamespace(**_REAL)
        self.os.write = self._write
        self.os.fsync = self.os.fdatasync = self._fsync
        self.os.ftruncate = self._ftruncate

    def step(self) -> None:
        """Count a call; die if it is the last one."""
        if self.alive:
            self._steps += 1
            if self._steps == self._dies_at:
                self.alive = False
                raise Died

    def _write(self, descriptor: int, data: bytes) -> int:
        if not self.alive:
            return len(data)
        try:
            self.step()
        except Died:
            os.write(descriptor, data[: self._chance.randint(0, len(data))])
            raise
        if self._space is not None:
            if self._reserved and not self.disk.journal.with_suffix(".reserve").exists():
                self._reserved = False
                self._space += RESERVE_BYTES
            if self._space <= 0:
                self.failed = True
                self._note("disk full")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self._space]
            self._space -= len(data)
        return os.write(descriptor, data)

    def _ftruncate(self, descriptor: int, size: int) -> None:
        if self.alive:
            if self._space is not None:
                self._space += os.fstat(descriptor).st_size - size
            os.ftruncate(descriptor, size)

    def _fsync(self, descriptor: int) -> None:
        if not self.alive:
            return
        try:
            self.step()
        except Died:
            if self._chance.random() < 0.5:  # it was done, and nobody has heard of it
                self.disk.synced(descriptor)
            raise
        self._syncs += 1
        if self._syncs == self._bad_sync_at:
            self.failed = True
            self._note("fsync fails")
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.disk.synced(descriptor)
