"""The pytest plugin ``pushctl.testing``, as another project's tests use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import json
import ssl
import time

import httpx
import jwt
import pytest

TOKEN = "ab" * 32


def push(fake, client):
    head = {"apns-topic": fake.topic}
    return client.post("/3/device/" + TOKEN, headers=head, json={"aps": {"alert": "x"}})


def client_of(fake, context=None):
    head = {}
    if context is None:
        claims = {"iss": fake.team_id, "iat": int(time.time())}
        key = fake.key_file.read_bytes()
        token = jwt.encode(claims, key, "ES256", headers={"kid": fake.key_id})
        head = {"authorization": "bearer " + token}
    context = context or fake.ssl_context()
    return httpx.Client(
        http2=True, headers=head, verify=context, base_url=fake.url, trust_env=False
    )


def test_answers_and_what_was_received(fake_apns):
    fake_apns.answer(TOKEN, "Unregistered", times=1)
    with client_of(fake_apns) as client:
        assert [410, 200] == [push(fake_apns, client).status_code for _ in range(2)]
    found = fake_apns.wait_for(2)
    assert [(410, "Unregistered", False), (200, None, True)] == [
        (one.status, one.reason, one.accepted) for one in found
    ]
    assert {"aps": {"alert": "x"}} == found[0].payload
    assert fake_apns.topic == found[0].headers["apns-topic"]
    fake_apns.clear()
    assert [] == fake_apns.received


def test_nothing_is_left_of_an_earlier_test(fake_apns):
    assert [] == fake_apns.received
    with client_of(fake_apns) as client:
        assert 200 == push(fake_apns, client).status_code


def test_scenarios(fake_apns):
    fake_apns.play("rules: [{answer: TooManyRequests}]")
    with client_of(fake_apns) as client:
        assert 429 == push(fake_apns, client).status_code
        with pytest.raises(Exception, match="rst:NOPE|NOPE"):
            fake_apns.play("rules: [{answer: 'rst:NOPE'}]")


def test_certificate(fake_apns):
    context = fake_apns.ssl_context()
    context.load_cert_chain(fake_apns.certificate_file)
    with client_of(fake_apns, context) as client:
        url = "/3/device/" + TOKEN
        found = [
            client.post(url, headers={"apns-topic": topic}, json={"aps": {}}).status_code
            for topic in (fake_apns.topic, "com.other.app")
        ]
    assert [200, 400] == found


def test_both_are_one(fake_apns, fake_fcm):
    assert fake_apns.url == fake_fcm.url
    account = json.loads(fake_fcm.service_account_file.read_text())
    assert fake_fcm.token_uri == account["token_uri"]


def test_waiting_has_an_end(fake_fcm):
    with pytest.raises(AssertionError, match="0 of 1 pushes had arrived at fcm"):
        fake_fcm.wait_for(1, 0.01)
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."]
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_another_projects_tests_pass(tmp_path: Path) -> None:
    """Answers, scenarios, certificates, what was received: with the plugin asked for once."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["pushctl.testing"]\n')
    (tmp_path / "test_it.py").write_text(TESTS)
    found = run(tmp_path)
    assert "6 passed" in found.stdout, found.stdout + found.stderr


def test_who_does_not_ask_gets_nothing(tmp_path: Path) -> None:
    """Having pushctl installed adds no fixture to anybody's tests; ``-p`` asks for them."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text("def test_it(fake_apns):\n    assert fake_apns.port\n")
    without, asked = run(tmp_path), run(tmp_path, "-p", "pushctl.testing")
    assert "fixture 'fake_apns' not found" in without.stdout
    assert "1 passed" in asked.stdout, asked.stdout


def test_the_plugin_is_light() -> None:
    """Loading it imports neither the simulator nor what that needs."""
    code = "import json, sys, pushctl.testing; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(found.stdout))
    assert set() == loaded & {"pushctl.simulator", "h2", "cryptography", "pydantic"}
