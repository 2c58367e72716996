"""TLS failures in plain words."""

from __future__ import annotations

import ssl

import pytest

from pushctl.tls_faults import REASONS, VERIFY
from pushctl.wire.errors import tls_failed


def tls_error(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, "raw text of OpenSSL")
    error.reason = reason  # type: ignore[assignment]
    return error


@pytest.mark.parametrize("reason", REASONS)
def test_known_reasons(reason: str) -> None:
    """Every known alert has words and a hint of its own, and none of OpenSSL's jargon."""
    failure = tls_failed("host:443", tls_error(reason))

    assert "tls" == failure.stage
    assert failure.hint
    assert failure.message.startswith("host:443: no TLS connection: it ")
    assert reason not in failure.message
    assert "raw text" not in failure.message


@pytest.mark.parametrize("code", VERIFY)
def test_known_verification_errors(code: int) -> None:
    """Every known fault of a certificate has words and a hint."""
    error = ssl.SSLCertVerificationError(1, "raw text")
    error.verify_code = code
    failure = tls_failed("host:443", error)

    assert failure.message.startswith("host:443: the server is not trusted: its certificate ")
    assert failure.hint


def test_unknown_verification_error() -> None:
    """An unknown fault of a certificate is told in OpenSSL's words."""
    error = ssl.SSLCertVerificationError(1, "raw text")
    error.verify_code = 68
    error.verify_message = "CA signature digest algorithm too weak"

    assert "CA signature digest algorithm too weak" in tls_failed("h:1", error).message


def test_unknown_reasons() -> None:
    """An unknown failure is told by its name, or its type if it has none."""
    assert "(SOMETHING_NEW)" in tls_failed("h:1", tls_error("SOMETHING_NEW")).message
    assert "(SSLError)" in tls_failed("h:1", tls_error(None)).message


def test_a_server_that_refuses_alpn() -> None:
    """A server that ends the handshake over ALPN counts as one without HTTP/2."""
    failure = tls_failed("h:1", tls_error("TLSV1_ALERT_NO_APPLICATION_PROTOCOL"))

    assert "alpn" == failure.stage
