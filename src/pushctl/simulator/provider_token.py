"""
Judges APNs provider tokens and certificates, and remembers what each connection has shown.

Rules: Apple, "Establishing a token-based connection to APNs" and "Establishing a
certificate-based connection to APNs".
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pushctl.outcome import Environment
from pushctl.simulator.client_certificate import ClientCertificate

LIFETIME_S = 3600
"""A token older than this is stale."""
UPDATE_INTERVAL_S = 1200
"""A connection may show a new token at most this often."""
_CACHE_SIZE = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class ApnsKey:
    """The public half of a push key, and what it may be used for."""

    public_key: ec.EllipticCurvePublicKey
    team_id: str
    environments: frozenset[Environment] | None = None
    """Newer keys can be limited to one environment; ``None``: both."""
    topics: frozenset[str] | None = None
    """A topic-specific key: the bundle ids it may push to; ``None``: every app of the team."""

    @classmethod
    def from_pem(cls, pem: bytes, team_id: str) -> ApnsKey:
        """
        Return the key in *pem*, a private or a public key on P-256.

        :raises ValueError: it holds something else.
        """
        if b"PRIVATE KEY" in pem:
            private = serialization.load_pem_private_key(pem, password=None)
            key: object = private.public_key()
        else:
            key = serialization.load_pem_public_key(pem)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise ValueError("a push key is an elliptic-curve key on P-256")
        return cls(key, team_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Claims:
    """What a provider token with a good signature says."""

    key_id: str
    team_id: str
    issued_at: int


@dataclasses.dataclass(slots=True)
class Session:
    """What one connection has shown so far."""

    certificate: ClientCertificate | None = None
    """Shown in the handshake; provider tokens are then ignored."""
    token: str | None = None
    claims: Claims | None = None
    changed_at: float = 0.0
    wedged: bool = False
    """Once a stale token was shown, the connection answers nothing but ExpiredProviderToken."""


class ProviderTokens:
    """Verifies provider tokens against the keys it was given."""

    def __init__(
        self,
        keys: Mapping[str, ApnsKey],
        environment: Environment,
        *,
        lifetime_s: float = LIFETIME_S,
        interval_s: float = UPDATE_INTERVAL_S,
    ) -> None:
        """*keys* is read at each look-up: a key added later counts from then on."""
        self._keys = keys
        self._environment = environment
        self.lifetime_s = lifetime_s
        """The age at which a token is stale.  May be changed, as may the next."""
        self.interval_s = interval_s
        """A connection may show a new token at most this often."""
        self._verified: dict[str, Claims] = {}

    def topics(self, session: Session) -> frozenset[str] | None:
        """Return the bundle ids that the session's key may push to; ``None``: all of the team."""
        return None if session.claims is None else self._keys[session.claims.key_id].topics

    def refusal(self, session: Session, authorization: str | None, now: float) -> str | None:
        """
        Return APNs' reason to refuse the credentials of a request, or ``None``.

        A token that is taken becomes the session's token.
        """
        if session.certificate is not None:
            environments = session.certificate.environments
            if self._environment in environments:
                return None
            return "BadCertificateEnvironment" if environments else "BadCertificate"
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if authorization is None or not scheme or (scheme.lower() == "bearer" and not token):
            return "MissingProviderToken"
        if session.wedged:
            return "ExpiredProviderToken"
        if token == session.token and session.claims and scheme.lower() == "bearer":
            return self._stale(session, session.claims, now)
        claims = self._verify(token, now) if scheme.lower() == "bearer" else None
        if claims is None:
            return "InvalidProviderToken"
        return self._stale(session, claims, now) or self._adopt(session, token, claims, now)

    def _stale(self, session: Session, claims: Claims, now: float) -> str | None:
        if now - claims.issued_at <= self.lifetime_s:
            return None
        session.wedged = True
        return "ExpiredProviderToken"

    def _adopt(self, session: Session, token: str, claims: Claims, now: float) -> str | None:
        environments = self._keys[claims.key_id].environments
        if environments is not None and self._environment not in environments:
            return "BadEnvironmentKeyInToken"  # the server's own spelling, see the catalog
        earlier = session.claims
        if earlier is not None:
            if (earlier.key_id, earlier.team_id) != (claims.key_id, claims.team_id):
                return "UnrelatedKeyIdInToken"
            if now - session.changed_at < self.interval_s:
                return "TooManyProviderTokenUpdates"
        session.token, session.claims, session.changed_at = token, claims, now
        return None

    def _verify(self, token: str, now: float) -> Claims | None:
        """Return what *token* says if a known key signed it and its claims make sense."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            if claims is None:
                return None
            if len(self._verified) >= _CACHE_SIZE:
                self._verified.clear()
            self._verified[token] = claims
        return claims if claims.issued_at <= now else None

    def _decode(self, token: str) -> Claims | None:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(key_id) if isinstance(key_id, str) else None
            if key is None or not isinstance(key_id, str):
                return None
            payload = jwt.PyJWS().decode(token, key.public_key, algorithms=["ES256"])
            claims = json.loads(payload)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        if not isinstance(claims, dict) or claims.get("iss") != key.team_id:
            return None
        issued_at = claims.get("iat")
        if not isinstance(issued_at, int) or isinstance(issued_at, bool):
            return None
        return Claims(key_id, key.team_id, issued_at)


def fingerprint(token: str) -> str:
    """Return a short name for a secret *token* that does not tell it."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]
