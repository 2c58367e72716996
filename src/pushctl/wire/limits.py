"""What a connection puts up with before it calls the server hostile or broken."""

from __future__ import annotations

import dataclasses

from pushctl.wire import frames


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds on what one connection may cost.

    The figures for floods are those nghttp2 uses; a server that stays within the protocol's
    normal use never meets them.
    """

    open_streams: int = 4096
    """Most requests in flight, whatever the server allows."""
    last_stream_id: int = frames.MAX_STREAM
    """Stream ids run out here; the owner then needs a new connection."""
    unsent_body_bytes: int = 65_536
    """No new request while so much waits for flow control."""
    kept_body_bytes: int = 65_536
    """So much of an answer's body is kept; what follows is dropped."""
    body_bytes: int = 262_144
    """A body of which so much came is not waited for any longer."""
    held_bytes: int = 1 << 25
    """Most that is kept of answers that have begun and not ended, all together."""
    header_list_bytes: int = 16_384
    header_fields: int = 100
    """Fields of one answer; each costs more memory than its bytes."""
    continuation_frames: int = 8
    settings_entries: int = 32
    queued_acknowledgements: int = 1000
    informational_answers: int = 10
    """1xx answers for one request."""
    small_data_frames: int = 100
    """DATA frames for one request that carry less than :attr:`small_data_bytes`, end nothing."""
    small_data_bytes: int = 16
    resets_burst: int = 1000
    resets_per_s: float = 33.0
    """Resets beyond one for each request that was opened."""
    updates_per_request: int = 4
    """WINDOW_UPDATEs that let nothing go out; what is beyond them is useless."""
    glitches_burst: int = 10_000
    glitches_per_s: float = 330.0
    """Frames that are allowed but useless: unknown types, PINGs, frames for finished streams."""
    remembered_resets: int = 4096
    """Of so many streams that we reset it is known later that we did."""
    debug_bytes: int = 4096
    """So much of a GOAWAY's debug data is kept."""


class Bucket:
    """A token bucket that is told the time."""

    __slots__ = ("_at", "_burst", "_level", "_per_s")

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self._burst = burst
        self._level = burst
        self._per_s = per_s
        self._at = now

    def take(self, now: float, cost: int = 1) -> bool:
        """Take *cost*; return whether there was so much."""
        refill = max(0.0, now - self._at) * self._per_s
        self._level = min(self._burst, self._level + refill)
        self._at = now
        if self._level < cost:
            return False
        self._level -= cost
        return True


class Allowance:
    """What each request brings with it; only what goes beyond that drains a bucket."""

    __slots__ = ("_bucket", "_each", "_to", "spare")

    def __init__(self, each: int, bucket: Bucket) -> None:
        self.spare = 0
        """How many are still free of charge."""
        self._each = each
        self._to = 1
        """Stream id up to which requests were counted."""
        self._bucket = bucket

    def take(self, now: float, next_id: int) -> bool:
        """Take one, with *next_id* the next request's stream id; return whether there was one."""
        if not self.spare:
            self.spare = (next_id - self._to) // 2 * self._each
            self._to = next_id
        if self.spare:
            self.spare -= 1
            return True
        return self._bucket.take(now)
