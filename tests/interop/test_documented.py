"""The ways to point other clients at the simulator, as docs/simulator.md tells them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from interop.clients import CLIENTS, PEERS
from simulator.kit import Served, serving

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def program(heading: str, number: int = 0) -> str:
    """Return a block of code below *heading*."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.S)[number]


def run(folder: Path, served: Served, *command: str, **environment: str) -> str:
    """Run *command* beside the simulator's folder; return what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 1 == served.fake.stats().accepted
    return done.stdout


def at_port(text: str, served: Served) -> str:
    """Return the program *text* for the simulator's own port."""
    assert "2197" in text
    return text.replace("2197", str(served.fake.port))


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("aioapns", "200 None"),
        ("firebase-admin for Python", "projects/simulated-shop/messages/0:"),
    ],
)
def test_python(tmp_path: Path, heading: str, said: str) -> None:
    """The program on the page sends one push, and it is accepted."""
    with serving(tmp_path / "pushctl-simulator") as served:
        script = at_port(program(heading), served)
        assert run(tmp_path, served, sys.executable, "-c", script).startswith(said)


def skip_without(name: str) -> None:
    """Skip a test whose client is not installed."""
    (client,) = (client for client in CLIENTS if client.name == name)
    if why := client.missing():
        pytest.skip(why)


def test_node_apn(tmp_path: Path) -> None:
    """The program on the page sends one push, and it is accepted."""
    skip_without("@parse/node-apn")
    with serving(tmp_path / "pushctl-simulator") as served:
        script = at_port(program("@parse/node-apn"), served)
        assert "9f3a1c27" in run(tmp_path, served, "node", "-e", script)


def test_node_firebase_admin(tmp_path: Path) -> None:
    """With the file on the page loaded before it, the program on the page sends one message."""
    skip_without("firebase-admin (Node)")
    with serving(tmp_path / "pushctl-simulator") as served:
        said = run(
            tmp_path,
            served,
            *("node", "--require", str(PEERS / "to_simulator.cjs")),
            *("-e", program("firebase-admin for Node", 1)),
            SIMULATOR_PORT=str(served.fake.port),
            NODE_EXTRA_CA_CERTS="pushctl-simulator/ca.pem",
        )
    assert said.startswith("projects/simulated-shop/messages/0:")


def test_what_is_quoted_is_what_was_run() -> None:
    """The file for Node and the lines of Go on the page are those that the other tests run."""
    assert (PEERS / "to_simulator.cjs").read_text() == program("firebase-admin for Node")
    assert program("apns2 (Go)") in (PEERS / "apns2_rounds.go").read_text()
