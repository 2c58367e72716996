"""
Huffman-coded strings of header fields (RFC 7541 section 5.2 and appendix B), a byte at a time.

The code is a state machine whose state is how far into a symbol the last byte ended.  A row
gives, for each next byte, the row to go on in, the text that the byte completes, and that row's
state.  All 256 rows would take tens of milliseconds and megabytes; what servers send touches
about thirty of them, so a row is made when it is first needed.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from hpack.huffman_table import (
    HUFFMAN_COMPLETE,
    HUFFMAN_EMIT_SYMBOL,
    HUFFMAN_FAIL,
    HUFFMAN_TABLE,
)

_Row: TypeAlias = "list[tuple[_Row, str, int]]"

_NIBBLES: Final = 16
_DEAD: Final = len(HUFFMAN_TABLE) // _NIBBLES
"""The state after a symbol that must not occur (EOS)."""
_ROWS: Final[list[_Row]] = [[] for _ in range(_DEAD + 1)]
_WHOLE: Final = frozenset(
    state
    for state, flags, _ in HUFFMAN_TABLE
    if flags & HUFFMAN_COMPLETE and not flags & HUFFMAN_FAIL
)
"""States a string may end in: between symbols, or after padding of at most seven ones."""


def decode(coded: bytes) -> str | None:
    """
    Return the text of the Huffman-coded string *coded*, each octet of it one character.

    ``None`` says that *coded* is not the code of any string: the padding is wrong or too long, or
    EOS occurs.
    """
    while True:
        row = _ROWS[0]
        state = 0
        pieces: list[str] = []
        try:
            for byte in coded:
                row, text, state = row[byte]
                pieces.append(text)
        except IndexError:
            _make_row(state)
        else:
            return "".join(pieces) if state in _WHOLE or not coded else None


def _make_row(state: int) -> None:
    for high in range(_NIBBLES):
        between, first = _step(state, high)
        for low in range(_NIBBLES):
            after, second = _step(between, low)
            _ROWS[state].append((_ROWS[after], first + second, after))


def _step(state: int, nibble: int) -> tuple[int, str]:
    """Return the state after half a byte, and the text that it completes."""
    if state == _DEAD:
        return _DEAD, ""
    after, flags, symbol = HUFFMAN_TABLE[state * _NIBBLES + nibble]
    if flags & HUFFMAN_FAIL:
        return _DEAD, ""
    return after, chr(symbol) if flags & HUFFMAN_EMIT_SYMBOL else ""
