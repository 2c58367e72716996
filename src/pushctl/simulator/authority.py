"""A throw-away certificate authority, the simulator's server certificate, and push certificates."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import os
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pushctl.simulator.client_certificate import make_certificate

_VALID_FOR = datetime.timedelta(days=30)
_NAMES = ("127.0.0.1", "::1")


@dataclasses.dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority whose key never leaves memory, and one server it vouched for."""

    ca_pem: bytes
    server_context: ssl.SSLContext
    """TLS 1.2 or later; ALPN ``h2``, then ``http/1.1``; takes client certificates of this
    authority, and those that were trusted, from clients that have one."""
    name: x509.Name
    key: ec.EllipticCurvePrivateKey = dataclasses.field(repr=False)

    def push_certificate(self, bundle_id: str) -> bytes:
        """Return a new provider certificate of *bundle_id* and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = make_certificate(key, bundle_id, issuer=self.name, issuer_key=self.key)
        return _pem(made) + _key_pem(key)

    def trust(self, pem: bytes) -> None:
        """
        Take the client certificates in *pem*, whoever issued them.

        :raises ValueError: there is none in it.
        """
        certificates = x509.load_pem_x509_certificates(pem)
        for certificate in certificates:
            self.server_context.load_verify_locations(cadata=_pem(certificate).decode("ascii"))


def make_authority() -> Authority:
    """Return a new authority with a certificate for localhost, 127.0.0.1 and ::1."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pushctl simulator CA")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pushctl simulator")])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _NAMES]
    certificate = (
        _builder(name, ca_name, key.public_key(), ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    context = _server_context(certificate, key)
    context.load_verify_locations(cadata=_pem(ca).decode("ascii"))
    return Authority(_pem(ca), context, ca_name, ca_key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _server_context(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.verify_mode = ssl.CERT_OPTIONAL
    # A certificate that was trusted singly need not be an authority's.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # The ssl module reads certificates from files alone; mkstemp makes it 0600.
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_key_pem(key) + _pem(certificate))
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
