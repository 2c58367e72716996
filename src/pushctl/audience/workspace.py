"""
The tables that an audience is prepared in.

``table`` is the large file with every row; ``slow`` shows, whole, the rows that took a closer look
and are empty in the file; ``marks`` holds verdicts on rows of either, found out later.  A row has
a ``key`` if it is sent to as far as the row itself goes.

Nothing here is updated in place, and no question is put to all marks or keys at once: either would
have to be held in memory.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.engine import Engine, literal, parquet
from pushctl.audience.judging import JUDGED, key
from pushctl.audience.prepared import TABLE
from pushctl.outcome import Kind

PARQUET = "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)"
"""How files are written: row groups are small because each is built in memory."""

ROWS_A_PASS = 500_000
"""So many rows are compared at a time: that bounds the memory that it takes."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One audience on its way into a folder."""

    engine: Engine
    folder: Path
    sources: Sequence[str]
    """The names of the sources, as people know them."""
    total: int

    def make_tables(self, where: str | None) -> None:
        """Make ``slow_rows``, ``slow`` and ``marks``, empty; *where* is the condition of a segment.

        ``slow_rows`` takes what ``slow`` shows, but for the key and the verdict of the segment.
        """
        texts = ", ".join(f"{name} VARCHAR" for name in JUDGED)
        self.engine.run(
            f"CREATE TABLE slow_rows (row BIGINT, origin INTEGER, line BIGINT, {texts})"
        )
        segment = "" if where is None else f"WHEN NOT ({where}) THEN"
        self.engine.run(
            f"""
            CREATE VIEW slow AS
            SELECT * REPLACE (
                CASE WHEN verdict_kind IS NOT NULL THEN verdict_kind
                    {segment and f"{segment} {literal(Kind.SKIPPED)}"} END AS verdict_kind,
                CASE WHEN verdict_kind IS NOT NULL THEN verdict_reason
                    {segment and f"{segment} 'NotInSegment'"} END AS verdict_reason
            ), CASE WHEN verdict_kind IS NOT NULL THEN NULL
                {segment and f"{segment} NULL"} ELSE {key("token")} END AS key
            FROM slow_rows"""
        )
        self.engine.run(
            "CREATE TABLE marks"
            " (row BIGINT, key UBIGINT, kind VARCHAR, reason VARCHAR, detail VARCHAR)"
        )

    @property
    def table(self) -> str:
        """The file with every row, as a table."""
        return parquet(self.folder / TABLE)

    def sendable(self, columns: str, condition: str = "true") -> str:
        """Return the query for *columns* of the rows with a key that meet *condition*."""
        return " UNION ALL ".join(
            f"SELECT {columns} FROM {table} WHERE key IS NOT NULL AND {condition}"
            for table in (self.table, "slow")
        )

    def count(self, table: str) -> int:
        """Return how many rows *table* has."""
        (rows,) = self.engine.one(f"SELECT count(*) FROM {table}")
        return int(rows)

    def passes_over_marks(self) -> Iterator[str]:
        """Yield the conditions of rows in stretches with so few marks that one pass takes them."""
        # Marks may crowd in one half of the list, or in less: what is suppressed came first, say.
        return self.stretches(1 + 4 * self.count("marks") // ROWS_A_PASS)

    def stretches(self, number: int) -> Iterator[str]:
        """Yield the conditions of rows in each of *number* equal stretches, in order."""
        width = self.total // max(1, number) + 1
        for at in range(number):
            yield f"row > {at * width} AND row <= {(at + 1) * width}"


def marked(among: str) -> str:
    """Return the condition of rows with a verdict that was found out later, among marks *among*."""
    return f"row IN (SELECT row FROM marks WHERE {among})"
