"""The simulator over HTTP/2: acceptances, refusals, scripted answers, the open pages, counts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushctl import catalog
from pushctl.outcome import Environment
from pushctl.simulator import Device, Received, Rule, Say, Script
from simulator.kit import (
    ALERT,
    OTHER_TOKEN,
    TOKEN,
    TOPIC,
    Served,
    provider_token,
    serving,
)


def test_a_code_without_a_status_says_500(tmp_path: Path) -> None:
    """UNSPECIFIED_ERROR has no status of its own in the tables."""
    rules = (Rule(token="token:none", answer="UNSPECIFIED_ERROR"),)
    with serving(tmp_path, script=Script(rules=rules)) as served:
        answer = served.fcm({"token": "token:none"}, served.access_token())
    assert (500, True) == (answer.status_code, "UNSPECIFIED_ERROR" in answer.text)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def test_an_accepted_push(served: Served) -> None:
    """200, the apns-id as sent, no body, HTTP/2; nothing is refused in the counts."""
    answer = served.push(apns_id="123e4567-e89b-12d3-a456-426655440000")
    stats = served.fake.stats()
    assert (200, "123e4567-e89b-12d3-a456-426655440000", b"", "HTTP/2") == (
        answer.status_code,
        answer.headers["apns-id"],
        answer.content,
        answer.http_version,
    )
    assert (1, 1, {}, {TOKEN: 1}) == (
        stats.requests,
        stats.accepted,
        stats.reasons,
        stats.accepted_per_token,
    )
    assert "apns-unique-id" not in answer.headers


def test_the_sandbox_names_a_unique_id(tmp_path: Path) -> None:
    """In the sandbox an accepted push carries apns-unique-id, and sandbox tokens are at home."""
    devices = {TOKEN: Device(environment=Environment.SANDBOX)}
    with serving(tmp_path, environment=Environment.SANDBOX, devices=devices) as served:
        answer = served.push()
    assert (200, 36) == (answer.status_code, len(answer.headers["apns-unique-id"]))


def test_a_refused_push(served: Served) -> None:
    """A fault is answered in Apple's form and counted, not accepted."""
    answer = served.push(apns_push_type="Alert")
    stats = served.fake.stats()
    assert (400, {"reason": "InvalidPushType"}, "application/json", 36) == (
        answer.status_code,
        answer.json(),
        answer.headers["content-type"],
        len(answer.headers["apns-id"]),
    )
    assert (1, 0, {"apns/InvalidPushType": 1}, {TOKEN: 1}, {}) == (
        stats.requests,
        stats.accepted,
        stats.reasons,
        stats.requests_per_token,
        stats.accepted_per_token,
    )


def test_a_bad_credential_wins_over_a_scripted_answer(tmp_path: Path) -> None:
    """A rule speaks only where the push was good: no script hides a sender's mistake."""
    with serving(tmp_path, script=Script(rules=(Rule(answer="Unregistered"),))) as served:
        bad = served.push(authorization="bearer nonsense")
        good = served.push()
    assert ("InvalidProviderToken", "Unregistered") == (
        bad.json()["reason"],
        good.json()["reason"],
    )


APNS_REASONS = [row.name for row in catalog.all_reasons() if row.service == "apns" and row.status]


def test_every_reason_of_apns_can_be_scripted(tmp_path: Path) -> None:
    """Each row of the device API's table is answered with its status, a 410 with a timestamp."""
    tokens = {f"{number:064x}": name for number, name in enumerate(APNS_REASONS, 1)}
    rules = tuple(Rule(token=token, answer=name) for token, name in tokens.items())
    with serving(tmp_path, script=Script(rules=rules)) as served:
        for token, name in tokens.items():
            answer = served.push(token)
            row = catalog.lookup("apns", name)
            assert row is not None
            assert (row.status, name, row.status == 410) == (
                answer.status_code,
                answer.json()["reason"],
                "timestamp" in answer.json(),
            )


FCM_ROWS = [
    row
    for row in catalog.all_reasons()
    if row.service in ("fcm", "google")
    and row.status
    and "(" not in row.name
    and "messaging/" not in row.name
]


def test_every_reason_of_fcm_can_be_scripted(tmp_path: Path) -> None:
    """Each row of FCM and of Google's front end is answered in an envelope of its status."""
    words = {}
    for row in FCM_ROWS:
        for name in row.names:
            plain = name.replace("*", "INVALID")
            words[f"{plain}/{row.case}" if row.case else plain] = row
    tokens = {f"token:{number:020}": word for number, word in enumerate(words)}
    rules = tuple(Rule(token=token, answer=word) for token, word in tokens.items())
    with serving(tmp_path, script=Script(rules=rules)) as served:
        access = served.access_token()
        for token, word in tokens.items():
            answer = served.fcm({"token": token}, access)
            envelope = answer.json()["error"]
            code = word.partition("/")[0]
            found = catalog.lookup("fcm", code, case=word.partition("/")[2] or None)
            assert found is not None
            assert (found.status, found.status) == (answer.status_code, envelope["code"])
            assert found.rpc_status in (None, envelope["status"])
            details = {
                item["@type"].rpartition(".")[2]: item for item in envelope.get("details", ())
            }
            if "ErrorInfo" in details:
                assert code == details["ErrorInfo"]["reason"]
            elif "FcmError" in details:
                assert code == details["FcmError"]["errorCode"]
            assert "date" in answer.headers


def test_scripted_answers_can_say_anything(tmp_path: Path) -> None:
    """Status, fields, body and timestamp can all be given; a bare status has an empty body."""
    rules = (
        Rule(
            token="01",
            answer=Say(reason="TooManyRequests", fields=(("retry-after", "30"),)),
        ),
        Rule(token="02", answer=Say(status=502, body=b"<html>")),
        Rule(token="03", answer="503"),
        Rule(token="04", answer=Say(reason="Unregistered", timestamp_ms=1_700_000_000_000)),
        Rule(token="05", answer=Say(reason="BrandNew", status=418)),
        Rule(token="06", answer="NoSuchReason"),
    )
    with serving(tmp_path, script=Script(rules=rules)) as served:
        answers = [served.push(f"{number:02}") for number in range(1, 7)]
    assert [
        (429, b'{"reason":"TooManyRequests"}'),
        (502, b"<html>"),
        (503, b""),
        (410, b'{"reason":"Unregistered","timestamp":1700000000000}'),
        (418, b'{"reason":"BrandNew"}'),
        (501, b"APNs has no reason NoSuchReason\n"),
    ] == [(answer.status_code, answer.content) for answer in answers]
    assert "30" == answers[0].headers["retry-after"]


def test_scripted_answers_of_google(tmp_path: Path) -> None:
    """FCM and the token endpoint take statuses, unknown codes, fields and faults of the script."""
    rules = (
        Rule(token="token:bare", answer="503"),
        Rule(token="token:page", answer="502"),
        Rule(token="token:new1", answer=Say(reason="BRAND_NEW", status=400)),
        Rule(token="token:late", answer=Say(reason="UNAVAILABLE", fields=(("retry-after", "7"),))),
        Rule(token="token:oops", answer="Unregistered"),
        Rule(service="oauth", answer="server_side", times=1, each_token=False),
        Rule(service="oauth", answer="bad_audience", times=1, each_token=False),
        Rule(service="oauth", answer="429", times=1, each_token=False),
        Rule(service="oauth", answer=Say(reason="own", status=400), times=1, each_token=False),
        Rule(service="oauth", answer="own", times=1, each_token=False),
    )
    with serving(tmp_path, script=Script(rules=rules)) as served:
        grants = [served.grant() for _ in range(5)]
        access = served.access_token()
        kinds = ("bare", "page", "new1", "late", "oops")
        answers = [served.fcm({"token": f"token:{kind}"}, access) for kind in kinds]
        stats = served.fake.stats()
    assert [500, 400, 429, 400, 501] == [grant.status_code for grant in grants]
    assert ["internal_failure", "invalid_grant", None, "own"] == [
        grant.json().get("error") for grant in grants[:4]
    ]
    assert [503, 502, 400, 503, 501] == [answer.status_code for answer in answers]
    assert ("UNAVAILABLE", "text/html; charset=UTF-8", "BRAND_NEW", "7") == (
        answers[0].json()["error"]["status"],
        answers[1].headers["content-type"],
        answers[2].json()["error"]["details"][0]["errorCode"],
        answers[3].headers["retry-after"],
    )
    assert (6, 1) == (stats.token_requests, stats.reasons["oauth/bad_audience"])


def test_open_pages(served: Served) -> None:
    """Health, the CA and the counts are to be had by GET; dead and unknown paths are HTML."""
    served.push()
    health, authority, counts = (
        served.client.get(path) for path in ("/health", "/ca.pem", "/stats")
    )
    assert (b"ok\n", served.fake.ca_pem, 1) == (
        health.content,
        authority.content,
        counts.json()["requests"],
    )
    dead = [served.client.post("/fcm/send"), served.client.get("/nothing")]
    assert [(404, True)] * 2 == [
        (page.status_code, page.text.startswith("<!DOCTYPE html>")) for page in dead
    ]
    assert "BadPath" == served.client.post("/4/push/x").json()["reason"]


def test_counts_tell_duplicates_and_tokens(served: Served) -> None:
    """Accepted twice is seen as a duplicate; provider tokens are told by a hash alone."""
    for token in (TOKEN, OTHER_TOKEN, TOKEN):
        served.push(token)
    stats = served.fake.stats()
    assert (3, 1, {TOKEN: 2, OTHER_TOKEN: 1}, 1, 1) == (
        stats.accepted,
        stats.accepted_again,
        stats.accepted_per_token,
        stats.connections,
        stats.streams_high_water,
    )
    assert [3] == list(stats.provider_tokens.values())
    assert served.bearer.split()[1] not in json.dumps(stats.as_json())


def test_single_tokens_are_counted_up_to_a_limit(tmp_path: Path) -> None:
    """Beyond the limit pushes are still counted in all."""
    with serving(tmp_path, max_tokens=1) as served:
        for token in (TOKEN, OTHER_TOKEN, OTHER_TOKEN):
            served.push(token)
        stats = served.fake.stats()
    assert (3, 3, 2, {TOKEN: 1}) == (
        stats.requests,
        stats.accepted,
        stats.uncounted_requests,
        stats.accepted_per_token,
    )


def test_listeners_see_each_push(tmp_path: Path) -> None:
    """The callback gets service, token, status, reason and topic before the answer leaves."""
    seen: list[Received] = []
    script = Script(rules=(Rule(token=OTHER_TOKEN, answer="Unregistered"),))
    with serving(tmp_path, script=script, on_push=seen.append) as served:
        served.push()
        served.push(OTHER_TOKEN)
        served.fcm({"topic": "news"}, served.access_token())
    assert [
        ("apns", TOKEN, 200, None, TOPIC),
        ("apns", OTHER_TOKEN, 410, "Unregistered", TOPIC),
        ("fcm", "topic:news", 200, None, "simulated-shop"),
    ] == [(push.service, push.token, push.status, push.reason, push.topic) for push in seen]


def test_keys_can_be_restricted_to_topics(tmp_path: Path) -> None:
    """With topics given, another bundle id is TopicDisallowed."""
    with serving(tmp_path, topics=frozenset({"com.example.other"})) as served:
        assert "TopicDisallowed" == served.push().json()["reason"]


def test_the_clock_is_the_simulators_own(tmp_path: Path) -> None:
    """With its clock an hour ahead a fresh provider token is stale."""
    with serving(tmp_path, clock=lambda: time.time() + 3601) as served:
        assert "ExpiredProviderToken" == served.push().json()["reason"]


def test_a_provider_token_of_another_team_is_invalid(served: Served) -> None:
    """The key is bound to its team."""
    other = provider_token(served.made.key_file.read_bytes(), served.made.key_id, "TEAM000000")
    assert "InvalidProviderToken" == served.push(authorization=f"bearer {other}").json()["reason"]


def test_large_bodies_do_not_stall_the_connection(served: Served) -> None:
    """More than the connection's window of 64 KiB can be sent: the window is given back."""
    answers = [served.push(body=b"x" * 100_000) for _ in range(3)]
    assert [413] * 3 + [200] == [
        answer.status_code for answer in (*answers, served.push(body=json.dumps(ALERT).encode()))
    ]
