"""Request header blocks, read back by the hpack library."""

from __future__ import annotations

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.wire.headers import RequestHead, integer, literal

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~", min_size=1, max_size=200)
values = st.binary(max_size=300).map(
    lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F).strip(b" \t")
)
paths = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=300)


def read(block: bytes) -> list[tuple[bytes, bytes]]:
    """Decode with a table of size 0: the block must not need one."""
    decoder = hpack.Decoder(max_header_list_size=1_000_000)
    decoder.header_table_size = 0
    decoder.max_allowed_table_size = 0
    return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]


def test_order_of_fields() -> None:
    """Pseudo-fields come first, then the constant fields, then the varying ones."""
    head = RequestHead(
        authority=b"fcm.googleapis.com",
        fields=[(b"content-type", b"application/json"), (b"authorization", b"Bearer x")],
    )

    expected = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"fcm.googleapis.com"),
        (b":path", b"/v1/projects/shop/messages:send"),
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer x"),
        (b"apns-id", b"1"),
    ]
    block = head.block(b"/v1/projects/shop/messages:send", [(b"apns-id", b"1")])
    assert expected == read(block)


@given(names.map(str.encode), values)
def test_any_valid_field_survives(name: bytes, value: bytes) -> None:
    """Every valid name and value comes back as it was, as a constant and as a varying field."""
    head = RequestHead(authority=b"a", fields=[(name, value)])
    block = head.block(b"/", [(name, value)])

    assert [(name, value)] == read(literal(name, value))
    assert [(name, value)] * 2 == read(block)[4:]


@given(paths)
def test_any_path_survives(path: str) -> None:
    """Paths of any length come back as they were."""
    block = RequestHead(authority=b"a", fields=[]).block(b"/" + path.encode())

    assert (b":path", b"/" + path.encode()) == read(block)[3]


@given(st.integers(0, 2**40), st.integers(1, 8))
def test_integers(number: int, prefix_bits: int) -> None:
    """Integers are encoded as the hpack library encodes them."""
    expected = bytes(hpack.hpack.encode_integer(number, prefix_bits))

    assert expected == integer(number, prefix_bits)


def test_the_example_of_the_rfc() -> None:
    """1337 with a 5-bit prefix is 1f 9a 0a (RFC 7541 appendix C.1.2)."""
    assert b"\x1f\x9a\x0a" == integer(1337, 5)


def test_authorization_is_never_indexed() -> None:
    """The provider token is marked so that no proxy puts it into a table; nothing is indexed."""
    [field] = hpack.Decoder().decode(literal(b"authorization", b"bearer x"))

    assert isinstance(field, hpack.NeverIndexedHeaderTuple)
    assert b"\x1f\x08\x08bearer x" == literal(b"authorization", b"bearer x")
    assert b"\x0f\x10\x01x" == literal(b"content-type", b"x")
    assert b"\x00\x07apns-id\x01x" == literal(b"apns-id", b"x")
    assert b"\x83" == literal(b":method", b"POST")


def test_an_empty_authorization_is_a_literal_too() -> None:
    """The static table's empty authorization is not used: it would be an indexed field."""
    assert b"\x1f\x08\x00" == literal(b"authorization", b"")


@pytest.mark.parametrize("name", [b"", b":", b"Apns-Id", b"a b", b"a\n", b"a:b", b"\xe4", b"a\0"])
def test_bad_names(name: bytes) -> None:
    """A name that is not a lower-case token is refused everywhere."""
    with pytest.raises(ValueError, match="field name"):
        literal(name, b"x")
    with pytest.raises(ValueError, match="field"):
        RequestHead(authority=b"a", fields=[]).block(b"/", [(name, b"x")])


@pytest.mark.parametrize(
    "value", [b"zz\r\nb: c", b"zz\0", b"zz\x7f", b"\x1b[31mzz", b" zz", b"zz\t"]
)
def test_bad_values(value: bytes) -> None:
    """A value that could end the field or be trimmed is refused, and never shown."""
    head = RequestHead(authority=b"a", fields=[])
    for attempt in (
        lambda: literal(b"apns-topic", value),
        lambda: RequestHead(authority=value, fields=[]),
        lambda: head.block(b"/", [(b"apns-topic", value)]),
    ):
        with pytest.raises(ValueError, match="the value of") as caught:
            attempt()

        assert "zz" not in str(caught.value)


@pytest.mark.parametrize("path", [b"", b"x", b"/a b", b"/a\r\n", b"/\xe4", b"/\0"])
def test_bad_paths(path: bytes) -> None:
    """A path is a slash and visible ASCII."""
    with pytest.raises(ValueError, match="request path"):
        RequestHead(authority=b"a", fields=[]).block(path)


def test_pseudo_fields_are_refused() -> None:
    """Pseudo-fields cannot be smuggled in behind regular ones."""
    with pytest.raises(ValueError, match="pseudo"):
        RequestHead(authority=b"a", fields=[(b":path", b"/")])
    with pytest.raises(ValueError, match="pseudo"):
        RequestHead(authority=b"a", fields=[]).block(b"/", [(b":path", b"/x")])


def test_the_representation_hides_the_token() -> None:
    """The provider token does not show in a representation."""
    head = RequestHead(authority=b"a", fields=[(b"authorization", b"bearer secret")])

    assert "secret" not in repr(head)
