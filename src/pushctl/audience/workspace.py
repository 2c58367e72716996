"""
The tables that an audience is prepared in.

``table`` is the large file with every row; ``slow`` holds, whole, the rows that took a closer look
and are empty in the file; ``marks`` holds verdicts on rows of either, found out later.  A row has
a ``key`` if it is sent to as far as the row itself goes.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.engine import Engine, parquet
from pushctl.audience.judging import JUDGED
from pushctl.audience.prepared import TABLE

PARQUET = "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)"
"""How files are written: row groups are small because each is built in memory."""

ROWS_A_PASS = 2_000_000
"""So many keys are compared at a time: that bounds the memory that it takes."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One audience on its way into a folder."""

    engine: Engine
    folder: Path
    sources: Sequence[str]
    """The names of the sources, as people know them."""
    total: int

    def make_tables(self) -> None:
        """Make ``slow`` and ``marks``, empty."""
        texts = ", ".join(f"{name} VARCHAR" for name in JUDGED)
        self.engine.run(
            f"CREATE TABLE slow (row BIGINT, origin INTEGER, line BIGINT, {texts}, key UBIGINT)"
        )
        self.engine.run(
            "CREATE TABLE marks (row BIGINT, kind VARCHAR, reason VARCHAR, detail VARCHAR)"
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

    def stretches(self, number: int) -> Iterator[str]:
        """Yield the conditions of rows in each of *number* equal stretches, in order."""
        width = self.total // max(1, number) + 1
        for at in range(number):
            yield f"row > {at * width} AND row <= {(at + 1) * width}"


UNMARKED = "row NOT IN (SELECT row FROM marks)"
"""The condition of rows on which no verdict was found out later."""
