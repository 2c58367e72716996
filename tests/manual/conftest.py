"""The commands as data, read once, and a ``pushctl`` that shells find."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

import pushctl
from pushctl.cli.generate import command_model
from pushctl.manual.model import Command


@pytest.fixture(scope="session")
def model() -> Command:
    """Return all commands as data."""
    return command_model()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which ``pushctl`` is the one under test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "pushctl"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pushctl "$@"\n')
    script.chmod(0o755)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(pushctl.__file__).parents[1]),
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a config, two runs and a list, to complete in."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pushctl.yaml").write_text(
        "credentials:\n  shop-ios: {service: apns}\n  shop-android: {service: fcm}\n"
        '  "$(touch hacked)": {service: fcm}\n  "\\e[31mred": {service: fcm}\n'
    )
    (folder / "other.yaml").write_text("credentials:\n  elsewhere: {service: apns}\n")
    (folder / "list one.csv").write_text("token\n")
    for run in ("20261101-101010-aaaaa", "20261102-101010-bbbbb"):
        (folder / ".pushctl" / "runs" / run).mkdir(parents=True)
    return folder
