"""
``--where``: one SQL expression over the attributes, and nothing but that.

An expression is compiled or refused with its place; what is compiled is true or false of anybody,
the same each time but for the clock, and reaches no file.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

from fuzz import kit
from pushctl.audience.engine import Engine
from pushctl.audience.segment import compile_segment

EXECUTIONS = 6_000
MAX_BYTES = 300
NAMES = frozenset(("orders", "city", "vip", "born", "tags", "odd 'na\"me", "a/b~"))
PEOPLE = (
    {"orders": "7", "city": "Bonn", "vip": "true", "born": "2000-01-01", "tags": "[1]"},
    {"orders": 7, "city": None, "vip": True, "born": "soon", "tags": ["a", 1], "a/b~": {"k": 1}},
    {"orders": "1e400", "city": "'\"\\", "odd 'na\"me": "\ud83d\ude00"},
    {},
    None,
)
WORDS = (
    *(b"orders", b"city", b"vip", b"born", b"tags", b'"odd \'na""me"', b"a/b~"),
    *(b" > ", b" = ", b" AND ", b" OR ", b"NOT ", b" IS NULL", b" IN (", b" BETWEEN ", b" LIKE "),
    *(b"'Bonn'", b"::INTEGER", b"::DATE", b"CAST(", b" AS ", b"CASE WHEN ", b" THEN ", b" END"),
    *(b"lower(", b"length(", b"regexp_matches(", b"read_text('/etc/passwd')", b"(SELECT 1)", b"*"),
    *(b"now()", b"date_diff('day', ", b"INTERVAL 1 DAY", b"[1]", b"{'a': 1}", b"-- ", b"/*", b"; "),
    *(
        b"getenv('HOME')",
        b"COLLATE",
        b"$1",
        b"?",
        b"x -> x",
        b"struct_pack",
        b"coalesce(",
        b"->>'$.k'",
    ),
)


@functools.cache
def _engine() -> Engine:
    return Engine(memory_limit="64MB")


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    expression = data.decode("utf-8", "replace")
    engine = _engine()
    try:
        with kit.refusals("--where"):
            sql = compile_segment(engine, expression, NAMES)
    except kit.Refused:
        return
    texts = [None if person is None else json.dumps(person) for person in PEOPLE]
    asked = f"SELECT {sql} FROM (SELECT unnest(?::VARCHAR[]) AS attributes)"
    answers = [answer for (answer,) in engine.all(asked, [texts])]
    assert len(answers) == len(PEOPLE)
    assert {*answers} <= {True, False}


def seeds() -> Iterator[bytes]:
    """Yield expressions as people write them."""
    yield b"orders > 5 AND city = 'Bonn'"
    yield b"lower(city) LIKE 'b%' OR vip"
    yield b"date_diff('day', born::DATE, now()::TIMESTAMP) > 365"
    yield b"CASE WHEN orders IN (1, 7) THEN vip ELSE tags IS NULL END"
    yield b"orders + 1 BETWEEN 2 AND 9 AND regexp_matches(city, '^[A-B]')"
