"""Throw-away keys, certificates and accounts for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pushctl.config import ApnsCertificateSettings, ApnsKeySettings, FcmSettings
from pushctl.outcome import Environment

NOW = 1_790_000_000.0
"""A moment in 2026: what the tests call now."""

EMAIL = "push@shop-1234.iam.gserviceaccount.com"
UNIVERSAL = ObjectIdentifier("1.2.840.113635.100.6.3.6")
VOIP = ObjectIdentifier("1.2.840.113635.100.6.3.4")
DEVELOPMENT = ObjectIdentifier("1.2.840.113635.100.6.3.1")
PRODUCTION = ObjectIdentifier("1.2.840.113635.100.6.3.2")


@cache
def ec_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """Return an EC key, the same one for the same curve."""
    return ec.generate_private_key(ec.SECP256R1() if curve == "P-256" else ec.SECP384R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key, the same one for the same size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem(key: PrivateKeyTypes, *, password: bytes | None = None) -> bytes:
    """Return *key* as PKCS#8 in PEM."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def traditional(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Return *key* in the older PEM form of its kind."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half of *key*."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def account(**changes: object) -> bytes:
    """Return a service account file, changed; a change to None leaves a field out."""
    fields: dict[str, object] = {
        "type": "service_account",
        "project_id": "shop-1234",
        "private_key_id": "abc123",
        "private_key": pem(rsa_key()).decode(),
        "client_email": EMAIL,
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }
    return json.dumps(
        {key: value for key, value in (fields | changes).items() if value is not None}
    ).encode()


def der(tag: int, content: bytes) -> bytes:
    """Return one DER element of fewer than 65,536 bytes."""
    length = len(content)
    short = bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2)
    return bytes([tag]) + short + content


def topic_list(topics: Sequence[str]) -> bytes:
    """Return the extension value in which Apple lists topics and their kinds."""
    pairs = b"".join(der(0x0C, topic.encode()) + der(0x30, der(0x0C, b"app")) for topic in topics)
    return der(0x30, pairs)


def certificate(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    uid: str | None = "com.acme.shop",
    extensions: dict[ObjectIdentifier, bytes] | None = None,
    days: float = 300,
    starts_in: float = -1,
) -> x509.Certificate:
    """Return a self-signed certificate that is valid for *days* from NOW on."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, "Apple Push Services")]
    if uid is not None:
        names.append(x509.NameAttribute(NameOID.USER_ID, uid))
    now = datetime.fromtimestamp(NOW, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name(names))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(min(now, now + timedelta(days=days)) + timedelta(days=starts_in))
        .not_valid_after(now + timedelta(days=days))
    )
    for oid, value in (extensions or {}).items():
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(key, SHA256())


def certificate_pem(it: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return it.public_bytes(Encoding.PEM)


def write(path: Path, data: bytes) -> Path:
    """Write a file that its owner alone may read."""
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def key_settings(path: Path | None = None, **changes: object) -> ApnsKeySettings:
    """Return settings of a .p8 key."""
    fields: dict[str, object] = {
        "name": "shop",
        "environment": Environment.PRODUCTION,
        "topic": "com.acme.shop",
        "key_id": "ABC123DEFG",
        "team_id": "DEF123GHIJ",
        "key_file": path,
        "key_env": None if path else "APNS_KEY",
    }
    return ApnsKeySettings(**(fields | changes))  # type: ignore[arg-type]


def certificate_settings(path: Path, **changes: object) -> ApnsCertificateSettings:
    """Return settings of a client certificate."""
    fields: dict[str, object] = {
        "name": "cert",
        "environment": Environment.PRODUCTION,
        "certificate_file": path,
    }
    return ApnsCertificateSettings(**(fields | changes))  # type: ignore[arg-type]


def fcm_settings(path: Path | None = None, **changes: object) -> FcmSettings:
    """Return settings of a service account."""
    fields: dict[str, object] = {
        "name": "android",
        "service_account_file": path,
        "service_account_env": None if path else "ACCOUNT",
    }
    return FcmSettings(**(fields | changes))  # type: ignore[arg-type]
