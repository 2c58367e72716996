"""
Ten thousand bad days: whole runs against modelled gateways, networks, disks and power supplies.

Each seed is one run of 1 to 40 pushes over one or two credentials, sent by three processes on
average: the first ones have faults of the kinds that the seed chose and may be killed at any call
that leaves the process; the last ones have fair weather and must bring the run to its end.  After
each process, and at the end, its books are compared with what the other side did.

``PUSHCTL_TEST_SEEDS`` sets how many seeds there are (10,000 by default, from 0 on).  One seed is
played again, with its diary, by ``python -m simulation SEED 1`` in ``tests/``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SEEDS = int(os.environ.get("PUSHCTL_TEST_SEEDS", "10000"))
SHARES = 8
FIRED = (
    "refused", "reset before", "reset after", "silent before", "silent after", "cut before",
    "cut after", "goaway", "goaway now", "goaway twice", "fault", "late", "limit", "frozen",
    "stalled", "no connection", "try later", "too many", "token expired", "dead token", "kill -9",
    "power cut", "disk full", "fsync fails", "Ctrl-C", "Ctrl-C again", "clock jumps",
    "stop: deadline", "stop: threshold",
)  # fmt: skip
"""What must have happened often enough for the seeds to mean anything."""
TESTS = Path(__file__).parent.parent


def simulate(*arguments: object, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Play seeds in a process of their own: the simulation changes modules for good."""
    command = [sys.executable, "-W", "ignore", "-m", "simulation", *map(str, arguments)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, check=False
    )


def played(*arguments: object, hash_seed: str = "0") -> dict[str, Any]:
    """Return what the simulation tells of seeds that must not fail."""
    ran = simulate(*arguments, hash_seed=hash_seed)
    if ran.returncode:
        pytest.fail(f"{ran.stderr[-2000:]}\ndiary:\n{ran.stdout[-6000:]}", pytrace=False)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_no_schedule_doubles_or_loses_a_push(share: int) -> None:
    """Whatever happens when: processed once at most, and every row ends as it did."""
    count = SEEDS // SHARES

    told = played(share * count, count)

    events = told["events"]
    print(f"\n{count:,} seeds: " + ", ".join(f"{events[name]:,} {name}" for name in sorted(events)))
    if count >= 1000:
        assert [] == [name for name in FIRED if not events.get(name)]


def test_a_seed_tells_all() -> None:
    """The same seeds give the same diary to the last entry, whatever Python's hashes are."""
    assert played(0, 60, hash_seed="1") == played(0, 60, hash_seed="2")


PLANTED = {
    "resend_of_an_unknown": 0,
    "lost_late_answer": 0,
    "goaway_off_by_one": 0,
    "every_loss_is_a_refusal": 0,
    "skipped_fsync": 0,
    "no_note_before_sending": 0,
    "sends_what_it_cannot_note": 0,
    "careless_span": 800,
    "power_cut_is_a_kill": 0,
    "doubt_ends_with_the_next_boot": 1800,
}
"""The faults of :mod:`simulation.planted`, and from which seed on to look for each."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_caught(fault: str) -> None:
    """The simulation is worth something: it finds faults that were there or could have been."""
    ran = simulate(PLANTED[fault], 6000, fault)

    assert 1 == ran.returncode, ran.stderr
    # A resume may notice what a fault has done before the accounts do, and refuse to send.
    assert re.search(r"seed \d+ failed: .*(row|the journal has lost lines)", ran.stderr), ran.stderr
    print(f"\n{fault}: {ran.stderr.strip()}")
