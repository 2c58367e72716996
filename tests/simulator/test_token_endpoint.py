"""The token endpoint: each recorded refusal, and grants that FCM then takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pushctl.simulator import ServiceAccount
from pushctl.simulator.token_endpoint import AccessTokens
from simulator.kit import ANDROID_TOKEN, Served, pem, push_key, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("simulator")) as running:
        yield running


def test_a_grant_is_taken_by_fcm(served: Served) -> None:
    """The assertion of a trusted account buys an access token that sends a message."""
    answer = served.grant()
    assert (200, {"access_token", "expires_in", "token_type"}) == (
        answer.status_code,
        set(answer.json()),
    )
    assert 200 == served.fcm({"token": ANDROID_TOKEN}, answer.json()["access_token"]).status_code


def test_googles_own_address_is_an_audience_too(served: Served) -> None:
    """A real service account file names Google's endpoint; that audience is taken as well."""
    google = served.assertion(aud="https://oauth2.googleapis.com/token")
    assert 200 == served.grant(google).status_code


@pytest.mark.parametrize(
    ("changes", "status", "error", "text"),
    [
        ({"iss": "nobody@example.com"}, 400, "invalid_grant", "account not found"),
        ({"iat": None}, 400, "invalid_grant", "iat (issued at) is not set"),
        ({"exp": None}, 400, "invalid_grant", "exp (expiration time) is not set"),
        ({"exp": +7300}, 400, "invalid_grant", "short-lived token (60 minutes)"),
        ({"iat": +600, "exp": +4000}, 400, "invalid_grant", "short-lived token"),
        ({"iat": -7200, "exp": -3600}, 400, "invalid_grant", "short-lived token"),
        ({"iat": 0, "exp": -10}, 400, "invalid_grant", "short-lived token"),
        ({"scope": None}, 400, "invalid_scope", "Invalid OAuth scope"),
        ({"scope": ""}, 400, "invalid_scope", "Invalid OAuth scope"),
        ({"aud": "https://example.com/token"}, 400, "invalid_grant", "Failed audience check"),
        ({"sub": "boss@example.com"}, 401, "unauthorized_client", "unauthorized"),
    ],
)
def test_each_recorded_refusal(
    served: Served, changes: dict[str, object], status: int, error: str, text: str
) -> None:
    """A claim that does not hold is refused as recorded; times are counted from now."""
    now = int(time.time())
    claims = {
        name: now + value if isinstance(value, int) else value for name, value in changes.items()
    }
    answer = served.grant(served.assertion(**claims))
    body = answer.json()
    assert (status, error, True) == (
        answer.status_code,
        body["error"],
        text in body["error_description"],
    )


def test_clock_skew_as_it_was_measured(served: Served) -> None:
    """iat 300 s ahead or an hour behind is tolerated."""
    now = int(time.time())
    ahead = served.assertion(iat=now + 290, exp=now + 3000)
    behind = served.assertion(iat=now - 3600, exp=now)
    assert [200, 200] == [served.grant(item).status_code for item in (ahead, behind)]


def test_an_unknown_scope_gives_an_id_token(served: Served) -> None:
    """Google's trap: 200 with an id_token and no access_token, which FCM then refuses."""
    answer = served.grant(served.assertion(scope="firebase.messaging"))
    assert (200, ["id_token"]) == (answer.status_code, list(answer.json()))
    refused = served.fcm({"token": ANDROID_TOKEN}, answer.json()["id_token"])
    assert (401, True) == (refused.status_code, "ACCESS_TOKEN_TYPE_UNSUPPORTED" in refused.text)


def forged(served: Served, **head: str) -> str:
    """An assertion by another RSA key."""
    claims = jwt.decode(served.assertion(), options={"verify_signature": False})
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = {"kid": served.info()["private_key_id"], **head}
    return jwt.encode(claims, pem(key), "RS256", kid)


def test_signatures_are_verified(served: Served) -> None:
    """Another key, another key id or another algorithm is 'Invalid JWT Signature.'."""
    claims = jwt.decode(served.assertion(), options={"verify_signature": False})
    info = served.info()
    other_id = jwt.encode(claims, info["private_key"], "RS256", {"kid": "0000"})
    wrong = jwt.encode(claims, push_key(), "ES256", {"kid": info["private_key_id"]})
    for assertion in (forged(served), other_id, wrong):
        answer = served.grant(assertion)
        assert (400, "Invalid JWT Signature.") == (
            answer.status_code,
            answer.json()["error_description"],
        )


@pytest.mark.parametrize("assertion", ["nonsense", "a.b.c", jwt.PyJWS().encode(b"[]", "k" * 32)])
def test_what_is_no_assertion_is_malformed(served: Served, assertion: str) -> None:
    """Anything but a JWT with claims is invalid_request."""
    assert (400, "invalid_request") == (
        served.grant(assertion).status_code,
        served.grant(assertion).json()["error"],
    )


def test_the_grant_has_to_be_a_form(served: Served) -> None:
    """JSON, another grant type, or GET are no JWT grant."""
    as_json = served.client.post("/token", json={"grant_type": "x"})
    other = served.client.post("/token", data={"grant_type": "refresh_token"})
    assert ["unsupported_grant_type"] * 2 == [item.json()["error"] for item in (as_json, other)]
    assert 404 == served.client.get("/token").status_code


def test_revoked_tokens_are_expired(served: Served) -> None:
    """After a revocation FCM answers ACCESS_TOKEN_EXPIRED, and a new grant helps."""
    token = served.access_token()
    served.fake.revoke_access_tokens()
    assert [401, 200] == [
        served.fcm({"token": ANDROID_TOKEN}, item).status_code
        for item in (token, served.access_token())
    ]


def test_kept_tokens_are_bounded() -> None:
    """Ten thousand grants are kept; the oldest goes first."""
    tokens = AccessTokens(60)
    first = tokens.issue("a", frozenset(), 0)
    for _ in range(10_000):
        last = tokens.issue("a", frozenset(), 0)
    assert (None, True) == (tokens.find(first, 1), tokens.find(last, 1) is not None)


def test_accounts_are_read_from_their_file(served: Served, tmp_path: Path) -> None:
    """A file that lacks a field, or has another kind of key, is no service account."""
    info = served.info()
    assert info["client_email"] == ServiceAccount.from_info(info).email
    for broken in ({"private_key": "x"}, {**info, "private_key": pem(push_key()).decode()}):
        with pytest.raises(ValueError):
            ServiceAccount.from_info(broken)
