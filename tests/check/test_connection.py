"""What a connection showed, told as steps."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from credentials import material
from credentials.material import NOW
from pushctl.check.connection import (
    Certificate,
    read_certificate,
    steps_of_connection,
    steps_of_failure,
)
from pushctl.check.step import Step
from pushctl.proxy import Proxy
from pushctl.wire.errors import ConnectFailed, Stage
from pushctl.wire.link import Endpoint
from pushctl.wire.peer import Peer

APPLE = Endpoint("api.push.apple.com", 443, "api.push.apple.com")
PROXIED = Endpoint("api.push.apple.com", 443, "api.push.apple.com", proxy=Proxy("proxy", 3128))


def opened(*, days: float = 90, endpoint: Endpoint = APPLE) -> dict[str, Step]:
    """Return the steps of a connection to a server whose certificate lasts *days* more."""
    der = material.certificate(material.ec_key(), uid=None, days=days).public_bytes(Encoding.DER)
    peer = Peer("17.188.143.34:443", "TLSv1.3", der)
    return {it.name: it for it in steps_of_connection(endpoint, peer, NOW, seconds=0.25)}


def failed(stage: Stage, *, endpoint: Endpoint = APPLE, **more: object) -> dict[str, str]:
    """Return the verdicts of a connection that failed at *stage*."""
    failure = ConnectFailed(stage, "it broke", "mend it")
    return {it.name: it.verdict.value for it in steps_of_failure(endpoint, failure)}


def test_a_connection_that_opens() -> None:
    """Address, TLS version, issuer and end of the certificate are shown."""
    steps = opened()

    assert ["dns", "tcp", "tls", "http2"] == [*steps]
    assert {"pass"} == {it.verdict.value for it in steps.values()}
    assert "17.188.143.34:443" in steps["tcp"].sentence
    assert "TLSv1.3" in steps["tls"].sentence
    assert "from Apple Push Services, until 2026-12-20" in steps["tls"].sentence
    assert 0.25 == steps["http2"].seconds


def test_a_certificate_of_the_server_near_its_end() -> None:
    """A server whose certificate ends within a week is warned about: pushes will stop then."""
    assert "warn" == opened(days=6)["tls"].verdict
    assert "pass" == opened(days=8)["tls"].verdict


def test_an_address_is_not_resolved() -> None:
    """An endpoint that is an address has no name to look up."""
    assert "skipped" == opened(endpoint=Endpoint("127.0.0.1", 2197, "x"))["dns"].verdict


def test_a_proxy_stands_in_for_dns_and_tcp() -> None:
    """Behind a proxy, name and address are its business; its name is shown."""
    steps = opened(endpoint=PROXIED)

    assert ["proxy", "tls", "http2"] == [*steps]
    assert "proxy:3128" in steps["proxy"].sentence


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("dns", "fail skipped skipped skipped"),
        ("connect", "pass fail skipped skipped"),
        ("tls", "pass pass fail skipped"),
        ("alpn", "pass pass pass fail"),
        ("settings", "pass pass pass fail"),
    ],
)
def test_it_is_told_how_far_it_came(stage: Stage, expected: str) -> None:
    """What came before the failure has passed; what comes after it is skipped."""
    assert dict(zip(("dns", "tcp", "tls", "http2"), expected.split(), strict=True)) == failed(stage)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("proxy", "fail skipped skipped"), ("tls", "pass fail skipped"), ("alpn", "pass pass fail")],
)
def test_so_it_is_behind_a_proxy(stage: Stage, expected: str) -> None:
    """The same with a proxy in place of DNS and TCP."""
    assert dict(zip(("proxy", "tls", "http2"), expected.split(), strict=True)) == failed(
        stage, endpoint=PROXIED
    )


def test_whose_certificate_it_was() -> None:
    """Of a server that is not trusted, issuer and days are told: an inspecting proxy is seen."""
    der = material.certificate(material.ec_key(), days=5).public_bytes(Encoding.DER)
    shown = read_certificate(der)
    failure = ConnectFailed("tls", "the server is not trusted")
    (_, _, step, _) = steps_of_failure(APPLE, failure, shown=shown)

    assert isinstance(shown, Certificate)
    assert "issued by Apple Push Services, for 2026-09-20 to 2026-09-26" in step.sentence


def test_rubbish_is_no_certificate() -> None:
    """What cannot be read is told without issuer and days."""
    assert read_certificate(b"rubbish") is None
    steps = [*steps_of_connection(APPLE, Peer("x", "TLSv1.2", b""), NOW, seconds=0)]
    assert "TLSv1.2; the server is trusted" == steps[2].sentence


@pytest.mark.parametrize(
    ("failure", "refused"),
    [
        (ConnectFailed("tls", "no TLS connection: it refused the client certificate"), True),
        (ConnectFailed("settings", "x", debug=b'{"reason": "BadCertificate"}'), True),
        (ConnectFailed("tls", "the server is not trusted"), False),
        (ConnectFailed("settings", "the connection was closed before HTTP/2 began"), False),
        (ConnectFailed("connect", "refused"), False),
    ],
)
def test_who_refused_whom(failure: ConnectFailed, refused: bool) -> None:
    """A client certificate that is turned down is exit 4; for a .p8 key that is a wrong server."""
    codes = [it.exit_code for it in steps_of_failure(APPLE, failure, presents_certificate=True)]
    of_key = [it.exit_code for it in steps_of_failure(APPLE, failure)]

    assert [4 if refused else 5] == [code for code in codes if code is not None]
    assert [5] == [code for code in of_key if code is not None]
