"""Tests of token files with an object a line."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.audience import jsonlines
from pushctl.audience.content import open_content
from pushctl.audience.jsonlines import ObjectSource, open_token_objects
from pushctl.audience.row import Row
from pushctl.errors import InvalidInput, Place


def opened(*lines: str) -> ObjectSource:
    """Return *lines* as a list that arrives on stdin."""
    data = "".join(f"{line}\n" for line in lines).encode()
    return open_token_objects(open_content("-", stdin=io.BytesIO(data), compression=None))


def test_known_keys_are_values_and_all_others_attributes_of_their_type() -> None:
    """Attributes keep the types that JSON gives them; a null is a missing attribute."""
    source = opened(
        '{"token": "aabb", "platform": "ios", "orders": 7, "tags": ["a"], "nick": null}', ""
    )

    assert [Row(1, {"token": "aabb", "platform": "ios"}, {"orders": 7, "tags": ["a"]})] == list(
        source
    )
    assert {"orders", "tags", "nick"} == source.attribute_names
    assert not source.records_consent
    assert "- (1 row)" == source.described


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("{", "not a JSON object: ", id="open"),
        pytest.param("aabb", "not a JSON object: Expecting value, column 1", id="bare-token"),
        pytest.param('["aabb"]', "the line is a list", id="list"),
        pytest.param('"aabb"', "the line is a text", id="text"),
        pytest.param("null", "the line is empty", id="null"),
        pytest.param('{"a": 1, "a": 2}', "a key stands in it twice", id="key-twice"),
        pytest.param('{"consent": false, "consent": true}', "twice", id="consent-twice"),
        pytest.param('{"a": NaN}', "NaN is not JSON", id="nan"),
        pytest.param('{"a": 1e999}', "a number is too large", id="infinite"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "too many digits", id="digits"),
        pytest.param('{"a": "\\ud800"}', "surrogate", id="surrogate"),
        pytest.param('{"a": ' + "[" * 80 + "]" * 80 + "}", "nested too deep", id="deep"),
        pytest.param('{"a": ' + "[" * 9000 + "]" * 9000 + "}", "nested too deep", id="very-deep"),
    ],
)
def test_a_line_that_cannot_be_used_is_that_rows_fault(line: str, words: str) -> None:
    """The lines around it stand."""
    before, bad, after = opened('{"token": "aabb"}', line, '{"token": "ccdd"}')

    assert words in (bad.fault or "")
    assert (2, {}, {}) == (bad.line, bad.values, bad.attributes)
    assert before.fault is None
    assert after.fault is None


@pytest.mark.parametrize("line", ['{"a": "\\ud83d\\ude00"}', '{"a": [' + "[]," * 70 + "7]}"])
def test_a_line_that_only_looks_odd_is_read(line: str) -> None:
    """Whole surrogate pairs and many flat lists are ordinary JSON."""
    (row,) = opened(line)

    assert row.fault is None


@pytest.mark.parametrize(
    ("consent", "words"),
    [
        pytest.param("false", "consent is false: only true gives it", id="false"),
        pytest.param("1", "consent is 1: only true gives it", id="one"),
        pytest.param('"true"', "the text `true`: only true, without quotes", id="text"),
        pytest.param("null", "no consent is recorded", id="null"),
        pytest.param("[true]", "consent is a list", id="list"),
        pytest.param("{}", "consent is a mapping", id="mapping"),
    ],
)
def test_nothing_but_true_gives_consent(consent: str, words: str) -> None:
    """JSON has a word for true, so no other is taken."""
    (row,) = opened(f'{{"token": "aabb", "consent": {consent}}}')

    assert words in (row.no_consent or "")


def test_one_line_with_consent_makes_silence_a_no() -> None:
    """In a file that records consent, a line without any is not sent to."""
    silent, agreed = opened('{"token": "aabb"}', '{"token": "ccdd", "consent": true}')

    assert "no consent is recorded" == silent.no_consent
    assert agreed.no_consent is None


def test_a_file_without_any_object_is_broken_as_a_whole() -> None:
    """A JSON array over many lines is not a thousand bad tokens."""
    with pytest.raises(InvalidInput, match="no line is a JSON object") as caught:
        opened("[", "1", "]")

    assert Place("-", 1) == caught.value.problems[0].place


def test_misspelt_keys_are_told_once_each_with_their_first_line() -> None:
    """A misspelt consent would let everyone be sent to."""
    with pytest.raises(InvalidInput) as caught:
        opened(
            '{"token": "aabb"}',
            '{"token": "aabb", "Consent": true, "topics": "x"}',
            '{"token": "aabb", "Consent": true, "platfom": "ios"}',
        )

    assert [
        ("unknown column `Consent`", Place("-", 2), "did you mean consent?"),
        ("unknown column `platfom`", Place("-", 3), "did you mean platform?"),
    ] == [(problem.message, problem.place, problem.hint) for problem in caught.value.problems]


def test_profiles_in_the_place_of_tokens_are_refused() -> None:
    """They would all be rows without a token."""
    with pytest.raises(InvalidInput, match="a profile in a token file") as caught:
        opened('{"id": "anna", "consent": true, "tokens": []}')

    assert "--profiles" in (caught.value.problems[0].hint or "")


def test_more_names_than_can_be_held_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is claimed about them, and consent is noticed all the same."""
    monkeypatch.setattr(jsonlines, "MAX_NAMES", 2)
    source = opened('{"token": "aabb", "a": 1, "b": 2}', '{"consent": true}')

    assert source.attribute_names is None
    assert source.records_consent


@given(
    values=st.dictionaries(
        st.text(max_size=5).filter(lambda name: name not in jsonlines.KNOWN_COLUMNS),
        st.recursive(
            st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_attributes_are_read_as_they_were_written(values: dict[str, object]) -> None:
    """Whatever JSON can say of a person reaches the message."""
    (row,) = opened(json.dumps({"token": "aabb", **values}))

    assert values == row.attributes


@given(line=st.text(max_size=80))
def test_any_text_is_a_row_or_one_clear_error(line: str) -> None:
    """No line ends in a traceback."""
    try:
        source = opened('{"token": "aabb"}', line)
    except InvalidInput:
        return

    assert source.rows == len(list(source))
