"""Who may do what at Google: access tokens, their scopes, and the projects of accounts."""

from __future__ import annotations

from collections.abc import Mapping

from pushctl.simulator import answers
from pushctl.simulator.http import Answer
from pushctl.simulator.token_endpoint import ACCESS_TOKEN_PREFIX, AccessTokens

SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)


class Refused(Exception):
    """A request is refused: why, in the catalog's spelling, and what is answered."""

    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class GoogleAccess:
    """Judges bearer tokens, and what their account may touch."""

    def __init__(self, tokens: AccessTokens, projects: Mapping[str, str]) -> None:
        """:param projects: the project that each service account (by e-mail address) may use."""
        self._tokens = tokens
        self._projects = projects

    def account(self, authorization: str | None, now: float) -> str:
        """
        Return the service account that the bearer token stands for.

        :raises Refused: there is no token, or it is not good.
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise refused("CREDENTIALS_MISSING", status=401)
        grant = self._tokens.find(token, now)
        if grant is None:
            if token.count(".") == 2 and not token.startswith(ACCESS_TOKEN_PREFIX):
                raise refused("ACCESS_TOKEN_TYPE_UNSUPPORTED", status=401)  # a JWT
            raise refused("ACCESS_TOKEN_EXPIRED", status=401)
        if not grant.scopes & SCOPES:
            raise refused("ACCESS_TOKEN_SCOPE_INSUFFICIENT", status=403)
        return grant.account

    def project(self, account: str) -> str | None:
        """Return the project of *account*."""
        return self._projects.get(account)

    def check_project(self, project: str, account: str) -> None:
        """Refuse a project that does not exist, or that *account* may not use."""
        if project not in self._projects.values():
            # A wrong project is a bare NOT_FOUND, without an FcmError.
            raise Refused(
                "NOT_FOUND", answers.google_error(404, "Requested entity was not found.", ())
            )
        if self._projects.get(account) != project:
            raise refused("IAM_PERMISSION_DENIED", status=403)


def refused(reason: str, status: int | None = None) -> Refused:
    """Return a refusal with the catalog's example of *reason*."""
    if status is None and reason.startswith("INVALID_ARGUMENT"):
        status = 400
    return Refused(reason, answers.fcm(reason, status=status))
