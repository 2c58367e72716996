"""
``kill -9`` at random moments, then resume until the run is finished, killed again sometimes.

``PUSHCTL_TEST_KILLS`` sets how many kills there are in all (30 by default), ``PUSHCTL_TEST_SEED``
the seed of the moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
from pathlib import Path

import pytest

from job.stage import Sent, Stage, ios, staged
from pushctl.records.journal import boot_id
from pushctl.records.replay import SENT, replay_journal
from pushctl.simulator import Received, Rule, Script, serve_in_thread

KILLS = int(os.environ.get("PUSHCTL_TEST_KILLS", "30"))
SEED = int(os.environ.get("PUSHCTL_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
TOKENS = 8_000
STREAMS = 300
SCRIPT = Script(
    rules=(Rule(pattern="de*", answer="Unregistered"),), delay_s=0.02, max_streams=STREAMS
)
"""Answers take 20 ms, so that there are hundreds of requests in flight at any moment."""


class Gateway:
    """Counts pushes as they arrive, and tells when there were enough."""

    def __init__(self) -> None:
        self.pushes = 0
        self._wanted = 0
        self._reached = threading.Event()

    def __call__(self, push: Received) -> None:
        """Note a push (on the simulator's thread)."""
        self.pushes += 1
        if self.pushes >= self._wanted:
            self._reached.set()

    def wait_for(self, more: int, process: subprocess.Popen[str]) -> bool:
        """Return whether *more* pushes arrived before *process* ended."""
        self._reached.clear()
        self._wanted = self.pushes + more
        while not self._reached.wait(0.02):
            if process.poll() is not None:
                return False
        return True


@pytest.mark.timeout(900)
def test_kills_cost_no_push_and_double_none(tmp_path: Path) -> None:
    """
    After any number of kills: nothing is sent twice, nothing is lost, the books are right.

    What is unknown was in flight when a process was killed, and not more.
    """
    chance = random.Random(SEED)
    kills = busy = unknown = rounds = 0
    while kills < KILLS:
        rounds += 1
        folder = tmp_path / str(rounds)
        folder.mkdir()
        gateway = Gateway()
        with serve_in_thread(script=SCRIPT, on_push=gateway) as simulator:
            tokens = [ios(row, "de" if row % 10 == 0 else "aa") for row in range(1, TOKENS + 1)]
            stage = staged(folder, simulator, tokens)
            doubtful = 0
            process = stage.start()
            for _ in range(chance.randint(5, 12)):
                with process:
                    killed = gateway.wait_for(chance.randint(1, 1500), process)
                    process.kill()
                    process.communicate()
                if not killed:
                    break
                kills += 1
                in_flight = len(in_doubt(stage))
                assert in_flight <= 8 * STREAMS
                busy += in_flight >= 100
                doubtful += in_flight
                process = stage.start_resume()
            with process:
                process.communicate(timeout=60)
            sent = stage.resume()
            finished(stage, sent, doubtful)
            unknown += sent.totals["unknown"]
    print(
        f"\nseed {SEED}: {kills} kills in {rounds} runs of {TOKENS:,} tokens, {busy} of them with"
        f" 100 streams or more in flight; {unknown:,} of {rounds * TOKENS:,} unknown"
    )
    assert busy >= kills // 2


def in_doubt(stage: Stage) -> list[int]:
    """Return the rows that were on their way when the process was killed."""
    if not stage.journal.exists():
        return []
    replay = replay_journal(stage.journal)
    doubtful = replay.uncertain(boot_id())
    assert all(replay.state(row) == SENT for row in doubtful)
    return doubtful


def finished(stage: Stage, sent: Sent, doubtful: int) -> None:
    """Check that the run of *stage* is over: each token was sent once, or is unknown."""
    stage.audit(sent)
    assert 0 == sent.totals["not_sent"]
    assert sent.totals["unknown"] <= doubtful
    stats = stage.stats
    assert stats.requests == len(stats.requests_per_token)
    reached = stats.requests
    assert len(stage.tokens) - sent.totals["unknown"] <= reached <= len(stage.tokens)
