"""
Answers of APNs (to a device, to a channel), of FCM (to a push, to a subscription) and of Google's
token endpoint: any status, header fields and body.

Nothing raises.  A push is accepted on a 2xx alone; a token is removed by the vendors' word alone,
which is looked for here in the plainest way; a bare 200 without a token grants none.  What is
shown of a server's text cannot drive a terminal, a wait is at most an hour, and the record of the
outcome is one line of JSON that says the same.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz import kit
from fuzz.draw import Draw
from pushctl.gateway import apns, broadcast, fcm, oauth, topics
from pushctl.gateway.answer import read_object
from pushctl.outcome import Kind, Outcome, TokenAction
from pushctl.records.record import FIELDS, Address, outcome_record, outcome_text

EXECUTIONS = 50_000
MAX_BYTES = 2_048
FIXTURES = kit.HERE.parent / "fixtures" / "protocol" / "answers.json"
_STATUSES = (200, 400, 401, 403, 404, 410, 429, 500, 502, 503)
_NAMES = ("apns-id", "retry-after", "date", "apns-unique-id", "content-type", "x")
_VALUES = (
    *("30", "-1", "99999999999999999999", "Fri, 20 Nov 2026 10:00:00 GMT", "0", "\x1b[31m"),
    *("Fri, 20 Nov 2026 10:01:40 GMT", "6d1f6d3e-7c52-4a56-9c3a-0b8a3f3f0f10", "text/html"),
)
WORDS = tuple(
    word.encode()
    for word in (
        *('{"reason":"', '"timestamp":', '{"error":{', '"status":"', '"details":[', '"@type":"'),
        *('"errorCode":"UNREGISTERED"', '"reason":"', '"statusCode":410', "type.googleapis.com/"),
        *("google.firebase.fcm.v1.FcmError", "google.firebase.fcm.v1.ApnsError", '"message":"'),
        *("google.rpc.BadRequest", "google.rpc.QuotaFailure", "google.rpc.RetryInfo", "42s"),
        *("google.rpc.ErrorInfo", '"fieldViolations":[{"field":"', '"description":"', '"errors":'),
        *("INVALID_ARGUMENT", "Unregistered", "ExpiredToken", "BadDeviceToken", '"code":400'),
        *('"access_token":"', '"expires_in":', '"error_description":"', "invalid_grant", "<html>"),
        *('"name":"projects/p/messages/1"', "\\u001b", "\\ud800", "1e400", "NaN", "null", "true"),
    )
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    service = draw.below(6)
    status = 100 + draw.below(900) if draw.chance() else draw.pick(_STATUSES)
    headers = [(draw.pick(_NAMES), _value(draw)) for _ in range(draw.below(4))]
    body = draw.rest()
    given = _plainly(body)
    assert (read_object(body) or {}) == (given or {})
    if service == 0:
        outcome = apns.read_answer(status, headers, body)
        assert (status == 410) == (outcome.token_action is TokenAction.REMOVE)
        apns.goaway_reason(body)
        _check_since(outcome)
    elif service == 1:
        outcome = fcm.read_answer(status, headers, body)
        if outcome.token_action is TokenAction.REMOVE:
            assert status in (400, 404, 410)
            assert _is_dead(given)
    elif service == 3:
        outcome = broadcast.read_answer(status, headers, body)
        assert outcome.token_action is TokenAction.KEEP
    elif service == 4:
        _check_batch(status, headers, body)
        return
    elif service == 5:
        outcome = topics.read_single(status, headers, body)
    else:
        answer = oauth.read_answer(status, headers, body)
        if isinstance(answer, oauth.TokenGrant):
            assert 200 <= status < 300
            assert answer.access_token == (given or {})["access_token"]
            assert 0 <= answer.expires_in <= 86_400
            return
        outcome = answer
        assert outcome.token_action is TokenAction.KEEP
        assert outcome.kind is Kind.REJECTED
    if service in (0, 1, 3):
        assert (200 <= status < 300) == (outcome.kind is Kind.ACCEPTED)
    _check_texts(outcome)
    _check_record(outcome)


def seeds() -> Iterator[bytes]:
    """Yield the answers that the vendors document, and those that people captured."""
    services = {"apns": 0, "fcm": 1, "oauth": 2, "apns-broadcast": 3}
    yield b"\x04\x01\x00\x64\x00" + b'{"results":[{},{"error":"NOT_FOUND"},{"error":"\xc3\xa4"}]}'
    yield b"\x05\x00\x05\x00" + b'{"error":{"code":404,"status":"NOT_FOUND","message":"x"}}'
    for answer in json.loads(Path(FIXTURES).read_text("utf-8"))["answers"]:
        service, response = services.get(answer["service"]), answer["response"]
        status, body = response.get("status"), response.get("body")
        if service is None or status is None:
            continue
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        head = bytes((service, 1)) + (status - 100).to_bytes(2, "big") + b"\x00"
        yield head + text.encode()[:1_900]


def _check_batch(status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    """Each registration has its own outcome, or all have one that is never an acceptance."""
    for number in (1, 3):
        found = topics.read_batch(status, headers, body, number)
        if isinstance(found, Outcome):
            assert found.kind is not Kind.ACCEPTED
            found = [found]
        else:
            assert len(found) == number
        for outcome in found:
            _check_texts(outcome)
            _check_record(outcome)


def _value(draw: Draw) -> str:
    if draw.chance():
        return draw.take(draw.below(40)).decode("latin-1")
    return draw.pick(_VALUES)


def _plainly(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object *body*, as the standard library reads it."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_dead(given: dict[str, Any] | None) -> bool:
    """Return whether Google says that the token is dead, or quotes APNs saying so."""
    error = (given or {}).get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and (
            str(detail.get("errorCode")).strip() == "UNREGISTERED"
            or 410 in (detail.get("statusCode"), detail.get("status_code"))
        ):
            return True
    return False


def _check_since(outcome: Outcome) -> None:
    if outcome.dead_since is not None:
        moment = datetime.datetime.fromisoformat(outcome.dead_since)
        assert 2009 <= moment.year < 2100


def _check_texts(outcome: Outcome) -> None:
    for text in (outcome.reason, outcome.id, outcome.unique_id, outcome.apns_reason, outcome.case):
        kit.check_shown(text, 200)
    kit.check_shown(outcome.detail, 1_100)
    assert outcome.retry_after_s is None or 0 <= outcome.retry_after_s <= 3_600


def _check_record(outcome: Outcome) -> None:
    """The record is one line, the same by either way of making it."""
    address = Address(1, "list.csv:2", None, "apns", "ios", "shop", None, None, "aa")
    told: dict[str, Any] = {"run": "r", "campaign": None, "time": 0.0, "attempts": 1}
    line = outcome_text(address, outcome, latency_ms=3, **told)
    assert not {*map(chr, range(32)), "\x7f", "\u2028", "\x85"} & {*line}
    read = json.loads(line)
    assert tuple(read) == FIELDS
    assert read == outcome_record(address, outcome, latency_ms=3, **told)
