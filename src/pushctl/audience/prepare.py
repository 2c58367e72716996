"""
Turns an audience into a file that can be sent from, and resumed from, whatever its size.

DuckDB reads, judges and writes the rows; the rules it judges by are those of
:mod:`pushctl.audience.recipient`, see :mod:`pushctl.audience.judging`.  What does not fit in
memory goes to a folder beside the result, which is removed in the end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from pushctl.audience.audience import Audience
from pushctl.audience.columnar import ColumnarSource, damaged_file
from pushctl.audience.counting import constant_columns, count, line_shift
from pushctl.audience.engine import MEMORY_LIMIT, Engine, literal, private_files, spill_folder
from pushctl.audience.formats import FilePath
from pushctl.audience.judging import JUDGED, judged
from pushctl.audience.marking import mark_duplicates, mark_suppressed
from pushctl.audience.parts import attributes_text
from pushctl.audience.prepared import (
    COLUMNS,
    FACTS,
    TABLE,
    Prepared,
    Tallies,
    Tuple,
    facts_of,
    recipient_of,
    row_file,
    source_of,
    verdict_file,
)
from pushctl.audience.recipient import resolve
from pushctl.audience.row import Row
from pushctl.audience.segment import compile_segment
from pushctl.audience.staging import staged
from pushctl.audience.workspace import PARQUET, Workspace
from pushctl.errors import InvalidInput, Place, StorageError

__all__ = ["COLUMNS", "Prepared", "Tallies", "Tuple", "prepare", "recipient_of"]

_ROWS_A_FILE = 500_000
_APPENDED_AT_ONCE = 1_000


def prepare(
    audience: Audience,
    folder: Path,
    *,
    where: str | None = None,
    suppress: Sequence[FilePath] = (),
    stdin: BinaryIO | None = None,
    memory_limit: str = MEMORY_LIMIT,
    on_progress: Callable[[int], None] | None = None,
) -> Prepared:
    """
    Write *audience*, resolved and judged, into *folder* and return it as it lies there.

    Parameters
    ----------
    where
        An SQL expression over the attributes: whoever it is not true of is skipped.
    suppress
        Bounce logs and other files of records, ``-`` for *stdin*: tokens that they call dead are
        skipped.
    memory_limit
        What DuckDB may hold; the rest goes to a folder inside *folder* and is removed in the end.
    on_progress
        Gets the number of rows that are ready, now and then.

    Raises
    ------
    InvalidInput
        A file has changed since *audience* was opened, *where* is no expression over the
        attributes, or a bounce log cannot be read.
    StorageError
        There is no room.
    """
    with private_files(), spill_folder(folder / "spill") as spill:
        try:
            condition = None if where is None else _segment(where, audience)
            files = [path for source in audience.sources for path in source.read_in_place]
            with Engine(
                memory_limit=memory_limit, folder=folder, spill=spill, files=files
            ) as engine:
                shown = [source.shown for source in audience.sources]
                work = Workspace(engine, folder, shown, audience.total)
                work.make_tables(condition)
                _read(work, audience, spill, condition, on_progress)
                if suppress:
                    mark_suppressed(work, suppress, stdin)
                if not audience.keep_duplicates:
                    mark_duplicates(work)
                prepared = _prepared(work, audience)
            _keep(prepared)
        except BaseException:
            _discard(folder)
            raise
    return prepared


def _segment(where: str, audience: Audience) -> str:
    """Return *where* as a condition on the attributes of a row."""
    with Engine() as engine:
        return compile_segment(engine, where, audience.attribute_names)


def _prepared(work: Workspace, audience: Audience) -> Prepared:
    """Write what was found out later, and return all of it."""
    row_files, verdict_files = _write_rows(work), _write_verdicts(work)
    return Prepared(
        folder=work.folder,
        total=work.total,
        consent=audience.consent,
        without_consent=audience.without_consent,
        description=audience.description,
        attribute_names=audience.attribute_names,
        sources=work.sources,
        row_files=row_files,
        verdict_files=verdict_files,
        constants=constant_columns(work),
        line_shift=line_shift(work),
        counted=count(work, audience.attribute_names),
    )


# -- every row ------------------------------------------------------------------------------------


def _read(
    work: Workspace,
    audience: Audience,
    spill: Path,
    where: str | None,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Write the table, and put the rows that take a closer look into ``slow_rows``."""
    slow = _SlowRows(work, audience)
    with ExitStack() as stack:
        queries, relations, offset = [], [], 0
        for origin, source in enumerate(audience.sources):
            path = spill / f"source-{origin}"
            relation = stack.enter_context(staged(source, path, slow.taker(origin, offset)))
            relations.append(relation)
            queries.append(
                judged(
                    relation,
                    origin=origin,
                    offset=offset,
                    fallback=audience.fallback,
                    where=where,
                )
            )
            offset += source.rows
        slow.flush()
        _write_table(work, audience, queries, on_progress)
    _check_numbers(work, audience)
    unusual = f"SELECT row, origin, line, parts FROM {work.table} WHERE parts IS NOT NULL"
    for rows in work.engine.stream(unusual):
        for number, origin, line, parts in rows:
            slow.take(origin, number, relations[origin].row(line, parts))
    slow.flush()


def _write_table(
    work: Workspace,
    audience: Audience,
    queries: Sequence[str],
    on_progress: Callable[[int], None] | None,
) -> None:
    import duckdb

    path = literal(str(work.folder / TABLE))

    def report(share: float) -> None:
        if on_progress is not None:
            on_progress(int(share * work.total))

    try:
        work.engine.run(
            f"COPY ({' UNION ALL '.join(queries)}) TO {path} {PARQUET}", on_progress and report
        )
    except duckdb.Error:
        # Nothing is wrong with text files, which were read before, nor with the footer of the
        # others.
        for source in audience.sources:
            if isinstance(source, ColumnarSource):
                raise damaged_file(source.shown) from None
        raise _changed(", ".join(work.sources)) from None
    if on_progress is not None:
        on_progress(work.total)


def _check_numbers(work: Workspace, audience: Audience) -> None:
    """Every row must be there, in order: a file may have changed under our hands."""
    found = dict(work.engine.all(f"SELECT origin, count(*) FROM {work.table} GROUP BY origin"))
    for origin, source in enumerate(audience.sources):
        if found.get(origin, 0) != source.rows:
            raise _changed(source.shown)
    (astray,) = work.engine.one(
        "SELECT count(*) FROM"
        f" (SELECT row <> row_number() OVER () AS astray FROM {work.table}) WHERE astray"
    )
    assert not astray, "rows lie in the order of their numbers, which is how they are read"


def _changed(shown: str) -> InvalidInput:
    return InvalidInput(
        "the file has changed since it was checked",
        place=Place(shown),
        hint="leave it alone until the run has ended, or send a copy of it",
    )


class _SlowRows:
    """Resolves rows one by one, and gathers them for the table ``slow_rows``."""

    def __init__(self, work: Workspace, audience: Audience) -> None:
        self._engine = work.engine
        self._audience = audience
        self._pending: list[tuple[Any, ...]] = []

    def taker(self, origin: int, offset: int) -> Callable[[int, Row], None]:
        """Return what takes rows of the source number *origin*, which come after *offset* rows."""
        return lambda number, row: self.take(origin, offset + number, row)

    def take(self, origin: int, number: int, row: Row) -> None:
        """Take *row*, of the source number *origin*, as row *number* of the audience."""
        one = resolve(
            row,
            ordinal=number,
            shown=self._audience.sources[origin].shown,
            fallback=self._audience.fallback,
        )
        verdict = one.verdict
        texts = (
            one.token,
            one.service,
            one.platform,
            one.profile,
            one.credential,
            one.environment,
            one.topic,
            one.registered_at,
            attributes_text(one.attributes),
            *((None,) * 3 if verdict is None else (verdict.kind, verdict.reason, verdict.detail)),
        )
        self._pending.append((number, origin, row.line, *map(_storable, texts)))
        if len(self._pending) >= _APPENDED_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        self._engine.append("slow_rows", self._pending)
        self._pending.clear()


def _storable(text: str | None) -> str | None:
    """Return *text* as plain text that has a form in UTF-8."""
    return None if text is None else text.encode(errors="replace").decode()


# -- what is left behind --------------------------------------------------------------------------


def _write_rows(work: Workspace) -> int:
    """Write the rows of ``slow`` in order; return how many files they take."""
    texts = ", ".join(JUDGED[:-3])

    def query(stretch: str) -> str:
        return f"""
            SELECT row, {source_of(work.sources)} AS source, {texts},
                coalesce(kind, verdict_kind) AS verdict_kind,
                coalesce(reason, verdict_reason) AS verdict_reason,
                coalesce(detail, verdict_detail) AS verdict_detail
            FROM (FROM slow WHERE {stretch}) LEFT JOIN (FROM marks WHERE {stretch}) USING (row)"""

    return _write_in_order(work, query, work.count("slow_rows"), row_file)


def _write_verdicts(work: Workspace) -> int:
    """Write the marks on other rows in order; return how many files they take."""

    def query(stretch: str) -> str:
        return f"""
            SELECT row, kind AS verdict_kind, reason AS verdict_reason, detail AS verdict_detail
            FROM marks
            WHERE {stretch} AND row NOT IN (SELECT row FROM slow_rows WHERE {stretch})"""

    return _write_in_order(work, query, work.count("marks"), verdict_file)


def _write_in_order(
    work: Workspace,
    query: Callable[[str], str],
    rows: int,
    file: Callable[[Path, int], Path],
) -> int:
    """Write the results of *query* for stretches of about *rows* rows, a file for each."""
    files = 0 if not rows else 1 + rows // _ROWS_A_FILE
    for number, stretch in enumerate(work.stretches(files)):
        path = literal(str(file(work.folder, number)))
        work.engine.run(f"COPY ({query(stretch)} ORDER BY row) TO {path} {PARQUET}")
    return files


def _keep(prepared: Prepared) -> None:
    """Write the facts about *prepared*, and have all of it on the disk."""
    folder = prepared.folder
    facts = folder / FACTS
    try:
        facts.write_text(json.dumps(facts_of(prepared), ensure_ascii=False), encoding="utf-8")
        for path in (folder / TABLE, *prepared.later_files(), facts, folder):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise StorageError(f"cannot write {facts}: {error.strerror}") from None


def _discard(folder: Path) -> None:
    for path in (
        folder / FACTS,
        folder / TABLE,
        *folder.glob("rows-*.parquet"),
        *folder.glob("verdicts-*.parquet"),
    ):
        with contextlib.suppress(OSError):
            path.unlink()
