"""One run while it runs: lanes, connections, signals, the clock, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import gc
import random
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Protocol

from pushctl import catalog
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push
from pushctl.dispatch.runner import Route, Runner
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import StorageError
from pushctl.gateway import apns, broadcast, fcm
from pushctl.job.binding import Binding, Chooser
from pushctl.job.ending import Ending
from pushctl.job.outgoing import Outgoing
from pushctl.job.recorder import OnRecord, Recorder
from pushctl.job.targets import Row
from pushctl.outcome import Kind, Outcome, Service
from pushctl.records.identity import push_id_prefix
from pushctl.records.record import Address
from pushctl.view.progress import Snapshot
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.link import Endpoint
from pushctl.wire.trace import Trace, TracedLink

FCM_RATE = 10_000.0
"""FCM's default quota is 600,000 messages a minute a project (Firebase, throttling and quotas)."""
FCM_RAMP_S = 60.0
FCM_RAMP_FROM = 100_000
"""Runs from this size on grow to the full rate over a minute (Firebase, scale-fcm)."""
_GOOGLE_HOST = "fcm.googleapis.com"
_TICK_S = 0.2
_UNREAD = {Service.APNS: frozenset({"apns-id"}), Service.FCM: frozenset[str]()}
"""APNs answers with the ``apns-id`` of the request, which a record has without reading it."""
_COLLECT_AFTER = 70_000
"""Objects made and not freed (a connection's requests in flight are some thousands)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a run is delivered."""

    policy: Policy = dataclasses.field(default_factory=Policy)
    connections: int = 8
    """Most connections for a credential."""
    concurrency: int | None = None
    """Most requests in flight for a credential; ``None`` as the service says."""
    rate: float | None = None
    """Most pushes a second for a credential; ``None`` is the service's quota."""
    timeout_s: float = 30.0
    max_duration_s: float | None = None
    validate_only: bool = False


class Watcher(Protocol):
    """Who follows a run: the screen."""

    on_record: OnRecord | None

    @property
    def trace(self) -> Trace | None:
        """Return who is told what goes over the wire; ``None``: nobody."""

    def outcome(self, service: str | None, outcome: Outcome) -> None:
        """A row ended otherwise than accepted."""

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """A connection could not be opened."""

    def tick(self, snapshot: Snapshot) -> None:
        """Where the run stands; called several times a second."""

    def stopping(self, stop: Stop, in_flight: int) -> None:
        """The run ends early and waits for the answers that are due."""


class Running:
    """A run that is ready to go.  Make it, then await :meth:`go` once."""

    def __init__(
        self,
        run: str,
        delivery: Delivery,
        recorder: Recorder,
        bindings: Mapping[str, Binding],
        chooser: Chooser,
        watcher: Watcher,
        *,
        sendable: Mapping[str, int],
        inputs: int,
    ) -> None:
        """*sendable* is how many pushes go out with each credential, *inputs* all rows."""
        self._delivery = delivery
        self._recorder = recorder
        self._watcher = watcher
        self._inputs = inputs
        self._problems: list[str] = []
        self._signals = 0
        self._lanes = {
            name: self._lane(name, binding, sendable.get(name, 0))
            for name, binding in bindings.items()
        }
        self._routes = {
            self._lanes[name]: self._route(binding) for name, binding in bindings.items()
        }
        self._outgoing = Outgoing(
            bindings,
            self._lanes,
            chooser,
            recorder,
            id_prefix=push_id_prefix(run),
            validate_only=delivery.validate_only,
        )
        recorder.address_of = self._outgoing.address
        recorder.refine = self._outgoing.refine
        recorder.lane_fields = self._outgoing.lane_fields
        self._opened: deque[tuple[Sequence[int], asyncio.Task[None]]] = deque()
        """Windows that were opened, or are about to be, and of which no push was made yet."""
        self._runner = Runner(self._routes, self, queue_limit=1024)

    async def go(self, rows: Iterator[Sequence[Row]]) -> Ending:
        """Send *rows*, window by window; return how it ended."""
        begun = time.monotonic()
        runner, recorder = self._runner, self._recorder
        recorder.stop_run = self._stop
        recorder.renew_lane = runner.renew
        tending = asyncio.create_task(recorder.tend())
        ticking = asyncio.create_task(self._tick(begun))
        deadline = self._arm_deadline()
        with _signals(self._signal), _rare_collections():
            try:
                await _first_of(runner.run(self._feed(rows)), tending)
            except StorageError as error:
                recorder.storage_failed(error)
            finally:
                if deadline is not None:
                    deadline.cancel()
                await _end_all(tending, ticking, *(task for _, task in self._opened))
                for numbers, _ in self._opened:
                    recorder.withdraw(numbers)
                with contextlib.suppress(StorageError):  # it is met again in _end()
                    recorder.flush()
            return self._end(time.monotonic() - begun)

    def address_of(self, row: Row) -> Address:
        """Return whom the push of *row* goes to, as a record tells it."""
        return self._outgoing.address_of(row)

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """Pass on a connection that could not be opened."""
        if retry_in_s is None:
            self._problems.append(f"{lane.name}: {problem}")
        self._watcher.connecting(lane, problem, retry_in_s)

    async def _feed(
        self, windows: Iterator[Sequence[Row]]
    ) -> AsyncIterator[Sequence[tuple[Lane, Push]]]:
        """
        Yield the pushes of each window once the journal has it on disk as opened.

        The journal line of the next window is synced while the pushes of this one are sent.
        """
        following = next(windows, None)
        self._open(following)
        while following is not None:
            window = following
            try:
                await self._opened[0][1]
            except StorageError:
                return  # the recorder has stopped the run
            following = next(windows, None)
            self._open(following)
            self._opened.popleft()
            yield self._outgoing.pushes(window, time.time())

    def _open(self, window: Sequence[Row] | None) -> None:
        """Begin to open *window* in the journal."""
        if window is not None:
            numbers = [row[0] for row in window]
            task = asyncio.create_task(self._recorder.open_window(numbers))
            self._opened.append((numbers, task))

    async def _tick(self, begun: float) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            recorder = self._recorder
            self._watcher.tick(
                Snapshot(
                    elapsed_s=time.monotonic() - begun,
                    total=self._inputs,
                    totals=recorder.totals,
                    retrying=recorder.waiting,
                    in_flight=sum(lane.in_flight for lane in self._lanes.values()),
                    p50_ms=recorder.latency_ms(0.5),
                    p95_ms=recorder.latency_ms(0.95),
                )
            )

    def _end(self, duration_s: float) -> Ending:
        recorder = self._recorder
        left = 0
        try:
            left = recorder.finish(self._inputs)
        except StorageError as error:
            recorder.storage_failed(error)
        failure = recorder.storage_error
        ended_early = self._runner.stopped is not None or failure is not None
        if left and not (ended_early or all(lane.closed for lane in self._lanes.values())):
            raise AssertionError(f"the accounting is off by {left} rows")
        return Ending(
            run=recorder.run,
            campaign=recorder.campaign,
            totals=dict(recorder.totals),
            duration_s=duration_s,
            planned=self._inputs,
            bounce_log=str(recorder.bounce_log),
            faulty=recorder.tally.faulty,
            unreached=recorder.unreached,
            refused=self._runner.refusals(),
            problems=self._problems,
            stop=self._runner.stopped,
            storage_error=None if failure is None else str(failure),
        )

    # -- lanes --------------------------------------------------------------------------------

    def _lane(self, name: str, binding: Binding, sendable: int) -> Lane:
        service = binding.service
        return Lane(
            name,
            service,
            policy=self._delivery.policy,
            effects=self._recorder,
            pacer=self._pacer(binding, sendable),
            jitter=random.SystemRandom().random,
            least_wait_s=lambda outcome: _least_wait_s(service, outcome),
        )

    def _pacer(self, binding: Binding, sendable: int) -> Pacer:
        if self._delivery.rate is not None:
            return Pacer(self._delivery.rate)
        if binding.origin.host != _GOOGLE_HOST:
            return Pacer(None)
        return Pacer(FCM_RATE, ramp_s=FCM_RAMP_S if sendable >= FCM_RAMP_FROM else 0.0)

    def _route(self, binding: Binding) -> Route:
        credential = binding.credential
        origin = binding.origin
        is_apns = binding.service is Service.APNS
        is_device = is_apns and not binding.to_channel
        plain = is_device and str(credential.environment) == "production"
        reader = apns.read_answer if is_device else fcm.read_answer
        if binding.to_channel:
            reader = broadcast.read_answer
        route = Route(
            endpoint=Endpoint(
                origin.host, origin.port, str(origin), origin.host, proxy=binding.proxy
            ),
            ssl_context=credential.ssl_context,
            authorizer=credential,
            read_answer=reader,
            read_goaway=apns.goaway_reason if is_apns else _no_reason,
            accepted=Outcome(kind=Kind.ACCEPTED, status=200) if plain else None,
            binds_token=is_apns,
            connections=self._delivery.connections,
            streams=self._delivery.concurrency,
            timeout_s=self._delivery.timeout_s,
            # In the sandbox, and to a broadcast, the answer carries apns-unique-id, the key to
            # Apple's Delivery Log.
            decode_accepted=is_apns and not plain,
            unread=_UNREAD[binding.service] if not binding.to_channel else frozenset(),
        )
        trace = self._watcher.trace
        return route if trace is None else _traced(route, trace)

    # -- stopping -----------------------------------------------------------------------------

    def _stop(self, stop: Stop) -> None:
        if self._runner.stopped is None:
            self._runner.stop(stop)
            in_flight = sum(lane.in_flight for lane in self._lanes.values())
            self._watcher.stopping(stop, in_flight)

    def _signal(self, number: int) -> None:
        self._signals += 1
        if self._signals > 1:
            self._runner.abort("stopped at once by a second signal")
        elif number == signal.SIGINT:
            self._stop(Stop("interrupted", "interrupted by Ctrl-C"))
        else:
            self._stop(Stop("terminated", f"stopped by {signal.Signals(number).name}"))

    def _arm_deadline(self) -> asyncio.TimerHandle | None:
        limit = self._delivery.max_duration_s
        if limit is None:
            return None
        stop = Stop("deadline", f"--max-duration of {limit:g} s is over", "resume the run")
        return asyncio.get_running_loop().call_later(limit, self._stop, stop)


def _traced(route: Route, trace: Trace) -> Route:
    """Return *route* over connections that tell *trace* of everything, answers of a 200 too."""
    return dataclasses.replace(
        route,
        decode_accepted=True,
        unread=frozenset(),
        open_link=functools.partial(TracedLink.open_for, trace),
    )


async def _end_all(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _no_reason(_debug: bytes) -> str | None:
    return None


def _least_wait_s(service: Service, outcome: Outcome) -> float | None:
    if outcome.reason is not None:
        found = catalog.lookup(
            service.value, outcome.reason, status=outcome.status, case=outcome.case
        )
        if found is not None:
            return found.min_wait_s
    return catalog.by_status(service.value, outcome.status or 0).min_wait_s


async def _first_of(work: Coroutine[Any, Any, None], guard: asyncio.Task[None]) -> None:
    """Await *work*; if *guard* fails first, cancel it and raise what *guard* raised."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, guard}, return_when=asyncio.FIRST_COMPLETED)
    if guard.done() and not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        guard.result()
    await task


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """
    While entered, look for garbage in cycles a hundred times less often than Python does.

    A push, its answer and its record are freed by their reference counts; looking through those
    in flight again and again took a twelfth of the time, and found nothing.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@contextlib.contextmanager
def _signals(handle: Callable[[int], None]) -> Iterator[None]:
    """While entered, SIGINT, SIGTERM and SIGHUP call *handle* instead of ending the process."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        for number in numbers:
            loop.add_signal_handler(number, handle, number)
    except (ValueError, RuntimeError):  # not in the main thread: a caller's own business
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
