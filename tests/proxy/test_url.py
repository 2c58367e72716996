"""What a proxy's URL says."""

from __future__ import annotations

import pytest

from pushctl.proxy import Proxy


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128)),
        ("HTTP://proxy.example:3128/", Proxy("proxy.example", 3128)),
        ("proxy.example:3128", Proxy("proxy.example", 3128)),
        ("http://proxy.example", Proxy("proxy.example", 80)),
        ("https://proxy.example", Proxy("proxy.example", 443, tls=True)),
        ("http://[::1]:8080", Proxy("::1", 8080)),
        ("http://ann:s3cret@p:1", Proxy("p", 1, "ann", "s3cret")),
        ("ann:s3cret@p:1", Proxy("p", 1, "ann", "s3cret")),
        ("http://ann@p:65535", Proxy("p", 65_535, "ann")),
        ("http://ann:@p", Proxy("p", 80, "ann", "")),
        ("http://:key@p", Proxy("p", 80, "", "key")),
        ("http://@p", Proxy("p", 80)),
        ("http://a%40b:%2F%3A%C3%A4@p", Proxy("p", 80, "a@b", "/:ä")),
    ],
)
def test_a_url_of_a_proxy(url: str, expected: Proxy) -> None:
    """A URL gives host, port, user name and password, with what is usual for what is missing."""
    assert expected == Proxy.parse(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is written as"),
        ("http://", "is written as"),
        ("http://:3128", "is written as"),
        ("http://s3cret@", "is written as"),
        ("http://p:1/path/s3cret", "is written as"),
        ("http://p:1?s3cret", "is written as"),
        ("http://p:s3cret", "is written as"),
        ("http://a b:1", "is written as"),
        ("http://p\r\n:1", "is written as"),
        ("http://p:0", "from 1 to 65535"),
        ("http://p:65536", "from 1 to 65535"),
        ("http://p:123456", "is written as"),
        ("socks5://ann:s3cret@p:1", "SOCKS"),
        ("s3cret://p:1", "is written as"),
        ("http://ann:s3cret/@p:1", "%2F"),
        ("http://evil.example/@p:1", "%2F"),
        ("http://ann:s3cret@x@p:1", "%2F"),
        ("http://ann:s3cret:x@p:1", "%2F"),
        ("http://ann:s3cret#@p:1", "%2F"),
        ("http://ann%3A:s3cret@p:1", "colon"),
        ("http://ann:s3cret%0d%0ax@p:1", "control character"),
        ("http://ann:s3cret%ff@p:1", "not UTF-8"),
        ("http://ann:s3cret\udcff@p:1", "not UTF-8"),
    ],
)
def test_a_bad_url(url: str, words: str) -> None:
    """What is not the URL of an HTTP proxy is refused in words that hold none of it."""
    with pytest.raises(ValueError, match=words) as caught:
        Proxy.parse(url)

    assert "s3cret" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_proxy_in_words() -> None:
    """A proxy is shown as host:port; the password never shows."""
    named = Proxy("proxy.example", 3128, "ann", "s3cret", tls=True)

    assert "[::1]:8080" == str(Proxy("::1", 8080))
    assert "https://proxy.example:3128" == named.url
    assert "s3cret" not in f"{named} {named!r} {named.url}"
