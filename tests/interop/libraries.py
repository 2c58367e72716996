"""Python libraries that send pushes, as clients of the simulator."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

from simulator.kit import TOPIC, Served

Rounds = list[list[str]]
Told = dict[str, str]
BODY = '{"aps":{"alert":"Hello"}}'


def aioapns(served: Served, rounds: Rounds) -> Told:
    from aioapns import APNs, NotificationRequest, PushType
    from aioapns.connection import APNsTLSClientProtocol

    class Local(APNsTLSClientProtocol):
        APNS_SERVER = "127.0.0.1"
        APNS_PORT = served.fake.port

    async def send() -> Told:
        client = APNs(
            key=served.made.key_file.read_text(),
            key_id=served.made.key_id,
            team_id=served.made.team_id,
            topic=TOPIC,
            max_connections=1,
            max_connection_attempts=3,
            ssl_context=served.fake.client_context(),
        )
        client.pool.ssl_context.set_alpn_protocols(["h2"])
        client.pool.protocol_class = Local

        async def push(token: str) -> str:
            request = NotificationRequest(
                device_token=token,
                message=json.loads(BODY),
                push_type=PushType.ALERT,
                collapse_key="spring",
                time_to_live=60,
            )
            try:
                answer = await asyncio.wait_for(client.send_notification(request), 3)
            except TimeoutError:
                return "no answer within 3 s"
            except ConnectionError as error:
                return f"error: {error or type(error).__name__}"
            return "accepted" if answer.is_successful else str(answer.description)

        told: Told = {}
        for tokens in rounds:
            answers = await asyncio.gather(*map(push, tokens))
            told |= zip(tokens, answers, strict=True)
        client.pool.close()
        while client.pool.connections:  # each leaves the pool once its socket is closed
            await asyncio.sleep(0)
        return told

    return asyncio.run(send())


def httpx(served: Served, rounds: Rounds) -> Told:
    import httpx

    head = {"authorization": served.bearer, "apns-topic": TOPIC, "apns-push-type": "alert"}

    async def send() -> Told:
        told: Told = {}
        async with httpx.AsyncClient(
            http2=True,
            http1=False,
            verify=served.fake.client_context(),
            base_url=served.fake.url,
            headers=head,
            trust_env=False,
        ) as client:

            async def push(token: str) -> str:
                try:
                    answer = await client.post(f"/3/device/{token}", content=BODY)
                except httpx.HTTPError as error:
                    return f"error: {type(error).__name__}"
                return "accepted" if answer.is_success else str(answer.json()["reason"])

            for tokens in rounds:
                answers = await asyncio.gather(*map(push, tokens))
                told |= zip(tokens, answers, strict=True)
        return told

    return asyncio.run(send())


@contextlib.contextmanager
def firebase_app(served: Served) -> Iterator[Any]:
    """Point firebase-admin at the simulator."""
    import firebase_admin
    from firebase_admin import credentials, messaging

    url = served.fake.url + "/v1/projects/{0}/messages:send"
    trust = {"REQUESTS_CA_BUNDLE": str(served.made.ca_file)}
    trust["SSL_CERT_FILE"] = str(served.made.ca_file)  # for send_each_async, which is httpx
    account = credentials.Certificate(str(served.made.service_account_file))
    with (
        mock.patch.dict(os.environ, trust),
        mock.patch.object(messaging._MessagingService, "FCM_URL", url),
    ):
        app = firebase_admin.initialize_app(account, name="simulated")
        try:
            yield app
        finally:
            firebase_admin.delete_app(app)


def firebase(served: Served, rounds: Rounds) -> Told:
    from firebase_admin import messaging

    with firebase_app(served) as app:
        batches = [messaging.send_each(_messages(tokens), app=app) for tokens in rounds]
    return _told(rounds, batches)


def firebase_async(served: Served, rounds: Rounds) -> Told:
    from firebase_admin import messaging

    async def send(app: Any) -> list[Any]:
        try:
            return [
                await messaging.send_each_async(_messages(tokens), app=app) for tokens in rounds
            ]
        finally:  # here, for delete_app() closes it in another event loop
            await messaging._get_messaging_service(app)._async_client.aclose()

    with firebase_app(served) as app:
        return _told(rounds, asyncio.run(send(app)))


def _messages(tokens: list[str]) -> list[Any]:
    from firebase_admin import messaging

    notification = messaging.Notification(title="Hello", body="There")
    return [messaging.Message(token=token, notification=notification) for token in tokens]


def _told(rounds: Rounds, batches: list[Any]) -> Told:
    told: Told = {}
    for tokens, batch in zip(rounds, batches, strict=True):
        for token, answer in zip(tokens, batch.responses, strict=True):
            told[token] = "accepted" if answer.success else type(answer.exception).__name__
    return told
