"""
What APNs reads from a provider certificate, and throw-away ones that look like Apple's.

Topics stand in the subject's UID and, in universal certificates, in the extension
1.2.840.113635.100.6.3.6: a SEQUENCE in which a UTF8String with a topic and a SEQUENCE of its kinds
take turns.  Extensions 6.3.1 and 6.3.2 mark the development and the production environment.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pushctl.outcome import Environment

TOPICS = x509.ObjectIdentifier("1.2.840.113635.100.6.3.6")
VOIP_TOPICS = x509.ObjectIdentifier("1.2.840.113635.100.6.3.4")
_MARKS = {
    Environment.SANDBOX: x509.ObjectIdentifier("1.2.840.113635.100.6.3.1"),
    Environment.PRODUCTION: x509.ObjectIdentifier("1.2.840.113635.100.6.3.2"),
}
_SEQUENCE, _UTF8_STRING = 0x30, 0x0C
_NULL = b"\x05\x00"
_KINDS = {"": "app", ".voip": "voip", ".complication": "complication"}
_VALID_FOR = datetime.timedelta(days=30)


@dataclasses.dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that a client showed in the TLS handshake."""

    topics: tuple[str, ...]
    """Empty: it names none, and fits every topic."""
    environments: frozenset[Environment]
    name: str
    """The beginning of its SHA-256: names it in records."""

    @classmethod
    def from_der(cls, der: bytes) -> ClientCertificate:
        """
        Return what stands in *der*.

        :raises ValueError: it is no certificate, or its list of topics cannot be read.
        """
        certificate = x509.load_der_x509_certificate(der)
        uids = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
        topics = [str(uid.value) for uid in uids]
        marked = set()
        for extension in certificate.extensions:
            if extension.oid in (TOPICS, VOIP_TOPICS):
                topics += _topics(extension.value.public_bytes())
            marked |= {world for world, oid in _MARKS.items() if oid == extension.oid}
        return cls(
            tuple(dict.fromkeys(topics)),
            frozenset(marked or _MARKS),
            certificate.fingerprint(hashes.SHA256()).hex()[:12],
        )


def make_certificate(
    key: ec.EllipticCurvePrivateKey,
    bundle_id: str,
    *,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a universal certificate of *bundle_id* for *key*, good in both environments."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, bundle_id),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Apple Push Services: {bundle_id}"),
        ]
    )
    listed = b"".join(
        _der(_UTF8_STRING, (bundle_id + suffix).encode())
        + _der(_SEQUENCE, _der(_UTF8_STRING, kind.encode()))
        for suffix, kind in _KINDS.items()
    )
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.UnrecognizedExtension(TOPICS, _der(_SEQUENCE, listed)), critical=False)
    )
    for oid in _MARKS.values():
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, _NULL), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _topics(der: bytes) -> Iterator[str]:
    """Yield the topics of the list *der*; the kinds between them are passed over."""
    _, listed, _ = _element(der)
    while listed:
        tag, content, listed = _element(listed)
        if tag == _UTF8_STRING:
            yield content.decode()


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Return tag and content of the first element of *der*, and what follows it."""
    if len(der) < 2:
        raise ValueError("a truncated DER element")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if len(der) < start + length:
        raise ValueError("a truncated DER element")
    return der[0], der[start : start + length], der[start + length :]


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
