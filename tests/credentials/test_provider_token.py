"""APNs provider tokens and the keys that sign them."""

from __future__ import annotations

import json
import ssl
import threading
from pathlib import Path

import jwt
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from credentials import material
from credentials.material import NOW
from pushctl.config import Origin, Spot
from pushctl.credentials import Authorization, open_credential
from pushctl.credentials.provider_token import ProviderTokenCredential
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Environment, Service

SLOT = NOW // 1800 * 1800


def credential(**changes: object) -> ProviderTokenCredential:
    """Return a credential of the test key."""
    return ProviderTokenCredential(material.key_settings(**changes), material.ec_key())  # type: ignore[arg-type]


def claims(authorization: Authorization) -> dict[str, object]:
    """Return the claims of a provider token whose signature is right."""
    token = authorization.header.removeprefix(b"bearer ").decode()
    verified: dict[str, object] = jwt.decode(
        token,
        material.ec_key().public_key(),
        algorithms=["ES256"],
        options={"verify_iat": False},
    )
    return verified


def problem_of(data: bytes) -> Problem:
    """Return the problem of a .p8 file with this content."""
    settings = material.key_settings()
    with pytest.raises(InvalidInput) as caught:
        open_credential(settings, environ={"APNS_KEY": data.decode("utf-8", "surrogateescape")})
    (problem,) = caught.value.problems
    return problem


def test_the_token_is_what_apple_asks_for() -> None:
    """ES256 with alg and kid alone; iss and iat alone; a raw signature of 64 bytes."""
    authorization = credential().authorization(NOW)
    token = authorization.header.removeprefix(b"bearer ").decode()

    assert {"alg": "ES256", "kid": "ABC123DEFG"} == jwt.get_unverified_header(token)
    assert {"iss": "DEF123GHIJ", "iat": SLOT} == claims(authorization)
    assert 64 == len(jwt.utils.base64url_decode(token.split(".")[2]))


def test_all_holders_of_a_key_mint_the_same_token() -> None:
    """Two processes at different moments of a half hour present one token."""
    first = credential().authorization(SLOT)
    second = credential().authorization(SLOT + 1799.9)

    assert first == second
    assert first.header == second.header
    assert first.header != credential().authorization(SLOT + 1800).header


def test_the_token_is_kept() -> None:
    """Within the half hour the same object is returned; in the next a new one."""
    it = credential()
    first = it.authorization(SLOT + 1)

    assert first is it.authorization(SLOT + 1799)
    assert SLOT + 1800 == it.authorization(SLOT + 1800).issued_at


@given(st.floats(0, 2e9))
def test_a_connection_never_sees_two_tokens_in_twenty_minutes(opened: float) -> None:
    """From whatever moment a connection lives, its token lives there for 20 minutes at least."""
    it = credential()
    first = it.authorization(opened)
    second = it.authorization(first.retire_at)

    assert first.issued_at <= opened < first.retire_at
    assert first.retire_at - opened >= 1200
    assert second.retire_at - first.retire_at >= 1200
    assert 3000 <= first.retire_at - first.issued_at < 3300
    assert 3600 == first.expires_at - first.issued_at
    assert second.issued_at > first.issued_at


def test_keys_retire_at_different_minutes() -> None:
    """Many credentials do not reconnect together; one key does everywhere alike."""
    ages = {credential(key_id=f"ABC123DEF{n}").authorization(0).retire_at for n in range(10)}

    assert len(ages) > 5


def test_a_refused_token_is_replaced_once() -> None:
    """The new token is of this second, shared by all who were refused, and kept."""
    it = credential()
    refused = it.authorization(NOW)
    renewed = it.renew(NOW, refused)

    assert {"iss": "DEF123GHIJ", "iat": int(NOW)} == claims(renewed)
    assert renewed is it.renew(NOW + 1, refused)
    assert renewed is it.authorization(NOW + 2)
    assert SLOT + 1800 == it.authorization(SLOT + 1800).issued_at


def test_a_token_of_this_very_second_is_replaced_too() -> None:
    """The new token always differs from the refused one."""
    it = credential()
    refused = it.authorization(SLOT)
    renewed = it.renew(SLOT, refused)

    assert SLOT + 1 == renewed.issued_at
    assert renewed is it.authorization(SLOT)


def test_a_token_from_the_future_is_dropped() -> None:
    """After the clock was set back, a token of the right time is minted."""
    it = credential()
    it.authorization(NOW + 86400)

    assert SLOT == it.authorization(NOW).issued_at


def test_threads_share_one_renewal() -> None:
    """However many threads are refused at once, one token is minted."""
    it = credential()
    refused = it.authorization(NOW)
    renewed: list[Authorization] = []
    threads = [
        threading.Thread(target=lambda n=n: renewed.append(it.renew(NOW + n, refused)))
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len({it.header for it in renewed})


def test_what_it_says_of_itself() -> None:
    """Origins follow the environment unless the config names another."""
    sandbox = credential(environment=Environment.SANDBOX)
    elsewhere = credential(endpoint=Origin("127.0.0.1", 2197))

    assert "shop" == sandbox.name
    assert Service.APNS is sandbox.service
    assert "com.acme.shop" == sandbox.topic
    assert sandbox.project_id is None
    assert Origin("api.sandbox.push.apple.com") == sandbox.origin
    assert Origin("api.push.apple.com") == credential().origin
    assert Origin("127.0.0.1", 2197) == elsewhere.origin
    assert "key ABC123DEFG" == sandbox.fingerprint
    assert "<shop: key ABC123DEFG>" == repr(sandbox)


def test_the_context_verifies() -> None:
    """TLS 1.2 at least, the certificate and host name checked; made once."""
    it = credential()
    context = it.ssl_context()

    assert ssl.TLSVersion.TLSv1_2 == context.minimum_version
    assert ssl.CERT_REQUIRED == context.verify_mode
    assert context.check_hostname
    assert context is it.ssl_context()


def test_a_key_file_is_opened(tmp_path: Path) -> None:
    """A .p8 file that its owner alone may read gives a credential without warnings."""
    path = material.write(tmp_path / "AuthKey_ABC123DEFG.p8", material.pem(material.ec_key()))
    it = open_credential(material.key_settings(path), environ={})

    assert credential().authorization(NOW) == it.authorization(NOW)
    assert () == it.warnings


def test_a_key_in_a_variable_is_opened() -> None:
    r"""PEM text with real line breaks, with \n written out, or with CRLF."""
    text = material.pem(material.ec_key()).decode()
    for value in (text, text.replace("\n", "\\n"), text.replace("\n", "\r\n"), "\ufeff" + text):
        it = open_credential(material.key_settings(), environ={"APNS_KEY": value})

        assert credential().authorization(NOW) == it.authorization(NOW)


def test_others_may_not_read_the_key(tmp_path: Path) -> None:
    """An open mode is warned about, with the command that mends it."""
    path = material.write(tmp_path / "key.p8", material.pem(material.ec_key()))
    path.chmod(0o640)
    (warning,) = open_credential(material.key_settings(path), environ={}).warnings

    assert "can be read by other users (mode 0640)" in warning.message
    assert f"chmod 600 {path}" == warning.hint


def test_a_file_named_for_another_key_is_warned_about(tmp_path: Path) -> None:
    """Apple's file name carries the key id: another id in the config is probably wrong."""
    path = material.write(tmp_path / "AuthKey_ZZZ999ZZZ9.p8", material.pem(material.ec_key()))
    (warning,) = open_credential(material.key_settings(path), environ={}).warnings

    assert "the file is named for ZZZ999ZZZ9" in warning.message


P384 = material.ec_key("P-384")


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"x", "is not an APNs key: it looks like something else", "AuthKey_<key id>.p8"),
        (material.account(), "it looks like a Google service account", "service: fcm"),
        (material.pem(material.rsa_key()), "holds an RSA key; APNs keys are EC P-256", "copied?"),
        (material.traditional(material.rsa_key()), "it looks like an RSA key", "AuthKey_"),
        (material.pem(P384), "holds an EC key on secp384r1; APNs keys are on P-256", "AuthKey_"),
        (material.pem(dsa.generate_private_key(1024)), "holds a key of another kind", "AuthKey_"),
        (
            material.pem(material.ec_key(), password=b"x"),
            "it looks like an encrypted private key",
            "openssl pkcs8 -topk8 -nocrypt",
        ),
        (
            material.traditional(material.ec_key()),
            "it looks like an EC key in the older SEC 1 form",
            "openssl pkcs8 -topk8 -nocrypt",
        ),
        (
            material.certificate_pem(material.certificate(material.ec_key())),
            "it looks like a certificate",
            "certificate_file",
        ),
        (material.public_pem(material.ec_key()), "it looks like a public key", "AuthKey_"),
        (
            b"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
            "it looks like a PEM key wrapped in base64",
            "base64 -d",
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "is damaged: its PEM text cannot be decoded",
            "again",
        ),
        (material.pem(material.ec_key())[:100], "is damaged", "again"),
        (material.pem(material.ec_key()) * 2, "is not an APNs key", "AuthKey_"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_apns_key(data: bytes, message: str, hint: str) -> None:
    """Each wrong file is called by its name, with what to do."""
    problem = problem_of(data)

    assert message in problem.message
    assert hint in str(problem.hint)


def test_binary_keys_are_recognised(tmp_path: Path) -> None:
    """A DER key cannot come through a variable, but it can be in a file."""
    data = material.ec_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    path = material.write(tmp_path / "k.p8", data)
    with pytest.raises(InvalidInput, match=r"a private key in binary \(DER\) form"):
        open_credential(material.key_settings(path), environ={})


def test_problems_point_at_the_config(tmp_path: Path) -> None:
    """A bad key file is reported where the config names it."""
    spot = Spot(Place("pushctl.yaml", 6, 15), "    key_file: k.p8")
    settings = material.key_settings(tmp_path / "k.p8", places={"key_file": spot})
    with pytest.raises(InvalidInput, match="there is no file") as caught:
        open_credential(settings, environ={})

    assert spot.place == caught.value.problems[0].place
    assert spot.source_line == caught.value.problems[0].source_line


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "the environment variable APNS_KEY is not set"),
        ({"APNS_KEY": " \n"}, "the environment variable APNS_KEY is empty"),
        ({"APNS_KEY": "x" * (2**20 + 1)}, "is too long for a key"),
        ({"APNS_KEY": "\udcff\udcfe"}, "is not an APNs key"),
    ],
)
def test_bad_variables(environ: dict[str, str], message: str) -> None:
    """A variable that is missing, empty, huge or no text is an error in words."""
    with pytest.raises(InvalidInput, match=message):
        open_credential(material.key_settings(), environ=environ)


def test_a_directory_is_no_key(tmp_path: Path) -> None:
    """A folder where a file is expected is called one."""
    with pytest.raises(InvalidInput, match="is a directory"):
        open_credential(material.key_settings(tmp_path), environ={})


def test_an_old_openssl_is_said_to_be_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without deterministic signatures nothing is sent, and the way out is named."""

    def refuse(*_: object, **__: object) -> ec.ECDSA:
        raise UnsupportedAlgorithm("no RFC 6979 here")

    monkeypatch.setattr(ec, "ECDSA", refuse)
    value = material.pem(material.ec_key()).decode()
    with pytest.raises(InvalidInput, match=r"3\.2 or later") as caught:
        open_credential(material.key_settings(), environ={"APNS_KEY": value})

    assert "cryptography" in str(caught.value.problems[0].hint)


def test_claims_are_compact_json() -> None:
    """The very bytes are the same everywhere: no white space, keys in one order."""
    token = credential().authorization(NOW).header.removeprefix(b"bearer ")
    header, payload, _ = token.split(b".")

    assert b'{"alg":"ES256","kid":"ABC123DEFG"}' == jwt.utils.base64url_decode(header)
    assert json.dumps(
        {"iss": "DEF123GHIJ", "iat": int(SLOT)}, separators=(",", ":")
    ).encode() == jwt.utils.base64url_decode(payload)
