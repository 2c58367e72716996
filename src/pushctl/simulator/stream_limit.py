"""
How many streams a connection may have at once.

APNs lets a connection have one until a request with a valid provider token was answered, then
announces its real limit (Apple, "Establishing a connection to APNs").  A stream above the limit is
refused.  Google has no such first limit: a client that sends many messages to FCM before it has
seen any limit is served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pushctl.simulator.script import Addressee, Script

_LIMITED_AT_FIRST = ("apns", "channels")


class StreamLimit:
    """The limit of one connection: what is announced, and what its client can know of."""

    def __init__(self, script: Script, elapsed: Callable[[], float], *, trusted: bool) -> None:
        """
        :param elapsed: returns the seconds since the simulator's start.
        :param trusted: the handshake has said who the client is, so there is no first limit.
        """
        self._script = script
        self._elapsed = elapsed
        self._opened_up = trusted
        self.announced = self._full() if trusted else script.first_streams
        self.arrive()

    def refuses(self, service: Addressee | None, streams: int) -> bool:
        """Whether a request to *service* is one too many beside so many open *streams*."""
        limit = self._known
        if self._knows_first_only and service not in _LIMITED_AT_FIRST:
            limit = max(limit, self._full())
        return streams >= limit

    def arrive(self) -> None:
        """Note that something came: its sender knew of no limit that was announced later."""
        self._known, self._knows_first_only = self.announced, not self._opened_up

    def after(self, pushes: int, *, opens_up: bool) -> int | None:
        """
        Return the limit to announce after an answer; ``None``: it stays as it is.

        :param pushes: how many there were on the connection.
        :param opens_up: the request that was answered had valid credentials.
        """
        limit = self.announced
        if opens_up and not self._opened_up:
            self._opened_up = True
            limit = self._full()
        for count, streams in self._script.stream_limits:
            if pushes == count:
                limit = streams
        return self._changed(limit)

    def when_due(self, limit: int) -> int | None:
        """Return *limit*, whose time has come, if it is to be announced."""
        return self._changed(limit) if self._opened_up else None

    def coming(self) -> Iterator[tuple[float, int]]:
        """Yield the limits that come by time, each with the seconds until then."""
        now = self._elapsed()
        for at, limit in self._script.timed_stream_limits:
            if at > now:
                yield at - now, limit

    def _full(self) -> int:
        """Return the limit that the script wants at this time."""
        now = self._elapsed()
        passed = [(at, limit) for at, limit in self._script.timed_stream_limits if at <= now]
        return max(passed)[1] if passed else self._script.max_streams

    def _changed(self, limit: int) -> int | None:
        if limit == self.announced:
            return None
        self.announced = limit
        return limit
