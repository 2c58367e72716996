"""
A world: one run from its first process to its last, and the audit of what came of it.

Everything follows from the seed.  At first the weather is stormy: faults of the kinds that the
seed chose, and deaths.  Then it is calm, and the run must come to its end.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from pushctl.job.ending import Ending
from pushctl.job.resume import Again, _Left
from pushctl.outcome import Kind
from pushctl.records.bounce_log import logged_run
from pushctl.records.replay import Replay, journal_records, replay_journal
from simulation.clock import Clock, Died
from simulation.disk import Disk, System
from simulation.gateway import FINAL, MISDEEDS, REJECTIONS, YES, Book, Weather
from simulation.process import FLUSHED_S, RUN, SYNCED_S, Plan, Process, Row

_LANES = ("production", "sandbox", "android")


class World:
    """One run."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = Random(seed)
        self.clock = Clock()
        self.disk = Disk(folder)
        self.book = Book()
        self.excused: set[int] = set()
        """Rows of which nobody can tell any more."""
        self.resends = self.chance.random() < 0.1
        self.rows = self._list()
        self.boot = 0
        self.processes = 0

    def run(self) -> None:
        """Send all of it, whatever happens; check the books after each process."""
        storms = self.chance.randint(1, 4)
        while True:
            stormy = self.processes < storms
            assert self.processes < storms + 12, "the run does not come to an end"
            self.processes += 1
            self._process(stormy=stormy)
            if not stormy and not self._left():
                break
        self._audit()

    # -- what there is ------------------------------------------------------------------------

    def _list(self) -> list[Row]:
        lanes = self.chance.sample(_LANES, self.chance.choice((1, 1, 2)))
        number = self.chance.choice((1, 3, 8, 20, 40))
        return [self._row(row, self.chance.choice(lanes)) for row in range(1, number + 1)]

    def _row(self, row: int, lane: str) -> Row:
        service, platform = ("fcm", "android") if lane == "android" else ("apns", "ios")
        environment = None if lane == "android" else lane
        topic = None if lane == "android" else "com.example.shop"
        verdict = (None, None, None)
        if self.chance.random() < 0.05:
            verdict = ("skipped", "NoConsent", None)
        where = (row, f"list.txt:{row}", f"{row:064x}", service, platform, None)
        return (*where, lane, environment, topic, None, None, *verdict)

    def _weather(self, *, stormy: bool) -> Weather:
        chance = self.chance
        if not stormy:
            return Weather({}, {})
        kinds = chance.sample(sorted(REJECTIONS), chance.randint(0, 3))
        misdeeds = chance.sample(MISDEEDS, chance.choice((0, 1, 1, 2, 3, 4)))
        return Weather(
            rejections={kind: chance.choice((3, 10, 25)) for kind in kinds},
            misdeeds={misdeed: chance.choice((5, 10, 20)) for misdeed in misdeeds},
            limits=chance.choice(((100,), (100,), (1,), (2, 5), (0, 100))),
            window=chance.choice((None, None, None, 120)),
            slowest_s=chance.choice((0.0, 0.05, 0.15)),
        )

    # -- what happens -------------------------------------------------------------------------

    def _process(self, *, stormy: bool) -> None:
        chance = self.chance
        again = Again(
            retry_failed=chance.random() < 0.2,
            on_unknown="resend" if self.resends and chance.random() < 0.5 else "keep",
        )
        fault = chance.choice(("", "death", "death", "space", "sync")) if stormy else ""
        system = System(
            self.disk,
            chance,
            self._note,
            dies_at=chance.randint(1, chance.choice((4, 10, 40, 150)))
            if fault == "death"
            else None,
            space=chance.randint(700, 9000) if fault == "space" else None,
            bad_sync_at=chance.randint(1, 12) if fault == "sync" else None,
        )
        process = Process(
            self.rows,
            self.clock,
            system,
            self.book,
            self._weather(stormy=stormy),
            Plan(chance, stormy=stormy),
            chance,
            boot=f"boot-{self.boot}",
            again=again,
        )
        self.clock.now += 1.0
        self._tell("a process begins", fault, again)
        try:
            ending = process.live()
        except Died:
            self._died(process)
            return
        except Exception as error:
            if not (system.failed and "could not write" in str(error)):
                raise
            ending = None  # a disk too full to begin with
        self._check_books(process, ending, failed=system.failed)

    def _died(self, process: Process) -> None:
        """Decide whether the machine died too, and check what the process leaves behind."""
        power = self.chance.random() < 0.5
        self._note("power cut" if power else "kill -9")
        now = self.clock.now
        if power:
            self.boot += 1
            self.disk.lose_power(self.chance)
        replay = self._replay()
        uncertain = replay.uncertain(f"boot-{self.boot}")
        if power:
            self.excused.update(uncertain)
        else:
            fresh = {row for row, at in process.touched.items() if now - at <= FLUSHED_S}
            in_flight = {row for cable in process.cables for row in cable.open.values()}
            noted = set(self._last_sent())
            allowed = fresh | in_flight | noted | process.excused | self.excused
            assert allowed.issuperset(uncertain), f"{sorted(set(uncertain) - allowed)} in doubt"
            self.excused.update(uncertain)
        self.excused |= process.excused
        if not self._storage_failed(process):
            self._check_heard(process, replay, before=now - (SYNCED_S if power else FLUSHED_S))

    @staticmethod
    def _storage_failed(process: Process) -> bool:
        return process._system.failed

    def _check_books(self, process: Process, ending: Ending | None, *, failed: bool) -> None:
        """Check what a process that came to its end wrote down."""
        replay = self._replay()
        self.excused |= process.excused
        if failed:
            self.excused.update(process.written, replay.uncertain(f"boot-{self.boot}"))
        else:
            self._check_heard(process, replay, before=self.clock.now)
        for row in range(1, len(self.rows) + 1):
            if replay.kind(row) is Kind.UNKNOWN:
                assert row in self.excused, f"row {row} is unknown without a reason"
        if ending is None or failed:
            return
        assert sum(ending.totals.values()) == len(self.rows)
        noted = replay.totals()
        # What is in doubt, was to be sent again and was not reached, is unknown still.
        noted[Kind.UNKNOWN] += sum(
            replay.kind(row) is None for row in replay.uncertain(f"boot-{self.boot}")
        )
        noted[Kind.NOT_SENT] += len(self.rows) - sum(noted.values())
        assert ending.totals == noted, f"{ending.totals} is said, {noted} is noted"
        logged = logged_run(self.disk.log, RUN, len(self.rows))
        counted: Counter[Kind] = Counter()
        for (_, kind), number in logged.counts.items():
            counted[kind] += number
        assert {kind: counted[kind] for kind in Kind} == ending.totals, "the log's counts are off"

    def _check_heard(self, process: Process, replay: Replay, *, before: float) -> None:
        """An answer that arrived is never lost."""
        for row, (fate, at) in process.answers.items():
            if at > before:
                continue
            if fate == YES:
                assert replay.kind(row) is Kind.ACCEPTED, f"the answer to row {row} was lost"
            elif fate in FINAL:
                assert replay.kind(row) is Kind.REJECTED, f"the answer to row {row} was lost"

    # -- the end ------------------------------------------------------------------------------

    def _audit(self) -> None:
        """Compare the journal with what the gateway did."""
        replay = self._replay()
        assert [] == replay.uncertain(f"boot-{self.boot}")
        records: dict[int, Any] = {}
        for record in journal_records(self.disk.journal):
            records[record["row"]] = record
        for row in range(1, len(self.rows) + 1):
            processed = self.book.processed[row]
            kind = replay.kind(row)
            if not self.resends:
                assert processed <= 1, f"row {row} was accepted {processed} times"
            if self.rows[row - 1][11] is not None:
                assert (Kind.SKIPPED, 0) == (kind, self.book.arrived[row])
            elif kind is Kind.ACCEPTED:
                assert processed, f"row {row} is accepted and was not"
            elif kind is Kind.UNKNOWN:
                assert row in self.excused, f"row {row} is unknown without a reason"
            elif kind is Kind.REJECTED:
                assert self.resends or not processed, f"row {row} is rejected and was accepted"
                assert records[row]["outcome"] == "rejected"
            else:
                raise AssertionError(f"row {row} is {kind}")

    # -- helpers ------------------------------------------------------------------------------

    def _note(self, event: str) -> None:
        self.book.events[event] += 1
        self._tell(event)

    def _tell(self, *what: object) -> None:
        self.book.diary.append((round(self.clock.now, 4), *what))

    def _last_sent(self) -> list[int]:
        """Return the rows that were noted as sent last."""
        for raw in reversed(self.disk.journal.read_bytes().splitlines()):
            if raw.startswith(b'{"t":"sent"') and raw.endswith(b"}"):
                line = json.loads(raw)
                return line.get("rows") or list(range(line["lo"], line["hi"] + 1))
        return []

    def _replay(self) -> Replay:
        journal = self.disk.journal
        return replay_journal(journal) if journal.exists() else Replay()

    def _left(self) -> bool:
        """Return whether a resume would send something."""
        replay = self._replay()
        left = _Left(replay, frozenset(replay.uncertain(f"boot-{self.boot}")), Again())
        return any(left(row) for row in range(1, len(self.rows) + 1))
