"""What is found out about rows by looking at other rows, and at bounce logs."""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from pushctl.audience.engine import literal, parquet
from pushctl.audience.formats import FilePath
from pushctl.audience.judging import key
from pushctl.audience.prepared import source_of
from pushctl.audience.suppression import Said, read_words
from pushctl.audience.workspace import PARQUET, ROWS_A_PASS, Workspace, marked
from pushctl.outcome import Kind, Service, TokenAction
from pushctl.rules.dead_tokens import Standing, Word, standing

_WORDS_A_PASS = 250_000
_KEYS_AT_ONCE = 250_000
_APPENDED_AT_ONCE = 1_000


def mark_suppressed(
    work: Workspace, logs: Sequence[FilePath], stdin: BinaryIO | None = None
) -> None:
    """
    Mark every row that is sent to and whose token is dead by the last word of *logs* on it.

    Raises :class:`~pushctl.errors.InvalidInput` where a log cannot be read or is none.
    """
    lines = _read_logs(work, logs, stdin)
    passes = 1 + lines // _WORDS_A_PASS
    columns = "row, key, service, token, registered_at"
    for number in range(passes):
        part = _part("key", number, passes)
        hits = f"""
            WITH latest AS (
                SELECT service, token, {LAST_WORD} AS word FROM words
                WHERE {_part(key("token"), number, passes)} GROUP BY service, token
            )
            SELECT row, key, service, registered_at, word.action, word.said, word.since, word.shown,
                word.place
            FROM ({work.sendable(columns, part)}) JOIN latest USING (service, token)"""
        for rows in work.engine.stream(hits):
            work.engine.append(
                "marks",
                [
                    (row, found, Kind.SKIPPED.value, "Suppressed", f"{shown} ({place})")
                    for row, found, service, registered_at, *word, shown, place in rows
                    if _is_dead(service, registered_at, *word)
                ],
            )
    work.engine.run("DROP TABLE words")


def _is_dead(
    service: str,
    registered_at: str | None,
    action: str,
    said_s: float | None,
    since_s: float | None,
) -> bool:
    word = Word(TokenAction(action), said_s, since_s)
    return standing(Service(service), word, [registered_at]) is Standing.DEAD


LAST_WORD = """max({
    told: coalesce(said, since, 'infinity'::DOUBLE), doubt: action <> 'remove',
    dead: coalesce(since, 'infinity'::DOUBLE), action: action, said: said, since: since,
    shown: shown, place: place})"""
"""The last word of a group of words, see :attr:`~pushctl.rules.dead_tokens.Word.order`."""


def _read_logs(work: Workspace, logs: Sequence[FilePath], stdin: BinaryIO | None) -> int:
    """Put what *logs* say of tokens into ``words``; return how many lines those are."""
    work.engine.run(
        "CREATE TABLE words (service VARCHAR, token VARCHAR, action VARCHAR, said DOUBLE,"
        " since DOUBLE, shown VARCHAR, place VARCHAR)"
    )
    lines = 0
    for path in logs:
        found = read_words(path, stdin)
        while some := [*islice(found, _APPENDED_AT_ONCE)]:
            lines += len(some)
            work.engine.append("words", [_row_of(said) for said in some])
    return lines


def _row_of(said: Said) -> tuple[object, ...]:
    word = said.word
    life = (word.action.value, word.said_s, word.since_s)
    return (said.service.value, said.token, *life, said.shown, said.place)


def mark_duplicates(work: Workspace) -> None:
    """
    Mark every row that is sent to but for the first of its service and token.

    Keys are compared in several passes over a part of them; then digests of the tokens of those
    rows whose keys are not unique.  Digests have 128 bits: that any two of ten million tokens share
    one has a probability below 1e-24.
    """
    run = work.engine.run
    run("CREATE TABLE shared (key UBIGINT)")
    for part in _parts(work.total):
        run(
            f"INSERT INTO shared SELECT key FROM ({work.sendable('key', part)})"
            " GROUP BY key HAVING count(*) > 1"
        )
    shared = work.count("shared")
    if shared:
        twins = work.folder / "spill" / "twins.parquet"
        # A look at each row costs less than a table of all keys that are not unique, when they
        # are many.
        few = "key IN (SELECT key FROM shared)" if shared <= _KEYS_AT_ONCE else "true"
        columns = "row, key, origin, line, md5_number(service || ':' || token) AS digest"
        run(f"COPY ({work.sendable(columns, few)}) TO {literal(str(twins))} {PARQUET}")
        table = parquet(twins)
        shown = source_of(work.sources, "place.origin", "place.line")
        for part in _parts(work.engine.one(f"SELECT count(*) FROM {table}")[0]):
            run(
                f"""
                INSERT INTO marks
                WITH part AS (FROM {table} WHERE {part} AND NOT {marked(part)}),
                firsts AS (
                    SELECT digest, min(row) AS first,
                        arg_min({{origin: origin, line: line}}, row) AS place
                    FROM part GROUP BY digest HAVING count(*) > 1
                )
                SELECT row, key, 'skipped', 'Duplicate',
                    'first at row ' || first || ' (' || {shown} || ')'
                FROM part JOIN firsts USING (digest) WHERE row > first"""
            )
        with contextlib.suppress(OSError):  # it goes with its folder in any case
            twins.unlink()
    run("DROP TABLE shared")


def _parts(rows: int) -> Iterator[str]:
    """Yield the conditions of parts of *rows* rows, alike in size, each small enough for a pass."""
    passes = 1 + rows // ROWS_A_PASS
    return (_part("key", number, passes) for number in range(passes))


def _part(key: str, number: int, of: int) -> str:
    """Return the condition of rows in one of *of* parts that are alike in size."""
    return f"{key} % {of} = {number}"
