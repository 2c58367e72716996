"""Reads a Google service account file, trusting no more of it than is needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pushctl.credentials.recognise import describe, labels, restore_newlines
from pushctl.credentials.sources import MAX_SECRET_BYTES, Unfit
from pushctl.documents import load
from pushctl.errors import InvalidInput
from pushctl.outcome import JsonValue
from pushctl.rules.text import printable

GOOGLE_TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
MIN_RSA_BITS = 2048

_FILE_HINT = (
    "it is made in the Firebase console: project settings, Service accounts, Generate new"
    " private key"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """What is used of a service account file (Google Cloud, "Create service account keys")."""

    client_email: str
    private_key: str = dataclasses.field(repr=False)
    private_key_id: str | None
    project_id: str | None
    token_uri: str


def load_account(data: bytes) -> Account:
    """Return the account in a service account file's content; raise :class:`Unfit` if none."""
    looks = describe(data)
    if looks != "a Google service account":
        raise Unfit(f"is not a service account: it looks like {looks}", _file_hint(looks))
    value = _parse(data)
    for field in ("client_email", "private_key"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise Unfit(f"is incomplete: it has no {field}", "download it again; " + _FILE_HINT)
    universe = value.get("universe_domain", "googleapis.com")
    if universe != "googleapis.com":
        raise Unfit("belongs to another universe_domain than googleapis.com", _FILE_HINT)
    pem = restore_newlines(str(value["private_key"]).encode("utf-8", "surrogateescape"))
    _check_key(pem)
    return Account(
        client_email=printable(str(value["client_email"]), 256),
        private_key=pem.decode("ascii"),
        private_key_id=_text(value.get("private_key_id")),
        project_id=_text(value.get("project_id")),
        token_uri=_text(value.get("token_uri")) or GOOGLE_TOKEN_ENDPOINT,
    )


def _parse(data: bytes) -> Mapping[str, JsonValue]:
    try:
        document = load(data, "", kind="json", max_bytes=MAX_SECRET_BYTES)
    except InvalidInput as error:
        problem = error.problems[0]
        where = f" at line {problem.place.line}" if problem.place else ""
        message = f"cannot be read{where}: {problem.message}"
    else:
        assert isinstance(document.value, Mapping)  # it has been recognised by its type field
        return document.value
    raise Unfit(message)


def _check_key(pem: bytes) -> None:
    """Raise :class:`Unfit` unless *pem* is an RSA key that Google would have made."""
    hint = "download the file again; " + _FILE_HINT
    if labels(pem) not in (["PRIVATE KEY"], ["RSA PRIVATE KEY"]) or not pem.isascii():
        raise Unfit(f"has a private_key that is none: it looks like {describe(pem)}", hint)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # raised below: the cause may quote the key
    if key is None:
        raise Unfit("has a private_key that is damaged", hint)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Unfit("has a private_key that is not RSA", hint)
    if key.key_size < MIN_RSA_BITS:
        raise Unfit(f"has an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are needed", hint)


def _file_hint(looks: str) -> str:
    if "PEM" in looks or looks.endswith("key"):
        return "a .p8 key belongs to service: apns, key_file; " + _FILE_HINT
    if "base64" in looks:
        return "decode it first: base64 -d"
    if "gcloud" in looks or "workload" in looks or "impersonation" in looks:
        return "use application_default: true with GOOGLE_APPLICATION_CREDENTIALS for this kind"
    if "app's" in looks:
        return "that file belongs into the app; " + _FILE_HINT
    return _FILE_HINT


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
