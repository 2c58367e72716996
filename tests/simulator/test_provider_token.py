"""How provider tokens are judged, alone and one after the other on a connection."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pushctl.outcome import Environment
from pushctl.simulator import ApnsKey
from pushctl.simulator.provider_token import ProviderTokens, Session, fingerprint
from simulator.kit import pem, provider_token, push_key

NOW = 1_795_168_800.0
KEY, OTHER_KEY = push_key(), push_key()
KEYS = {
    "ABC123DEFG": ApnsKey(KEY.public_key(), "DEF123GHIJ"),
    "OTHERKEY01": ApnsKey(OTHER_KEY.public_key(), "DEF123GHIJ"),
    "SANDBOXKEY": ApnsKey(
        OTHER_KEY.public_key(), "DEF123GHIJ", environments=frozenset({Environment.SANDBOX})
    ),
}


def bearer(issued_at: object = int(NOW), key_id: str = "ABC123DEFG", **claims: object) -> str:
    key = KEY if key_id == "ABC123DEFG" else OTHER_KEY
    return "bearer " + provider_token(key, key_id, "DEF123GHIJ", issued_at, **claims)


def refusal(authorization: str | None, session: Session | None = None, now: float = NOW) -> object:
    tokens = ProviderTokens(KEYS, Environment.PRODUCTION)
    return tokens.refusal(session or Session(), authorization, now)


@pytest.mark.parametrize("authorization", [None, "", "bearer", "bearer ", "Bearer   "])
def test_no_token_is_missing(authorization: str | None) -> None:
    """Without a header field, or with a scheme alone, the token is missing."""
    assert "MissingProviderToken" == refusal(authorization)


def der_signed() -> str:
    """A token as Apple's own shell example makes it: the signature in DER."""
    head, body, _ = provider_token(KEY, "ABC123DEFG", "DEF123GHIJ", int(NOW)).split(".")
    signature = KEY.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    return f"{head}.{body}." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def signed(payload: bytes) -> str:
    return jwt.PyJWS().encode(payload, KEY, "ES256", {"kid": "ABC123DEFG"})


@pytest.mark.parametrize(
    "token",
    [
        "basic abc",
        "bearer abc",
        "bearer a.b.c",
        bearer(key_id="UNKNOWNKEY"),
        bearer(iss="TEAM000000"),
        bearer(int(NOW) + 1),
        bearer(int(NOW) * 1000),
        bearer("now"),
        bearer(True),
        bearer() + "x",
        "bearer " + provider_token(OTHER_KEY, "ABC123DEFG", "DEF123GHIJ", int(NOW)),
        "bearer " + jwt.encode({"iss": "DEF123GHIJ"}, KEY, "ES256", {"kid": "ABC123DEFG"}),
        "bearer " + jwt.encode({"iss": "DEF123GHIJ", "iat": int(NOW)}, KEY, "ES256"),
        "bearer " + der_signed(),
        "bearer " + signed(b"[]"),
        "bearer " + signed(b"nonsense"),
        "bearer " + signed(b"[" * 100_000),
    ],
)
def test_a_token_that_does_not_hold_is_invalid(token: str) -> None:
    """Wrong scheme, key, team, time, signature or form: InvalidProviderToken."""
    assert "InvalidProviderToken" == refusal(token)


def test_another_algorithm_is_invalid() -> None:
    """Only ES256 is taken, though the key id is known."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": "DEF123GHIJ", "iat": int(NOW)}
    token = jwt.encode(claims, key, "RS256", {"kid": "ABC123DEFG"})
    assert "InvalidProviderToken" == refusal(f"bearer {token}")


def test_a_token_lives_one_hour_and_then_wedges_the_connection() -> None:
    """After a stale token the connection refuses a fresh one too; another connection takes it."""
    tokens, session = ProviderTokens(KEYS, Environment.PRODUCTION), Session()
    old, fresh = bearer(int(NOW) - 3600), bearer()
    assert [None, "ExpiredProviderToken", "ExpiredProviderToken", None] == [
        tokens.refusal(session, old, NOW),
        tokens.refusal(session, old, NOW + 1),
        tokens.refusal(session, fresh, NOW + 1),
        tokens.refusal(Session(), fresh, NOW + 1),
    ]


def test_a_new_token_within_twenty_minutes_is_one_too_many() -> None:
    """A second token is refused for 20 minutes while the first one stays good."""
    tokens, session = ProviderTokens(KEYS, Environment.PRODUCTION), Session()
    first, second = bearer(), bearer(int(NOW) - 60)
    assert [None, "TooManyProviderTokenUpdates", None, None] == [
        tokens.refusal(session, first, NOW),
        tokens.refusal(session, second, NOW + 1199),
        tokens.refusal(session, first, NOW + 1199),
        tokens.refusal(session, second, NOW + 1200),
    ]


def test_another_key_needs_another_connection() -> None:
    """A key other than the connection's first is UnrelatedKeyIdInToken."""
    tokens, session = ProviderTokens(KEYS, Environment.PRODUCTION), Session()
    tokens.refusal(session, bearer(), NOW)
    assert "UnrelatedKeyIdInToken" == tokens.refusal(session, bearer(key_id="OTHERKEY01"), NOW)


def test_a_key_of_the_other_environment_is_named_as_the_server_names_it() -> None:
    """A sandbox key in production gets the wire's spelling, not that of Apple's page."""
    assert "BadEnvironmentKeyInToken" == refusal(bearer(key_id="SANDBOXKEY"))


def test_the_cache_of_verified_tokens_is_bounded() -> None:
    """Whatever number of tokens comes, those kept stay under a thousand or so."""
    tokens = ProviderTokens(KEYS, Environment.PRODUCTION)
    for age in range(1030):
        tokens.refusal(Session(), bearer(int(NOW) - age), NOW)
    assert len(tokens._verified) <= 1024


def test_keys_are_read_from_private_and_public_pems() -> None:
    """A .p8 and its public half give the same key; anything else is refused."""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert (
        ApnsKey.from_pem(pem(KEY), "T").public_key.public_numbers()
        == ApnsKey.from_pem(public, "T").public_key.public_numbers()
    )
    for other in (
        pem(ec.generate_private_key(ec.SECP384R1())),
        b"nonsense",
        json.dumps({}).encode(),
    ):
        with pytest.raises(ValueError):
            ApnsKey.from_pem(other, "T")


def test_fingerprints_hide_the_token() -> None:
    """A fingerprint is short, stable, and no part of the token."""
    name = fingerprint("secret-token")
    assert (12, True, False) == (
        len(name),
        name == fingerprint("secret-token"),
        name in "secret-token",
    )
