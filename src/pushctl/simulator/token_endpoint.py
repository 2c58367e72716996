"""
Judges requests to Google's OAuth 2.0 token endpoint and issues access tokens (RFC 7523).

The order of the checks, the clock's tolerance and the answer to an unknown scope are those that
were recorded from the real endpoint; the catalog's service ``oauth`` has the cases.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import urllib.parse
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pushctl.outcome import JsonValue
from pushctl.simulator import answers
from pushctl.simulator.http import Answer, Request, html_answer, json_answer

PATH = "/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
ACCESS_TOKEN_PREFIX = "ya29.c."  # noqa: S105 -- no secret
MAX_LIFETIME_S = 3600
TOLERANCE_S = 300
_MAX_TOKENS = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The public half of a service account, and the project that it may push to."""

    public_key: rsa.RSAPublicKey
    email: str
    key_id: str
    project_id: str

    @classmethod
    def from_info(cls, info: Mapping[str, object]) -> ServiceAccount:
        """
        Return the account of a service-account file's content.

        :raises ValueError: a field is missing, or its key is not an RSA private key.
        """
        try:
            pem = str(info["private_key"]).encode()
            email, key_id = str(info["client_email"]), str(info["private_key_id"])
            project_id = str(info["project_id"])
        except KeyError as missing:
            raise ValueError(f"a service account needs {missing}") from None
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the key of a service account is an RSA key")
        return cls(key.public_key(), email, key_id, project_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for."""

    account: str
    scopes: frozenset[str]
    expires_at: float


class AccessTokens:
    """The access tokens that were issued and are still good."""

    def __init__(self, lifetime_s: int) -> None:
        self.lifetime_s = lifetime_s
        self._grants: dict[str, Grant] = {}

    def issue(self, account: str, scopes: frozenset[str], now: float) -> str:
        """Return a new token, opaque and about 1 KB long as Google's are."""
        if len(self._grants) >= _MAX_TOKENS:
            self._grants.pop(next(iter(self._grants)))
        token = ACCESS_TOKEN_PREFIX + secrets.token_urlsafe(760)
        self._grants[token] = Grant(account, scopes, now + self.lifetime_s)
        return token

    def find(self, token: str, now: float) -> Grant | None:
        """Return what *token* stands for; ``None`` if it is unknown or has expired."""
        grant = self._grants.get(token)
        return grant if grant is not None and now < grant.expires_at else None

    def revoke_all(self) -> None:
        """Forget every token: each is answered ACCESS_TOKEN_EXPIRED from now on."""
        self._grants.clear()


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What the token endpoint makes of one request."""

    answer: Answer
    case: str | None
    """The catalog's name of the refusal; ``None``: a token was granted."""
    account: str | None


class _Refused(Exception):
    """A case of the catalog."""


class TokenEndpoint:
    """Judges token requests of the accounts that it was given."""

    def __init__(
        self, accounts: Mapping[str, ServiceAccount], tokens: AccessTokens, own_uris: frozenset[str]
    ) -> None:
        """
        :param accounts: by e-mail address; read at each request.
        :param own_uris: the addresses that an assertion's audience may name, beside Google's.
        """
        self._accounts = accounts
        self._tokens = tokens
        self._audiences = own_uris | {GOOGLE_TOKEN_URI}

    def judge(self, request: Request, now: float) -> Judgement:
        """Return the verdict on *request*; a grant is issued with it."""
        if request.method != "POST":
            return Judgement(html_answer(404, "Not Found"), answers.NOT_FOUND_PAGE, None)
        account = None
        try:
            form = _form(request)
            claims, account = self._signed_claims(form.get("assertion", ""))
            scopes = self._check(claims, now)
        except _Refused as refused:
            case = str(refused)
            return Judgement(answers.oauth(case, status=_STATUS.get(case, 400)), case, account)
        if not all(_is_scope(scope) for scope in scopes):
            # Google takes an unknown scope for the audience of an ID token.
            id_token = jwt.encode(
                {"aud": " ".join(scopes), "iat": int(now)}, secrets.token_bytes(32)
            )
            answer = json_answer(200, {"id_token": id_token})
            return Judgement(answer, "unknown_scope_gives_id_token", account)
        token = self._tokens.issue(account, frozenset(scopes), now)
        lifetime = self._tokens.lifetime_s
        body: JsonValue = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
        return Judgement(json_answer(200, body), None, account)

    def _signed_claims(self, assertion: str) -> tuple[Mapping[str, object], str]:
        """Return the claims of *assertion* once its signature was verified, and the account."""
        try:
            header = jwt.get_unverified_header(assertion)
            unverified = jwt.PyJWS().decode(assertion, options={"verify_signature": False})
            claims = json.loads(unverified)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise _Refused("malformed_assertion") from None
        if not isinstance(claims, dict):
            raise _Refused("malformed_assertion")
        email = claims.get("iss")
        account = self._accounts.get(email) if isinstance(email, str) else None
        if account is None:
            raise _Refused("account_not_found")
        if header.get("kid") not in (None, account.key_id):
            raise _Refused("bad_signature")
        try:
            jwt.PyJWS().decode(assertion, account.public_key, algorithms=["RS256"])
        except jwt.InvalidTokenError:
            raise _Refused("bad_signature") from None
        return claims, account.email

    def _check(self, claims: Mapping[str, object], now: float) -> list[str]:
        """Judge the claims in the recorded order; return the scopes asked for."""
        issued_at, expires_at = claims.get("iat"), claims.get("exp")
        if not isinstance(issued_at, int | float):
            raise _Refused("iat_missing")
        if not isinstance(expires_at, int | float):
            raise _Refused("exp_missing")
        short = 0 < expires_at - issued_at <= MAX_LIFETIME_S
        timely = issued_at <= now + TOLERANCE_S and expires_at > now - TOLERANCE_S
        if not (short and timely):
            raise _Refused("clock_or_lifetime")
        scopes = str(claims.get("scope") or "").split()
        if not scopes:
            raise _Refused("empty_scope")
        if claims.get("aud") not in self._audiences:
            raise _Refused("bad_audience")
        if claims.get("sub") not in (None, claims.get("iss")):
            raise _Refused("unauthorized_client")
        return scopes


_STATUS = {"unauthorized_client": 401}


def _form(request: Request) -> dict[str, str]:
    """Return the form fields of a JWT grant request."""
    kind = (request.field("content-type") or "").partition(";")[0].strip().lower()
    fields: dict[str, str] = {}
    if kind == "application/x-www-form-urlencoded":
        fields = dict(urllib.parse.parse_qsl(request.body.decode("latin-1"), max_num_fields=20))
    if fields.get("grant_type") != GRANT_TYPE:
        raise _Refused("unsupported_grant")
    return fields


def _is_scope(scope: str) -> bool:
    return scope.startswith("https://www.googleapis.com/auth/") or scope in (
        "openid",
        "email",
        "profile",
    )
