"""
DuckDB, the way this room uses it: little memory, one folder for what does not fit, no extensions.

The only module that imports duckdb, and only when an engine is opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushctl.audience.blocks import LineBreak
from pushctl.audience.content import MAX_LINE_BYTES
from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.rules.text import printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "64MB"
"""What the engine may hold, of ten million rows as of ten thousand; the rest goes to disk."""
_POLL_S = 0.1
_INTERRUPTED = "Query interrupted"
_BUFFER_BYTES = 4 * 2**20
_LONGEST_LINE_BYTES = 5 * MAX_LINE_BYTES
# A copied line has at most MAX_LINE_BYTES characters, and a character at most four bytes.
_NO_ROOM = ("no space left", "disk full", "quota exceeded", "max_temp_directory_size")


class Engine:
    """
    An in-memory database that can reach the files it was given and nothing else.

    Raises :class:`~pushctl.errors.StorageError` for what the disk refuses.
    """

    def __init__(
        self,
        *,
        memory_limit: str = MEMORY_LIMIT,
        folder: Path | None = None,
        spill: Path | None = None,
        files: Sequence[Path] = (),
        threads: int = 1,
        task: str = "prepare the audience",
    ) -> None:
        """
        *folder* may be read and written, and *files* read; what does not fit in memory goes to
        *spill*, or fails without it.  *task* is what an error says could not be done.

        One thread keeps rows in the order of the file: numbering them is one thread's work
        anyway, and a second one that waits for it makes it slower.  More of them are for questions
        to which order means nothing.
        """
        import duckdb

        self._task = task
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": "" if spill is None else str(spill),
            "preserve_insertion_order": threads == 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with explained(task):
            self._connection: DuckDBPyConnection = duckdb.connect(":memory:", config=config)
            self._allow("allowed_directories", () if folder is None else (folder,))
            self._allow("allowed_paths", files)
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")

    def _allow(self, setting: str, paths: Sequence[Path]) -> None:
        listed = ", ".join(literal(str(path.resolve())) for path in paths)
        self._connection.execute(f"SET {setting} = [{listed}]")

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()

    def run(
        self,
        sql: str,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """
        Execute *sql*.

        *on_progress* gets the share that is done, 0 to 1, now and then.
        """
        with explained(self._task):
            if on_progress is None:
                self._connection.execute(sql)
            else:
                self._run_watched(sql, on_progress)

    def all(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return every row of the result of *sql*."""
        with explained(self._task):
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
        """Return the only row of the result of *sql*."""
        (row,) = self.all(sql, values)
        return row

    def stream(
        self, sql: str, values: Sequence[object] = (), *, size: int = 2048
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of the result of *sql*, *size* at a time, in constant memory."""
        with explained(self._task):
            cursor = self._connection.cursor()
            try:
                cursor.execute(sql, values)
                while rows := cursor.fetchmany(size):
                    yield rows
            finally:
                cursor.close()

    def append(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add *rows* to *table*."""
        if rows:
            with explained(self._task), self._connection.appender(table) as appender:
                appender.append_rows(rows)

    def _run_watched(self, sql: str, on_progress: Callable[[float], None]) -> None:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._connection.execute, sql)
            try:
                while True:
                    with contextlib.suppress(TimeoutError):
                        running.result(timeout=_POLL_S)
                        return
                    on_progress(max(0.0, self._connection.query_progress() / 100))
            except BaseException:
                self._connection.interrupt()
                raise


@contextlib.contextmanager
def explained(task: str = "prepare the audience") -> Iterator[None]:
    """Turn what duckdb says of the disk into a :class:`~pushctl.errors.StorageError`.

    *task* is what could not be done.

    A Ctrl-C that duckdb has caught is raised again as :class:`KeyboardInterrupt`.
    """
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise _storage_error(str(error), task) from None
    except duckdb.Error as error:
        if any(words in str(error).lower() for words in _NO_ROOM):
            raise _storage_error(str(error), task) from None
        raise
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from None  # which duckdb has caught
        raise


@contextlib.contextmanager
def attempted() -> Iterator[None]:
    """Give up quietly, with :class:`NotPossible`, on whatever duckdb cannot do."""
    import duckdb

    try:
        yield
    except duckdb.ParserException:
        raise  # that is our own mistake
    except (duckdb.Error, StorageError):
        raise NotPossible from None


class NotPossible(Exception):
    """DuckDB could not do it; the caller knows another way, or a better word."""


def _storage_error(complaint: str, task: str) -> StorageError:
    first = printable(complaint.splitlines()[0], 300)
    if any(words in complaint.lower() for words in _NO_ROOM):
        return StorageError(
            f"no room to {task}: {os.strerror(errno.ENOSPC)}",
            hint="free some space, or set state_dir to a folder with more room",
        )
    return StorageError(f"cannot {task}: {first}")


@contextlib.contextmanager
def spill_folder(path: Path) -> Iterator[Path]:
    """Make the folder *path*, 0700, empty; remove it with all it holds in the end."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(f"cannot make {path}: {error.strerror}") from None
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Let nobody but the current user read the files that are made meanwhile."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def damaged(path: Path) -> InvalidInput:
    """Return the error for a file of a run that is missing or cannot be read."""
    return InvalidInput(
        "the audience of this run is missing or damaged",
        place=Place(printable(str(path))),
        hint="start a new run from the original list",
    )


def literal(value: str | None) -> str:
    """Return *value* as it is written in SQL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return *name* as the name of a column is written in SQL."""
    return '"' + name.replace('"', '""') + '"'


def parquet(path: Path) -> str:
    """Return the Parquet file *path* as a table in SQL, whatever its name looks like."""
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"


def text_file(
    path: Path,
    columns: Sequence[str],
    delimiter: str,
    line_break: LineBreak,
    *,
    skip: int = 0,
    is_quoted: bool = False,
) -> str:
    """
    Return the table of the file *path*, whose lines have exactly *columns*, all of them text.

    What is empty is NULL.  The first *skip* lines are none.  Quotes mean nothing unless the file
    *is_quoted*, every cell of it.
    """
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    quote = literal('"' if is_quoted else "")
    shown_break = {"\n": r"\n", "\r\n": r"\r\n"}[line_break]
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip={skip},"
        f" columns={{{types}}}, delim={literal(delimiter)}, quote={quote}, escape={quote},"
        f" comment='', nullstr='', allow_quoted_nulls=true, new_line='{shown_break}',"
        " encoding='utf-8', compression='none', null_padding=false, ignore_errors=false,"
        " parallel=false, hive_partitioning=false,"
        f" max_line_size={_LONGEST_LINE_BYTES}, buffer_size={_BUFFER_BYTES})"
    )
