"""
Keys, certificates and service accounts: files that are easily mixed up, cut off or damaged.

The input says which throw-away file to take, as what to open it, and what to change in it; so no
key is among the kept inputs.  A file is opened or refused in one sentence which holds nothing of
a key; an opened one is of the kind that was asked for, and signs or presents itself.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from credentials import material
from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import folder
from pushctl.check.connection import read_certificate
from pushctl.credentials.certificate import open_certificate
from pushctl.credentials.google import open_google
from pushctl.credentials.provider_token import open_provider_token
from pushctl.credentials.recognise import describe, restore_newlines

CHANGES = 6
_FOLDER = folder("keys")
PASSWORD = b"secret"
_PIECES = (
    *(b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n", b"\\n", b"\n", b"\0", b"{"),
    *(
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
        b"\xef\xbb\xbf",
    ),
    *(b"\x30\x82", b"\x30\x80", b"\x02\x01\x03", b"\xff\xff\xff\xff", b"\xc3\xa9", b'"type": "'),
)


@functools.cache
def _files() -> tuple[bytes, ...]:
    """Return one file of each kind, made for this process."""
    key, other, rsa = material.ec_key(), material.ec_key("P-384"), material.rsa_key()
    marks = {material.DEVELOPMENT: b"\x05\x00", material.UNIVERSAL: material.topic_list(["a.b"])}
    certificate = material.certificate(rsa, extensions=marks)
    chain = [material.certificate(key, uid=None)]

    def store(password: bytes | None) -> bytes:
        how = BestAvailableEncryption(password) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"push", rsa, certificate, chain, how)

    pem = certificate.public_bytes(Encoding.PEM)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return (
        material.pem(key),
        material.pem(key).replace(b"\n", b"\\n"),
        material.pem(other),
        material.pem(key, password=PASSWORD),
        material.traditional(key),
        material.public_pem(key),
        base64.b64encode(material.pem(key)),
        der,
        material.account(),
        material.account(universe_domain="x", private_key=None),
        material.account(private_key=material.pem(key).decode()),
        pem + material.pem(rsa),
        material.pem(rsa, password=PASSWORD) + pem + chain[0].public_bytes(Encoding.PEM),
        store(None),
        certificate.public_bytes(Encoding.DER),
        pem,
    )


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    opener = draw.pick(_OPENERS)
    content = draw.pick(_files())
    if draw.chance():
        content = _changed(draw, content)
    assert describe(content)
    shown = read_certificate(content)
    kit.check_shown(shown and shown.issuer)
    restore_newlines(content)
    try:
        with kit.refusals():
            opener(content, draw.pick((None, PASSWORD, b"", b"\xff")))
    except kit.Refused as refused:
        _check_said(str(refused), content)


def _changed(draw: Draw, content: bytes) -> bytes:
    """
    Return *content* with a few changes; a binary one as well inside its PEM blocks.

    What is inside is base64, in which hardly any change of a byte makes sense by itself.
    """
    for _ in range(draw.below(CHANGES) + 1):
        if draw.chance() and b"-----BEGIN" in content:
            content = _inside(draw, content)
        else:
            content = _change(draw, content)
    return content


def _inside(draw: Draw, content: bytes) -> bytes:
    head, label, rest = content.partition(b"-----BEGIN")
    line, end, rest = rest.partition(b"-----\n")
    body, mark, tail = rest.partition(b"\n-----END")
    try:
        inner = base64.b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        return _change(draw, content)
    changed = base64.encodebytes(_change(draw, inner)).strip()
    return head + label + line + end + changed + mark + tail


def _change(draw: Draw, content: bytes) -> bytes:
    at = draw.below(len(content) + 1)
    kind = draw.below(5)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes((draw.byte(),)) + content[at + 1 :]
    if kind == 2:
        return content[:at] + draw.pick(_PIECES) + content[at:]
    if kind == 3:
        return content[:at] + content[at + draw.below(64) + 1 :]
    return content[:at] + draw.pick(_files())[:4_000] + content[at:]


def _key(content: bytes, _: bytes | None) -> None:
    text = content.decode("utf-8", "surrogateescape")
    credential = open_provider_token(material.key_settings(), {"APNS_KEY": text})
    header = credential.authorization(material.NOW).header
    assert header.startswith(b"bearer ")
    assert header.count(b".") == 2
    _check_silent(credential, header)


def _account(content: bytes, _: bytes | None) -> None:
    text = content.decode("utf-8", "surrogateescape")
    credential = open_google(material.fcm_settings(), {"ACCOUNT": text})
    assert credential.project_id
    _check_silent(credential, b"PRIVATE")


def _certificate(content: bytes, password: bytes | None) -> None:
    path = material.write(_FOLDER / "push.p12", content)
    environ = {} if password is None else {"P12": password.decode("utf-8", "surrogateescape")}
    settings = material.certificate_settings(
        path, certificate_password_env="P12" if environ else None, topic="com.acme.shop"
    )
    credential = open_certificate(settings, environ, material.NOW)
    for problem in credential.warnings:
        kit.check_problem(problem)
    for topic in credential.topics:
        kit.check_shown(topic)
    credential.ssl_context()


def _check_silent(credential: object, secret: bytes) -> None:
    assert secret.decode() not in repr(credential)


_OPENERS: tuple[Callable[[bytes, bytes | None], None], ...] = (_key, _account, _certificate)


def seeds() -> Iterator[bytes]:
    """Yield each kind of file, opened as each kind."""
    for opener in range(len(_OPENERS)):
        for file in range(16):
            for password in range(2):
                yield bytes((opener, file, 0, password))


def _check_said(said: str, content: bytes) -> None:
    """The refusal is fit to be shown, and quotes no piece of a key."""
    kit.check_shown(said)
    words = [line for line in content.split() if len(line) > 24 and not line.startswith(b"--")]
    assert not any(word[:24] in said.encode() for word in words), said
