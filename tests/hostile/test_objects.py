"""No secret is in any text that a credential, its settings or its errors can turn into."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest
import respx
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from credentials import material
from credentials.material import NOW
from pushctl.config import CredentialSettings
from pushctl.credentials import Authorization, Credential, open_credential
from pushctl.credentials.google_transport import Answer
from pushctl.credentials.identity import Identity
from pushctl.credentials.service_account import load_account
from pushctl.credentials.sources import Secret
from pushctl.errors import InvalidInput, PushctlError

CANARY = "CANARYq7Zx3"
GOOGLE = "https://oauth2.googleapis.com/token"


def texts_of(value: object) -> str:
    """Return everything that printing and formatting make of *value*."""
    shown = [repr(value), str(value), format(value), f"{[value]}"]
    if dataclasses.is_dataclass(value) or not hasattr(value, "__dict__"):
        return "\n".join(shown)
    return "\n".join([*shown, *(repr(item) for item in vars(value).values())])


def secrets_of(key: bytes) -> list[str]:
    """Return the lines of a PEM key."""
    return [line for line in key.decode().splitlines() if "-----" not in line]


@pytest.fixture
def credentials(tmp_path: Path) -> list[Credential]:
    """Return one credential of each kind."""
    store = pkcs12.serialize_key_and_certificates(
        None,
        material.ec_key(),
        material.certificate(material.ec_key()),
        None,
        BestAvailableEncryption(CANARY.encode()),
    )
    path = material.write(tmp_path / "c.p12", store)
    environ = {
        "APNS_KEY": material.pem(material.ec_key()).decode(),
        "ACCOUNT": material.account().decode(),
        "PW": CANARY,
    }
    wanted: list[CredentialSettings] = [
        material.key_settings(proxy=f"http://me:{CANARY}@proxy"),
        material.certificate_settings(path, certificate_password_env="PW"),
        material.fcm_settings(),
    ]
    return [open_credential(settings, environ=environ, now=NOW) for settings in wanted]


@respx.mock
def test_credentials_show_their_fingerprint_alone(credentials: list[Credential]) -> None:
    """Neither key, password nor token is in the repr of a credential or of what it holds."""
    respx.post(GOOGLE).respond(json={"access_token": CANARY, "expires_in": 3600})
    secrets = [
        CANARY,
        *secrets_of(material.pem(material.ec_key())),
        *secrets_of(material.pem(material.rsa_key())),
    ]
    for credential in credentials:
        authorization = credential.authorization(NOW)
        text = texts_of(credential) + texts_of(authorization)
        if authorization is not None:
            secrets.append(authorization.header.split(b" ")[1].decode())

        assert [] == [secret for secret in secrets if secret in text]


def test_nothing_secret_leaves_the_process(credentials: list[Credential]) -> None:
    """Credentials and authorizations can be neither pickled nor copied."""
    authorization = Authorization(header=b"x", issued_at=0, retire_at=0, expires_at=0)
    for value in (*credentials, authorization):
        for leave in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="does not leave its process"):
                leave(value)


def test_values_that_hold_secrets_hide_them() -> None:
    """Each class on the way from a file to a key keeps its content out of its repr."""
    pem = material.pem(material.ec_key())
    values = [
        Secret(CANARY.encode(), "f", "key_file"),
        Answer(200, {"x": CANARY}, CANARY.encode()),
        Authorization(header=CANARY.encode(), issued_at=0, retire_at=0, expires_at=0),
        load_account(material.account()),
        Identity(material.ec_key(), material.certificate(material.ec_key())),
        material.key_settings(proxy=CANARY),
    ]
    for value in values:
        text = texts_of(value)

        assert CANARY not in text
        assert not any(line in text for line in secrets_of(pem))
        assert "BEGIN" not in text


@pytest.mark.parametrize(
    "data",
    [
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n".encode(),
        f'{{"type": "service_account", "private_key": "{CANARY}"}}'.encode(),
        f'{{"type": "service_account", "private_key": "{CANARY}}}'.encode(),
        f'{{"private_key": "{CANARY}", "private_key": ""}}'.encode(),
        f'{{"type": "service_account", "private_key": "{CANARY}", "x": NaN}}'.encode(),
        CANARY.encode(),
        b"\xff" + CANARY.encode(),
    ],
)
def test_errors_about_files_quote_nothing(tmp_path: Path, data: bytes) -> None:
    """Whatever is wrong with a key file, its content is in no error and no traceback."""
    path = material.write(tmp_path / "k", data)
    for settings in (
        material.key_settings(path),
        material.fcm_settings(path),
        material.certificate_settings(path),
    ):
        with pytest.raises(InvalidInput) as caught:
            open_credential(settings, environ={}, now=NOW)

        assert CANARY not in _everything(caught.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_grant", "extra": CANARY}),
        (200, {"id_token": CANARY}),
        (200, {"access_token": f"{CANARY}\n"}),
        (503, {"error": "x", "echo": CANARY}),
        (200, CANARY),
    ],
)
@respx.mock
def test_errors_about_tokens_quote_nothing(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: object,
) -> None:
    """Neither the answer's other fields nor the assertion are in the error, traceback or log."""
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    route = respx.post(GOOGLE).respond(status, content=json.dumps(body).encode())
    it = open_credential(material.fcm_settings(), environ={"ACCOUNT": material.account().decode()})
    with caplog.at_level(logging.DEBUG), pytest.raises(PushctlError) as caught:
        it.authorization(NOW)
    assertion = route.calls.last.request.content.decode().partition("assertion=")[2][:60]
    text = _everything(caught.value) + caplog.text

    assert CANARY not in text
    assert assertion not in text


def _everything(error: BaseException) -> str:
    """Return all that a crash report could make of an error and what led to it."""
    shown = []
    seen: BaseException | None = error
    while seen is not None:
        seen.__suppress_context__ = False  # a careless reporter
        shown += [repr(seen), str(seen), repr(seen.args), repr(getattr(seen, "problems", ""))]
        seen = seen.__cause__ or seen.__context__
    return "\n".join([*shown, *traceback.format_exception(error)])
