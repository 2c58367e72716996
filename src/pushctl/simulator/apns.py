"""
Judges a request to APNs as APNs would.

Rules: Apple, "Sending notification requests to APNs" and "Handling notification responses from
APNs".  Apple does not document in which order faults are found; here the order is method, path,
provider token, header fields, topic, device token, payload.
"""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Mapping

from pushctl.outcome import Environment
from pushctl.simulator.client_certificate import ClientCertificate
from pushctl.simulator.devices import Device
from pushctl.simulator.http import Request
from pushctl.simulator.provider_token import ProviderTokens, Session

_PREFIX = "/3/device/"
MAX_COLLAPSE_ID = 64
MAX_PAYLOAD = 4096
MAX_VOIP_PAYLOAD = 5120


@dataclasses.dataclass(frozen=True, slots=True)
class PushType:
    """What APNs asks of one push type."""

    suffix: str = ""
    max_payload: int = MAX_PAYLOAD
    needs_aps: bool = False
    priorities: frozenset[str] = frozenset({"10", "5", "1"})


_TEN_OR_FIVE = frozenset({"10", "5"})
PUSH_TYPES: Mapping[str, PushType] = {
    "alert": PushType(needs_aps=True),
    "background": PushType(needs_aps=True, priorities=frozenset({"5"})),
    "complication": PushType(".complication", priorities=_TEN_OR_FIVE),
    "controls": PushType(".push-type.controls", needs_aps=True),
    "fileprovider": PushType(".pushkit.fileprovider"),
    "liveactivity": PushType(".push-type.liveactivity", needs_aps=True, priorities=_TEN_OR_FIVE),
    "location": PushType(".location-query", priorities=_TEN_OR_FIVE),
    "mdm": PushType(),
    "pushtotalk": PushType(".voip-ptt"),
    "voip": PushType(".voip", MAX_VOIP_PAYLOAD),
    "widgets": PushType(".push-type.widgets", needs_aps=True),
}
"""The documented values of apns-push-type with the suffix of their topic."""

_SUFFIXES = tuple(entry.suffix for entry in PUSH_TYPES.values() if entry.suffix)
_UNTYPED = PushType()
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TOPIC = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9_-]+)+")
_HEXADECIMAL = re.compile(r"([0-9a-fA-F]{2})+")
_EPOCH_SECONDS = re.compile(r"[0-9]{1,18}")


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What APNs makes of one request."""

    reason: str | None
    """Why it is refused; ``None``: acceptable."""
    apns_id: str
    token: str | None
    """The device token in lower case, if the path held one."""
    topic: str | None
    authorised: bool
    """Whether it came with a valid provider token or certificate."""


class ApnsJudge:
    """Judges requests for one environment."""

    def __init__(
        self,
        tokens: ProviderTokens,
        devices: Mapping[str, Device],
        environment: Environment,
        topics: frozenset[str] | None,
    ) -> None:
        """
        :param devices: known devices by token; a token that is not among them fits every topic
            and environment.
        :param topics: the bundle ids of the team; ``None``: whatever is asked for.
        """
        self._tokens = tokens
        self._devices = devices
        self._environment = environment
        self._topics = topics

    def judge(self, request: Request, session: Session, now: float) -> Judgement:
        """Return the verdict on *request*, which came on the connection of *session*."""
        given_id = request.field("apns-id")
        # An id that APNs makes itself comes in upper case (seen by users of the service).
        apns_id = given_id if given_id and _UUID.fullmatch(given_id) else str(uuid.uuid4()).upper()
        path = request.target
        token = path.removeprefix(_PREFIX) if path.startswith(_PREFIX) else None
        topic = request.field("apns-topic") or _only_topic(session.certificate)
        reason = _route_fault(request.method, path, token)
        authorised = False
        if reason is None:
            reason = self._tokens.refusal(session, request.field("authorization"), now)
            authorised = reason is None
        if reason is None:
            reason = (
                _header_fault(request)
                or self._topic_fault(request, topic, session)
                or _collapse_fault(request.field("apns-collapse-id"))
                or self._token_fault(token or "", topic or "")
                or _payload_fault(request, topic or "")
            )
        return Judgement(reason, apns_id, token.lower() if token else None, topic, authorised)

    def _topic_fault(self, request: Request, topic: str | None, session: Session) -> str | None:
        if not topic:
            return "MissingTopic"
        if not _TOPIC.fullmatch(topic):
            return "BadTopic"
        push_type = request.field("apns-push-type")
        if push_type == "mdm":
            # The UID attribute of the MDM push certificate's subject.  No team owns that topic:
            # with a provider token it is refused as any foreign topic is.
            if not topic.startswith("com.apple.mgmt."):
                return "BadTopic"
            shown = session.certificate
            named = shown is not None and topic in (shown.topics or (topic,))
            return None if named else "TopicDisallowed"
        suffix = next((end for end in _SUFFIXES if topic.endswith(end)), "")
        if push_type is not None and suffix != PUSH_TYPES[push_type].suffix:
            return "BadTopic"
        if push_type == "location" and session.certificate is not None:
            return "TopicDisallowed"  # Apple: token authentication alone
        bundle_id = topic.removesuffix(suffix)
        certificate = session.certificate
        if certificate is not None and certificate.topics and topic not in certificate.topics:
            return "TopicDisallowed"
        for topics in (self._tokens.topics(session), self._topics):
            if topics is not None and bundle_id not in topics:
                return "TopicDisallowed"
        return None

    def _token_fault(self, token: str, topic: str) -> str | None:
        if not _HEXADECIMAL.fullmatch(token) or not token.strip("0"):
            return "BadDeviceToken"  # nothing but zeros is nobody's, as people found at Apple
        device = self._devices.get(token.lower())
        if device is None:
            return None
        if device.environment not in (None, self._environment):
            return "BadDeviceToken"
        if device.topic not in (None, topic):
            return "DeviceTokenNotForTopic"
        return None


def _only_topic(certificate: ClientCertificate | None) -> str | None:
    """Return the topic of a certificate that has one alone: then no header need name it."""
    if certificate is None or len(certificate.topics) != 1:
        return None
    return certificate.topics[0]


def _route_fault(method: str, path: str, token: str | None) -> str | None:
    if method != "POST":
        return "MethodNotAllowed"
    if token is None:
        # "/3/device" names no device at all; anything else is no path of this API.
        return "MissingDeviceToken" if path == _PREFIX.rstrip("/") else "BadPath"
    if not token:
        return "MissingDeviceToken"
    if any(character in token for character in "/?#"):
        return "BadPath"
    return None


def _header_fault(request: Request) -> str | None:
    names = [name for name, _ in request.fields]
    if len(set(names)) != len(names):
        return "DuplicateHeaders"
    fields = dict(request.fields)
    apns_id = fields.get("apns-id")
    if apns_id is not None and not _UUID.fullmatch(apns_id):
        return "BadMessageId"
    expiration = fields.get("apns-expiration")
    if expiration is not None and not _EPOCH_SECONDS.fullmatch(expiration):
        return "BadExpirationDate"
    push_type = fields.get("apns-push-type")
    rules = _UNTYPED if push_type is None else PUSH_TYPES.get(push_type, _UNTYPED)
    if fields.get("apns-priority", "5") not in rules.priorities:
        return "BadPriority"
    if push_type is not None and push_type not in PUSH_TYPES:
        return "InvalidPushType"
    return None


def _collapse_fault(collapse_id: str | None) -> str | None:
    # The field was decoded as Latin-1: one character is one byte.
    too_long = collapse_id is not None and len(collapse_id) > MAX_COLLAPSE_ID
    return "BadCollapseId" if too_long else None


def _payload_fault(request: Request, topic: str) -> str | None:
    """
    Judge the body.

    Apple documents no reason for a body that is not JSON, or that is compressed; the nearest
    documented one, PayloadEmpty, stands for "no payload could be read".
    """
    push_type = request.field("apns-push-type")
    rules = _UNTYPED if push_type is None else PUSH_TYPES[push_type]
    if request.body_size > rules.max_payload:
        return "PayloadTooLarge"
    if request.field("content-encoding") not in (None, "identity"):
        return "PayloadEmpty"
    try:
        payload = json.loads(request.body)
    except (ValueError, RecursionError):
        return "PayloadEmpty"
    if not isinstance(payload, dict):
        return "PayloadEmpty"
    if topic.startswith("pass."):
        return None  # Wallet reads nothing from it, an empty object is usual
    if not payload or (rules.needs_aps and not isinstance(payload.get("aps"), dict)):
        return "PayloadEmpty"
    return None
