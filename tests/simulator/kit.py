"""Clients of the simulator for its tests, made of other libraries than the sender's."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from hyperframe.frame import Frame, GoAwayFrame

from pushctl.simulator import Simulator, ThrowAwayCredentials, make_credentials, serve_in_thread
from pushctl.simulator.http import Request

TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"
OTHER_TOKEN = "11" * 32
ANDROID_TOKEN = "dX1nVeNtEdToKeN0000001:APA91bInventedInvented"
TOPIC = "com.example.shop"
ALERT = {"aps": {"alert": {"title": "Hello"}}}
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def push_key() -> ec.EllipticCurvePrivateKey:
    """Return a new push key."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Return *key* as a PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def provider_token(
    key: ec.EllipticCurvePrivateKey | bytes,
    key_id: str,
    team_id: str,
    issued_at: object = None,
    **claims: object,
) -> str:
    """Return a provider token."""
    issued_at = int(time.time()) if issued_at is None else issued_at
    return jwt.encode(
        {"iss": team_id, "iat": issued_at, **claims},
        key,
        algorithm="ES256",
        headers={"kid": key_id},
    )


def apns_request(
    *,
    method: str = "POST",
    path: str = f"/3/device/{TOKEN}",
    fields: dict[str, str] | tuple[tuple[str, str], ...] = (),
    body: object = ALERT,
    size: int | None = None,
    authorization: str | None = None,
) -> Request:
    """Return a push to APNs as the judge sees it, good unless told otherwise."""
    head: dict[str, str] = {"apns-topic": TOPIC}
    pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
    for name, value in pairs:
        head.pop(name, None)
        if value != "":
            head[name] = value
    if authorization is not None:
        head["authorization"] = authorization
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, path, tuple(head.items()), raw, len(raw) if size is None else size)


@dataclasses.dataclass
class Served:
    """A running simulator, its credentials, and an HTTP/2 client that trusts it."""

    fake: Simulator
    made: ThrowAwayCredentials
    client: httpx.Client
    bearer: str

    def push(self, token: str = TOKEN, body: object = ALERT, **fields: str) -> httpx.Response:
        """Send a push to APNs; *fields* have underscores for hyphens."""
        head = {"authorization": self.bearer, "apns-topic": TOPIC}
        head |= {name.replace("_", "-"): value for name, value in fields.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"/3/device/{token}", headers=head, content=content)

    def info(self) -> dict[str, str]:
        """Return the service account file."""
        info: dict[str, str] = json.loads(self.made.service_account_file.read_text())
        return info

    def assertion(self, **changes: object) -> str:
        """Return a signed grant assertion; a claim of ``None`` is left out."""
        info, now = self.info(), int(time.time())
        claims: dict[str, object] = {
            "iss": info["client_email"],
            "scope": SCOPE,
            "aud": info["token_uri"],
            "iat": now,
            "exp": now + 3600,
        }
        claims |= changes
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"kid": info["private_key_id"]}
        return jwt.encode(claims, info["private_key"], algorithm="RS256", headers=head)

    def grant(self, assertion: str | None = None) -> httpx.Response:
        """Ask the token endpoint."""
        form = {"grant_type": GRANT, "assertion": assertion or self.assertion()}
        return self.client.post("/token", data=form)

    def access_token(self) -> str:
        """Return a good access token."""
        token: str = self.grant().json()["access_token"]
        return token

    def fcm(self, message: object, access_token: str, **body: object) -> httpx.Response:
        """Send a message to FCM."""
        return self.client.post(
            f"/v1/projects/{self.made.project_id}/messages:send",
            headers={"authorization": f"Bearer {access_token}"},
            json={"message": message, **body},
        )


@contextlib.contextmanager
def serving(folder: Path, *, http2: bool = True, **options: Any) -> Iterator[Served]:
    """Serve with throw-away credentials until the block ends."""
    with serve_in_thread(**options) as fake:
        made = make_credentials(folder, fake)
        token = provider_token(made.key_file.read_bytes(), made.key_id, made.team_id)
        client = httpx.Client(
            http1=not http2,
            http2=http2,
            verify=fake.client_context(),
            base_url=fake.url,
            trust_env=False,
            timeout=10,
        )
        with client:
            yield Served(fake, made, client, f"bearer {token}")


def _note_goaway(frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
    event = ConnectionTerminated()
    event.error_code = ErrorCodes(frame.error_code)
    event.last_stream_id = frame.last_stream_id
    event.additional_data = frame.additional_data
    return [], [event]


class RawClient:
    """One HTTP/2 connection, frame by frame."""

    def __init__(self, served: Served, *, window: int | None = None) -> None:
        context = served.fake.client_context()
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", served.fake.port), timeout=10)
        self._socket: ssl.SSLSocket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        # h2 stops at a GOAWAY; the answers behind it are wanted here.
        self.h2._frame_dispatch_table[GoAwayFrame] = _note_goaway  # type: ignore[assignment]
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({4: window})
        self._bearer = served.bearer
        self.events: list[Event] = []
        self.closed = False
        self.flush()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def flush(self) -> None:
        """Write what h2 has."""
        self._socket.sendall(self.h2.data_to_send())

    def open(
        self,
        token: str = TOKEN,
        *,
        body: bytes = b'{"aps":{"alert":"Hi"}}',
        path: str | None = None,
        method: str | None = None,
    ) -> int:
        """Queue a push and return its stream id; :meth:`flush` sends it.  A *path* is got."""
        method = method or ("POST" if path is None else "GET")
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(
            stream_id,
            [
                (":method", method),
                (":scheme", "https"),
                (":authority", "localhost"),
                (":path", path or f"/3/device/{token}"),
                ("authorization", self._bearer),
                ("apns-topic", TOPIC),
            ],
            end_stream=method == "GET",
        )
        if method == "POST":
            self.h2.send_data(stream_id, body, end_stream=True)
        return stream_id

    def push(self, token: str = TOKEN) -> int:
        """Send one push and wait for the end of it; return its status."""
        stream_id = self.open(token)
        self.flush()
        self.until(lambda: self.status(stream_id) is not None and self.ended(stream_id))
        status = self.status(stream_id)
        assert status is not None
        return status

    def read(self) -> None:
        """Take what the server sends next."""
        try:
            data = self._socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        if not data:
            self.closed = True
            return
        self.events += self.h2.receive_data(data)
        for event in self.events:
            if isinstance(event, DataReceived) and event.flow_controlled_length:
                with contextlib.suppress(Exception):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                event.flow_controlled_length = 0

    def until(self, condition: Any) -> None:
        """Read until *condition* holds or the server hung up."""
        while not condition() and not self.closed:
            self.read()

    def until_closed(self) -> None:
        """Read until the server hung up."""
        self.until(lambda: False)

    def status(self, stream_id: int) -> int | None:
        """Return the status of the answer on a stream."""
        for event in self.events:
            if isinstance(event, ResponseReceived) and event.stream_id == stream_id:
                return int(dict(event.headers)[":status"])
        return None

    def ended(self, stream_id: int) -> bool:
        """Whether the answer is whole."""
        return any(
            isinstance(event, StreamEnded) and event.stream_id == stream_id for event in self.events
        )

    def body(self, stream_id: int) -> bytes:
        """Return the body of the answer on a stream."""
        return b"".join(
            event.data or b""
            for event in self.events
            if isinstance(event, DataReceived) and event.stream_id == stream_id
        )

    def reset_code(self, stream_id: int) -> int | None:
        """Return the code of the RST_STREAM on a stream."""
        for event in self.events:
            if isinstance(event, StreamReset) and event.stream_id == stream_id:
                return int(event.error_code or 0)
        return None

    def goaway(self) -> ConnectionTerminated | None:
        """Return the server's GOAWAY."""
        found = (event for event in self.events if isinstance(event, ConnectionTerminated))
        return next(found, None)

    def stream_limits(self) -> list[int]:
        """Return the announced stream limits, in order."""
        return [
            int(event.changed_settings[3].new_value)
            for event in self.events
            if isinstance(event, RemoteSettingsChanged) and 3 in event.changed_settings
        ]
