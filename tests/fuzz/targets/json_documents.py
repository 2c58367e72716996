"""
JSON documents: service accounts, payloads, messages and profiles.

What is accepted is what ``json.loads`` makes of it, and every value stands where it is said to
stand; what ``json.loads`` accepts is accepted but for what is to be refused: keys that occur twice,
numbers that overflow, what is no JSON, halves of characters and bottomless nesting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from fuzz import kit
from pushctl.documents import Document, load
from pushctl.documents.problems import MAX_DEPTH
from pushctl.errors import Place

EXECUTIONS = 100_000
FILE = "f.json"
WORDS = (
    *(b'{"a":', b'"\\u00e9"', b'"\\ud83d\\ude00"', b'"\\ud800"', b"1e999", b"-0", b"1E-3", b"[[[["),
    *(b"NaN", b"-Infinity", b"null", b"true", b"false", b'"a":1,"a":2', b"\xef\xbb\xbf", b"// x"),
    *(b"\r\n", b"\\u0061", b"9999999999999999999999", b'"\\"\\\\\\/\\n"', b"{}", b"[]", b"0.1"),
)


class _Unsound(ValueError):
    """The standard library reads it, and it is to be refused."""


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    try:
        with kit.refusals(FILE):
            document = load(data, FILE, kind="json", max_bytes=1 << 16)
    except kit.Refused as refused:
        if _is_sound(data):
            kit.must_not_be(refused)
        return
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    assert json.dumps(json.loads(text)) == json.dumps(document.value)
    _check_places(document, text)


def seeds() -> Iterator[bytes]:
    """Yield documents as people write them."""
    samples = json.loads((kit.HERE.parent / "fixtures/messages/requests.json").read_bytes())
    for request in samples["requests"][:8]:
        yield json.dumps(request["body"], indent=1).encode()[:1_000]
    yield b'{"type":"service_account","n":[0,-1,1.5,1e3,true,false,null,"\\u00e9\\n"]}'


def _is_sound(data: bytes) -> bool:
    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(given)) != len(given):
            raise _Unsound
        return dict(given)

    def constant(_: str) -> None:
        raise _Unsound

    def number(digits: str) -> float:
        if math.isinf(float(digits)):
            raise _Unsound
        return float(digits)

    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return False
    return _depth(value) <= MAX_DEPTH


def _depth(value: Any) -> int:
    if not isinstance(value, (dict, list)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0)


def _check_places(document: Document, text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = _starts(text)
    decoder = json.JSONDecoder()

    def at(place: Place) -> int:
        assert place.line is not None
        assert place.column is not None
        assert place.column <= len(lines[place.line - 1]) + 1
        return starts[place.line - 1] + place.column - 1

    def look(path: tuple[str | int, ...], value: Any) -> None:
        read, _ = decoder.raw_decode(text, at(document.place(path)))
        assert json.dumps(read) == json.dumps(value)
        if path and isinstance(path[-1], str):
            name, _ = decoder.raw_decode(text, at(document.place(path, key=True)))
            assert name == path[-1]
        items = value.items() if isinstance(value, dict) else ()
        items = enumerate(value) if isinstance(value, list) else items
        for step, inner in items:
            look((*path, step), inner)

    look((), document.value)


def _starts(text: str) -> list[int]:
    """Return where each line of *text* begins; lines end as in editors."""
    starts = [0]
    for at, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[at + 1 : at + 2] != "\n"):
            starts.append(at + 1)
    return starts
