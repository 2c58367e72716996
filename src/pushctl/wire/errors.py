"""
Why a connection could not be opened, in words that lead to the fix.

Nothing was sent when :class:`ConnectFailed` is raised, so every push that waited for the
connection is provably unprocessed.
"""

from __future__ import annotations

import ssl
from typing import Final, Literal, TypeAlias

from pushctl.tls_faults import tls_fault, tls_reason

Stage: TypeAlias = Literal["dns", "connect", "proxy", "tls", "alpn", "settings"]

NO_ALPN: Final = "pushctl needs HTTP/2; a proxy that inspects TLS often speaks only HTTP/1.1"


class ConnectFailed(Exception):
    """
    A connection could not be opened.

    ``stage`` says how far it came, ``message`` what happened, ``hint`` what to try.  If the server
    sent a GOAWAY instead of starting, ``code`` and ``debug`` are what it held (APNs: JSON with a
    ``reason``); ``debug`` is foreign data.
    """

    def __init__(
        self,
        stage: Stage,
        message: str,
        hint: str | None = None,
        *,
        code: int | None = None,
        debug: bytes = b"",
    ) -> None:
        self.stage: Stage = stage
        self.message = message
        self.hint = hint
        self.code = code
        self.debug = debug
        super().__init__(message)


def tls_failed(where: str, error: ssl.SSLError) -> ConnectFailed:
    """Return what *error* means for the connection to *where* ("host:port")."""
    if tls_reason(error) == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
        return ConnectFailed("alpn", f"{where}: the server does not offer HTTP/2", NO_ALPN)
    what, hint = tls_fault(error)
    return ConnectFailed("tls", f"{where}: {what}", hint)


def alpn_failed(where: str, spoken: str | None) -> ConnectFailed:
    """Return the failure of a server that agreed on *spoken*, or on nothing, instead of ``h2``."""
    what = "does not offer HTTP/2" if spoken is None else f"speaks only {spoken}"
    return ConnectFailed("alpn", f"{where}: the server {what}", NO_ALPN)
