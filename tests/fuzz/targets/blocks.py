"""
Header blocks (HPACK), with the ``hpack`` library as the judge.

Blocks from a server, many with one reader, are read as ``hpack`` reads them or refused as it
refuses them; Huffman-coded strings are decoded as it decodes them; and what our request heads
say is what it reads in them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import hpack
from hpack.huffman_table import decode_huffman

from fuzz.draw import Draw
from pushctl.wire import huffman
from pushctl.wire.blocks import BlockReader, Fields
from pushctl.wire.faults import Fault
from pushctl.wire.frames import ErrorCode
from pushctl.wire.headers import RequestHead
from wire import talk

EXECUTIONS = 30_000
LIMIT = 16_384


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    what = draw.below(8)
    if what == 0:
        _check_huffman(draw.rest())
    elif what == 1:
        _check_head(draw)
    else:
        _check_blocks(draw, stateless=what > 2)


def seeds() -> Iterator[bytes]:
    """Yield the blocks of real answers."""
    for status in (200, 410, 429, 503):
        fields = [("apns-id", talk.APNS_ID), ("retry-after", "30"), ("vary", "X-Origin")]
        block = talk.block(status, fields, huffman=status != 410)
        yield b"\x03" + len(block).to_bytes(2, "big") + block
        yield b"\x02" + len(block).to_bytes(2, "big") + block


def _check_blocks(draw: Draw, *, stateless: bool) -> None:
    """One reader for all blocks: what it remembers of one must not change another."""
    reader = BlockReader(LIMIT)
    picky = BlockReader(LIMIT, frozenset({"apns-id"}))
    judge = hpack.Decoder(max_header_list_size=LIMIT)
    if stateless:
        reader.forget_table()
        picky.forget_table()
    while draw:
        block = draw.take(draw.below(1_000))
        if stateless:
            judge = hpack.Decoder(max_header_list_size=LIMIT)
            judge.header_table_size = 0
            judge.max_allowed_table_size = 0
        expected = _judged(judge, block)
        found = _read(reader, block)
        assert expected == found, block
        if stateless:
            _check_picky(_read(picky, block), expected)
        if isinstance(expected, ErrorCode):
            return  # the connection ends here


def _check_picky(found: Fields | ErrorCode, expected: Fields | ErrorCode) -> None:
    """A reader that may leave a field out leaves out nothing else."""
    if isinstance(expected, ErrorCode) or isinstance(found, ErrorCode):
        # Whether a value that nobody asks for is well coded need not be found out.
        assert isinstance(expected, ErrorCode)
        return
    left = [field for field in found if field[0] != "apns-id"]
    assert left == [field for field in expected if field[0] != "apns-id"]


def _read(reader: BlockReader, block: bytes) -> Fields | ErrorCode:
    try:
        return reader.read(block)
    except Fault as fault:
        return fault.code


def _judged(judge: hpack.Decoder, block: bytes) -> Fields | ErrorCode:
    try:
        pairs = judge.decode(block, raw=True)
    except hpack.OversizedHeaderListError:
        return ErrorCode.ENHANCE_YOUR_CALM
    except (hpack.HPACKError, IndexError, ValueError):
        return ErrorCode.COMPRESSION_ERROR
    return [(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs]


def _check_huffman(coded: bytes) -> None:
    try:
        expected: str | None = str(decode_huffman(coded), "latin-1")
    except hpack.HPACKError:
        expected = None
    assert expected == huffman.decode(coded)


def _check_head(draw: Draw) -> None:
    fields = [(draw.take(draw.below(12)), draw.take(draw.below(200))) for _ in range(draw.below(4))]
    varying = fields[2:]
    path = draw.take(draw.below(300))
    with contextlib.suppress(ValueError):
        head = RequestHead(authority=b"api.push.example", fields=fields[:2])
        blocks = [head.block(path, varying) for _ in range(2)]
        assert blocks[0] == blocks[1]
        read = hpack.Decoder().decode(blocks[0], raw=True)
        names = [name for name, _ in read]
        assert [b":method", b":scheme", b":authority", b":path"] == names[:4]
        assert path == read[3][1]
        assert fields == [(bytes(name), bytes(value)) for name, value in read[4:]]
        for value in (path, *(value for pair in fields for value in pair)):
            assert not {*b"\r\n\0"} & {*value}
