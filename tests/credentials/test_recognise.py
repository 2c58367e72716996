"""What a file that is not the right one looks like."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from credentials import material
from pushctl.credentials.recognise import describe, restore_newlines

KEY = material.ec_key()
CERTIFICATE = material.certificate(KEY)


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (material.pem(KEY), "a private key (PEM)"),
        (b"\xef\xbb\xbf" + material.pem(KEY), "a private key (PEM)"),
        (material.pem(KEY, password=b"x"), "an encrypted private key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "an encrypted private key"),
        (material.traditional(KEY), "an EC key in the older SEC 1 form"),
        (
            b"-----BEGIN EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----",
            "an EC key in the older SEC 1 form",
        ),
        (material.traditional(material.rsa_key()), "an RSA key"),
        (material.public_pem(KEY), "a public key"),
        (material.certificate_pem(CERTIFICATE), "a certificate"),
        (b"-----BEGIN CERTIFICATE REQUEST-----", "a certificate signing request"),
        (b"-----BEGIN DH PARAMETERS-----", "a PEM file of another kind"),
        (
            KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "a private key in binary (DER) form",
        ),
        (CERTIFICATE.public_bytes(Encoding.DER), "a certificate in binary (DER) form"),
        (
            pkcs12.serialize_key_and_certificates(None, KEY, CERTIFICATE, None, NoEncryption()),
            "a .p12 certificate store",
        ),
        (b"0\x82\x01\x00\x05\x00\x00", "a binary file"),
        (material.account(), "a Google service account"),
        (b'{"type": "authorized_user"}', "a person's gcloud login (authorized_user)"),
        (b'{"type": "external_account"}', "a workload identity configuration (external_account)"),
        (b'{"project_info": {}, "client": []}', "an Android app's google-services.json"),
        (b'{"apiKey": "x", "projectId": "y"}', "a web app's firebaseConfig"),
        (b'{"installed": {}}', "an OAuth client of an app"),
        (b'{"type": 1}', "a JSON document"),
        (b'{"type": ', "a JSON document (damaged)"),
        (b'<?xml version="1.0"?><plist>', "a property list (GoogleService-Info.plist?)"),
        (b"<html>", "a web page"),
        (base64.b64encode(material.pem(KEY)), "a PEM key wrapped in base64"),
        (base64.encodebytes(material.pem(KEY)), "a PEM key wrapped in base64"),
        (base64.b64encode(material.account()), "a JSON document wrapped in base64"),
        (b"hello", "something else"),
        (b"0", "something else"),
    ],
)
def test_describe(data: bytes, looks: str) -> None:
    """Each of the files that people mix up is called by its name."""
    assert looks == describe(data)


def test_keys_of_other_kinds_are_called_private_keys() -> None:
    """PKCS#8 does not say the kind outside."""
    key = dsa.generate_private_key(1024)

    assert "a private key (PEM)" == describe(material.pem(key))


@given(st.binary(max_size=60))
def test_no_bytes_break_it(data: bytes) -> None:
    """Whatever a file holds, it is described, and nothing of it is quoted."""
    assert describe(data).startswith(("a ", "an ", "something"))


def test_newlines_written_as_two_characters() -> None:
    r"""A key on one line with \n or \r\n in it is restored; any other is left alone."""
    text = material.pem(KEY)

    assert text == restore_newlines(text.replace(b"\n", b"\\n"))
    assert text == restore_newlines(text.replace(b"\n", b"\\r\\n"))
    assert text == restore_newlines(text)
    assert json.loads(json.dumps("a\nb")) == restore_newlines(b"a\\nb").decode()
