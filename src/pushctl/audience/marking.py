"""What is found out about rows by looking at other rows, and at bounce logs."""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from pushctl.audience.judging import key
from pushctl.audience.prepared import source_of
from pushctl.audience.suppression import is_dead_now, read_dead
from pushctl.audience.workspace import ROWS_A_PASS, UNMARKED, Workspace
from pushctl.outcome import Kind, Service

_DEAD_A_PASS = 500_000
_APPENDED_AT_ONCE = 1_000


def mark_suppressed(work: Workspace, logs: Sequence[Path]) -> None:
    """
    Mark every row that is sent to and whose token one of *logs* says is dead.

    Raises :class:`~pushctl.errors.InvalidInput` where a log cannot be read or is none.
    """
    dead = _read_logs(work, logs)
    passes = 1 + dead // _DEAD_A_PASS
    for number in range(passes):
        chosen = f"key % {passes} = {number}"
        # The log's last word on a token counts; no time at all is later than any.
        hits = f"""
            WITH latest AS (
                SELECT service, token, arg_max(
                    {{since: since, shown: shown, place: place}}, coalesce(since, 'infinity')
                ) AS word
                FROM dead WHERE {chosen} GROUP BY service, token
            )
            SELECT row, service, registered_at, word.since, word.shown, word.place
            FROM ({work.sendable("row, service, token, registered_at", chosen)})
                JOIN latest USING (service, token)"""
        for rows in work.engine.stream(hits):
            work.engine.append(
                "marks",
                [
                    (row, Kind.SKIPPED.value, "Suppressed", f"{shown} ({place})")
                    for row, service, registered_at, since, shown, place in rows
                    if is_dead_now(since, Service(service), registered_at)
                ],
            )
    work.engine.run("DROP TABLE dead")


def _read_logs(work: Workspace, logs: Sequence[Path]) -> int:
    """Put what *logs* mark for removal into ``dead``; return how many lines those are."""
    work.engine.run(
        "CREATE TABLE dead (service VARCHAR, token VARCHAR, since DOUBLE, shown VARCHAR,"
        " place VARCHAR, key UBIGINT)"
    )
    lines = 0
    for path in logs:
        found = read_dead(path)
        while some := [*islice(found, _APPENDED_AT_ONCE)]:
            lines += len(some)
            work.engine.append(
                "dead",
                [
                    (each.service.value, each.token, each.since_s, each.when, each.place, None)
                    for each in some
                ],
            )
    work.engine.run(f"UPDATE dead SET key = {key('token')}")
    return lines


def mark_duplicates(work: Workspace) -> None:
    """
    Mark every row that is sent to but for the first of its service and token.

    Keys are compared in several passes over a part of them; then digests of the tokens of those
    rows whose keys are not unique.  Digests have 128 bits: that any two of ten million tokens share
    one has a probability below 1e-24.
    """
    run = work.engine.run
    run("CREATE TABLE shared (key UBIGINT)")
    passes = 1 + work.total // ROWS_A_PASS
    for number in range(passes):
        run(
            f"INSERT INTO shared SELECT key FROM ({work.sendable('key', _part(number, passes))})"
            " GROUP BY key HAVING count(*) > 1"
        )
    candidates = f"key IN (SELECT key FROM shared) AND {UNMARKED}"
    columns = "row, origin, line, key, md5_number(service || ':' || token) AS digest"
    run(f"CREATE TABLE twins AS {work.sendable(columns, candidates)}")
    passes = 1 + work.count("twins") // ROWS_A_PASS
    shown = source_of(work.sources, "place.origin", "place.line")
    for number in range(passes):
        run(
            f"""
            INSERT INTO marks
            WITH part AS (FROM twins WHERE {_part(number, passes)}),
            firsts AS (
                SELECT digest, min(row) AS first,
                    arg_min({{origin: origin, line: line}}, row) AS place
                FROM part GROUP BY digest HAVING count(*) > 1
            )
            SELECT row, 'skipped', 'Duplicate', 'first at row ' || first || ' (' || {shown} || ')'
            FROM part JOIN firsts USING (digest) WHERE row > first"""
        )
    run("DROP TABLE twins")
    run("DROP TABLE shared")


def _part(number: int, of: int) -> str:
    """Return the condition of rows in one of *of* parts that are alike in size."""
    return f"key % {of} = {number}"
