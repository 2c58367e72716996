"""Says what a file looks like that is not what it should be: key files are easily mixed up."""

from __future__ import annotations

import base64
import binascii
import json
import re

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")

_PEM = {
    "ENCRYPTED PRIVATE KEY": "an encrypted private key",
    "RSA PRIVATE KEY": "an RSA key",
    "EC PRIVATE KEY": "an EC key in the older SEC 1 form",
    "DSA PRIVATE KEY": "a DSA key",
    "PRIVATE KEY": "a private key (PEM)",
    "OPENSSH PRIVATE KEY": "an OpenSSH key",
    "PUBLIC KEY": "a public key",
    "CERTIFICATE": "a certificate",
    "CERTIFICATE REQUEST": "a certificate signing request",
    "NEW CERTIFICATE REQUEST": "a certificate signing request",
}

_JSON_TYPES = {
    "service_account": "a Google service account",
    "authorized_user": "a person's gcloud login (authorized_user)",
    "external_account": "a workload identity configuration (external_account)",
    "external_account_authorized_user": "a workforce login (external_account_authorized_user)",
    "impersonated_service_account": "an impersonation configuration",
    "gdch_service_account": "a Google Distributed Cloud service account",
}

_JSON_KEYS = (
    ("project_info", "an Android app's google-services.json"),
    ("apiKey", "a web app's firebaseConfig"),
    ("installed", "an OAuth client of an app"),
    ("web", "an OAuth client of a web site"),
)


def labels(data: bytes) -> list[str]:
    """
    Return the labels of the PEM blocks in *data*, in order (RFC 7468 §2).

    A JSON document with PEM text in it, as a service account file is one, has none.
    """
    if data.lstrip().startswith(b"{"):
        return []
    return [match.group(1).decode("ascii") for match in _LABEL.finditer(data)]


def describe(data: bytes) -> str:
    """Return what *data* looks like, as a noun with its article.  Quotes nothing of it."""
    content = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not content:
        return "an empty file"
    found = labels(content)
    if content[:1] == b"{":
        return _describe_json(content)
    if found:
        if b"Proc-Type: 4,ENCRYPTED" in content:
            return "an encrypted private key"
        private = [label for label in found if label.endswith("PRIVATE KEY")]
        return _PEM.get((private or found)[0], "a PEM file of another kind")
    if content[:1] == b"0" and len(content) > 4 and content[1] >= 0x80:
        return _describe_der(content)
    if content.startswith((b"<?xml", b"<!DOCTYPE plist", b"<plist", b"bplist")):
        return "a property list (GoogleService-Info.plist?)"
    if content[:1] == b"<":
        return "a web page"
    inner = _from_base64(content)
    if inner[:1] == b"{":
        return "a JSON document wrapped in base64"
    return "a PEM key wrapped in base64" if labels(inner) else "something else"


def _describe_json(content: bytes) -> str:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return "a JSON document (damaged)"
    kind = value.get("type")
    if isinstance(kind, str) and kind in _JSON_TYPES:
        return _JSON_TYPES[kind]
    return next((name for key, name in _JSON_KEYS if key in value), "a JSON document")


def _describe_der(content: bytes) -> str:
    # Behind the outer SEQUENCE's header stands a version: PFX has 3 (RFC 7292 §4), PKCS#8 has 0
    # or 1 (RFC 5958 §2); a certificate begins with another SEQUENCE.
    header = 2 + (content[1] & 0x7F)
    inner = content[header : header + 3]
    if inner == b"\x02\x01\x03":
        return "a .p12 certificate store"
    if inner in (b"\x02\x01\x00", b"\x02\x01\x01"):
        return "a private key in binary (DER) form"
    return "a certificate in binary (DER) form" if inner[:1] == b"0" else "a binary file"


def _from_base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return b""


def restore_newlines(data: bytes) -> bytes:
    r"""Return *data* with ``\n`` written as two characters made into line breaks.

    That is how many CI systems and ``.env`` files hold a key.  PEM has no backslash of its own.
    """
    return data.replace(b"\\r", b"").replace(b"\\n", b"\n") if b"\\n" in data else data
