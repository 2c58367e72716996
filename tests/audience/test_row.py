"""Tests of what is said of names and values."""

from __future__ import annotations

import pytest

from pushctl.audience.row import KNOWN_COLUMNS, counted, did_you_mean, kind_of, misspelt_column
from pushctl.outcome import JsonValue


@pytest.mark.parametrize(
    ("name", "known"),
    [
        pytest.param("tokn", "token", id="letter-lost"),
        pytest.param("tokken", "token", id="letter-added"),
        pytest.param("tolen", "token", id="letter-changed"),
        pytest.param("tokne", "token", id="letters-swapped"),
        pytest.param("TOKEN", "token", id="case"),
        pytest.param(" consent ", "consent", id="blanks"),
        pytest.param("Registered At", "registered_at", id="words"),
        pytest.param("tokens", None, id="plural"),
        pytest.param("tkoens", None, id="two-slips"),
        pytest.param("first_name", None, id="other-word"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_one_slip_of_the_finger_is_seen_through(name: str, known: str | None) -> None:
    """A misspelt column is recognised; a name of its own is left alone."""
    assert known == misspelt_column(name, [name])


@pytest.mark.parametrize("known", KNOWN_COLUMNS)
def test_beside_the_right_spelling_nothing_is_suspected(known: str) -> None:
    """Who has the column can have one with a similar name."""
    assert misspelt_column(f"{known}_", [known, f"{known}_"]) is None


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("sandbx", "did you mean sandbox?"),
        ("prod", "did you mean production?"),
        ("pr", None),
        ("live", None),
    ],
)
def test_the_nearest_word_is_suggested(word: str, hint: str | None) -> None:
    """A typing error and an abbreviation both lead to the word."""
    assert hint == did_you_mean(word, ["production", "sandbox"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        (False, "false"),
        ("a", "a text"),
        (1, "a number"),
        (1.5, "a number"),
        ({}, "a mapping"),
        ([], "a list"),
        (None, "empty"),
    ],
)
def test_values_are_called_what_their_writer_calls_them(value: JsonValue, words: str) -> None:
    """No Python word reaches a person."""
    assert words == kind_of(value)


def test_numbers_are_grouped_and_one_is_singular() -> None:
    """A million is legible."""
    assert ["1 row", "0 rows", "1,000,000 rows"] == [
        counted(number, "row") for number in (1, 0, 1_000_000)
    ]
