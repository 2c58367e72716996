"""
Token files of one JSON object a line.

Each line is a row: the object that ``json.loads`` finds in it, or a fault where that finds none or
something that cannot be used.  One file in a few goes the way of a large one as well, through
DuckDB, and gives the same recipients.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from typing import Any

from audience.kit import DEVICES, REGISTRATION, check_same
from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import InMemory, folder
from pushctl.audience.jsonlines import holds_profiles, open_token_objects
from pushctl.audience.row import KNOWN_COLUMNS, Row
from pushctl.outcome import Platform

EXECUTIONS = 10_000
LARGE_WAY = 200
"""One in so many files goes the way of a large one."""
_FOLDER = folder("objects")
WORDS = (
    *(b'{"token":"', b'"service":"apns"', b'"platform":"ios"', b'"profile":"a"', b'"consent":true'),
    *(b'"environment":"sandbox"', b'"topic":"', b'"registered_at":"2026-10-01T08:00:00Z"', b"}\n"),
    *(b'"first_name":"Zo\\u00eb"', b'"orders":7', b"null", b"1e400", b"-0", b"NaN", b"\\ud800"),
    *(b'"schema":1', b'"event":"Bounced push"', b'"tokens":[{"token":"', b"\xef\xbb\xbf", b"\r\n"),
    *(
        b"[[",
        b"]]",
        b'"a":{"b":1}',
        b"\\u0000",
        b"9007199254740993",
        b"12345678901234567890",
        b"\x1f",
    ),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    platform = draw.pick((None, *Platform))
    text = draw.rest()
    content = InMemory(text)
    try:
        with kit.refusals(InMemory.shown):
            holds_profiles(content)  # type: ignore[arg-type]
            source = open_token_objects(content)  # type: ignore[arg-type]
            rows = list(source)
    except kit.Refused:
        return
    lines = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8").split("\n")
    lines = [line for line in lines if line.strip()]
    assert source.rows == len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        _check_row(row, line)
    if rows and kit.is_sampled(text, LARGE_WAY):
        _check_large(text, platform)


def seeds() -> Iterator[bytes]:
    """Yield lists as people have them."""
    one = {"token": DEVICES[0], "platform": "ios", "consent": True, "orders": 7, "first_name": "A"}
    two = {"token": REGISTRATION, "service": "fcm", "consent": False, "list": [1, {"a": None}]}
    lines = json.dumps(one).encode() + b"\n" + json.dumps(two).encode() + b"\n"
    yield b"\x01" + lines
    yield b"\x02" + lines
    yield b"\x02" + lines + b'{"token":\n[]\n\n{"token":"ab12","a":1e400}'


def _check_row(row: Row, line: str) -> None:
    value = _read(line)
    if value is None:
        assert row.fault is not None
        assert not row.values
        return
    if {"schema", "event"} <= value.keys():
        return  # one of our own records, of which more is known
    assert row.fault is None, row.fault
    known = {name: given for name, given in value.items() if name in KNOWN_COLUMNS}
    others = {
        name: given
        for name, given in value.items()
        if name not in KNOWN_COLUMNS and given is not None
    }
    assert json.dumps(known) == json.dumps(row.values)
    assert json.dumps(others) == json.dumps(row.attributes)
    assert row.no_consent is not None or "consent" not in value or value["consent"] is True


def _read(line: str) -> dict[str, Any] | None:
    """Return the object on *line*; ``None`` where there is none, or one that cannot be used."""

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(given)) != len(given):
            raise ValueError("twice")
        return dict(given)

    def number(digits: str) -> float:
        if math.isinf(float(digits)):
            raise ValueError("too large")
        return float(digits)

    def constant(_: str) -> None:
        raise ValueError("no JSON")

    try:
        value = json.loads(
            line, object_pairs_hook=pairs, parse_float=number, parse_constant=constant
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _depth(value) <= 64 else None


def _depth(value: Any) -> int:
    if not isinstance(value, (dict, list)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0)


def _check_large(data: bytes, platform: Platform | None) -> None:
    place = _FOLDER / "large"
    place.mkdir(parents=True)
    try:
        (place / "list.jsonl").write_bytes(data)
        check_same(place, token_files=[place / "list.jsonl"], platform=platform)
    finally:
        shutil.rmtree(place)
