"""Takes a private key and its certificate out of a .p12 or .pem file, and reads what it is for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pushctl.credentials.recognise import describe, labels
from pushctl.credentials.sources import Unfit
from pushctl.outcome import Environment

_TOPICS = (
    ObjectIdentifier("1.2.840.113635.100.6.3.6"),
    ObjectIdentifier("1.2.840.113635.100.6.3.4"),
)
# Universal and VoIP certificates list their topics here (Apple, "Sending notification requests to
# APNs").
_MARKS = {
    Environment.SANDBOX: ObjectIdentifier("1.2.840.113635.100.6.3.1"),
    Environment.PRODUCTION: ObjectIdentifier("1.2.840.113635.100.6.3.2"),
}
_RC2_40 = bytes.fromhex("2a864886f70d010c0106")  # pbeWithSHAAnd40BitRC2-CBC, RFC 7292 §B.4
_UTF8_STRING, _SEQUENCE = 0x0C, 0x30

_EXPORT_HINT = "export it from Keychain Access as .p12, together with its private key"
_VARIABLE_HINT = "certificate_password_env names the variable that holds the password"
_RC2_HINT = (
    "convert it: openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12"
)

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A private key, its certificate, and the certificates above it."""

    key: _Key = dataclasses.field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def load_identity(data: bytes, password: bytes | None) -> Identity:
    """
    Return the key and certificates in the content of a .p12 or .pem file.

    Raises :class:`Unfit` with what is missing or does not match.
    """
    if labels(data):
        return _load_pem(data, password)
    looks = describe(data)
    if looks != "a .p12 certificate store":
        raise Unfit(f"is neither .p12 nor .pem: it looks like {looks}", _EXPORT_HINT)
    return _load_p12(data, password)


def _load_p12(data: bytes, password: bytes | None) -> Identity:
    if password is not None and not _is_utf8(password):  # PKCS #12 passwords are Unicode texts
        raise Unfit("cannot be opened: the password is not UTF-8", _VARIABLE_HINT)
    # An "empty" password is no password for some programs and a text of length 0 for others.
    for attempt in (password,) if password else (None, b""):
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(data, attempt)
        except ValueError:
            continue
        except UnsupportedAlgorithm:
            raise Unfit(
                "is encrypted with a cipher that this OpenSSL no longer has", _RC2_HINT
            ) from None
        if certificate is None or not isinstance(key, _Key):
            missing = "certificate" if certificate is None else "RSA or EC private key"
            raise Unfit(f"holds no {missing}", _EXPORT_HINT)
        return Identity(key, certificate, tuple(chain))
    if not password:
        raise Unfit("cannot be opened without a password", _VARIABLE_HINT)
    raise Unfit(
        "cannot be opened: the password is wrong, or the file is damaged",
        # An OpenSSL without its legacy provider answers as if the password were wrong.
        f"if the password is right, {_RC2_HINT}" if _RC2_40 in data else None,
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _load_pem(data: bytes, password: bytes | None) -> Identity:
    key = _load_pem_key(data, password)
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise Unfit("holds no certificate that can be decoded", _EXPORT_HINT) from None
    for certificate in certificates:
        if _public(certificate.public_key()) == _public(key.public_key()):
            chain = tuple(other for other in certificates if other is not certificate)
            return Identity(key, certificate, chain)
    raise Unfit("holds a private key that belongs to none of its certificates")


def _load_pem_key(data: bytes, password: bytes | None) -> _Key:
    if not any(label.endswith("PRIVATE KEY") for label in labels(data)):
        raise Unfit("holds no private key", "put certificate and key into one .pem file")
    try:
        key = load_pem_private_key(data, password)
    except TypeError:
        problem = Unfit(
            "has a key without a password, and certificate_password_env is set"
            if password
            else "has an encrypted key, and no password is given",
            None if password else _VARIABLE_HINT,
        )
    except (ValueError, UnsupportedAlgorithm):
        problem = Unfit(
            "has a key that cannot be opened: the password is wrong, or the file is damaged"
            if password
            else "has a key that cannot be decoded: the file is damaged"
        )
    else:
        if isinstance(key, _Key):
            return key
        problem = Unfit("has a key of another kind than RSA or EC")
    raise problem


def _public(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def environments_of(certificate: x509.Certificate) -> list[Environment]:
    """Return the environments that *certificate* is marked for; none if it bears no mark."""
    return [name for name, oid in _MARKS.items() if _extension(certificate, oid) is not None]


def topics_of(certificate: x509.Certificate) -> list[str]:
    """Return the topics that *certificate* names: those of its extensions, else its UID."""
    listed: list[str] = []
    for oid in _TOPICS:
        value = _extension(certificate, oid)
        listed += _texts(value) if value is not None else []
    subject = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    uids = [str(attribute.value) for attribute in subject]
    return list(dict.fromkeys(uids + listed))


def _extension(certificate: x509.Certificate, oid: ObjectIdentifier) -> bytes | None:
    try:
        extension = certificate.extensions.get_extension_for_oid(oid).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return extension.value if isinstance(extension, x509.UnrecognizedExtension) else None


def _texts(der: bytes) -> list[str]:
    """
    Return the UTF8Strings of the outer SEQUENCE in *der*: the topics.

    Each is followed by a SEQUENCE of its kinds (``app``, ``voip``), which is passed over.  What
    cannot be decoded yields nothing: the server has the last word on topics.
    """
    found = []
    for tag, content in _elements(der):
        if tag == _SEQUENCE:
            found += [
                inner.decode("utf-8", "replace")
                for inner_tag, inner in _elements(content)
                if inner_tag == _UTF8_STRING
            ]
    return found


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the DER elements that follow one another (X.690 §8.1)."""
    at = 0
    while at + 2 <= len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(der[at : at + octets])
            at += octets
        if at + length > len(der):
            return
        yield tag, der[at : at + length]
        at += length
