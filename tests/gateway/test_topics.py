"""Topic subscriptions: requests of both APIs, and what is said of each registration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import catalog
from pushctl.gateway import topics
from pushctl.gateway.topics import Action
from pushctl.outcome import Kind, Outcome, Retryable, TokenAction

TOKEN = "dX1nVeNtEdToKeN0000001:APA91bInvented"
ROWS = [row for row in catalog.all_reasons() if row.service == "fcm-topics"]


def results(*each: object) -> bytes:
    """Return the body of an answer to a batch."""
    return json.dumps({"results": list(each)}).encode()


def test_a_batch_is_what_the_sdks_send() -> None:
    """The topic with its prefix, the tokens in order, and the field that names the kind of key."""
    added = topics.batch(Action.SUBSCRIBE, "news", [TOKEN, "b"])
    removed = topics.batch(Action.UNSUBSCRIBE, "news", [TOKEN])

    assert ("POST", "/iid/v1:batchAdd") == (added.method, added.path)
    assert "/iid/v1:batchRemove" == removed.path
    assert {"to": "/topics/news", "registration_tokens": [TOKEN, "b"]} == json.loads(
        added.body or b""
    )
    assert ("access_token_auth", "true") in added.fields


def test_one_registration_is_what_google_documents() -> None:
    """Created under the registration; deleted by name, also if it is not there."""
    made = topics.single(Action.SUBSCRIBE, "a~b%c", TOKEN, "shop-1234")
    ended = topics.single(Action.UNSUBSCRIBE, "a~b%c", TOKEN, "shop-1234")

    parent = f"/v1/projects/shop-1234/registrations/{TOKEN}/topicSubscriptions"
    assert ("POST", f"{parent}?topicName=a~b%25c") == (made.method, made.path)
    assert ("DELETE", f"{parent}/a~b%25c?allowMissing=true") == (ended.method, ended.path)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_no_registration_leaves_its_segment(registration: str) -> None:
    """Whatever a token holds, the path keeps its four segments and its query."""
    call = topics.single(Action.SUBSCRIBE, "news", registration, "shop")

    path, _, query = call.path.partition("?")
    assert 7 == len(path.split("/"))
    assert "topicName=news" == query
    assert "#" not in call.path


@pytest.mark.parametrize("number", [0, 1001])
def test_a_batch_has_a_size(number: int) -> None:
    """None and more than a thousand are refused before Google does."""
    with pytest.raises(ValueError, match="1 to 1000"):
        topics.batch(Action.SUBSCRIBE, "news", ["x"] * number)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_reason_of_a_token(row: catalog.Reason) -> None:
    """A token's error is explained by the table of subscriptions; none calls it dead."""
    found = topics.read_batch(200, (), results({}, {"error": row.name}), 2)

    assert not isinstance(found, Outcome)
    good, bad = found
    assert Kind.ACCEPTED is good.kind
    assert (Kind.REJECTED, row.name, row.description, row.retryable) == (
        bad.kind,
        bad.reason,
        bad.description,
        bad.retryable,
    )
    assert row is catalog.of_record("fcm", bad.reason, status=200, case=bad.case)
    assert TokenAction.REMOVE is not bad.token_action


def test_a_reason_that_nobody_knows() -> None:
    """It is told as it is, harmless, and not tried again."""
    (found,) = topics.read_batch(200, (), results({"error": "NEW\x1b[31m"}), 1)  # type: ignore[misc] # a list

    assert ("NEW\ufffd[31m", Retryable.NO, TokenAction.KEEP) == (
        found.reason,
        found.retryable,
        found.token_action,
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", results(), results({}), results({}, {}, {}), b"\xff", b"[" * 9999]
)
def test_results_that_fit_no_tokens_are_unknown(body: bytes) -> None:
    """Nothing is laid to a token that the answer does not surely speak of."""
    found = topics.read_batch(200, (), body, 2)

    assert isinstance(found, Outcome)
    assert Kind.UNKNOWN is found.kind


def test_a_result_that_is_no_result_is_unknown() -> None:
    """Among good ones, only the one that cannot be read."""
    found = topics.read_batch(200, (), results({}, 7, None, {"error": 7}), 4)

    assert not isinstance(found, Outcome)
    assert ["accepted", "unknown", "unknown", "unknown"] == [one.kind for one in found]


def test_a_refusal_of_the_whole() -> None:
    """It is read as FCM's answers are, in Google's form and in the older one."""
    status = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}

    google = topics.read_batch(403, (), json.dumps(status).encode(), 2)
    older = topics.read_batch(401, (), b'{"error":"Unauthorized"}', 2)

    assert isinstance(google, Outcome)
    assert isinstance(older, Outcome)
    assert ("PERMISSION_DENIED", "credentials") == (google.reason, google.category)
    assert (401, "credentials") == (older.status, older.category)


@pytest.mark.parametrize(
    ("status", "name", "kind", "case"),
    [
        (200, None, Kind.ACCEPTED, None),
        (409, "ALREADY_EXISTS", Kind.ACCEPTED, None),
        (404, "NOT_FOUND", Kind.REJECTED, catalog.TOPICS),
        (400, "INVALID_ARGUMENT", Kind.REJECTED, catalog.TOPICS),
        (403, "PERMISSION_DENIED", Kind.REJECTED, None),
        (503, "UNAVAILABLE", Kind.REJECTED, None),
    ],
)
def test_answers_about_one(status: int, name: str | None, kind: Kind, case: str | None) -> None:
    """One that is subscribed already is; what is about the registration says so."""
    error: Any = {"name": "x"}
    if name is not None:
        error = {"error": {"code": status, "status": name, "message": "m"}}

    outcome = topics.read_single(status, (), json.dumps(error).encode())

    assert (kind, case) == (outcome.kind, outcome.case)


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=40)
    | st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["results", "error", "status"]), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
    number=st.integers(1, 3),
)
def test_no_answer_fails_or_kills_a_token(status: int, body: bytes, number: int) -> None:
    """Whatever comes there is an outcome for each token, and none of them says `remove`."""
    batch = topics.read_batch(status, (), body, number)
    each = [batch] if isinstance(batch, Outcome) else list(batch)

    assert len(each) in (1, number)
    assert TokenAction.REMOVE not in {one.token_action for one in each}
    topics.read_single(status, (), body)
