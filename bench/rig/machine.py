"""What the figures were measured on: no benchmark means anything without it."""

from __future__ import annotations

import os
import platform
import shutil
import ssl
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def two_cores() -> tuple[int, int]:
    """
    Return a core for the client and one for the server, not two threads of one core if possible.

    Raises :class:`OSError` where fewer than two may be used.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise OSError("the benchmark needs two cores")
    first = allowed[0]
    for other in allowed[1:]:
        if _place(other) != _place(first):
            return first, other
    return first, allowed[1]


def facts(folder: Path) -> list[tuple[str, str]]:
    """Return name and value of what the figures depend on; *folder* is where the journal goes."""
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("file system", _file_system(folder)),
        ("Python", f"{platform.python_version()}, {ssl.OPENSSL_VERSION}"),
        ("pushctl", _package("pushctl")),
        ("nginx", _said("nginx", "-v")),
        ("Go", _said("go", "version")),
        ("h2load", _said("h2load", "--version")),
        ("aioapns", _package("aioapns")),
        ("httpx", f"{_package('httpx')}, h2 {_package('h2')}"),
    ]


def load() -> str:
    """Return the load average of the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def _place(core: int) -> tuple[str, ...]:
    topology = Path(f"/sys/devices/system/cpu/cpu{core}/topology")
    try:
        names = ("physical_package_id", "core_id")
        return tuple((topology / name).read_text().strip() for name in names)
    except OSError:
        return (str(core),)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _device, mount, kind, *_ = line.split()
        if folder.is_relative_to(mount) and len(mount) > len(best[0]):
            best = (mount, kind)
    return best[1]


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _said(program: str, *arguments: str) -> str:
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        return "not installed"
    ended = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    lines = (ended.stdout or ended.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
