"""
YAML 1.2 with the core schema (YAML 1.2.2 §10.3), strictly.

``yes``, ``no``, ``on`` and dates are text.  PyYAML provides the events (libyaml's, or its own
where libyaml is missing); what they mean is decided here, without recursion.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable
from typing import NoReturn

import yaml

from pushctl.documents.document import Document, Marks, Offsets
from pushctl.documents.lines import Lines
from pushctl.documents.problems import MAX_DEPTH, MAX_DIGITS, Problems
from pushctl.outcome import JsonValue

MAX_ALIAS_CHARACTERS = 4 * 2**20
"""How much text all aliases of a document together may stand for: the guard against a small file
that expands without end."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# YAML 1.2.2 §5.1.  Looked for beforehand because libyaml reports it without a position.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o([0-7]+)")
_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAYBE_NO_TEXT = frozenset("-+.0123456789nNtTfF~")

_EXPLICIT_STYLES = frozenset("'\"|>")

_PLACEHOLDER_HINT = 'text that begins with {{ must be quoted: "{{ first_name }}"'


def parse(text: str, file: str, lines: Lines, *, loader: type | None = None) -> Document:
    """
    Parse *text* into a document; raise :class:`InvalidInput` with all that is wrong.

    *loader* is a PyYAML loader class: libyaml's by default, where it is there.
    """
    problems = Problems(file, lines)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        problems.fail(
            unprintable.start(),
            f"YAML text may not hold the character U+{ord(unprintable.group()):04X}",
            'write it as an escape in "double quotes"',
        )
    builder = _Builder(text, problems)
    builder.run(yaml.parse(text, Loader=loader or _loader()))
    problems.raise_if_any()
    return Document(builder.value, file, lines, Marks(builder.root, lambda: builder.offsets))


def _loader() -> type:
    return yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def _offset(event: yaml.Event) -> int:
    mark = event.start_mark
    assert mark is not None  # both parsers mark every event
    return int(mark.index)


class _Frame:
    """A list or map that is still open."""

    __slots__ = ("anchor", "container", "key", "key_expected", "offset", "offsets", "weight")

    def __init__(
        self,
        container: dict[str, JsonValue] | list[JsonValue],
        offset: int,
        offsets: array[int],
        anchor: str | None,
    ) -> None:
        self.container = container
        self.offset = offset
        self.offsets = offsets
        self.anchor = anchor
        self.key = ""
        self.key_expected = isinstance(container, dict)
        self.weight = 1
        """Characters that the container stands for, aliases expanded."""


class _Builder:
    """Turns parser events into plain values, offsets and problems."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.value: JsonValue = None
        self.root = 0
        self.offsets: Offsets = {}
        self._text = text
        self._problems = problems
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[JsonValue, int]] = {}
        self._documents = 0
        self._alias_characters = 0

    def run(self, events: Iterable[yaml.Event]) -> None:
        """Consume all events of one text."""
        try:
            for event in events:
                self._take(event)
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        except yaml.YAMLError as error:
            # The reader's errors carry no mark; the check before the parse leaves none of them.
            self._problems.fail(0, f"invalid YAML: {error}")

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open({}, event)
            case yaml.SequenceStartEvent():
                self._open([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._problems.fail(
                        _offset(event),
                        "a second YAML document begins here; one is expected",
                        "remove the '---' line, or split the file",
                    )
            case _:
                pass  # stream start and end, document end

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        offset, text = _offset(event), event.value
        self._refuse_tag(event.tag, offset)
        plain = event.style not in _EXPLICIT_STYLES
        value: JsonValue = self._resolve(text, offset) if plain else text
        if event.style == '"' and _LONE_SURROGATE.search(text):
            self._problems.add(offset, "this text holds half of a surrogate pair")
        if event.anchor is not None:
            self._anchors[event.anchor] = value, len(text) + 1
        if self._frames and self._frames[-1].key_expected:
            self._key(value, text, plain, offset)
            return
        self._put(value, offset, len(text) + 1)

    def _key(self, value: JsonValue, text: str, plain: bool, offset: int) -> None:
        """Take *value* as the next key of the open map."""
        frame = self._frames[-1]
        frame.key_expected = False
        if not isinstance(value, str):
            self._problems.add(
                offset, f"a key must be text, and {text or 'null'} is not", "quote it"
            )
        elif plain and text == "<<":
            self._problems.add(
                offset, "'<<' (merge) is not part of YAML 1.2", "write the fields out"
            )
        elif text in frame.container:
            assert isinstance(frame.container, dict)
            first = frame.offsets[2 * list(frame.container).index(text)]
            self._problems.add(
                offset,
                f"the key {text!r} occurs twice",
                f"the first is on line {self._problems.line_of(first)}",
            )
            text = f"\0{offset}"  # keeps values and offsets in step; never seen by anyone
        frame.key = text
        frame.offsets.append(offset)
        frame.weight += len(text) + 1

    def _put(self, value: JsonValue, offset: int, weight: int) -> None:
        """Place a value where the open container, or the document, expects one."""
        if not self._frames:
            self.value, self.root = value, offset
            return
        frame = self._frames[-1]
        frame.offsets.append(offset)
        frame.weight += weight
        if isinstance(frame.container, dict):
            frame.container[frame.key] = value
            frame.key_expected = True
        else:
            frame.container.append(value)

    def _open(
        self,
        container: dict[str, JsonValue] | list[JsonValue],
        event: yaml.MappingStartEvent | yaml.SequenceStartEvent,
    ) -> None:
        offset = _offset(event)
        self._refuse_tag(event.tag, offset)
        if self._frames and self._frames[-1].key_expected:
            self._container_as_key(offset)
        if len(self._frames) >= MAX_DEPTH:
            self._problems.fail(offset, f"lists and maps are nested more than {MAX_DEPTH} deep")
        self._put(container, offset, 0)
        offsets = self.offsets[id(container)] = array("L")
        self._frames.append(_Frame(container, offset, offsets, event.anchor))
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)

    def _close(self) -> None:
        frame = self._frames.pop()
        if self._frames:
            self._frames[-1].weight += frame.weight
        # An anchor of the same name inside is the later one, and stands.
        if frame.anchor is not None and frame.anchor not in self._anchors:
            self._anchors[frame.anchor] = frame.container, frame.weight

    def _alias(self, event: yaml.AliasEvent) -> None:
        offset, name = _offset(event), event.anchor
        if name not in self._anchors:
            inside = any(frame.anchor == name for frame in self._frames)
            why = "refers to what it is part of" if inside else "has no anchor before it"
            self._problems.fail(offset, f"the alias *{name} {why}")
        value, weight = self._anchors[name]
        self._alias_characters += weight
        if self._alias_characters > MAX_ALIAS_CHARACTERS:
            self._problems.fail(
                offset, "the aliases of this file expand to more than a file may hold"
            )
        if self._frames and self._frames[-1].key_expected:
            if not isinstance(value, str):
                self._problems.fail(offset, f"a key must be text, and *{name} is not")
            self._key(value, value, False, offset)
            return
        self._put(value, offset, weight)

    def _container_as_key(self, offset: int) -> NoReturn:
        # What follows would be nonsense to the reader: stop here.
        braces = self._text.startswith("{", offset)
        self._problems.fail(
            offset,
            "a map or list cannot be a key",
            _PLACEHOLDER_HINT if braces else None,
        )

    def _refuse_tag(self, tag: str | None, offset: int) -> None:
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._problems.add(
                offset, f"tags such as {shown} are not accepted", "to make it text, quote the value"
            )

    def _resolve(self, text: str, offset: int) -> JsonValue:
        """Return what an unquoted scalar means in the core schema."""
        if text and text[0] not in _MAYBE_NO_TEXT:
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        return self._number(text, offset)

    def _number(self, text: str, offset: int) -> JsonValue:
        if len(text) > MAX_DIGITS and _FLOAT.fullmatch(text):
            self._problems.add(offset, f"a number may have at most {MAX_DIGITS} digits")
            return None
        if _DECIMAL.fullmatch(text):
            return int(text)
        if match := _OCTAL.fullmatch(text):
            return int(match.group(1), 8)
        if match := _HEXADECIMAL.fullmatch(text):
            return int(match.group(1), 16)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if math.isinf(value):
                self._problems.add(offset, "this number is too large", "to make it text, quote it")
            return value
        if _NOT_FINITE.fullmatch(text):
            self._problems.add(
                offset, f"{text} is no number that a push can carry", "to make it text, quote it"
            )
        return text

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> NoReturn:
        mark, message = error.problem_mark, error.problem or "cannot be read"
        if error.context_mark is not None and (mark is None or "end of stream" in message):
            # An open quote is noticed at the end of the file; where it opens is what helps.
            mark = error.context_mark
        offset = min(mark.index, len(self._text)) if mark is not None else 0
        context = f" ({error.context})" if error.context else ""
        self._problems.fail(
            offset, f"invalid YAML: {message}{context}", self._syntax_hint(message, offset)
        )

    def _syntax_hint(self, message: str, offset: int) -> str:
        line_start = self._text.rfind("\n", 0, offset) + 1
        line = self._text[line_start:].partition("\n")[0]
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return "YAML is indented with spaces, never with tabs"
        if self._text.startswith(("@", "`", "%"), offset):
            return f"text that begins with {self._text[offset]} must be quoted"
        if "{{" in line:
            return _PLACEHOLDER_HINT
        if "mapping values are not allowed" in message:
            return "text that contains ': ' must be quoted; or is the indentation wrong?"
        if "could not find expected ':'" in message:
            return "is a ':' missing, or is the indentation wrong?"
        return "is a bracket, brace or quote before this place not closed?"
