"""What the other rooms know of a credential."""

from __future__ import annotations

import dataclasses
import ssl
from typing import NoReturn, Protocol

from pushctl.config import Origin
from pushctl.errors import CredentialsRefused, Problem
from pushctl.outcome import Environment, Service


class Presented(Protocol):
    """An authorization that a request carried."""

    @property
    def header(self) -> bytes:
        """The full value of the ``authorization`` header."""


@dataclasses.dataclass(frozen=True, slots=True)
class Authorization:
    """The ``authorization`` header of a request, and how long it serves.  Epoch seconds."""

    header: bytes = dataclasses.field(repr=False)
    """The full value, such as ``bearer eyJ…``: a secret."""
    issued_at: float
    retire_at: float
    """From then on a connection or request should use a newer one."""
    expires_at: float
    """From then on the service refuses it."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("an authorization does not leave its process")


class Credential(Protocol):
    """One opened credential.  Its methods may be called from any thread."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""

    @property
    def service(self) -> Service:
        """Who delivers."""

    @property
    def environment(self) -> Environment | None:
        """APNs only."""

    @property
    def topic(self) -> str | None:
        """APNs only: the bundle id, without the suffix of a push type."""

    @property
    def project_id(self) -> str | None:
        """FCM only."""

    @property
    def origin(self) -> Origin:
        """Where its pushes go."""

    @property
    def fingerprint(self) -> str:
        """What people may see of it: ``key ABC123DEFG``."""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What was found when it was opened and is no reason to refuse it."""

    def authorization(self, now: float) -> Authorization | None:
        """
        Return what a request at *now* (epoch seconds) carries; ``None`` for a certificate.

        The same object is returned until it must be replaced.  May block: FCM asks the token
        endpoint.

        :raises CredentialsRefused: if the token endpoint says no (see :class:`TokenRefused`).
        :raises Unreachable: if the token endpoint does not answer.
        """

    def renew(self, now: float, refused: Presented) -> Authorization | None:
        """
        Return a newer authorization after the service called *refused* expired.

        However many requests were refused together, one new token is made.  Blocks and raises
        as :meth:`authorization` does.
        """

    def ssl_context(self) -> ssl.SSLContext:
        """
        Return the context for connections to :attr:`origin`; always the same one.

        TLS 1.2 or later, verified, ALPN ``h2`` (RFC 9113 §3.2), with the client certificate if
        there is one.
        """


class TokenRefused(CredentialsRefused):
    """The token endpoint refused to give an access token; holds its answer to explain it by."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: bytes,
        date: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.body = body
        """The body of a refusal; empty JSON for a 200, which may hold a token of another kind."""
        self.date = date
        """The answer's ``Date``: a wrong clock is the usual cause."""
