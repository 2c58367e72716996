"""What a user sees of servers that cannot be trusted, and what those servers get: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.kit import TOPIC, android, apns_at, ios, run_cli
from credentials import material
from pushctl.wire.link import Link
from wire.authority import Authority
from wire.witness import WRONG, Witness, witnessing


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a fresh CA."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder to send from, with a key and a service account in it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    material.write(folder / "key.p8", material.pem(material.ec_key()))
    material.write(folder / "account.json", material.account())
    return folder


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up a handshake that hangs after half a second."""
    defaults = Link.open.__func__.__kwdefaults__  # type: ignore[attr-defined]
    monkeypatch.setitem(defaults, "connect_timeout_s", 0.5)
    monkeypatch.setattr("pushctl.credentials.google_transport._TIMEOUT_S", 0.5)


def fcm(folder: Path, authority: Authority, witness: Witness) -> None:
    """Write a config that takes *witness* for FCM and for its token endpoint."""
    (folder / "pushctl.yaml").write_text(f"""\
credentials:
  shop:
    service: fcm
    service_account_file: account.json
    endpoint: https://localhost:{witness.port}
    token_endpoint: https://localhost:{witness.port}/token
    ca_file: {authority.file}
""")


def said(name: str) -> str:
    """Return what people are told; as we offer HTTP/2 alone, nobody can choose HTTP/1.1."""
    return "does not offer HTTP/2" if name == "HTTP/1.1 only" else WRONG[name].says


@pytest.mark.parametrize("name", WRONG)
def test_send(folder: Path, authority: Authority, name: str) -> None:
    """One error that says what is wrong and what to do, exit 5; nothing sent, nothing unknown."""
    with witnessing(WRONG[name], authority) as witness:
        apns_at(folder, witness.port, authority.file)
        result = run_cli("send", "--token", ios(1), "--title", "Hi", "-o", "jsonl", cwd=folder)
    record = result.record

    assert 5 == result.exit_code, result.stderr
    (error,) = result.errors
    assert error.startswith(f"shop: localhost:{witness.port}: ")
    assert said(name) in error
    assert WRONG[name].hint in result.hints[0]
    assert ("not_sent", "NotReached", 0) == (
        record["outcome"],
        record["reason"],
        record["attempts"],
    )
    assert [] == witness.credentials


TOKEN_ENDPOINT = {
    "hangs up": ("it closed the connection during the handshake", "firewall"),
    "hangs": ("no answer within 0.5 s", "firewall"),
}
"""What its client, another one, says of these."""


@pytest.mark.parametrize("name", [name for name in WRONG if not WRONG[name].http_1_is_fine])
def test_the_token_endpoint(folder: Path, authority: Authority, name: str) -> None:
    """The same for the service account's assertion: no word of it, and no push, leaves."""
    with witnessing(WRONG[name], authority) as witness:
        fcm(folder, authority, witness)
        result = run_cli("send", "--token", android(1), "--title", "Hi", "-o", "jsonl", cwd=folder)
    record = result.record
    says, hint = TOKEN_ENDPOINT.get(name, (WRONG[name].says, WRONG[name].hint))

    assert 5 == result.exit_code, result.stderr
    (error,) = result.errors
    assert f"from https://localhost:{witness.port}/token: " in error
    assert says in error
    assert hint in result.hints[0]
    assert ("not_sent", 0) == (record["outcome"], record["attempts"])
    assert b"" == witness.heard


@pytest.mark.parametrize("name", ["expired", "wrong host", "TLS 1.1", "no ALPN"])
def test_check(folder: Path, authority: Authority, name: str) -> None:
    """``check`` says the same, and shows the server no credential either."""
    with witnessing(WRONG[name], authority) as witness:
        apns_at(folder, witness.port, authority.file)
        result = run_cli("check", "--timeout", "1s", cwd=folder)

    assert 5 == result.exit_code, result.stdout
    assert said(name) in " ".join(result.stdout.split())
    assert [] == witness.credentials


def test_a_list(folder: Path, authority: Authority) -> None:
    """A long list is not sent to a wrong server in one try; -q leaves the error on the screen."""
    (folder / "list.txt").write_text("".join(f"{ios(number)}\n" for number in range(500)))
    with witnessing(WRONG["expired"], authority) as witness:
        apns_at(folder, witness.port, authority.file)
        arguments = ("--tokens", "list.txt", "--title", "Hi", "-o", "json", "-q")
        result = run_cli("send", *arguments, cwd=folder)

    assert 5 == result.exit_code
    assert {"accepted": 0, "rejected": 0, "unknown": 0, "not_sent": 500, "skipped": 0} == (
        result.document["totals"]
    )
    assert 1 == witness.connections
    assert ["error: ", "hint: "] == [line[: line.index(" ") + 1] for line in lines(result.stderr)]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_a_client_certificate_of_another_authority(
    folder: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that does not know who signed our certificate: exit 5, and what to look at."""
    other = Authority(tmp_path_factory.mktemp("other"))
    certificate = other._issue("com.example.shop")
    certificate.chmod(0o600)
    with witnessing(WRONG["asks for a client certificate"], authority) as witness:
        (folder / "pushctl.yaml").write_text(f"""\
credentials:
  shop:
    service: apns
    environment: production
    topic: {TOPIC}
    certificate_file: {certificate}
    endpoint: https://localhost:{witness.port}
    ca_file: {authority.file}
""")
        result = run_cli("send", "--token", ios(1), "--title", "Hi", "-o", "jsonl", cwd=folder)

    assert (5, "not_sent") == (result.exit_code, result.record["outcome"])
    assert "it does not know the CA of the client certificate" in result.errors[0]
    assert "for this app and environment" in result.hints[-1]
    assert b"" == witness.heard
