"""What a prepared audience holds, counted."""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections import Counter
from typing import Any

from pushctl.audience.engine import literal
from pushctl.audience.judging import JUDGED
from pushctl.audience.prepared import TABLE, Tallies
from pushctl.audience.workspace import Workspace, marked

_SAMPLE_ROWS = 20_000
_WISH = "service, credential, environment, topic"


def count(work: Workspace, names: frozenset[str] | None) -> Tallies:
    """Return the tallies; *names* are the attributes there are, ``None`` for too many to know."""
    sendable = _sendable(work)
    verdicts = _verdicts(work)
    assert sendable.total() + verdicts.total() == work.total, "every row ends in one place"
    services = {str(service) for service, *_ in sendable}
    return Tallies(sendable, verdicts, _attributes(work, services, names))


def constant_columns(work: Workspace) -> dict[str, str | None]:
    """Return the columns that have one value in all rows of the table that are not in ``slow``."""
    slow = work.count("slow")
    found = work.engine.all(
        f"""
        SELECT path_in_schema, sum(stats_null_count), min(stats_min_value), max(stats_max_value),
            bool_and(coalesce(min_is_exact AND max_is_exact, false))
        FROM parquet_metadata({literal(str(work.folder / TABLE))}) GROUP BY path_in_schema"""
    )
    constants: dict[str, str | None] = {}
    for name, nulls, least, greatest, exact in found:
        if name not in JUDGED or name == "token":
            continue
        if nulls == work.total:
            constants[name] = None
        elif nulls == slow and least == greatest and exact:
            constants[name] = least
    return constants


def line_shift(work: Workspace) -> int | None:
    """Return by how much the line of a row exceeds its number, if that is so in the whole table."""
    least, greatest, lines = work.engine.one(
        f"SELECT min(line - row), max(line - row), count(line) FROM {work.table}"
    )
    alike = least == greatest and lines == work.total and len(work.sources) == 1
    return int(least) if alike else None


def _sendable(work: Workspace) -> Counter[tuple[Any, ...]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    query = f"SELECT {_WISH}, count(*) FROM {work.table} WHERE key IS NOT NULL"
    for *wish, number in work.engine.all(f"{query} GROUP BY ALL"):
        counts[tuple(wish)] += number
    for stretch in work.passes_over_marks():
        for *wish, number in work.engine.all(
            f"{query} AND {stretch} AND {marked(stretch)} GROUP BY ALL"
        ):
            counts[tuple(wish)] -= number
        for *wish, number in work.engine.all(
            f"SELECT {_WISH}, count(*) FROM slow"
            f" WHERE key IS NOT NULL AND {stretch} AND NOT {marked(stretch)} GROUP BY ALL"
        ):
            counts[tuple(wish)] += number
    return +counts


def _verdicts(work: Workspace) -> Counter[tuple[Any, ...]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    for kind, reason, table in (
        ("verdict_kind", "verdict_reason", work.table),
        ("verdict_kind", "verdict_reason", "slow"),
        ("kind", "reason", "marks"),
    ):
        for *verdict, number in work.engine.all(
            f"SELECT {kind}, {reason}, count(*) FROM {table} WHERE {kind} IS NOT NULL GROUP BY ALL"
        ):
            counts[tuple(verdict)] += number
    return counts


def _attributes(
    work: Workspace, services: set[str], names: frozenset[str] | None
) -> dict[str, frozenset[str]]:
    """Return the attributes of those who are sent to, by service."""
    found: dict[str, frozenset[str]] = {}
    # Nearly always the first rows show all there is, and the others need not be read.
    for stretch in (f"row <= {_SAMPLE_ROWS}", *work.passes_over_marks()):
        wanted = [
            service
            for service in services
            if names is None or not names <= found.get(service, frozenset())
        ]
        if not wanted:
            break
        chosen = (
            f"attributes IS NOT NULL AND {stretch} AND NOT {marked(stretch)}"
            f" AND service IN ({', '.join(map(literal, wanted))})"
        )
        for service, name in work.engine.all(
            f"""
            SELECT DISTINCT service, unnest(json_keys(attributes))
            FROM ({work.sendable("service, attributes", chosen)})"""
        ):
            found[service] = found.get(service, frozenset()) | {name}
    return found
