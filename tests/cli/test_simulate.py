"""``pushctl simulate``: its options, what it writes and says, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pushctl.cli import simulate_serving
from pushctl.cli.simulate import register
from pushctl.cli.simulate_inputs import parse_delay
from pushctl.cli.simulate_serving import Serving
from pushctl.errors import InvalidInput, PushctlError, UsageError
from pushctl.simulator import Received
from pushctl.view.terminal import Terminal
from simulator.kit import TOKEN, TOPIC, pem, provider_token

MAIN = """
import sys, typer
from pushctl.cli.simulate import register
from pushctl.errors import PushctlError
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
register(app)
sys.exit(app(args=sys.argv[1:], standalone_mode=False))
"""


def refused(*arguments: str) -> PushctlError:
    """Run the command on arguments that it refuses and return the error."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    register(app)
    with pytest.raises(PushctlError) as caught:
        app(args=list(arguments), standalone_mode=False)
    return caught.value


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run the command as a process; yields it once it listens, with a client that trusts it."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "--port", "0", "--folder", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        for _ in range(4):
            process.stderr.readline()
        url = first.rsplit(" ", 1)[1].strip()
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        with httpx.Client(http2=True, verify=context, base_url=url, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def push(client: httpx.Client, folder: Path, tokens: list[str]) -> list[int]:
    """Push to each token with one provider token and return the statuses."""
    key = (folder / "AuthKey_SIMULATED1.p8").read_bytes()
    bearer = "bearer " + provider_token(key, "SIMULATED1", "TEAM123456")
    head = {"authorization": bearer, "apns-topic": TOPIC}
    body = {"aps": {"alert": "x"}}
    return [
        client.post(f"/3/device/{token}", headers=head, json=body).status_code for token in tokens
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with 0; it says what it received; jsonl has a line a push."""
    folder = tmp_path / "simulator"
    with running(folder, "-o", "jsonl", "--answer", f"{'ab' * 32}=Unregistered") as (
        process,
        client,
    ):
        assert [200, 410] == push(client, folder, [TOKEN, "ab" * 32])
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    assert 0 == process.returncode
    records = [json.loads(line) for line in stdout.splitlines()]
    assert [
        ("apns", TOKEN, TOPIC, 200, None),
        ("apns", "ab" * 32, TOPIC, 410, "Unregistered"),
    ] == [
        (item["service"], item["token"], item["topic"], item["status"], item["reason"])
        for item in records
    ]
    assert records[0]["time"].endswith("Z")
    assert "received 2 pushes on 1 connections, accepted 1" in stderr
    assert "apns/Unregistered" in stderr


def test_a_closed_stdout_does_not_stop_it(tmp_path: Path) -> None:
    """When the reader of the records is gone, pushes are still answered."""
    with running(tmp_path / "simulator", "-o", "jsonl") as (process, client):
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = open(os.devnull)  # noqa: SIM115 -- closed by running()
        assert [200, 200, 200] == push(client, tmp_path / "simulator", [TOKEN] * 3)


def test_given_credentials_are_accepted(tmp_path: Path) -> None:
    """A push key and a service account of the user's own are taken beside the throw-away ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    key_file = tmp_path / "AuthKey_MYKEY12345.p8"
    key_file.write_bytes(pem(key))
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    info = {
        "private_key": pem(rsa_key).decode(),
        "private_key_id": "1",
        "client_email": "a@b",
        "project_id": "mine",
    }
    account_file = tmp_path / "account.json"
    account_file.write_text(json.dumps(info))
    folder = tmp_path / "simulator"
    arguments = ["--key-file", str(key_file), "--team-id", "MYTEAM1234", "--topic", "com.mine.app"]
    with running(folder, *arguments, "--service-account", str(account_file), "-v") as (
        process,
        client,
    ):
        bearer = "bearer " + provider_token(key, "MYKEY12345", "MYTEAM1234")
        answers = [
            client.post(
                f"/3/device/{TOKEN}",
                headers={"authorization": bearer, "apns-topic": topic},
                json={"aps": {"alert": "x"}},
            )
            for topic in ("com.mine.app", TOPIC)
        ]
        claims = jwt.decode(
            answers[0].request.headers["authorization"][7:], options={"verify_signature": False}
        )
        now = claims["iat"]
        grant = jwt.encode(
            {
                "iss": "a@b",
                "scope": "https://www.googleapis.com/auth/firebase.messaging",
                "aud": "https://oauth2.googleapis.com/token",
                "iat": now,
                "exp": now + 3600,
            },
            rsa_key,
            "RS256",
        )
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": grant}
        token = client.post("/token", data=form)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert [200, 400] == [answer.status_code for answer in answers]
    assert ("TopicDisallowed", 200) == (answers[1].json()["reason"], token.status_code)
    assert '"com.mine.app"' in (folder / "pushctl.yaml").read_text()
    assert ["apns", "200", "00fc13ad…e8f0", "accepted"] == stderr.splitlines()[0].split()


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("2", 2), ("1.5s", 1.5), ("50ms", 0.05), (" 3s ", 3)]
)
def test_delays(text: str, seconds: float) -> None:
    """A delay is a number with ms, s or nothing."""
    assert seconds == parse_delay(text)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1h", "3601", "nan"])
def test_other_delays_are_refused(text: str) -> None:
    """What is no delay, or a very long one, is a usage error."""
    with pytest.raises(UsageError):
        parse_delay(text)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--answer", "Unregistered"], "not TOKEN=REASON", "9f3a1c"),
        (["--answer", "=Unregistered"], "not TOKEN=REASON", "9f3a1c"),
        (["--answer", "ab=Unregisterd"], "neither service", "did you mean Unregistered?"),
        (["--answer", "ab=qqqqqqqqqqqq"], "neither service", "pushctl explain"),
        (["--answer", "ab=rst:NOPE"], "NOPE is not an HTTP/2 error code", None),
        (["--answer", "ab="], "an answer needs a name", None),
        (["--delay", "soon"], "is no delay", "50ms"),
        (["-o", "xml"], "not an output", None),
        (["--key-file", "AuthKey_MYKEY12345.p8"], "--team-id", None),
        (["--key-file", "key.p8", "--team-id", "T"], "key id", "--key-id"),
    ],
)
def test_wrong_options_are_usage_errors(
    arguments: list[str], message: str, hint: str | None
) -> None:
    """What is wrong is named, with a hint where there is one; nothing is started or written."""
    error = refused(*arguments)
    problem = error.problems[0]
    assert (True, True) == (isinstance(error, UsageError), message in problem.message)
    if hint is not None:
        assert hint in (problem.hint or "")


def test_wrong_files_are_invalid_input(tmp_path: Path) -> None:
    """A file that is missing or holds something else is exit code 3, and no secret is shown."""
    key_file, account = tmp_path / "AuthKey_MYKEY12345.p8", tmp_path / "account.json"
    key_file.write_text("SECRET-CANARY")
    account.write_text('["SECRET-CANARY"]')
    errors = [
        refused("--key-file", str(key_file), "--team-id", "T"),
        refused("--key-file", str(tmp_path / "none.p8"), "--team-id", "T", "--key-id", "K"),
        refused("--service-account", str(account)),
        refused("--host", "0.0.0.0"),
        refused("--port", "0", "--folder", str(tmp_path)),
    ]
    assert [InvalidInput] * 5 == [type(error) for error in errors]
    assert "CANARY" not in " ".join(str(error) for error in errors)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A port that is taken is a usage error that suggests another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        error = refused("--port", port, "--folder", str(tmp_path / "new"))
    assert (True, True) == (
        f"cannot listen on port {port}" in str(error),
        "--port 0" in (error.problems[0].hint or ""),
    )


def started_and_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[str, str]:
    """Run the command in this process, told to stop before it waits; return what it printed."""

    def stopped() -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    monkeypatch.setattr(simulate_serving, "_stop_on_signals", stopped)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    register(app)
    assert 0 == app(args=["--port", "0", *arguments], standalone_mode=False)
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_it_says_where_it_listens_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address, the config and the next command go to stderr; stdout stays empty."""
    folder = tmp_path / "two words"
    out, err = started_and_stopped(
        monkeypatch, capsys, "--folder", str(folder), "--environment", "sandbox"
    )
    config = folder / "pushctl.yaml"
    assert ("", True, True, True) == (
        out,
        "APNs sandbox + FCM + token endpoint · https://127.0.0.1:" in err,
        f"pushctl send --config '{config}' --profiles '{folder / 'profiles.yaml'}'" in err,
        "received 0 pushes" in err,
    )
    assert "environment: sandbox" in config.read_text()


def test_quiet_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With -q there is no talk at all."""
    assert ("", "") == started_and_stopped(monkeypatch, capsys, "-q", "--folder", str(tmp_path))


def test_pushes_are_shown_as_asked() -> None:
    """Nobody listens by default; jsonl has records on stdout, -v lines on stderr."""
    push = Received(1_795_168_800.25, "apns", "ab\x1b" * 20, None, "drop", TOPIC)
    out, err = io.StringIO(), io.StringIO()
    quiet = Terminal(stdout=out, stderr=err)
    loud = Terminal(stdout=out, stderr=err, verbose=1)
    assert Serving(quiet, Path(), None, None).listener(jsonl=False) is None
    for terminal, jsonl in ((quiet, True), (loud, False)):
        listener = Serving(terminal, Path(), None, None).listener(jsonl=jsonl)
        assert listener is not None
        listener(push)
    record = json.loads(out.getvalue())
    assert ("2026-11-20T10:00:00.250Z", None, "drop") == (
        record["time"],
        record["status"],
        record["reason"],
    )
    assert (["apns", "-", "drop"], False) == (
        [word for word in err.getvalue().split() if "ab" not in word],
        "\x1b" in err.getvalue(),
    )
