"""Where settings are found and state is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pushctl.config import find_config
from pushctl.config.discover import (
    Candidate,
    Source,
    config_candidates,
    default_bounce_log,
    default_state_dir,
)


def touch(path: Path) -> Path:
    """Make an empty file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_option_comes_first_and_need_not_exist(tmp_path: Path) -> None:
    """A named file is used, missing or not: falling back would send with other credentials."""
    touch(tmp_path / "pushctl.yaml")
    environ = {"PUSHCTL_CONFIG": "env.yaml"}

    assert tmp_path / "x.yaml" == find_config("x.yaml", environ, tmp_path, tmp_path)
    assert Path("/abs.yaml") == find_config("/abs.yaml", environ, tmp_path, tmp_path)
    assert Path("/home/me/x.yaml") == find_config("~/x.yaml", {}, tmp_path, Path("/home/me"))


def test_the_variable_comes_next(tmp_path: Path) -> None:
    """PUSHCTL_CONFIG is used unless it is empty."""
    nearest = touch(tmp_path / "pushctl.yaml")

    assert tmp_path / "e.yaml" == find_config(
        None, {"PUSHCTL_CONFIG": "e.yaml"}, tmp_path, tmp_path
    )
    assert nearest == find_config(None, {"PUSHCTL_CONFIG": ""}, tmp_path, tmp_path)


def test_the_nearest_file_up_to_the_repository_root(tmp_path: Path) -> None:
    """Parents are searched inside a repository, and not beyond its root."""
    touch(tmp_path / "pushctl.yaml")
    repository = tmp_path / "repo"
    touch(repository / ".git" / "HEAD")
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)

    assert find_config(None, {}, inner, tmp_path / "home") is None
    at_root = touch(repository / "pushctl.yaml")
    assert at_root == find_config(None, {}, inner, tmp_path / "home")
    nearer = touch(repository / "a" / "pushctl.yaml")
    assert nearer == find_config(None, {}, inner, tmp_path / "home")


def test_outside_a_repository_parents_are_not_searched(tmp_path: Path) -> None:
    """A file that somebody left in a shared parent folder is not picked up."""
    touch(tmp_path / "pushctl.yaml")
    folder = tmp_path / "work"
    folder.mkdir()

    assert find_config(None, {}, folder, tmp_path / "home") is None


def test_the_users_own_file_comes_last(tmp_path: Path) -> None:
    """XDG_CONFIG_HOME is honoured if it is absolute; else it is ~/.config."""
    home = tmp_path / "home"
    default = touch(home / ".config" / "pushctl" / "config.yaml")
    other = touch(tmp_path / "xdg" / "pushctl" / "config.yaml")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    assert default == find_config(None, {}, tmp_path, home)
    assert other == find_config(None, environ, tmp_path, home)
    assert default == find_config(None, {"XDG_CONFIG_HOME": "relative"}, tmp_path, home)
    project = touch(tmp_path / "pushctl.yaml")
    assert project == find_config(None, environ, tmp_path, home)


def test_state_lies_beside_the_project_file(tmp_path: Path) -> None:
    """With pushctl.yaml, runs and bounces are kept beside it."""
    config = touch(tmp_path / "pushctl.yaml")

    assert tmp_path / ".pushctl" == default_state_dir(config, {}, Path("/home/me"))
    assert tmp_path / "bounces.jsonl" == default_bounce_log(config, Path("/elsewhere"))


def test_state_without_a_project(tmp_path: Path) -> None:
    """Without a file, or with the user's own, state goes to the user's folder."""
    own = touch(tmp_path / "pushctl" / "config.yaml")
    expected = Path("/home/me/.local/state/pushctl")

    assert expected == default_state_dir(None, {}, Path("/home/me"))
    assert expected == default_state_dir(own, {}, Path("/home/me"))
    assert Path("/x/pushctl") == default_state_dir(None, {"XDG_STATE_HOME": "/x"}, Path("/home/me"))
    assert Path("/cwd/bounces.jsonl") == default_bounce_log(None, Path("/cwd"))
    assert Path("/cwd/bounces.jsonl") == default_bounce_log(own, Path("/cwd"))


def test_state_of_a_read_only_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the project cannot be written, state goes to the user's folder."""
    config = touch(tmp_path / "pushctl.yaml")
    asked: list[Path] = []

    def refuse(path: Path, _mode: int) -> bool:
        asked.append(path)
        return False

    monkeypatch.setattr(os, "access", refuse)

    assert Path("/home/me/.local/state/pushctl") == default_state_dir(config, {}, Path("/home/me"))
    (tmp_path / ".pushctl").mkdir()
    default_state_dir(config, {}, Path("/home/me"))
    assert [tmp_path, tmp_path / ".pushctl"] == asked


def test_every_place_is_told(tmp_path: Path) -> None:
    """Candidates come in the order of preference, with who asks for each and whether it exists."""
    repository = tmp_path / "repo"
    touch(repository / ".git" / "HEAD")
    at_root = touch(repository / "pushctl.yaml")
    inner = repository / "a"
    inner.mkdir()
    environ = {"PUSHCTL_CONFIG": "env.yaml"}
    user = tmp_path / ".config" / "pushctl" / "config.yaml"

    assert [
        Candidate(inner / "x.yaml", Source.OPTION, exists=False),
        Candidate(inner / "env.yaml", Source.VARIABLE, exists=False),
        Candidate(inner / "pushctl.yaml", Source.PROJECT, exists=False),
        Candidate(at_root, Source.PROJECT, exists=True),
        Candidate(user, Source.USER, exists=False),
    ] == config_candidates("x.yaml", environ, inner, tmp_path)


def test_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be seen there is no config, and no crash."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)

    assert find_config(None, {}, tmp_path, tmp_path) is None
