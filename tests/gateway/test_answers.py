"""Every published sample of an answer is concluded as its `expect` says."""

import datetime
import json
import pathlib
from typing import Any

import pytest

from pushctl import catalog
from pushctl.gateway import apns, fcm, oauth
from pushctl.outcome import Kind, Outcome

SAMPLES_FILE = pathlib.Path(__file__).parents[1] / "fixtures" / "protocol" / "answers.json"
SAMPLES: list[dict[str, Any]] = json.loads(SAMPLES_FILE.read_text("utf-8"))["answers"]
READERS = {"apns": apns.read_answer, "fcm": fcm.read_answer, "oauth": oauth.read_answer}


def answers(service: str) -> list[Any]:
    """Return the samples of *service* that are answers and not frames."""
    return [
        pytest.param(sample, id=sample["id"])
        for sample in SAMPLES
        if sample["service"] == service and "status" in sample["response"]
    ]


def read(sample: dict[str, Any]) -> Outcome | oauth.TokenGrant:
    """Put the answer of a sample through its service's reader."""
    response = sample["response"]
    body = response["body"]
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    raw = (text or "").encode()
    headers = [(name, value) for name, value in response["headers"]]
    return READERS[sample["service"]](response["status"], headers, raw)


def check_classification(expect: dict[str, Any], outcome: Outcome) -> None:
    """Compare what every service's expectations have in common."""
    assert expect["outcome"] == outcome.kind
    assert expect["category"] == outcome.category
    assert expect["retryable"] == outcome.retryable
    assert expect["token_action"] == outcome.token_action
    assert expect.get("retry_after_s") == outcome.retry_after_s
    if outcome.kind is Kind.REJECTED:
        assert expect["status"] == outcome.status
        assert outcome.description


@pytest.mark.parametrize("sample", answers("apns"))
def test_an_apns_sample_is_concluded_as_expected(sample: dict[str, Any]) -> None:
    """An APNs answer gives the outcome, classification and spelling that its sample expects."""
    expect = sample["expect"]
    outcome = read(sample)

    assert isinstance(outcome, Outcome)
    if "given_token_registered_at_ms" in expect:
        registered_ms = expect["given_token_registered_at_ms"]
        registered = datetime.datetime.fromtimestamp(registered_ms / 1000, datetime.UTC)
        outcome = apns.keep_if_registered_since(outcome, registered.isoformat())
    check_classification(expect, outcome)
    assert expect.get("reason") == outcome.reason
    if outcome.reason is not None:
        row = catalog.lookup("apns", outcome.reason)
        if expect.get("unknown"):
            assert row is None
        else:
            assert row is not None
            assert expect["reason"] == row.name
            assert row.description == outcome.description


@pytest.mark.parametrize("sample", answers("fcm"))
def test_an_fcm_sample_is_concluded_as_expected(sample: dict[str, Any]) -> None:
    """An FCM answer gives the outcome, classification, case and code that its sample expects."""
    expect = sample["expect"]
    outcome = read(sample)

    assert isinstance(outcome, Outcome)
    check_classification(expect, outcome)
    assert expect.get("sub_case") == outcome.case
    if "apns_reason" in expect:
        assert expect["apns_reason"] == outcome.apns_reason
    if expect.get("error_code"):
        assert expect["error_code"] == outcome.reason
    if expect.get("google_key", "(none)") != "(none)":
        assert expect["google_key"] == outcome.reason
    elif "google_key" in expect:
        assert expect["rpc_status"] == outcome.reason
    if "rpc_status" in expect:
        row = catalog.lookup("google", str(outcome.reason), status=expect["status"])
        assert row is not None
        assert expect["rpc_status"] == row.rpc_status
        assert row.description == outcome.description


@pytest.mark.parametrize("sample", answers("oauth"))
def test_a_token_endpoint_sample_is_concluded_as_expected(sample: dict[str, Any]) -> None:
    """An answer of the token endpoint gives the grant or the case that its sample expects."""
    expect = sample["expect"]
    answer = read(sample)

    if expect["outcome"] == "token":
        body = sample["response"]["body"]
        assert oauth.TokenGrant(body["access_token"], expect["expires_in"]) == answer
        assert body["access_token"] not in repr(answer)
        return
    assert isinstance(answer, Outcome)
    check_classification(expect, answer)
    assert expect["oauth_case"] == answer.case
    assert expect["oauth_case"] == answer.reason


FRAMES = [sample for sample in SAMPLES if "frame" in sample["response"]]


@pytest.mark.parametrize("sample", FRAMES, ids=lambda sample: sample["id"])
def test_the_reason_of_a_goaway_can_be_looked_up(sample: dict[str, Any]) -> None:
    """The debug data of a GOAWAY gives its reason, classified as in an answer, or none."""
    expect = sample["expect"]
    debug = sample["response"]["frame"]["debug_data"]
    reason = apns.goaway_reason(debug.encode())

    assert expect["reason"] == reason
    row = catalog.lookup("apns", reason or debug)
    assert row is not None
    assert expect["category"] == row.category
    assert expect["retryable"] == row.retryable
    assert expect["token_action"] == row.token_action


def test_all_samples_are_put_through() -> None:
    """No sample is left out: each is an answer that a test reads, or one of three frames."""
    counts = {service: len(answers(service)) for service in READERS}

    assert len(SAMPLES) == sum(counts.values()) + len(FRAMES)
    assert 3 == len(FRAMES)
    assert {"apns": 46, "fcm": 41, "oauth": 18} == counts
