"""YAML 1.2, core schema, strict."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.documents import Document, load, yaml_text
from pushctl.documents.lines import Lines
from pushctl.errors import InvalidInput, Place, Problem


def read(text: str) -> Document:
    """Load YAML text."""
    return load(text.encode(), "f.yaml", kind="yaml", max_bytes=2**24)


def problems(text: str) -> list[Problem]:
    """Return the problems of text that must be refused."""
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return list(caught.value.problems)


def only_problem(text: str) -> tuple[int | None, int | None, str]:
    """Return line, column and message of the one problem of *text*."""
    (problem,) = problems(text)
    assert problem.place is not None
    return problem.place.line, problem.place.column, problem.message


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("2026-10-01T08:00:00Z", "2026-10-01T08:00:00Z"),
        ("2026-10-01", "2026-10-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0017", 17),
        ("-12", -12),
        ("+3", 3),
        ("0o17", 15),
        ("0x1f", 31),
        ("-0x1f", "-0x1f"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".", "."),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_core_schema(written: str, value: object) -> None:
    """Plain scalars mean what the core schema of YAML 1.2 says, and nothing of YAML 1.1."""
    assert {"k": value} == read(f"k: {written}").value


@pytest.mark.parametrize("style", ["|", ">"])
def test_block_scalars_are_text(style: str) -> None:
    """A block scalar is text even where it looks like a number."""
    assert {"k": "12\n"} == read(f"k: {style}\n  12\n").value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("&a key: *a", {"key": "key"}),
        ("- &x [1, &x 2, *x]\n- *x", [[1, 2, 2], 2]),
        ("- &x 1\n- *x\n- &x 2\n- *x", [1, 1, 2, 2]),
    ],
)
def test_an_alias_means_the_last_anchor_of_its_name(text: str, value: object) -> None:
    """Whether that stands on a key, inside another of its name, or after one (YAML 1.2.2 §7.1)."""
    assert value == read(text).value


def test_empty_text_is_null() -> None:
    """A file of comments alone holds nothing."""
    assert read("# nothing\n").value is None


def test_duplicate_keys_are_refused_with_both_places() -> None:
    """The second occurrence is pointed at; the first is named by its line."""
    (problem,) = problems("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")

    assert Place("f.yaml", 5, 3) == problem.place
    assert "the key 'c' occurs twice" == problem.message
    assert "the first is on line 3" == problem.hint
    assert "  c: 3" == problem.source_line


def test_all_problems_are_reported_at_once() -> None:
    """One read shows every fault that does not hide the rest."""
    found = problems("a: 1\na: 2\n1: x\nb: !!binary x\nc: .inf\nd: 1e999\n<<: y\n~: z\n")

    assert [2, 3, 4, 5, 6, 7, 8] == [p.place.line for p in found if p.place]


def test_a_hopeless_text_is_given_up_after_fifty_problems() -> None:
    """The list of problems is bounded."""
    assert 50 == len(problems("".join(f"{n}: x\n" for n in range(500))))


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("t: !!python/object/apply:os.system [x]", 1, 4, "!!python/object/apply:os.system"),
        ("t: !local x", 1, 4, "!local"),
        ("- !!map {a: 1}", 1, 3, "!!map"),
        ("true: x", 1, 1, "a key must be text, and true is not"),
        ("~: x", 1, 1, "a key must be text, and ~ is not"),
        ("? [a]\n: b", 1, 3, "a map or list cannot be a key"),
        ("a: *x", 1, 4, "has no anchor before it"),
        ("a: &x [1, *x]", 1, 11, "refers to what it is part of"),
        ("a: &x [1]\n*x : 2", 2, 1, "a key must be text, and *x is not"),
        ("--- 1\n--- 2", 2, 1, "a second YAML document begins here"),
        ("a: .NaN", 1, 4, "is no number that a push can carry"),
        ("a: " + "9" * 4301, 1, 4, "at most 4300 digits"),
        ("a: \x07", 1, 4, "U+0007"),
        ("a: 'x\nb: c\n", 1, 4, "invalid YAML"),
        ("a: [1\n", 2, 1, "invalid YAML"),
        ("a: b: c", 1, 5, "invalid YAML"),
        ("[" * 101 + "]" * 101, 1, 101, "nested more than 100 deep"),
        ("[" * 100_000, 1, 101, "nested more than 100 deep"),
    ],
)
def test_refusals_have_a_place(text: str, line: int, column: int, part: str) -> None:
    """Whatever is refused is refused in one sentence that points at it."""
    found_line, found_column, message = only_problem(text)

    assert (line, column) == (found_line, found_column)
    assert part in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\t- b", "spaces, never with tabs"),
        ("a: @b", "begins with @ must be quoted"),
        ("title: {{ first_name }}", 'must be quoted: "{{ first_name }}"'),
        ("title: [x {{ name }}", 'must be quoted: "{{ first_name }}"'),
        ("a: b: c", "text that contains ': ' must be quoted"),
        ("a: b\nc\nd: e", "is a ':' missing"),
        ("a: !x y", "quote the value"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    """The usual slips get the usual advice."""
    assert any(hint in (problem.hint or "") for problem in problems(text))


def test_an_unusual_slip_gets_the_likeliest_advice() -> None:
    """Every syntax error says what to look for: mostly something that was not closed."""
    (problem,) = problems("a: ]")
    assert "not closed" in str(problem.hint)


def test_aliases_share() -> None:
    """An alias stands for the very value of its anchor, and a scalar may be a key."""
    document = read("a: &x [1, 2]\nb: *x\nc: &k name\n*k : 3\n")

    assert {"a": [1, 2], "b": [1, 2], "c": "name", "name": 3} == document.value


def test_an_expanding_text_is_refused() -> None:
    """A few hundred bytes that stand for millions of values are stopped while being read."""
    text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True):
        text += f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]\n"

    assert "expand to more than a file may hold" in only_problem(text)[2]


def test_a_long_scalar_cannot_be_multiplied() -> None:
    """The budget counts characters, not only values."""
    text = "a: &a '" + "x" * 100_000 + "'\nb: [" + ",".join(["*a"] * 100) + "]\n"

    assert "expand to more" in only_problem(text)[2]


def test_positions_count_characters() -> None:
    """Columns are right behind accents and emoji, lines behind CRLF, and a BOM counts nothing."""
    document = read("\ufeffé🎉: é\r\nb: [🎉, x]\r\nc:\r\n  - {d: 1}\r\n")

    assert Place("f.yaml", 2, 8) == document.place(["b", 1])
    assert Place("f.yaml", 4, 5) == document.place(["c", 0])
    assert Place("f.yaml", 4, 6) == document.place(["c", 0, "d"], key=True)
    assert Place("f.yaml", 4, 9) == document.place(["c", 0, "d"])


def test_the_python_parser_agrees_with_libyaml() -> None:
    """Where libyaml is missing, PyYAML's own parser gives the same values, places, refusals."""
    text = "a: [1, yes, 'x']\nb: |\n  t\nc: {d: ~}\n"
    pure = yaml_text.parse(text, "f.yaml", Lines(text), loader=yaml.SafeLoader)
    fast = read(text)

    assert fast.value == pure.value
    assert fast.place(["c", "d"]) == pure.place(["c", "d"])


def test_the_python_parser_lets_no_surrogate_through() -> None:
    """Half a surrogate pair could never be sent; libyaml refuses it, and so do we."""
    text = 'a: "\\ud800"'
    with pytest.raises(InvalidInput, match="surrogate"):
        yaml_text.parse(text, "f.yaml", Lines(text), loader=yaml.SafeLoader)


def test_an_error_without_a_place_is_still_an_error_in_words() -> None:
    """Whatever the parser raises comes out as InvalidInput."""

    class Broken(yaml.SafeLoader):
        def check_event(self, *_: object) -> bool:
            raise yaml.YAMLError("broken")

    with pytest.raises(InvalidInput, match="invalid YAML: broken"):
        yaml_text.parse("a", "f.yaml", Lines("a"), loader=Broken)


@given(JSON_VALUES)
def test_what_yaml_dumps_comes_back(value: object) -> None:
    """A JSON-like value dumped as YAML is read as the same value, by its quotes if need be."""
    text = yaml.safe_dump(value, allow_unicode=False, default_style='"')
    if "!!" in text:  # PyYAML tags quoted numbers and the like
        text = json.dumps(value)
        if "\\ud" in text:
            return  # JSON's escaped pairs are no YAML

    assert value == read(text).value


@given(st.text(st.sampled_from("ab:-? {}[],&*!|>'\"%@`#~\n\t\\<0.1e"), max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is a value or InvalidInput with a place, never another exception."""
    found: tuple[Problem, ...] = ()
    try:
        read(text)
    except InvalidInput as error:
        found = error.problems

    assert all(problem.place and problem.place.line for problem in found)


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Any bytes are a value or InvalidInput."""
    found: tuple[Problem, ...] = ()
    try:
        load(data, "f", kind="yaml", max_bytes=100)
    except InvalidInput as error:
        found = error.problems

    assert all(problem.place for problem in found)
