"""The receiving half of one request: the answer while it is still arriving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import hpack

from pushctl.wire.faults import Fault
from pushctl.wire.frames import ErrorCode

Fields = list[tuple[str, str]]


class Reply:
    """An answer of which something, but not all, has arrived."""

    __slots__ = ("_kept", "empties", "headers", "informational", "status", "unreturned")

    def __init__(self, status: int = 0, headers: Fields | None = None) -> None:
        self.status = status
        """The final status; 0 until it is known."""
        self.headers = headers
        self.informational = 0
        """How many 1xx answers came before."""
        self.empties = 0
        """How many DATA frames came without any content."""
        self.unreturned = 0
        """Octets of flow control not yet given back to this stream."""
        self._kept = bytearray()

    @property
    def body(self) -> bytes:
        """Return what was kept of the body."""
        return bytes(self._kept)

    def add(self, data: bytes, limit: int) -> None:
        """Keep *data* as far as the whole stays within *limit* bytes."""
        room = limit - len(self._kept)
        if room > 0:
            self._kept += data[:room]


ACCEPTED: Final = Reply(200)
"""Stands for a 200 whose body has not begun; shared, so never changed."""


class BlockReader:
    """Decodes response header blocks, and knows when decoding needs no memory any more."""

    __slots__ = ("_decoder", "stateless")

    def __init__(self, header_list_bytes: int) -> None:
        self._decoder = hpack.Decoder(max_header_list_size=header_list_bytes)
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


def is_plain_200(block: bytes) -> bool:
    """
    Return whether *block*, read without a dynamic table, begins with ``:status: 200``.

    ``0x88`` is that pair's index in the static table (RFC 7541 appendix A); ``0x20`` in front of
    it is a table size update to 0 (section 6.3).
    """
    return block.lstrip(b"\x20")[:1] == b"\x88"


def final_status(fields: Sequence[tuple[str, str]]) -> int | None:
    """
    Return the status of a response block, or ``None`` if it is malformed.

    Well formed is: ``:status`` first, once, three digits, no other pseudo-field (RFC 9113
    section 8.3).
    """
    if not fields or fields[0][0] != ":status":
        return None
    if any(name.startswith(":") for name, _ in fields[1:]):
        return None
    digits = fields[0][1]
    if len(digits) != 3 or not (digits.isascii() and digits.isdecimal()):
        return None
    status = int(digits)
    return status if status >= 100 else None
