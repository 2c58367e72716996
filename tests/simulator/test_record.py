"""The record of ``pushctl simulate --record``: all that came, on lines, and no secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from pushctl.errors import StorageError
from pushctl.simulator import Exchange, Rule, Script
from pushctl.simulator.record import Recorder
from simulator.kit import ANDROID_TOKEN, OTHER_TOKEN, TOKEN, serving


def test_all_that_came_is_recorded_without_secrets(tmp_path: Path) -> None:
    """A line for each request of each service; bearers and assertions only as fingerprints."""
    exchanges: list[Exchange] = []
    script = Script(rules=(Rule(token=OTHER_TOKEN, answer="Unregistered"),))
    with serving(tmp_path, script=script, on_exchange=exchanges.append) as served:
        assertion = served.assertion()
        access: str = served.grant(assertion).json()["access_token"]
        served.push(TOKEN)
        served.push(OTHER_TOKEN)
        served.fcm({"token": ANDROID_TOKEN, "data": {"a": "b"}}, access)
        served.fcm({"token": ANDROID_TOKEN, "data": {"a": "b"}}, access, validate_only=True)
        secrets = [assertion, access, served.bearer.split()[1]]
    path = tmp_path / "received.jsonl"
    recorder = Recorder(path, later=lambda flush: None, failed=_never)
    for exchange in exchanges:
        recorder.take(exchange)
    recorder.close()
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [
        ("oauth", "answered", 200, None),
        ("apns", "accepted", 200, None),
        ("apns", "rejected", 410, "Unregistered"),
        ("fcm", "accepted", 200, None),
        ("fcm", "validated", 200, None),
    ] == [(one["service"], one["outcome"], one["status"], one["reason"]) for one in lines]
    assert lines[1]["headers"]["authorization"].startswith("bearer sha256:")
    assert {"aps": {"alert": {"title": "Hello"}}} == lines[1]["body"]
    for secret in secrets:
        for part in (secret, secret.rpartition(".")[2]):
            assert part not in text


@pytest.mark.parametrize("path", ["/fcm/send", "/batch", "/v2/nothing"])
def test_what_nobody_answers_is_recorded_too(tmp_path: Path, path: str) -> None:
    """The legacy API that Google switched off is a page with 404, and whoever asks is told of."""
    exchanges: list[Exchange] = []
    with serving(tmp_path, on_exchange=exchanges.append) as served:
        head = {"authorization": "key=AAAAlegacyServerKey"}
        answer = served.client.post(path, headers=head, json={"to": ANDROID_TOKEN})
        assert 200 == served.client.get("/stats").status_code  # its own pages are no traffic
        stats = served.fake.stats()
    (one,) = [exchange.as_json() for exchange in exchanges]
    assert (404, "text/html; charset=UTF-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert ("other", "answered", 404, "(html 404)", path) == (
        one["service"],
        one["outcome"],
        one["status"],
        one["reason"],
        one["path"],
    )
    assert "legacyServerKey" not in json.dumps(one)
    assert ({"other/(html 404)": 1}, 0) == (stats.reasons, stats.requests)


def test_apns_over_http1_is_recorded(tmp_path: Path) -> None:
    """A client that speaks no HTTP/2 is told so, and so is who looks for its push."""
    exchanges: list[Exchange] = []
    with serving(tmp_path, http2=False, on_exchange=exchanges.append) as served:
        served.push()
    assert [("apns", "rejected", "HTTP/1.1", "1.1")] == [
        (one.service, one.outcome, one.reason, one.request.version) for one in exchanges
    ]


def test_an_older_record_is_added_to(tmp_path: Path) -> None:
    """What was there stays; a line that broke off is ended first."""
    path = tmp_path / "received.jsonl"
    path.write_text('{"a": 1}\n{"b": ')
    exchanges: list[Exchange] = []
    with serving(tmp_path / "made", on_exchange=exchanges.append) as served:
        served.push()
    recorder = Recorder(path, later=lambda flush: None, failed=_never)
    recorder.take(exchanges[0])
    recorder.close()
    lines = path.read_text().splitlines()
    assert ['{"a": 1}', '{"b": '] == lines[:2]
    assert TOKEN == json.loads(lines[2])["target"]


def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    """When the record cannot be written any more, its owner hears of it and nothing is raised."""
    exchanges: list[Exchange] = []
    with serving(tmp_path, on_exchange=exchanges.append) as served:
        served.push()
    told: list[StorageError] = []
    recorder = Recorder(Path("/dev/full"), later=lambda flush: None, failed=told.append)
    for _ in range(3):
        recorder.take(exchanges[0])
        recorder.flush()
    recorder.close()
    assert ["cannot write the record '/dev/full': No space left on device"] == [
        str(error) for error in told
    ]


def _never(error: StorageError) -> None:
    raise AssertionError(error)
