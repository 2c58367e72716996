"""Builds the Go client on sideshow/apns2, whose code is not part of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

IMPORT_PATH = "github.com/sideshow/apns2"
DEBIAN_GOPATH = Path("/usr/share/gocode")
_SOURCE = Path(__file__).parent.parent / "peers" / "apns2_send.go"
_BUILD_LIMIT_S = 300.0


class NotAvailable(Exception):
    """A client cannot be had here; the message says why."""


def build(folder: Path, library: Path | None) -> Path:
    """
    Return the client's program, built in *folder*.

    *library* is a checkout of sideshow/apns2; ``None`` looks for one in GOPATH.  Its own
    dependencies come from GOPATH and from Debian's packages, nothing from the network.  Raises
    :class:`NotAvailable`.
    """
    go = shutil.which("go")
    if go is None:
        raise NotAvailable("Go was not found: apt install golang-go")
    gopath = _gopath(go)
    source = library or _in_gopath(gopath)
    if source is None:
        raise NotAvailable("sideshow/apns2 was not found in GOPATH: name a checkout with --apns2")
    if not (source / "client.go").is_file():
        raise NotAvailable(f"{source} is no checkout of sideshow/apns2")
    ours = folder / "go"
    # Without what it vendors: those copies are years older than what its go.mod asks for.
    unwanted = shutil.ignore_patterns(".git", "vendor", "_example")
    shutil.copytree(source, ours / "src" / IMPORT_PATH, ignore=unwanted)
    program = ours / "src" / "bench"
    program.mkdir()
    shutil.copy(_SOURCE, program / "main.go")
    environ = {
        **os.environ,
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "GOPATH": os.pathsep.join(map(str, (ours, *gopath, DEBIAN_GOPATH))),
        "GOCACHE": str(folder / "go-cache"),
    }
    built = subprocess.run(
        [go, "build", "-o", str(ours / "apns2_send"), "."],
        cwd=program,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_BUILD_LIMIT_S,
        check=False,
    )
    if built.returncode:
        raise NotAvailable(
            "it does not build (apt install golang-golang-x-net-dev"
            f" golang-github-golang-jwt-jwt-dev): {' '.join(built.stderr.split())[:300]}"
        )
    return ours / "apns2_send"


def _gopath(go: str) -> list[Path]:
    said = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, check=True).stdout
    return [Path(one) for one in said.strip().split(os.pathsep) if one]


def _in_gopath(gopath: list[Path]) -> Path | None:
    for root in (*gopath, DEBIAN_GOPATH):
        plain = root / "src" / IMPORT_PATH
        downloaded = (root / "pkg" / "mod" / IMPORT_PATH).parent.glob("apns2@*")
        for found in (plain, *sorted(downloaded, reverse=True)):
            if found.is_dir():
                return found
    return None
