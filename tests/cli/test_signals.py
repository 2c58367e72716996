"""Ctrl-C and SIGTERM end a run so that nothing is lost; a second one ends it at once."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kit import Project, ios, serving, start_cli
from pushctl.simulator import Rule, Script

SLOW = Script(delay_s=0.5)
SILENT = Script(rules=(Rule(pattern="*", answer="hang"),))
TOKENS = 200


@contextlib.contextmanager
def sending(folder: Path, script: Script) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """Start a send to many tokens and enter the block once its first push has arrived."""
    with serving(folder / "credentials", script) as served:
        (folder / "shop").mkdir()
        project = Project(folder / "shop", served)
        project.write("list.txt", "\n".join(map(ios, range(TOKENS))) + "\n")
        arguments = ("--tokens", "list.txt", "--title", "x", "-o", "json")
        with start_cli("send", *arguments, cwd=project.folder) as process:
            try:
                while not served.arrived.wait(0.1):
                    assert process.poll() is None, process.communicate()[1]
                yield project, process
            finally:
                process.kill()


@pytest.mark.parametrize(
    ("number", "exit_code", "word"),
    [(signal.SIGINT, 130, "interrupted by Ctrl-C"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_signal_waits_for_the_answers_that_are_due(
    tmp_path: Path, number: signal.Signals, exit_code: int, word: str
) -> None:
    """One signal: nothing more is sent, answers in flight are taken, the totals are printed."""
    with sending(tmp_path, SLOW) as (project, process):
        process.send_signal(number)
        output, talk = process.communicate(timeout=30)
        arrived = len(project.served.pushes)

    assert exit_code == process.returncode, talk
    totals = json.loads(output)["totals"]
    assert arrived == totals["accepted"]
    assert TOKENS == totals["accepted"] + totals["not_sent"]
    assert f"stopping: {word}; waiting for" in talk
    assert "(Ctrl-C again to stop now)" in talk
    (finished,) = project.events("Run finished")
    assert totals == finished["totals"]
    assert "Traceback" not in talk


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Two signals: what is in flight is unknown, the rest not_sent, and the run ends at once."""
    with sending(tmp_path, SILENT) as (project, process):
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        while not process.stderr.readline().startswith("stopping: "):
            pass
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, talk = process.communicate(timeout=30)

        assert 5 > time.monotonic() - began
        assert 130 == process.returncode, talk
        document = json.loads(output)
        assert 1 == document["totals"]["unknown"] == len(project.served.pushes)
        assert TOKENS - 1 == document["totals"]["not_sent"]
        assert {"Interrupted", "ConnectionLost"} == {
            reason["reason"] for reason in document["reasons"]
        }
        assert document["totals"] == project.events("Run finished")[0]["totals"]
    assert "Traceback" not in talk


def test_usr1_prints_the_progress(tmp_path: Path) -> None:
    """SIGUSR1 prints where the run stands, and the run goes on."""
    with sending(tmp_path, SLOW) as (_project, process):
        assert process.stderr is not None
        process.send_signal(signal.SIGUSR1)
        line = ""
        while not line.startswith("progress: "):
            line = process.stderr.readline()
            assert line, "the run ended without it"
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=30)

    assert f"/{TOKENS}, " in line
    assert 130 == process.returncode, talk
