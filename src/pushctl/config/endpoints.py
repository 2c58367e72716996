"""
Which hosts may be given a credential.

A config file may come with a repository: it must not be able to send provider tokens or service
account assertions elsewhere.  Loopback is fine (the simulator); any other host needs the
sender's own word.  So does a proxy, where the file also names the authorities to trust.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from pushctl.config.settings import (
    APPLE_SEND_HOSTS,
    CHANNELS_ORIGINS,
    GOOGLE_SEND_HOSTS,
    Origin,
)
from pushctl.outcome import Service
from pushctl.proxy import Proxy

VENDOR_HOSTS = {
    Service.APNS: frozenset(
        {
            *APPLE_SEND_HOSTS,
            "api-broadcast.push.apple.com",
            "api-broadcast.sandbox.push.apple.com",
            *(origin.host for origin in CHANNELS_ORIGINS.values()),
        }
    ),
    Service.FCM: GOOGLE_SEND_HOSTS,
}
"""Apple, "Sending notification requests to APNs" and the pages on broadcast push notifications;
Google, FCM v1 discovery document."""

TOKEN_HOSTS = frozenset({"oauth2.googleapis.com"})
"""google-auth: the token_uri of every service account file."""

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


class Refusal(ValueError):
    """Says in a sentence what is wrong with a URL, with an optional hint."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_origin(url: str) -> Origin:
    """Return the origin that *url* names; raise :class:`Refusal` if it is none."""
    parts = _split(url)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Refusal("an endpoint is a host and a port, without a path", "https://host:port")
    return Origin(_host(parts), parts.port or 443)


def parse_token_endpoint(url: str) -> Origin:
    """Return the origin of a token endpoint's URL; raise :class:`Refusal` if it is none."""
    parts = _split(url)
    if parts.query or parts.fragment:
        raise Refusal("a token endpoint has no query")
    return Origin(_host(parts), parts.port or 443)


def refusal_of_host(
    origin: Origin, vendor_hosts: frozenset[str], allowed: Sequence[str]
) -> Refusal | None:
    """Return why *origin* may not be given a credential; ``None`` if it may."""
    host = origin.host
    if host in vendor_hosts or is_loopback(host) or host in (name.lower() for name in allowed):
        return None
    return Refusal(
        f"{host} is neither the vendor's host nor this machine: it may not get a credential",
        f"if you trust it, say so with --allow-endpoint {host} (or PUSHCTL_ALLOW_ENDPOINT)",
    )


def refusal_of_proxy(proxy: Proxy, allowed: Sequence[str]) -> Refusal | None:
    """
    Return why *proxy* may not stand in between where a ``ca_file`` says whom to trust.

    Alone, neither does harm: the vendor's certificate is verified through any proxy.  Together
    the proxy can pass for the vendor, and read what it is given.
    """
    host = proxy.host.lower()
    if is_loopback(host) or host in (name.lower() for name in allowed):
        return None
    return Refusal(
        f"with this ca_file, {host} could read the credential as it passes",
        f"if you trust it, say so with --allow-endpoint {host} (or PUSHCTL_ALLOW_ENDPOINT)",
    )


def is_loopback(host: str) -> bool:
    """
    Tell whether *host* can only be this machine.

    An IPv4 address in the clothes of IPv6 is none: Python calls it loopback from 3.13 on only.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def _split(url: str) -> SplitResult:
    parts = _parts(url)
    if parts.scheme != "https":
        raise Refusal("credentials travel over TLS only", "write https://…")
    if parts.username is not None or parts.password is not None:
        raise Refusal("a user or password has no place in this URL")
    return parts


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port  # raises on a port that is no number
    except ValueError:
        raise Refusal("this is not a valid URL") from None
    if port == 0:
        raise Refusal("this is not a valid URL: there is no port 0")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise Refusal("this is not a valid URL: it holds white space")
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST_NAME.fullmatch(host):
            raise Refusal("this URL names no valid host", "https://host:port") from None
        return host
