"""What two readings of one HTTP/2 conversation may differ in."""

from __future__ import annotations

from collections.abc import Sequence

from pushctl.wire.events import Answer, Closed, Event, Unanswered
from pushctl.wire.frames import ErrorCode

_FOUND_BY_DECODING = frozenset({ErrorCode.COMPRESSION_ERROR, ErrorCode.ENHANCE_YOUR_CALM})


def bare(events: Sequence[Event]) -> list[object]:
    """Return *events* without the fields of answers."""
    return [
        (event.tag, event.status, event.body) if isinstance(event, Answer) else event
        for event in events
    ]


def found_by_decoding(events: Sequence[Event]) -> bool:
    """
    Return whether *events* tell of a block that must be decoded to be found wrong.

    Where nobody needs the fields, a block that begins with 200 is one, whatever follows.
    """
    return any(
        (isinstance(event, Closed) and event.code in _FOUND_BY_DECODING)
        or (isinstance(event, Unanswered) and event.why == "the answer was malformed")
        for event in events
    )
