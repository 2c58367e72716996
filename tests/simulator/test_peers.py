"""Clients that are not ours: aioapns and firebase-admin are served as Apple and Google would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import firebase_admin
import pytest
from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsTLSClientProtocol
from firebase_admin import credentials, messaging

from pushctl.simulator import Rule, Script
from simulator.kit import ANDROID_TOKEN, OTHER_TOKEN, TOKEN, TOPIC, Served, serving

GONE = "gone00000000000000000:APA91bGone"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    script = Script(
        rules=(
            Rule(token=OTHER_TOKEN, answer="Unregistered"),
            Rule(token=GONE, answer="UNREGISTERED"),
        )
    )
    with serving(tmp_path, script=script) as running:
        yield running


def test_aioapns(served: Served) -> None:
    """aioapns sends fifty pushes at once after the first, and understands a refusal."""

    class Local(APNsTLSClientProtocol):
        APNS_SERVER = "127.0.0.1"
        APNS_PORT = served.fake.port

    async def send() -> list[tuple[str, str | None]]:
        client = APNs(
            key=served.made.key_file.read_text(),
            key_id=served.made.key_id,
            team_id=served.made.team_id,
            topic=TOPIC,
            max_connections=1,
            ssl_context=served.fake.client_context(),
        )
        client.pool.ssl_context.set_alpn_protocols(["h2"])
        client.pool.protocol_class = Local

        def request(token: str) -> NotificationRequest:
            return NotificationRequest(
                device_token=token,
                message={"aps": {"alert": "Hello"}},
                push_type=PushType.ALERT,
                collapse_key="spring",
                time_to_live=60,
            )

        answers = [await client.send_notification(request(TOKEN))]
        tokens = [f"{number:064x}" for number in range(1, 51)]
        answers += await asyncio.gather(*(client.send_notification(request(t)) for t in tokens))
        answers.append(await client.send_notification(request(OTHER_TOKEN)))
        client.pool.close()
        while client.pool.connections:  # each leaves the pool once its socket is closed
            await asyncio.sleep(0)
        return [(answer.status, answer.description) for answer in answers]

    answers = asyncio.run(send())
    stats = served.fake.stats()
    assert [("200", None)] * 51 + [("410", "Unregistered")] == answers
    assert (51, 0, 1) == (stats.accepted, stats.accepted_again, stats.connections)


# It warns of registration tokens, which FCM still takes and pushctl still sends.
@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
def test_firebase_admin(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """firebase-admin authenticates, sends, and raises UnregisteredError for a dead token."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.made.ca_file))
    monkeypatch.setattr(
        messaging._MessagingService,
        "FCM_URL",
        served.fake.url + "/v1/projects/{0}/messages:send",
    )
    account = credentials.Certificate(json.loads(served.made.service_account_file.read_text()))
    app = firebase_admin.initialize_app(account, name="simulated")
    try:

        def send(token: str, **options: object) -> str:
            notification = messaging.Notification(title="Hello", body="There")
            android = messaging.AndroidConfig(ttl=60, priority="high", collapse_key="spring")
            message = messaging.Message(
                token=token, data={"a": "b"}, notification=notification, android=android
            )
            name: str = messaging.send(message, app=app, **options)
            return name

        accepted = send(ANDROID_TOKEN)
        checked = send(ANDROID_TOKEN, dry_run=True)
        with pytest.raises(messaging.UnregisteredError):
            send(GONE)
    finally:
        firebase_admin.delete_app(app)
    stats = served.fake.stats()
    assert (True, True) == (
        accepted.startswith("projects/simulated-shop/messages/0:"),
        checked.endswith("/fake_message_id"),
    )
    assert ({"fcm/UNREGISTERED": 1}, 1) == (stats.reasons, stats.token_requests)
