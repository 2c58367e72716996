"""JSON, strict, with positions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.documents import Document, load
from pushctl.errors import InvalidInput, Place, Problem


def read(text: str, first_line: int = 1) -> Document:
    """Load JSON text."""
    return load(text.encode(), "f.json", kind="json", max_bytes=2**24, first_line=first_line)


def problems(text: str) -> list[Problem]:
    """Return the problems of text that must be refused."""
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (1, 1), "this is empty; a JSON value is expected"),
        ('{"a": 1,\n "a": 2}', (2, 2), "the key 'a' occurs twice"),
        ('{"a": 1, "\\u0061": 2}', (1, 10), "the key 'a' occurs twice"),
        ('{"a": 1,}', (1, 8), "invalid JSON: a ',' may not stand before '}'"),
        ('{"a" 1}', (1, 6), "invalid JSON: a ':' is expected between key and value"),
        ('["a" 1]', (1, 6), "invalid JSON: a ',' is expected between items"),
        ("{a: 1}", (1, 2), 'invalid JSON: a key in "double quotes" is expected'),
        ("1 2", (1, 3), "invalid JSON: the JSON value is complete here; nothing may follow"),
        ('["x', (1, 2), "invalid JSON: this text has no closing quote"),
        ('["a\tb"]', (1, 4), "invalid JSON: a raw control character may not stand inside a text"),
        ('["\\x"]', (1, 3), "invalid JSON: invalid \\escape"),
        ("[NaN]", (1, 2), "NaN is not JSON"),
        ("[-Infinity]", (1, 2), "-Infinity is not JSON"),
        ("[1, -1e999]", (1, 5), "this number is too large"),
        ("[" + "9" * 4301 + "]", (1, 2), "a number may have at most 4300 digits"),
        ('["\\ud800"]', (1, 2), "this text holds half of a surrogate pair, which is no character"),
        (
            '{"\\udc00": 1}',
            (1, 2),
            "this key holds half of a surrogate pair, which is no character",
        ),
        ("[" * 101 + "]" * 101, (1, 101), "lists and maps are nested more than 100 deep"),
        ('{"a":' * 101 + "1" + "}" * 101, (1, 501), "lists and maps are nested more than 100 deep"),
        ("[" * 100_000, (1, 101), "lists and maps are nested more than 100 deep"),
        (" " * 300 + '{"a":1,"a":2}' + " " * 300, (1, 308), "the key 'a' occurs twice"),
    ],
)
def test_refusals(text: str, place: tuple[int, int], message: str) -> None:
    """What is refused is pointed at and put into words."""
    (problem,) = problems(text)

    assert Place("f.json", *place) == problem.place
    assert message == problem.message.partition(":  ")[0].rstrip(": ")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("// x\n{}", "JSON has no comments; YAML has"),
        ("{'a': 1}", 'JSON text stands in "double quotes"'),
        ('{"a": True}', "JSON spells it true"),
        ('{"a": None}', "JSON spells it null"),
        ('{"a": x}', None),
    ],
)
def test_hints(text: str, hint: str | None) -> None:
    """The usual slips get the usual advice, and only they."""
    assert [hint] == [problem.hint for problem in problems(text)]


def test_all_that_parses_is_judged_at_once() -> None:
    """Duplicates, numbers and surrogates are reported together, in order."""
    found = problems('{"a": NaN, "b": [1e999, {"c": 1, "c": "\\ud800"}], "a": 1}')

    assert [7, 18, 34, 39, 51] == [p.place.column for p in found if p.place]


def test_a_long_number_hides_what_follows() -> None:
    """A text whose parse broke off at a long number is judged up to its end all the same."""
    assert 1 == len(problems("[" + "9" * 5000 + "]]"))


def test_running_out_of_stack_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the parser itself gives up on nesting, that is an error of the file."""

    def give_up(*_: object, **__: object) -> object:
        raise RecursionError

    monkeypatch.setattr(json, "loads", give_up)

    assert ["lists and maps are nested more than 100 deep"] == [p.message for p in problems("[]")]


def test_ordinary_escapes_pass() -> None:
    """Surrogate pairs and escaped backslashes are no fault."""
    assert ["🎉", "\\ud800"] == read('["\\ud83c\\udf89", "\\\\ud800"]').value


def test_a_hundred_levels_are_fine() -> None:
    """The bound on nesting is a hundred, not one less."""
    assert read("[" * 100 + "]" * 100).value


def test_places() -> None:
    """Values and keys are found; what is absent is placed at its nearest parent."""
    document = read('{\n "a": [1, {"b": "\\u00e9", "c": []}],\n "d": null\n}')

    assert Place("f.json", 2, 17) == document.place(["a", 1, "b"])
    assert Place("f.json", 2, 12) == document.place(["a", 1, "b"], key=True)
    assert Place("f.json", 2, 32) == document.place(["a", 1, "c"])
    assert Place("f.json", 2, 32) == document.place(["a", 1, "c", 0])
    assert Place("f.json", 2, 7) == document.place(["a", 7])
    assert Place("f.json", 2, 7) == document.place(["a", "x"])
    assert Place("f.json", 3, 7) == document.place(["d", "x"])
    assert Place("f.json", 1, 1) == document.place([])
    assert Place("f.json", 1, 1) == document.place(["zz"])


def test_a_line_of_a_larger_file_keeps_its_number() -> None:
    """A record of a JSON Lines file is placed in that file."""
    document = read(' {"a": 1}', first_line=41)

    assert Place("f.json", 41, 8) == document.place(["a"])
    assert ' {"a": 1}' == document.problem(["a"], "x").source_line


def test_a_document_made_by_hand_has_no_places() -> None:
    """Without source the file alone is named."""
    document = Document({"a": 1}, "f.json", [])
    problem = document.problem(["a"], "wrong", hint="h")

    assert Problem("wrong", Place("f.json"), "h", None) == problem


@given(JSON_VALUES)
def test_round_trip(value: object) -> None:
    """What the standard library dumps comes back, whatever the indentation."""
    assert value == read(json.dumps(value, indent=1)).value
    assert value == read(json.dumps(value, ensure_ascii=False)).value


@given(JSON_VALUES)
def test_every_value_has_its_place(value: object) -> None:
    """The text at each place begins the value that is there."""
    text = json.dumps(value)
    document = read(text)

    def check(node: object, path: list[str | int]) -> None:
        place = document.place(path)
        assert place.column is not None
        assert text[place.column - 1 :].startswith(json.dumps(node))
        if isinstance(node, dict):
            for key, item in node.items():
                check(item, [*path, key])
        elif isinstance(node, list):
            for index, item in enumerate(node):
                check(item, [*path, index])

    check(value, [])


@given(st.text(st.sampled_from('ab:{}[],"\\u d8001eN-.tfn\n'), max_size=25))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is a value or InvalidInput with a place, never another exception."""
    found: tuple[Problem, ...] = ()
    try:
        read(text)
    except InvalidInput as error:
        found = error.problems

    assert all(problem.place and problem.place.line for problem in found)
