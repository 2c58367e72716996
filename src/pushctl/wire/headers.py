"""
Request header blocks: HPACK (RFC 7541) with literals *without indexing* only.

Such a block needs no state shared with the server, so a block can be joined from pieces that
were encoded once, and one lost or refused request can never disturb the next.  The provider
token is marked never-indexed: no proxy on the way may put it into a table (section 7.1.3).
Values are not Huffman-coded: that costs more CPU than the bytes are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hpack.table import HeaderTable

_STATIC: Final = tuple(HeaderTable.STATIC_TABLE)
_INDEX_OF_PAIR: Final = {pair: index for index, pair in enumerate(_STATIC, 1)}
_INDEX_OF_NAME: Final = {name: index for index, (name, _) in reversed(list(enumerate(_STATIC, 1)))}
_NEVER_INDEXED_NAMES: Final = frozenset({b"authorization"})

# RFC 9110 section 5.6.2 (token), without upper case: RFC 9113 section 8.2.1.
_NAME_CHARACTERS: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
_PATH_CHARACTERS: Final = bytes(range(0x21, 0x7F))
_VALUE_CHARACTERS: Final = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_BLANKS: Final = b" \t"

_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(127))
_PATH_PREFIX: Final = b"\x04"  # literal without indexing, name :path from the static table


def integer(number: int, prefix_bits: int, first: int = 0) -> bytes:
    """Return *number* as an HPACK integer (RFC 7541 section 5.1); *first* has the bits above."""
    limit = (1 << prefix_bits) - 1
    if number < limit:
        return bytes((first | number,))
    out = bytearray((first | limit,))
    number -= limit
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _text(value: bytes) -> bytes:
    """Return *value* as an HPACK string literal, not Huffman-coded (section 5.2)."""
    length = len(value)
    return (_ONE_BYTE[length] if length < 127 else integer(length, 7)) + value


def _check_name(name: bytes) -> None:
    bare = name[1:] if name.startswith(b":") else name
    if not bare or bare.translate(None, _NAME_CHARACTERS):
        raise ValueError(f"not a lower-case header field name: {name!r}")


def _check_value(name: bytes, value: bytes) -> None:
    """Refuse control characters: a value must never be able to end the field (section 8.2.1)."""
    if value.translate(None, _VALUE_CHARACTERS):
        raise ValueError(f"the value of {name.decode('ascii')} has a control character")
    if value.strip(_BLANKS) != value:
        raise ValueError(f"the value of {name.decode('ascii')} begins or ends with a blank")


def _name_prefix(name: bytes) -> bytes:
    """Return how a literal of *name* begins, up to its value."""
    pattern = 0x10 if name in _NEVER_INDEXED_NAMES else 0x00
    index = _INDEX_OF_NAME.get(name)
    if index is not None:
        return integer(index, 4, pattern)
    return bytes((pattern,)) + _text(name)


def literal(name: bytes, value: bytes) -> bytes:
    """
    Return one field of a header block.

    Static-table pairs become their index; all else is a literal without indexing, and
    ``authorization`` a never-indexed one.  Raises :exc:`ValueError` for a name that is not a
    lower-case token and for a value with control characters or outer blanks; the message never
    holds the value.
    """
    _check_name(name)
    _check_value(name, value)
    pair = _INDEX_OF_PAIR.get((name, value))
    if pair is not None and name not in _NEVER_INDEXED_NAMES:
        return integer(pair, 7, 0x80)
    return _name_prefix(name) + _text(value)


class RequestHead:
    """
    The header blocks of many POSTs that differ only in ``:path`` and a few fields.

    Everything else is checked and encoded once.  Raises :exc:`ValueError` as :func:`literal`
    does.
    """

    __slots__ = ("_after_path", "_before_path", "_prefixes")

    def __init__(self, *, authority: bytes, fields: Sequence[tuple[bytes, bytes]]) -> None:
        # Pseudo-fields come first, :path among them: RFC 9113 section 8.3.
        self._before_path = (
            literal(b":method", b"POST")
            + literal(b":scheme", b"https")
            + literal(b":authority", authority)
            + _PATH_PREFIX
        )
        self._after_path = b"".join(_regular(name, value) for name, value in fields)
        self._prefixes: dict[bytes, bytes] = {}

    def __repr__(self) -> str:
        """Return a fixed text: the encoded fields hold the provider token."""
        return "RequestHead(...)"

    def block(self, path: bytes, varying: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
        """
        Return the header block of one request.

        *varying* fields follow the constant ones.  Raises :exc:`ValueError` for a path that does
        not begin with a slash or has anything but visible ASCII, and for bad fields.
        """
        if path.translate(None, _PATH_CHARACTERS) or not path.startswith(b"/"):
            raise ValueError("a request path is a slash followed by visible ASCII characters")
        length = len(path)
        size = _ONE_BYTE[length] if length < 127 else integer(length, 7)
        if not varying:
            return b"".join((self._before_path, size, path, self._after_path))
        pieces = [self._before_path, size, path, self._after_path]
        prefixes = self._prefixes
        for name, value in varying:
            prefix = prefixes.get(name)
            if prefix is None:
                prefix = prefixes[name] = _checked_prefix(name)
            if value.translate(None, _VALUE_CHARACTERS) or value.strip(_BLANKS) != value:
                _check_value(name, value)
            length = len(value)
            size = _ONE_BYTE[length] if length < 127 else integer(length, 7)
            pieces += (prefix, size, value)
        return b"".join(pieces)


def _regular(name: bytes, value: bytes) -> bytes:
    if name.startswith(b":"):
        raise ValueError(f"pseudo-header fields are not passed as fields: {name!r}")
    return literal(name, value)


def _checked_prefix(name: bytes) -> bytes:
    if name.startswith(b":"):
        raise ValueError(f"pseudo-header fields are not passed as fields: {name!r}")
    _check_name(name)
    return _name_prefix(name)
