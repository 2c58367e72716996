"""Which connection goes through a proxy, and why."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.errors import InvalidInput
from pushctl.proxy import Proxy, choose_way

APNS = "api.push.apple.com"
PROXY = Proxy("proxy.example", 3128)


def way(
    host: str = APNS, port: int = 443, configured: str | None = None, **environ: str
) -> Proxy | None:
    """Return the proxy for *host*."""
    return choose_way(host, port, configured=configured, environ=environ).proxy


def why(host: str = APNS, configured: str | None = None, **environ: str) -> str:
    """Return what decided."""
    return choose_way(host, 443, configured=configured, environ=environ).why


def test_the_config_decides() -> None:
    """The config's proxy goes before the environment and its exceptions."""
    everything = {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}

    assert PROXY == way(configured="http://proxy.example:3128", **everything)
    assert PROXY == way("127.0.0.1", configured="http://proxy.example:3128", **everything)
    assert "proxy in the config" == why(configured="proxy.example:3128", **everything)


@pytest.mark.parametrize("off", ["none", ""])
def test_the_config_can_say_none(off: str) -> None:
    """``none`` means directly, whatever the environment says."""
    assert way(configured=off, HTTPS_PROXY="http://proxy.example:3128") is None
    assert "proxy: none in the config" == why(configured=off, HTTPS_PROXY="http://p:1")


@pytest.mark.parametrize(
    ("environ", "proxy", "reason"),
    [
        ({}, None, "no proxy is set"),
        ({"HTTP_PROXY": "http://p:1"}, None, "no proxy is set"),
        ({"HTTPS_PROXY": "http://p:1"}, "p:1", "HTTPS_PROXY"),
        ({"https_proxy": "http://p:1"}, "p:1", "https_proxy"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "p:1", "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://q:1"}, None, "https_proxy is empty"),
        ({"ALL_PROXY": "http://a:1"}, "a:1", "ALL_PROXY"),
        ({"all_proxy": "http://a:1", "HTTPS_PROXY": "http://p:1"}, "p:1", "HTTPS_PROXY"),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, .apple.com"},
            None,
            "NO_PROXY has '.apple.com'",
        ),
        (
            {"HTTPS_PROXY": "http://p:1", "no_proxy": "", "NO_PROXY": "*"},
            "p:1",
            "HTTPS_PROXY",
        ),
    ],
)
def test_the_variables(environ: dict[str, str], proxy: str | None, reason: str) -> None:
    """Small letters before capitals, https before all; one that is empty switches off."""
    found = choose_way(APNS, 443, configured=None, environ=environ)

    assert (proxy, reason) == (found.proxy and str(found.proxy), found.why)


@pytest.mark.parametrize(
    ("entries", "host", "port", "direct"),
    [
        ("*", APNS, 443, True),
        ("apple.com", APNS, 443, True),
        ("apple.com", "apple.com", 443, True),
        (".apple.com", APNS, 443, True),
        ("*.apple.com", APNS, 443, True),
        ("APPLE.com.", APNS, 443, True),
        ("apple.com", "API.push.apple.com.", 443, True),
        ("pple.com", APNS, 443, False),
        ("com.", APNS, 443, True),
        ("push.apple.com:443", APNS, 443, True),
        ("push.apple.com:443", APNS, 2197, False),
        ("push.apple.com:2197", APNS, 2197, True),
        ("one.example two.example,\n apple.com", APNS, 443, True),
        ("", APNS, 443, False),
        (",, .", APNS, 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.7/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", APNS, 443, False),
        ("10.0.0.0/99", "10.1.2.3", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3:443", "10.1.2.3", 443, True),
        ("10.1.2.3:2197", "10.1.2.3", 443, False),
        ("1.2.3", "10.1.2.3", 443, False),
        ("fd00::/8", "fd12::1", 443, True),
        ("fd12::1", "fd12:0::1", 443, True),
        ("[fd12::1]", "fd12::1", 443, True),
        ("[fd12::1]:443", "fd12::1", 443, True),
        ("[fd12::1]:444", "fd12::1", 443, False),
    ],
)
def test_exceptions(entries: str, host: str, port: int, direct: bool) -> None:
    """Domains, suffixes, addresses, blocks and ports mean what they mean to common tools."""
    found = way(host, port, HTTPS_PROXY="http://p:1", NO_PROXY=entries)

    assert direct == (found is None)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine(host: str) -> None:
    """The environment's proxy is never asked for this machine: the simulator needs none."""
    assert way(host, HTTPS_PROXY="http://p:1") is None


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal", "fe80::1"])
def test_metadata_servers(host: str) -> None:
    """What exists on this link alone is never asked for through a proxy, configured or not."""
    assert way(host, HTTPS_PROXY="http://p:1", configured="http://q:1") is None


@pytest.mark.parametrize(
    "url", ["socks5://ann:s3cret@p:1", "http://ann:s3cret@", "http://p:s3cret"]
)
def test_a_bad_variable(url: str) -> None:
    """A variable that holds no proxy is an error that names it, and shows nothing of it."""
    with pytest.raises(InvalidInput, match="environment variable HTTPS_PROXY") as caught:
        way(HTTPS_PROXY=url)

    (problem,) = caught.value.problems
    assert "proxy: none" in str(problem.hint)
    assert "s3cret" not in f"{problem}"


def test_a_bad_variable_that_is_not_asked() -> None:
    """A host that has no proxy is not held up by a variable that is no proxy's."""
    assert way(HTTPS_PROXY="socks5://p:1", NO_PROXY="*") is None


@given(st.text(max_size=60), st.one_of(st.just(APNS), st.ip_addresses().map(str)))
def test_any_exception_list(entries: str, host: str) -> None:
    """Whatever stands in no_proxy: it is an answer, never an exception."""
    way(host, HTTPS_PROXY="http://p:1", no_proxy=entries)


@given(st.ip_addresses(v=4), st.integers(min_value=0, max_value=32))
def test_blocks(address: ipaddress.IPv4Address, bits: int) -> None:
    """An address is in each block that is made from it."""
    host = str(address)

    assert way(host, HTTPS_PROXY="http://p:1", NO_PROXY=f"{host}/{bits}") is None
