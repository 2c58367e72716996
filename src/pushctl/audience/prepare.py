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
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from pushctl.audience.audience import Audience
from pushctl.audience.engine import (
    MEMORY_LIMIT,
    Engine,
    literal,
    parquet,
    private_files,
    spill_folder,
)
from pushctl.audience.judging import JUDGED, judged, key
from pushctl.audience.parts import attributes_text
from pushctl.audience.prepared import (
    COLUMNS,
    FACTS,
    TABLE,
    Prepared,
    Tallies,
    Tuple,
    exceptions_file,
    facts_of,
    recipient_of,
    source_of,
)
from pushctl.audience.recipient import resolve
from pushctl.audience.row import Row
from pushctl.audience.segment import compile_segment
from pushctl.audience.staging import staged
from pushctl.audience.suppression import is_dead_now, read_dead
from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.outcome import Kind, Service

__all__ = ["COLUMNS", "Prepared", "Tallies", "Tuple", "prepare", "recipient_of"]

_ROWS_A_PASS = 2_000_000
"""So many keys, or twins, are compared at a time: that bounds the memory it takes."""
_DEAD_A_PASS = 500_000
_ROWS_A_FILE = 500_000
_SAMPLE_ROWS = 20_000
_APPENDED_AT_ONCE = 1_000
_PARQUET = "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)"


def prepare(
    audience: Audience,
    folder: Path,
    *,
    where: str | None = None,
    suppress: Sequence[Path] = (),
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
        Bounce logs: tokens that they mark for removal are skipped.
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
                work = _Preparation(engine, audience, folder, spill)
                prepared = work.go(condition, suppress, on_progress)
            _keep(prepared)
        except BaseException:
            _discard(folder)
            raise
    return prepared


def _segment(where: str, audience: Audience) -> str:
    """Return *where* as a condition on the attributes of a row."""
    with Engine() as engine:
        return compile_segment(engine, where, audience.attribute_names)


class _Preparation:
    """One audience on its way into a folder."""

    def __init__(self, engine: Engine, audience: Audience, folder: Path, spill: Path) -> None:
        self._engine = engine
        self._audience = audience
        self._folder = folder
        self._spill = spill
        self._base = parquet(folder / TABLE)
        self._sources = [source.shown for source in audience.sources]
        texts = ", ".join(f"{name} VARCHAR" for name in JUDGED)
        engine.run(
            f"CREATE TABLE slow (row BIGINT, origin INTEGER, line BIGINT, {texts}, key UBIGINT)"
        )
        engine.run("CREATE TABLE marks (row BIGINT, kind VARCHAR, reason VARCHAR, detail VARCHAR)")

    def go(
        self,
        where: str | None,
        suppress: Sequence[Path],
        on_progress: Callable[[int], None] | None,
    ) -> Prepared:
        self._read(where, on_progress)
        self._judge_slow_rows(where)
        if suppress:
            self._mark_suppressed(suppress)
        if not self._audience.keep_duplicates:
            self._mark_duplicates()
        exceptions = self._write_exceptions()
        return self._prepared(exceptions)

    # -- every row ----------------------------------------------------------------------------

    def _read(self, where: str | None, on_progress: Callable[[int], None] | None) -> None:
        """Write the table, and put the rows that take a closer look into ``slow``."""
        total = self._audience.total
        slow = _SlowRows(self._engine, self._audience)
        with ExitStack() as stack:
            queries, relations, offset = [], [], 0
            for origin, source in enumerate(self._audience.sources):
                path = self._spill / f"source-{origin}"
                on_odd_row = slow.taker(origin, offset)
                relation = stack.enter_context(staged(source, path, on_odd_row))
                relations.append(relation)
                queries.append(
                    judged(
                        relation,
                        origin=origin,
                        offset=offset,
                        fallback=self._audience.fallback,
                        where=where,
                    )
                )
                offset += source.rows
            slow.flush()
            self._engine.run(
                f"COPY ({' UNION ALL '.join(queries)}) TO {literal(str(self._folder / TABLE))}"
                f" {_PARQUET}",
                on_progress=on_progress and (lambda share: on_progress(int(share * total))),
            )
        self._check_numbers()
        unusual = f"SELECT row, origin, line, parts FROM {self._base} WHERE parts IS NOT NULL"
        for rows in self._engine.stream(unusual):
            for number, origin, line, parts in rows:
                slow.take(origin, number, relations[origin].row(line, parts))
        slow.flush()
        if on_progress is not None:
            on_progress(total)

    def _check_numbers(self) -> None:
        """Every row of every source must be there: a file may have grown under our hands."""
        found = dict(self._engine.all(f"SELECT origin, count(*) FROM {self._base} GROUP BY origin"))
        for origin, source in enumerate(self._audience.sources):
            if found.get(origin, 0) != source.rows:
                raise InvalidInput(
                    "the file has changed since it was checked",
                    place=Place(source.shown),
                    hint="leave it alone until the run has ended, or send a copy of it",
                )

    def _judge_slow_rows(self, where: str | None) -> None:
        if where is not None:
            self._engine.run(
                "UPDATE slow SET verdict_kind = 'skipped', verdict_reason = 'NotInSegment'"
                f" WHERE verdict_kind IS NULL AND NOT ({where})"
            )
        self._engine.run(f"UPDATE slow SET key = {key('token')} WHERE verdict_kind IS NULL")

    # -- suppression --------------------------------------------------------------------------

    def _mark_suppressed(self, logs: Sequence[Path]) -> None:
        """Mark every row that is sent to and whose token is in one of *logs*, in some passes."""
        dead = self._read_logs(logs)
        passes = 1 + dead // _DEAD_A_PASS
        for number in range(passes):
            chosen = f"key % {passes} = {number}"
            hits = f"""
                WITH dead AS (FROM removed WHERE {chosen}),
                -- the log's last word on a token: no time at all is later than any
                latest AS (
                    SELECT service, token, arg_max(
                        {{since: since, when: shown, place: place}}, coalesce(since, 'infinity')
                    ) AS word
                    FROM dead GROUP BY service, token
                ),
                rows AS ({_either(self._base, "row, service, token, registered_at", chosen)})
                SELECT row, service, registered_at, word.since, word.when, word.place
                FROM rows JOIN latest USING (service, token)"""
            for rows in self._engine.stream(hits):
                marks = [
                    (row, Kind.SKIPPED.value, "Suppressed", f"{when} ({place})")
                    for row, service, registered_at, since, when, place in rows
                    if is_dead_now(since, Service(service), registered_at)
                ]
                self._engine.append("marks", marks)
        self._engine.run("DROP TABLE removed")

    def _read_logs(self, logs: Sequence[Path]) -> int:
        """Put what *logs* mark for removal into ``removed``; return how many lines those are."""
        self._engine.run(
            "CREATE TABLE removed (service VARCHAR, token VARCHAR, since DOUBLE,"
            " shown VARCHAR, place VARCHAR, key UBIGINT)"
        )
        lines = 0
        for path in logs:
            dead = read_dead(path)
            while some := [*islice(dead, _APPENDED_AT_ONCE)]:
                lines += len(some)
                self._engine.append(
                    "removed",
                    [
                        (each.service.value, each.token, each.since_s, each.when, each.place, None)
                        for each in some
                    ],
                )
        self._engine.run(f"UPDATE removed SET key = {key('token')}")
        return lines

    # -- duplicates ---------------------------------------------------------------------------

    def _mark_duplicates(self) -> None:
        """
        Mark every row that is sent to but for the first of its service and token.

        Keys are compared in several passes over a part of them, then tokens, of the few rows
        whose keys are not unique.
        """
        run, base = self._engine.run, self._base
        passes = 1 + self._audience.total // _ROWS_A_PASS
        run("CREATE TABLE shared (key UBIGINT)")
        for number in range(passes):
            chosen = f"key % {passes} = {number}"
            run(
                f"INSERT INTO shared SELECT key FROM ({_either(base, 'key', chosen)})"
                " GROUP BY key HAVING count(*) > 1"
            )
        run(
            "CREATE TABLE twins AS "
            + _either(
                base,
                "row, origin, line, service, token, key",
                "key IN (SELECT key FROM shared) AND row NOT IN (SELECT row FROM marks)",
            )
        )
        (twins,) = self._engine.one("SELECT count(*) FROM twins")
        passes = 1 + twins // _ROWS_A_PASS
        for number in range(passes):
            run(
                f"""
                WITH those AS (FROM twins WHERE key % {passes} = {number}),
                firsts AS (
                    SELECT service, token, min(row) AS row,
                        arg_min({{origin: origin, line: line}}, row) AS place
                    FROM those GROUP BY service, token HAVING count(*) > 1
                ),
                shown AS (
                    SELECT service, token, row,
                        {source_of(self._sources, "place.origin", "place.line")} AS source
                    FROM firsts
                )
                INSERT INTO marks
                SELECT those.row, 'skipped', 'Duplicate',
                    'first at row ' || shown.row || ' (' || shown.source || ')'
                FROM those JOIN shown USING (service, token) WHERE those.row > shown.row"""
            )
        run("DROP TABLE twins")
        run("DROP TABLE shared")

    # -- what is found ------------------------------------------------------------------------

    def _write_exceptions(self) -> int:
        """Write the rows of ``slow`` and the marks in order; return how many files they take."""
        (number,) = self._engine.one(
            "SELECT (SELECT count(*) FROM slow) + (SELECT count(*) FROM marks)"
        )
        files = 0 if not number else 1 + number // _ROWS_A_FILE
        for file in range(files):
            chosen = self._share(file, files)
            nothing = ", ".join(f"NULL AS {name}" for name in JUDGED[:-3])
            facts = ", ".join(JUDGED[:-3])
            self._engine.run(
                f"""
                COPY (
                    SELECT row, {source_of(self._sources)} AS source, {facts},
                        coalesce(kind, verdict_kind) AS verdict_kind,
                        coalesce(reason, verdict_reason) AS verdict_reason,
                        coalesce(detail, verdict_detail) AS verdict_detail
                    FROM slow LEFT JOIN marks USING (row) WHERE {chosen}
                    UNION ALL
                    SELECT row, NULL, {nothing}, kind, reason, detail
                    FROM marks WHERE {chosen} AND row NOT IN (SELECT row FROM slow)
                    ORDER BY row
                ) TO {literal(str(exceptions_file(self._folder, file)))} {_PARQUET}"""
            )
        return files

    def _share(self, number: int, of: int) -> str:
        """Return the condition of rows in one of *of* equal stretches of the audience."""
        width = self._audience.total // of + 1
        return f"row > {number * width} AND row <= {(number + 1) * width}"

    def _prepared(self, exceptions: int) -> Prepared:
        audience = self._audience
        sendable = self._count_sendable()
        services = {str(service) for service, *_ in sendable}
        return Prepared(
            folder=self._folder,
            total=audience.total,
            consent=audience.consent,
            without_consent=audience.without_consent,
            description=audience.description,
            attribute_names=audience.attribute_names,
            sources=self._sources,
            exceptions=exceptions,
            constants=self._constants(),
            counted=Tallies(sendable, self._count_verdicts(), self._attributes(services)),
        )

    def _constants(self) -> dict[str, str | None]:
        """Return the columns that have one value in all rows of the table that are in order."""
        (slow,) = self._engine.one("SELECT count(*) FROM slow")
        found = self._engine.all(
            f"""
            SELECT path_in_schema, sum(stats_null_count), min(stats_min_value),
                max(stats_max_value), bool_and(coalesce(min_is_exact AND max_is_exact, false))
            FROM parquet_metadata({literal(str(self._folder / TABLE))}) GROUP BY ALL"""
        )
        constants: dict[str, str | None] = {}
        for name, nulls, least, greatest, exact in found:
            if name not in JUDGED:
                continue
            if nulls == self._audience.total:
                constants[name] = None
            elif nulls == slow and least == greatest and exact:
                constants[name] = least
        return constants

    def _count_sendable(self) -> Counter[tuple[Any, ...]]:
        columns = "service, credential, environment, topic"
        counts: Counter[tuple[Any, ...]] = Counter()
        query = f"SELECT {columns}, count(*) FROM {self._base} WHERE key IS NOT NULL"
        for *group, number in self._engine.all(f"{query} GROUP BY ALL"):
            counts[tuple(group)] += number
        (marks,) = self._engine.one("SELECT count(*) FROM marks")
        stretches = 1 + marks // _ROWS_A_PASS if marks else 0
        for stretch in range(stretches):
            chosen = self._share(stretch, stretches)
            marked = f"{chosen} AND row IN (SELECT row FROM marks WHERE {chosen})"
            for *group, number in self._engine.all(f"{query} AND {marked} GROUP BY ALL"):
                counts[tuple(group)] -= number
        for *group, number in self._engine.all(
            f"SELECT {columns}, count(*) FROM slow"
            " WHERE verdict_kind IS NULL AND row NOT IN (SELECT row FROM marks) GROUP BY ALL"
        ):
            counts[tuple(group)] += number
        return +counts

    def _count_verdicts(self) -> Counter[tuple[Any, ...]]:
        counts: Counter[tuple[Any, ...]] = Counter()
        for table in (self._base, "slow"):
            for kind, reason, number in self._engine.all(
                f"SELECT verdict_kind, verdict_reason, count(*) FROM {table}"
                " WHERE verdict_kind IS NOT NULL GROUP BY ALL"
            ):
                counts[kind, reason] += number
        for kind, reason, number in self._engine.all(
            "SELECT kind, reason, count(*) FROM marks GROUP BY ALL"
        ):
            counts[kind, reason] += number
        return counts

    def _attributes(self, services: set[str]) -> dict[str, frozenset[str]]:
        """Return the attributes of those who are sent to, by service."""
        expected = self._audience.attribute_names
        found: dict[str, set[str]] = {}
        # Nearly always the first rows show all there is, and the others need not be read.
        for rows in (_SAMPLE_ROWS, self._audience.total):
            wanted = [
                name
                for name in services
                if expected is None or not expected <= found.get(name, set())
            ]
            if not wanted:
                break
            chosen = (
                f"attributes IS NOT NULL AND row <= {rows}"
                f" AND service IN ({', '.join(map(literal, wanted))})"
                " AND row NOT IN (SELECT row FROM marks)"
            )
            for service, name in self._engine.all(
                f"""
                SELECT DISTINCT service, unnest(json_keys(attributes))
                FROM ({_either(self._base, "service, attributes", chosen)})"""
            ):
                found.setdefault(service, set()).add(name)
        return {service: frozenset(names) for service, names in found.items()}


def _either(base: str, columns: str, condition: str) -> str:
    """Return the query for *columns* of those rows that are sent to and meet *condition*."""
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {table} WHERE key IS NOT NULL AND {condition}"
        for table in (base, "slow")
    )


class _SlowRows:
    """Resolves rows one by one, and gathers them for the table ``slow``."""

    def __init__(self, engine: Engine, audience: Audience) -> None:
        self._engine = engine
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
        self._pending.append((number, origin, row.line, *map(_storable, texts), None))
        if len(self._pending) >= _APPENDED_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        self._engine.append("slow", self._pending)
        self._pending.clear()


def _storable(text: str | None) -> str | None:
    """Return *text* as plain text that has a form in UTF-8."""
    return None if text is None else text.encode(errors="replace").decode()


def _keep(prepared: Prepared) -> None:
    """Write the facts about *prepared*, and have all of it on the disk."""
    folder = prepared.folder
    facts = folder / FACTS
    try:
        facts.write_text(json.dumps(facts_of(prepared), ensure_ascii=False), encoding="utf-8")
        for path in (folder / TABLE, *prepared.exception_files(), facts, folder):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise StorageError(f"cannot write {facts}: {error.strerror}") from None


def _discard(folder: Path) -> None:
    for path in (folder / FACTS, folder / TABLE, *folder.glob("exceptions-*.parquet")):
        with contextlib.suppress(OSError):
            path.unlink()
