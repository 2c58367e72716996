"""
Push clients that are not ours, each sending the same rounds of pushes to the simulator.

A client is given the rounds and says of each token ``accepted``, or why not in its own words.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from simulator.kit import TOPIC, Served

PEERS = Path(__file__).parent / "peers"
Rounds = list[list[str]]
Told = dict[str, str]
_LIMIT_S = 60.0
_BODY = '{"aps":{"alert":"Hello"}}'


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


# -- Python ---------------------------------------------------------------------------------------


def _package(name: str) -> Callable[[], str | None]:
    def version() -> str | None:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
        return None

    return version


def _aioapns(served: Served, rounds: Rounds) -> Told:
    from aioapns import APNs, NotificationRequest, PushType
    from aioapns.connection import APNsTLSClientProtocol

    class Local(APNsTLSClientProtocol):
        APNS_SERVER = "127.0.0.1"
        APNS_PORT = served.fake.port

    async def send() -> Told:
        client = APNs(
            key=served.made.key_file.read_text(),
            key_id=served.made.key_id,
            team_id=served.made.team_id,
            topic=TOPIC,
            max_connections=1,
            max_connection_attempts=3,
            ssl_context=served.fake.client_context(),
        )
        client.pool.ssl_context.set_alpn_protocols(["h2"])
        client.pool.protocol_class = Local

        async def push(token: str) -> str:
            request = NotificationRequest(
                device_token=token,
                message=json.loads(_BODY),
                push_type=PushType.ALERT,
                collapse_key="spring",
                time_to_live=60,
            )
            try:
                answer = await asyncio.wait_for(client.send_notification(request), 3)
            except TimeoutError:
                return "no answer within 3 s"
            except ConnectionError as error:
                return f"error: {error or type(error).__name__}"
            return "accepted" if answer.is_successful else str(answer.description)

        told: Told = {}
        for tokens in rounds:
            answers = await asyncio.gather(*map(push, tokens))
            told |= zip(tokens, answers, strict=True)
        client.pool.close()
        while client.pool.connections:  # each leaves the pool once its socket is closed
            await asyncio.sleep(0)
        return told

    return asyncio.run(send())


def _httpx(served: Served, rounds: Rounds) -> Told:
    import httpx

    head = {"authorization": served.bearer, "apns-topic": TOPIC, "apns-push-type": "alert"}

    async def send() -> Told:
        told: Told = {}
        async with httpx.AsyncClient(
            http2=True,
            http1=False,
            verify=served.fake.client_context(),
            base_url=served.fake.url,
            headers=head,
            trust_env=False,
        ) as client:

            async def push(token: str) -> str:
                try:
                    answer = await client.post(f"/3/device/{token}", content=_BODY)
                except httpx.HTTPError as error:
                    return f"error: {type(error).__name__}"
                return "accepted" if answer.is_success else str(answer.json()["reason"])

            for tokens in rounds:
                answers = await asyncio.gather(*map(push, tokens))
                told |= zip(tokens, answers, strict=True)
        return told

    return asyncio.run(send())


@contextlib.contextmanager
def firebase_app(served: Served) -> Iterator[Any]:
    """Point firebase-admin at the simulator."""
    import firebase_admin
    from firebase_admin import credentials, messaging

    url = served.fake.url + "/v1/projects/{0}/messages:send"
    trust = {"REQUESTS_CA_BUNDLE": str(served.made.ca_file)}
    trust["SSL_CERT_FILE"] = str(served.made.ca_file)  # for send_each_async, which is httpx
    account = credentials.Certificate(str(served.made.service_account_file))
    with (
        mock.patch.dict(os.environ, trust),
        mock.patch.object(messaging._MessagingService, "FCM_URL", url),
    ):
        app = firebase_admin.initialize_app(account, name="simulated")
        try:
            yield app
        finally:
            firebase_admin.delete_app(app)


def _firebase(served: Served, rounds: Rounds) -> Told:
    from firebase_admin import messaging

    told: Told = {}
    with firebase_app(served) as app:
        for tokens in rounds:
            notification = messaging.Notification(title="Hello", body="There")
            messages = [messaging.Message(token=one, notification=notification) for one in tokens]
            answers = messaging.send_each(messages, app=app).responses
            for token, answer in zip(tokens, answers, strict=True):
                why = type(answer.exception).__name__
                told[token] = "accepted" if answer.success else why
    return told


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
        options = ["-sS", "--http2", "--cacert", str(served.made.ca_file), "-d", _BODY, "-Z"]
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
        body.write(_BODY)
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
    Client("aioapns", "h2", False, "PyPI", _package("aioapns"), _aioapns),
    Client("httpx", "h2", False, "PyPI", _package("httpx"), _httpx),
    Client("firebase-admin", "HTTP/1.1", True, "PyPI", _package("firebase-admin"), _firebase),
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
