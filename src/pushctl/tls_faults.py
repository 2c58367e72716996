"""
What a failed TLS handshake means, in words that lead to the fix.

The same for connections to the services and to the token endpoint.
"""

from __future__ import annotations

import ssl
from typing import Final

_NEW_ROOT = "if the server's root is missing here (APNs: USERTrust RSA), name it with ca_file"
_INSPECTED = "a proxy that inspects TLS needs its own root named with ca_file"
_CLIENT_CERTIFICATE = (
    "check that the certificate is for this app and environment, not expired and not revoked"
)
_NOT_TLS = "check host and port; a proxy or another service may be answering"
_CLOCK = "check this machine's clock"

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
VERIFY: Final[dict[int, tuple[str, str]]] = {
    9: ("its certificate is not valid yet", _CLOCK),
    10: ("its certificate has expired", f"renew it if the server is yours, else {_CLOCK}"),
    18: ("its certificate is self-signed", f"{_INSPECTED}; for a test server, name its CA"),
    19: ("its certificate comes from an unknown CA", f"{_INSPECTED}; {_NEW_ROOT}"),
    20: ("its certificate comes from an unknown CA", f"{_NEW_ROOT}; {_INSPECTED}"),
    21: ("its certificate comes from an unknown CA", f"{_NEW_ROOT}; {_INSPECTED}"),
    23: ("its certificate was revoked", "do not send to this server"),
    62: ("its certificate is for another host name", "check the host name in endpoint"),
    64: ("its certificate is for another address", "use the host name instead of the address"),
}

# The names that OpenSSL gives to what went wrong; an ALERT is the server's view.
REASONS: Final[dict[str, tuple[str, str]]] = {
    "SSLV3_ALERT_BAD_CERTIFICATE": ("it refused the client certificate", _CLIENT_CERTIFICATE),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": (
        "it does not support the client certificate",
        _CLIENT_CERTIFICATE,
    ),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (
        "it says the client certificate is revoked",
        _CLIENT_CERTIFICATE,
    ),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (
        "it says the client certificate has expired",
        "renew the certificate",
    ),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": ("it refused the client certificate", _CLIENT_CERTIFICATE),
    "TLSV1_ALERT_UNKNOWN_CA": (
        "it does not know the CA of the client certificate",
        _CLIENT_CERTIFICATE,
    ),
    "TLSV1_ALERT_ACCESS_DENIED": ("it refused the client certificate", _CLIENT_CERTIFICATE),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        "it asks for a client certificate",
        "this endpoint takes certificates only; check host and port",
    ),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "it found no common way to encrypt, or misses a client certificate",
        "pushctl needs TLS 1.2 or newer; check for a proxy between",
    ),
    "TLSV1_ALERT_PROTOCOL_VERSION": (
        "it does not speak TLS 1.2 or newer",
        "pushctl needs TLS 1.2 or newer; check for a proxy between",
    ),
    "UNSUPPORTED_PROTOCOL": (
        "it does not speak TLS 1.2 or newer",
        "pushctl needs TLS 1.2 or newer; check for a proxy between",
    ),
    "TLSV1_UNRECOGNIZED_NAME": (
        "it does not serve this host name",
        "check the host name in endpoint",
    ),
    "WRONG_VERSION_NUMBER": ("it does not speak TLS", _NOT_TLS),
    "HTTP_REQUEST": ("it does not speak TLS", _NOT_TLS),
    "UNEXPECTED_EOF_WHILE_READING": (
        "it closed the connection during the handshake",
        "a firewall or proxy may be in the way",
    ),
}


def tls_reason(error: ssl.SSLError) -> str:
    """Return OpenSSL's name of what went wrong, or the error's type if it has none."""
    # Errors that Python raises itself lack the attribute altogether.
    reason: str | None = getattr(error, "reason", None)
    return reason or type(error).__name__


def tls_fault(error: ssl.SSLError) -> tuple[str, str]:
    """Return what *error* says of the server, and what to try."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = VERIFY.get(error.verify_code)
        if known is None:
            known = f"its certificate cannot be verified ({error.verify_message})", _INSPECTED
        what, hint = known
        return f"the server is not trusted: {what}", hint
    reason = tls_reason(error)
    what, hint = REASONS.get(reason, (f"TLS failed ({reason})", _NOT_TLS))
    return f"no TLS connection: {what}", hint
