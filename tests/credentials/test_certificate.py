"""APNs client certificates."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from credentials import material
from credentials.material import NOW
from pushctl.config import Origin
from pushctl.credentials import Authorization, Credential, identity, open_credential
from pushctl.credentials.certificate import CertificateCredential
from pushctl.credentials.identity import environments_of, topics_of
from pushctl.errors import InvalidInput, Problem
from pushctl.outcome import Environment, Service

KEY = material.ec_key()


def p12(
    certificate: x509.Certificate | None,
    *,
    encryption: KeySerializationEncryption | None = None,
    key: ec.EllipticCurvePrivateKey | None = KEY,
    chain: list[x509.Certificate] | None = None,
) -> bytes:
    """Return a .p12 file."""
    return pkcs12.serialize_key_and_certificates(
        None, key, certificate, chain, encryption or NoEncryption()
    )


def pem_file(certificate: x509.Certificate, key: bytes | None = None) -> bytes:
    """Return a .pem file with the key in it."""
    return material.certificate_pem(certificate) + (material.pem(KEY) if key is None else key)


def opened(
    folder: Path, data: bytes, environ: dict[str, str] | None = None, **changes: object
) -> CertificateCredential:
    """Open a certificate file with this content."""
    path = material.write(folder / "cert", data)
    settings = material.certificate_settings(path, **changes)
    it = open_credential(settings, environ=environ or {}, now=NOW)
    assert isinstance(it, CertificateCredential)
    return it


def problems(
    folder: Path, data: bytes, environ: dict[str, str] | None = None, **changes: object
) -> list[Problem]:
    """Return what is wrong with a certificate file."""
    with pytest.raises(InvalidInput) as caught:
        opened(folder, data, environ, **changes)
    return list(caught.value.problems)


def test_a_p12_is_opened(tmp_path: Path) -> None:
    """Topic, origin and end come from the certificate and the settings."""
    it = opened(tmp_path, p12(material.certificate(KEY)))

    assert "com.acme.shop" == it.topic
    assert Service.APNS is it.service
    assert Environment.PRODUCTION is it.environment
    assert it.project_id is None
    assert Origin("api.push.apple.com") == it.origin
    assert NOW + 300 * 86400 == it.not_after
    assert it.fingerprint.startswith("certificate ")
    assert () == it.warnings
    assert "<cert: certificate " in repr(it)


def test_requests_carry_nothing(tmp_path: Path) -> None:
    """The handshake has said who we are: there is no authorization header, old or new."""
    it: Credential = opened(tmp_path, p12(material.certificate(KEY)))
    refused = Authorization(header=b"x", issued_at=0, retire_at=0, expires_at=0)

    assert it.authorization(NOW) is None
    assert it.renew(NOW, refused) is None


@pytest.mark.parametrize("modern", [True, False])
def test_passwords(tmp_path: Path, modern: bool) -> None:
    """The password comes from the named variable; today's and yesterday's ciphers are read."""
    encryption = (
        BestAvailableEncryption(b"pw")
        if modern
        else PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(SHA1())
        .build(b"pw")
    )
    data = p12(material.certificate(KEY), encryption=encryption)
    named = {"certificate_password_env": "PW"}

    assert opened(tmp_path, data, {"PW": "pw"}, **named)
    (wrong,) = problems(tmp_path, data, {"PW": "no"}, **named)
    assert "the password is wrong, or the file is damaged" in wrong.message
    (absent,) = problems(tmp_path, data)
    assert "cannot be opened without a password" in absent.message
    assert "certificate_password_env" in str(absent.hint)
    (unset,) = problems(tmp_path, data, {}, **named)
    assert "the environment variable PW is not set" in unset.message


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, as a variable may hold them, cannot be a .p12's password."""
    data = p12(material.certificate(KEY))
    environ = {"PW": b"\xff".decode("utf-8", "surrogateescape")}
    (problem,) = problems(tmp_path, data, environ, certificate_password_env="PW")

    assert "the password is not UTF-8" in problem.message


def test_an_empty_password_is_none(tmp_path: Path) -> None:
    """A .p12 made with an empty password opens with or without the variable."""
    data = p12(material.certificate(KEY))

    assert opened(tmp_path, data, {"PW": ""}, certificate_password_env="PW")


def test_an_old_cipher_gets_the_command_that_converts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RC2, as older Keychains export, is named as the cause where this OpenSSL lacks it."""

    def refuse(*_: object) -> object:
        raise UnsupportedAlgorithm("RC2")

    data = p12(material.certificate(KEY))
    named = {"certificate_password_env": "PW"}
    (guess,) = problems(tmp_path, data[:60] + identity._RC2_40 + data[60:], {"PW": "x"}, **named)
    assert "if the password is right, convert it: openssl pkcs12 -legacy" in str(guess.hint)
    monkeypatch.setattr(pkcs12, "load_key_and_certificates", refuse)
    (certain,) = problems(tmp_path, data)
    assert "a cipher that this OpenSSL no longer has" in certain.message
    assert "openssl pkcs12 -legacy" in str(certain.hint)


def test_a_pem_is_opened(tmp_path: Path) -> None:
    """Certificate and key in one file, in any order, with the certificates above."""
    leaf = material.certificate(KEY)
    above = material.certificate(material.rsa_key(), uid=None)
    data = material.pem(KEY) + material.certificate_pem(above) + material.certificate_pem(leaf)
    it = opened(tmp_path, data)

    assert "com.acme.shop" == it.topic
    assert it.ssl_context()


def test_a_pem_with_an_encrypted_key(tmp_path: Path) -> None:
    """The key's password is asked for, tried, and refused where it is not needed."""
    leaf = material.certificate(KEY)
    data = pem_file(leaf, material.pem(KEY, password=b"pw"))
    named = {"certificate_password_env": "PW"}

    assert opened(tmp_path, data, {"PW": "pw"}, **named)
    assert "no password is given" in problems(tmp_path, data)[0].message
    assert "the password is wrong" in problems(tmp_path, data, {"PW": "x"}, **named)[0].message
    needless = problems(tmp_path, pem_file(leaf), {"PW": "x"}, **named)
    assert "a key without a password" in needless[0].message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it looks like an empty file"),
        (material.account(), "it looks like a Google service account"),
        (material.pem(KEY), "holds no certificate"),
        (material.certificate_pem(material.certificate(KEY)), "holds no private key"),
        (
            pem_file(material.certificate(material.rsa_key())),
            "belongs to none of its certificates",
        ),
        (
            pem_file(material.certificate(KEY), material.pem(ed25519.Ed25519PrivateKey.generate())),
            "a key of another kind than RSA or EC",
        ),
        (
            material.pem(KEY) + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "no certificate that can be decoded",
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "the file is damaged",
        ),
        (p12(None), "holds no certificate"),
        (p12(material.certificate(KEY), key=None), "holds no certificate"),
        (p12(material.certificate(KEY))[:-50], "cannot be opened"),
    ],
)
def test_what_is_no_client_certificate(tmp_path: Path, data: bytes, message: str) -> None:
    """Each wrong or incomplete file is told what it lacks."""
    (problem,) = problems(tmp_path, data)

    assert message in problem.message


def test_topics(tmp_path: Path) -> None:
    """The UID and the listed topics are all known, and the setting must be one of them."""
    listed = material.topic_list(["com.acme.shop", "com.acme.shop.voip"])
    data = p12(material.certificate(KEY, extensions={material.UNIVERSAL: listed}))
    it = opened(tmp_path, data, topic="com.acme.shop.voip")

    assert frozenset({"com.acme.shop", "com.acme.shop.voip"}) == it.topics
    assert "com.acme.shop.voip" == it.topic
    (problem,) = problems(tmp_path, data, topic="com.other")
    assert "topic is com.other, but the certificate is for com.acme.shop, " in problem.message


def test_a_certificate_without_topics(tmp_path: Path) -> None:
    """Where the certificate names none, the setting is needed and believed."""
    data = p12(material.certificate(KEY, uid=None))

    assert "com.acme.x" == opened(tmp_path, data, topic="com.acme.x").topic
    assert "the certificate names none" in problems(tmp_path, data)[0].message


def test_environments(tmp_path: Path) -> None:
    """A certificate for one environment is not sent to the other; one for both serves both."""
    null = b"\x05\x00"
    development = p12(material.certificate(KEY, extensions={material.DEVELOPMENT: null}))
    both = p12(
        material.certificate(
            KEY, extensions={material.DEVELOPMENT: null, material.PRODUCTION: null}
        )
    )
    (problem,) = problems(tmp_path, development)

    assert "environment is production, but the certificate is for sandbox only" in problem.message
    assert opened(tmp_path, development, environment=Environment.SANDBOX)
    assert opened(tmp_path, both)
    assert opened(tmp_path, both, environment=Environment.SANDBOX)


def test_validity(tmp_path: Path) -> None:
    """An expired certificate, or one of tomorrow, is refused; a month before its end it warns."""
    expired = problems(tmp_path, p12(material.certificate(KEY, days=-1)))
    future = problems(tmp_path, p12(material.certificate(KEY, starts_in=1)))
    (warning,) = opened(tmp_path, p12(material.certificate(KEY, days=29.5))).warnings

    assert "the certificate expired on 2026-09-" in expired[0].message
    assert "is not valid before" in future[0].message
    assert "the certificate expires in 29 days" in warning.message


def test_all_contradictions_at_once(tmp_path: Path) -> None:
    """Expiry, environment and topic are reported together."""
    data = p12(material.certificate(KEY, days=-1, extensions={material.DEVELOPMENT: b"\x05\x00"}))

    assert 3 == len(problems(tmp_path, data, topic="com.other"))


def test_without_a_clock_the_machines_is_taken(tmp_path: Path) -> None:
    """A certificate that ended long ago is expired for anybody."""
    path = material.write(tmp_path / "c", p12(material.certificate(KEY, days=-9000)))
    with pytest.raises(InvalidInput, match="expired"):
        open_credential(material.certificate_settings(path), environ={})


@given(st.binary(max_size=40))
def test_garbage_in_the_topic_list_is_no_crash(value: bytes) -> None:
    """A list that cannot be decoded yields no topics, or odd ones, but no exception."""
    it = material.certificate(KEY, uid=None, extensions={material.UNIVERSAL: value})

    assert all(isinstance(topic, str) for topic in topics_of(it))
    assert [] == environments_of(it)


def test_long_topic_lists_are_decoded() -> None:
    """DER's long form of lengths is understood, and VoIP certificates list in their own place."""
    topics = [f"com.acme.app{n}" for n in range(30)]
    it = material.certificate(
        KEY, uid=None, extensions={material.VOIP: material.topic_list(topics)}
    )

    assert topics == topics_of(it)


def test_the_context_presents_the_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that asks sees the certificate; nothing is left on disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    mine = material.certificate(KEY)
    it = opened(tmp_path, p12(mine))
    context = it.ssl_context()

    assert context is it.ssl_context()
    assert [] == list((tmp_path / "tmp").iterdir())
    assert mine.public_bytes(Encoding.DER) == _seen_by_a_server(context, mine, tmp_path)


def _seen_by_a_server(
    context: ssl.SSLContext, trusted: x509.Certificate, folder: Path
) -> bytes | None:
    """Shake hands over a socket pair; return the client certificate that the server saw."""
    own = material.certificate(material.rsa_key())
    own_file = material.write(
        folder / "server.pem",
        material.certificate_pem(own) + material.pem(material.rsa_key()),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own_file)
    server.load_verify_locations(cadata=trusted.public_bytes(Encoding.DER))
    server.verify_mode = ssl.CERT_OPTIONAL
    server.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    near, far = socket.socketpair()
    seen: list[bytes | None] = []

    def serve() -> None:
        with server.wrap_socket(far, server_side=True) as stream:
            seen.append(stream.getpeercert(binary_form=True))
            stream.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    with context.wrap_socket(near) as stream:
        stream.recv(1)
    thread.join()
    return seen[0]
