"""The other files of a run's folder: manifest, resolved audience, lock.  Damage is never sent."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kit import run_cli
from faults.damage import PATTERNS, Kept, flipped
from job.stage import Stage, ios, on_stage
from pushctl.audience.prepared import FACTS, TABLE
from pushctl.errors import InvalidInput
from pushctl.job.intact import refuse_damaged_audience
from pushctl.records.folder import MANIFEST, RunFolder
from pushctl.simulator import Rule, Script

FINDINGS, INVALID, IO_FAILED = 1, 3, 74
TOKENS = [ios(1), "no token", ios(2, "de"), ios(1), *map(ios, range(3, 31))]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Send a part of a list with a malformed row and a duplicate, so that a resume has work."""
    script = Script(rules=(Rule(pattern="de*", answer="Unregistered"),), max_streams=1)
    with on_stage(tmp_path_factory.mktemp("run"), script, tokens=TOKENS) as stage:
        sent = stage.send_list("--stop-if", "bounced>0", "--connections", "1")
        assert sent.totals["not_sent"] >= 20
        yield Kept.of(stage)


def files_of_audience(kept: Kept) -> list[Path]:
    """Return the files that the audience consists of."""
    folder = kept.stage.journal.parent
    found = sorted(path for path in kept.files if path.suffix == ".parquet")
    assert {TABLE, "rows-0.parquet"} <= {path.name for path in found}
    return [*found, folder / FACTS]


def is_refused(folder: RunFolder) -> bool:
    """Return whether manifest or audience in *folder* are refused, each with its file."""
    try:
        refuse_damaged_audience(folder.path, folder.read_manifest()["prepared"])
    except InvalidInput as error:
        text = "".join(f"{problem.place} {problem.message}" for problem in error.problems)
        return str(folder.path) in text or "never began" in text
    return False


def test_any_byte_of_manifest_or_audience_that_is_another_is_found(run: Kept) -> None:
    """Each byte of each file in four ways: nobody gets a text or stands for a row by damage."""
    folder = RunFolder("r1", run.stage.journal.parent)
    tried = 0
    for path in (folder.path / MANIFEST, *files_of_audience(run)):
        step = 1 if path.name in (MANIFEST, FACTS) else 7
        for position in range(0, len(run.files[path]), step):
            for pattern in PATTERNS:
                with flipped(path, position, pattern):
                    assert is_refused(folder), (path.name, position, pattern)
                tried += 1
    assert not is_refused(folder)
    print(f"\n{tried:,} single damaged bytes in manifest and audience")


def test_a_manifest_or_audience_that_lost_its_end_is_found(run: Kept) -> None:
    """Cut at each byte, to nothing, and gone."""
    folder = RunFolder("r1", run.stage.journal.parent)
    tried = 0
    for path in (folder.path / MANIFEST, *files_of_audience(run)):
        step = 1 if path.name in (MANIFEST, FACTS) else 13
        for size in range(len(run.files[path]) - 1, -1, -step):
            os.truncate(path, size)
            assert is_refused(folder), (path.name, size)
            tried += 1
        path.unlink()
        assert is_refused(folder)
        run.restore()
    print(f"\n{tried:,} cuts of manifest and audience")


def commands(stage: Stage) -> Iterator[tuple[tuple[str, ...], int, list[str]]]:
    """Run every command that reads a run; yield it with its exit code and its errors."""
    for command in (("resume", "r1"), ("show", "r1"), ("show", "r1", "-o", "html")):
        result = stage.runs_command(*command)
        yield command, result.exit_code, result.errors
    check = stage.runs_command("check", "r1")
    yield ("check", "r1"), check.exit_code, check.stdout.splitlines()


@pytest.mark.parametrize("name", [MANIFEST, FACTS, TABLE, "rows-0.parquet"])
@pytest.mark.parametrize("how", ["flipped", "cut"])
def test_a_damaged_file_is_named_and_nothing_is_sent(run: Kept, name: str, how: str) -> None:
    """Resume and show refuse with the file, check finds it, list goes on."""
    stage = run.stage
    path = stage.journal.parent / name
    data = bytearray(run.files[path])
    if how == "flipped":
        data[random.Random(name).randrange(len(data))] ^= 4
    else:
        del data[len(data) // 2 :]
    before = stage.stats.requests
    with run.damaged(path, bytes(data)):
        for command, code, errors in commands(stage):
            assert (FINDINGS if command[0] == "check" else INVALID) == code, command
            assert f"{path}: the " in errors[0], (command, errors)
            assert " is damaged: the checksum does not fit" in errors[0].replace("its", "the")
        assert 0 == stage.runs_command("list").exit_code
    assert before == stage.stats.requests


@pytest.mark.parametrize("name", [MANIFEST, TABLE, "rows-0.parquet"])
def test_a_report_with_opens_leaves_a_damaged_run_out(run: Kept, name: str) -> None:
    """The file is named in a warning, and the report goes on."""
    stage = run.stage
    path = stage.journal.parent / name
    stage.write("opens.csv", f"token,time\n{ios(1)},2026-11-25T11:00:00Z\n")
    with flipped(path, len(run.files[path]) // 2, 8):
        result = run_cli("bounces", "report", "--opens", "opens.csv", cwd=stage.folder)
    assert 0 == result.exit_code, result.stderr
    (warning,) = (one for one in result.warnings if "not counted" in one)
    assert f"opens of run r1 are not counted: {path}: the " in warning


def test_a_journal_of_another_run_is_refused(run: Kept, tmp_path: Path) -> None:
    """A folder that was put together from two runs is not gone on with."""
    stage = run.stage
    with on_stage(tmp_path, Script(), tokens=TOKENS) as other:
        other.send("--tokens", "list.txt", "--title", "Hello", "--run", "r2")
        foreign = (other.journal.parents[1] / "r2" / "journal.jsonl").read_bytes()
    before = stage.stats.requests
    with run.damaged(stage.journal, foreign):
        for command, code, errors in commands(stage):
            assert (FINDINGS if command[0] == "check" else INVALID) == code, command
            assert f"{stage.journal}:1: this is the journal of run r2" in errors[0]
    assert before == stage.stats.requests


@pytest.mark.parametrize("what", ["garbage", "missing", "folder", "link"])
def test_what_the_lock_is_does_not_matter_unless_it_cannot_be_locked(run: Kept, what: str) -> None:
    """Its content says nothing; in the place of a file that can be locked nothing else is taken."""
    stage = run.stage
    lock = stage.journal.parent / "lock"
    lock.unlink()
    if what == "garbage":
        lock.write_bytes(os.urandom(100))
    elif what == "folder":
        lock.mkdir()
    elif what == "link":
        lock.symlink_to("journal.jsonl")
    before = stage.stats.requests
    result = stage.runs_command("resume", "r1", "--on-unknown", "keep")
    if lock.is_dir():
        lock.rmdir()
    else:
        lock.unlink()
    run.restore()

    if what in ("folder", "link"):
        assert IO_FAILED == result.exit_code
        assert str(lock) in result.errors[0]
        assert before == stage.stats.requests
    else:
        assert result.exit_code in (0, FINDINGS)
        assert "Traceback" not in result.stderr
