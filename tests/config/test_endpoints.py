"""Which hosts may be given a credential."""

from __future__ import annotations

import pytest

from pushctl.config import Origin, endpoints
from pushctl.outcome import Service
from pushctl.proxy import Proxy

APPLE = endpoints.VENDOR_HOSTS[Service.APNS]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.push.apple.com", Origin("api.push.apple.com", 443)),
        ("https://API.push.apple.com:2197/", Origin("api.push.apple.com", 2197)),
        ("https://127.0.0.1:8443", Origin("127.0.0.1", 8443)),
        ("https://[::1]:8443", Origin("::1", 8443)),
        ("https://relay", Origin("relay", 443)),
    ],
)
def test_endpoints(url: str, origin: Origin) -> None:
    """An endpoint is https, a host, and a port that is 443 where none is named."""
    assert origin == endpoints.parse_origin(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.push.apple.com",
        "api.push.apple.com",
        "https://",
        "https://user@host",
        "https://:secret@host",
        "https://host/path",
        "https://host?x",
        "https://host#x",
        "https://host:99999",
        "https://host:x",
        "https://host:0",
        "https://ho st",
        "https://ho\nst",
        "https://-host",
        "https://[::1",
        "https://a..b",
        "ftp://host",
        "",
    ],
)
def test_what_is_no_endpoint(url: str) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(endpoints.Refusal, match=r"."):
        endpoints.parse_origin(url)


def test_a_token_endpoint_has_a_path() -> None:
    """The token endpoint is a full URL, without a query."""
    url = "https://127.0.0.1:2197/token"

    assert Origin("127.0.0.1", 2197) == endpoints.parse_token_endpoint(url)
    with pytest.raises(endpoints.Refusal, match="no query"):
        endpoints.parse_token_endpoint(url + "?a=b")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("api.push.apple.com", []),
        ("127.0.0.1", []),
        ("127.9.9.9", []),
        ("::1", []),
        ("localhost", []),
        ("relay.example", ["other", "Relay.Example"]),
    ],
)
def test_trusted_hosts(host: str, allowed: list[str]) -> None:
    """The vendor's, this machine, and what the sender allowed."""
    assert endpoints.refusal_of_host(Origin(host), APPLE, allowed) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "api.push.apple.com.evil.example",
        "fcm.googleapis.com",
        "localhost.evil.example",
        "10.0.0.1",
        "0.0.0.0",
    ],
)
def test_other_hosts(host: str) -> None:
    """Look-alikes, the other vendor and private networks are refused, and the way out is named."""
    refusal = endpoints.refusal_of_host(Origin(host), APPLE, ["allowed.example"])

    assert refusal is not None
    assert f"--allow-endpoint {host}" in str(refusal.hint)


# A host that is written so that it looks like Google's, to people or to another parser.
TRICKS = {
    "plain HTTP": "http://oauth2.googleapis.com/token",
    "no scheme": "//oauth2.googleapis.com/token",
    "a scheme without slashes": "https:oauth2.googleapis.com/token",
    "three slashes": "https:///oauth2.googleapis.com/token",
    "a user": "https://oauth2.googleapis.com@evil.example/token",
    "a user and a password": "https://oauth2.googleapis.com:443@evil.example/token",
    "an empty user": "https://@oauth2.googleapis.com/token",
    "a backslash and a user": "https://evil.example\\@oauth2.googleapis.com/token",
    "a backslash": "https://evil.example\\.googleapis.com/token",
    "a fragment": "https://evil.example#@oauth2.googleapis.com/token",
    "a query": "https://evil.example?@oauth2.googleapis.com/token",
    "a suffix": "https://oauth2.googleapis.com.evil.example/token",
    "a prefix": "https://evil-oauth2.googleapis.com/token",
    "another Google host": "https://storage.googleapis.com/token",
    "a trailing dot": "https://oauth2.googleapis.com./token",
    "a Greek o": "https://oauth2.googleapis.c\u03bfm/token",
    "wide dots": "https://oauth2\u3002googleapis\u3002com/token",
    "Punycode": "https://xn--oauth2-9db.googleapis.com/token",
    "an encoded dot": "https://oauth2.googleapis.com%2eevil.example/token",
    "an encoded NUL": "https://oauth2.googleapis.com%00.evil.example/token",
    "a semicolon": "https://evil.example;oauth2.googleapis.com/token",
    "a tab": "https://oauth2.googleapis.com\t.evil.example/token",
    "a line": "https://oauth2.googleapis.com/token\r\nHost: evil.example",
    "a blank in front": " https://oauth2.googleapis.com/token",
    "port 0": "https://oauth2.googleapis.com:0/token",
    "a private address": "https://10.0.0.1/token",
    "a metadata server": "https://169.254.169.254/token",
    "an address as a number": "https://2130706433/token",
    "an address in hexadecimal": "https://0x7f.1/token",
    "a short address": "https://127.1/token",
    "an address in IPv6": "https://[::ffff:127.0.0.1]/token",
    "nothing in numbers": "https://0/token",
    "localhost with a dot": "https://localhost./token",
    "localhost below": "https://localhost.evil.example/token",
}


def refusal_of(url: str) -> endpoints.Refusal | None:
    """Return why *url* may not be the token endpoint."""
    try:
        origin = endpoints.parse_token_endpoint(url)
    except endpoints.Refusal as refusal:
        return refusal
    return endpoints.refusal_of_host(origin, endpoints.TOKEN_HOSTS, ["allowed.example"])


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_with_a_token_endpoint(name: str) -> None:
    """What only looks like Google's endpoint, or like this machine, gets no assertion."""
    assert refusal_of(TRICKS[name]) is not None
    assert refusal_of("https://oauth2.googleapis.com/token") is None


def test_origins_are_shown_as_people_write_them() -> None:
    """The usual port is left out, IPv6 is bracketed."""
    assert ["a", "a:2197", "[::1]:1"] == [
        str(origin) for origin in (Origin("a"), Origin("a", 2197), Origin("::1", 1))
    ]


@pytest.mark.parametrize(
    ("host", "allowed", "refused"),
    [
        ("proxy.example", (), True),
        ("proxy.example", ("api.example",), True),
        ("Proxy.example", ("PROXY.example",), False),
        ("127.0.0.1", (), False),
        ("localhost", (), False),
    ],
)
def test_a_proxy_beside_a_ca_file(host: str, allowed: tuple[str, ...], refused: bool) -> None:
    """A proxy that could pass for the vendor needs the sender's word, unless it is this machine."""
    refusal = endpoints.refusal_of_proxy(Proxy(host, 3128), allowed)

    assert refused == (refusal is not None)
    assert refusal is None or "--allow-endpoint proxy.example" in str(refusal.hint)
