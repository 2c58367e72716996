"""A credential goes to the service's own host, whatever a config or a key file says."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from cli.kit import TOPIC, Result, android, ios, run_cli
from config.test_endpoints import TRICKS
from credentials import material
from wire.authority import Authority
from wire.witness import WRONG, Wrong, witnessing

HELLO = ("--title", "Hi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder to send from, with a key and a service account in it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    material.write(folder / "key.p8", material.pem(material.ec_key()))
    material.write(folder / "account.json", material.account())
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that no name is looked up and no socket connected."""

    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("something would have been sent")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)


def send(folder: Path, config: str, token: str) -> Result:
    (folder / "pushctl.yaml").write_text(config)
    return run_cli("send", "--token", token, *HELLO, cwd=folder)


def fcm(more: str = "", account: str = "account.json") -> str:
    return f"""\
credentials:
  shop:
    service: fcm
    service_account_file: {account}
{more}"""


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "url",
    [
        "http://api.push.apple.com",
        "https://api.push.apple.com@evil.example",
        "https://api.push.apple.com.evil.example",
        "https://api.push.apple.com.",
        "https://api.push.\u0430pple.com",
        "https://17.188.0.1",
        "https://fcm.googleapis.com",
        "https://evil.example:2197",
    ],
)
def test_an_endpoint_of_a_config(folder: Path, url: str) -> None:
    """Exit 3 with the place in the config; the provider token is not even made."""
    config = f"""\
credentials:
  shop:
    service: apns
    environment: production
    topic: {TOPIC}
    key_file: key.p8
    key_id: ABC123DEFG
    team_id: DEF123GHIJ
    endpoint: "{url}"
"""
    result = send(folder, config, ios(1))

    assert (3, "") == (result.exit_code, result.stdout)
    assert "pushctl.yaml:9:" in result.errors[0]
    assert not (folder / ".pushctl" / "runs").exists()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", [name for name in TRICKS if name not in ("a line", "a tab")])
def test_a_token_endpoint_of_a_config(folder: Path, name: str) -> None:
    """The same for the host that a service account's assertion goes to."""
    result = send(folder, fcm(f"    token_endpoint: '{TRICKS[name]}'\n"), android(1))

    assert (3, "") == (result.exit_code, result.stdout)
    assert "pushctl.yaml:5:" in result.errors[0]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", TRICKS)
def test_a_token_uri_of_a_service_account(folder: Path, name: str) -> None:
    """The same for the address in the key file itself, which another may have written."""
    material.write(folder / "other.json", material.account(token_uri=TRICKS[name]))
    result = send(folder, fcm(account="other.json"), android(1))

    assert (3, "") == (result.exit_code, result.stdout)
    assert "other.json" in result.stderr
    assert "is not Google's token endpoint" in result.stderr
    assert "set token_endpoint in the config" in " ".join(result.hints)


def test_a_redirect(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A token endpoint that points elsewhere is not followed: nobody else hears a word."""
    authority = Authority(tmp_path_factory.mktemp("ca"))
    with witnessing(WRONG["HTTP/1.1 only"], authority) as elsewhere:
        answer = (
            "HTTP/1.1 307 Temporary Redirect\r\n"
            f"Location: https://localhost:{elsewhere.port}/token\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        redirecting = Wrong(
            lambda ca: ca.server(protocols=("http/1.1",)), "", "", "", replies=answer.encode()
        )
        with witnessing(redirecting, authority) as endpoint:
            config = fcm(
                f"    endpoint: https://localhost:{elsewhere.port}\n"
                f"    token_endpoint: https://localhost:{endpoint.port}/token\n"
                f"    ca_file: {authority.file}\n"
            )
            result = send(folder, config, android(1))

    assert 5 == result.exit_code
    assert "HTTP 307" in result.errors[0]
    assert "captive portal" in result.hints[0]
    assert b"assertion=" in endpoint.heard
    assert 0 == elsewhere.connections
