"""
One process that sends what is left of a run: all of the real code between a row and its outcome.

Real are windows, lanes, runner, links, connections, the readers of answers, recorder, journal,
bounce log and resume.  Modelled are disk, network, gateway, threads, signals and time.  Waits are
shortened to a twentieth or so; nothing compares them with real ones.

Import this only in a process of its own: it changes modules for good.
"""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from pushctl.config.settings import Origin
from pushctl.credentials import Authorization
from pushctl.dispatch import runner as runner_module
from pushctl.dispatch.policy import Policy
from pushctl.errors import Unreachable
from pushctl.job import recorder as recorder_module
from pushctl.job import running as running_module
from pushctl.job.ending import Ending
from pushctl.job.recorder import Recorder
from pushctl.job.resume import Again, _Left, _Recorded, _Resuming
from pushctl.job.running import Delivery, Running
from pushctl.message.content import ApnsContent, FcmContent
from pushctl.outcome import Environment, Service
from pushctl.records import bounce_log as bounce_log_module
from pushctl.records import journal as journal_module
from pushctl.records.folder import MANIFEST, RunFolder, sealed
from pushctl.records.journal import Journal
from pushctl.records.replay import replay_of
from pushctl.wire import link as link_module
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.link import Link, Liveness
from simulation.clock import EPOCH, Clock, Loop
from simulation.disk import RESERVE_BYTES, System
from simulation.gateway import Book, Weather
from simulation.network import Cable

RUN = "run-1"
WINDOW = 6
FLUSHED_S = 0.15
"""An answer that was heard so long ago has been written."""
SYNCED_S = 0.6
"""An answer that was heard so long ago has been forced to the disk."""
REQUEST_TIMEOUT_S = 0.6
_DRAIN_S = 0.8
_THREAD_S = 0.03

Row = tuple[Any, ...]

runner_module._BACKOFF_S = 0.05
runner_module._BACKOFF_LIMIT_S = 0.5
runner_module._DRAIN_S = _DRAIN_S
runner_module._GOODBYE_S = 0.3
runner_module._GROW_AFTER_S = 0.02
running_module._TICK_S = 1.0
running_module._least_wait_s = lambda service, outcome: 0.1
recorder_module.SLOWEST_MS = 100
recorder_module._COUNTS_S = 0.5
journal_module._RESERVE_BYTES = RESERVE_BYTES
Link.open.__func__.__kwdefaults__ |= {
    "liveness": Liveness(busy_s=0.4, idle_s=60.0, answer_s=0.2),
    "connect_timeout_s": 0.3,
}


class Credential:
    """A credential whose tokens are numbers."""

    def __init__(self, name: str, service: Service, clock: Clock) -> None:
        self.name = name
        self.service = service
        self.environment = None
        if service is Service.APNS:
            sandbox = name == "sandbox"
            self.environment = Environment.SANDBOX if sandbox else Environment.PRODUCTION
        self.topic = "com.example.shop" if service is Service.APNS else None
        self.project_id = "shop" if service is Service.FCM else None
        self.origin = Origin(name)
        self.unreachable = 0
        """So many times the token endpoint will not answer."""
        self._clock = clock
        self._number = 0
        self._current: Authorization | None = None

    def ssl_context(self) -> None:
        """TLS is modelled."""

    def authorization(self, now: float) -> Authorization:
        """Return the token, a new one after 20 s."""
        if self._current is None or now >= self._current.retire_at:
            self._current = self._new(now)
        return self._current

    def renew(self, now: float, refused: Authorization) -> Authorization:
        """Return another token than *refused*."""
        if self.authorization(now) is refused:
            self._current = self._new(now)
        assert self._current is not None
        return self._current

    def _new(self, now: float) -> Authorization:
        if self.unreachable:
            self.unreachable -= 1
            raise Unreachable("the token endpoint does not answer")
        self._number += 1
        header = b"bearer %d" % self._number
        return Authorization(
            header=header, issued_at=now, retire_at=now + 20.0, expires_at=now + 25.0
        )


class _Message:
    """What every push of a service carries; it may be larger than a small window."""

    def __init__(self, service: Service, size: int) -> None:
        filling = b"x" * size
        if service is Service.APNS:
            fields = ((b"apns-push-type", b"alert"),)
            body = b'{"aps":{"alert":"' + filling + b'"}}'
            self._content: ApnsContent | FcmContent = ApnsContent("alert", "", fields, body)
        else:
            body = b'{"data":{"x":"' + filling + b'"}}'
            self._content = FcmContent(body, ())

    def render(self, attributes: object, *, now: float) -> ApnsContent | FcmContent:
        """Return the content, the same for all."""
        return self._content


class Plan:
    """What is to happen in the life of a process, beside what the gateway does."""

    def __init__(self, chance: Random, *, stormy: bool) -> None:
        self.connect_faults = chance.choice((0.0, 0.0, 0.3)) if stormy else 0.0
        self.stalls = chance.choice((0.0, 0.0, 0.2)) if stormy else 0.0
        self.signals: list[float] = []
        if stormy and chance.random() < 0.15:
            self.signals = sorted(chance.random() for _ in range(chance.randint(1, 2)))
        self.jump = (0.0, 0.0)
        if stormy and chance.random() < 0.1:
            self.jump = (chance.random() * 0.5, chance.choice((-7200.0, -5.0, 18.0, 40.0, 7200.0)))
        self.unreachable = chance.choice((0, 0, 0, 1)) if stormy else 0
        self.delivery = Delivery(
            policy=Policy(
                canary=chance.choice((0, 5, 50)),
                retry_for_s=chance.choice((0.0, 0.3, 2.0)) if stormy else 2.0,
            ),
            connections=chance.choice((1, 2, 3)),
            concurrency=chance.choice((None, None, 1, 4)),
            rate=chance.choice((None, None, None, 60.0)),
            timeout_s=REQUEST_TIMEOUT_S,
            max_duration_s=chance.random() if stormy and chance.random() < 0.07 else None,
        )
        self.stop_if = chance.choice((None, None, "unknown>3", "faulty>5")) if stormy else None


class Process:
    """The life of one process.  Make it, then :meth:`live` once."""

    patience_s = REQUEST_TIMEOUT_S

    def __init__(
        self,
        rows: Sequence[Row],
        clock: Clock,
        system: System,
        book: Book,
        weather: Weather,
        plan: Plan,
        chance: Random,
        *,
        boot: str,
        again: Again,
    ) -> None:
        self._rows = rows
        self._clock = clock
        self._system = system
        self._book = book
        self._weather = weather
        self._plan = plan
        self._chance = chance
        self._boot = boot
        self.again = again
        self.cables: list[Cable] = []
        self.written: dict[int, float] = {}
        """When each row's push was last handed to the network."""
        self.touched: dict[int, float] = {}
        """When something was last heard or said of each row."""
        self.answers: dict[int, tuple[str, float]] = {}
        """The last answer about each row that arrived whole, and when."""
        self.excused: set[int] = set()
        self.loop = Loop(
            clock,
            thread=lambda: (chance.random() * _THREAD_S, chance.random() * _THREAD_S),
            tls=self._tls,
            limit_s=200.0,
        )
        self._stand_in()

    # -- the life -----------------------------------------------------------------------------

    def live(self) -> Ending | None:
        """Send; return how it ended, or ``None`` if the process died."""
        try:
            return self.loop.run_until_complete(self._send())
        except Exception as error:
            raise AssertionError(f"{error}: {self.loop.failed}") from error
        finally:
            if not self._system.alive:
                for cable in self.cables:
                    cable.lose_client()
            self._system.alive = False
            self.loop.abandon()

    async def _send(self) -> Ending:
        resuming = self._resuming()
        doubtful = resuming._doubtful()
        uncertain = frozenset(row[0] for row in doubtful)
        left = _Left(resuming._past.replay, uncertain, self.again)
        recorder = resuming._recorder(left, uncertain)
        lanes = sorted({row[6] for row in self._rows})
        credentials = {name: self._credential(name) for name in lanes}
        size = self._chance.choice((5, 200))
        bindings = {
            name: types.SimpleNamespace(
                service=credential.service,
                credential=credential,
                origin=credential.origin,
                message=_Message(credential.service, size),
                proxy=None,
                to_channel=False,
            )
            for name, credential in credentials.items()
        }
        running = Running(
            RUN,
            resuming._delivery,
            recorder,
            bindings,  # type: ignore[arg-type]
            types.SimpleNamespace(choose=_by_name),  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            sendable=dict.fromkeys(lanes, len(self._rows)),
            inputs=len(self._rows),
        )
        if self.again.on_unknown == "keep":
            for row in doubtful:
                resuming._close(running, recorder, row)
        self._arrange()
        try:
            return await running.go(resuming._rows(left))
        finally:
            recorder.close()

    def _resuming(self) -> Any:
        """Return the real resume, with the folder of the run played."""
        disk = self._system.disk
        inputs = max((row[0] for row in self._rows), default=0)
        recorded = _Recorded(inputs)
        replay = replay_of(RunFolder(RUN, disk.folder), tell=recorded.note)
        if replay.torn:
            os.truncate(disk.journal, replay.size)
        names = ("service", "credential", "environment", "topic")
        rows = {row[6]: row for row in self._rows}
        credentials = {
            name: dict(zip(names, (row[3], name, row[7], row[8]), strict=True))
            for name, row in rows.items()
        }
        manifest = {
            "started": EPOCH,
            "inputs": inputs,
            "campaign": None,
            "stop_if": self._plan.stop_if or "never",
            "credentials": credentials,
        }
        (disk.folder / MANIFEST).write_bytes(sealed(manifest))
        resuming = object.__new__(_Resuming)
        resuming._past = types.SimpleNamespace(
            replay=replay,
            recorded=recorded,
            bounce_log=disk.log,
            folder=RunFolder(RUN, disk.folder),
            manifest=manifest,
        )
        resuming._again = self.again
        resuming._sender = self
        resuming._boot = self._boot
        resuming._delivery = self._delivery()
        resuming._windows = self._windows
        return resuming

    def _delivery(self) -> Delivery:
        delivery = self._plan.delivery
        policy = dataclasses.replace(delivery.policy, on_unknown=self.again.on_unknown)
        return dataclasses.replace(delivery, policy=policy)

    def _windows(self, first: int) -> Iterator[Sequence[Row]]:
        rows = [row for row in self._rows if row[0] >= first]
        for at in range(0, len(rows), WINDOW):
            yield rows[at : at + WINDOW]

    def _credential(self, name: str) -> Credential:
        service = Service.FCM if name == "android" else Service.APNS
        credential = Credential(name, service, self._clock)
        credential.unreachable = self._plan.unreachable
        return credential

    def _arrange(self) -> None:
        """Set the alarms for what comes from outside."""
        for number, delay in enumerate(self._plan.signals):
            self.loop.call_later(delay, self._signal, number)
        after, jump = self._plan.jump
        if jump:
            self.loop.call_later(after, self._jump, jump)

    def _signal(self, number: int) -> None:
        handler = self.loop.signals.get(2)
        if handler is not None:
            self.note("Ctrl-C" if number == 0 else "Ctrl-C again")
            if number:
                self._excuse_open("Ctrl-C again")
            handler()

    def _jump(self, seconds: float) -> None:
        self.note("clock jumps")
        self._clock.jumped += seconds

    def _excuse_open(self, why: str) -> None:
        for cable in self.cables:
            cable.excuse_all(why)

    # -- the network --------------------------------------------------------------------------

    async def _resolve(self, host: str, port: int) -> list[Any]:
        return [host]

    async def _connect(self, where: str, hint: str, addresses: Sequence[str]) -> Any:
        self._system.step()
        if self._chance.random() < self._plan.connect_faults:
            self.note("no connection")
            raise ConnectFailed(self._chance.choice(("dns", "connect", "tls")), f"{where}: no", "")
        return types.SimpleNamespace(name=addresses[0], abort=lambda: None)

    def _tls(self, tunnel: Any, protocol: Any) -> Cable:
        cable = Cable(
            self.loop,
            self._system,
            self,
            self._chance,
            protocol,
            number=len(self.cables),
            is_fcm=tunnel.name == "android",
        )
        cable.plug_in(self._book, self._weather)
        self.cables.append(cable)
        if self._chance.random() < self._plan.stalls:
            chance = self._chance
            self.loop.call_later(chance.random() * 0.3, cable.stall, chance.random() * 0.8)
        return cable

    # -- as witness ---------------------------------------------------------------------------

    def wrote(self, row: int) -> None:
        """The row's push was handed to the network."""
        self.written[row] = self.touched[row] = self._clock.now

    def heard(self, row: int, fate: str) -> None:
        """Its answer reached this process, whole."""
        self.answers[row] = fate, self._clock.now
        self.touched[row] = self._clock.now

    def excuse(self, row: int, why: str) -> None:
        """From now on nobody can tell what became of it."""
        self.excused.add(row)
        self.tell("excused", row, why)
        self.touched[row] = self._clock.now

    def note(self, event: str) -> None:
        """A fault fired."""
        self._book.events[event] += 1
        self.tell(event)

    def tell(self, *what: object) -> None:
        """Put something into the diary."""
        self._book.diary.append((round(self._clock.now, 4), *what))

    # -- as watcher of the run ----------------------------------------------------------------

    on_record = None
    trace = None

    def outcome(self, service: str | None, outcome: object) -> None:
        """Nobody looks."""

    def connecting(self, lane: object, problem: object, retry_in_s: float | None) -> None:
        """Nobody looks."""

    def tick(self, snapshot: object) -> None:
        """Nobody looks."""

    def stopping(self, stop: Any, in_flight: int) -> None:
        """What is not answered by the end of the draining is unknown."""
        self.note(f"stop: {stop.kind}")
        self.loop.call_later(_DRAIN_S - 0.001, self._excuse_open, "stop")

    # -- modules ------------------------------------------------------------------------------

    def _stand_in(self) -> None:
        """Put this world in the place of the real one."""
        system, clock = self._system, self._clock
        journal_module.os = system.os  # type: ignore[attr-defined]
        journal_module._fdatasync = system.os.fdatasync
        bounce_log_module.os = system.os  # type: ignore[attr-defined]
        running_module.time = clock  # type: ignore[assignment]
        running_module.random = types.SimpleNamespace(  # type: ignore[assignment]
            SystemRandom=lambda: self._chance
        )
        link_module.resolve = self._resolve  # type: ignore[assignment]
        link_module.connect = self._connect  # type: ignore[assignment]
        clocks = {"wall_clock": clock.time, "clock": clock.monotonic}
        runner_module.Runner.__init__.__kwdefaults__ |= clocks
        Recorder.__init__.__kwdefaults__ |= clocks
        Journal.__init__.__kwdefaults__ |= {"wall_clock": clock.time}


def _by_name(wish: Any) -> types.SimpleNamespace:
    return types.SimpleNamespace(name=wish.credential)
