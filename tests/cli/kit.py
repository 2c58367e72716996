"""
Runs the command line for its tests, in this process, and serves the gateways it sends to.

A run sees a clean environment, a home folder of its own and streams that are no terminal.  The
simulator answers by what stands in the token, so that a test says with a token what must happen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import typer.main

import pushctl
from pushctl.cli import app
from pushctl.simulator import (
    Drop,
    Received,
    Rule,
    Say,
    Script,
    Simulator,
    ThrowAwayCredentials,
    make_credentials,
    serve_in_thread,
)
from pushctl.simulator.desk import Desk
from pushctl.simulator.http import Request
from pushctl.simulator.plan import Plan, Visit

DEAD_SINCE_MS = 1_790_000_000_000
DEAD_SINCE = "2026-09-21T14:13:20Z"
TOPIC = "com.example.shop"

_APNS_ANSWERS: Mapping[str, Any] = {
    "de": Say(reason="Unregistered", timestamp_ms=DEAD_SINCE_MS),
    "bd": "BadDeviceToken",
    "0b": "DeviceTokenNotForTopic",
    "f0": Say(reason="BrandNewReason", status=400),
    "dd": Say(status=502, body=b"<html><body>Bad Gateway</body></html>"),
    "cc": "drop",
    "ca": "hang",
    "ce": "rst:REFUSED_STREAM",
}
"""What APNs answers to device tokens by their first byte."""

_FCM_ANSWERS: Mapping[str, Any] = {
    "GONE": "UNREGISTERED",
    "BADTOKEN": "INVALID_ARGUMENT/bad_token",
    "OTHERPROJECT": "SENDER_ID_MISMATCH",
    "QUOTA": Say(reason="QUOTA_EXCEEDED", fields=(("retry-after", "900"),)),
    "CONTROL": Say(
        status=400,
        body=b'{"error":{"code":400,"message":"odd \\u001b[31mtext","status":"INVALID_ARGUMENT"}}',
    ),
    "DROP": Drop(processed=False),
}
"""What FCM answers to registration tokens by the word behind their colon."""


def ios(number: int = 1, first_byte: str = "aa") -> str:
    """Return device token *number*; *first_byte* chooses the answer, ``aa`` is accepted."""
    return f"{first_byte}{number:062x}"


def android(number: int = 1, word: str = "OK") -> str:
    """Return registration token *number*; *word* chooses the answer, ``OK`` is accepted."""
    return f"dTok{number:018d}:{word}-APA91bInvented"


def rules() -> tuple[Rule, ...]:
    """Return what the simulator answers to the tokens of :func:`ios` and :func:`android`."""
    for_apns = (
        Rule(pattern=f"{first_byte}*", answer=answer, service="apns")
        for first_byte, answer in _APNS_ANSWERS.items()
    )
    for_fcm = (
        Rule(pattern=f"*:{word}-*", answer=answer, service="fcm")
        for word, answer in _FCM_ANSWERS.items()
    )
    return (*for_apns, *for_fcm)


# -- the simulator --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Push:
    """A push as it arrived."""

    fields: Mapping[str, str]
    """Its header fields, ``:path`` included."""
    payload: Any
    """Its body, read as JSON."""

    @property
    def aps(self) -> Any:
        """The ``aps`` of an APNs payload."""
        return self.payload["aps"]

    @property
    def message(self) -> Any:
        """The ``message`` of an FCM request."""
        return self.payload["message"]


class Served:
    """A running simulator, what it received, and credentials that it trusts."""

    def __init__(self, simulator: Simulator, made: ThrowAwayCredentials) -> None:
        self.simulator = simulator
        self.made = made
        self.answered: list[Received] = []
        self.pushes: list[Push] = []
        self.arrived = threading.Event()
        """Set once a push has arrived."""
        self.asked_for_batch = threading.Event()
        """Set once a batch of topic subscriptions has been asked for."""

    @property
    def url(self) -> str:
        """The address of both gateways."""
        return self.simulator.url

    def forget(self) -> None:
        """Forget what was received so far."""
        self.answered.clear()
        self.pushes.clear()
        self.arrived.clear()
        self.asked_for_batch.clear()

    def received(self) -> list[tuple[str | None, int | None, str | None]]:
        """Return token, status and reason of each push, in the order of arrival."""
        return [(push.token, push.status, push.reason) for push in self.answered]

    def only(self) -> Push:
        """Return the one push that arrived."""
        (push,) = self.pushes
        return push


@contextlib.contextmanager
def serving(folder: Path, script: Script, **options: Any) -> Iterator[Served]:
    """Serve *script* with fresh credentials in *folder* until the block ends."""
    holder: list[Served] = []
    handle = Desk.handle

    def note(desk: Desk, request: Request, visit: Visit) -> Plan:
        is_push = request.path.startswith(("/3/", "/4/")) or request.path.endswith("messages:send")
        if holder and desk is holder[0].simulator._desk and is_push:
            fields = {":path": request.target, **dict(request.fields)}
            holder[0].pushes.append(Push(fields, json.loads(request.body)))
            holder[0].arrived.set()
        elif holder and "/iid/" in request.path:
            holder[0].asked_for_batch.set()
        return handle(desk, request, visit)

    def answered(push: Received) -> None:
        holder[0].answered.append(push)

    with (
        mock.patch.object(Desk, "handle", note),
        serve_in_thread(script=script, on_push=answered, **options) as simulator,
    ):
        holder.append(Served(simulator, make_credentials(folder, simulator)))
        yield holder[0]


# -- a run of the command -------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What one run of the command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        """The ``error:`` lines, without that word."""
        return self._after("error: ")

    @property
    def hints(self) -> list[str]:
        """The ``hint:`` lines, without that word."""
        return self._after("hint: ")

    @property
    def warnings(self) -> list[str]:
        """The ``warning:`` lines, without that word."""
        return self._after("warning: ")

    @property
    def document(self) -> Any:
        """All of stdout as one JSON document."""
        return json.loads(self.stdout)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of ``-o jsonl``, ordered by row."""
        lines = [json.loads(line) for line in self.stdout.splitlines()]
        return sorted(lines, key=lambda record: int(record["row"]))

    @property
    def record(self) -> dict[str, Any]:
        """The one record of ``-o jsonl``."""
        (record,) = self.records
        return record

    def _after(self, word: str) -> list[str]:
        lines = self.stderr.splitlines()
        return [line.removeprefix(word) for line in lines if line.startswith(word)]


def run_cli(
    *arguments: str,
    cwd: Path,
    stdin: bytes = b"",
    columns: int = 80,
    tty: bool = False,
    encoding: str = "utf-8",
    env: Mapping[str, str] | None = None,
) -> Result:
    """
    Run ``pushctl`` with *arguments* in the folder *cwd*, and return how it went.

    With *tty* the streams say that they are a terminal, *columns* wide.  *encoding* is that of
    stdout and stderr, which have the error handlers that Python gives them.
    """
    out, err = io.BytesIO(), io.BytesIO()
    kind = _Tty if tty else io.TextIOWrapper
    stdout = kind(out, encoding=encoding, errors="strict", write_through=True)
    stderr = kind(err, encoding=encoding, errors="backslashreplace", write_through=True)
    on_usr1 = signal.getsignal(signal.SIGUSR1)
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, clean_environment(cwd, columns, env), clear=True),
        mock.patch.object(sys, "stdin", kind(io.BytesIO(stdin), encoding="utf-8")),
        mock.patch.object(sys, "stdout", stdout),
        mock.patch.object(sys, "stderr", stderr),
        mock.patch.object(app, "build_app", _build_app),
        mock.patch.object(typer.main, "get_command", _get_command),
    ):
        try:
            code = app.run(arguments)
        finally:
            signal.signal(signal.SIGUSR1, on_usr1)
    return Result(code, out.getvalue().decode(encoding), err.getvalue().decode(encoding))


# A process builds the commands once, which takes longer than most of these runs; so do the tests.
_build_app = functools.cache(app.build_app)
_get_command = functools.cache(typer.main.get_command)


class _Tty(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def start_cli(*arguments: str, cwd: Path, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start ``pushctl`` with *arguments* as a process of its own, by way of *prefix*."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "pushctl", *arguments],
        cwd=cwd,
        env=clean_environment(cwd, 80, None),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def clean_environment(cwd: Path, columns: int, more: Mapping[str, str] | None) -> dict[str, str]:
    """Return an environment that holds nothing the machine or a CI service has put into it."""
    home = cwd.parent / "home"
    return {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(Path(pushctl.__file__).parents[1]),  # the package under test, always
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "COLUMNS": str(columns),
        "TERMINAL_WIDTH": str(columns),
        **(more or {}),
    }


# -- a folder to send from ------------------------------------------------------------------------


class Project:
    """A folder with a ``pushctl.yaml`` that fits the simulator."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder = folder
        self.served = served
        self.config = self.write("pushctl.yaml", config_text(served))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write *content* to the file *name*; return its path."""
        path = self.folder / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    def send(self, *arguments: str, **more: Any) -> Result:
        """Run ``pushctl send`` in the folder."""
        return run_cli("send", *arguments, cwd=self.folder, **more)

    def records(self, *arguments: str, **more: Any) -> list[dict[str, Any]]:
        """Run ``pushctl send -o jsonl`` in the folder; return its records, ordered by row."""
        return self.send("-o", "jsonl", *arguments, **more).records

    def runs(self) -> list[Path]:
        """Return the folders of the runs, oldest first."""
        return sorted((self.folder / ".pushctl" / "runs").glob("*"))

    def bounce_log(self, name: str = "bounces.jsonl") -> list[dict[str, Any]]:
        """Return the lines of the bounce log."""
        text = (self.folder / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the bounce log that tell of *event*."""
        return [line for line in self.bounce_log() if line["event"] == event]


def config_text(served: Served, *, apns_topic: str = TOPIC, url: str | None = None) -> str:
    """Return a config with one credential for each service."""
    made, url = served.made, url or served.url
    return f"""\
credentials:
  shop-ios:
    service: apns
    environment: {served.simulator.environment}
    topic: {apns_topic}
    key_file: {made.key_file}
    key_id: {made.key_id}
    team_id: {made.team_id}
    endpoint: {url}
    ca_file: {made.ca_file}
  shop-android:
    service: fcm
    service_account_file: {made.service_account_file}
    endpoint: {url}
    token_endpoint: {served.simulator.token_uri}
    ca_file: {made.ca_file}
"""


_VARYING: Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = (
    (re.compile(r"\b\d{8}-\d{6}-[a-z2-9]{5}\b"), "<run>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]*…"), "<cut id>"),
    (re.compile(r"messages/0:\d+%[0-9a-f]+"), "messages/<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"\(\d+\.\d s(, [\d,]+/s)?\)"), "(<duration>)"),
    (re.compile(r" \d+ ms\b"), " <latency>"),
)


def apns_at(folder: Path, port: int, ca_file: Path) -> None:
    """Write a config into *folder* that takes *port* of this machine for APNs."""
    (folder / "pushctl.yaml").write_text(f"""\
credentials:
  shop:
    service: apns
    environment: production
    topic: {TOPIC}
    key_file: key.p8
    key_id: ABC123DEFG
    team_id: DEF123GHIJ
    endpoint: https://localhost:{port}
    ca_file: {ca_file}
""")


def steady(text: str, folder: Path) -> str:
    """Return *text* without what differs from run to run: ids, times, ports, folders."""
    text = text.replace(str(folder), "<folder>")
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text
