"""Who answers at the other end of a connection, as the operating system and TLS tell it."""

from __future__ import annotations

import dataclasses
import ssl
from typing import Any, cast

from pushctl.wire.dial import host_and_port
from pushctl.wire.link import Link


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """The other end of an open connection."""

    address: str
    """Address and port of the socket: the server's, or the proxy's in between."""
    tls: str
    """The version, such as ``TLSv1.3``."""
    certificate: bytes = dataclasses.field(repr=False)
    """The server's certificate, in DER."""


def peer_of(link: Link) -> Peer:
    """Return who is at the other end of *link*."""
    address: Any = link.transport.get_extra_info("peername")
    tls = cast(ssl.SSLObject, link.transport.get_extra_info("ssl_object"))
    return Peer(
        host_and_port(address[0], address[1]),
        tls.version() or "TLS",
        tls.getpeercert(binary_form=True) or b"",
    )
