"""Response header blocks, against the hpack library as the judge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import hpack
import pytest
from hpack.table import HeaderTable
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pushctl.wire import huffman
from pushctl.wire.blocks import BlockReader, Fields
from pushctl.wire.faults import Fault
from pushctl.wire.frames import ErrorCode
from pushctl.wire.headers import integer

LIMIT = 16_384
STATIC = HeaderTable.STATIC_TABLE
NGINX = [
    (":status", "410"),
    ("server", "nginx/1.22.1"),
    ("date", "Fri, 14 Nov 2025 09:26:40 GMT"),
    ("content-type", "application/json"),
    ("content-length", "51"),
]
GOOGLE = [
    (":status", "404"),
    ("vary", "Origin"),
    ("vary", "X-Origin"),
    ("content-type", "application/json; charset=UTF-8"),
    ("server", "ESF"),
    ("x-frame-options", "SAMEORIGIN"),
]


def stateless(limit: int = LIMIT) -> BlockReader:
    reader = BlockReader(limit)
    reader.forget_table()
    return reader


def encode(fields: Sequence[tuple[str, str]], *, huffman: bool = True) -> bytes:
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode(fields, huffman=huffman).lstrip(b"\x20")


def judged(block: bytes, limit: int = LIMIT) -> Fields | ErrorCode:
    """Return what hpack, without a dynamic table, makes of *block*."""
    decoder = hpack.Decoder(max_header_list_size=limit)
    decoder.header_table_size = 0
    decoder.max_allowed_table_size = 0
    try:
        pairs = decoder.decode(block, raw=True)
    except hpack.OversizedHeaderListError:
        return ErrorCode.ENHANCE_YOUR_CALM
    except (hpack.HPACKError, IndexError):
        return ErrorCode.COMPRESSION_ERROR
    return [(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs]


def seen(reader: BlockReader, block: bytes) -> Fields | ErrorCode:
    try:
        return reader.read(block)
    except Fault as fault:
        return fault.code


octets = st.binary(max_size=150)
names = st.one_of(st.sampled_from([name for name, _ in STATIC]), octets)
lists = st.lists(st.one_of(st.sampled_from(STATIC), st.tuples(names, octets)), max_size=8)
encoded = st.builds(
    lambda fields, coded: encode(fields, huffman=coded),
    lists,
    st.booleans(),
)


def text(value: bytes, coded: bool) -> bytes:
    if coded:
        value = hpack.Encoder().huffman_coder.encode(value)
    return integer(len(value), 7, 0x80 if coded else 0) + value


def literal(prefix: tuple[int, int], index: int, name: bytes, value: bytes, coded: bool) -> bytes:
    """Return a literal field, its name from the table or, for index 0, spelled out."""
    pattern, bits = prefix
    begin = integer(index, bits, pattern)
    return begin + (b"" if index else text(name, coded)) + text(value, coded)


indexes = st.one_of(st.integers(0, 63), st.sampled_from([0, 14, 15, 16, 61, 62, 127, 128, 300]))
strings = st.one_of(st.sampled_from([b"", b"x", b"application/json", b"y" * 126]), octets)
pieces: SearchStrategy[bytes] = st.one_of(
    st.builds(lambda index: integer(index, 7, 0x80), indexes),
    st.builds(
        literal,
        st.sampled_from([(0x00, 4), (0x10, 4), (0x40, 6)]),
        indexes,
        strings,
        strings,
        st.booleans(),
    ),
    st.builds(lambda size: integer(size, 5, 0x20), st.sampled_from([0, 0, 1, 4096])),
    st.binary(max_size=4),
)
composed = st.lists(pieces, max_size=8).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a block with a byte changed, left out or put in, or with its end cut off."""
    block = bytearray(draw(st.one_of(encoded, composed)))
    at = draw(st.integers(0, len(block)))
    byte = draw(st.integers(0, 255))
    match draw(st.sampled_from(["change", "leave out", "put in", "cut"])):
        case "change":
            block[at : at + 1] = bytes((byte,))
        case "leave out":
            del block[at : at + 1]
        case "put in":
            block.insert(at, byte)
        case _:
            del block[at:]
    return bytes(block)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(encoded, composed, mutated()), min_size=1, max_size=4))
def test_any_block_means_what_hpack_says(blocks: list[bytes]) -> None:
    """Fields or error are hpack's, for valid and broken blocks, first seen or seen before."""
    reader = stateless()
    for block in blocks * 2:
        assert judged(block) == seen(reader, block)


@settings(max_examples=300, deadline=None)
@given(st.one_of(encoded, composed, mutated()), st.integers(0, 400))
def test_the_limit_is_the_same(block: bytes, limit: int) -> None:
    """A header list is too long exactly when hpack says so."""
    assert judged(block, limit) == seen(stateless(limit), block)


@pytest.mark.parametrize("size", [16_384, 16_385])
def test_the_exact_limit(size: int) -> None:
    """A list of 16384 octets passes, one octet more is refused, however small the block."""
    rest = size - 200 * (32 + len("accept-encoding") + len("gzip, deflate"))
    block = b"\x90" * 200 + encode([("a", "1" * (rest - 33))])
    got = seen(stateless(), block)

    assert (201 if size == LIMIT else ErrorCode.ENHANCE_YOUR_CALM) == (
        len(got) if isinstance(got, list) else got
    )


@pytest.mark.parametrize("fields", [NGINX, GOOGLE], ids=["nginx", "Google"])
@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("prefix", [(0x00, 4), (0x10, 4), (0x40, 6)])
def test_usual_blocks_do_not_need_hpack(
    fields: Fields, coded: bool, prefix: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What servers send is read without the general decoder, whichever way it is encoded."""

    def decode(*_: object, **__: object) -> None:
        raise AssertionError("not needed")

    known = {name: index for index, (name, _) in enumerate(STATIC, 1)}
    raw = [(name.encode(), value.encode()) for name, value in fields]
    block = b"".join(literal(prefix, known.get(name, 0), name, value, coded) for name, value in raw)
    monkeypatch.setattr(hpack.Decoder, "decode", decode)

    assert fields == stateless().read(block)
    assert [(":status", "404"), *fields] == stateless().read(b"\x8d" + block)


def test_before_the_acknowledgement_hpack_reads() -> None:
    """As long as the server may use its table, a later block can refer to an earlier one."""
    reader = BlockReader(LIMIT)
    encoder = hpack.Encoder()
    first, second = encoder.encode(NGINX), encoder.encode(NGINX)

    assert len(second) < len(first) / 2
    assert [NGINX, NGINX] == [reader.read(first), reader.read(second)]


def test_what_comes_again_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among thousands of ids the other fields stay known, and what is kept stays bounded."""
    decoded: list[bytes] = []

    def noting(coded: bytes) -> str | None:
        decoded.append(coded)
        return true_decode(coded)

    true_decode = huffman.decode
    monkeypatch.setattr(huffman, "decode", noting)
    reader = stateless()
    ids = [str(uuid.UUID(int=number**7)) for number in range(2000)]
    for one in ids:
        fields = [*NGINX, ("apns-id", one)]
        assert fields == reader.read(encode(fields))

    once = len(NGINX) + len(["apns-id"])
    assert len(ids) + once == len(decoded)
    assert len(reader._recent) + len(reader._older) <= 512


@pytest.mark.parametrize("huffman_coded", [True, False])
def test_what_nobody_asks_for_is_left_out(huffman_coded: bool) -> None:
    """The field is gone, its neighbours are there, and its value was not decoded."""
    reader = BlockReader(LIMIT, frozenset({"apns-id"}))
    reader.forget_table()
    one, other = NGINX[:2], NGINX[2:]
    for number in range(3):
        fields = [*one, ("apns-id", str(uuid.UUID(int=number**7))), *other]
        assert NGINX == reader.read(encode(fields, huffman=huffman_coded))


def test_a_field_that_is_left_out_must_be_whole() -> None:
    """A block that ends in the middle of it is judged by hpack, like any other cut block."""
    reader = BlockReader(LIMIT, frozenset({"apns-id"}))
    reader.forget_table()
    block = encode([*NGINX, ("apns-id", "0" * 36)])
    for end in range(len(block) - 30, len(block)):
        with pytest.raises(Fault):
            reader.read(block[:end])


def test_names_are_kept_up_to_a_number() -> None:
    """A server that invents names for ever is read rightly, and costs a bounded memory."""
    reader = stateless()
    for number in range(3000):
        fields = [(f"x-{number}", "1")]
        assert fields == reader.read(encode(fields))

    assert len(reader._names) == 1024
