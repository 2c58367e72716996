"""Broadcast channels and topic subscriptions, through a real client."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pushctl.simulator import Device
from simulator.kit import ANDROID_TOKEN, TOPIC, serving

CHANNELS = f"/1/apps/{TOPIC}/channels"
BROADCAST = f"/4/broadcasts/apps/{TOPIC}"
LIVE = {"aps": {"event": "update", "timestamp": 1, "content-state": {"score": 1}}}


def test_the_life_of_a_channel(tmp_path: Path) -> None:
    """Created, read, listed, sent to, deleted; then it is not registered any more."""
    with serving(tmp_path) as served:
        mine = {"authorization": served.bearer}
        made = served.client.post(
            CHANNELS, headers=mine, json={"message-storage-policy": 1, "push-type": "LiveActivity"}
        )
        channel = made.headers["apns-channel-id"]
        with_id = mine | {"apns-channel-id": channel}
        read = served.client.get(CHANNELS, headers=with_id)
        listed = served.client.get(f"/1/apps/{TOPIC}/all-channels", headers=mine)
        head = with_id | {"apns-push-type": "liveactivity", "apns-expiration": "0"}
        sent = served.client.post(BROADCAST, headers=head, json=LIVE)
        deleted = served.client.delete(CHANNELS, headers=with_id)
        gone = served.client.post(BROADCAST, headers=head, json=LIVE)
        stats = served.fake.stats()
    assert [201, 200, 200, 200, 204, 400] == [
        one.status_code for one in (made, read, listed, sent, deleted, gone)
    ]
    assert {"message-storage-policy": 1, "push-type": "LiveActivity"} == read.json()
    assert {"channels": [channel]} == listed.json()
    assert "ChannelNotRegistered" == gone.json()["reason"]
    assert (2, 1, 4) == (stats.requests, stats.accepted, stats.management_requests)


def test_a_channel_without_a_store_takes_no_expiration(tmp_path: Path) -> None:
    """Policy 0 keeps no message, so a broadcast that would be kept is refused."""
    with serving(tmp_path) as served:
        mine = {"authorization": served.bearer}
        made = served.client.post(
            CHANNELS, headers=mine, json={"message-storage-policy": 0, "push-type": "LiveActivity"}
        )
        head = mine | {
            "apns-channel-id": made.headers["apns-channel-id"],
            "apns-push-type": "liveactivity",
        }
        found = [
            served.client.post(BROADCAST, headers=head | {"apns-expiration": when}, json=LIVE)
            for when in ("0", "2000000000")
        ]
    assert (200, "BadExpirationDate") == (found[0].status_code, found[1].json()["reason"])


def test_topic_subscriptions(tmp_path: Path) -> None:
    """Subscribed once, listed, refused a second time, ended; a missing one is not found."""
    with serving(tmp_path) as served:
        head = {"authorization": f"Bearer {served.access_token()}"}
        url = (
            f"/v1/projects/{served.made.project_id}/registrations/{ANDROID_TOKEN}"
            "/topicSubscriptions"
        )
        client = served.client
        made = client.post(url, headers=head, params={"topicName": "news"}, json={})
        again = client.post(url, headers=head, params={"topicName": "news"}, json={})
        listed = client.get(url, headers=head)
        ended = client.delete(f"{url}/news", headers=head)
        gone = client.get(f"{url}/news", headers=head)
    assert [200, 409, 200, 200, 404] == [
        one.status_code for one in (made, again, listed, ended, gone)
    ]
    assert ("ALREADY_EXISTS", "NOT_FOUND") == (
        again.json()["error"]["status"],
        gone.json()["error"]["status"],
    )
    assert "news" in listed.text


def test_the_older_batches(tmp_path: Path) -> None:
    """What the Admin SDKs still use: a result for each token, and the same subscriptions."""
    with serving(tmp_path) as served:
        access = served.access_token()
        head = {"authorization": f"Bearer {access}", "access_token_auth": "true"}
        body = {"to": "/topics/news", "registration_tokens": [ANDROID_TOKEN]}
        added = served.client.post("/iid/v1:batchAdd", headers=head, json=body)
        url = (
            f"/v1/projects/{served.made.project_id}/registrations/{ANDROID_TOKEN}"
            "/topicSubscriptions/news"
        )
        seen = served.client.get(url, headers=head)
        removed = served.client.post("/iid/v1:batchRemove", headers=head, json=body)
        gone = served.client.get(url, headers=head)
        keyed = served.client.post(
            "/iid/v1:batchAdd", headers={"authorization": "key=AAAA"}, json=body
        )
    assert {"results": [{}]} == added.json() == removed.json()
    assert [200, 404, 401] == [one.status_code for one in (seen, gone, keyed)]


def test_a_batch_tells_each_token_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Malformed, of another project, with too many topics: each by itself, the others done."""
    monkeypatch.setattr("pushctl.simulator.subscriptions.MAX_TOPICS", 1)
    full, foreign = "dFull000000000000001:OK", "dForeign00000000001:OK"
    with serving(tmp_path, devices={foreign: Device(project="another")}) as served:
        head = {"authorization": f"Bearer {served.access_token()}", "access_token_auth": "true"}

        def add(topic: str, *tokens: str) -> object:
            body = {"to": f"/topics/{topic}", "registration_tokens": tokens}
            return served.client.post("/iid/v1:batchAdd", headers=head, json=body).json()

        add("old", full)
        found = add("news", ANDROID_TOKEN, "a b", foreign, full)
        again = add("old", full)
    faults = [None, "INVALID_ARGUMENT", "NOT_FOUND", "TOO_MANY_TOPICS"]
    assert {"results": [{"error": it} if it else {} for it in faults]} == found
    assert {"results": [{}]} == again  # it has that topic already


@pytest.mark.parametrize("http2", [True, False])
def test_a_thousand_long_tokens_fit_into_a_batch(tmp_path: Path, http2: bool) -> None:
    """A registration token has 160 characters and more; a batch of them is read whole."""
    tokens = [f"d{number:021}:{'A' * 160}" for number in range(1000)]
    with serving(tmp_path) as served:
        head = {"authorization": f"Bearer {served.access_token()}", "access_token_auth": "true"}
        body = {"to": "/topics/news", "registration_tokens": tokens}
        context = served.fake.client_context()
        with httpx.Client(base_url=served.fake.url, verify=context, http2=http2) as client:
            answer = client.post("/iid/v1:batchAdd", headers=head, json=body)
    assert {"results": [{}] * 1000} == answer.json()
