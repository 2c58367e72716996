"""Every file call of a small run fails once: each write, sync, open, rename, one after another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.damage import Kept
from faults.failing import FailingCalls
from job.stage import HELLO, Stage, ios, on_stage
from pushctl.simulator import Rule, Script

IO_FAILED, INVALID = 74, 3
TOKENS = [ios(1), ios(2, "de"), ios(3), "no token", ios(4), ios(1)]
SENDABLE = 4

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/fd"), reason="descriptors are told apart by /proc"
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve a simulator that calls one token dead."""
    script = Script(rules=(Rule(pattern="de*", answer="Unregistered"),))
    with on_stage(tmp_path_factory.mktemp("stage"), script, tokens=TOKENS) as stage:
        yield stage


def begin(stage: Stage, run: str) -> int:
    """Send to the list as *run*; return the exit code."""
    result = stage.send("--tokens", "list.txt", *HELLO, "--run", run, "-o", "json")
    assert "Traceback" not in result.stderr
    return result.exit_code


def requests(stage: Stage) -> Counter[str]:
    """Return how often each token was sent to so far."""
    return Counter(stage.stats.requests_per_token)


def test_each_file_call_fails_once(stage: Stage) -> None:
    """
    Whichever it is: one clear error or none, and a resume sends exactly what was not sent.

    A run that could not begin has sent nothing and is not there.
    """
    codes: Counter[int] = Counter()
    calls: Counter[str] = Counter()
    while True:
        number = codes.total() + 1
        run, before = f"n{number}", requests(stage)
        failing = FailingCalls(stage.folder, number)
        with failing.active():
            code = begin(stage, run)
        if failing.failed is None:
            break
        codes[code] += 1
        calls[failing.failed[0]] += 1
        what = (number, failing.failed, code)
        after = requests(stage) - before
        assert code in (1, INVALID, IO_FAILED), what
        if failing.failed[0] in ("fsync", "fdatasync") and "journal" in failing.failed[1]:
            assert IO_FAILED == code, what
            later = failing.calls[number:]
            assert later.count(("fdatasync", "journal.jsonl")) <= 1, what  # one may be under way
        if not (stage.folder / ".pushctl" / "runs" / run / "manifest.json").exists():
            assert not after, what
            continue
        resumed = stage.runs_command("resume", run, "-o", "json")
        totals = resumed.document["totals"]
        assert len(TOKENS) == sum(totals.values()), what
        assert 0 == totals["not_sent"], what
        again = requests(stage) - before
        assert 1 == max(again.values()), what
        assert SENDABLE - totals["unknown"] <= len(again) <= SENDABLE, what
        check = stage.runs_command("check", run)
        assert (0, "") == (check.exit_code, check.stdout), what
    print(f"\n{codes.total()} calls failed, one a run: {dict(calls)}; exit codes {dict(codes)}")
    assert {"write", "fsync", "fdatasync", "open", "replace"} <= set(calls)
    assert codes[IO_FAILED] >= codes.total() // 2


def test_each_file_call_of_a_resume_fails_once(tmp_path: Path) -> None:
    """The same while a run is gone on with: whatever fails, the next resume finishes it."""
    script = Script(rules=(Rule(pattern="de*", answer="Unregistered"),), max_streams=1)
    with on_stage(tmp_path, script, tokens=TOKENS) as stage:
        stage.send_list("--stop-if", "bounced>0", "--connections", "1")
        kept = Kept.of(stage)
        sent = set(stage.stats.requests_per_token)
        number = 0
        while True:
            number += 1
            kept.restore()
            before = requests(stage)
            failing = FailingCalls(stage.folder, number)
            with failing.active():
                result = stage.runs_command("resume", "r1")
            if failing.failed is None:
                break
            what = (number, failing.failed, result.exit_code, result.stderr)
            assert "Traceback" not in result.stderr, what
            assert result.exit_code in (1, INVALID, IO_FAILED), what
            totals = stage.resume().totals
            assert (len(TOKENS), 0) == (sum(totals.values()), totals["not_sent"]), what
            again = requests(stage) - before
            assert 1 == max(again.values()), what
            assert sent.isdisjoint(again), what
            assert 0 == stage.runs_command("check", "r1").exit_code, what
    print(f"\n{number - 1} calls of a resume failed, one at a time")
    assert number > 10
