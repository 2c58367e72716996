"""
A server that is wrong in some way, and writes down what it was told.

It runs in threads of its own, so that the command line can be its client.  What it heard is what
came out of TLS: nothing that a client said before it saw who answers can be missed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator

from wire.authority import Authority

HTTP_1 = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
CREDENTIALS = (b"authorization", b"bearer", b"Bearer", b"eyJ", b"assertion", b"/3/device", b"/v1/")
"""What no request with a credential can do without; ``eyJ`` begins every JWT."""


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A way to be wrong."""

    context: Callable[[Authority], ssl.SSLContext | None]
    stage: str
    says: str
    """What people are told."""
    hint: str
    plain: bytes = b""
    """What it answers without TLS."""
    greets: bytes = b""
    """What it says first, inside of TLS."""
    cue: bytes = b"assertion="
    replies: bytes = b""
    """What it answers when it hears the cue."""
    hangs: bool = False
    http_1_is_fine: bool = False
    """For whoever speaks HTTP/1.1, as the token endpoint is asked, nothing is wrong with it."""


def _tls_1_1(authority: Authority) -> ssl.SSLContext:
    context = authority.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


WRONG = {
    "wrong host": Wrong(
        lambda ca: ca.server("other.example"),
        "tls",
        "its certificate is for another host name",
        "check the host name",
    ),
    "wrong address": Wrong(
        lambda ca: ca.server("127.0.0.2"),
        "tls",
        "its certificate is for another host name",
        "check the host name",
    ),
    "expired": Wrong(
        lambda ca: ca.server(expired=True), "tls", "its certificate has expired", "clock"
    ),
    "not yet valid": Wrong(
        lambda ca: ca.server(early=True), "tls", "its certificate is not valid yet", "clock"
    ),
    "self-signed": Wrong(
        lambda ca: ca.server(self_signed=True),
        "tls",
        "its certificate is self-signed",
        "ca_file",
    ),
    "TLS 1.1": Wrong(_tls_1_1, "tls", "it does not speak TLS 1.2 or newer", "TLS 1.2"),
    "HTTP/1.1 only": Wrong(
        lambda ca: ca.server(protocols=("http/1.1",)),
        "alpn",
        "the server speaks only http/1.1",
        "HTTP/2",
        http_1_is_fine=True,
    ),
    "no ALPN": Wrong(
        lambda ca: ca.server(protocols=()),
        "alpn",
        "the server does not offer HTTP/2",
        "HTTP/2",
        http_1_is_fine=True,
    ),
    "asks for a client certificate": Wrong(
        lambda ca: ca.server(clients=True),
        "tls",
        "it asks for a client certificate",
        "takes certificates only",
    ),
    "no TLS": Wrong(lambda ca: None, "tls", "it does not speak TLS", "port", plain=HTTP_1),
    "hangs up": Wrong(lambda ca: None, "tls", "during the TLS handshake", "firewall"),
    "hangs": Wrong(lambda ca: None, "tls", "the TLS handshake did not finish", "", hangs=True),
}


class Witness:
    """Made by :func:`witnessing`."""

    def __init__(self, wrong: Wrong, context: ssl.SSLContext | None) -> None:
        self._wrong = wrong
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.heard = b""
        """All that clients said, TLS taken off."""

    @property
    def credentials(self) -> list[bytes]:
        """Return what it heard that can belong to a credential or a push."""
        return [word for word in CREDENTIALS if word in self.heard]

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,))
            thread.start()
            self._threads.append(thread)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(20)
            if self._context is not None:
                client = self._greet(client, self._context)
            else:
                client.recv(1)  # of a ClientHello: no secret, and no word of HTTP
                if self._wrong.hangs:
                    self._over.wait(20)
                client.sendall(self._wrong.plain)
                client.shutdown(socket.SHUT_WR)
            with client:
                if self._context is not None:
                    client.sendall(self._wrong.greets)
                while data := client.recv(65_536):
                    if self._context is not None and client.version():  # type: ignore[attr-defined]
                        self.heard += data
                        if self._wrong.cue in data:
                            client.sendall(self._wrong.replies)

    @staticmethod
    def _greet(client: socket.socket, context: ssl.SSLContext) -> socket.socket:
        """Return *client* inside of TLS; if that fails, make sure that it hears why."""
        tls = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
        except OSError:
            with contextlib.suppress(OSError):  # a close with unread bytes takes the alert back
                tls.shutdown(socket.SHUT_WR)
        return tls

    def close(self) -> None:
        self._over.set()
        # A listener that is only closed does not wake whoever waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


@contextlib.contextmanager
def witnessing(wrong: Wrong, authority: Authority) -> Iterator[Witness]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    witness = Witness(wrong, wrong.context(authority))
    thread = threading.Thread(target=witness.serve)
    thread.start()
    try:
        yield witness
    finally:
        witness.close()
        thread.join()
