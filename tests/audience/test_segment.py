"""Tests of ``--where``: what is in a segment, and what is refused with a place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.audience.engine import Engine
from pushctl.audience.segment import MAX_CHARACTERS, compile_segment
from pushctl.errors import InvalidInput, Place

NAMES = frozenset(
    (
        *("orders", "city", "vip", "born", "address", "tags", "spent", "quota"),
        *("é", "odd 'na\"me", "a/b~"),
    )
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine that can reach no file."""
    with Engine() as opened:
        yield opened


def holds(engine: Engine, expression: str, attributes: Mapping[str, Any] | None) -> Any:
    """Return whether somebody with *attributes* is in the segment *expression*."""
    sql = compile_segment(engine, expression, NAMES)
    text = None if attributes is None else json.dumps(attributes)
    (found,) = engine.one(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS attributes)", [text])
    return found


def refused(engine: Engine, expression: str, names: frozenset[str] | None = NAMES) -> InvalidInput:
    """Return the error that *expression* meets."""
    with pytest.raises(InvalidInput) as caught:
        compile_segment(engine, expression, names)
    return caught.value


def test_a_complaint_that_duckdb_cannot_put_into_words_is_one(engine: Engine) -> None:
    """A bit literal of half characters: DuckDB's answer to it is empty."""
    assert "not an SQL expression" in str(refused(engine, "B'\u00e9' = orders"))


@pytest.mark.parametrize(
    ("expression", "attributes"),
    [
        ("orders > 5", {"orders": "7"}),
        ("orders > 5", {"orders": "12"}),
        ("orders > 5", {"orders": 7}),
        ("orders = 7", {"orders": "7.0"}),
        ("5 < orders", {"orders": "7"}),
        ("orders IN (1, 7)", {"orders": "7"}),
        ("orders NOT IN (1, 2)", {"orders": "7"}),
        ("orders BETWEEN 5 AND 9", {"orders": "7"}),
        ("orders * 2 > spent", {"orders": "7", "spent": "9"}),
        ("-orders < 0", {"orders": "7"}),
        ("orders % 2 = 1", {"orders": 7}),
        ("abs(orders) = 7", {"orders": "-7"}),
        ("orders::INTEGER > quota::INTEGER", {"orders": "10", "quota": "9"}),
        ("coalesce(orders, 9) > 5", {}),
        ("city = 'Bonn'", {"city": "Bonn"}),
        ("city IN ('Bonn', 'Köln')", {"city": "Köln"}),
        ("city LIKE 'B%' AND NOT city ILIKE '%X%'", {"city": "Bonn"}),
        ("lower(city) = 'bonn' -- a comment", {"city": "BONN"}),
        ("city || '!' = 'Bonn!'", {"city": "Bonn"}),
        ("city = address", {"city": "x", "address": "x"}),
        ("regexp_matches(city, '^B')", {"city": "Bonn"}),
        ("vip", {"vip": "true"}),
        ("vip", {"vip": True}),
        ("vip = true", {"vip": True}),
        ("vip IS TRUE", {"vip": "true"}),
        ("NOT vip", {"vip": "false"}),
        ("vip OR orders > 5", {"orders": 7}),
        ("CASE WHEN vip THEN orders ELSE 0 END = '7'", {"vip": True, "orders": "7"}),
        ("born > DATE '2000-01-01'", {"born": "2001-02-03"}),
        ("born < now() - INTERVAL 1 DAY", {"born": "2001-02-03T04:05:06Z"}),
        ("born + INTERVAL 1 DAY > DATE '2001-02-03'", {"born": "2001-02-03"}),
        ("year(born) = 2001", {"born": "2001-02-03"}),
        ("address.city = 'Bonn'", {"address": {"city": "Bonn"}}),
        ("json_contains(tags, '\"a\"')", {"tags": ["a", "b"]}),
        ("tags->>0 = 'a'", {"tags": ["a"]}),
        ("city IS NULL", {}),
        ("city IS NULL", None),
        ("orders IS NOT NULL", {"orders": 0}),
        ("orders IS DISTINCT FROM 5", {"orders": 7}),
        ('"odd \'na""me" = 1', {"odd 'na\"me": 1}),
        ('"a/b~" = 1', {"a/b~": 1}),
        ("é = 1", {"é": "1"}),
        ("1 = 1", {}),
    ],
)
def test_whom_an_expression_is_true_of(
    engine: Engine, expression: str, attributes: Mapping[str, Any] | None
) -> None:
    """An attribute is read as what it is compared with, text of a csv file or not."""
    assert holds(engine, expression, attributes) is True


def test_every_example_of_the_documentation_is_an_expression(engine: Engine) -> None:
    """The page on audiences promises them."""
    page = Path(__file__).parents[2].joinpath("docs", "audience.md").read_text(encoding="utf-8")
    table = page[page.index("| to ask for | write |") : page.index("It is DuckDB's SQL")]
    examples = [
        example
        for line in table.splitlines()[2:]
        for example in re.findall("`([^`]+)`", line.rpartition(" | ")[2])
    ]
    assert len(examples) > 15
    for example in examples:
        assert compile_segment(engine, example, None)


@pytest.mark.parametrize(
    ("expression", "attributes"),
    [
        ("orders > 5", {"orders": "abc"}),
        ("orders > 5", {"orders": ""}),
        ("orders > 5", {}),
        ("orders > 5", None),
        ("orders > 5", {"orders": None}),
        ("orders > 5", {"orders": [7]}),
        ("orders <> 5", {}),
        ("orders::INTEGER > 5", {"orders": "seven"}),
        ("NOT vip", {"vip": "perhaps"}),
        ("born > DATE '2000-01-01'", {"born": "soon"}),
        ("city = 5", {"city": "Bonn"}),
        ("city", {"city": "Bonn"}),
        ("NULL", {}),
        ("strptime(born, '%Y') > DATE '2000-01-01'", {"born": "soon"}),
    ],
)
def test_what_cannot_be_read_is_not_in_the_segment(
    engine: Engine, expression: str, attributes: Mapping[str, Any] | None
) -> None:
    """A row never makes an expression fail: whoever it is not true of is left out."""
    assert holds(engine, expression, attributes) is False


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("orders > > 5", 10, "not an SQL expression: syntax error"),
        ("orders >", None, "it ends too soon"),
        ("orders > 5; DROP TABLE x", 11, "not an SQL expression"),
        ("orders > 5) FROM x WHERE (1 = 1", None, "a query, not an expression"),
        ("1), (2", None, "a query, not an expression"),
        ("1) UNION SELECT (2", None, "a query, not an expression"),
        ("1); SELECT (2", None, "more than one statement"),
        ("1 = (SELECT 1)", 5, "a query inside the expression"),
        ("EXISTS (SELECT 1)", 1, "a query inside the expression"),
        ("orders IN (SELECT 1)", 11, "a query inside the expression"),
        ("read_text('/etc/passwd') = 'x'", 1, "read_text() cannot be used here"),
        ("getenv('HOME') = 'x'", 1, "getenv() cannot be used here"),
        ("current_setting('threads') = '1'", 1, "current_setting() cannot be used here"),
        ("sum(orders) > 5", 1, "sum() cannot be used here"),
        ("main.lower(city) = 'x'", 1, "cannot be used here"),
        ("row_number() OVER () > 5", 1, "a window function"),
        ("? = 1", 1, "a parameter"),
        ("COLUMNS('a')", 1, "COLUMNS()"),
        ("city COLLATE nocase = 'x'", 1, "COLLATE"),
        ("city[1] = 'x'", 5, "array extract cannot be used here"),
        ("orders > 5 AND ordrs < 3", 16, "no recipient has the attribute `ordrs`"),
        ("é = 1 AND ordrs < 3", 11, "no recipient has the attribute `ordrs`"),
        ("spent > quota", 1, "which of two attributes is greater"),
        ("city IN ('Bonn', 5)", 9, "numbers and texts"),
        ("lower(city)", None, "this is no condition: it gives VARCHAR"),
        ("orders + 1", None, "this is no condition: it gives DOUBLE"),
        ("left(city, vip) = 'x'", 1, "No function matches"),
        ("city ~ '('", 6, "missing )"),
        ("born::DATE > 'soon'", None, "invalid date"),
        ("-orders + 'x' > 2", None, "Could not convert string 'x'"),
        ("nullif(-orders, 'x') > 1", None, "Could not convert string 'x'"),
        ("", None, "the expression is empty"),
        (" -- nothing", None, "the expression is empty"),
    ],
)
def test_what_is_no_expression_over_attributes_is_refused(
    engine: Engine, expression: str, column: int | None, words: str
) -> None:
    """The error says what is wrong and, where something stands there, in which column."""
    (problem,) = refused(engine, expression).problems
    assert words in problem.message
    assert problem.place is not None
    assert problem.place.file == "--where"
    if column is not None:
        assert (1, column) == (problem.place.line, problem.place.column)
        assert expression == problem.source_line


def test_a_place_counts_lines_and_characters(engine: Engine) -> None:
    """The column is that of the line the fault stands in, in characters."""
    (problem,) = refused(engine, "orders > 1\n  AND é > >").problems
    assert Place("--where", 2, 11) == problem.place
    assert "  AND é > >" == problem.source_line


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("ordrs > 5", "did you mean orders?"),
        ("token = 'x'", "only attributes can be used here"),
        ("contain(city, 'x')", "did you mean contains?"),
        ("zzz = 1", "there are: a/b~, address, born, city, odd 'na\"me, orders, quota, spent"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(engine: Engine, expression: str, hint: str) -> None:
    """Most are slips of the finger."""
    (problem,) = refused(engine, expression).problems
    assert hint in (problem.hint or "")


def test_an_audience_without_attributes_says_so(engine: Engine) -> None:
    """No list of names to choose from is given then."""
    (problem,) = refused(engine, "orders > 5", frozenset()).problems
    assert "the audience has no attributes" == problem.hint


def test_any_name_will_do_where_names_are_not_known(engine: Engine) -> None:
    """A file with too many names to remember is no reason to refuse one of them."""
    assert "unheard" in compile_segment(engine, "unheard = 1", None)


def test_long_and_deep_expressions_are_refused(engine: Engine) -> None:
    """Both are bounded, so that no expression exhausts memory or the stack."""
    assert "more than" in str(refused(engine, "1 = 1 AND " * MAX_CHARACTERS))
    assert "nested too deep" in str(refused(engine, "NOT " * 100 + "vip"))


WORDS = (
    *("orders", "city", "vip", "(", ")", ",", ";", "1", "'x'", "+", "-", "*", "/", ">", "=", "AND"),
    *("OR", "NOT", "IS", "NULL", "IN", "BETWEEN", "CASE", "WHEN", "THEN", "END", "SELECT", "FROM"),
    *("read_csv(", "lower(", "::", "INTEGER", "DATE", ".", "[", "]", "{", "}", "?", "$1", "--"),
    *("/*", "*/", "é", "'", '"'),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join))
def test_any_text_is_a_condition_or_one_clear_error(text: str) -> None:
    """Whatever is given, no other error comes out, and a condition gives true or false."""
    with Engine() as engine:
        try:
            found = holds(engine, text, {"orders": "7", "city": "Bonn"})
        except InvalidInput:
            return
        assert found in (True, False)
