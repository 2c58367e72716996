"""State folders and run folders."""

from pathlib import Path

import pytest

from pushctl.errors import InvalidInput, StorageError
from pushctl.records.folder import (
    create_run,
    find_run,
    list_runs,
    locked,
    state_folder,
    write_atomically,
)


def test_a_run_folder_is_private_and_hidden_from_git(tmp_path: Path) -> None:
    """Mode 0700 for the folders, and a .gitignore that hides everything."""
    folder = create_run(tmp_path / ".pushctl", "r1")

    assert 0o700 == folder.path.stat().st_mode & 0o777
    assert 0o700 == (tmp_path / ".pushctl").stat().st_mode & 0o777
    assert "*\n" == (tmp_path / ".pushctl" / ".gitignore").read_text()


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    """A second run of the same id is refused instead of mixed with the first."""
    create_run(tmp_path, "r1")
    with pytest.raises(InvalidInput, match="already"):
        create_run(tmp_path, "r1")


def test_only_one_process_holds_a_run(tmp_path: Path) -> None:
    """The second to ask is told that another works on it, and gets it afterwards."""
    folder = create_run(tmp_path, "r1")
    with locked(folder), pytest.raises(InvalidInput, match="another pushctl"), locked(folder):
        pass
    with locked(folder):
        pass


def test_runs_are_listed_newest_first_and_found_by_id(tmp_path: Path) -> None:
    """A folder without a manifest is no run yet; an unknown id is a clear error."""
    for run in ("20260101-000000-aaaaa", "20260102-000000-aaaaa"):
        create_run(tmp_path, run).write_manifest({"run": run})
    create_run(tmp_path, "20260103-000000-aaaaa")

    runs = [folder.run for folder in list_runs(tmp_path)]
    assert ["20260102-000000-aaaaa", "20260101-000000-aaaaa"] == runs
    assert {"run": runs[0]} == find_run(tmp_path, runs[0]).read_manifest()
    with pytest.raises(InvalidInput, match="no run"):
        find_run(tmp_path, "20260109-000000-aaaaa")
    assert [] == list_runs(tmp_path / "nowhere")


def test_a_planted_link_is_no_run(tmp_path: Path) -> None:
    """A symbolic link in the runs folder is not followed."""
    state_folder(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs" / "r1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="no run"):
        find_run(tmp_path, "r1")


def test_a_damaged_manifest_is_an_error_with_its_file(tmp_path: Path) -> None:
    """No traceback: the file is named."""
    folder = create_run(tmp_path, "r1")
    for text in ("", "{", "[]", "{}", '{\n "run": "r1"\n}\n'):
        (folder.path / "manifest.json").write_text(text)
        with pytest.raises(InvalidInput, match="the manifest is damaged") as caught:
            folder.read_manifest()
        assert str(folder.path / "manifest.json") == str(caught.value.problems[0].place)


def test_what_cannot_be_made_or_written_is_a_storage_error(tmp_path: Path) -> None:
    """A file in the way of a folder ends in one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        state_folder(tmp_path / "file" / "state")
    with pytest.raises(StorageError):
        write_atomically(tmp_path / "none" / "file", b"")


def test_a_run_that_does_not_exist_gets_the_nearest(tmp_path: Path) -> None:
    """A slip in a run's id is answered with the run that was probably meant."""
    create_run(tmp_path, "20261101-101010-abcde")

    with pytest.raises(InvalidInput) as near:
        find_run(tmp_path, "20261101-101010-abcdf")
    with pytest.raises(InvalidInput) as far:
        find_run(tmp_path, "spring")

    assert "did you mean 20261101-101010-abcde? " in str(near.value.problems[0].hint)
    assert "list them with: pushctl runs list" == far.value.problems[0].hint
