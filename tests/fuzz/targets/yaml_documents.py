"""
YAML, as config, messages and profiles are written in.

What is accepted is what another reading of the same events makes of it, by the core schema of YAML
1.2; what that reading finds sound (one document, plain keys that are texts, no tag, no bomb) is
accepted; every value has a place in the text, and nothing raises but a refusal with its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

from fuzz import kit
from pushctl.documents import Document, load
from pushctl.documents.problems import MAX_DEPTH

EXECUTIONS = 30_000
FILE = "f.yaml"
WORDS = (
    *(b"profiles:\n  - id: anna\n", b"consent: true", b"tokens:\n      - {platform: ios, token: "),
    *(
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!str ",
        b"? ",
        b"- ",
        b": ",
        b"|\n  ",
        b">-\n  ",
        b"--- ",
        b"...",
    ),
    *(b"0x1F", b"0o17", b"1e3", b".inf", b".NaN", b"~", b"null", b"True", b'"\\ud800"', b"'it''s'"),
    *(
        b"{a: 1, b: [x, y]}",
        b"\n\t",
        b"# x\n",
        b"%YAML 1.2\n",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"{{ x }}",
    ),
)


class _Unsound(Exception):
    """The other reading finds something that is to be refused."""


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    try:
        with kit.refusals(FILE):
            document = load(data, FILE, kind="yaml", max_bytes=1 << 16)
    except kit.Refused as refused:
        if not _may_be_refused(data):
            kit.must_not_be(refused)
        return
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    assert _read(text) == document.value
    _check_places(document, text)


def seeds() -> Iterator[bytes]:
    """Yield files as people write them."""
    root = kit.HERE.parent.parent
    yield (root / "profiles.example.yaml").read_bytes()[:1_000]
    yield b"credentials:\n  shop:\n    service: apns\n    key_file: AuthKey_ABC123DEFG.p8\n"
    yield b"&a key: *a\nb: &x [1, &x 2, *x, {*a : &y {k: v}}]\nc: *x\nd: *y\n"
    yield b"a: &x [1, 0x1f, 0o7, 1.5, ~, yes, No]\nb: *x\nc: |\n  text\n  more\n? d\n: 'it''s'\n"


def _may_be_refused(data: bytes) -> bool:
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        _read(text)
    except (_Unsound, UnicodeDecodeError, yaml.YAMLError):
        return True
    return False


def _read(text: str) -> Any:
    """Return what the events say, by the core schema; raise where that is unsound."""
    events = iter(list(yaml.parse(text, Loader=yaml.CSafeLoader)))
    documents = [
        _value(next(events), events, {}, 0)
        for event in events
        if isinstance(event, yaml.DocumentStartEvent)
    ]
    if len(documents) > 1:
        raise _Unsound("two documents")
    return documents[0] if documents else None


_OPEN = object()
"""What an anchor means while its value is being read."""


def _value(
    event: yaml.Event, events: Iterator[yaml.Event], anchors: dict[str, Any], depth: int
) -> Any:
    """Return the value that begins with *event*; an anchor means the last of its name so far."""
    name = event.anchor
    if isinstance(event, yaml.AliasEvent):
        found = anchors.get(name, _OPEN)
        if found is _OPEN:
            raise _Unsound("an alias of nothing, or of what it is part of")
        return found
    if event.tag is not None or depth > MAX_DEPTH:
        raise _Unsound("a tag, or too deep")
    if isinstance(event, yaml.ScalarEvent):
        value = _scalar(event)
        if name is not None:
            anchors[name] = value
        return value
    if name is not None:
        anchors[name] = _OPEN
    container: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
    for inner in events:
        if isinstance(inner, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            break
        value = _value(inner, events, anchors, depth + 1)
        if isinstance(container, list):
            container.append(value)
            continue
        plain = isinstance(inner, yaml.ScalarEvent) and inner.style not in {*"'\"|>"}
        if not isinstance(value, str) or value in container or (plain and value == "<<"):
            raise _Unsound(f"the key {value!r}")
        container[value] = _value(next(events), events, anchors, depth + 1)
    if name is not None and anchors[name] is _OPEN:  # else one inside took its name
        anchors[name] = container
    return container


def _scalar(event: yaml.ScalarEvent) -> Any:
    """Return the meaning of a scalar, told by trying what Python makes of it."""
    text = event.value
    if event.style in {*"'\"|>"}:
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise _Unsound("half a character")
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    if unsigned in (".inf", ".Inf", ".INF") or text in (".nan", ".NaN", ".NAN"):
        raise _Unsound(text)
    if not text.isascii() or "_" in text or text != text.strip():
        return text  # int() and float() take more than YAML does
    for prefix, base in (("0o", 8), ("0x", 16)):
        if text.startswith(prefix):
            return _int(text[2:], base, text)
    if unsigned.isdigit():
        if len(text) > 4_300:
            raise _Unsound("a long number")
        return int(text)
    return _float(text, unsigned)


def _int(digits: str, base: int, text: str) -> Any:
    known = "0123456789abcdef"[:base]
    return int(digits, base) if digits and not digits.lower().strip(known) else text


def _float(text: str, unsigned: str) -> Any:
    if unsigned[:1] not in {*"0123456789."}:
        return text  # inf, nan and words
    try:
        value = float(text)
    except ValueError:
        return text
    if math.isinf(value) or len(text) > 4_300:
        raise _Unsound("a large number")
    return value


def _check_places(document: Document, text: str) -> None:
    """Every value has a place, and a key of a map stands where it is said to stand."""
    lines = document.lines
    paths: list[tuple[str | int, ...]] = [()]
    for _ in range(200):  # aliases may make more of them than there are bytes
        if not paths:
            return
        path = paths.pop()
        node: Any = document.value
        for step in path:
            node = node[step]
        for is_key in (False, True):
            place = document.place(path, key=is_key)
            assert place.line is not None
            assert place.column is not None
            assert 1 <= place.line <= len(lines)
            assert 1 <= place.column <= len(lines[place.line - 1]) + 1
        if isinstance(node, dict):
            paths += [(*path, name) for name in node]
        elif isinstance(node, list):
            paths += [(*path, index) for index in range(len(node))]
