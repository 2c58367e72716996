"""Runs a client as a process of its own, on one core, and says what it cost."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_ASKED_EVERY_S = 0.1
_KIB = 1024  # Linux counts ru_maxrss in KiB


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended."""

    exit_code: int
    wall_s: float
    cpu_s: float
    """User and system time, of its children too."""
    peak_bytes: int
    """The most memory that was resident."""
    stdout: str
    stderr: str


def run(
    command: Sequence[str],
    *,
    cpu: int,
    cwd: Path,
    environ: Mapping[str, str],
    limit_s: float,
    stop_when: Callable[[], bool] | None = None,
) -> Finished:
    """
    Run *command* pinned to *cpu* and return what it cost; after *limit_s* it is killed.

    *stop_when* is asked now and then; once it says yes the process is told to end (SIGTERM).
    Output goes to files: nobody has to read along, so this process sleeps meanwhile.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
        )
        ended = threading.Event()
        minder = threading.Thread(target=_mind, args=(process, ended, limit_s, stop_when))
        minder.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            ended.set()
            minder.join()
        out.seek(0)
        err.seek(0)
        return Finished(
            exit_code=process.returncode,
            wall_s=wall_s,
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * _KIB,
            stdout=out.read().decode("utf-8", "replace"),
            stderr=err.read().decode("utf-8", "replace"),
        )


def _mind(
    process: subprocess.Popen[bytes],
    ended: threading.Event,
    limit_s: float,
    stop_when: Callable[[], bool] | None,
) -> None:
    until = time.monotonic() + limit_s
    while stop_when is not None and time.monotonic() < until:
        if ended.wait(_ASKED_EVERY_S):
            return
        if stop_when():
            process.terminate()
            break
    if not ended.wait(max(0.0, until - time.monotonic())):
        process.kill()
