"""
JSON (RFC 8259), strictly: no duplicate keys, no ``NaN``, no number that overflows.

The standard parser does the work.  Positions are found by a second pass, and only for a text that
has a fault or whose positions somebody asks for.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Iterable, Iterator

from pushctl.documents.document import Document, Marks, Offsets
from pushctl.documents.lines import Lines
from pushctl.documents.problems import MAX_DEPTH, MAX_DIGITS, Problems
from pushctl.outcome import JsonValue

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\]:,"]+', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_FAULTS = {
    "Expecting value": "a value is expected here",
    "Expecting property name enclosed in double quotes": 'a key in "double quotes" is expected',
    "Expecting ':' delimiter": "a ':' is expected between key and value",
    "Expecting ',' delimiter": "a ',' is expected between items",
    "Extra data": "the JSON value is complete here; nothing may follow",
    "Unterminated string starting at": "this text has no closing quote",
    "Invalid control character at": "a raw control character may not stand inside a text",
    "Illegal trailing comma before end of object": "a ',' may not stand before '}'",
    "Illegal trailing comma before end of array": "a ',' may not stand before ']'",
}
"""The standard library's words for a fault, and ours."""


def parse(text: str, file: str, lines: Lines) -> Document:
    """Parse *text* into a document; raise :class:`InvalidInput` with all that is wrong."""
    problems = Problems(file, lines)
    suspicion = _Suspicion()
    value = _decode(text, problems, suspicion)
    if suspicion.raised or _SURROGATE_ESCAPE.search(text):
        _report(text, problems)
        problems.raise_if_any()
    root = _SPACE.match(text)
    assert root is not None
    return Document(value, file, lines, Marks(root.end(), lambda: _offsets(text, value)))


class _Suspicion:
    """
    Hooks of the standard parser that see what it lets pass, though not where it stands.

    Whatever raises the flag is then found, with its position, by the second pass.
    """

    def __init__(self) -> None:
        self.raised = False

    def pairs(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        """Build an object and notice a key that occurs twice."""
        built = dict(pairs)
        self.raised |= len(built) != len(pairs)
        return built

    def constant(self, _name: str) -> None:
        """Notice ``NaN``, ``Infinity`` and ``-Infinity``, which are no JSON."""
        self.raised = True

    def number(self, digits: str) -> float:
        """Convert a number with a fraction or exponent, and notice one that overflows."""
        value = float(digits)
        self.raised |= math.isinf(value)
        return value


def _decode(text: str, problems: Problems, suspicion: _Suspicion) -> JsonValue:
    if not text.strip(" \t\r\n"):
        problems.fail(0, "this is empty; a JSON value is expected")
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=suspicion.pairs,
            parse_constant=suspicion.constant,
            parse_float=suspicion.number,
        )
    except json.JSONDecodeError as error:
        offset, message = _fault(text, error)
        problems.fail(offset, f"invalid JSON: {message}", _fault_hint(text, offset))
    except RecursionError:
        _report(text, problems)
        problems.fail(0, f"lists and maps are nested more than {MAX_DEPTH} deep")
    except ValueError:  # a whole number with too many digits
        suspicion.raised = True
        value = None
    if not suspicion.raised and _depth_exceeds(value, MAX_DEPTH):
        _report(text, problems)
    return value


def _fault(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    words = _FAULTS.get(error.msg, error.msg[:1].lower() + error.msg[1:])
    before = text[: error.pos].rstrip()
    if error.msg.startswith("Expecting property name") and before.endswith(","):
        # Python 3.13 has its own words for it; say the same on every version.
        return len(before) - 1, "a ',' may not stand before '}'"
    return min(error.pos, len(text)), words


def _fault_hint(text: str, offset: int) -> str | None:
    if text.startswith(("//", "/*", "#"), offset):
        return "JSON has no comments; YAML has"
    if text.startswith("'", offset):
        return 'JSON text stands in "double quotes"'
    for python_word, word in (("True", "true"), ("False", "false"), ("None", "null")):
        if text.startswith(python_word, offset):
            return f"JSON spells it {word}"
    return None


def _depth_exceeds(value: JsonValue, limit: int) -> bool:
    level: list[JsonValue] = [value]
    for _ in range(limit):
        inner: list[JsonValue] = []
        for item in level:
            if isinstance(item, (dict, list)):
                inner.extend(_items(item))
        if not inner:
            return False
        level = inner
    return any(isinstance(item, (dict, list)) for item in level)


def _report(text: str, problems: Problems) -> None:
    """Walk the tokens of *text* and note everything that the standard parser lets pass."""
    # One entry for each open container: where each key of a map stands, or None for a list.
    open_containers: list[dict[str, int] | None] = []
    key_expected = False
    for token in _TOKEN.finditer(text):
        word, offset = token.group(), token.start()
        if word in "}]":
            if open_containers:
                open_containers.pop()
            key_expected = bool(open_containers) and open_containers[-1] is not None
        elif word in "{[":
            open_containers.append({} if word == "{" else None)
            key_expected = word == "{"
            if len(open_containers) > MAX_DEPTH:
                problems.fail(offset, f"lists and maps are nested more than {MAX_DEPTH} deep")
        elif key_expected:
            keys = open_containers[-1]
            assert keys is not None
            _report_key(word, offset, keys, problems)
            key_expected = False
        else:
            _report_scalar(word, offset, problems)
            key_expected = bool(open_containers) and open_containers[-1] is not None


def _report_key(word: str, offset: int, keys: dict[str, int], problems: Problems) -> None:
    key = _text(word)
    if _LONE_SURROGATE.search(key):
        problems.add(offset, "this key holds half of a surrogate pair, which is no character")
    if key in keys:
        first = problems.line_of(keys[key])
        problems.add(offset, f"the key {key!r} occurs twice", f"the first is on line {first}")
    else:
        keys[key] = offset


def _report_scalar(word: str, offset: int, problems: Problems) -> None:
    if word[0] == '"':
        if _LONE_SURROGATE.search(_text(word)):
            problems.add(offset, "this text holds half of a surrogate pair, which is no character")
    elif word.lstrip("-") in ("NaN", "Infinity"):
        problems.add(offset, f"{word} is not JSON", "JSON has no such number; use null or a text")
    elif word[-1].isdigit():
        if word.lstrip("-").isdigit():
            if len(word.lstrip("-")) > MAX_DIGITS:
                problems.add(offset, f"a number may have at most {MAX_DIGITS} digits")
        elif math.isinf(float(word)):
            problems.add(offset, "this number is too large")


def _text(word: str) -> str:
    """Return the text that a quoted token stands for."""
    return str(json.loads(word, strict=False))


def _offsets(text: str, value: JsonValue) -> Offsets:
    """Return where every value of a well-formed *text* stands."""
    found: Offsets = {}
    offsets: array[int] = array("L")
    items: Iterator[JsonValue] = iter((value,))
    in_map = False
    stack: list[tuple[array[int], Iterator[JsonValue], bool]] = []
    for token in _TOKEN.finditer(text):
        start = token.start()
        first = text[start]
        if first in "}]":
            offsets, items, in_map = stack.pop()
            continue
        offsets.append(start)
        if in_map and len(offsets) % 2:
            continue  # a key
        item = next(items)
        if first in "{[":
            stack.append((offsets, items, in_map))
            in_map = isinstance(item, dict)
            offsets = found[id(item)] = array("L")
            items = iter(_items(item))
    return found


def _items(container: JsonValue) -> Iterable[JsonValue]:
    assert isinstance(container, (dict, list))  # as the bracket says
    return container.values() if isinstance(container, dict) else container
