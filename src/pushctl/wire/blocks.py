"""
Response header blocks: HPACK (RFC 7541), the plain cases quickly and all others by ``hpack``.

Once the server has acknowledged SETTINGS_HEADER_TABLE_SIZE=0, a block is a sequence of entries of
the static table and of literals, and means the same whatever came before.  That is read here, at
a fraction of the cost of a general decoder.  Whatever is not of that simple form, or not valid,
is left to ``hpack``, whose judgement is final.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import hpack
from hpack.table import HeaderTable

from pushctl.wire import huffman
from pushctl.wire.faults import Fault, flood
from pushctl.wire.frames import ErrorCode

Fields: TypeAlias = list[tuple[str, str]]

_STATIC: Final = tuple(
    (name.decode("ascii"), value.decode("ascii")) for name, value in HeaderTable.STATIC_TABLE
)
_INDEXED: Final = {0x80 | index: pair for index, pair in enumerate(_STATIC, 1)}
"""Whole fields of one byte (RFC 7541 section 6.1)."""
_PREFIXES: Final = ((0x00, 15), (0x10, 15), (0x40, 63))
"""Literals, without, never and with indexing (section 6.2): pattern, and largest in its byte."""
_SPELLED: Final = frozenset(pattern for pattern, _ in _PREFIXES)
"""Literals that spell out their name."""
_NAMES: Final = {
    bytes((pattern | index,) if index < largest else (pattern | largest, index - largest)): name
    for pattern, largest in _PREFIXES
    for index, (name, _) in enumerate(_STATIC, 1)
}
"""How literals begin whose name is in the static table."""
_NAME_BYTES: Final = {name[0]: len(name) for name in _NAMES}
"""How many bytes that takes, by the first of them."""

_HUFFMAN: Final = 0x80
_LENGTH: Final = 0x7F
"""The bits of a string's length (section 5.2); if all are set, it goes on in further bytes."""
_LARGEST_FIELD: Final = 64
"""No octet of a block counts for more in the size of a header list (section 4.1)."""
_KNOWN_NAMES: Final = 1024
_GENERATION: Final = 256


class BlockReader:
    """Decodes response header blocks, and knows when decoding needs no memory any more."""

    __slots__ = (
        "_decoder",
        "_header_fields",
        "_header_list_bytes",
        "_names",
        "_older",
        "_recent",
        "_unread",
        "stateless",
    )

    def __init__(
        self,
        header_list_bytes: int,
        unread: frozenset[str] = frozenset(),
        *,
        header_fields: int | None = None,
    ) -> None:
        """*unread* names fields that may be left out: a value that never comes again is dear."""
        self._unread = unread
        self._decoder = hpack.Decoder(max_header_list_size=header_list_bytes)
        self._header_list_bytes = header_list_bytes
        # With None it is no limit of its own: each field counts for 32 octets at least.
        self._header_fields = header_list_bytes if header_fields is None else header_fields
        self._names = dict(_NAMES)
        """What literals begin with, those that spell out their name included."""
        self._recent: dict[bytes, tuple[str, str]] = {}
        """Literals seen, in two generations: one that comes again moves to the recent one, one
        that never does (``apns-id``) is dropped with the older."""
        self._older: dict[bytes, tuple[str, str]] = {}
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
        """Return the fields of *block*; raises :class:`Fault`."""
        if self.stateless:
            fields = self._read_plain(block)
            if fields is not None:
                return fields
        try:
            pairs = self._decoder.decode(block, raw=True)
        except hpack.OversizedHeaderListError:
            raise flood("the server sent a header list that is too long") from None
        except (hpack.HPACKError, IndexError, ValueError):
            # What hpack says of it quotes objects of ours by their addresses: of no use to anybody.
            raise Fault(
                ErrorCode.COMPRESSION_ERROR, "the server sent an undecodable header block"
            ) from None
        # Latin-1 cannot fail and keeps every byte; field values are rarely more than ASCII.
        fields = [(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs]
        if len(fields) > self._header_fields:
            raise flood("the server sent a header list of too many fields")
        return fields

    def _read_plain(self, block: bytes) -> Fields | None:
        """Return the fields of *block* if it is of the simple form, else ``None``."""
        fields: Fields = []
        known = self._recent
        size = len(block)
        at = 0
        try:
            while at < size:
                first = block[at]
                if first >= 0x80:
                    fields.append(_INDEXED[first])
                    at += 1
                    continue
                if first in _SPELLED:
                    value_at = at + 2 + (block[at + 1] & _LENGTH)
                else:
                    value_at = at + _NAME_BYTES[first]
                end = value_at + 1 + (block[value_at] & _LENGTH)
                coded = block[at:end]
                # A field says where it ends: one that is known is also whole.
                if coded in known:
                    fields.append(known[coded])
                else:
                    field = self._literal(coded, value_at - at)
                    if field is not None:
                        fields.append(field)
                at = end
        except LookupError:
            return None
        if len(fields) > self._header_fields:
            return None
        if size * _LARGEST_FIELD > self._header_list_bytes and (
            sum(32 + len(name) + len(value) for name, value in fields) > self._header_list_bytes
        ):
            return None
        return fields

    def _literal(self, coded: bytes, value_at: int) -> tuple[str, str] | None:
        """
        Return the field that *coded* holds, its value from *value_at* on, and remember it.

        ``None`` for one that nobody asks for.  Raises :exc:`LookupError` for one that is cut
        short or not of the simple form.
        """
        field = self._older.get(coded)
        if field is None:
            name = self._name(coded[:value_at])
            if name in self._unread:
                _check_length(coded[value_at], len(coded) - value_at - 1)
                return None
            field = name, _text(coded[value_at:])
        if len(self._recent) >= _GENERATION:
            self._older = self._recent
            self._recent = {}
        self._recent[coded] = field
        return field

    def _name(self, coded: bytes) -> str:
        name = self._names.get(coded)
        if name is None:
            if coded[0] not in _SPELLED:
                raise LookupError
            name = _text(coded[1:])
            if len(self._names) < _KNOWN_NAMES:
                self._names[coded] = name
        return name


def _text(coded: bytes) -> str:
    """Return the text of a string literal (section 5.2); raises :exc:`LookupError` likewise."""
    length = coded[0]
    text = coded[1:]
    _check_length(length, len(text))
    if length < _HUFFMAN:
        return str(text, "latin-1")
    decoded = huffman.decode(text)
    if decoded is None:
        raise LookupError
    return decoded


def _check_length(length: int, octets: int) -> None:
    """Raise :exc:`LookupError` unless *octets* is what the one byte *length* says."""
    if length & _LENGTH == _LENGTH or octets != length & _LENGTH:
        raise LookupError
