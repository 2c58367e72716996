"""What a server has used up of our patience: the flood limits of one connection."""

from __future__ import annotations

from typing import Final

from pushctl.wire.faults import flood
from pushctl.wire.limits import Allowance, Bucket, Limits
from pushctl.wire.replies import Reply

_COST_UNIT: Final = 64
"""A frame that makes us look at so many things costs as much as one more useless frame."""


class Guard:
    """
    Counts what is allowed but useless, and what is kept for the server's sake.

    Each method raises :class:`~pushctl.wire.faults.Fault` (ENHANCE_YOUR_CALM) where a limit is
    passed.
    """

    __slots__ = ("_glitches", "_held", "_limits", "_queued", "_updates", "resets")

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._glitches = Bucket(limits.glitches_burst, limits.glitches_per_s, now)
        self._updates = Allowance(limits.updates_per_request, self._glitches)
        self.resets = Allowance(1, Bucket(limits.resets_burst, limits.resets_per_s, now))
        self._queued = 0
        """Frames that the server made us queue since the last write."""
        self._held = 0
        """Bytes of bodies of unfinished answers."""

    def glitch(self, now: float, work: int = 0) -> None:
        """Count a useless frame that made us look at *work* bytes or streams."""
        if not self._glitches.take(now, 1 + work // _COST_UNIT):
            raise flood("the server sent too many useless frames")

    def reset(self, now: float, next_id: int) -> None:
        """Count a RST_STREAM."""
        if not self.resets.take(now, next_id):
            raise flood("the server sent too many resets")

    def idle_update(self, now: float, next_id: int) -> None:
        """Count a WINDOW_UPDATE that let nothing go out."""
        if not self._updates.take(now, next_id):
            raise flood("the server sent too many useless window updates")

    def queue(self) -> None:
        """Count an acknowledgement or WINDOW_UPDATE that waits to be written."""
        self._queued += 1
        if self._queued > self._limits.queued_acknowledgements:
            raise flood("the server asked for too many acknowledgements")

    def written(self) -> None:
        """What was queued is on its way."""
        self._queued = 0

    def keep(self, reply: Reply, data: bytes, octets: int) -> None:
        """Add *data*, the content of a DATA frame of *octets* that ends nothing, to *reply*."""
        limits = self._limits
        if len(data) < limits.small_data_bytes:
            reply.small += 1
            if reply.small > limits.small_data_frames:
                raise flood("the server sent too many small or empty DATA frames")
        reply.received += octets
        self._held += reply.add(data, limits.kept_body_bytes)
        if self._held > limits.held_bytes:
            raise flood("the server leaves too many answers unfinished")

    def release(self, reply: Reply) -> None:
        """*reply* ended."""
        self._held -= reply.kept
