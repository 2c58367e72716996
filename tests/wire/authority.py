"""Certificates for servers on loopback, good and bad, made when a test asks for them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
_LIVING = (-2, 1)
"""The days on which a good certificate is valid, counted from now."""
_EXPIRED = (-2, -1)
_EARLY = (1, 2)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A CA of our own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._serial = 0
        self._certificate = (
            self._builder("pushctl test CA", self._key.public_key(), _LIVING)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .add_extension(_key_usage(), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        days: tuple[int, int],
        issuer: str = "pushctl test CA",
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        begin, end = days
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin * DAY)
            .not_valid_after(now + end * DAY)
        )

    def _issue(
        self, host: str, *, expired: bool = False, early: bool = False, self_signed: bool = False
    ) -> Path:
        """Return a PEM file with a key and a certificate for *host*."""
        days = _EXPIRED if expired else _EARLY if early else _LIVING
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host[0].isdigit():
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        signer = key if self_signed else self._key
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        certificate = (
            self._builder(host, key.public_key(), days, host if self_signed else "pushctl test CA")
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(issuer, critical=False)
            .sign(signer, hashes.SHA256())
        )
        self._serial += 1
        file = self._folder / f"{self._serial}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file

    def server(
        self,
        host: str = "localhost",
        *,
        protocols: tuple[str, ...] = ("h2",),
        expired: bool = False,
        early: bool = False,
        self_signed: bool = False,
        clients: bool = False,
    ) -> ssl.SSLContext:
        """Return the context of a server; *clients* makes it ask for client certificates."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(
            self._issue(host, expired=expired, early=early, self_signed=self_signed)
        )
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context

    def client(self, *, trusting: bool = True) -> ssl.SSLContext:
        """Return the context of a client that trusts this CA, or nobody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        if trusting:
            context.load_verify_locations(self.file)
        return context


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
