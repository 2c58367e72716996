"""
Packed files, ``.gz``: damaged, cut off, or small and unfolding without end.

What can be read is what Python's own reader gives, whole, if it is in proportion to the file;
anything else is refused, before more than the bound was unfolded.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import folder
from pushctl.audience.content import MAX_EXPANSION, open_content, open_growing

UNGUARDED_BYTES = 1 << 20
CHUNK = 1 << 17
_PATH = folder("packed") / "list.txt.gz"
WORDS = (b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08\x08", b"\x00\x00\x00\xff\xff", b"\x03\x00")


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    times = draw.below(4) * 400_000
    content = draw.rest()
    if times:  # something that unfolds: what there is, and then nothing for long
        content = gzip.compress(content + bytes(times), 9, mtime=0)[: -draw.byte() or None]
    _PATH.write_bytes(content)
    expected = _unfolded(content)
    for is_growing in (False, True):
        found = _read(is_growing=is_growing)
        assert (found is None) == (expected is None)
        assert found is None or found == expected


def seeds() -> Iterator[bytes]:
    """Yield a packed list, and a bomb."""
    packed = gzip.compress(b"ab12\n" * 9, mtime=0)
    yield b"\x00" + packed
    yield b"\x00" + packed + packed
    yield b"\x00" + packed[:20]
    yield b"\x00" + packed + b"\0\0\0"
    yield b"\x03" + b"ab12\n"


def _read(*, is_growing: bool) -> bytes | None:
    """Return what is read in chunks; ``None`` where that is refused."""
    size, pieces = 0, []
    try:
        with kit.refusals(str(_PATH)):
            opened = (
                open_growing(_PATH)
                if is_growing
                else open_content(_PATH, stdin=None, compression="gz").open()
            )
            with opened as stream:
                while piece := stream.read(CHUNK):
                    size += len(piece)
                    pieces.append(piece)
                    assert size <= max(UNGUARDED_BYTES, MAX_EXPANSION * 70_000) + 2 * CHUNK
    except kit.Refused:
        return None
    return b"".join(pieces)


def _unfolded(content: bytes) -> bytes | None:
    try:
        whole = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None
    return whole if len(whole) <= max(UNGUARDED_BYTES, MAX_EXPANSION * len(content)) else None
