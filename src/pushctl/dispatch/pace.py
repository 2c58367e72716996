"""How many pushes may leave now: a token bucket with a ramp-up.  Pure; times are seconds."""

from __future__ import annotations

_BURST_S = 0.05
"""The bucket holds what the rate gives in this time: a second's pushes leave spread over it."""
_ROUNDING = 1e-6
"""So little short of a whole push is one: the wait for it could be too short for a clock to show,
and whoever waits for a time that has come already would wait for ever."""


class Pacer:
    """Lets through *rate* pushes a second; ``None`` lets through everything."""

    def __init__(self, rate: float | None, *, ramp_s: float = 0.0) -> None:
        """*ramp_s* is how long the rate takes to grow from nothing to *rate*."""
        if rate is not None and rate <= 0:
            raise ValueError("a rate is above zero")
        self.rate = rate
        self._ramp_s = ramp_s
        self._started_at: float | None = None
        self._filled_at = 0.0
        self._tokens = 1.0

    def allowance(self, wanted: int, now: float) -> int:
        """Return how many of *wanted* pushes may leave at *now*, without taking them."""
        if self.rate is None:
            return wanted
        self._fill(now)
        return min(wanted, int(self._tokens + _ROUNDING))

    def take(self, number: int) -> None:
        """Account for *number* pushes that left."""
        if self.rate is not None:
            self._tokens -= number

    def wait(self, now: float) -> float:
        """Return the seconds until one more push may leave; 0 if it may now."""
        if self.rate is None:
            return 0.0
        self._fill(now)
        if self._tokens + _ROUNDING >= 1.0:
            return 0.0
        return (1.0 - self._tokens) / self._rate_at(now)

    def _rate_at(self, now: float) -> float:
        assert self.rate is not None
        if not self._ramp_s or self._started_at is None:
            return self.rate
        share = (now - self._started_at) / self._ramp_s
        return self.rate * min(1.0, max(share, 0.02))

    def _fill(self, now: float) -> None:
        if self._started_at is None:
            self._started_at = self._filled_at = now
        rate = self._rate_at(now)
        room = max(1.0, rate * _BURST_S)
        self._tokens = min(room, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
