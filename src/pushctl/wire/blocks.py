"""
Response header blocks: HPACK (RFC 7541), the plain cases quickly and all others by ``hpack``.

Once the server has acknowledged SETTINGS_HEADER_TABLE_SIZE=0, a block is a sequence of entries of
the static table and of literals, and means the same whatever came before.  That is read here, an
eighth of the work of a general decoder.  Whatever is not of that simple form, or not valid, is
left to ``hpack``, whose judgement is final.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import hpack
from hpack.table import HeaderTable

from pushctl.wire import huffman
from pushctl.wire.faults import Fault
from pushctl.wire.frames import ErrorCode

Fields: TypeAlias = list[tuple[str, str]]

_STATIC: Final = tuple(
    (name.decode("ascii"), value.decode("ascii")) for name, value in HeaderTable.STATIC_TABLE
)

# What the first byte of a field says (RFC 7541 section 6), for indexes that fit into it.
_INDEXED: Final = {0x80 | index: pair for index, pair in enumerate(_STATIC, 1)}
_NAMED: Final = {
    pattern | index: name
    for pattern, largest in ((0x00, 0x0E), (0x10, 0x0E), (0x40, 0x3E))
    for index, (name, _) in enumerate(_STATIC, 1)
    if index <= largest
}
"""Literals, with indexing (``0x40``) or without, whose name is in the static table."""
_NAMED_FURTHER: Final = frozenset({0x0F, 0x1F})
"""The same without indexing; the next byte is what the index is above 15."""
_FURTHER: Final = {index - 15: name for index, (name, _) in enumerate(_STATIC, 1) if index >= 15}
_NEW_NAME: Final = frozenset({0x00, 0x10, 0x40})
"""Literals that spell out their name."""

_HUFFMAN: Final = 0x80
_LONG: Final = 0x7F
"""The length of a string is in further bytes."""
_LARGEST_FIELD: Final = 64
"""More than one octet of a block can count for in the size of the header list (section 4.1)."""
_GENERATION: Final = 256


class BlockReader:
    """Decodes response header blocks, and knows when decoding needs no memory any more."""

    __slots__ = ("_decoder", "_header_list_bytes", "_older", "_recent", "stateless")

    def __init__(self, header_list_bytes: int) -> None:
        self._decoder = hpack.Decoder(max_header_list_size=header_list_bytes)
        self._header_list_bytes = header_list_bytes
        self._recent: dict[bytes, str] = {}
        """Huffman-coded strings seen, in two generations: those that come again survive in the
        recent one, those that never do (``apns-id``) are dropped with the older."""
        self._older: dict[bytes, str] = {}
        self.stateless = False
        """The server has acknowledged that it must not use a dynamic table."""

    def forget_table(self) -> None:
        """
        The server acknowledged SETTINGS_HEADER_TABLE_SIZE=0.

        The table is emptied here rather than by the size update that RFC 7541 section 4.2 asks
        for: blocks that are recognised without decoding may have carried that update.
        """
        self.stateless = True
        self._decoder.header_table_size = 0
        self._decoder.max_allowed_table_size = 0

    def read(self, block: bytes) -> Fields:
        """Return the fields of *block*; raises :class:`Fault` (COMPRESSION_ERROR)."""
        if self.stateless:
            fields = self._read_plain(block)
            if fields is not None:
                return fields
        try:
            pairs = self._decoder.decode(block, raw=True)
        except hpack.OversizedHeaderListError:
            raise Fault(
                ErrorCode.ENHANCE_YOUR_CALM, "the server sent a header list that is too long"
            ) from None
        except (hpack.HPACKError, IndexError, ValueError) as error:
            raise Fault(
                ErrorCode.COMPRESSION_ERROR, f"the server sent an undecodable header block: {error}"
            ) from None
        # Latin-1 cannot fail and keeps every byte; field values are rarely more than ASCII.
        return [(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs]

    def _read_plain(self, block: bytes) -> Fields | None:
        """Return the fields of *block* if it is of the simple form, else ``None``."""
        fields: Fields = []
        size = len(block)
        at = 0
        try:
            while at < size:
                first = block[at]
                at += 1
                if first in _INDEXED:
                    fields.append(_INDEXED[first])
                    continue
                if first in _NAMED:
                    name = _NAMED[first]
                elif first in _NAMED_FURTHER:
                    name = _FURTHER[block[at]]
                    at += 1
                elif first in _NEW_NAME:
                    name, at = self._string(block, at)
                else:
                    return None
                value, at = self._string(block, at)
                fields.append((name, value))
        except LookupError:
            return None
        if size * _LARGEST_FIELD > self._header_list_bytes and (
            sum(32 + len(name) + len(value) for name, value in fields) > self._header_list_bytes
        ):
            return None
        return fields

    def _string(self, block: bytes, at: int) -> tuple[str, int]:
        """
        Return the string that begins at *at* (section 5.2), and where it ends.

        Raises :exc:`LookupError` for one that is cut short, badly coded, or longer than 126 octets.
        """
        length = block[at]
        at += 1
        end = at + (length & _LONG)
        if length & _LONG == _LONG or end > len(block):
            raise LookupError
        coded = block[at:end]
        if length < _HUFFMAN:
            return str(coded, "latin-1"), end
        text = self._recent.get(coded)
        if text is None:
            text = self._decoded(coded)
        return text, end

    def _decoded(self, coded: bytes) -> str:
        """Return the text of a Huffman-coded string, and remember it."""
        text = self._older.get(coded)
        if text is None:
            text = huffman.decode(coded)
            if text is None:
                raise LookupError
        if len(self._recent) >= _GENERATION:
            self._older = self._recent
            self._recent = {}
        self._recent[coded] = text
        return text
