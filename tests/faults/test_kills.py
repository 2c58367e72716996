"""
``kill -9`` at random moments, then resume and kill again until the run is finished.

The gateway is a process of its own: it counts what it accepts before it answers, answers late, and
does the killing, so that it knows how many pushes were in flight.  Each run begins as a process
from scratch; those that resume it are forked from one that has the modules.

``PUSHCTL_TEST_KILLS`` sets how many kills there are in all (200 by default), ``PUSHCTL_TEST_SEED``
the seed of the moments.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.field import Field, ended, on_field
from faults.nursery import Child, Nursery

KILLS = int(os.environ.get("PUSHCTL_TEST_KILLS", "200"))
SEED = int(os.environ.get("PUSHCTL_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
TOKENS = 6_000
STREAMS = 250
CONNECTIONS = 2
MANY = 100
SHARES = 4
"""The kills are shared out, so that several processors have something to do."""


@dataclasses.dataclass(slots=True)
class Tally:
    """What happened."""

    runs: int = 0
    kills: int = 0
    busy: int = 0
    """Kills with many streams in flight, as the gateway counted them."""
    pushes: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.runs} runs, {self.busy} of them with {MANY} streams or"
            f" more in flight; {self.pushes:,} pushes, {self.duplicates} accepted twice,"
            f" {self.lost} lost, {self.unknown:,} unknown"
        )


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """A process that starts others."""
    with Nursery() as nursery:
        yield nursery


def killed_until_finished(
    field: Field,
    nursery: Nursery,
    chance: random.Random,
    kills: int,
    tally: Tally,
    again: tuple[str, ...] = (),
) -> set[int]:
    """Send, kill, resume, kill; at last let it finish.  Return the rows that were ever in doubt."""
    process: subprocess.Popen[str] | Child
    process = field.start("--connections", str(CONNECTIONS), *again)
    doubtful: set[int] = set()
    for _ in range(kills):
        early = tally.kills % 50 == 9  # while it connects, or at the first pushes
        after = chance.randint(0, 60) if early else chance.randint(MANY + 10, 320)
        with process:
            in_flight = field.gateway.signals(
                process, signal.SIGKILL, after, chance.random() * 0.02
            )
            process.kill()
            process.communicate()
        if in_flight is None:
            break
        tally.kills += 1
        tally.busy += in_flight >= MANY
        now = field.in_doubt()
        # What was in flight, and the batch that was being written.
        assert len(now - doubtful if again else now) <= CONNECTIONS * STREAMS + STREAMS
        doubtful |= now
        process = field.start_resume(nursery, *again)
    output, talk = ended(process)
    assert process.returncode in (0, 1, 7), (talk, output)
    return doubtful


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_kills_double_no_push_and_lose_none(tmp_path: Path, nursery: Nursery, share: int) -> None:
    """Whenever it is killed: nothing is accepted twice, nothing lost, the uncertain is listed."""
    chance = random.Random(SEED + share)
    tally = Tally()
    while tally.kills < KILLS // SHARES:
        with on_field(tmp_path / str(tally.runs), TOKENS, streams=STREAMS) as field:
            left = KILLS // SHARES - tally.kills
            doubtful = killed_until_finished(field, nursery, chance, left, tally)
            audit = field.audit()
        tally.runs += 1
        tally.pushes += audit.pushes
        tally.duplicates += len(audit.duplicates)
        tally.lost += len(audit.lost)
        tally.unknown += len(audit.unknown)
        assert [] == audit.duplicates
        assert [] == audit.lost
        assert doubtful == set(audit.unknown)
        assert TOKENS == field.totals().total()
    print(f"\nseed {SEED}: {tally}")
    assert tally.busy >= 0.9 * tally.kills or tally.kills < 20


@pytest.mark.timeout(300)
def test_kills_with_resending_lose_none_and_double_only_what_was_unknown(
    tmp_path: Path, nursery: Nursery
) -> None:
    """With --on-unknown resend all is accepted; what came twice was in doubt, and has its id."""
    chance = random.Random(SEED)
    tally = Tally()
    with on_field(tmp_path / "run", TOKENS, streams=STREAMS) as field:
        resend = ("--on-unknown", "resend")
        doubtful = killed_until_finished(field, nursery, chance, max(KILLS // 20, 3), tally, resend)
        audit = field.audit()
        books = field.gateway.books()
    in_doubt = {field.tokens[row - 1] for row in doubtful}
    assert [] == audit.lost == audit.unknown
    assert set(audit.duplicates) <= in_doubt
    assert all(len(set(ids)) == 1 for ids in books["accepted"].values())
    tally.runs, tally.pushes, tally.duplicates = 1, audit.pushes, len(audit.duplicates)
    print(f"\nseed {SEED}: resending: {tally}")
    assert tally.duplicates >= 1
