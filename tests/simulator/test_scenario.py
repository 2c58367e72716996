"""Scenario files: each behaviour as a client meets it."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pushctl.simulator.scenario import parse_scenario
from simulator.kit import (
    ANDROID_TOKEN,
    OTHER_TOKEN,
    TOKEN,
    RawClient,
    Served,
    provider_token,
    serving,
)


@contextlib.contextmanager
def playing(folder: Path, text: str, **options: Any) -> Iterator[Served]:
    """Serve what the scenario *text* says."""
    with serving(folder, **parse_scenario(text).options(), **options) as served:
        yield served


@pytest.mark.parametrize(
    ("rule", "status", "reason"),
    [
        ("answer: Unregistered", 410, "Unregistered"),
        ("answer: TooManyRequests", 429, "TooManyRequests"),
        ("answer: TooManyProviderTokenUpdates", 429, "TooManyProviderTokenUpdates"),
        ("answer: BrandNewReason, status: 418", 418, "BrandNewReason"),
        ("answer: 503", 503, None),
    ],
)
def test_a_token_gets_its_answer(
    tmp_path: Path, rule: str, status: int, reason: str | None
) -> None:
    """The one token is answered as the rule says, in the vendor's form; others are accepted."""
    with playing(tmp_path, f"rules: [{{token: {TOKEN.upper()!r}, {rule}}}]") as served:
        found, other = served.push(TOKEN), served.push(OTHER_TOKEN)
    said = found.json().get("reason") if found.content else None
    assert (status, reason, 200) == (found.status_code, said, other.status_code)


def test_the_timestamp_body_and_header_fields_of_an_answer(tmp_path: Path) -> None:
    """A 410 says since when; an answer may have any body and further header fields."""
    text = f"""
    rules:
      - {{token: "{TOKEN}", answer: Unregistered, timestamp: 2026-09-21T14:13:20Z}}
      - {{answer: 502, body: "<html>", headers: {{server: gws}}}}
    """
    with playing(tmp_path, text) as served:
        dead, broken = served.push(TOKEN), served.push(OTHER_TOKEN)
    assert {"reason": "Unregistered", "timestamp": 1_790_000_000_000} == dead.json()
    assert (502, "<html>", "gws") == (broken.status_code, broken.text, broken.headers["server"])


def test_patterns_and_counts(tmp_path: Path) -> None:
    """``after``, ``every`` and ``times`` count each token of a pattern by itself."""
    text = 'rules: [{pattern: "11*", answer: BadDeviceToken, after: 1, every: 2, times: 2}]'
    with playing(tmp_path, text) as served:
        mine = [served.push(OTHER_TOKEN).status_code for _ in range(7)]
        second = [served.push("11" * 31 + "22").status_code for _ in range(3)]
        third = served.push(TOKEN).status_code
    assert [200, 200, 400, 200, 400, 200, 200] == mine
    assert ([200, 200, 400], 200) == (second, third)


def test_a_rule_without_a_token_counts_all_together(tmp_path: Path) -> None:
    """Every third push is hit, whatever its token."""
    with playing(tmp_path, "rules: [{answer: 500, every: 3}]") as served:
        found = [served.push(f"{number:064x}").status_code for number in range(1, 7)]
    assert [200, 200, 500, 200, 200, 500] == found


def test_a_rule_before_and_after_its_time(tmp_path: Path) -> None:
    """A rule whose time is over, or has not come, does nothing."""
    text = "rules: [{answer: 500, until: 1ms}, {answer: 501, from: 1h}, {answer: 502, from: 1ms}]"
    with playing(tmp_path, text) as served:
        assert 502 == served.push().status_code


@pytest.mark.parametrize("form", ["retry_after", "retry_after_date"])
def test_a_quota_says_when_to_come_again(tmp_path: Path, form: str) -> None:
    """Above the quota is 429 with Retry-After: seconds or a date, as the file wants."""
    text = f"quotas: [{{service: fcm, pushes: 2, per: 1h, {form}: 30}}]"
    message = {"token": ANDROID_TOKEN, "data": {"a": "b"}}
    with playing(tmp_path, text) as served:
        access = served.access_token()
        found = [served.fcm(message, access) for _ in range(3)]
        assert 200 == served.push().status_code  # the quota is the other service's
    assert [200, 200, 429] == [answer.status_code for answer in found]
    value = found[2].headers["retry-after"]
    if form == "retry_after":
        assert "30" == value
    else:
        date = parsedate_to_datetime(value)
        assert date.tzinfo is not None


def test_apns_has_quotas_too(tmp_path: Path) -> None:
    """APNs answers TooManyRequests above its quota."""
    with playing(tmp_path, "quotas: [{service: apns, pushes: 1, per: 1h}]") as served:
        first, second = served.push(), served.push()
    assert (200, 429, "TooManyRequests") == (
        first.status_code,
        second.status_code,
        second.json()["reason"],
    )


def test_the_token_endpoint_fails_as_told(tmp_path: Path) -> None:
    """Two grants fail, the third is given, for as long as the file says."""
    text = """
    rules: [{service: oauth, answer: server_side, times: 2}]
    access_tokens: {lifetime: 120}
    """
    with playing(tmp_path, text) as served:
        found = [served.grant() for _ in range(3)]
    assert [True, True, False] == [answer.is_error for answer in found]
    assert 120 == found[2].json()["expires_in"]


def test_a_wedged_connection(tmp_path: Path) -> None:
    """Once ExpiredProviderToken was said, the connection says nothing else; a new one is fine."""
    text = "rules: [{answer: wedge, service: apns, times: 1}]"
    with playing(tmp_path, text) as served:
        with RawClient(served) as client:
            assert [403, 403] == [client.push(), client.push(OTHER_TOKEN)]
        with RawClient(served) as client:
            assert 200 == client.push()


@pytest.mark.parametrize("answers", ["before", "together", "after"])
def test_goaway_and_where_the_answer_stands(tmp_path: Path, answers: str) -> None:
    """The push is answered wherever its answer stands to the GOAWAY, and then it is over."""
    text = f"""
    rules: [{{token: "{TOKEN}", answer: goaway, answers: {answers},
             code: NO_ERROR, debug: '{{"reason":"Shutdown"}}'}}]
    """
    with playing(tmp_path, text) as served, RawClient(served) as client:
        stream = client.open()
        client.flush()
        client.until_closed()
        kinds = [type(event).__name__ for event in client.events]
        goaway = client.goaway()
        stats = served.fake.stats()
    assert goaway is not None
    assert (stream, b'{"reason":"Shutdown"}') == (goaway.last_stream_id, goaway.additional_data)
    order = kinds.index("ResponseReceived") < kinds.index("ConnectionTerminated")
    assert (200, answers == "before", 1) == (client.status(stream), order, stats.accepted)


def test_a_goaway_that_leaves_the_push_out(tmp_path: Path) -> None:
    """``last_stream: previous``: the push was not processed, and nothing answers it."""
    text = f"rules: [{{token: '{TOKEN}', answer: goaway, last_stream: previous}}]"
    with playing(tmp_path, text) as served, RawClient(served) as client:
        assert 200 == client.push(OTHER_TOKEN)
        stream = client.open()
        client.flush()
        client.until_closed()
        goaway, stats = client.goaway(), served.fake.stats()
    assert goaway is not None
    assert (1, None, 1) == (goaway.last_stream_id, client.status(stream), stats.accepted)
    assert TOKEN not in stats.accepted_per_token


def test_half_an_answer(tmp_path: Path) -> None:
    """The head and half of a refusal come, then the connection is cut."""
    text = "rules: [{answer: half, half_of: BadDeviceToken, then: drop}]"
    with playing(tmp_path, text) as served, RawClient(served) as client:
        stream = client.open()
        client.flush()
        client.until_closed()
    whole = b'{"reason":"BadDeviceToken"}'
    assert (400, False) == (client.status(stream), client.ended(stream))
    assert whole.startswith(client.body(stream))
    assert 0 < len(client.body(stream)) < len(whole)


def test_faults_every_so_often(tmp_path: Path) -> None:
    """``refuse`` resets each second push unprocessed; ``cut`` accepts each third and hangs up."""
    with playing(tmp_path, "every: {refuse: 2}\nstreams: {first: 9}") as served:
        with RawClient(served) as client:
            streams = [client.open(f"{number:064x}") for number in range(1, 5)]
            client.flush()
            client.until(lambda: client.status(streams[2]) and client.reset_code(streams[3]))
        assert [None, 7, None, 7] == [client.reset_code(stream) for stream in streams]
        assert 2 == served.fake.stats().accepted
    with playing(tmp_path / "cut", "every: {cut: 3}") as served:
        with RawClient(served) as client:
            assert [200, 200] == [client.push(), client.push(OTHER_TOKEN)]
            client.open("22" * 32)
            client.flush()
            client.until_closed()
        assert 3 == served.fake.stats().accepted


def test_stream_limits_by_pushes_and_by_time(tmp_path: Path) -> None:
    """1, then 1000, then 1, then 1000 again: by count of pushes and by the clock."""
    text = "streams: {first: 1, then: 1000, later: [{after: 2, limit: 1}, {at: 1s, limit: 999}]}"
    with playing(tmp_path, text) as served, RawClient(served) as client:
        client.push()
        client.push()
        client.until(lambda: len(client.stream_limits()) == 4)
    assert [1, 1000, 1, 999] == client.stream_limits()


def test_connections_that_are_not_let_in(tmp_path: Path) -> None:
    """The first connection is closed at once, the second is served."""
    with playing(tmp_path, "connections: [{answer: close, times: 1}]") as served:
        with RawClient(served) as client:
            client.until_closed()
            assert client.closed
        with RawClient(served) as client:
            assert 200 == client.push()
        assert {"close": 1} == served.fake.stats().faults


def test_devices_topics_and_environment(tmp_path: Path) -> None:
    """A sandbox token, a foreign topic and a token of another app get what APNs says of them."""
    text = f"""
    environment: sandbox
    topics: [com.example.shop, com.example.other]
    devices:
      - {{token: "{TOKEN.upper()}", topic: com.example.shop, environment: sandbox}}
      - {{token: "{OTHER_TOKEN}", environment: production}}
    """
    with playing(tmp_path, text) as served:
        found = [
            served.push(TOKEN),
            served.push(TOKEN, apns_topic="com.example.other"),
            served.push(OTHER_TOKEN),
            served.push(TOKEN, apns_topic="com.foreign"),
        ]
    said = [answer.json()["reason"] if answer.content else None for answer in found]
    assert [None, "DeviceTokenNotForTopic", "BadDeviceToken", "TopicDisallowed"] == said


def test_provider_tokens_live_as_long_as_the_file_says(tmp_path: Path) -> None:
    """A token of an hour's age is refused where tokens live for a minute."""
    text = "provider_tokens: {lifetime: 1m}"
    with playing(tmp_path, text, clock=lambda: time.time() + 120) as served:
        answer = served.push()
    assert (403, "ExpiredProviderToken") == (answer.status_code, answer.json()["reason"])


@pytest.mark.parametrize(
    ("interval", "second"), [("20m", "TooManyProviderTokenUpdates"), ("0s", None)]
)
def test_provider_tokens_change_as_often_as_the_file_allows(
    tmp_path: Path, interval: str, second: str | None
) -> None:
    """A second token on a connection within the interval is too many; the first goes on."""
    with playing(tmp_path, f"provider_tokens: {{update_interval: {interval}}}") as served:
        first, made = served.bearer, served.made
        key = made.key_file.read_bytes()
        other = provider_token(key, made.key_id, made.team_id, int(time.time()) - 60)
        with RawClient(served) as client:
            found = []
            for bearer in (first, f"bearer {other}", first):
                client._bearer = bearer
                stream = client.open()
                client.flush()
                client.until(lambda: client.ended(stream))  # noqa: B023
                body = client.body(stream)
                found.append(json.loads(body)["reason"] if body else None)
    assert [None, second, None] == found


def test_a_connection_that_stays_silent(tmp_path: Path) -> None:
    """The first connection never hears a byte of HTTP; the second is served."""
    with playing(tmp_path, "connections: [{answer: silence, times: 1}]") as served:
        with RawClient(served) as silent:
            silent.open()
            silent.flush()
            with RawClient(served) as client:
                assert 200 == client.push()
            silent._socket.setblocking(False)
            with pytest.raises(ssl.SSLWantReadError):
                silent._socket.recv(1)
        assert {"silence": 1} == served.fake.stats().faults


@pytest.mark.parametrize(("word", "status"), [("(html 404)", 404), ("(html 502)", 502)])
def test_the_pages_of_googles_front_end(tmp_path: Path, word: str, status: int) -> None:
    """A page, as the legacy API's addresses answer since it was removed."""
    with playing(tmp_path, f"rules: [{{service: fcm, answer: {word!r}}}]") as served:
        answer = served.fcm({"token": ANDROID_TOKEN, "data": {"a": "b"}}, served.access_token())
    assert (status, True) == (answer.status_code, answer.text.startswith("<!DOCTYPE html>"))
    assert "text/html; charset=UTF-8" == answer.headers["content-type"]


def test_client_certificates(tmp_path: Path) -> None:
    """A certificate stands for its topic and no other; no provider token is needed."""
    with serving(tmp_path) as served:
        file = tmp_path / "push.pem"
        file.write_bytes(served.fake.push_certificate("com.example.shop"))
        context = served.fake.client_context()
        context.load_cert_chain(file)
        with httpx.Client(
            http2=True, verify=context, base_url=served.fake.url, trust_env=False
        ) as client:
            found = [
                client.post(
                    f"/3/device/{TOKEN}", headers={"apns-topic": topic}, json={"aps": {"badge": 1}}
                )
                for topic in ("com.example.shop", "com.example.other")
            ]
    assert 200 == found[0].status_code
    assert {"reason": "TopicDisallowed"} == found[1].json()
