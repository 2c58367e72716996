"""What the token endpoint can answer beyond the samples."""

import json

import pytest

from pushctl.gateway import oauth
from pushctl.outcome import Category, Outcome, Retryable


def read(status: int, body: object, *headers: tuple[str, str]) -> Outcome | oauth.TokenGrant:
    """Read an answer with a JSON body."""
    return oauth.read_answer(status, headers, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(3599, 3599), (60.0, 60), (None, 3600), ("3599", 3600), (-5, 0), (10**12, 86_400)],
)
def test_a_grant_has_a_sane_lifetime(expires_in: object, seconds: int) -> None:
    """A missing or absurd lifetime cannot make a token last longer than a day."""
    grant = read(200, {"access_token": "ya29.x", "expires_in": expires_in})

    assert oauth.TokenGrant("ya29.x", seconds) == grant


def test_a_grant_never_shows_its_token() -> None:
    """Neither a log line nor a traceback can leak an access token."""
    assert "ya29" not in repr(read(200, {"access_token": "ya29.secret"}))


@pytest.mark.parametrize(
    "body", [{"id_token": "eyJ.secret"}, {"access_token": ""}, {"access_token": 7}, {}, []]
)
def test_a_200_without_an_access_token_is_a_rejection(body: object) -> None:
    """What is not a grant is refused as such, and no token in it is shown."""
    answer = read(200, body)

    assert isinstance(answer, Outcome)
    assert "unknown_scope_gives_id_token" == answer.case
    assert answer.detail is None


@pytest.mark.parametrize(
    ("status", "body", "case"),
    [
        (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature"}, True),
        (400, {"error": "invalid_grant", "error_description": "Something new"}, False),
        (400, {"error": "invalid_grant"}, False),
        (400, {"error": "invalid_scope", "error_description": "Other"}, False),
        (400, {"error": "invalid_request", "error_description": "Missing parameter"}, False),
        (400, {"error": "temporarily_unavailable"}, True),
        (400, {"error": "server_error"}, True),
        (400, {"error": "internal_failure"}, True),
        (400, {"error": "org_internal"}, True),
        (403, {"error": "access_denied"}, True),
        (500, {"error": "invalid_grant", "error_description": "Invalid JWT Signature"}, True),
        (418, {"error": "teapot"}, False),
    ],
)
def test_an_error_without_a_case_keeps_its_name(
    status: int, body: dict[str, str], case: bool
) -> None:
    """An answer that fits no case is shown as it is and classified by its status."""
    answer = read(status, body)

    assert isinstance(answer, Outcome)
    assert case == (answer.case is not None)
    if not case:
        assert (body["error"], Category.CREDENTIALS) == (answer.reason, answer.category)


@pytest.mark.parametrize(
    ("status", "body", "category"),
    [
        (503, b"<html>busy</html>", Category.SERVER),
        (429, b"", Category.RATE),
        (408, b"[]", Category.SERVER),
        (403, b'{"error": {"message": "no"}}', Category.CREDENTIALS),
        (302, b"", Category.SERVER),
        (300, b'{"access_token": "ya29.x"}', Category.SERVER),
        (500, b'{"error": "unauthorized_client"}', Category.SERVER),
        (429, b'{"error": "unauthorized_client"}', Category.RATE),
        (408, b'{"error": "unauthorized_client"}', Category.SERVER),
    ],
)
def test_an_answer_of_another_form_is_classified_by_its_status(
    status: int, body: bytes, category: Category
) -> None:
    """A page of a proxy, an error of another API or of the server leaves the status to decide."""
    answer = oauth.read_answer(status, (), body)

    assert isinstance(answer, Outcome)
    assert category is answer.category
    assert (answer.case is None) == (status < 500)
    assert (category is not Category.CREDENTIALS) == (answer.retryable is Retryable.WITH_BACKOFF)


def test_the_endpoints_own_words_are_kept() -> None:
    """The detail is what the endpoint said, its error word first."""
    answer = read(400, {"error": "invalid_grant", "error_description": "Bad\x1b thing"})

    assert isinstance(answer, Outcome)
    assert "invalid_grant: Bad thing" == answer.detail


def test_an_answer_without_words_is_shown_as_it_came() -> None:
    """The beginning of a proxy's page tells whose it is; a 2xx is not shown, whatever it holds."""
    answers = [oauth.read_answer(status, (), b"<html>busy</html>") for status in (503, 300, 299)]

    assert ["<html>busy</html>", "<html>busy</html>", None] == [
        answer.detail for answer in answers if isinstance(answer, Outcome)
    ]


@pytest.mark.parametrize("name", ["access_token", "id_token", "refresh_token"])
def test_a_token_is_not_shown_under_any_status(name: str) -> None:
    """Something in between may change the status of an answer, or its form; the secret stays."""
    for body in ({name: "opaque"}, {name: "opaque", "error": None}):
        answer = read(302, body)
        assert isinstance(answer, Outcome)
        assert answer.detail is None


# Survives `gateway/oauth.py`: `if case is not None else None`: no row has None for a name; this is
# for the type checker.
def test_the_endpoint_may_ask_to_wait() -> None:
    """Retry-After holds for the token endpoint as for a push."""
    answer = read(429, {"error": "rate_limit"}, ("retry-after", "30"))

    assert isinstance(answer, Outcome)
    assert 30 == answer.retry_after_s
