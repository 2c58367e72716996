"""A run whose files are damaged on purpose, and what a resume would make of them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from job.stage import Stage
from pushctl.errors import InvalidInput
from pushctl.job.intact import Witness
from pushctl.job.resume import Again, _Left
from pushctl.records.bounce_log import logged_run
from pushctl.records.folder import RunFolder
from pushctl.records.journal import boot_id
from pushctl.records.replay import Replay, lines, replay_journal

PATTERNS = (1, 16, 128, 255)
"""What a byte is combined with by exclusive or: single bits, and all of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """The files of a run as they were."""

    stage: Stage
    files: dict[Path, bytes]

    @classmethod
    def of(cls, stage: Stage) -> Kept:
        """Keep what the run of *stage* left behind."""
        paths = (*stage.journal.parent.iterdir(), stage.folder / "bounces.jsonl")
        return cls(stage, {path: path.read_bytes() for path in paths})

    def restore(self) -> None:
        """Put every file back as it was."""
        for path in self.stage.journal.parent.iterdir():
            if path not in self.files:
                path.unlink()
        for path, data in self.files.items():
            path.write_bytes(data)

    @contextlib.contextmanager
    def damaged(self, path: Path, data: bytes) -> Iterator[None]:
        """While entered, *path* holds *data*; then all is as it was."""
        path.write_bytes(data)
        try:
            yield
        finally:
            self.restore()


@contextlib.contextmanager
def flipped(path: Path, position: int, pattern: int) -> Iterator[None]:
    """While entered, the byte of *path* at *position* is changed by *pattern*."""
    # In place: to write a file anew takes as long as to read it a hundred times.
    with path.open("r+b", buffering=0) as file:
        (byte,) = os.pread(file.fileno(), 1, position)
        os.pwrite(file.fileno(), bytes([byte ^ pattern]), position)
        try:
            yield
        finally:
            os.pwrite(file.fileno(), bytes([byte]), position)


def line_of(data: bytes, position: int) -> int:
    """Return the line, from 1, in which *position* lies."""
    return data.count(b"\n", 0, position) + 1


def planned(journal: Path, rows: int, *, boot: str | None = None) -> list[int]:
    """Return which of *rows* rows a resume sends, going by *journal* alone; may raise."""
    replay = replay_journal(journal) if journal.exists() else Replay()
    left = _Left(replay, frozenset(replay.uncertain(boot or boot_id())), Again())
    return [row for row in range(1, rows + 1) if left(row)]


def evidence(stage: Stage, boot: str | None = None) -> str | None:
    """Return what the bounce log of *stage* knows and its journal does not."""
    folder = RunFolder("r1", stage.journal.parent)
    replay = replay_journal(stage.journal) if stage.journal.exists() else Replay()
    witness = Witness(replay, boot or boot_id(), folder.read_manifest()["started"])
    logged_run(stage.folder / "bounces.jsonl", "r1", 99, listener=witness)
    return witness.testimony()


def refusal(journal: Path) -> tuple[str, int | None] | None:
    """Return file and line with which *journal* is refused; ``None``: it is read."""
    try:
        replay_journal(journal)
    except InvalidInput as error:
        place = error.problems[0].place
        assert place is not None
        return place.file, place.line
    return None


def journal_lines(journal: Path) -> list[dict[str, Any]]:
    """Return the whole lines of *journal*."""
    return list(lines(journal, Replay()))


def rows_sent(noted: list[dict[str, Any]]) -> set[int]:
    """Return the rows that the journal lines *noted* say were written to a socket."""
    rows: set[int] = set()
    for line in noted:
        if line["t"] == "sent":
            rows.update(line.get("rows") or range(line["lo"], line["hi"] + 1))
    return rows
