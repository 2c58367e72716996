"""
A quick look at whole blocks of a text file: is it so plain that its lines are its rows?

Nearly every large list is: no blank line, every line as wide as the header, and quotes nowhere or
everywhere.  A few
passes over a megabyte at a time find that out many times as fast as a parser reads it, and any
other reader will then see the same rows.  What is not plain is left to the strict readers, which
also say what is wrong with it; this module refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal, TypeAlias

from pushctl.audience.content import MAX_LINE_BYTES, Content
from pushctl.errors import InvalidInput

LineBreak: TypeAlias = Literal["\n", "\r\n"]

_BLOCK_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKEN_BYTES = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"#\"'`")


@dataclass(frozen=True, slots=True)
class Plainness:
    """What is known of a plain file."""

    lines: int
    line_break: LineBreak
    is_quoted: bool = False
    """Whether every cell stands in quotes, with none inside."""


def plain_columns(content: Content, *, width: int, delimiter: str) -> Plainness | None:
    """
    Return how *content* is plain, if each line is *width* cells, or ``None``.

    Either no cell has a quote, or each begins and ends with one and holds neither quotes nor
    delimiters, header included.
    """
    mark = delimiter.encode()
    bare = _bytes_but(mark + b"\n")
    bare_line = mark * (width - 1) + b"\n"
    framed = _bytes_but(mark + b'"\n')
    framed_line = mark.join([b'""'] * width) + b"\n"
    between = b'"' + mark + b'"'

    def fits(block: bytes, lines: int) -> bool:
        return (
            b'"' not in block
            and b"\0" not in block
            and block.translate(None, bare) == bare_line * lines
            and _is_utf8(block)
        )

    def fits_quoted(block: bytes, lines: int) -> bool:
        return (
            block.startswith(b'"')
            and block.endswith(b'"\n')
            and block.count(b'"\n"') == lines - 1
            and block.count(between) == lines * (width - 1)
            and b"\0" not in block
            and block.translate(None, framed) == framed_line * lines
            and _is_utf8(block)
        )

    plain = _plainness(content, fits)
    if plain is not None:
        return plain
    quoted = _plainness(content, fits_quoted)
    return quoted and replace(quoted, is_quoted=True)


def plain_tokens(content: Content) -> Plainness | None:
    """Return how *content* is plain, if each line is one word like a token, or ``None``."""

    def fits(block: bytes, _: int) -> bool:
        return not block.translate(None, _TOKEN_BYTES + b"\n")

    return _plainness(content, fits)


def plain_objects(content: Content) -> Plainness | None:
    """Return how *content* is plain, if each line begins like a JSON object, or ``None``."""

    def fits(block: bytes, lines: int) -> bool:
        return (
            block.startswith(b"{")
            and block.count(b"\n{") == lines - 1
            and b"\0" not in block
            and b"\x1f" not in block
            and _is_utf8(block)
        )

    return _plainness(content, fits)


def _plainness(content: Content, fits: Callable[[bytes, int], bool]) -> Plainness | None:
    """Return how *content* is plain if each block *fits* with its number of lines."""
    lines = 0
    line_break: LineBreak | None = None
    try:
        with content.open() as stream:
            for block in _blocks(stream):
                if line_break is None:
                    line_break = "\r\n" if block.endswith(b"\r\n") else "\n"
                number = block.count(b"\n")
                bare = _with_line_feeds(block, line_break, number)
                if bare is None or _has_blank_line(bare) or not fits(bare, number):
                    return None
                lines += number
    except InvalidInput:
        return None  # the strict reader will meet it again, and knows the place
    return Plainness(lines, line_break or "\n")


def _with_line_feeds(block: bytes, line_break: LineBreak, lines: int) -> bytes | None:
    """Return *block* with line feeds alone, or ``None`` if lines end otherwise or are too long."""
    if _has_long_line(block):
        return None
    returns = block.count(b"\r")
    if line_break == "\n":
        return None if returns else block
    if not returns == lines == block.count(b"\r\n"):
        return None
    return block.replace(b"\r", b"")


def _has_blank_line(block: bytes) -> bool:
    return b"\n\n" in block or block.startswith(b"\n")


def _has_long_line(block: bytes) -> bool:
    """Return whether a line is over the limit, by leaps from the last line break in reach."""
    start = 0
    while len(block) - start > MAX_LINE_BYTES:
        end = block.rfind(b"\n", start, start + MAX_LINE_BYTES)
        if end < 0:
            return True
        start = end + 1
    return False


def _bytes_but(kept: bytes) -> bytes:
    return bytes(byte for byte in range(256) if byte not in kept)


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield *stream* in blocks of whole lines; the last line gets a line break if it has none."""
    chunk = stream.read(_BLOCK_BYTES).removeprefix(_BYTE_ORDER_MARK)
    rest = line_break = b""
    while chunk:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            line_break = b"\r\n" if chunk[:end].endswith(b"\r\n") else b"\n"
            rest = chunk[end:]
        else:
            rest += chunk
            if len(rest) > MAX_LINE_BYTES:
                break  # too long in any case, and not to be held
        chunk = stream.read(_BLOCK_BYTES)
    if rest.endswith(b"\r"):
        yield rest  # half a line break, which is for the strict reader to judge
    elif rest:
        yield rest + (line_break or b"\n")
