"""Which tokens a run has met before."""

from __future__ import annotations

import hashlib

from pushctl.outcome import Service

_DIGEST_BYTES = 16
# 128 bits: two tokens of ten million share a digest with a probability below 1e-24.
_LINE_BITS = 40
_SOURCE_BITS = 16


class Seen:
    """
    The tokens met so far, and where each was met first.

    Holds a digest and a number for each token, about 200 bytes, however long tokens and file
    names are.
    """

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}

    def first(
        self, service: Service, token: str, *, row: int, source: int, line: int | None
    ) -> tuple[int, int, int | None] | None:
        """
        Return row, source and line where the normalised *token* was met first.

        ``None`` means here and now.  *source* is the number of the file, *line* its line.
        """
        digest = hashlib.blake2b(f"{service}:{token}".encode(), digest_size=_DIGEST_BYTES).digest()
        here = (row << _SOURCE_BITS | source) << _LINE_BITS | (line or 0)
        first = self._first.setdefault(digest, here)
        if first == here:
            return None
        place, first_line = divmod(first, 1 << _LINE_BITS)
        return *divmod(place, 1 << _SOURCE_BITS), first_line or None
