"""
Push clients that are not ours, each sending the same rounds of pushes to the simulator.

A client is given the rounds and says of each token ``accepted``, or why not in its own words.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from interop import libraries
from interop.libraries import BODY, Rounds, Told
from simulator.kit import TOPIC, Served

PEERS = Path(__file__).parent / "peers"
_LIMIT_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Client:
    """A client: how it is found, and how it sends."""

    name: str
    engine: str
    """Whose HTTP it is."""
    fcm: bool
    where: str
    """Where it comes from, for who wants to have it."""
    version: Callable[[], str | None]
    """Returns ``None`` where it is not installed."""
    send: Callable[[Served, Rounds], Told]

    def missing(self) -> str | None:
        """Return why it cannot be run here; ``None``: it can."""
        return None if self.version() else f"needs {self.name} ({self.where})"


def _package(name: str) -> Callable[[], str | None]:
    def version() -> str | None:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
        return None

    return version


# -- programs -------------------------------------------------------------------------------------


def _program(name: str, *words: str) -> Callable[[], str | None]:
    def version() -> str | None:
        if shutil.which(name) is None:
            return None
        done = subprocess.run([name, *words], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
        return found[0] if found else "?"

    return version


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


def _head(served: Served) -> list[str]:
    fields = (f"authorization: {served.bearer}", f"apns-topic: {TOPIC}", "apns-push-type: alert")
    return [part for field in fields for part in ("-H", field)]


def _curl(served: Served, rounds: Rounds) -> Told:
    """One process a round: curl sends a round of many over one connection (``-Z``)."""
    told: Told = {}
    for tokens in rounds:
        options = ["-sS", "--http2", "--cacert", str(served.made.ca_file), "-d", BODY, "-Z"]
        options += ["-w", r"%{url} %{http_code}\n", *_head(served)]
        urls = [f"{served.fake.url}/3/device/{token}" for token in tokens]
        said = _run("curl", *options, *urls)
        for token, status in re.findall(r"/3/device/(\S+) (\d+)", said):
            reason = re.search(r'"reason":"(\w+)"', said)
            told[token] = "accepted" if status == "200" else reason[1] if reason else status
    return told


def _nghttp(served: Served, rounds: Rounds) -> Told:
    """One process a round; nghttp sends a round of many over one connection."""
    told: Told = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        body.write(BODY)
        body.flush()
        for tokens in rounds:
            urls = [f"{served.fake.url}/3/device/{token}" for token in tokens]
            # Left to itself it sends a hundred before it has seen the limit, which is one.
            options = ["-nv", "--peer-max-concurrent-streams=1", "-H:method: POST", "-d", body.name]
            said = _run("nghttp", *options, *_head(served), *urls)
            said = re.sub(r"\x1b\[[0-9;]*m", "", said)
            paths = dict(re.findall(r"send HEADERS.*?stream_id=(\d+)>.*?:path: (\S+)", said, re.S))
            statuses = dict(re.findall(r"recv \(stream_id=(\d+)\) :status: (\d+)", said))
            for stream, path in paths.items():
                status = statuses.get(stream, "no answer")
                told[path.rpartition("/")[2]] = "accepted" if status == "200" else status
    return told


# -- Node and Go ----------------------------------------------------------------------------------


def _node_package(name: str) -> Callable[[], str | None]:
    def version() -> str | None:
        if shutil.which("node") is None:
            return None
        script = f"""
            let folder = require.resolve('{name}'), path = require('path');
            while (!require('fs').existsSync(path.join(folder, 'package.json')) ||
                   require(path.join(folder, 'package.json')).name !== '{name}')
                folder = path.dirname(folder);
            console.log(require(path.join(folder, 'package.json')).version)"""
        done = subprocess.run(
            ["node", "-e", script], capture_output=True, text=True, cwd=PEERS, check=False
        )
        return done.stdout.strip() or None

    return version


def _apns_plan(served: Served, rounds: Rounds) -> str:
    made = served.made
    plan = {
        "url": served.fake.url,
        "address": "127.0.0.1",
        "port": served.fake.port,
        "ca": str(made.ca_file),
        "key": str(made.key_file),
        "key_id": made.key_id,
        "team_id": made.team_id,
        "topic": TOPIC,
        "rounds": rounds,
    }
    return json.dumps(plan)


def _node_apn(served: Served, rounds: Rounds) -> Told:
    said = _run("node", str(PEERS / "node_apn.cjs"), _apns_plan(served, rounds))
    return dict(json.loads(said))


def _node_firebase(served: Served, rounds: Rounds) -> Told:
    plan = {"service_account": str(served.made.service_account_file), "rounds": rounds}
    said = _run(
        *("node", "--require", str(PEERS / "to_simulator.cjs"), str(PEERS / "firebase_admin.cjs")),
        json.dumps(plan),
        SIMULATOR_PORT=str(served.fake.port),
        NODE_EXTRA_CA_CERTS=str(served.made.ca_file),
    )
    return dict(json.loads(said))


APNS2 = "PUSHCTL_TEST_APNS2"
"""Names the program of ``peers/apns2_rounds.go``: its library is not part of this repository."""


def _apns2_version() -> str | None:
    return "as built" if os.environ.get(APNS2) else None


def _apns2(served: Served, rounds: Rounds) -> Told:
    return dict(json.loads(_run(os.environ[APNS2], _apns_plan(served, rounds))))


CLIENTS = (
    Client("aioapns", "h2", False, "PyPI", _package("aioapns"), libraries.aioapns),
    Client("httpx", "h2", False, "PyPI", _package("httpx"), libraries.httpx),
    Client(
        "firebase-admin", "HTTP/1.1", True, "PyPI", _package("firebase-admin"), libraries.firebase
    ),
    Client(
        "firebase-admin (async)",
        "h2",
        True,
        "PyPI",
        _package("firebase-admin"),
        libraries.firebase_async,
    ),
    Client("curl", "nghttp2", False, "Debian", _program("curl", "--version"), _curl),
    Client(
        "nghttp",
        "nghttp2",
        False,
        "Debian: nghttp2-client",
        _program("nghttp", "--version"),
        _nghttp,
    ),
    Client(
        "@parse/node-apn",
        "Node",
        False,
        "npm, found by NODE_PATH",
        _node_package("@parse/node-apn"),
        _node_apn,
    ),
    Client(
        "firebase-admin (Node)",
        "Node",
        True,
        "npm, found by NODE_PATH",
        _node_package("firebase-admin"),
        _node_firebase,
    ),
    Client("apns2", "Go", False, f"a Go program named by {APNS2}", _apns2_version, _apns2),
)
