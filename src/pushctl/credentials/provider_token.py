"""
APNs provider tokens (Apple, "Establishing a token-based connection to APNs").

All processes that hold a key mint the same token: the signature is deterministic (RFC 6979), and
``iat`` is floored to half an hour.  So parallel CI jobs, or a run and its resumption, never
present Apple with two new tokens in 20 minutes, which would be TooManyProviderTokenUpdates.
"""

from __future__ import annotations

import json
import ssl
import threading
import zlib
from collections.abc import Mapping
from typing import NoReturn

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import der_to_raw_signature

from pushctl.config import ApnsKeySettings
from pushctl.config.rules import key_id_of
from pushctl.credentials.credential import Authorization, Presented
from pushctl.credentials.recognise import describe, labels, restore_newlines
from pushctl.credentials.sources import Secret, Unfit, from_file, from_variable
from pushctl.credentials.tls import client_context
from pushctl.errors import InvalidInput, Problem
from pushctl.outcome import Environment, Service

LIFETIME_S = 3600
"""Apple refuses a token whose ``iat`` is more than an hour old."""
SLOT_S = 1800
"""``iat`` is a multiple of this.  A token is then 30 minutes old at most when a connection first
presents it, and has 20 minutes to live there at least: Apple's least interval."""
RETIRE_AFTER_S = 3000
_RETIRE_SPREAD_S = 300

_PKCS8_HINT = "an APNs key is the AuthKey_<key id>.p8 file from Apple's developer account, Keys"
_CONVERT_HINT = "convert it: openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.p8"


class _DeterministicES256(ECAlgorithm):
    """PyJWT's ES256, asking for the deterministic signature of RFC 6979."""

    def sign(self, msg: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Return the signature in JOSE form: r and s, 32 bytes each (RFC 7518 §3.4)."""
        signature = key.sign(msg, ec.ECDSA(SHA256(), deterministic_signing=True))
        return der_to_raw_signature(signature, key.curve)


class ProviderTokenCredential:
    """A .p8 key.  Mints provider tokens; keeps the newest."""

    service = Service.APNS
    project_id = None

    def __init__(
        self,
        settings: ApnsKeySettings,
        key: ec.EllipticCurvePrivateKey,
        warnings: tuple[Problem, ...] = (),
    ) -> None:
        self.name = settings.name
        self.environment: Environment = settings.environment
        self.topic: str = settings.topic
        self.origin = settings.origin
        self.fingerprint = f"key {settings.key_id}"
        self.warnings = warnings
        self._settings = settings
        self._key = key
        self._signer = jwt.PyJWS(algorithms=[])
        self._signer.register_algorithm("ES256", _DeterministicES256(SHA256))
        self._newest: Authorization | None = None
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        # Keys retire at different minutes, so that many credentials do not reconnect together;
        # the same key at the same minute everywhere.
        self._retire_after = (
            RETIRE_AFTER_S + zlib.crc32(settings.key_id.encode()) % _RETIRE_SPREAD_S
        )

    def __repr__(self) -> str:
        return f"<{self.name}: {self.fingerprint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential does not leave its process")

    def authorization(self, now: float) -> Authorization:
        """Return the token of the current half hour, or the one that replaced it."""
        with self._lock:
            slot = int(now // SLOT_S) * SLOT_S
            newest = self._newest
            # A token from the future means that the clock was set back: mint again.
            if newest is None or not slot <= newest.issued_at <= now + 1:
                newest = self._newest = self.mint(slot)
            return newest

    def renew(self, now: float, refused: Presented) -> Authorization:
        """
        Return a token that is not *refused*, after ExpiredProviderToken.

        Its ``iat`` is *now* to the second: a token of the half hour would be the refused one
        again.  Refusals that come together share one new token.
        """
        with self._lock:
            newest = self._newest
            if newest is not None and newest.header != refused.header:
                return newest
            issued_at = int(now)
            if newest is not None and newest.issued_at == issued_at:
                issued_at += 1
            self._newest = self.mint(issued_at)
            return self._newest

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context for connections to APNs."""
        if self._context is None:
            self._context = client_context(self._settings)
        return self._context

    def mint(self, issued_at: int) -> Authorization:
        """Return a token with this ``iat``, the same for the same second on every machine."""
        claims = {"iss": self._settings.team_id, "iat": issued_at}
        token = self._signer.encode(
            json.dumps(claims, separators=(",", ":")).encode(),
            self._key,
            algorithm="ES256",
            headers={"kid": self._settings.key_id, "typ": None},
        )
        return Authorization(
            header=b"bearer " + token.encode("ascii"),
            issued_at=issued_at,
            retire_at=issued_at + self._retire_after,
            expires_at=issued_at + LIFETIME_S,
        )


def open_provider_token(
    settings: ApnsKeySettings, environ: Mapping[str, str]
) -> ProviderTokenCredential:
    """
    Read the .p8 key and prove that it can sign.

    :raises InvalidInput: if it is no unencrypted PKCS#8 EC P-256 key in PEM, saying what it looks
        like, or if this machine cannot sign deterministically.
    """
    secret = _read(settings, environ)
    try:
        key = load_signing_key(secret.data)
    except Unfit as unfit:
        raise settings.invalid(
            secret.field, f"{secret.shown} {unfit.message}", hint=unfit.hint
        ) from None
    warnings = (*secret.warnings, *_name_warnings(settings))
    credential = ProviderTokenCredential(settings, key, warnings)
    try:
        credential.mint(0)
    except UnsupportedAlgorithm:
        raise InvalidInput(
            "this machine's OpenSSL cannot make the deterministic signatures (RFC 6979) that"
            " provider tokens are signed with: 3.2 or later is needed",
            hint="install the cryptography package from PyPI, which brings its own OpenSSL",
        ) from None
    return credential


def load_signing_key(data: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the EC P-256 key in a .p8 file's content; raise :class:`Unfit` if it is none."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if labels(data) != ["PRIVATE KEY"]:
        raise Unfit(f"is not an APNs key: it looks like {describe(data)}", _hint(data))
    key = _load(restore_newlines(data))
    if isinstance(key, rsa.RSAPrivateKey):
        raise Unfit(
            "holds an RSA key; APNs keys are EC P-256",
            "was the private_key of a Google service account copied? " + _PKCS8_HINT,
        )
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unfit("holds a key of another kind; APNs keys are EC P-256", _PKCS8_HINT)
    if not isinstance(key.curve, ec.SECP256R1):
        raise Unfit(f"holds an EC key on {key.curve.name}; APNs keys are on P-256", _PKCS8_HINT)
    return key


def _load(pem: bytes) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass  # raised below: the cause may quote the key
    raise Unfit("is damaged: its PEM text cannot be decoded", "copy or download it again")


def _hint(data: bytes) -> str:
    found = labels(data)
    if "ENCRYPTED PRIVATE KEY" in found or "EC PRIVATE KEY" in found:
        return _CONVERT_HINT
    looks = describe(data)
    if looks == "a Google service account":
        return "a service account belongs to service: fcm, service_account_file; " + _PKCS8_HINT
    if "base64" in looks:
        return "decode it first: base64 -d"
    if looks in ("a .p12 certificate store", "a certificate"):
        return "a certificate belongs in certificate_file; " + _PKCS8_HINT
    return _PKCS8_HINT


def _read(settings: ApnsKeySettings, environ: Mapping[str, str]) -> Secret:
    if settings.key_file is not None:
        return from_file(settings, "key_file", settings.key_file)
    assert settings.key_env is not None  # one of the two is always set
    return from_variable(settings, "key_env", settings.key_env, environ)


def _name_warnings(settings: ApnsKeySettings) -> tuple[Problem, ...]:
    named = key_id_of(settings.key_file.name) if settings.key_file is not None else None
    if named is None or named == settings.key_id:
        return ()
    return (
        settings.problem(
            "key_id", f"key_id is {settings.key_id}, but the file is named for {named}"
        ),
    )
