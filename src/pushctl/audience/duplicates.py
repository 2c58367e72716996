"""Which tokens a run has met before."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pushctl.audience.recipient import Recipient

_DIGEST_BYTES = 16
# 128 bits: that any two of ten million tokens share a digest has a probability below 1e-24.
_SOURCE_BITS = 16
_LINE_BITS = 40


class Sighting(NamedTuple):
    """Where a token was met first."""

    row: int
    """The ordinal in the run."""
    source: int
    """The number of the source, as its caller counts."""
    line: int | None


class Seen:
    """
    The tokens met so far, and where each was met first.

    Holds a digest and a number for each token, about 200 bytes, however long tokens are.
    """

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}

    def first(self, recipient: Recipient, *, source: int, line: int | None) -> Sighting | None:
        """Return where the token of *recipient* was met before; ``None`` if this is the first."""
        token = f"{recipient.service}:{recipient.token}".encode()
        digest = hashlib.blake2b(token, digest_size=_DIGEST_BYTES).digest()
        here = (recipient.row << _SOURCE_BITS | source) << _LINE_BITS | (line or 0)
        first = self._first.setdefault(digest, here)
        if first == here:
            return None
        place, first_line = divmod(first, 1 << _LINE_BITS)
        return Sighting(*divmod(place, 1 << _SOURCE_BITS), first_line or None)
