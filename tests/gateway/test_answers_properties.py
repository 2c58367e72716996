"""Whatever a server sends, reading it never fails and never calls a living token dead."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.gateway import apns, fcm, oauth
from pushctl.gateway.recognise import recognise
from pushctl.outcome import Kind, Outcome, TokenAction
from pushctl.rules.text import printable

STATUSES = st.one_of(
    st.sampled_from([200, 400, 401, 403, 404, 410, 429, 500, 503]), st.integers(100, 999)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
WORDS = st.sampled_from(
    (
        *("UNREGISTERED", "INVALID_ARGUMENT", "QUOTA_EXCEEDED", "THIRD_PARTY_AUTH_ERROR", "NEW"),
        *("Unregistered", "ExpiredToken", "BadDeviceToken", "NOT_FOUND", "RATE_LIMIT_EXCEEDED"),
        *("APNs device token is disabled.", "message.token", "message.android.ttl", "42s"),
    )
)
KINDS = st.sampled_from(
    (
        *("google.firebase.fcm.v1.FcmError", "google.firebase.fcm.v1.ApnsError"),
        *("google.rpc.BadRequest", "google.rpc.ErrorInfo", "google.rpc.QuotaFailure"),
        "google.rpc.RetryInfo",
    )
)
VALUES = WORDS | JSON
DETAIL = st.fixed_dictionaries(
    {"@type": KINDS.map(lambda kind: "type.googleapis.com/" + kind)},
    optional={
        "errorCode": VALUES,
        "reason": VALUES,
        "statusCode": st.sampled_from([400, 410, 410.0, "410"]) | JSON,
        "status_code": st.just(410),
        "fieldViolations": st.lists(
            st.fixed_dictionaries({}, optional={"field": VALUES, "description": VALUES}),
            max_size=3,
        )
        | JSON,
        "violations": st.lists(st.dictionaries(st.just("subject"), VALUES), max_size=2) | JSON,
        "retryDelay": VALUES,
    },
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "error": st.fixed_dictionaries(
            {},
            optional={
                "code": JSON,
                "message": VALUES,
                "status": VALUES,
                "details": st.lists(DETAIL | JSON, max_size=4) | JSON,
                "errors": st.lists(st.dictionaries(st.just("reason"), VALUES), max_size=2) | JSON,
            },
        )
        | VALUES,
        "reason": VALUES,
        "timestamp": JSON,
        "name": VALUES,
        "access_token": VALUES,
        "error_description": VALUES,
    },
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["apns-id", "retry-after", "date", "Retry-After", "x"]),
        st.text(max_size=30) | st.sampled_from(["30", "Fri, 20 Nov 2026 10:00:00 GMT"]),
    ),
    max_size=4,
)
BODIES = st.binary(max_size=200) | (ENVELOPE | JSON).map(lambda value: json.dumps(value).encode())


def details_of(body: bytes) -> list[dict[str, Any]]:
    """Return the details of an FCM error body, read in the plainest way."""
    try:
        details = json.loads(body)["error"]["details"]
    except (ValueError, TypeError, KeyError, IndexError):
        return []
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def check_texts(outcome: Outcome) -> None:
    """Nothing of a server's text can drive a terminal, and every wait is bounded."""
    for text in (outcome.reason, outcome.detail, outcome.id, outcome.apns_reason):
        assert text is None or text == printable(text, 5_000)
    assert outcome.retry_after_s is None or 0 <= outcome.retry_after_s <= 3_600


@settings(deadline=None)
@given(STATUSES, HEADERS, BODIES)
def test_apns_removes_on_410_alone(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Any answer is read; accepted is 2xx, and the token is removed exactly on 410."""
    outcome = apns.read_answer(status, headers, body)

    assert (200 <= status < 300) == (outcome.kind is Kind.ACCEPTED)
    assert (status == 410) == (outcome.token_action is TokenAction.REMOVE)
    check_texts(outcome)


@settings(deadline=None, max_examples=300)
@given(STATUSES, HEADERS, BODIES)
def test_fcm_removes_on_the_documented_word_alone(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Any answer is read; a token is removed only for UNREGISTERED or an APNs 410 inside."""
    outcome = fcm.read_answer(status, headers, body)

    assert (200 <= status < 300) == (outcome.kind is Kind.ACCEPTED)
    if outcome.token_action is TokenAction.REMOVE:
        assert status in (400, 404, 410)
        assert any(
            detail.get("errorCode") == "UNREGISTERED"
            or 410 in (detail.get("statusCode"), detail.get("status_code"))
            for detail in details_of(body)
        )
    check_texts(outcome)


@settings(deadline=None)
@given(STATUSES, HEADERS, BODIES)
def test_the_token_endpoint_never_touches_a_token(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Any answer is read, and an answer about credentials keeps every push token."""
    answer = oauth.read_answer(status, headers, body)

    if isinstance(answer, Outcome):
        assert TokenAction.KEEP is answer.token_action
        check_texts(answer)
    else:
        assert 200 <= status < 300


@settings(deadline=None)
@given(st.text(max_size=200) | BODIES.map(lambda body: body.decode("utf-8", "replace")))
def test_anything_can_be_pasted(text: str) -> None:
    """No text makes recognising it fail, bare or as the body of a response."""
    for found in (*recognise(text), *recognise(f"HTTP/2 400\n\n{text}")):
        assert found.reason is None or found.reason == printable(found.reason, 5_000)
