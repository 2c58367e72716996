"""
Disks that fill and disks that fail: the run stops, answers in flight are kept, a resume finishes.

Once with a disk that is modelled in this process, once with a real one where that can be mounted.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from job.stage import ios, on_stage
from pushctl.records import journal as journal_module
from pushctl.simulator import Rule, Script

IO_FAILED = 74
MIB = 1 << 20

LIST = [ios(row, "de" if row % 2 else "aa") for row in range(1, 3001)]
"""Every second token is dead: a rejection is noted whole, so the disk fills fast."""
SCRIPT = Script(rules=(Rule(pattern="de*", answer="Unregistered"),), max_streams=100)


class Disk:
    """Lets a journal grow to a size, its reserve included; then there is no space left."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.refused = 0
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        """Write what there is room for, or fail as a full disk does."""
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.name != "journal.jsonl":
            return self._write(descriptor, data)
        reserve = path.with_suffix(".reserve")
        used = path.stat().st_size + (reserve.stat().st_size if reserve.exists() else 0)
        if used >= self.size:
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(descriptor, data[: self.size - used])


@pytest.mark.parametrize("kept", [1_000, 40_000, 100_000, 333_333, 700_000])
def test_a_full_disk_stops_the_run_and_loses_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """The reserve takes the answers in flight, so nothing is unknown; a resume sends the rest."""
    with on_stage(tmp_path, SCRIPT, tokens=LIST) as stage:
        disk = Disk(MIB + kept)
        with monkeypatch.context() as patch:
            patch.setattr(journal_module.os, "write", disk.write)
            sent = stage.send_list("--stop-if", "never")

        print(f"\nfull {disk.refused} times after {kept:,} bytes")
        assert disk.refused >= 1
        assert IO_FAILED == sent.exit_code
        assert "No space left" in sent.result.errors[0]
        assert 3000 == sum(sent.totals.values())
        assert 0 == sent.totals["unknown"]
        answered = sent.totals["accepted"] + sent.totals["rejected"]
        assert answered == stage.stats.requests < 3000

        sent = stage.resume()
        assert 3000 == stage.stats.requests
        assert (1500, 1500) == (sent.totals["accepted"], sent.totals["rejected"])
        stage.audit(sent)


def test_a_disk_that_is_full_to_the_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the reserve helps, what could not be noted is unknown and not sent again."""
    with on_stage(tmp_path, SCRIPT, tokens=LIST) as stage:
        disk = Disk(100_000)
        write = disk.write

        def without_reserve(descriptor: int, data: bytes) -> int:
            with_reserve = Path(os.readlink(f"/proc/self/fd/{descriptor}")).with_suffix(".reserve")
            with_reserve.unlink(missing_ok=True)
            return write(descriptor, data)

        with monkeypatch.context() as patch:
            patch.setattr(journal_module.os, "write", without_reserve)
            sent = stage.send_list("--stop-if", "never")
        assert IO_FAILED == sent.exit_code
        assert 3000 == sum(sent.totals.values())
        assert stage.stats.requests < 3000

        sent = stage.resume()
        assert 1 <= sent.totals["unknown"] <= 100
        assert 3000 == stage.stats.requests
        stage.audit(sent)


@pytest.mark.parametrize("call", [1, 2, 4])
def test_a_failing_fsync_stops_the_run_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """An error of fsync is never tried again; what was sent is noted, the rest is not sent."""
    calls: list[int] = []
    real = journal_module._fdatasync

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with on_stage(tmp_path, SCRIPT, tokens=LIST) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(journal_module, "_fdatasync", failing)
            sent = stage.send_list("--stop-if", "never")

        assert call <= len(calls) <= call + 1  # one may have been under way
        assert IO_FAILED == sent.exit_code
        assert 0 == sent.totals["unknown"]
        assert 3000 == sum(sent.totals.values())
        assert stage.stats.requests == sent.totals["accepted"] + sent.totals["rejected"] < 3000

        sent = stage.resume()
        assert 3000 == stage.stats.requests
        stage.audit(sent)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1.7 MiB and return where."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    options = ["-t", "tmpfs", "-o", "size=1740k", "tmpfs", str(folder)]
    if subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_real_disk_that_fills_up(tmp_path: Path, small_disk: Path) -> None:
    """The same with a file system: the run stops with 74, and goes on when there is room."""
    with on_stage(tmp_path, SCRIPT, tokens=LIST) as stage:
        text = stage.config.read_text()
        stage.write("pushctl.yaml", f"{text}state_dir: {small_disk}\n")
        sent = stage.send_list("--stop-if", "never")

        assert IO_FAILED == sent.exit_code, sent.result.stderr
        assert "No space left" in sent.result.errors[0]
        assert 0 == sent.totals["unknown"]
        answered = sent.totals["accepted"] + sent.totals["rejected"]
        assert answered == stage.stats.requests < 3000

        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        sent = stage.resume()
        assert 3000 == stage.stats.requests
        assert (1500, 1500) == (sent.totals["accepted"], sent.totals["rejected"])
        stage.audit(sent)
