"""
Bad days by the thousand: lane, recorder and journal against a played gateway, disk and clock.

Each seed is one run: random answers, lost connections, kills and power cuts, then resumes until
the run is finished.  The gateway knows what it processed; it is the oracle.  One seed is replayed
with ``PUSHCTL_TEST_SEED=N``; ``PUSHCTL_TEST_SEEDS`` sets how many there are.
"""

from __future__ import annotations

import heapq
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from job.kit import address
from pushctl.dispatch.lane import Lane, no_answer
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push, unknown
from pushctl.job import recorder as recorder_module
from pushctl.job.recorder import Past, Recorder, open_recorder_files
from pushctl.job.resume import Again, _Left
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service
from pushctl.records import journal as journal_module
from pushctl.records import replay as replay_module
from pushctl.records.journal import Journal
from pushctl.records.replay import Replay, replay_journal

SEEDS = int(os.environ.get("PUSHCTL_TEST_SEEDS", "400"))
ONE_SEED = os.environ.get("PUSHCTL_TEST_SEED")
WINDOW = 6
FIELDS = {"service": "apns", "credential": "shop", "environment": "production", "topic": "t"}
ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)


def rejected(status: int, reason: str, **more: Any) -> Outcome:
    """Return a rejection."""
    return Outcome(kind=Kind.REJECTED, status=status, reason=reason, **more)


ANSWERS = {
    "dead": rejected(410, "Unregistered", category=Category.TOKEN),
    "busy": rejected(503, "Busy", retryable=Retryable.WITH_BACKOFF, category=Category.SERVER),
    "expired": rejected(403, "ExpiredProviderToken", category=Category.CREDENTIALS),
}
CHANCES = {"yes": 60, "dead": 10, "busy": 10, "expired": 2, "refused": 10, "silent": 4, "cut": 4}


class Gateway:
    """What the other side did with each row, whatever we came to know of it."""

    def __init__(self, chance: random.Random) -> None:
        self.processed: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self._chance = chance

    def take(self, push: Push) -> str:
        """Process *push*, or not; return what will be said of it."""
        (fate,) = self._chance.choices(list(CHANCES), list(CHANCES.values()))
        if fate == "yes" or (fate in ("silent", "cut") and self._chance.random() < 0.5):
            self.processed[push.row] += 1
        return fate


class Process:
    """One process that sends what is left of a run, until it is done or dies."""

    def __init__(self, world: World, replay: Replay, again: Again) -> None:
        self.world = world
        self.chance = world.chance
        self.now = world.now
        journal, log = open_recorder_files(
            world.journal, world.folder / "bounces.jsonl", chain=replay.chain
        )
        journal.add_start("run", f"boot-{world.boot}")
        self.journal = journal
        self.recorder = Recorder(
            journal,
            log,
            run="run",
            campaign=None,
            stop_if=None,
            past=Past(dict.fromkeys(Kind, 0), 0, set(), {}),
            on_outcome=lambda service, outcome: None,
            wall_clock=lambda: 43_200.0,
            clock=lambda: self.now,
        )
        policy = Policy(
            canary=self.chance.choice((0, 5)),
            retry_for_s=self.chance.choice((0.0, 30.0)),
            on_unknown=again.on_unknown,
        )
        self.lane = Lane(
            "shop",
            Service.APNS,
            policy=policy,
            effects=self.recorder,
            pacer=Pacer(None),
            jitter=self.chance.random,
            least_wait_s=lambda outcome: 5.0,
        )
        self.recorder.address_of = lambda lane, push: address(push.row)
        self.recorder.lane_fields = {self.lane: FIELDS}
        uncertain = frozenset(replay.uncertain(f"boot-{world.boot}"))
        left = _Left(replay, uncertain, again)
        if again.on_unknown == "keep":
            for row in uncertain:
                self.recorder.decided(address(row), unknown("NoAnswer", "died"))
        rows = [row for row in range(1, world.rows + 1) if left(row)]
        self.windows = [rows[at : at + WINDOW] for at in range(0, len(rows), WINDOW)]
        self.opened: list[list[int]] = []
        self.in_flight: list[tuple[Push, str]] = []

    def go(self, steps: int) -> bool:
        """Work for at most *steps*; return whether all is done."""
        for _ in range(steps):
            if self.done:
                self.recorder.finish()
                self.world.synced()
                self.recorder.close()
                return True
            self.step()
        return False

    @property
    def done(self) -> bool:
        """Return whether every push has ended."""
        fed = not self.windows and not self.opened
        return self.lane.idle and (fed or self.lane.closed)

    def step(self) -> None:
        """Do one thing that may happen now."""
        doings: list[Callable[[], None]] = [self.flush]
        if self.windows and len(self.opened) < 2:
            doings.append(self.open)
        if self.opened and self.lane.queued < WINDOW:
            doings.append(self.feed)
        if self.in_flight:
            doings += [self.answer] * 3
        if self.lane.renewing:
            doings.append(self.lane.renewed)
        doings += [self.take] * 2
        self.chance.choice(doings)()

    def open(self) -> None:
        """Open the next window: it is on the disk before its first push."""
        window = self.windows.pop(0)
        self.journal.add_window(window)
        self.journal.flush()
        self.world.synced()
        self.opened.append(window)

    def feed(self) -> None:
        """Hand the pushes of an opened window to the lane."""
        pushes = [Push(row, row, b"/", (), None, b"{}") for row in self.opened.pop(0)]
        self.lane.offer(pushes, self.now)

    def flush(self) -> None:
        """Write what is collected, and perhaps force it to the disk."""
        self.recorder.flush()
        if self.chance.random() < 0.3:
            self.world.synced()
        self.now += self.chance.random()

    def take(self) -> None:
        """Send what may be sent; the gateway decides at once, we hear of it later."""
        pushes = self.lane.take(self.chance.randint(1, 8), self.now)
        self.in_flight += [(push, self.world.gateway.take(push)) for push in pushes]
        wake = self.lane.next_wake(self.now)
        if not pushes and not self.in_flight and wake is not None:
            self.now = wake

    def answer(self) -> None:
        """Hear of one push, or of all that were on a connection that was cut."""
        push, fate = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
        self.world.gateway.events[fate] += 1
        if fate == "cut":
            lost = [one for one, _ in self.in_flight]
            self.in_flight.clear()
            for one in (push, *lost):
                self.lane.unanswered(one, no_answer("the connection was cut"), self.now)
        elif fate == "yes":
            self.lane.answered_yes(push, ACCEPTED, self.now)
        elif fate == "refused":
            self.lane.unprocessed(push, "REFUSED_STREAM", self.now)
        elif fate == "silent":
            self.lane.unanswered(push, no_answer("silence"), self.now)
        else:
            self.lane.answered_no(push, ANSWERS[fate], self.now)


class World:
    """One run from its first process to its last."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.journal = folder / "journal.jsonl"
        self.rows = self.chance.randint(1, 60)
        self.gateway = Gateway(self.chance)
        self.boot = 0
        self.now = 1.0
        self.kills: Counter[str] = Counter()
        self._on_disk = 0

    def synced(self) -> None:
        """What is written survives a power cut from now on."""
        self._on_disk = self.journal.stat().st_size

    def die(self, process: Process) -> None:
        """End *process* with a kill or with a power cut."""
        os.close(process.journal._descriptor)
        os.close(process.recorder._bounce_log._descriptor)
        if self.chance.random() < 0.5:
            self.kills["kill -9"] += 1
            return
        self.kills["power cut"] += 1
        self.boot += 1
        size = self.journal.stat().st_size
        kept = self.chance.randint(self._on_disk, size)
        os.truncate(self.journal, kept)

    def replay(self) -> Replay:
        """Read the journal as a resume does, and cut off a torn line."""
        replay = replay_journal(self.journal) if self.journal.exists() else Replay()
        if replay.torn:
            os.truncate(self.journal, replay.size)
        return replay

    def run(self) -> None:
        """Send all of it, dying now and then; check the books at the end."""
        deaths = self.chance.randint(0, 4)
        while True:
            process = Process(self, self.replay(), Again())
            limit = self.chance.randint(1, 150) if deaths else 100_000
            if process.go(limit):
                left = self.chance.random() < 0.3 and Again(retry_failed=True)
                if left:
                    assert Process(self, self.replay(), left).go(100_000)
                if not self.unfinished():
                    break
                continue
            assert deaths, "the run got stuck"
            deaths -= 1
            self.now = process.now
            self.die(process)
        self.audit()

    def unfinished(self) -> bool:
        """Return whether a resume would send something."""
        left = _Left(self.replay(), frozenset(), Again())
        return any(left(row) for row in range(1, self.rows + 1))

    def audit(self) -> None:
        """Compare the journal with what the gateway did."""
        replay = self.replay()
        assert [] == replay.uncertain(f"boot-{self.boot}")
        for row in range(1, self.rows + 1):
            processed = self.gateway.processed[row]
            assert processed <= 1, f"row {row} was processed twice"
            match replay.kind(row):
                case Kind.ACCEPTED:
                    assert processed == 1, f"row {row} was not processed"
                case Kind.UNKNOWN:
                    pass
                case Kind.REJECTED:
                    assert processed == 0, f"row {row} was processed and is rejected"
                case kind:
                    raise AssertionError(f"row {row} is {kind}")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is played: forcing to it takes no time, and nothing is kept in reserve."""
    monkeypatch.setattr(journal_module, "_fdatasync", lambda descriptor: None)
    monkeypatch.setattr(journal_module, "_RESERVE_BYTES", 0)
    monkeypatch.setattr(recorder_module, "_COUNTS_S", 1e9)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def run_seed(folder: Path, seed: int) -> World:
    """Play the run of *seed*."""
    folder.mkdir()
    world = World(folder, seed)
    try:
        world.run()
    except AssertionError as error:
        raise AssertionError(f"PUSHCTL_TEST_SEED={seed}: {error}") from error
    return world


def run_seeds(folder: Path, seeds: Iterable[int]) -> Counter[str]:
    """Play the runs of *seeds*; return how often each thing happened."""
    events: Counter[str] = Counter()
    for seed in seeds:
        world = run_seed(folder / str(seed), seed)
        events.update(world.gateway.events)
        events.update(world.kills)
    return events


def test_no_schedule_doubles_or_loses_a_push(tmp_path: Path) -> None:
    """Whatever happens when: processed once at most, and every row ends as it did."""
    seeds = [int(ONE_SEED)] if ONE_SEED else range(SEEDS)
    events = run_seeds(tmp_path, seeds)
    print(
        f"\n{len(seeds)} seeds: " + ", ".join(f"{n:,} {name}" for name, n in sorted(events.items()))
    )
    assert ONE_SEED or all(events[name] >= 100 for name in (*CHANCES, "kill -9", "power cut"))


def _forgets_what_is_sent(self: Journal, rows: Sequence[int]) -> None:
    """Planted: nothing is noted before pushes leave."""


def _careless_span(rows: Sequence[int]) -> dict[str, Any]:
    """Planted: rows are taken to be in order."""
    low, high = rows[0], rows[-1]
    return {"lo": low, "hi": high} if high - low + 1 == len(rows) else {"rows": list(rows)}


def _believes_the_last_note(self: Replay, boot: str | None) -> list[int]:
    """Planted: after a power cut only what was noted as sent is doubtful."""
    return [row for row, code in enumerate(self.states) if code == replay_module.SENT]


def _resends(self: Lane, push: Push, outcome: Outcome, now: float) -> None:
    """Planted: what was never answered goes out again."""
    self.in_flight -= 1
    self._again(push, outcome, now)
    heapq.heappush(self._waiting, (now, -push.row - push.attempts * 1000, push))


@pytest.mark.parametrize(
    ("where", "name", "fault"),
    [
        (Journal, "add_sent", _forgets_what_is_sent),
        (journal_module, "_span", _careless_span),
        (Replay, "uncertain", _believes_the_last_note),
        (Lane, "unanswered", _resends),
    ],
    ids=["no-note-before-sending", "careless-span", "power-cut", "resends-unknown"],
)
def test_planted_faults_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Any
) -> None:
    """The simulation is worth something: it finds faults that were there or could have been."""
    monkeypatch.setattr(where, name, fault)

    with pytest.raises(AssertionError, match="PUSHCTL_TEST_SEED="):
        run_seeds(tmp_path, range(400))
