"""Topic subscriptions: requests of both APIs, and what is said of each registration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import catalog
from pushctl.gateway import fcm, topics
from pushctl.gateway.topics import Action
from pushctl.outcome import Category, Kind, Outcome, Retryable, TokenAction

TOKEN = "dX1nVeNtEdToKeN0000001:APA91bInvented"
ROWS = [row for row in catalog.all_reasons() if row.service == "fcm-topics"]


def results(*each: object) -> bytes:
    """Return the body of an answer to a batch."""
    return json.dumps({"results": list(each)}).encode()


def test_the_words_of_the_actions_stay_what_they_are() -> None:
    """Commands and records are named by them."""
    assert ["subscribe", "unsubscribe"] == [action.value for action in Action]


def test_a_batch_is_what_the_sdks_send() -> None:
    """The topic with its prefix, the tokens in order, and the field that names the kind of key."""
    added = topics.batch(Action.SUBSCRIBE, "news", [TOKEN, "b"])
    removed = topics.batch(Action.UNSUBSCRIBE, "news", [TOKEN])

    assert ("POST", "/iid/v1:batchAdd") == (added.method, added.path)
    assert "/iid/v1:batchRemove" == removed.path
    assert b'{"to":"/topics/news","registration_tokens":["%s","b"]}' % TOKEN.encode() == added.body
    for call in (added, removed):
        assert (("content-type", "application/json"), ("access_token_auth", "true")) == call.fields


def test_one_registration_is_what_google_documents() -> None:
    """Created under the registration; deleted by name, also if it is not there."""
    made = topics.single(Action.SUBSCRIBE, "a~b%c", TOKEN, "shop-1234")
    ended = topics.single(Action.UNSUBSCRIBE, "a~b%c", TOKEN, "shop-1234")

    parent = f"/v1/projects/shop-1234/registrations/{TOKEN}/topicSubscriptions"
    assert ("POST", f"{parent}?topicName=a~b%25c") == (made.method, made.path)
    assert ("DELETE", f"{parent}/a~b%25c?allowMissing=true") == (ended.method, ended.path)
    assert (b"{}", None) == (made.body, ended.body)
    for call in (made, ended):
        assert (
            ("content-type", "application/json"),
            ("x-goog-api-format-version", "2"),
        ) == call.fields


# Survives `gateway/topics.py`: `_SEGMENT`: a letter is never quoted.
# Survives `gateway/topics.py`: `safe='-_.~'`: likewise.
def test_nothing_given_opens_another_segment() -> None:
    """A slash or a colon in a project or a topic stays where it was, quoted as Google does it."""
    made = topics.single(Action.SUBSCRIBE, "a/b:c", "x:y/z", "p/q")
    ended = topics.single(Action.UNSUBSCRIBE, "a/b:c", "x:y/z", "p/q")

    parent = "/v1/projects/p%2Fq/registrations/x:y%2Fz/topicSubscriptions"
    assert f"{parent}?topicName=a%2Fb%3Ac" == made.path
    assert f"{parent}/a%2Fb:c?allowMissing=true" == ended.path


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


@pytest.mark.parametrize("number", [1, 1000])
def test_a_batch_of_any_size_between(number: int) -> None:
    """One token and a thousand are what the API takes."""
    call = topics.batch(Action.SUBSCRIBE, "news", ["x"] * number)

    assert number == len(json.loads(call.body or b"")["registration_tokens"])


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


# Survives `gateway/topics.py`: `category=Category.REQUEST, detail=detail`: no text is with it.
def test_a_reason_that_nobody_knows() -> None:
    """It is told as it is, harmless, and not tried again."""
    (found,) = topics.read_batch(200, (), results({"error": "NEW\x1b[31m"}), 1)  # type: ignore[misc] # a list

    assert found == Outcome(
        kind=Kind.REJECTED,
        status=200,
        reason="NEW\ufffd[31m",
        case=catalog.TOPICS,
        description="A reason that pushctl does not know.",
        category=Category.REQUEST,
        token_action=TokenAction.KEEP,
        retryable=Retryable.NO,
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "no"),
        (b"[]", "no"),
        (b"{}", "no"),
        (b'{"results":{}}', "no"),
        (results(), "0"),
        (results({}), "1"),
        (results({}, {}, {}), "3"),
        (b"\xff", "no"),
        (b"[" * 9999, "no"),
    ],
)
def test_results_that_fit_no_tokens_are_unknown(body: bytes, found: str) -> None:
    """Nothing is laid to a token that the answer does not surely speak of."""
    for status in (200, 299):
        assert topics.read_batch(status, (), body, 2) == Outcome(
            kind=Kind.UNKNOWN,
            status=status,
            category=Category.SERVER,
            retryable=Retryable.WITH_BACKOFF,
            detail=f"the answer has {found} results for 2 tokens",
        )


@pytest.mark.parametrize("status", [199, 300])
def test_results_count_only_in_an_acceptance(status: int) -> None:
    """Under any other status the answer is about the batch as a whole."""
    found = topics.read_batch(status, (), results({}), 1)

    assert isinstance(found, Outcome)
    assert (Kind.REJECTED, status) == (found.kind, found.status)


def test_a_result_that_is_no_result_is_unknown() -> None:
    """Among good ones, only the one that cannot be read."""
    found = topics.read_batch(200, (), results({}, 7, None, {"error": 7}), 4)

    assert not isinstance(found, Outcome)
    assert Outcome(kind=Kind.ACCEPTED, status=200) == found[0]
    assert [
        Outcome(
            kind=Kind.UNKNOWN,
            status=200,
            category=Category.SERVER,
            retryable=Retryable.WITH_BACKOFF,
            detail=detail,
        )
        for detail in ("7", "null", '{"error":7}')
    ] == found[1:]


def test_a_refusal_of_the_whole() -> None:
    """It is read as FCM's answers are, in Google's form and in the older one."""
    status = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}

    google = topics.read_batch(403, [("retry-after", "7")], json.dumps(status).encode(), 2)
    older = topics.read_batch(401, (), b'{"error":"Unauthorized"}', 2)

    assert isinstance(google, Outcome)
    assert isinstance(older, Outcome)
    assert ("PERMISSION_DENIED", "credentials", 7) == (
        google.reason,
        google.category,
        google.retry_after_s,
    )
    assert (401, "credentials") == (older.status, older.category)


def test_a_refusal_of_the_whole_is_no_word_about_a_token() -> None:
    """Not even the word that removes one: nobody knows of which of a thousand it speaks."""
    detail = {"@type": "x/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
    error = {"error": {"status": "NOT_FOUND", "details": [detail]}}

    found = topics.read_batch(404, (), json.dumps(error).encode(), 2)

    assert isinstance(found, Outcome)
    assert ("UNREGISTERED", TokenAction.KEEP) == (found.reason, found.token_action)


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

    assert (kind, case, status) == (outcome.kind, outcome.case, outcome.status)
    assert outcome.id is None
    if kind is Kind.REJECTED:
        assert (name, "m") == (outcome.reason, outcome.detail)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(199, Kind.REJECTED), (200, Kind.ACCEPTED), (299, Kind.ACCEPTED), (300, Kind.REJECTED)],
)
def test_only_a_2xx_is_an_acceptance(status: int, kind: Kind) -> None:
    """Whatever stands between, nothing but success counts as done."""
    outcome = topics.read_single(status, (), b'{"name":"x"}')

    assert (kind, status, None) == (outcome.kind, outcome.status, outcome.id)


def test_one_that_is_subscribed_already_is_told_so() -> None:
    """It is as it was asked for; another conflict, or the word under another status, is not."""
    body = b'{"error":{"status":"ALREADY_EXISTS"}}'

    assert topics.read_single(409, (), body) == Outcome(
        kind=Kind.ACCEPTED, status=409, detail="it was subscribed already"
    )
    assert Kind.REJECTED is topics.read_single(400, (), body).kind
    assert Kind.REJECTED is topics.read_single(409, (), b'{"error":{"status":"ABORTED"}}').kind


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"error":"x"}', b'{"error":{"message":"x"}}'])
def test_an_answer_without_a_reason_is_told_by_its_status(status: int, body: bytes) -> None:
    """A fault of the server is tried again and one of the credential stops, named or not."""
    headers = [("retry-after", "7")]

    outcome = topics.read_single(status, headers, body)

    assert fcm.read_answer(status, headers, body) == outcome
    assert (None, None, 7) == (outcome.reason, outcome.case, outcome.retry_after_s)


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
