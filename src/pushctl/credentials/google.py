"""
Access tokens for FCM, through google-auth.

A service account file names the endpoint that its assertions are sent to.  Files are passed
around, so that word is not taken: the endpoint is Google's, or the one that the config names.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import urlsplit

import google.auth.exceptions

from pushctl.config import FcmSettings
from pushctl.config.rules import is_project_id
from pushctl.credentials.credential import Authorization, Presented, TokenRefused
from pushctl.credentials.google_source import METADATA_HOST, Refreshable, of_account
from pushctl.credentials.google_transport import Answer, HttpxRequest, http_client
from pushctl.credentials.service_account import GOOGLE_TOKEN_ENDPOINT, Account, load_account
from pushctl.credentials.sources import Secret, Unfit, from_file, from_variable
from pushctl.credentials.tls import client_context
from pushctl.errors import InvalidInput, Problem, Unreachable
from pushctl.outcome import Service
from pushctl.proxy import proxy_variables
from pushctl.rules.text import printable

RETIRE_BEFORE_S = 225
"""How long before its end a token is replaced: google-auth's own margin (REFRESH_THRESHOLD)."""

_UNSTATED_LIFETIME_S = 600.0
# RFC 6749 §5.1 lets a server leave expires_in out; Google never does.
_LEAST_LIFETIME_S, _MOST_LIFETIME_S = 60.0, 86400.0
# Between these a stated lifetime is believed: nobody shall make us ask without end.
_OVERLOAD = (408, 429)
_NO_WAY = "is the network up, and does a proxy or firewall stand in between?"


class GoogleCredential:
    """A service account, or application default credentials.  Keeps the newest access token."""

    service = Service.FCM
    environment = None
    topic = None

    def __init__(
        self,
        settings: FcmSettings,
        source: Refreshable,
        *,
        project_id: str,
        fingerprint: str,
        environ: Mapping[str, str],
        home_project: str | None = None,
        warnings: tuple[Problem, ...] = (),
    ) -> None:
        self.name = settings.name
        self.project_id = project_id
        self.home_project = home_project
        """The project that the account was made in, where its file says so."""
        self.origin = settings.origin
        self.fingerprint = fingerprint
        self.warnings = warnings
        self._settings = settings
        self._environ = proxy_variables(environ)
        self._source = source
        self._newest: Authorization | None = None
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.fingerprint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential does not leave its process")

    def authorization(self, now: float) -> Authorization:
        """Return the access token, fetching one if there is none or it is about to expire."""
        with self._lock:
            newest = self._newest
            if newest is None or not newest.issued_at <= now < newest.retire_at:
                newest = self._newest = self._fetch(now)
            return newest

    def renew(self, now: float, refused: Presented) -> Authorization:
        """Return an access token that is not *refused*; refusals that come together share one."""
        with self._lock:
            newest = self._newest
            if newest is None or newest.header == refused.header:
                newest = self._newest = self._fetch(now)
            return newest

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context for connections to FCM."""
        if self._context is None:
            self._context = client_context(self._settings)
        return self._context

    def _fetch(self, now: float) -> Authorization:
        with http_client(self._settings, self._environ) as client:
            request = HttpxRequest(client)
            try:
                self._source.refresh(request)
                token, expiry = self._source.token, self._source.expiry
            except (
                google.auth.exceptions.GoogleAuthError,
                ValueError,
                TypeError,
                KeyError,
                OverflowError,
                RecursionError,
            ):
                # google-auth expects a well-formed answer of whoever says 200.
                token, expiry = None, None
        # Raised out here: the caught exception holds bodies, and would be kept as the context.
        if not token or not _is_header_value(token):
            raise self._failure(request)
        lifetime = _lifetime(expiry)
        return Authorization(
            header=b"Bearer " + token.encode("ascii"),
            issued_at=now,
            retire_at=now + max(lifetime - RETIRE_BEFORE_S, lifetime / 2),
            expires_at=now + lifetime,
        )

    def _failure(self, request: HttpxRequest) -> Unreachable | TokenRefused:
        """Return the error for a refresh that gave no token."""
        where = self._settings.token_endpoint or _called(request.host)
        if request.answer is None:
            why = request.failure or "they could not be refreshed"
            return Unreachable(
                f"cannot get an access token for {self.name!r} from {where}: {why}",
                hint=request.hint or _NO_WAY,
            )
        return _judge(request.answer, where, self.fingerprint)


def _judge(answer: Answer, where: str, who: str) -> Unreachable | TokenRefused:
    """Return what an answer without a usable token means."""
    date = answer.headers.get("date")
    if answer.status == 200 and _json_object(answer.data) is not None:
        message = f"{where} answered for {who} without a usable access token"
        return TokenRefused(message, status=200, body=b"{}", date=date)
    said = _error_words(answer.data) or f"HTTP {answer.status}"
    if 400 <= answer.status < 500 and answer.status not in _OVERLOAD:
        return TokenRefused(
            f"{where} refused {who}: {said}", status=answer.status, body=answer.data, date=date
        )
    return Unreachable(
        f"{where} gave no access token for {who}: {said}",
        hint="this may come from a proxy or captive portal in between"
        if answer.status < 400
        else "try again later",
    )


def _called(host: str | None) -> str:
    """Return what people call the host that was asked for a token last."""
    known = {
        None: "Google",
        urlsplit(GOOGLE_TOKEN_ENDPOINT).hostname: "Google's token endpoint",
        METADATA_HOST: "the metadata server",
    }
    return known.get(host, str(host))


def open_google(settings: FcmSettings, environ: Mapping[str, str]) -> GoogleCredential:
    """
    Read the service account, or find the application default credentials.

    :raises InvalidInput: if it is no service account, saying what it looks like, names a foreign
        token endpoint, or has no usable RSA key.
    """
    if settings.application_default:
        return _open_default(settings, environ)
    secret = _read(settings, environ)
    try:
        account = load_account(secret.data)
    except Unfit as unfit:
        raise settings.invalid(
            secret.field, f"{secret.shown} {unfit.message}", hint=unfit.hint
        ) from None
    problems = list(_account_problems(settings, secret, account))
    if problems:
        raise InvalidInput(problems=problems)
    return GoogleCredential(
        settings,
        of_account(account, settings.token_endpoint or GOOGLE_TOKEN_ENDPOINT),
        project_id=settings.project_id or str(account.project_id),
        fingerprint=f"service account {_short(account.client_email)}",
        environ=environ,
        home_project=account.project_id,
        warnings=secret.warnings,
    )


def _account_problems(settings: FcmSettings, secret: Secret, account: Account) -> Iterator[Problem]:
    if account.token_uri not in (GOOGLE_TOKEN_ENDPOINT, settings.token_endpoint):
        yield settings.problem(
            secret.field,
            f"{secret.shown} asks for its tokens at {printable(account.token_uri, 100)}, which"
            " is not Google's token endpoint",
            hint="if you trust it, set token_endpoint in the config; else make a new key",
        )
    if settings.project_id is None and not is_project_id(account.project_id or ""):
        yield settings.problem(
            secret.field,
            f"{secret.shown} names no valid project_id",
            hint="set project_id",
            about="project_id",
        )


def _read(settings: FcmSettings, environ: Mapping[str, str]) -> Secret:
    if settings.service_account_file is not None:
        return from_file(settings, "service_account_file", settings.service_account_file)
    assert settings.service_account_env is not None  # one of the three is always set
    return from_variable(settings, "service_account_env", settings.service_account_env, environ)


def _open_default(settings: FcmSettings, environ: Mapping[str, str]) -> GoogleCredential:
    """Find application default credentials."""
    from pushctl.credentials.application_default import find_default

    found = find_default(settings, environ)
    project_id = settings.project_id or found.project_id or ""
    if not is_project_id(project_id):
        raise settings.invalid(
            "application_default",
            "application default credentials name no project",
            hint="set project_id",
        )
    return GoogleCredential(
        settings,
        found.source,
        project_id=project_id,
        fingerprint=f"application default credentials {_short(found.who)}".rstrip(),
        environ=environ,
        home_project=found.home_project,
        warnings=found.warnings,
    )


def _short(email: str) -> str:
    return printable(email, 256).removesuffix(".iam.gserviceaccount.com")


def _lifetime(expiry: datetime | None) -> float:
    """Return how many seconds from now *expiry*, UTC as google-auth keeps it, is."""
    if expiry is None:
        return _UNSTATED_LIFETIME_S
    stated = (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    return min(max(stated, _LEAST_LIFETIME_S), _MOST_LIFETIME_S)


def _is_header_value(token: str) -> bool:
    """Tell whether *token* can stand in a header (RFC 6750 §2.1)."""
    return token.isascii() and token.isprintable() and " " not in token


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _error_words(body: bytes) -> str:
    """
    Return what an error says of itself, fit to be shown.

    The token endpoint answers as RFC 6749 §5.2 has it; other APIs, such as the one that
    impersonates, with a ``google.rpc.Status``.
    """
    value = _json_object(body) or {}
    inner = value.get("error")
    if isinstance(inner, dict):
        words = [inner.get("status"), inner.get("message")]
    else:
        words = [inner, value.get("error_description")]
    return ": ".join(printable(word, 200) for word in words if isinstance(word, str))
