"""The receiving half of one request: the answer while it is still arriving."""

from __future__ import annotations

from typing import Final

from pushctl.wire.blocks import Fields

_STATUSES: Final = {str(status): status for status in range(100, 1000)}


class Reply:
    """An answer of which something, but not all, has arrived."""

    __slots__ = (
        "_kept",
        "headers",
        "informational",
        "is_bare",
        "received",
        "small",
        "status",
        "unreturned",
    )

    def __init__(self, status: int = 0, headers: Fields | None = None) -> None:
        self.status = status
        """The final status; 0 until it is known."""
        self.headers = headers
        self.is_bare = status > 0
        """The status is known, and no DATA has come."""
        self.informational = 0
        """How many 1xx answers came before."""
        self.small = 0
        """How many DATA frames came with hardly any content."""
        self.received = 0
        """Octets of DATA that came and did not end it."""
        self.unreturned = 0
        """Octets of flow control not yet given back to this stream."""
        self._kept: bytearray | None = None

    @property
    def body(self) -> bytes:
        """Return what was kept of the body."""
        return bytes(self._kept or b"")

    @property
    def kept(self) -> int:
        """Return how many bytes of the body are kept."""
        return len(self._kept or b"")

    def add(self, data: bytes, limit: int) -> int:
        """Keep *data* as far as the whole stays within *limit* bytes; return how much that is."""
        self.is_bare = False
        if self._kept is None:
            self._kept = bytearray()
        part = data[: limit - len(self._kept)]
        self._kept += part
        return len(part)


ACCEPTED: Final = Reply(200)
"""Stands for a 200 whose body has not begun; shared, so never changed."""


def is_plain_200(block: bytes) -> bool:
    """
    Return whether *block*, read without a dynamic table, begins with ``:status: 200``.

    ``0x88`` is that pair's index in the static table (RFC 7541 appendix A); ``0x20`` in front of
    it is a table size update to 0 (section 6.3).
    """
    return block[:1] == b"\x88" or (block[:1] == b"\x20" and block.lstrip(b"\x20")[:1] == b"\x88")


def final_status(fields: Fields) -> int | None:
    """
    Return the status of a response block, or ``None`` if it is malformed.

    Well formed is: ``:status`` first, once, three digits, no other pseudo-field (RFC 9113
    section 8.3).
    """
    if not fields or fields[0][0] != ":status":
        return None
    for name, _ in fields[1:]:
        if name[:1] == ":":  # half the time of startswith()
            return None
    return _STATUSES.get(fields[0][1])
