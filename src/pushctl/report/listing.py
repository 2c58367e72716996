"""Single bounces out of logs: those that are asked for, newest first, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator

from pushctl.records.reading import understood
from pushctl.records.record import FIELDS, Record
from pushctl.report.logs import Logs
from pushctl.report.tables import records_wanted
from pushctl.report.values import Filter


def newest_first(logs: Logs, chosen: Filter, limit: int | None) -> Iterator[Record]:
    """
    Yield the bounces that *chosen* lets through, newest first, *limit* at most.

    Equal times are ordered by run and row, so that the same logs give the same list.
    """
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    sql = f"""SELECT {columns} FROM bounces WHERE {records_wanted(chosen)}
ORDER BY time DESC, run DESC, row DESC"""
    if limit is not None:
        sql += f" LIMIT {limit:d}"
    for rows in logs.stream(sql):
        for row in rows:
            yield understood(dict(zip(FIELDS, row, strict=True)))
