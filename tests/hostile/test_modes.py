"""What pushctl writes can be read by nobody else, whatever the umask; keys that can be are told."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kit import Project, android, ios, run_cli
from hostile.commands import call

HELLO = ("--title", "Hello")
OPEN_TO_ALL = {"pushctl.yaml": 0o644, ".gitignore": 0o644}
"""What `init` writes for a repository: it holds no secret, and others are to read it."""


@pytest.fixture
def careless(project: Project) -> Iterator[Project]:
    """Return a project to use with an umask that forbids nothing."""
    before = os.umask(0)
    yield project
    os.umask(before)


def loose(folder: Path, but: set[Path]) -> dict[str, str]:
    """Return the modes of what is below *folder*, was not there in *but*, and others may use."""
    found = {}
    for path in {*folder.rglob("*")} - but:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink() and mode & 0o077:
            found[str(path.relative_to(folder))] = f"{mode:04o}"
    return found


def everything(folder: Path) -> set[Path]:
    """Return all that is below *folder*."""
    return {folder, *folder.rglob("*")}


def test_all_that_a_send_leaves_is_private(careless: Project) -> None:
    """Run folders, journals, bounce logs, rotated ones too, and the key that masks: 0600, 0700."""
    before = everything(careless.folder)
    tokens = ("--token", ios(1, "de"), "--token", android(2, "GONE"), "--token", ios(3, "cc"))
    careless.write("list.csv", f"token,name\n{ios(4)},Anna\n")
    before.add(careless.folder / "list.csv")
    for number in range(3):
        careless.send(*tokens, *HELLO, "--bounce-log-max-size", "1KB", "--run", f"r{number}")
    careless.send("--tokens", "list.csv", *HELLO, "--mask-tokens", "--where", "name = 'Anna'")
    careless.send("--tokens", "-", "--format", "csv", *HELLO, stdin=f"token\n{ios(5)}\n".encode())
    call(careless, "runs list")
    run_cli("runs", "resume", "r0", "--on-unknown", "resend", cwd=careless.folder)

    assert 4 < len({*careless.folder.glob("bounces.jsonl*")})
    assert {} == loose(careless.folder, before)


def test_a_crash_report_is_private(careless: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reads the report of a crash in the folder for temporary files."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("pushctl.cli.deliver.settings_for", broken)
    careless.send("--token", ios(), *HELLO)

    assert {} == loose(careless.folder.parent / "tmp", set())
    assert [*(careless.folder.parent / "tmp").iterdir()]


@pytest.mark.parametrize("name", ["demo", "simulate"])
def test_throw_away_keys_and_records_are_private(careless: Project, name: str) -> None:
    """The folders of demo and simulator, their keys, profiles and what was recorded."""
    before = everything(careless.folder)

    assert 0 == call(careless, name).exit_code

    left = everything(careless.folder) - before
    assert 5 < len(left)
    assert {} == loose(careless.folder, before)


def test_what_init_writes(careless: Project) -> None:
    """The config is for others to read, too; the list of profiles is not."""
    call(careless, "init")

    made = careless.folder / "made0"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()}
    assert {name: modes[name] for name in OPEN_TO_ALL if name in modes} == {
        name: mode for name, mode in OPEN_TO_ALL.items() if name in modes
    }
    assert 0o600 == modes["profiles.yaml"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o600, False), (0o400, False), (0o640, True), (0o644, True), (0o604, True), (0o666, True)],
)
def test_a_key_that_others_can_read_is_told_and_used(
    project: Project, mode: int, told: bool
) -> None:
    """CI services check keys out with open modes: send and check warn, and --fail-on warn fails."""
    key = project.write("AuthKey_SIMULATED1.p8", project.served.made.key_file.read_bytes())
    key.chmod(mode)
    text = project.config.read_text().replace(str(project.served.made.key_file), key.name)
    project.write("pushctl.yaml", text)

    sent = project.send("--token", ios(), *HELLO)
    checked = run_cli("check", "shop-ios", "--offline", cwd=project.folder)
    strict = ("check", "shop-ios", "--offline", "--fail-on", "warn")

    assert (0, 0) == (sent.exit_code, checked.exit_code)
    assert told == any("can be read by other users" in warning for warning in sent.warnings)
    assert told == ("can be read by other users" in checked.stdout)
    assert told == (1 == run_cli(*strict, cwd=project.folder).exit_code)
    assert mode == stat.S_IMODE(key.stat().st_mode)


def test_a_key_behind_a_link_counts_by_its_file(project: Project) -> None:
    """Kubernetes mounts secrets as links: the mode that counts is that of the file behind."""
    key = project.write("real.p8", project.served.made.key_file.read_bytes())
    key.chmod(0o400)
    (project.folder / "AuthKey_SIMULATED1.p8").symlink_to(key)
    text = project.config.read_text()
    made = str(project.served.made.key_file)
    project.write("pushctl.yaml", text.replace(made, "AuthKey_SIMULATED1.p8"))

    assert [] == project.send("--token", ios(), *HELLO).warnings
