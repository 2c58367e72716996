"""The simulator judged by clients that are not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.clients import CLIENTS, Client
from interop.libraries import firebase_app
from interop.rounds import expected, judge
from simulator.kit import ANDROID_TOKEN, serving

# firebase-admin warns of registration tokens, which FCM still takes and pushctl still sends.
pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_client_is_served(client: Client, tmp_path: Path) -> None:
    """One push, fifty at once, a dead token, a connection that ends, and one more."""
    if why := client.missing():
        pytest.skip(why)
    assert expected(client) == judge(client, tmp_path)


def test_firebase_admin_checks_without_sending(tmp_path: Path) -> None:
    """A dry run of firebase-admin is validated and not counted as accepted; one grant is enough."""
    from firebase_admin import messaging

    with serving(tmp_path) as served, firebase_app(served) as app:
        android = messaging.AndroidConfig(ttl=60, priority="high", collapse_key="spring")
        message = messaging.Message(token=ANDROID_TOKEN, data={"a": "b"}, android=android)
        checked = messaging.send(message, app=app, dry_run=True)
        sent = messaging.send(message, app=app)
        stats = served.fake.stats()
    assert (True, True) == (
        checked.endswith("/fake_message_id"),
        sent.startswith("projects/simulated-shop/messages/0:"),
    )
    assert (1, 1, 1) == (stats.accepted, stats.validated, stats.token_requests)
