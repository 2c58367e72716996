"""
Reads the answers of Google's token endpoint (``POST https://oauth2.googleapis.com/token``).

They have the form of RFC 6749 section 5, not that of Google's other APIs: ``error`` is a text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pushctl import catalog
from pushctl.gateway.answer import (
    Headers,
    detail,
    label,
    raw_detail,
    read_object,
    rejected,
    retry_after_s,
    whole_number,
)
from pushctl.outcome import JsonValue, Outcome

_LIFETIME_SECONDS_DEFAULT = 3_600
"""Google's documented lifetime, for an answer without ``expires_in``."""
_LIFETIME_SECONDS_MAX = 86_400
_SERVER_ERRORS = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_TOKENS = frozenset({"access_token", "id_token", "refresh_token"})
_TRANSIENT_STATUSES = frozenset({408, 429})
_POLICY_ERRORS = frozenset({"admin_policy_enforced", "access_denied", "org_internal"})
_BY_ERROR = {
    "unsupported_grant_type": "unsupported_grant",
    "unauthorized_client": "unauthorized_client",
    "invalid_client": "invalid_client",
    "disabled_client": "disabled_client",
    "deleted_client": "deleted_client",
    **dict.fromkeys(_POLICY_ERRORS, "policy"),
}
_GRANT_PARTS = (
    ("invalid jwt signature", "bad_signature"),
    ("account not found", "account_not_found"),
    ("short-lived token (60 minutes)", "clock_or_lifetime"),
    ("iat (issued at) is not set", "iat_missing"),
    ("exp (expiration time) is not set", "exp_missing"),
    ("failed audience check", "bad_audience"),
    ("expired or revoked", "refresh_token_revoked"),
)
"""What the description of an ``invalid_grant`` contains, and the case it tells."""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenGrant:
    """An access token as Google granted it."""

    access_token: str = dataclasses.field(repr=False)
    expires_in: int
    """Seconds from the moment of the answer."""


def read_answer(status: int, headers: Headers, body: bytes) -> Outcome | TokenGrant:
    """
    Return the granted token, or why there is none.

    The outcome's ``reason`` and ``case`` are the case of the catalog (``bad_signature``) where
    one fits, else ``reason`` is the ``error`` of the answer.  A 200 without an access token is a
    rejection: for a scope that Google does not know it sends an ID token instead.
    """
    answer = read_object(body) or {}
    token = answer.get("access_token")
    if 200 <= status < 300 and isinstance(token, str) and token:
        return TokenGrant(token, _lifetime(answer.get("expires_in")))
    error = label(answer.get("error"))
    said = answer.get("error_description")
    description = said if isinstance(said, str) else ""
    case = _case(status, error, description)
    row = catalog.lookup("oauth", case) if case is not None else None
    text = ": ".join(part for part in (error, description) if part)
    return rejected(
        status,
        case or error,
        row or catalog.by_status("oauth", status),
        case=case,
        detail=detail(text) if text else _unread(answer, body, status),
        retry_after_s=retry_after_s(headers),
    )


def _case(status: int, error: str | None, description: str) -> str | None:
    """Return which of the catalog's cases the answer fits (fields `tell` of table `oauth`)."""
    if 200 <= status < 300:
        return "unknown_scope_gives_id_token"
    if status >= 500 or error in _SERVER_ERRORS:
        return "server_side"
    if status in _TRANSIENT_STATUSES or error is None:
        return None
    said = description.strip().removesuffix(".").casefold()
    if error == "invalid_grant":
        return next((case for part, case in _GRANT_PARTS if part in said), None)
    if error == "invalid_scope" and said == "invalid oauth scope or id token audience provided":
        return "empty_scope"
    if error == "invalid_request" and said == "bad request":
        return "malformed_assertion"
    return _BY_ERROR.get(error)


def _lifetime(value: object) -> int:
    seconds = whole_number(value)
    if seconds is None:
        return _LIFETIME_SECONDS_DEFAULT
    return min(max(seconds, 0), _LIFETIME_SECONDS_MAX)


def _unread(answer: Mapping[str, JsonValue], body: bytes, status: int) -> str | None:
    """Return the beginning of an answer without words, unless it holds or may hold tokens."""
    if 200 <= status < 300 or not _TOKENS.isdisjoint(answer):
        return None
    return raw_detail(body)
