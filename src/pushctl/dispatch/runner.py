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
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from pushctl.dispatch.lane import Lane, is_silent, no_answer
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import CredentialsRefused, PushctlError, Unreachable
from pushctl.outcome import Kind, Outcome
from pushctl.wire.connection import TIMED_OUT
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer, Closed, Event, Unprocessed
from pushctl.wire.headers import RequestHead
from pushctl.wire.link import Endpoint, Link

_FEWEST_TRIES = 3
"""So often in a row a connection must fail before its lane is given up."""
_BACKOFF_S = 1.0
_BACKOFF_LIMIT_S = 60.0
_GROW_AFTER_S = 0.25
_DRAIN_S = 10.0
_GOODBYE_S = 1.5
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
    @property
    def expires_at(self) -> float: ...


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
    unread: frozenset[str] = frozenset()
    """Header fields of answers that nobody asks for: decoding them is left out."""
    open_link: Callable[..., Awaitable[Link]] | None = None
    """Opens a connection as :meth:`Link.open` does; ``None``: by that itself."""


class Listener(Protocol):
    """What the runner tells beside the lanes' effects."""

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """
        A connection could not be opened, or was of no use.

        It is tried again in *retry_in_s*; ``None``: the lane is given up.
        """


Feed = AsyncIterator[Sequence[tuple[Lane, Push]]]


class _Backoff:
    """Counts failures in a row, and says when the next try may be made."""

    __slots__ = ("failures", "since", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.since = 0.0
        self.until = 0.0

    def fail(self, now: float, patience_s: float) -> float:
        """Count a failure; return the seconds to wait: twice as many each time."""
        if not self.failures:
            self.since = now
        self.failures += 1
        delay = _BACKOFF_S * 2.0 ** min(self.failures - 1, 10)
        delay = min(delay, _BACKOFF_LIMIT_S, patience_s)
        self.until = now + delay
        return delay

    def is_spent(self, patience_s: float) -> bool:
        """Return whether the next try would be made too late."""
        return self.failures >= _FEWEST_TRIES and self.until - self.since > patience_s

    def reset(self) -> None:
        """A try succeeded."""
        self.failures = 0
        self.until = 0.0


class _Open:
    """An open connection, and what is remembered of it."""

    __slots__ = ("fruitless", "link", "permit", "retiring")

    def __init__(self, link: Link, permit: Permit | None) -> None:
        self.link = link
        self.permit = permit
        """What its requests carry, where a connection keeps its token."""
        self.retiring = False
        """It takes no new requests; the answers to the old ones are still read."""
        self.fruitless = True
        """It has brought no answer, and that is not our doing."""

    @property
    def usable(self) -> bool:
        """Return whether it takes new requests, now or when it has room."""
        return not self.retiring and not self.link.connection.draining


class _Track:
    """A lane with its connections."""

    def __init__(self, lane: Lane, route: Route) -> None:
        self.lane = lane
        self.route = route
        self.opened: list[_Open] = []
        self.permit: Permit | None = None
        """The newest."""
        self.refused: Permit | None = None
        """The one that the service last called too old."""
        self.opening = False
        self.refreshing = False
        self.answered = False
        """The service has answered on any connection."""
        self.first = _Backoff()
        """Of connections that the lane cannot do without."""
        self.further = _Backoff()
        """Of connections that would only speed it up."""
        self.saturated_since: float | None = None
        self.stuck_since: float | None = None
        """Since when no connection takes a request although none is in flight."""
        self.heads: dict[tuple[bytes, tuple[tuple[bytes, bytes], ...]], RequestHead] = {}
        self.give_up: PushctlError | None = None

    @property
    def usable(self) -> list[_Open]:
        """Return the connections that take new requests."""
        return [one for one in self.opened if one.usable]


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
        self._by_link: dict[Link, tuple[_Track, _Open]] = {}
        self._listener = listener
        self._queue_limit = queue_limit
        self._wall_clock = wall_clock
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._closing = False
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
                    break
        finally:
            await self._close()
        if self._error is not None:
            raise self._error

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
            for one in list(track.opened):
                self._on_events(one.link, one.link.connection.lost(why))
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

    def _all_closed(self) -> bool:
        """Return whether no lane sends any more: what is not yet fed stays where it is."""
        return bool(self._tracks) and all(lane.closed for lane in self._tracks)

    async def _feed(self, feed: Feed) -> None:
        async for window in feed:
            now = self._clock()
            batches: dict[Lane, list[Push]] = {}
            for lane, push in window:
                batches.setdefault(lane, []).append(push)
            for lane, pushes in batches.items():
                lane.offer(pushes, now)
                self._pump(self._tracks[lane])
            if self.stopped is not None or self._all_closed():
                break
            while sum(lane.queued for lane in self._tracks) > self._queue_limit:
                self._changed.clear()
                await self._changed.wait()
        self._fed = True
        self._changed.set()

    # -- filling connections ------------------------------------------------------------------

    def _pump(self, track: _Track) -> None:
        """Fill the lane's connections; open one more where that would help."""
        if self._closing:
            return
        lane = track.lane
        now = self._clock()
        for one in track.opened:
            if not one.retiring:
                self._fill(track, one, now)
        for one in [one for one in track.opened if one.retiring]:
            if not one.link.connection.open_streams:
                self._part_with(track, one, "the service fell silent")
        wake = lane.next_wake(now)
        if lane.ready(now):
            again = self._grow(track, now)
            wake = again if wake is None else wake if again is None else min(wake, again)
        if wake is not None:
            self._set_timer(track, wake, now)
        if lane.queued <= self._queue_limit or lane.idle:
            self._changed.set()

    def _fill(self, track: _Track, one: _Open, now: float) -> None:
        link = one.link
        room = link.capacity()
        streams = track.route.streams
        if streams is not None:
            room = min(room, streams - track.lane.in_flight)
        if room <= 0:
            return
        permit = one.permit if track.route.binds_token else track.permit
        if permit is not None and not self._still_serves(track, one, permit):
            return
        pushes = track.lane.take(room, now)
        if not pushes:
            return
        heads = track.heads
        mark = b"" if permit is None else permit.header
        request = link.request
        for push in pushes:
            head = heads.get((mark, push.fields))
            if head is None:
                head = self._make_head(track, mark, push.fields)
            varying = () if push.id is None else ((b"apns-id", push.id),)
            request(head.block(push.path, varying), push.body, push)
        link.flush()

    def _still_serves(self, track: _Track, one: _Open, permit: Permit) -> bool:
        """Return whether a request may carry *permit*; see to a newer one in good time."""
        now = self._wall_clock()
        if now < permit.retire_at:
            return True
        if track.route.binds_token:  # its answers are still read; new pushes go elsewhere
            one.retiring = True
            one.fruitless = False
            return False
        if not track.refreshing:
            track.refreshing = True
            self._spawn(self._refresh(track))
        return now < permit.expires_at

    def _make_head(
        self, track: _Track, mark: bytes, fields: tuple[tuple[bytes, bytes], ...]
    ) -> RequestHead:
        if len(track.heads) >= _HEADS_KEPT:
            track.heads.clear()
        own = ((b"authorization", mark),) if mark else ()
        authority = track.route.endpoint.authority.encode("ascii")
        head = RequestHead(authority=authority, fields=(*own, *fields))
        track.heads[(mark, fields)] = head
        return head

    # -- opening connections ------------------------------------------------------------------

    def _grow(self, track: _Track, now: float) -> float | None:
        """
        Open the connection that the lane needs, or one more where that would help.

        Returns when to look again if nothing happens till then.
        """
        if track.opening or self._aborted is not None:
            return None
        usable = track.usable
        if usable:
            wait_until = self._wait_for_room(track, usable, now)
        else:
            track.saturated_since = track.stuck_since = None
            wait_until = track.first.until
        if wait_until is None or wait_until > now:
            return wait_until
        track.opening = True
        self._spawn(self._connect(track))
        return None

    def _wait_for_room(self, track: _Track, usable: list[_Open], now: float) -> float | None:
        """Return when one more connection would help; ``None`` if it would not."""
        if any(one.link.capacity() for one in usable):
            track.saturated_since = track.stuck_since = None
            return None
        if not track.lane.in_flight:
            return self._wait_while_stuck(track, usable, now)
        track.stuck_since = None
        if not track.lane.proven or len(usable) >= track.route.connections:
            return None
        if track.saturated_since is None:
            track.saturated_since = now
        wait_until = max(track.saturated_since + _GROW_AFTER_S, track.further.until)
        if wait_until <= now:
            track.saturated_since = None
        return wait_until

    def _wait_while_stuck(self, track: _Track, usable: list[_Open], now: float) -> float | None:
        """
        Part with connections that take no request for as long as a request may take.

        A server can announce a stream limit or a window of 0; it must not hold a run up for ever.
        """
        if track.stuck_since is None:
            track.stuck_since = now
        wait_until = track.stuck_since + track.route.timeout_s
        if wait_until > now:
            return wait_until
        for one in usable:
            self._part_with(track, one, "the service takes no requests")
        return None if track.lane.closed else track.first.until

    async def _connect(self, track: _Track) -> None:
        route = track.route
        try:
            permit = await self._permit(track)
            open_link = route.open_link or Link.open
            link = await open_link(
                route.endpoint,
                route.ssl_context(),
                on_events=self._on_events,
                on_wake=self._on_wake,
                request_timeout_s=route.timeout_s,
                clock=self._clock,
                decode_accepted=route.decode_accepted,
                unread=route.unread,
            )
        except ConnectFailed as problem:
            track.opening = False
            self._connect_failed(track, problem)
            return
        except PushctlError as error:
            track.opening = False
            self._give_up(track, error)
            return
        track.opening = False
        one = _Open(link, permit)
        track.opened.append(one)
        self._by_link[link] = (track, one)
        self._pump(track)

    def _connect_failed(self, track: _Track, problem: ConnectFailed) -> None:
        lane = track.lane
        if lane.closed:
            return
        if problem.debug and self._certificate_refused(track, problem.debug):
            return
        patience = lane.policy.retry_for_s
        if track.usable:
            delay = track.further.fail(self._clock(), patience)
        else:
            delay = track.first.fail(self._clock(), patience)
            lasting = problem.stage in ("tls", "alpn", "proxy") and not track.answered
            if lasting or not patience or self._is_out_of_reach(track):
                self._listener.connecting(lane, problem, None)
                self._close_lane(track, "NotReached", str(problem))
                return
        self._listener.connecting(lane, problem, delay)
        self._pump(track)

    def _is_out_of_reach(self, track: _Track) -> bool:
        """Tell whether enough was tried; a service that never answered gets few tries."""
        if not track.answered:
            return track.first.failures >= _FEWEST_TRIES
        return track.first.is_spent(track.lane.policy.retry_for_s)

    def _part_with(self, track: _Track, one: _Open, why: str) -> None:
        """Close a connection that has nothing in flight."""
        self._forget(track, one, why)
        self._say_goodbye(one.link)

    def _forget(self, track: _Track, one: _Open, why: str) -> None:
        """*one* is gone.  If it was of no use, the next is not opened in haste."""
        track.opened.remove(one)
        del self._by_link[one.link]
        self._changed.set()
        if not one.fruitless or track.lane.closed or self._closing:
            return
        patience = track.lane.policy.retry_for_s
        now = self._clock()
        if track.usable:
            track.further.fail(now, patience)
            return
        track.first.fail(now, patience)
        if self._is_out_of_reach(track):
            self._tell_end(track, why)
            self._close_lane(track, "NotReached", why)
        elif track.first.failures == 1:
            track.first.until = now  # that may happen to anyone

    def _say_goodbye(self, link: Link) -> None:
        task = asyncio.create_task(link.close())
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    # -- tokens -------------------------------------------------------------------------------

    async def _permit(self, track: _Track) -> Permit | None:
        authorizer = track.route.authorizer
        track.permit = await self._ask(track, lambda: authorizer.authorization(self._wall_clock()))
        return track.permit

    async def _refresh(self, track: _Track) -> None:
        """Replace an access token that will expire soon, while sending goes on."""
        try:
            await self._permit(track)
        except PushctlError as error:
            self._give_up(track, error)
        track.refreshing = False
        self._pump(track)

    async def _renew(self, track: _Track) -> None:
        """Replace the token that the service refused; until then the lane waits."""
        authorizer, refused = track.route.authorizer, track.refused
        try:
            if refused is not None:
                track.permit = await self._ask(
                    track, lambda: authorizer.renew(self._wall_clock(), refused)
                )
        except PushctlError as error:
            self._give_up(track, error)
        if track.route.binds_token:
            for one in track.opened:
                if one.permit is not track.permit:
                    one.retiring, one.fruitless = True, False
        track.lane.renewed()
        self._pump(track)

    async def _ask(self, track: _Track, ask: Callable[[], Permit | None]) -> Permit | None:
        """
        Return what *ask*, which may block, returns.

        A token endpoint that is out of reach in the middle of a run is asked again for a while.
        """
        patience = track.lane.policy.retry_for_s
        backoff = _Backoff()
        while True:
            try:
                return await asyncio.to_thread(ask)
            except Unreachable:
                delay = backoff.fail(self._clock(), patience)
                if not track.answered or track.lane.closed or backoff.is_spent(patience):
                    raise
            await asyncio.sleep(delay)

    def _give_up(self, track: _Track, error: PushctlError) -> None:
        track.give_up = error
        if isinstance(error, Unreachable):
            self._tell_end(track, str(error), error.problems[0].hint)
        reason = "CredentialsRefused" if isinstance(error, CredentialsRefused) else "NotReached"
        self._close_lane(track, reason, str(error))

    def _tell_end(self, track: _Track, why: str, hint: str | None = None) -> None:
        """Say why the lane is given up, where no connection that failed has said it."""
        self._listener.connecting(track.lane, ConnectFailed("connect", why, hint), None)

    def _close_lane(self, track: _Track, reason: str, why: str) -> None:
        track.lane.close(reason, why, self._clock())
        self._changed.set()

    def _certificate_refused(self, track: _Track, debug: bytes) -> bool:
        """Give the lane up if a GOAWAY says that the client certificate is no good."""
        # TLS succeeds with a bad certificate; the GOAWAY says no (apns-protocol 7.2).
        reason = track.route.read_goaway(debug)
        if reason not in _CERTIFICATE_REASONS or track.lane.proven:
            return False
        self._give_up(track, CredentialsRefused(reason or ""))
        return True

    # -- what the connections say -------------------------------------------------------------

    def _on_events(self, link: Link, events: list[Event]) -> None:
        found = self._by_link.get(link)
        if found is None:
            return
        track, one = found
        try:
            self._take_events(track, one, events)
            self._pump(track)
        except Exception as error:  # noqa: BLE001 -- asyncio would drop it and the run never end
            self._fail(error)

    def _on_wake(self, link: Link) -> None:
        found = self._by_link.get(link)
        if found is not None:
            self._pump_safely(found[0])

    def _pump_safely(self, track: _Track) -> None:
        try:
            self._pump(track)
        except Exception as error:  # noqa: BLE001 -- as above
            self._fail(error)

    def _take_events(self, track: _Track, one: _Open, events: list[Event]) -> None:
        now = self._clock()
        lane = track.lane
        plain = track.route.accepted
        for event in events:
            if isinstance(event, Closed):
                self._link_closed(track, one, event)
                continue
            push: Any = event.tag  # what _fill() gave to request()
            if isinstance(event, Answer):
                if one.fruitless:
                    self._bears_fruit(track, one)
                if event.headers is None and plain is not None:
                    lane.answered_yes(push, plain, now)
                else:
                    self._answered(track, one, push, event, now)
            elif isinstance(event, Unprocessed):
                lane.unprocessed(push, event.why, now)
            else:
                heard_at = one.link.connection.last_received
                if event.why == TIMED_OUT and is_silent(heard_at, push, now):
                    one.retiring = True  # not a byte came: the next request goes elsewhere
                self._unanswered(track, push, event.why, now)

    def _unanswered(self, track: _Track, push: Push, why: str, now: float) -> None:
        lane = track.lane
        was_closed = lane.closed
        lane.unanswered(push, no_answer(why), now)
        if lane.closed_for is not None and not was_closed:
            self._tell_end(track, lane.closed_for[1] or why)

    def _bears_fruit(self, track: _Track, one: _Open) -> None:
        one.fruitless = False
        track.answered = True
        track.first.reset()
        track.further.reset()

    def _answered(self, track: _Track, one: _Open, push: Push, answer: Answer, now: float) -> None:
        outcome = track.route.read_answer(answer.status, answer.headers or (), answer.body)
        if outcome.kind is Kind.ACCEPTED:
            track.lane.answered_yes(push, outcome, now)
            return
        if track.route.binds_token:
            track.refused = one.permit
            if outcome.reason in _LINK_IS_DONE:
                one.retiring = True
        else:
            track.refused = track.permit
        track.lane.answered_no(push, outcome, now)

    def _link_closed(self, track: _Track, one: _Open, closed: Closed) -> None:
        if closed.debug:
            self._certificate_refused(track, closed.debug)
        self._forget(track, one, closed.why)
        if self._aborted is not None:
            self._say_goodbye(one.link)  # the link does not know that it was lost

    # -- time and tasks -----------------------------------------------------------------------

    def _set_timer(self, track: _Track, wake: float, now: float) -> None:
        handle = self._timers.get(track.lane)
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.0, wake - now)
        if handle is not None:
            if loop.time() < handle.when() <= due:
                return
            handle.cancel()
        self._timers[track.lane] = loop.call_at(due, self._timer, track)

    def _timer(self, track: _Track) -> None:
        del self._timers[track.lane]
        self._pump_safely(track)

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
        """End all that is under way; what is in flight is reported as unanswered."""
        self._closing = True
        for handle in self._timers.values():
            handle.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self._by_link):
            self._say_goodbye(link)
        if self._goodbyes:
            await asyncio.wait(self._goodbyes, timeout=_GOODBYE_S)
