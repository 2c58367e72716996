"""The memory of a process that holds keys is written to no core dump and read by nobody else."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.kit import Project, ios, start_cli
from hostile.canaries import Search, forms_of_key, forms_of_token

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")


def cores_allowed() -> None:
    """Let this process and what it starts leave core dumps."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


@pytest.fixture
def dumping(tmp_path: Path) -> Callable[[int], bool]:
    """Skip where the kernel dumps nothing at all; return what tells of a status if it did."""
    unguarded = subprocess.Popen(
        [sys.executable, "-c", "import os; os.abort()"], cwd=tmp_path, preexec_fn=cores_allowed
    )
    _, status = os.waitpid(unguarded.pid, 0)
    unguarded.returncode = status
    for core in tmp_path.glob("core*"):
        core.unlink()
    if not os.WCOREDUMP(status):
        pytest.skip("this machine makes no core dumps")
    return os.WCOREDUMP


@pytest.mark.parametrize("command", ["send", "check"])
def test_a_process_that_dies_with_keys_leaves_no_core(
    project: Project,
    dumping: Callable[[int], bool],
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Aborted while a push is in flight, a process is not dumped, though the shell allows it."""
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda *args, **more: _popen(*args, **more, preexec_fn=cores_allowed),
    )
    hanging = ("--token", ios(1, "ca"), "--title", "x", "--config", "pushctl.yaml")
    arguments = hanging if command == "send" else ("--timeout", "30s")
    if command == "check":
        _never_answer(project)
    process = start_cli(command, *arguments, cwd=project.folder)
    assert project.served.arrived.wait(30)
    status_file = Path(f"/proc/{process.pid}/status").read_text()

    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()

    assert signal.SIGABRT == os.WTERMSIG(status)
    assert not dumping(status)
    assert "CoreDumping:\t0" in status_file
    assert [] == [*project.folder.rglob("core*")]
    search = Search()
    search.add("key", forms_of_key(project.served.made.key_file.read_text()))
    for push in project.served.pushes:
        search.add("token", forms_of_token(push.fields["authorization"].split()[1]))
    assert [] == search.hits_in_files(project.folder)


_popen = subprocess.Popen


def _never_answer(project: Project) -> None:
    from pushctl.simulator import Rule, Script

    rules = (Rule(pattern="*", service="apns", answer="hang"),)
    project.served.simulator.play(Script(rules=rules))


def test_nobody_may_attach_once_the_config_is_known(project: Project) -> None:
    """The process says of itself that it may not be dumped; and core dumps are limited to 0."""
    code = f"""\
import ctypes, os, resource, sys
os.chdir({str(project.folder)!r})
from pushctl.cli.settings import settings_for
before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
settings_for(None, ())
print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) in (0, 1)  # PR_GET_DUMPABLE is known here
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "1 0 0\n" == run.stdout


def test_nothing_is_started(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send starts no process: there is nobody whose environment could hold a key."""
    started: list[object] = []
    monkeypatch.setattr(os, "posix_spawn", lambda *args, **_: started.append(args))
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    monkeypatch.setattr(os, "fork", lambda: started.append("fork"))

    assert 0 == project.send("--token", ios(), "--title", "x").exit_code
    assert [] == started
