"""Outcome records: their fields, and their form as JSON."""

import json
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.outcome import (
    SKIP_REASONS,
    Category,
    Environment,
    Kind,
    Outcome,
    Platform,
    Retryable,
    Service,
    TokenAction,
)
from pushctl.records.record import FIELDS, Address, outcome_record, outcome_text, to_line, to_text

TEXTS = st.text() | st.none()


@given(st.integers(1, 10**7), TEXTS, TEXTS, TEXTS, st.sampled_from(Kind), TEXTS, TEXTS)
def test_a_record_as_text_is_the_record(
    row: int,
    source: str | None,
    profile: str | None,
    token: str | None,
    kind: Kind,
    reason: str | None,
    detail: str | None,
) -> None:
    """What is read back from the line is what was put in, and the line is one line."""
    address = Address(row, source or "", profile, "apns", "ios", "shop", None, None, token)
    outcome = Outcome(kind=kind, status=410, reason=reason, detail=detail, category=Category.TOKEN)
    record = outcome_record(
        address, outcome, run="r", campaign=None, time=1.5, attempts=1, latency_ms=None
    )

    assert record == json.loads(to_text(record))
    direct = outcome_text(
        address, outcome, run="r", campaign=None, time=1.5, attempts=1, latency_ms=None
    )
    assert direct == to_text(record)
    assert FIELDS == tuple(json.loads(to_line(record)))
    assert 1 == to_line(record).count("\n")


def test_an_id_of_our_own_stands_in_only_for_a_missing_one() -> None:
    """What the answer called the push is kept; without it, what we called it."""
    address = Address(1, "list.csv:2", None, "apns", "ios", "shop", None, None, "aa")
    ids = []
    for given_id in (None, "theirs"):
        text = outcome_text(
            address,
            Outcome(kind=Kind.REJECTED, id=given_id),
            run="r",
            campaign=None,
            time=0.0,
            attempts=1,
            latency_ms=1,
            push_id="ours",
        )
        ids.append(json.loads(text)["id"])
    assert ["ours", "theirs"] == ids


def test_another_line_of_the_log_is_written_alike() -> None:
    """Lines that are no outcome records are JSON as well."""
    line = {"schema": 1, "event": "Push counts", "accepted": 3}
    assert line == json.loads(to_text(line))


def test_the_event_follows_the_outcome() -> None:
    """Received for accepted, Bounced for rejected, none for what never was an answer."""
    address = Address(1, "list.csv:2", None, "apns", "ios", "shop", None, None, "aa")
    events = {}
    for kind in Kind:
        outcome = Outcome(kind=kind, token_action=TokenAction.KEEP)
        record = outcome_record(
            address, outcome, run="r", campaign=None, time=0.0, attempts=1, latency_ms=1
        )
        events[kind.value] = record["event"]
    assert {
        "accepted": "Received push",
        "rejected": "Bounced push",
        "unknown": None,
        "not_sent": None,
        "skipped": None,
    } == events


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind, ["accepted", "rejected", "unknown", "not_sent", "skipped"]),
        (Service, ["apns", "fcm"]),
        (Platform, ["ios", "android", "web"]),
        (Environment, ["production", "sandbox"]),
        (TokenAction, ["keep", "remove", "suspect", "check-environment"]),
        (Retryable, ["no", "yes-with-backoff", "yes-after-fix"]),
        (
            Category,
            ["token", "credentials", "request", "payload", "rate", "server", "connection", "rule"],
        ),
    ],
)
def test_the_words_of_a_record_stay_what_they_are(kind: type[StrEnum], words: list[str]) -> None:
    """Scripts and token stores compare with them, and older logs hold them."""
    assert words == [word.value for word in kind]


def test_the_reasons_of_a_skip_stay_what_they_are() -> None:
    """They stand in records as the vendors' reasons do."""
    assert SKIP_REASONS == (
        "NoConsent", "MissingAttribute", "Suppressed", "Duplicate", "NotInSegment", "NoCredential",
        "PayloadTooLarge",
    )  # fmt: skip


def test_what_is_not_known_of_a_push_is_nothing() -> None:
    """An outcome of which only the kind is told keeps the token and names nothing."""
    nothing = (None,) * 5
    more = (None,) * 6

    assert (Kind.UNKNOWN, *nothing, TokenAction.KEEP, Retryable.NO, *more) == Outcome(Kind.UNKNOWN)
