"""
Judges APNs' broadcast pushes and the management of their channels, and keeps the channels.

Rules: Apple, "Sending channel management requests to APNs", "Sending broadcast push notification
requests to APNs" and "Handling error responses from APNs".  Apple does not document in which order
faults are found; here the order is path, method, credentials, header fields, app, channel, body.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import secrets
import uuid

from pushctl.outcome import JsonValue
from pushctl.simulator import answers
from pushctl.simulator.http import Answer, Fields, Request, json_bytes
from pushctl.simulator.provider_token import ProviderTokens, Session

MANAGEMENT_PREFIX = "/1/apps/"
BROADCAST_PREFIX = "/4/broadcasts/apps/"
MAX_PAYLOAD = 5120
MAX_CHANNELS = 10_000
"""For each app and environment."""
MAX_ID_LENGTH = 128
"""Ours: Apple says that there is a limit and not which."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EPOCH_SECONDS = re.compile(r"[0-9]{1,18}")
_MANAGED = re.compile(r"/1/apps/([^/]+)/(channels|all-channels)")
_KNOWN_KEYS = frozenset({"message-storage-policy", "push-type"})
_METHODS = {"channels": ("POST", "GET", "DELETE"), "all-channels": ("GET",)}


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What APNs makes of a broadcast, or of a request to manage channels."""

    answer: Answer
    reason: str | None
    """Why it is refused; ``None``: acceptable."""
    request_id: str
    app: str | None
    """The bundle id in the path."""
    channel: str | None
    authorised: bool


class _Refused(Exception):
    """The reason."""


class Channels:
    """The channels of every app, and the judge of what is done with them."""

    def __init__(self, tokens: ProviderTokens, topics: frozenset[str] | None) -> None:
        """:param topics: the bundle ids of the team; ``None``: whatever is asked for."""
        self._tokens = tokens
        self._topics = topics
        self._policies: dict[str, dict[str, int]] = {}

    def judge_broadcast(self, request: Request, session: Session, now: float) -> Judgement:
        """Return the verdict on a push to a channel."""
        request_id = _request_id(request)
        app = request.target.removeprefix(BROADCAST_PREFIX)
        channel = request.field("apns-channel-id")
        authorised = False
        try:
            if not app or "/" in app or "?" in app:
                raise _Refused("BadPath")
            if request.method != "POST":
                raise _Refused("MethodNotAllowed")
            self._authorise(request, session, now)
            authorised = True
            self._check_app(app, session)
            _check_broadcast(request, self._policy(app, channel))
        except _Refused as refused:
            return _refusal(str(refused), request_id, app, channel, authorised)
        head = (("apns-request-id", request_id), ("apns-unique-id", str(uuid.uuid4())))
        return Judgement(Answer(200, head), None, request_id, app, channel, True)

    def manage(self, request: Request, session: Session, now: float) -> Judgement:
        """Return the verdict on a request to manage channels.  A good one is not done yet."""
        request_id = _request_id(request)
        app = channel = None
        authorised = False
        try:
            found = _MANAGED.fullmatch(request.target)
            if found is None:
                raise _Refused("BadPath")
            app, what = found.groups()
            if request.method not in _METHODS[what]:
                raise _Refused("MethodNotAllowed")
            self._authorise(request, session, now)
            authorised = True
            self._check_app(app, session)
            channel = request.field("apns-channel-id")
            answer = self._managed(request, what, app, channel)
        except _Refused as refused:
            return _refusal(str(refused), request_id, app, channel, authorised)
        head = (("apns-request-id", request_id), *answer.fields)
        return Judgement(
            dataclasses.replace(answer, fields=head), None, request_id, app, channel, True
        )

    def perform(self, request: Request, judgement: Judgement) -> None:
        """Create or delete the channel of a request that was found good."""
        policies = self._policies.setdefault(judgement.app or "", {})
        if request.method == "POST":
            created = dict(judgement.answer.fields)["apns-channel-id"]
            policies[created] = json.loads(request.body)["message-storage-policy"]
        elif request.method == "DELETE":
            policies.pop(judgement.channel or "", None)

    def _managed(self, request: Request, what: str, app: str, channel: str | None) -> Answer:
        policies = self._policies.get(app, {})
        if what == "all-channels":
            return _json(200, {"channels": list(policies)})
        if request.method == "POST":
            _check_creation(request)
            if len(policies) >= MAX_CHANNELS:
                raise _Refused("CannotCreateChannelConfig")
            made = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
            return Answer(201, (("apns-channel-id", made),))
        policy = self._policy(app, channel)
        if request.method == "DELETE":
            return Answer(204)
        return _json(200, {"message-storage-policy": policy, "push-type": "LiveActivity"})

    def _authorise(self, request: Request, session: Session, now: float) -> None:
        reason = self._tokens.refusal(session, request.field("authorization"), now)
        if reason is not None:
            raise _Refused(reason)
        names = ("apns-request-id", "apns-id")  # Apple's samples send the one and the other
        if not all(_UUID.fullmatch(request.field(name) or _NO_ID) for name in names):
            raise _Refused("BadMessageId")

    def _check_app(self, app: str, session: Session) -> None:
        if ".push-type." in app:
            raise _Refused("TopicDisallowed")
        certificate = session.certificate
        listed = frozenset(certificate.topics) if certificate and certificate.topics else None
        for topics in (self._tokens.topics(session), self._topics, listed):
            if topics is not None and app not in topics:
                raise _Refused("TopicMismatch")

    def _policy(self, app: str, channel: str | None) -> int:
        """Return the storage policy of *channel*: 0 keeps no message, 1 the most recent."""
        if not channel:
            raise _Refused("MissingChannelId")
        if len(channel) > MAX_ID_LENGTH or not _is_base64(channel):
            raise _Refused("BadChannelId")
        policy = self._policies.get(app, {}).get(channel)
        if policy is None:
            raise _Refused("ChannelNotRegistered")
        return policy


_NO_ID = str(uuid.UUID(int=0))


def _request_id(request: Request) -> str:
    given = request.field("apns-request-id") or request.field("apns-id")
    return given if given and _UUID.fullmatch(given) else str(uuid.uuid4()).upper()


def _refusal(
    reason: str, request_id: str, app: str | None, channel: str | None, authorised: bool
) -> Judgement:
    answer = answers.broadcast(reason, request_id)
    return Judgement(answer, reason, request_id, app, channel, authorised)


def _check_creation(request: Request) -> None:
    try:
        body: JsonValue = json.loads(request.body)
    except (ValueError, RecursionError):
        raise _Refused("BadRequestPayload") from None
    if not isinstance(body, dict):
        raise _Refused("BadRequestPayload")
    if body.keys() - _KNOWN_KEYS:
        raise _Refused("BadRequestParams")
    if "message-storage-policy" not in body:
        raise _Refused("MissingChannelQueueSize")
    policy = body["message-storage-policy"]
    if isinstance(policy, bool) or policy not in (0, 1):
        raise _Refused("BadRequestParams")
    if "push-type" not in body:
        raise _Refused("MissingPushType")
    if body["push-type"] != "LiveActivity":
        raise _Refused("InvalidPushType")


def _check_broadcast(request: Request, policy: int) -> None:
    push_type = request.field("apns-push-type")
    if push_type is None:
        raise _Refused("MissingPushType")
    if push_type.lower() != "liveactivity":  # Apple's pages spell it in three ways
        raise _Refused("InvalidPushType")
    expiration = request.field("apns-expiration") or ""
    if not _EPOCH_SECONDS.fullmatch(expiration) or (policy == 0 and int(expiration) != 0):
        raise _Refused("BadExpirationDate")
    if request.field("apns-priority") not in (None, "10", "5", "1"):
        raise _Refused("BadPriority")
    if request.body_size > MAX_PAYLOAD:
        raise _Refused("PayloadTooLarge")
    if not request.body_size:
        raise _Refused("PayloadEmpty")
    try:
        payload: JsonValue = json.loads(request.body)
    except (ValueError, RecursionError):
        raise _Refused("BadRequestPayload") from None
    if not isinstance(payload, dict) or not isinstance(payload.get("aps"), dict):
        raise _Refused("PayloadEmpty")


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _json(status: int, value: JsonValue) -> Answer:
    head: Fields = (("content-type", "application/json"),)
    return Answer(status, head, json_bytes(value))
