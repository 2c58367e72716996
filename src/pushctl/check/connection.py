"""What opening a connection showed: DNS, TCP (or the proxy), TLS and HTTP/2, a step each."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime

from pushctl.check.step import Step, failed, passed, skipped, warned
from pushctl.errors import ExitCode
from pushctl.gateway.apns import goaway_reason
from pushctl.rules.text import printable
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.link import Endpoint
from pushctl.wire.peer import Peer

_SERVER_WARN_DAYS = 7
_STEP_OF_STAGE = {
    "dns": "dns",
    "connect": "tcp",
    "proxy": "proxy",
    "tls": "tls",
    "alpn": "http2",
    "settings": "http2",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's certificate says of itself."""

    issuer: str
    not_before: datetime
    not_after: datetime


def read_certificate(der: bytes) -> Certificate | None:
    """Return what the certificate in *der* says; ``None`` if it cannot be read."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        it = x509.load_der_x509_certificate(der)
        names = [
            printable(str(attribute.value), 80)
            for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
            for attribute in it.issuer.get_attributes_for_oid(oid)[:1]
        ]
        issuer = ", ".join(names) or "nobody by name"
        return Certificate(issuer, it.not_valid_before_utc, it.not_valid_after_utc)
    except ValueError:
        return None


def steps_of_connection(
    endpoint: Endpoint, peer: Peer, now: float, *, seconds: float
) -> Iterator[Step]:
    """Yield the steps of a connection that was opened, all of it within *seconds*."""
    yield from _way_steps(endpoint, peer)
    yield _tls_step(peer, now)
    yield passed("http2", "HTTP/2 was agreed on (ALPN h2)", seconds=seconds)


def steps_of_failure(
    endpoint: Endpoint,
    failure: ConnectFailed,
    *,
    shown: Certificate | None = None,
    presents_certificate: bool = False,
) -> Iterator[Step]:
    """
    Yield the steps of a connection that could not be opened.

    *shown* is the server's certificate where it was not trusted.  With *presents_certificate* a
    server that turns the client certificate down has refused the credential.
    """
    names = [*_names_of_way(endpoint), "tls", "http2"]
    broken = _STEP_OF_STAGE[failure.stage]
    before = names[: names.index(broken)] if broken in names else []
    for name in before:
        yield _passed_before(name, endpoint)
    yield _failed_step(broken, failure, shown, presents_certificate)
    for name in names[len(before) + 1 :]:
        yield skipped(name, f"the connection ended at {broken}")


def refuses_certificate(failure: ConnectFailed) -> bool:
    """Tell whether *failure* is the server's no to a client certificate."""
    return goaway_reason(failure.debug) is not None or (
        failure.stage in ("tls", "settings") and "client certificate" in failure.message
    )


def _failed_step(
    name: str, failure: ConnectFailed, shown: Certificate | None, presents_certificate: bool
) -> Step:
    advice = [failure.hint] if failure.hint else []
    sentence = failure.message
    if shown is not None:
        sentence += (
            f"; it was issued by {shown.issuer}, for"
            f" {shown.not_before:%Y-%m-%d} to {shown.not_after:%Y-%m-%d}"
        )
    reason = goaway_reason(failure.debug)
    if reason is not None:
        sentence += f" ({reason})"
    refused = presents_certificate and refuses_certificate(failure)
    return failed(
        name,
        sentence,
        *advice,
        exit_code=ExitCode.CREDENTIALS_REFUSED if refused else ExitCode.UNREACHABLE,
        reason=reason,
    )


def _names_of_way(endpoint: Endpoint) -> tuple[str, ...]:
    return ("dns", "tcp") if endpoint.proxy is None else ("proxy",)


def _passed_before(name: str, endpoint: Endpoint) -> Step:
    """Return the step *name* of a connection that failed later."""
    if name == "dns":
        return _dns_step(endpoint.host)
    sentence = {
        "tcp": f"{endpoint} answers",
        "proxy": f"the proxy {endpoint.proxy} connects to {endpoint}",
        "tls": "the server is trusted",
    }[name]
    return passed(name, sentence)


def _dns_step(host: str) -> Step:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return passed("dns", f"{host} resolves")
    return skipped("dns", f"{host} is an address")


def _way_steps(endpoint: Endpoint, peer: Peer) -> Iterator[Step]:
    if endpoint.proxy is not None:
        yield _passed_before("proxy", endpoint)
        return
    yield _dns_step(endpoint.host)
    yield passed("tcp", f"connected to {printable(peer.address, 80)}")


def _tls_step(peer: Peer, now: float) -> Step:
    certificate = read_certificate(peer.certificate)
    if certificate is None:
        return passed("tls", f"{peer.tls}; the server is trusted")
    end = certificate.not_after
    days = (end - datetime.fromtimestamp(now, UTC)).days
    sentence = (
        f"{peer.tls}; the server's certificate is from {certificate.issuer}, until {end:%Y-%m-%d}"
    )
    if days < _SERVER_WARN_DAYS:
        advice = "if the server is yours, renew its certificate"
        return warned("tls", f"{sentence}: {max(days, 0)} days left", advice)
    return passed("tls", sentence)
