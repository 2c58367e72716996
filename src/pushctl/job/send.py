"""Carries out a send: survey, credentials, run folder, dispatch, and the end of the run."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pushctl import __version__, catalog
from pushctl.audience import Audience, Recipient
from pushctl.config import Settings
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push
from pushctl.dispatch.runner import Route, Runner
from pushctl.dispatch.thresholds import Stop, StopIf
from pushctl.errors import StorageError
from pushctl.gateway import apns, apns_request, fcm, fcm_request
from pushctl.job.binding import Binding, Chooser, Wish, open_bindings
from pushctl.job.ending import Ending
from pushctl.job.messages import Messages
from pushctl.job.recorder import OnRecord, Recorder, open_recorder_files
from pushctl.job.survey import Survey, refuse_hopeless, survey
from pushctl.message.content import ApnsContent, MissingAttribute, PayloadTooLarge
from pushctl.outcome import Kind, Outcome, Service
from pushctl.records.folder import create_run, locked
from pushctl.records.identity import new_run_id, push_id_prefix
from pushctl.records.record import Address
from pushctl.view.progress import Snapshot
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.link import Endpoint

WINDOW = 1024
"""Rows that are opened in the journal at a time: the most that can be unknown after a crash,
beside what is in flight."""
FCM_RATE = 10_000.0
"""FCM's default quota is 600,000 messages a minute a project (Firebase, throttling and quotas)."""
FCM_RAMP_S = 60.0
FCM_RAMP_FROM = 100_000
"""Runs from this size on grow to the full rate over a minute (Firebase, scale-fcm)."""
_TICK_S = 0.2
_GOOGLE_HOST = "fcm.googleapis.com"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asked for, checked as far as the command line can."""

    settings: Settings
    audience: Audience | None
    """``None`` where only FCM topics or conditions are the target."""
    messages: Messages
    credentials: Sequence[str] = ()
    targets: Sequence[tuple[str, str]] = ()
    """FCM topics and conditions: (``topic`` or ``condition``, value)."""
    campaign: str | None = None
    run: str | None = None
    bounce_log: Path | None = None
    policy: Policy = dataclasses.field(default_factory=Policy)
    stop_if: StopIf | None = None
    connections: int = 8
    concurrency: int | None = None
    rate: float | None = None
    timeout_s: float = 30.0
    max_duration_s: float | None = None
    validate_only: bool = False
    words: Sequence[str] = ()
    """The options as given, for the manifest; no values of secrets are among them."""


class Watcher(Protocol):
    """Who follows a run: the screen."""

    on_record: OnRecord | None

    def planned(self, run: str, found: Survey, bindings: Mapping[str, Binding]) -> None:
        """Everything is checked; the next thing is the first byte."""

    def outcome(self, service: str | None, outcome: Outcome) -> None:
        """A row ended otherwise than accepted."""

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """A connection could not be opened."""

    def tick(self, snapshot: Snapshot) -> None:
        """Where the run stands; called several times a second."""

    def stopping(self, stop: Stop, in_flight: int) -> None:
        """The run ends early and waits for the answers that are due."""


def send(order: Order, watcher: Watcher, environ: Mapping[str, str]) -> Ending:
    """
    Carry out *order* and return how it ended.

    Raises :class:`~pushctl.errors.InvalidInput` before anything is sent, and
    :class:`~pushctl.errors.StorageError` where the run's folder cannot be made.
    """
    chooser = Chooser(order.settings, order.credentials)
    found = survey(_everyone(order), chooser, order.messages)
    refuse_hopeless(found)
    _require_consent(order, found)
    bindings = open_bindings(list(found.needed.values()), order.messages, environ)
    run = order.run or new_run_id(time.time(), os.urandom(5))
    folder = create_run(order.settings.state_dir, run)
    bounce_log = order.bounce_log or order.settings.bounce_log
    with locked(folder):
        folder.write_manifest(_manifest(order, run, found, bindings, bounce_log))
        watcher.planned(run, found, bindings)
        journal, log = open_recorder_files(folder.journal, bounce_log)
        journal.add_start(run)
        recorder = Recorder(
            journal,
            log,
            run=run,
            campaign=order.campaign,
            stop_if=order.stop_if,
            on_outcome=watcher.outcome,
            on_record=watcher.on_record,
        )
        try:
            return asyncio.run(
                _Sending(order, run, recorder, found, bindings, chooser, watcher).go()
            )
        finally:
            recorder.close()


class _Sending:
    """One run while it runs."""

    def __init__(
        self,
        order: Order,
        run: str,
        recorder: Recorder,
        found: Survey,
        bindings: Mapping[str, Binding],
        chooser: Chooser,
        watcher: Watcher,
    ) -> None:
        self._order = order
        self._run = run
        self._recorder = recorder
        self._sendable = found.sendable
        self._inputs = found.inputs
        self._bindings = bindings
        self._chooser = chooser
        self._watcher = watcher
        self._id_prefix = push_id_prefix(run)
        self._problems: list[str] = []
        self._lanes: dict[str, Lane] = {}
        self._stop_count = 0

    async def go(self) -> Ending:
        """Send everything; return how it ended."""
        begun = time.monotonic()
        routes = {}
        for name, binding in self._bindings.items():
            lane = self._lanes[name] = self._lane(name, binding)
            routes[lane] = self._route(binding)
        runner = Runner(routes, self, queue_limit=2 * WINDOW)
        self._recorder.stop_run = lambda stop: self._stop(runner, stop)
        self._recorder.renew_lane = runner.renew
        tending = asyncio.create_task(self._recorder.tend())
        ticking = asyncio.create_task(self._tick(begun))
        deadline = self._arm_deadline(runner)
        with _signals(lambda number: self._signal(runner, number)):
            try:
                await _first_of(runner.run(self._feed()), tending)
            except StorageError as error:
                if self._recorder.storage_error is None:
                    self._recorder.storage_error = error
            finally:
                if deadline is not None:
                    deadline.cancel()
                tending.cancel()
                ticking.cancel()
                await asyncio.gather(tending, ticking, return_exceptions=True)
        return self._end(runner, time.monotonic() - begun)

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """Pass on a connection that could not be opened."""
        if retry_in_s is None:
            self._problems.append(f"{lane.name}: {problem}")
        self._watcher.connecting(lane, problem, retry_in_s)

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

    def _end(self, runner: Runner, duration_s: float) -> Ending:
        recorder = self._recorder
        try:
            recorder.finish()
        except StorageError as error:
            recorder.storage_error = recorder.storage_error or error
        failure = recorder.storage_error
        return Ending(
            run=self._run,
            campaign=self._order.campaign,
            totals=dict(recorder.totals),
            duration_s=duration_s,
            bounce_log=str(self._order.bounce_log or self._order.settings.bounce_log),
            faulty=recorder.tally.faulty,
            unreached=recorder.unreached,
            refused=runner.refusals(),
            problems=self._problems,
            stop=runner.stopped,
            storage_error=None if failure is None else str(failure),
        )

    # -- lanes --------------------------------------------------------------------------------

    def _lane(self, name: str, binding: Binding) -> Lane:
        service = binding.service
        return Lane(
            name,
            service,
            policy=self._order.policy,
            effects=self._recorder,
            pacer=self._pacer(name, binding),
            jitter=random.SystemRandom().random,
            least_wait_s=lambda outcome: _least_wait_s(service, outcome),
        )

    def _pacer(self, name: str, binding: Binding) -> Pacer:
        if self._order.rate is not None:
            return Pacer(self._order.rate)
        if binding.credential.origin.host != _GOOGLE_HOST:
            return Pacer(None)
        big = self._sendable[name] >= FCM_RAMP_FROM
        return Pacer(FCM_RATE, ramp_s=FCM_RAMP_S if big else 0.0)

    def _route(self, binding: Binding) -> Route:
        credential = binding.credential
        origin = credential.origin
        is_apns = binding.service is Service.APNS
        plain = is_apns and str(credential.environment) == "production"
        return Route(
            endpoint=Endpoint(origin.host, origin.port, str(origin), origin.host),
            ssl_context=credential.ssl_context,
            authorizer=credential,
            read_answer=apns.read_answer if is_apns else fcm.read_answer,
            read_goaway=apns.goaway_reason if is_apns else _no_reason,
            accepted=Outcome(kind=Kind.ACCEPTED, status=200) if plain else None,
            binds_token=is_apns,
            connections=self._order.connections,
            streams=self._order.concurrency,
            timeout_s=self._order.timeout_s,
            # In the sandbox the answer carries apns-unique-id, the key to Apple's Delivery Log.
            decode_accepted=is_apns and not plain,
        )

    # -- the feed -----------------------------------------------------------------------------

    async def _feed(self) -> AsyncIterator[Sequence[tuple[Lane, Push]]]:
        rows = iter(_everyone(self._order))
        low = 1
        while True:
            window = _take(rows, WINDOW)
            now = time.time()
            if not window:
                return
            high = low + len(window) - 1
            await self._recorder.open_window(low, high)
            yield [ready for item in window if (ready := self._prepare(item, now)) is not None]
            low = high + 1

    def _prepare(self, recipient: Recipient, now: float) -> tuple[Lane, Push] | None:
        """Return the push of *recipient* and its lane; record here what is not sent."""
        if recipient.verdict is not None:
            verdict = recipient.verdict
            self._decide(recipient, None, verdict.kind, verdict.reason, verdict.detail)
            return None
        settings = self._chooser.choose(Wish.of(recipient))
        if settings is None:
            detail = "no credential of the config fits this row"
            self._decide(recipient, None, Kind.SKIPPED, "NoCredential", detail)
            return None
        binding = self._bindings[settings.name]
        try:
            content = binding.message.render(recipient.attributes, now=now)
        except MissingAttribute as error:
            self._decide(recipient, binding, Kind.SKIPPED, "MissingAttribute", str(error))
            return None
        except PayloadTooLarge as error:
            self._decide(recipient, binding, Kind.SKIPPED, "PayloadTooLarge", str(error))
            return None
        return self._lanes[settings.name], self._push(recipient, binding, content)

    def _push(self, recipient: Recipient, binding: Binding, content: Any) -> Push:
        topic = binding.topic(content)
        address = _address(recipient, binding, topic)
        assert recipient.token is not None
        if isinstance(content, ApnsContent):
            push_id = f"{self._id_prefix}{recipient.row:012x}"
            request = apns_request.build(
                content,
                device_token=recipient.token,
                topic=binding.credential.topic,
                apns_id=None,
            )
            return Push(
                recipient.row, address, request.path, request.fields, push_id.encode(), request.body
            )
        assert binding.credential.project_id is not None
        request = fcm_request.build(
            content,
            project_id=binding.credential.project_id,
            target=(address.target, recipient.token),
            validate_only=self._order.validate_only,
        )
        return Push(recipient.row, address, request.path, request.fields, None, request.body)

    def _decide(
        self,
        recipient: Recipient,
        binding: Binding | None,
        kind: Kind,
        reason: str,
        detail: str | None,
    ) -> None:
        own = catalog.own(reason)
        outcome = Outcome(
            kind=kind,
            reason=reason,
            description=own.description,
            category=own.category,
            token_action=own.token_action,
            retryable=own.retryable,
            detail=detail,
        )
        topic = None if binding is None else binding.credential.topic
        self._recorder.decided(_address(recipient, binding, topic), outcome)

    # -- stopping -----------------------------------------------------------------------------

    def _stop(self, runner: Runner, stop: Stop) -> None:
        if runner.stopped is None:
            runner.stop(stop)
            self._watcher.stopping(stop, sum(lane.in_flight for lane in self._lanes.values()))

    def _signal(self, runner: Runner, number: int) -> None:
        self._stop_count += 1
        if self._stop_count > 1:
            runner.abort("stopped at once by a second signal")
            return
        kind = "interrupted" if number == signal.SIGINT else "terminated"
        name = signal.Signals(number).name
        self._stop(runner, Stop(kind, f"stopped by {name}"))  # type: ignore[arg-type]

    def _arm_deadline(self, runner: Runner) -> asyncio.TimerHandle | None:
        limit = self._order.max_duration_s
        if limit is None:
            return None
        stop = Stop("deadline", f"--max-duration of {limit:g} s is over", "resume the run")
        return asyncio.get_running_loop().call_later(limit, self._stop, runner, stop)


def _everyone(order: Order) -> Iterable[Recipient]:
    """Yield the recipients of the files and options, then one row for each FCM target."""
    last = 0
    for recipient in order.audience or ():
        last = recipient.row
        yield recipient
    for number, (_, value) in enumerate(order.targets, start=last + 1):
        yield Recipient(
            row=number,
            source="--fcm-" + order.targets[number - last - 1][0],
            token=value,
            service=Service.FCM,
            platform=None,
            profile=None,
            credential=None,
            environment=None,
            topic=None,
            registered_at=None,
            attributes={},
            verdict=None,
        )


def _require_consent(order: Order, found: Survey) -> None:
    for settings in found.needed.values():
        if settings.require_consent and order.audience is not None:
            order.audience.require_consent(settings.name)


def _address(recipient: Recipient, binding: Binding | None, topic: str | None) -> Address:
    environment: str | None = recipient.environment
    if binding is not None:
        own = binding.credential.environment
        environment = None if own is None else own.value
    target = "token"
    if recipient.source.startswith("--fcm-"):
        target = recipient.source.removeprefix("--fcm-")
    return Address(
        row=recipient.row,
        source=recipient.source,
        profile=recipient.profile,
        service=None if recipient.service is None else recipient.service.value,
        platform=None if recipient.platform is None else recipient.platform.value,
        credential=recipient.credential if binding is None else binding.credential.name,
        environment=environment,
        topic=recipient.topic if topic is None and binding is None else topic,
        token=recipient.token,
        target=target,
    )


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


def _manifest(
    order: Order,
    run: str,
    found: Survey,
    bindings: Mapping[str, Binding],
    bounce_log: Path,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "run": run,
        "pushctl": __version__,
        "started": time.time(),
        "campaign": order.campaign,
        "config": None if order.settings.path is None else str(order.settings.path),
        "options": list(order.words),
        "audience": None if order.audience is None else order.audience.description,
        "consent": None if order.audience is None else order.audience.consent,
        "inputs": found.inputs,
        "to_send": found.to_send,
        "credentials": {
            name: {
                "service": binding.service.value,
                "fingerprint": binding.credential.fingerprint,
                "recipients": found.sendable[name],
            }
            for name, binding in bindings.items()
        },
        "bounce_log": str(bounce_log.absolute()),
    }


def _take(rows: Iterator[Recipient], number: int) -> list[Recipient]:
    return list(itertools.islice(rows, number))


async def _first_of(work: Any, guard: asyncio.Task[None]) -> None:
    """Await *work*; if *guard* fails first, cancel it and raise what *guard* raised."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, guard}, return_when=asyncio.FIRST_COMPLETED)
    if guard.done() and not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        guard.result()
    await task


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
