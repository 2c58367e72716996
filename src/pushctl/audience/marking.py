"""What is found out about rows by looking at other rows, and at bounce logs."""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO

from pushctl.audience.formats import FilePath
from pushctl.audience.judging import key
from pushctl.audience.prepared import source_of
from pushctl.audience.suppression import Said, read_words
from pushctl.audience.workspace import ROWS_A_PASS, UNMARKED, Workspace
from pushctl.outcome import Kind, Service, TokenAction
from pushctl.rules.dead_tokens import Standing, Word, standing

_WORDS_A_PASS = 500_000
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
    for number in range(passes):
        chosen = f"key % {passes} = {number}"
        hits = f"""
            WITH latest AS (
                SELECT service, token, {LAST_WORD} AS word FROM words WHERE {chosen}
                GROUP BY service, token
            )
            SELECT row, service, registered_at, word.action, word.said, word.since, word.shown,
                word.place
            FROM ({work.sendable("row, service, token, registered_at", chosen)})
                JOIN latest USING (service, token)"""
        for rows in work.engine.stream(hits):
            work.engine.append(
                "marks",
                [
                    (row, Kind.SKIPPED.value, "Suppressed", f"{shown} ({place})")
                    for row, service, registered_at, action, said, since, shown, place in rows
                    if standing(
                        Service(service), Word(TokenAction(action), said, since), [registered_at]
                    )
                    is Standing.DEAD
                ],
            )
    work.engine.run("DROP TABLE words")


LAST_WORD = """max({
    told: coalesce(said, since, 'infinity'::DOUBLE), doubt: action <> 'remove',
    dead: coalesce(since, 'infinity'::DOUBLE), action: action, said: said, since: since,
    shown: shown, place: place})"""
"""The last word of a group of words, see :attr:`~pushctl.rules.dead_tokens.Word.order`."""


def _read_logs(work: Workspace, logs: Sequence[FilePath], stdin: BinaryIO | None) -> int:
    """Put what *logs* say of tokens into ``words``; return how many lines those are."""
    work.engine.run(
        "CREATE TABLE words (service VARCHAR, token VARCHAR, action VARCHAR, said DOUBLE,"
        " since DOUBLE, shown VARCHAR, place VARCHAR, key UBIGINT)"
    )
    lines = 0
    for path in logs:
        found = read_words(path, stdin)
        while some := [*islice(found, _APPENDED_AT_ONCE)]:
            lines += len(some)
            work.engine.append("words", [_row_of(said) for said in some])
    work.engine.run(f"UPDATE words SET key = {key('token')}")
    return lines


def _row_of(said: Said) -> tuple[object, ...]:
    word = said.word
    life = (word.action.value, word.said_s, word.since_s)
    return (said.service.value, said.token, *life, said.shown, said.place, None)


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
