"""
What a connection reports.

Each tag given to :meth:`~pushctl.wire.connection.Connection.request` comes back in exactly one
:class:`Answer`, :class:`Unprocessed` or :class:`Unanswered`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Answer(NamedTuple):
    """
    The server answered.

    A final status whose header block arrived whole *is* an answer, even if the body after it was
    cut short by a reset, a closed connection or the deadline: the server has decided, and asking
    again could deliver twice.  ``body`` then holds what came.
    """

    tag: object
    status: int
    headers: list[tuple[str, str]] | None
    """``None``: a 200 whose header block was not decoded because nobody needs it."""
    body: bytes
    """At most the first 64 KiB."""


class Unprocessed(NamedTuple):
    """
    The server provably did not act on the request; sending it again is safe.

    Said only of RST_STREAM(REFUSED_STREAM), of streams above a GOAWAY's last stream id (both RFC
    9113 section 8.7), and of requests of which no byte was handed out for writing.
    """

    tag: object
    why: str


class Unanswered(NamedTuple):
    """The request was sent and no answer came: nobody can know whether the server acted on it."""

    tag: object
    why: str


class Closed(NamedTuple):
    """
    The connection ended; reported at most once, after every open request was reported.

    Not reported when the owner itself closes a connection that has no open request.
    """

    why: str
    code: int | None
    """The HTTP/2 error code that either side gave, if one did."""
    debug: bytes
    """The debug data of the server's GOAWAY; APNs puts JSON with a ``reason`` there."""


Event: TypeAlias = Answer | Unprocessed | Unanswered | Closed


class GoAway(NamedTuple):
    """The server's GOAWAY (RFC 9113 section 6.8)."""

    last_stream_id: int
    code: int
    debug: bytes
