"""The Huffman code, against the hpack library's."""

from __future__ import annotations

import hpack
import pytest
from hpack.huffman_table import decode_huffman
from hypothesis import example, given
from hypothesis import strategies as st

from pushctl.wire.huffman import decode


def encode(text: bytes) -> bytes:
    return hpack.Encoder().huffman_coder.encode(text)


@given(st.binary(max_size=80))
def test_round_trip(text: bytes) -> None:
    """Every string of octets comes back as it was."""
    assert str(text, "latin-1") == decode(encode(text))


@given(st.binary(max_size=80))
@example(b"\xff")
@example(b"\xff\xff\xff\xff")
@example(b"\xff\xff\xff\xfc" + bytes(20))
@example(encode(b"apns-id") + b"\xff")
def test_any_bytes(coded: bytes) -> None:
    """Whatever the bytes, they mean what hpack says, or nothing where hpack raises."""
    try:
        expected = str(decode_huffman(coded), "latin-1")
    except hpack.HPACKDecodingError:
        assert decode(coded) is None
    else:
        assert expected == decode(coded)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
        ("6402", "302"),
        ("aec3771a4b", "private"),
        ("", ""),
    ],
)
def test_examples_of_the_rfc(coded: str, text: str) -> None:
    """The strings of RFC 7541 appendix C are read as it says."""
    assert text == decode(bytes.fromhex(coded))
