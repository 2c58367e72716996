"""Tests of the rule that says when a token is dead."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.outcome import Service, TokenAction
from pushctl.rules.dead_tokens import Standing, Word, epoch_s, last_word, standing, word_of

DEAD_S = 100.0
REMOVE = Word(TokenAction.REMOVE, 200.0, DEAD_S)
WORDS = st.builds(
    Word,
    st.sampled_from(TokenAction),
    st.none() | st.integers(0, 9).map(float),
    st.none() | st.integers(0, 9).map(float),
)


@pytest.mark.parametrize(
    ("service", "since_s", "registered_at", "expected"),
    [
        (Service.APNS, DEAD_S, None, "dead"),
        (Service.APNS, DEAD_S, "", "dead"),
        (Service.APNS, DEAD_S, "1970-01-01T00:01:40Z", "dead"),
        (Service.APNS, DEAD_S, "1970-01-01T00:01:41Z", "alive"),
        (Service.APNS, DEAD_S, "1970-01-01T01:01:40+01:00", "dead"),
        (Service.APNS, DEAD_S, "1970-01-01T00:01:41", "alive"),
        (Service.APNS, DEAD_S, "1970-01-02", "alive"),
        (Service.APNS, DEAD_S, "yesterday", "suspect"),
        (Service.APNS, None, "1970-01-01T00:03:20Z", "dead"),
        (Service.APNS, None, "1970-01-01T00:03:21Z", "alive"),
        (Service.FCM, DEAD_S, "2026-10-01T08:00:00Z", "dead"),
    ],
)
def test_a_device_token_registered_again_is_alive(
    service: Service, since_s: float | None, registered_at: str | None, expected: str
) -> None:
    """Apple: stop sending unless the device registered after the time it was found dead."""
    word = Word(TokenAction.REMOVE, 200.0, since_s)
    assert expected == standing(service, word, [registered_at])


def test_any_list_that_saw_the_token_later_saves_it() -> None:
    """Of several rows on one token the mildest counts: deleting is for good."""
    assert "alive" == standing(Service.APNS, REMOVE, ["1970-01-01", "?", "2026-01-01"])
    assert "suspect" == standing(Service.APNS, REMOVE, ["1970-01-01", "?", None])


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("remove", "dead"),
        ("keep", "alive"),
        ("suspect", "suspect"),
        ("check-environment", "suspect"),
    ],
)
def test_the_last_word_decides(action: str, expected: str) -> None:
    """A 410 that was overruled when it came is the last word, whatever was said before."""
    word = word_of(action, "1970-01-01T00:05:00Z", "1970-01-01T00:01:40Z")
    assert word is not None
    assert expected == standing(Service.APNS, last_word([REMOVE, word, REMOVE]))


@pytest.mark.parametrize(
    ("earlier", "last"),
    [
        (Word(TokenAction.KEEP, 1.0, 1.0), Word(TokenAction.REMOVE, 2.0, 1.0)),
        (Word(TokenAction.REMOVE, 1.0, 1.0), Word(TokenAction.KEEP, 2.0, 1.0)),
        (Word(TokenAction.REMOVE, None, 5.0), Word(TokenAction.KEEP, 7.0, 5.0)),
        (Word(TokenAction.SUSPECT, 9.0, 1.0), Word(TokenAction.REMOVE, None, None)),
        (Word(TokenAction.REMOVE, 5.0, 3.0), Word(TokenAction.SUSPECT, 5.0, 3.0)),
        (Word(TokenAction.REMOVE, 5.0, 3.0), Word(TokenAction.REMOVE, 5.0, 4.0)),
        (Word(TokenAction.REMOVE, 5.0, 3.0), Word(TokenAction.REMOVE, 5.0, None)),
    ],
)
def test_the_later_word_counts_and_in_doubt_the_milder(earlier: Word, last: Word) -> None:
    """By the time it was said, else of death; what has no time is last; of two at once a doubt."""
    assert last is last_word([earlier, last])
    assert last is last_word([last, earlier])


def test_a_word_that_nobody_knows_is_a_doubt() -> None:
    """A log of a newer pushctl may hold other actions, one of another tool other types."""
    word = word_of("delete", 7, "1970-01-01T00:01:40Z")

    assert Word(TokenAction.SUSPECT, None, DEAD_S) == word
    assert word is last_word([word])


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_time_without_an_offset_is_utc_wherever_pushctl_runs(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zone of the machine says nothing about the list."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert 100.0 == epoch_s("1970-01-01T00:01:40")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("action", ["keep", "suspect", "check-environment", None, 7, "delete"])
def test_without_removal_and_time_of_death_nothing_is_said(action: object) -> None:
    """A suspect token, another environment, an action that nobody knows: no word on its life."""
    assert word_of(action, "2026-10-01T08:00:00Z", None) is None


@given(st.lists(WORDS, min_size=1))
def test_the_order_of_lines_in_a_log_means_nothing(words: list[Word]) -> None:
    """Logs are read file by file; several writers wrote them."""
    for service in Service:
        assert standing(service, last_word(words)) == standing(service, last_word(words[::-1]))


@given(st.lists(WORDS, min_size=1), st.lists(st.none() | st.text(max_size=12)))
def test_nothing_but_a_service_s_own_word_is_death(
    words: list[Word], registered: list[str | None]
) -> None:
    """Whatever a log and a list hold: dead is only whose last word is a removal."""
    word = last_word(words)
    for service in Service:
        if standing(service, word, registered) is Standing.DEAD:
            assert word.action is TokenAction.REMOVE


@given(st.text(max_size=30))
def test_any_text_is_a_point_in_time_or_none(text: str) -> None:
    """What a column holds is the sender's affair; it never breaks a run."""
    assert epoch_s(text) is None or isinstance(epoch_s(text), float)
