"""
Performs what the lanes decide, on real connections.

The hot path makes no task, future or timer a push: a connection hands over all answers of a
network read at once, each is turned into an outcome, and the connection is filled up again with
one write.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from pushctl.dispatch.lane import Lane, no_answer
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import CredentialsRefused, PushctlError
from pushctl.outcome import Kind, Outcome
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer, Closed, Event, Unprocessed
from pushctl.wire.headers import RequestHead
from pushctl.wire.link import Endpoint, Link

_FIRST_CONNECT_TRIES = 3
_CONNECT_BACKOFF_S = 1.0
_CONNECT_BACKOFF_LIMIT_S = 60.0
_GROW_AFTER_S = 0.25
_DRAIN_S = 10.0
_LINK_IS_DONE = frozenset(
    {"ExpiredProviderToken", "TooManyProviderTokenUpdates", "IdleTimeout", "Shutdown"}
)
# After these APNs answers alike on the same connection whatever comes ("wedged"), or is going
# away: what follows goes out on another one.
_CERTIFICATE_REASONS = frozenset({"BadCertificate", "BadCertificateEnvironment"})
_HEADS_KEPT = 64

Reader = Callable[[int, Sequence[tuple[str, str]], bytes], Outcome]


class Permit(Protocol):
    """An authorization as :mod:`pushctl.credentials` gives it.  Times are epoch seconds."""

    @property
    def header(self) -> bytes: ...
    @property
    def retire_at(self) -> float: ...


class Authorizer(Protocol):
    """Gives the ``authorization`` header.  Calls may block; they are made in a thread."""

    def authorization(self, now: float) -> Permit | None: ...
    def renew(self, now: float, refused: Permit) -> Permit | None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """Where and how the pushes of one lane travel."""

    endpoint: Endpoint
    ssl_context: Callable[[], ssl.SSLContext]
    authorizer: Authorizer
    read_answer: Reader
    read_goaway: Callable[[bytes], str | None]
    """Returns the reason in a GOAWAY's debug data, where it holds one."""
    accepted: Outcome | None
    """The outcome of a 200 that needs no reading; ``None`` where the body or headers count."""
    binds_token: bool
    """Whether a connection keeps the provider token it began with (APNs)."""
    connections: int
    """How many connections at most."""
    streams: int | None = None
    """How many requests may be in flight on the lane at most; ``None`` as the service says."""
    timeout_s: float = 30.0
    decode_accepted: bool = False


class Listener(Protocol):
    """What the runner tells beside the lanes' effects."""

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """A connection could not be opened; it is tried again in *retry_in_s*, or never."""


Feed = AsyncIterator[Sequence[tuple[Lane, Push]]]


class _Track:
    """A lane with its connections."""

    def __init__(self, lane: Lane, route: Route) -> None:
        self.lane = lane
        self.route = route
        self.links: list[Link] = []
        self.permits: dict[Link, Permit | None] = {}
        self.retiring: set[Link] = set()
        self.permit: Permit | None = None
        self.opening = 0
        self.connected_before = False
        self.failures = 0
        self.saturated_since: float | None = None
        self.heads: dict[tuple[int, tuple[tuple[bytes, bytes], ...]], RequestHead] = {}
        self.give_up: PushctlError | None = None


class Runner:
    """Runs the lanes to their end.  Make it, then await :meth:`run` once."""

    def __init__(
        self,
        routes: Mapping[Lane, Route],
        listener: Listener,
        *,
        queue_limit: int,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracks = {lane: _Track(lane, route) for lane, route in routes.items()}
        self._by_link: dict[Link, _Track] = {}
        self._listener = listener
        self._queue_limit = queue_limit
        self._wall_clock = wall_clock
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[Lane, asyncio.TimerHandle] = {}
        self._changed = asyncio.Event()
        self._fed = False
        self._error: BaseException | None = None
        self._aborted: str | None = None
        self.stopped: Stop | None = None

    # -- the run ------------------------------------------------------------------------------

    async def run(self, feed: Feed) -> None:
        """
        Send all that *feed* yields; return when every push has ended.

        Raises whatever the effects raised (a :class:`~pushctl.errors.StorageError`, say), after
        the connections are closed.
        """
        self._spawn(self._feed(feed))
        try:
            while not self._done():
                self._changed.clear()
                await self._changed.wait()
                if self._error is not None:
                    raise self._error
        finally:
            await self._close()

    def stop(self, stop: Stop) -> None:
        """Send nothing more, wait for the answers that are due, then end."""
        if self.stopped is not None:
            return
        self.stopped = stop
        reason = "Interrupted" if stop.kind in ("interrupted", "terminated") else "Stopped"
        now = self._clock()
        for lane in self._tracks:
            lane.close(reason, stop.why, now)
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().call_later(_DRAIN_S, self.abort, "no answer while stopping")
        self._changed.set()

    def abort(self, why: str = "stopped at once") -> None:
        """Wait for nothing: what is in flight ends ``unknown``."""
        if self._done() or self._aborted is not None:
            return
        self._aborted = why
        for track in self._tracks.values():
            for link in list(track.links):
                self._take_events(track, link, link.connection.lost(why))
        self._changed.set()

    def renew(self, lane: Lane) -> None:
        """Get a newer token for *lane* (an effect of the lane)."""
        self._spawn(self._renew(self._tracks[lane]))

    def refusals(self) -> list[tuple[str, str]]:
        """Return the lanes whose credential was refused, each with the reason."""
        refused = []
        for lane, track in self._tracks.items():
            if lane.refused is not None:
                refused.append((lane.name, lane.refused.reason or str(lane.refused.status)))
            elif isinstance(track.give_up, CredentialsRefused):
                refused.append((lane.name, str(track.give_up)))
        return refused

    def _done(self) -> bool:
        fed = self._fed or self.stopped is not None
        return fed and all(lane.idle for lane in self._tracks)

    async def _feed(self, feed: Feed) -> None:
        async for window in feed:
            now = self._clock()
            batches: dict[Lane, list[Push]] = {}
            for lane, push in window:
                batches.setdefault(lane, []).append(push)
            for lane, pushes in batches.items():
                lane.offer(pushes, now)
                self._pump(self._tracks[lane])
            if self.stopped is not None:
                break
            while sum(lane.queued for lane in self._tracks) > self._queue_limit:
                self._changed.clear()
                await self._changed.wait()
        self._fed = True
        self._changed.set()

    # -- connections --------------------------------------------------------------------------

    def _pump(self, track: _Track) -> None:
        """Fill the lane's connections; open one more where that would help."""
        lane = track.lane
        now = self._clock()
        try:
            for link in track.links:
                if link not in track.retiring:
                    self._fill(track, link, now)
        except PushctlError as error:  # the effects could not be recorded
            self._fail(error)
            return
        for link in [link for link in track.retiring if not link.connection.open_streams]:
            self._link_closed(track, link, b"")
            self._spawn(link.close())
        if lane.queued or lane.next_wake(now) is not None:
            self._grow(track, now)
            self._set_timer(track, now)
        if lane.queued <= self._queue_limit or lane.idle:
            self._changed.set()

    def _fill(self, track: _Track, link: Link, now: float) -> None:
        room = link.capacity()
        streams = track.route.streams
        if streams is not None:
            room = min(room, streams - track.lane.in_flight)
        if room <= 0:
            return
        permit = track.permits[link] if track.route.binds_token else track.permit
        if permit is not None and self._wall_clock() >= permit.retire_at:
            self._outdated(track, link)
            if track.route.binds_token:
                return
        pushes = track.lane.take(room, now)
        if not pushes:
            return
        heads = track.heads
        mark = id(permit)
        request = link.request
        for push in pushes:
            head = heads.get((mark, push.fields))
            if head is None:
                head = self._make_head(track, permit, push.fields)
            varying = () if push.id is None else ((b"apns-id", push.id),)
            request(head.block(push.path, varying), push.body, push)
        link.flush()

    def _make_head(
        self, track: _Track, permit: Permit | None, fields: tuple[tuple[bytes, bytes], ...]
    ) -> RequestHead:
        if len(track.heads) >= _HEADS_KEPT:
            track.heads.clear()
        own = () if permit is None else ((b"authorization", permit.header),)
        authority = track.route.endpoint.authority.encode("ascii")
        head = RequestHead(authority=authority, fields=(*own, *fields))
        track.heads[(id(permit), fields)] = head
        return head

    def _grow(self, track: _Track, now: float) -> None:
        if track.opening or track.give_up is not None or self._aborted is not None:
            return
        usable = [
            link
            for link in track.links
            if link not in track.retiring and not link.connection.draining
        ]
        if not usable:
            self._open(track)
            return
        if not track.lane.proven or len(usable) >= track.route.connections:
            return
        if any(link.capacity() for link in usable):
            track.saturated_since = None
        elif track.saturated_since is None:
            track.saturated_since = now
        elif now - track.saturated_since >= _GROW_AFTER_S:
            track.saturated_since = None
            self._open(track)

    def _open(self, track: _Track) -> None:
        track.opening += 1
        self._spawn(self._connect(track))

    async def _connect(self, track: _Track) -> None:
        route = track.route
        try:
            permit = await self._permit(track)
            link = await Link.open(
                route.endpoint,
                route.ssl_context(),
                on_events=self._on_events,
                on_wake=self._on_wake,
                request_timeout_s=route.timeout_s,
                decode_accepted=route.decode_accepted,
            )
        except ConnectFailed as problem:
            track.opening -= 1
            self._connect_failed(track, problem)
            return
        except PushctlError as error:
            track.opening -= 1
            self._give_up(track, error)
            return
        track.opening -= 1
        track.failures = 0
        track.connected_before = True
        track.permits[link] = permit
        track.links.append(link)
        self._by_link[link] = track
        self._pump(track)

    async def _permit(self, track: _Track) -> Permit | None:
        now = self._wall_clock()
        permit = await asyncio.to_thread(track.route.authorizer.authorization, now)
        track.permit = permit
        return permit

    def _connect_failed(self, track: _Track, problem: ConnectFailed) -> None:
        track.failures += 1
        patience = track.lane.policy.retry_for_s
        delay = min(
            _CONNECT_BACKOFF_S * 2.0 ** (track.failures - 1), _CONNECT_BACKOFF_LIMIT_S, patience
        )
        lasting = problem.stage in ("tls", "alpn", "proxy")
        tries = 10**6 if track.connected_before else _FIRST_CONNECT_TRIES
        spent = _CONNECT_BACKOFF_S * 2.0**track.failures
        if lasting or track.failures >= tries or spent > patience or self.stopped is not None:
            self._listener.connecting(track.lane, problem, None)
            if not track.links:
                self._close_lane(track, "NotReached", str(problem))
            return
        self._listener.connecting(track.lane, problem, delay)
        track.opening += 1
        self._spawn(self._reconnect(track, delay))

    async def _reconnect(self, track: _Track, delay: float) -> None:
        await asyncio.sleep(delay)
        if track.lane.idle and self._fed:
            track.opening -= 1
            return
        await self._connect(track)

    def _give_up(self, track: _Track, error: PushctlError) -> None:
        track.give_up = error
        reason = "CredentialsRefused" if isinstance(error, CredentialsRefused) else "NotReached"
        self._close_lane(track, reason, str(error))

    def _close_lane(self, track: _Track, reason: str, why: str) -> None:
        try:
            track.lane.close(reason, why, self._clock())
        except PushctlError as error:
            self._fail(error)
        self._changed.set()

    def _outdated(self, track: _Track, link: Link) -> None:
        if track.route.binds_token:
            track.retiring.add(link)  # its answers are still read; new pushes go elsewhere
        elif not track.lane.renewing:
            track.lane.renewing = True
            self._spawn(self._refresh(track))

    async def _refresh(self, track: _Track) -> None:
        try:
            await self._permit(track)
        except PushctlError as error:
            self._give_up(track, error)
        track.lane.renewed()
        self._pump(track)

    async def _renew(self, track: _Track) -> None:
        try:
            if track.permit is not None:
                track.permit = await asyncio.to_thread(
                    track.route.authorizer.renew, self._wall_clock(), track.permit
                )
        except PushctlError as error:
            self._give_up(track, error)
        if track.route.binds_token:
            track.retiring.update(track.links)
        track.lane.renewed()
        self._pump(track)

    # -- what the connections say -------------------------------------------------------------

    def _on_events(self, link: Link, events: list[Event]) -> None:
        track = self._by_link.get(link)
        if track is None:
            return
        self._take_events(track, link, events)
        if self._error is None:
            self._pump(track)

    def _on_wake(self, link: Link) -> None:
        track = self._by_link.get(link)
        if track is not None:
            self._pump(track)

    def _take_events(self, track: _Track, link: Link, events: list[Event]) -> None:
        now = self._clock()
        lane = track.lane
        plain = track.route.accepted
        try:
            for event in events:
                if isinstance(event, Closed):
                    self._link_closed(track, link, event.debug)
                    continue
                push: Any = event.tag  # what _fill() gave to request()
                if isinstance(event, Answer):
                    if event.headers is None and plain is not None:
                        lane.answered_yes(push, plain, now)
                    else:
                        self._answered(track, link, push, event, now)
                elif isinstance(event, Unprocessed):
                    lane.unprocessed(push, event.why, now)
                else:
                    lane.unanswered(push, no_answer(event.why), now)
        except PushctlError as error:
            self._fail(error)

    def _answered(self, track: _Track, link: Link, push: Push, answer: Answer, now: float) -> None:
        outcome = track.route.read_answer(answer.status, answer.headers or (), answer.body)
        if outcome.kind is Kind.ACCEPTED:
            track.lane.answered_yes(push, outcome, now)
            return
        if track.route.binds_token and outcome.reason in _LINK_IS_DONE:
            track.retiring.add(link)
        track.lane.answered_no(push, outcome, now)

    def _link_closed(self, track: _Track, link: Link, debug: bytes) -> None:
        reason = track.route.read_goaway(debug) if debug else None
        if reason in _CERTIFICATE_REASONS and not track.lane.proven:
            # A bad client certificate: TLS succeeds, then a GOAWAY says no (apns-protocol 7.2).
            self._give_up(track, CredentialsRefused(reason or ""))
        if link in track.links:
            track.links.remove(link)
        track.retiring.discard(link)
        track.permits.pop(link, None)
        self._by_link.pop(link, None)
        self._changed.set()

    # -- time and tasks -----------------------------------------------------------------------

    def _set_timer(self, track: _Track, now: float) -> None:
        wake = track.lane.next_wake(now)
        if wake is None and track.saturated_since is not None:
            wake = track.saturated_since + _GROW_AFTER_S
        if wake is None:
            return
        handle = self._timers.get(track.lane)
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.0, wake - now)
        if handle is not None and not handle.cancelled() and loop.time() < handle.when() <= due:
            return
        if handle is not None:
            handle.cancel()
        self._timers[track.lane] = loop.call_at(due, self._timer, track)

    def _timer(self, track: _Track) -> None:
        self._timers.pop(track.lane, None)
        self._pump(track)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception())

    def _fail(self, error: BaseException | None) -> None:
        if self._error is None:
            self._error = error
        self._changed.set()

    async def _close(self) -> None:
        for handle in self._timers.values():
            handle.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self._by_link):
            await link.close()
