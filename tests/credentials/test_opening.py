"""Several credentials at once, and TLS trust."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest

from credentials import material
from pushctl.config import CredentialSettings
from pushctl.credentials import open_credentials
from pushctl.credentials.tls import client_context
from pushctl.errors import InvalidInput


def test_all_are_opened_in_order() -> None:
    """The list of credentials follows the list of settings."""
    environ = {
        "APNS_KEY": material.pem(material.ec_key()).decode(),
        "ACCOUNT": material.account().decode(),
    }
    opened = open_credentials(
        [material.fcm_settings(), material.key_settings()], environ=environ, now=material.NOW
    )

    assert ["android", "shop"] == [it.name for it in opened]


def test_all_faults_at_once(tmp_path: Path) -> None:
    """A bad key does not hide a bad certificate."""
    wanted: list[CredentialSettings] = [
        material.key_settings(),
        material.fcm_settings(),
        material.certificate_settings(tmp_path / "no.p12"),
    ]
    with pytest.raises(InvalidInput) as caught:
        open_credentials(wanted, environ={})

    assert ["'shop'", "'android'", "'cert'"] == [
        problem.message.split()[1].rstrip(":") for problem in caught.value.problems
    ]


def test_a_ca_file_replaces_the_systems(tmp_path: Path) -> None:
    """With ca_file its authorities alone are trusted, unless asked to add them."""
    authority = material.certificate(material.ec_key())
    path = material.write(tmp_path / "ca.pem", material.certificate_pem(authority))
    settings = material.key_settings(ca_file=path)

    system = client_context(material.key_settings()).cert_store_stats()["x509"]

    assert 1 == client_context(settings).cert_store_stats()["x509"]
    both = client_context(settings, only_ca_file=False, alpn=())
    assert system + 1 == both.cert_store_stats()["x509"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no file"), (b"x", "holds no certificate"), ("dir", "cannot read|holds no")],
)
def test_a_bad_ca_file(tmp_path: Path, content: bytes | str | None, message: str) -> None:
    """A missing, empty or unreadable ca_file is an error of the config."""
    path = tmp_path / "ca.pem"
    if content == "dir":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        client_context(material.key_settings(ca_file=path))


def test_an_unreadable_ca_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permission is put into words."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", refuse)
    with pytest.raises(InvalidInput, match="Permission denied"):
        client_context(material.key_settings(ca_file=tmp_path / "ca.pem"))


def test_machines_without_authorities_use_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python knows no authorities, the ones that come with httpx are trusted."""
    nowhere = SimpleNamespace(cafile=None, capath="/nonexistent")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self: None)

    assert client_context(material.key_settings()).get_ca_certs(binary_form=True)
