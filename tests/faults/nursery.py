"""
Starts pushctl without importing it anew: a process that has its modules forks for each start.

What runs, and is killed, is a process of its own like any other; it only begins half a second of
computing later in its life.  Run as a program, this is that process: it takes orders as lines of
JSON on stdin (``start``, ``wait``), each of them replied to on stdout.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from cli.kit import clean_environment

MODULES = (
    "asyncio", "duckdb", "jwt", "cryptography.x509", "pushctl.cli.app", "pushctl.cli.deliver",
    "pushctl.cli.send", "pushctl.cli.runs", "pushctl.job.send", "pushctl.job.resume",
    "pushctl.audience.prepare", "pushctl.config.load", "pushctl.job.options",
)  # fmt: skip


class Child:
    """A started process; what is used of :class:`subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int, out: Path, err: Path) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery
        self._out = out
        self._err = err

    def poll(self) -> int | None:
        """Return the exit code, minus the signal where one ended it; ``None``: it runs."""
        return self._wait(hang=False)

    def kill(self) -> None:
        """Kill it, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, 9)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; return stdout and stderr.  There is no *timeout*."""
        self._wait(hang=True)
        return self._out.read_text("utf-8"), self._err.read_text("utf-8")

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(hang=True)

    def _wait(self, *, hang: bool) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask(do="wait", pid=self.pid, hang=hang)["code"]
        return self.returncode


class Nursery:
    """The process that forks.  Use it as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **clean_environment(Path.cwd(), 80, None),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            text=True,
        )
        self._started = 0

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def start(self, *arguments: str, cwd: Path) -> Child:
        """Start ``pushctl`` with *arguments*."""
        self._started += 1
        out, err = (cwd.parent / f"{self._started}.{name}" for name in ("out", "err"))
        reply = self.ask(
            do="start",
            arguments=arguments,
            cwd=str(cwd),
            environment=clean_environment(cwd, 80, None),
            out=str(out),
            err=str(err),
        )
        return Child(self, reply["pid"], out, err)

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order; return the reply."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        return reply


def _start(order: dict[str, Any]) -> dict[str, Any]:
    pid = os.fork()
    if not pid:
        _be_pushctl(order)
    return {"pid": pid}


def _be_pushctl(order: dict[str, Any]) -> NoReturn:
    code = 70
    try:
        for number, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["environment"])
        from pushctl.cli.app import run

        code = run(order["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _wait(order: dict[str, Any]) -> dict[str, Any]:
    pid, status = os.waitpid(order["pid"], 0 if order["hang"] else os.WNOHANG)
    return {"code": os.waitstatus_to_exitcode(status) if pid else None}


def main() -> None:
    """Serve orders until stdin ends."""
    for module in MODULES:
        importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        reply = _start(order) if order["do"] == "start" else _wait(order)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
