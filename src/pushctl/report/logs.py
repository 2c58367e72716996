"""
Bounce logs as tables in DuckDB: every line once, in little memory, and nothing else in reach.

Lines are read by DuckDB's own JSON reader, which passes over what is no JSON.  Which lines those
are is found out afterwards, and only where there are some.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pushctl.audience.engine import Engine, literal, private_files
from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.outcome import Kind
from pushctl.records.record import FIELDS, SCHEMA
from pushctl.report.files import LogFile
from pushctl.report.notes import Expected, notes_on
from pushctl.report.values import Note

MEMORY_LIMIT = "450MB"
"""What DuckDB may hold; the process as a whole stays well under 1 GB, the rest goes to disk."""

_THREADS_MAX = 8
_LONGEST_LINE_BYTES = 2**20
_UNFOLDS = 12
"""How many times larger than its file the content of a packed log is taken to be."""

_NUMBERS = ("schema", "row", "status", "attempts", "latency_ms")
_OF_COUNTS = ("hour", "seq", *(kind.value for kind in Kind))

COLUMNS = {
    **{name: "BIGINT" if name in _NUMBERS else "VARCHAR" for name in FIELDS},
    **{name: "VARCHAR" if name == "hour" else "BIGINT" for name in _OF_COUNTS},
    "totals": "JSON",
}
"""The columns of ``lines`` with their types: the fields of an outcome record, then those of
"Push counts", then ``totals`` of "Run finished"; NULL where a line has none."""

RELATIONS = {
    "bounces": "event = 'Bounced push' AND run IS NOT NULL AND row IS NOT NULL"
    " AND time IS NOT NULL",
    "counts": "event = 'Push counts' AND run IS NOT NULL AND seq IS NOT NULL AND hour IS NOT NULL",
    "finished": "event = 'Run finished' AND run IS NOT NULL",
}
"""What of ``lines`` each table holds."""

_OTHER_RECORDS = (
    "(event IS NULL OR event = 'Received push') AND outcome IS NOT NULL AND run IS NOT NULL"
    " AND row IS NOT NULL"
)
"""What ``send -o jsonl`` writes beside bounces: no line of a log, and not odd in one either."""

_UNIQUE = {"bounces": "run, row", "counts": "run, seq"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at every line found."""

    lines: int
    """All that are not blank."""
    strange: int
    """Torn or foreign ones."""
    newer: int
    """Those of a schema that is newer than this program."""
    repeats: int
    """Bounces that stand there more often than once, each time but the first."""


class Logs:
    """
    Open logs.  Made by :func:`open_logs`.

    There are the tables ``lines`` (every line that is JSON, with :data:`COLUMNS`), ``bounces``
    ("Bounced push", each run and row once), ``counts`` ("Push counts", each run and seq once;
    numbers may be negative, they are to be added up) and ``finished`` ("Run finished").
    """

    def __init__(
        self,
        engine: Engine,
        files: Sequence[tuple[LogFile, Path]],
        others: Sequence[Path] = (),
    ) -> None:
        self.files = tuple(log for log, _ in files)
        self.others = tuple(others)
        self.engine = engine
        self._placed = files
        self._survey: Survey | None = None

    @property
    def size(self) -> int:
        """How many bytes the lines may take, unpacked."""
        return sum(
            path.stat().st_size * (_UNFOLDS if log.packing else 1) for log, path in self._placed
        )

    def stream(
        self, sql: str, values: Sequence[object] = (), *, size: int = 2048
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of the answer to *sql*, *size* at a time, in constant memory."""
        return self.engine.stream(sql, values, size=size)

    def all(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return every row of the answer to *sql*."""
        return self.engine.all(sql, values)

    def one(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
        """Return the only row of the answer to *sql*."""
        return self.engine.one(sql, values)

    def survey(self) -> Survey:
        """Return what is odd about the lines; it takes reading all of them, the first time."""
        if self._survey is None:
            self._survey = Survey(*self.engine.one(_SURVEY))
        return self._survey

    def notes(self, expected: Expected | None = None) -> tuple[Note, ...]:
        """
        Return the remarks on torn, foreign and newer lines, with the places of the first.

        Who knows how many are *expected* saves a look at every line.
        """
        if expected is None:
            found = self.survey()
            expected = Expected(found.strange, found.newer)
        return notes_on(self._placed, expected)

    def make_tables(self, *, unique: bool) -> None:
        """Make ``bounces``, ``counts`` and ``finished``; *unique* where lines may repeat."""
        for name, condition in RELATIONS.items():
            key = _UNIQUE.get(name)
            once = f" QUALIFY row_number() OVER (PARTITION BY {key}) = 1"
            self.engine.run(
                f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM lines WHERE {condition}"
                + (once if key and (unique or name == "counts") else "")
            )


KNOWN = " OR ".join(f"({each})" for each in (*RELATIONS.values(), _OTHER_RECORDS))
"""The condition of a line that this program wrote, or one of the same schema."""
_NEWER = f"schema IS NOT NULL AND schema > {SCHEMA}"
_SURVEY = f"""
SELECT
    count(*),
    count(*) FILTER (NOT coalesce({_NEWER} OR {KNOWN}, false)),
    count(*) FILTER ({_NEWER}),
    count(*) FILTER ({RELATIONS["bounces"]})
        - count(DISTINCT hash(run, row)) FILTER ({RELATIONS["bounces"]})
FROM lines
"""


@contextlib.contextmanager
def open_logs(
    files: Sequence[LogFile],
    *,
    stdin: BinaryIO | None = None,
    unique: bool = True,
    others: Sequence[LogFile] = (),
    in_reach: Sequence[Path] = (),
) -> Iterator[Logs]:
    """
    Open *files* (see :func:`~pushctl.report.files.find_logs`) for questions in SQL.

    With *unique*, a bounce that stands in them twice counts once, which takes a look at every
    line first; without, ``bounces`` is the quicker for it and may repeat a run and row.  DuckDB
    can reach these files, *others* (their places are in :attr:`Logs.others`), what is *in_reach*,
    and a folder of its own, 0700, for what does not fit in memory.  Raises
    :class:`~pushctl.errors.InvalidInput` where a file cannot be read.
    """
    with _own_folder() as folder, private_files():
        everything = [
            (file, _placed(file, index, folder, stdin))
            for index, file in enumerate((*files, *others))
        ]
        paths, further = everything[: len(files)], everything[len(files) :]
        spill = folder / "spill"
        spill.mkdir(mode=0o700)
        threads = min(os.cpu_count() or 1, _THREADS_MAX)
        with Engine(
            memory_limit=MEMORY_LIMIT,
            folder=folder,
            spill=spill,
            # A link reaches only what is allowed itself.
            files=[*(path for _, path in everything), *in_reach],
            threads=threads,
            task="read the log",
        ) as engine:
            logs = Logs(engine, paths, [path for _, path in further])
            engine.run(lines_view([str(path) for _, path in paths]))
            logs.make_tables(unique=unique and logs.survey().repeats > 0)
            yield logs


def lines_view(paths: Sequence[str]) -> str:
    """Return the statement that makes ``lines`` of the logs at *paths*, patterns to DuckDB."""
    listed = ", ".join(literal(path) for path in paths)
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in COLUMNS.items())
    return f"""CREATE VIEW lines AS
FROM read_json([{listed}], format = 'newline_delimited', ignore_errors = true,
  maximum_object_size = {_LONGEST_LINE_BYTES}, columns = {{{typed}}})"""


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="pushctl-")).resolve()
    except OSError as error:
        raise StorageError(f"cannot make a temporary folder: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _placed(log: LogFile, index: int, folder: Path, stdin: BinaryIO | None) -> Path:
    """Return a path of *log* that no program takes for a pattern or an address."""
    place = folder / f"{index}.jsonl{f'.{log.packing}' if log.packing else ''}"
    try:
        if log.path is not None and log.path.is_file():
            place.symlink_to(log.path.absolute())
            return place
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror}") from None
    with _stream(log, stdin) as source, place.open("wb") as copy:
        try:
            shutil.copyfileobj(source, copy, 2**20)
        except OSError as error:
            raise StorageError(f"cannot copy {log.shown}: {error.strerror}") from None
    return place


@contextlib.contextmanager
def _stream(log: LogFile, stdin: BinaryIO | None) -> Iterator[BinaryIO]:
    """Yield what can be read only once: stdin or a pipe."""
    if log.path is None:
        if stdin is None:
            raise InvalidInput("stdin is closed", place=Place("-"))
        yield stdin
        return
    try:
        with log.path.open("rb") as source:
            yield source
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", place=Place(log.shown)) from None
