"""
APNs client certificates (Apple, "Establishing a certificate-based connection to APNs").

The certificate says which topics and environments it is for; a setting that contradicts it would
only be refused push by push, so it is refused here.
"""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from pushctl.config import ApnsCertificateSettings
from pushctl.credentials.credential import Presented
from pushctl.credentials.identity import Identity, environments_of, load_identity, topics_of
from pushctl.credentials.sources import Unfit, from_file
from pushctl.credentials.tls import client_context
from pushctl.errors import InvalidInput, Problem
from pushctl.outcome import Environment, Service

WARN_DAYS = 30
"""How long before its end a certificate is warned about."""

_RENEW_HINT = "renew it in Apple's developer account; a .p8 key does not expire"


class CertificateCredential:
    """A client certificate: presented in the TLS handshake, so that requests carry nothing."""

    service = Service.APNS
    project_id = None

    def __init__(
        self,
        settings: ApnsCertificateSettings,
        identity: Identity,
        topic: str,
        warnings: tuple[Problem, ...] = (),
    ) -> None:
        self.name = settings.name
        self.environment: Environment = settings.environment
        self.topic = topic
        self.topics = frozenset(topics_of(identity.certificate))
        """All topics that the certificate names; empty where it names none."""
        self.not_after = identity.certificate.not_valid_after_utc.timestamp()
        """Epoch seconds."""
        self.origin = settings.origin
        digest = identity.certificate.fingerprint(SHA256()).hex()
        self.fingerprint = f"certificate {digest[:16]}"
        self.warnings = warnings
        self._settings = settings
        self._identity = identity
        self._context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.fingerprint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential does not leave its process")

    def authorization(self, now: float) -> None:
        """Return nothing: the handshake has said who we are."""
        return

    def renew(self, now: float, refused: Presented) -> None:
        """Return nothing: a certificate is not renewed by asking."""
        return

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context for connections to APNs, with the certificate in it."""
        if self._context is None:
            context = client_context(self._settings)
            _present(context, self._identity)
            self._context = context
        return self._context


def open_certificate(
    settings: ApnsCertificateSettings, environ: Mapping[str, str], now: float
) -> CertificateCredential:
    """
    Read a .p12 or .pem file with certificate and key, and compare it with the settings.

    :raises InvalidInput: if it cannot be read, has expired at *now*, or is for another topic or
        environment.
    """
    secret = from_file(settings, "certificate_file", settings.certificate_file)
    password = _password(settings, environ)
    try:
        identity = load_identity(secret.data, password)
    except Unfit as unfit:
        raise settings.invalid(
            "certificate_file", f"{secret.shown} {unfit.message}", hint=unfit.hint
        ) from None
    problems = [
        *_validity_problems(settings, identity.certificate, now),
        *_environment_problems(settings, identity.certificate),
    ]
    topic, topic_problem = _topic(settings, identity.certificate)
    if topic_problem is not None:
        problems.append(topic_problem)
    if problems or topic is None:
        raise InvalidInput(problems=problems)
    warnings = (*secret.warnings, *_expiry_warnings(settings, identity.certificate, now))
    return CertificateCredential(settings, identity, topic, warnings)


def _password(settings: ApnsCertificateSettings, environ: Mapping[str, str]) -> bytes | None:
    variable = settings.certificate_password_env
    if variable is None:
        return None
    if variable not in environ:
        raise settings.invalid(
            "certificate_password_env", f"the environment variable {variable} is not set"
        )
    return environ[variable].encode("utf-8", "surrogateescape")


def _topic(
    settings: ApnsCertificateSettings, certificate: x509.Certificate
) -> tuple[str | None, Problem | None]:
    topics = topics_of(certificate)
    if settings.topic is None:
        if topics:
            return topics[0], None
        return None, settings.problem(
            "topic", "topic is missing, and the certificate names none", hint="the app's bundle id"
        )
    if topics and settings.topic not in topics:
        return None, settings.problem(
            "topic",
            f"topic is {settings.topic}, but the certificate is for {', '.join(topics)}",
            hint="leave topic out: the certificate says it",
        )
    return settings.topic, None


def _environment_problems(
    settings: ApnsCertificateSettings, certificate: x509.Certificate
) -> Iterator[Problem]:
    marked = environments_of(certificate)
    if marked and settings.environment not in marked:
        yield settings.problem(
            "environment",
            f"environment is {settings.environment}, but the certificate is for {marked[0]} only",
            hint="APNs would answer BadCertificateEnvironment",
        )


def _validity_problems(
    settings: ApnsCertificateSettings, certificate: x509.Certificate, now: float
) -> Iterator[Problem]:
    moment = datetime.fromtimestamp(now, UTC)
    if moment >= certificate.not_valid_after_utc:
        yield settings.problem(
            "certificate_file",
            f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
            hint=_RENEW_HINT,
            about="expiry",
        )
    if moment < certificate.not_valid_before_utc:
        yield settings.problem(
            "certificate_file",
            f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}",
            hint="is the clock of this machine right?",
            about="expiry",
        )


def _expiry_warnings(
    settings: ApnsCertificateSettings, certificate: x509.Certificate, now: float
) -> Iterator[Problem]:
    end = certificate.not_valid_after_utc
    days = int((end.timestamp() - now) // 86400)
    if days < WARN_DAYS:
        yield settings.problem(
            "certificate_file",
            f"the certificate expires in {days} days, on {end:%Y-%m-%d}",
            hint=_RENEW_HINT,
            about="expiry",
        )


def _present(context: ssl.SSLContext, identity: Identity) -> None:
    """
    Put certificate and key into *context*.

    Python's ssl reads them from a file only.  It lives for this call, is readable by its owner
    alone (mkstemp), and the key in it is encrypted with a password that never leaves memory.
    """
    password = secrets.token_bytes(32).hex().encode()
    pem = identity.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    for certificate in (identity.certificate, *identity.chain):
        pem += certificate.public_bytes(Encoding.PEM)
    descriptor, path = tempfile.mkstemp(prefix="pushctl-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
        context.load_cert_chain(path, password=password)
    finally:
        os.unlink(path)
