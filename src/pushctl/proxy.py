"""
HTTP proxies: what a proxy's URL says, and which connection goes through one.

Pure.  Tunnels are opened by :mod:`pushctl.wire.proxy` and, for the token endpoint, by httpx.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from pushctl.errors import InvalidInput

DIRECT: Final = "none"
"""What a config writes to go directly, whatever the environment says."""

_FORM: Final = "a proxy is written as http://host:port or http://user:password@host:port"
_RESERVED: Final = "in a proxy's user name and password, / ? # @ and : are written as %2F %3F …"
_PLACE: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?")
_PORTS: Final = {"http": 80, "https": 443}

_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTIONS: Final = ("no_proxy", "NO_PROXY")
_METADATA_HOST: Final = "metadata.google.internal"
"""Google Cloud's metadata server: a link-local address by another name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that understands CONNECT."""

    host: str
    port: int
    username: str | None = None
    """``None``: no ``proxy-authorization`` is sent."""
    password: str | None = dataclasses.field(default=None, repr=False)
    tls: bool = False
    """The proxy itself is spoken to over TLS, its certificate verified by the system's roots."""

    def __str__(self) -> str:
        """Return ``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The proxy's URL without user name and password."""
        return f"{'https' if self.tls else 'http'}://{self}"

    @property
    def shown(self) -> str:
        """The proxy's URL as it may be printed: dots in the place of a password."""
        if self.username is None:
            return self.url
        scheme, _, place = self.url.partition("://")
        return f"{scheme}://{quote(self.username)}{':•••' if self.password else ''}@{place}"

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """
        Return the proxy that *url* names: ``[http[s]://][user[:password]@]host[:port][/]``.

        The port is 80 or 443 if *url* names none; user name and password are percent-decoded.
        Raises :exc:`ValueError` with words for people that hold nothing of *url*.
        """
        scheme, separator, rest = url.partition("://")
        if not separator:
            scheme, rest = "http", url
        scheme = scheme.lower()
        if scheme not in _PORTS:
            raise ValueError(f"{_FORM}; SOCKS proxies are not supported")
        userinfo, _, written_place = rest.rpartition("@")
        place = _PLACE.fullmatch(written_place)
        if place is None:
            raise ValueError(_FORM)
        address, name, digits = place.groups()
        port = int(digits or _PORTS[scheme])
        if not 0 < port < 65_536:
            raise ValueError("a proxy's port is a number from 1 to 65535")
        username, password = _credentials(userinfo)
        return cls(address or name, port, username, password, tls=scheme == "https")


def _credentials(userinfo: str) -> tuple[str | None, str | None]:
    if not userinfo:
        return None, None
    if re.search(r"[/?#@]", userinfo) or userinfo.count(":") > 1:
        raise ValueError(_RESERVED)
    written_name, separator, written_password = userinfo.partition(":")
    try:
        username = unquote(written_name, errors="strict")
        password = unquote(written_password, errors="strict") if separator else None
        userinfo.encode()  # what an environment variable holds need not be text
    except UnicodeError:
        raise ValueError("a proxy's user name or password is not UTF-8") from None
    # RFC 7617 section 2: neither may have control characters, nor the user name a colon.
    if ":" in username:
        raise ValueError("a proxy's user name cannot have a colon")
    if re.search(r"[\x00-\x1f\x7f]", username + (password or "")):
        raise ValueError("a proxy's user name or password has a control character")
    return username, password


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached."""

    proxy: Proxy | None
    """``None``: directly."""
    why: str
    """What decided, for people; holds no password."""
    variable: str | None = None
    """The environment variable that decided."""


def choose_way(host: str, port: int, *, configured: str | None, environ: Mapping[str, str]) -> Way:
    """
    Return how *host* is reached over TLS, and why.

    *configured* is the ``proxy`` of the config: it decides where it is set, and ``none`` or an
    empty text means directly.  Else ``https_proxy`` or ``all_proxy`` do, in small letters before
    capitals as curl and Python read them, where ``no_proxy`` does not except the host; one that
    is set and empty switches the others off.  What the environment says is never asked about
    this machine, and link-local addresses (metadata servers) never have a proxy.

    :raises InvalidInput: if a variable holds no proxy's URL.
    :raises ValueError: likewise of *configured*, which the config's schema has judged before.
    """
    host = host.lower().rstrip(".")
    if _is_link_local(host):
        return Way(None, "a link-local address has no proxy")
    if configured is not None:
        if configured in (DIRECT, ""):
            return Way(None, "proxy: none in the config")
        return Way(Proxy.parse(configured), "proxy in the config")
    variable = next((name for name in _VARIABLES if name in environ), None)
    if variable is None:
        return Way(None, "no proxy is set")
    if not environ[variable]:
        return Way(None, f"{variable} is empty", variable)
    if _is_loopback(host):
        return Way(None, "this machine has no proxy")
    exception = next((name for name in _EXCEPTIONS if name in environ), None)
    entry = _excepting(environ[exception], host, port) if exception else None
    if entry is not None:
        return Way(None, f"{exception} has {entry!a}", exception)
    return Way(_of_variable(variable, environ[variable]), variable, variable)


def proxy_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of *environ* decides about proxies: the rest, secrets in it, need not be kept."""
    return {name: environ[name] for name in (*_VARIABLES, *_EXCEPTIONS) if name in environ}


def _of_variable(variable: str, url: str) -> Proxy:
    try:
        return Proxy.parse(url)
    except ValueError as error:
        raise InvalidInput(
            f"the environment variable {variable} cannot be used: {error}",
            hint=f"correct or unset {variable}; or write proxy: {DIRECT}, or the proxy, into the"
            " credential of pushctl.yaml",
        ) from None


def _excepting(entries: str, host: str, port: int) -> str | None:
    """Return which entry of a no_proxy list (commas or blanks between) fits; ``None`` if none."""
    fitting = (it for it in re.split(r"[,\s]+", entries) if it and _fits(it.lower(), host, port))
    return next(fitting, None)


def _fits(entry: str, host: str, port: int) -> bool:
    """
    Tell whether *entry* of a no_proxy list means *host* and *port*.

    A domain means itself and what is below it, with a leading dot or ``*.`` too; ``*`` means
    all; an address or CIDR block means addresses written as such (no name is resolved); any may
    end in ``:port``.  So do curl, Go and Python's requests, but for the port in curl.
    """
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, number = _split_port(entry)
    if number is not None and number != port:
        return False
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*").removeprefix(".").rstrip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _split_port(entry: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"\[(.*)\](?::([0-9]{1,5}))?|([^:]*):([0-9]{1,5})", entry)
    if match is None:
        return entry, None
    bracketed, behind_bracket, name, behind_name = match.groups()
    digits = behind_bracket or behind_name
    return (name if bracketed is None else bracketed), int(digits) if digits else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_link_local(host: str) -> bool:
    address = _address(host)
    return host == _METADATA_HOST if address is None else address.is_link_local
