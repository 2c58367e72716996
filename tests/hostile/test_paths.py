"""No run id, link or foreign file leads pushctl out of its folders or to somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.kit import Project, ios, run_cli
from pushctl.errors import InvalidInput, StorageError
from pushctl.records import ownership
from pushctl.records.bounce_log import BounceLog
from pushctl.records.folder import find_run, list_runs, state_folder
from pushctl.records.masking import mask_key

HELLO = ("--token", ios(), "--title", "x")
ODD_IDS = (
    "..", ".", "../../x", "/etc", "a/b", "a\\b/../c", "x" * 1_000, "x\n", "\x1b[2J", "-x", ".x",
    "x\u202ey", "ｘ", " ", "~", "$HOME", "x\x85",
)  # fmt: skip


@pytest.mark.parametrize("run", ODD_IDS)
def test_run_ids_that_lead_elsewhere(project: Project, run: str) -> None:
    """Every command that takes a run id refuses one that is no plain name; nothing is made."""
    project.send(*HELLO, "--run", "r1")
    before = {*project.folder.parent.rglob("*")}
    for arguments in (
        ("send", *HELLO, f"--run={run}"),
        ("runs", "show", "--", run),
        ("runs", "resume", "--", run),
        ("runs", "check", "--", run),
    ):
        result = run_cli(*arguments, cwd=project.folder)

        assert 2 == result.exit_code, arguments
        assert "cannot be a run id" in result.errors[0]
    assert before == {*project.folder.parent.rglob("*")}


def test_a_linked_run_is_no_run(project: Project) -> None:
    """A link among the runs is not shown, resumed, checked or pruned."""
    project.send(*HELLO, "--run", "r1")
    elsewhere = project.folder / "elsewhere"
    (project.folder / ".pushctl" / "runs" / "r1").rename(elsewhere)
    (project.folder / ".pushctl" / "runs" / "r1").symlink_to(elsewhere)

    for command in ("show", "resume", "check"):
        assert 3 == run_cli("runs", command, "r1", cwd=project.folder).exit_code
    run_cli("runs", "prune", "--older-than", "0s", cwd=project.folder)
    assert (elsewhere / "manifest.json").exists()


@pytest.mark.parametrize("name", ["lock", "journal.jsonl", "manifest.json.new"])
def test_links_in_a_run_are_not_written_through(project: Project, name: str) -> None:
    """What a resume writes in the run's folder is a file there, never what a link leads to."""
    project.send("--token", ios(1, "cc"), "--title", "x", "--run", "r1")
    target = project.folder / "target"
    target.write_text("precious")
    path = project.folder / ".pushctl" / "runs" / "r1" / name
    path.unlink(missing_ok=True)
    path.symlink_to(target)

    result = run_cli("runs", "resume", "r1", "--on-unknown", "resend", cwd=project.folder)

    assert "precious" == target.read_text()
    assert 70 != result.exit_code


def test_a_dangling_gitignore_is_not_followed(tmp_path: Path) -> None:
    """A link in the place of the state folder's .gitignore makes no file elsewhere."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / ".gitignore").symlink_to(tmp_path / "made")

    state_folder(tmp_path / "state")

    assert not (tmp_path / "made").exists()


def test_a_linked_key_for_masks_is_refused(tmp_path: Path) -> None:
    """The key of the masks is the state folder's own file."""
    (tmp_path / "known").write_text("00" * 32)
    state_folder(tmp_path / "state")
    (tmp_path / "state" / "mask.key").symlink_to(tmp_path / "known")

    with pytest.raises(StorageError):
        mask_key(tmp_path / "state")


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another user than the one who owns the files of the test."""
    if os.geteuid() == 0:
        monkeypatch.setattr(ownership.os, "geteuid", lambda: 12_345)
        real = os.stat

        def owned(path: Path, **options: bool) -> os.stat_result:
            found = real(path, **options)
            return os.stat_result((*found[:4], 4_711, *found[5:10]))

        monkeypatch.setattr(ownership.os, "stat", owned)
    else:
        monkeypatch.setattr(ownership.os, "geteuid", lambda: 12_345)


@pytest.mark.usefixtures("stranger")
def test_a_state_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    """Neither for a new run nor for runs that lie there: they would be sent with our keys."""
    (tmp_path / "runs").mkdir()
    for use in (
        lambda: state_folder(tmp_path),
        lambda: find_run(tmp_path, "r1"),
        lambda: list_runs(tmp_path),
    ):
        with pytest.raises(InvalidInput, match="belongs to another user"):
            use()


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("kind", ["link", "everybody's"])
def test_a_log_that_somebody_planted_is_not_written(tmp_path: Path, kind: str) -> None:
    """A link of another user, and a file of theirs that every user may write."""
    log, target = tmp_path / "bounces.jsonl", tmp_path / "target"
    target.write_text("")
    if kind == "link":
        log.symlink_to(target)
    else:
        log.write_text("")
        log.chmod(0o666)

    with pytest.raises(InvalidInput, match="put this log here"):
        BounceLog(log)


@pytest.mark.usefixtures("stranger")
def test_a_log_that_a_group_shares_is_written(tmp_path: Path) -> None:
    """A colleague's log that only their group may write stays a shared one."""
    log = tmp_path / "bounces.jsonl"
    log.write_text("")
    log.chmod(0o660)

    BounceLog(log).close()
