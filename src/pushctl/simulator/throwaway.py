"""Throw-away credentials for a simulator, and a folder that is ready to be sent from."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pushctl.errors import InvalidInput, StorageError
from pushctl.simulator.provider_token import ApnsKey
from pushctl.simulator.server import Simulator
from pushctl.simulator.token_endpoint import ServiceAccount

KEY_ID = "SIMULATED1"
TEAM_ID = "TEAM123456"
TOPIC = "com.example.shop"
PROJECT_ID = "simulated-shop"
_MARKER = ".pushctl-simulator"
_ACCOUNT_KEY_ID = "51a0c0ffee51a0c0ffee51a0c0ffee51a0c0ffee"


@dataclasses.dataclass(frozen=True, slots=True)
class ThrowAwayCredentials:
    """Where the credentials lie and what they are called.  Good for one simulator alone."""

    key_file: Path
    key_id: str
    team_id: str
    topic: str
    service_account_file: Path
    project_id: str
    client_email: str
    ca_file: Path


def make_credentials(
    folder: Path,
    simulator: Simulator,
    *,
    key_id: str = KEY_ID,
    team_id: str = TEAM_ID,
    topic: str = TOPIC,
    project_id: str = PROJECT_ID,
) -> ThrowAwayCredentials:
    """
    Write a push key, a service account and the CA's certificate, and let *simulator* trust them.

    The simulator must have been started: the service account names its token endpoint.  *folder*
    is made if need be (mode 0700); the files are made new, mode 0600.

    :raises StorageError: a file could not be written.
    """
    email = f"push@{project_id}.iam.gserviceaccount.com"
    made = ThrowAwayCredentials(
        key_file=folder / f"AuthKey_{key_id}.p8",
        key_id=key_id,
        team_id=team_id,
        topic=topic,
        service_account_file=folder / "service-account.json",
        project_id=project_id,
        client_email=email,
        ca_file=folder / "ca.pem",
    )
    push_key = ec.generate_private_key(ec.SECP256R1())
    info = {
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": _ACCOUNT_KEY_ID,
        "private_key": _pem(_account_key()).decode("ascii"),
        "client_email": email,
        "client_id": "100000000000000000001",
        "token_uri": simulator.token_uri,
        "universe_domain": "googleapis.com",
    }
    _write(made.key_file, _pem(push_key))
    _write(made.service_account_file, json.dumps(info, indent=2).encode() + b"\n")
    _write(made.ca_file, simulator.ca_pem)
    simulator.trust_key(key_id, ApnsKey(push_key.public_key(), team_id))
    simulator.trust_account(ServiceAccount.from_info(info))
    return made


@functools.cache
def _account_key() -> rsa.RSAPrivateKey:
    """One RSA key a process: making it is by far the slowest part of starting."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_config(folder: Path, simulator: Simulator, made: ThrowAwayCredentials) -> Path:
    """
    Write a ``pushctl.yaml`` that fits *simulator* into *folder*, with recipients to try it on.

    The folder is marked as the simulator's own (see :func:`claim_folder`) and ignored by git.  A
    ``profiles.yaml`` that is there already stays.

    :returns: the path of ``pushctl.yaml``.
    :raises StorageError: a file could not be written.
    """
    config = folder / "pushctl.yaml"
    _write(
        config,
        f"""\
# Written by `pushctl simulate` for the simulator on {simulator.url}.
credentials:
  simulated-ios:
    service: apns
    environment: {simulator.environment}
    topic: {json.dumps(made.topic)}
    key_file: {json.dumps(made.key_file.name)}
    key_id: {json.dumps(made.key_id)}
    team_id: {json.dumps(made.team_id)}
    endpoint: {simulator.url}
    ca_file: {made.ca_file.name}
  simulated-android:
    service: fcm
    service_account_file: {made.service_account_file.name}
    project_id: {json.dumps(made.project_id)}
    endpoint: {simulator.url}
    token_endpoint: {simulator.token_uri}
    ca_file: {made.ca_file.name}
""".encode(),
    )
    profiles = folder / "profiles.yaml"
    if not profiles.exists():
        _write(profiles, PROFILES.encode())
    _mark(folder)
    return config


IOS_TOKEN = "9f3a1c27" * 8
"""An invented device token."""
ANDROID_TOKEN = "dX1nVeNtEdToKeN0000001:APA91b" + "Simulated0" * 12
"""An invented registration token."""
PROFILES = f"""\
# Invented recipients.  The simulator accepts any well-formed token.
profiles:
  - id: anna
    consent: true
    attributes: {{first_name: Anna}}
    tokens:
      - {{platform: ios, token: {IOS_TOKEN}}}
      - {{platform: android, token: "{ANDROID_TOKEN}"}}
"""


def claim_folder(folder: Path) -> None:
    """
    Make *folder*, or make sure that it is one of the simulator's own.

    :raises InvalidInput: it exists, holds files and is not the simulator's.
    :raises StorageError: it could not be made.
    """
    marker = folder / _MARKER
    try:
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"{folder} is not a folder", hint="name another with --folder")
        if folder.is_dir() and any(folder.iterdir()) and not marker.exists():
            raise InvalidInput(
                f"{folder} holds files that are not the simulator's",
                hint="name another folder with --folder: the simulator overwrites what is in it",
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot use {folder}: {error.strerror}") from None
    _mark(folder)


def _mark(folder: Path) -> None:
    _write(folder / _MARKER, b"")
    _write(folder / ".gitignore", b"*\n")


def _write(path: Path, content: bytes) -> None:
    """Write *path* anew, readable by its owner alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from None
