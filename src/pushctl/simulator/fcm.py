"""
Judges a request to FCM's HTTP v1 API as Google would.

Rules: the discovery document of fcm v1 and Firebase's page "FCM error codes".  Order: path and
method, access token, JSON against the schema, project, message, device.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Mapping

from pushctl.outcome import JsonValue, Platform
from pushctl.simulator import answers, fcm_schema
from pushctl.simulator.devices import Device
from pushctl.simulator.google_access import GoogleAccess, Refused, refused
from pushctl.simulator.http import Answer, Request, html_answer, json_answer, json_bytes

MAX_SIZE = 4096
MAX_TOPIC_SIZE = 2048
MAX_TTL_S = 2_419_200
MAX_CONDITION_TOPICS = 5
_PATH = re.compile(r"/v1/projects/([^/]+)/messages:send")
_REGISTRATION_TOKEN = re.compile(r"[A-Za-z0-9_:-]{8,4096}")
_DEVICE_TOKEN = re.compile(r"[0-9a-fA-F]{64,}")
_TOPIC = re.compile(r"[a-zA-Z0-9-_.~%]{1,900}")
_TOPIC_TERM = re.compile(r"'[a-zA-Z0-9-_.~%]{1,900}'\s+in\s+topics\b")
_LABEL = re.compile(r"[a-zA-Z0-9-_.~%]{1,50}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

Fields = Mapping[str, JsonValue]


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What FCM makes of one request."""

    refusal: Answer | None
    """The answer of a refused request; ``None``: acceptable."""
    reason: str | None
    """Its reason in the catalog's spelling, ``CODE/case`` where a code has several meanings."""
    target: str | None
    """The registration token or FID, ``topic:NAME`` or ``condition:EXPR``."""
    project: str | None
    validate_only: bool
    authorised: bool
    """Whether it came with a valid access token."""


class FcmJudge:
    """Judges requests for the projects that it was given."""

    def __init__(self, access: GoogleAccess, devices: Mapping[str, Device]) -> None:
        """:param devices: known devices by registration token or FID; any other fits."""
        self._access = access
        self._devices = devices
        self._ids = itertools.count(1)

    def judge(self, request: Request, now: float) -> Judgement:
        """Return the verdict on *request*."""
        target = project = None
        validate_only = authorised = False
        try:
            project = _project(request)
            account = self._access.account(request.field("authorization"), now)
            authorised = True
            body = _read(request)
            validate_only = body.get("validateOnly") is True
            message = _mapping(body.get("message"))
            target = _target(message)
            self._access.check_project(project, account)
            _check_message(message)
            self._check_device(project, message)
        except Refused as no:
            return Judgement(no.answer, no.reason, target, project, validate_only, authorised)
        return Judgement(None, None, target, project, validate_only, authorised)

    def accepted(self, judgement: Judgement, now: float) -> Answer:
        """Return the answer to an acceptable request: the message's name."""
        number = next(self._ids)
        if judgement.validate_only:
            name = "fake_message_id"
        elif judgement.target and judgement.target.startswith(("topic:", "condition:")):
            name = str(6_000_000_000_000_000_000 + number)
        else:
            name = f"0:{int(now * 1_000_000)}%{number:016x}"
        path = f"projects/{judgement.project}/messages/{name}"
        return json_answer(200, {"name": path})

    def _check_device(self, project: str, message: Fields) -> None:
        token = message.get("token") or message.get("fid")
        if token is None:
            return
        if not _REGISTRATION_TOKEN.fullmatch(str(token)) or _DEVICE_TOKEN.fullmatch(str(token)):
            raise refused("INVALID_ARGUMENT/bad_token")
        device = self._devices.get(str(token))
        if device is None:
            return
        if device.project not in (None, project):
            raise refused("SENDER_ID_MISMATCH")
        package = _mapping(message.get("android")).get("restrictedPackageName")
        if device.package and package not in (None, "", device.package):
            raise _invalid(
                "bad_package", "message.android.restricted_package_name", "Package mismatch."
            )
        if device.platform is Platform.IOS:
            _check_data_only(message)


def _project(request: Request) -> str:
    """Return the project in the path."""
    found = _PATH.fullmatch(request.path)
    if found is None or request.method != "POST":
        raise Refused(answers.NOT_FOUND_PAGE, html_answer(404, "Not Found"))
    return found[1]


def _read(request: Request) -> Fields:
    """Return the body, checked against the schema, in canonical spelling."""
    try:
        if request.body_size > len(request.body):
            raise Refused("413 page", html_answer(413, "Request Entity Too Large"))
        body: JsonValue = json.loads(request.body or b"{}")
        faults = list(itertools.islice(fcm_schema.violations(body), 20))
    except (ValueError, RecursionError):
        faults = [fcm_schema.Violation("", "Invalid JSON payload received. Unexpected token.")]
    if faults:
        listed: list[JsonValue] = []
        for fault in faults:
            place = {"field": fault.field} if fault.field else {}
            listed.append({**place, "description": fault.description})
        text = "\n".join(fault.description for fault in faults)
        detail: Fields = {"@type": answers.BAD_REQUEST, "fieldViolations": listed}
        raise Refused("INVALID_ARGUMENT/bad_json_type", answers.google_error(400, text, (detail,)))
    return _mapping(fcm_schema.canonical(body))


def _check_message(message: Fields) -> None:
    if not any(message.get(name) for name in fcm_schema.TARGETS):
        raise refused("INVALID_ARGUMENT/no_target")
    topic, condition = message.get("topic"), message.get("condition")
    if topic is not None and not _TOPIC.fullmatch(str(topic)):
        raise refused("INVALID_ARGUMENT/bad_topic")
    if condition is not None and not condition_is_sound(str(condition)):
        raise refused("INVALID_ARGUMENT/bad_condition")
    if "android" in message and "androidV2" in message:
        raise _invalid("bad_json_type", "message", "Only one of android and android_v2 may be set.")
    _check_data(message)
    _check_ttl(message)
    _check_details(message)
    limit = MAX_SIZE if topic is None and condition is None else MAX_TOPIC_SIZE
    if _size(message) > limit:
        raise refused("INVALID_ARGUMENT/too_large")


def _configs(message: Fields) -> list[tuple[str, Fields]]:
    """Return the message and its platform parts, each with its path in a fault."""
    paths = {"android": "android", "androidV2": "android_v2", "webpush": "webpush", "apns": "apns"}
    parts = [
        (f"message.{path}", _mapping(message[name]))
        for name, path in paths.items()
        if name in message
    ]
    return [("message", message), *parts]


def _check_data(message: Fields) -> None:
    for path, config in _configs(message):
        for key in _mapping(config.get("data")):
            reserved = key in ("from", "message_type")
            if reserved or key.startswith(("google.", "gcm.notification.")):
                raise _invalid("bad_data_key", f"{path}.data", f"Invalid data payload key: {key}")


def _check_ttl(message: Fields) -> None:
    for path, config in _configs(message):
        ttl = config.get("ttl")
        found = fcm_schema.DURATION.fullmatch(ttl) if isinstance(ttl, str) else None
        if found is None:
            continue
        seconds, fraction = int(found[1]), found[2] or ""
        over = seconds == MAX_TTL_S and fraction.strip("0")
        if found[1].startswith("-") or seconds > MAX_TTL_S or over:
            raise _invalid(
                "bad_ttl", f"{path}.ttl", "Invalid TTL: it must be between 0 and 2,419,200 seconds."
            )
    ttl = _mapping(_mapping(message.get("webpush")).get("headers")).get("TTL")
    if ttl is not None and not re.fullmatch(r"[0-9]+", str(ttl)):
        raise _invalid(
            "bad_ttl", "message.webpush.headers.TTL", "TTL must be a non-negative integer."
        )


def _check_details(message: Fields) -> None:
    for path, config in _configs(message):
        label = _mapping(config.get("fcmOptions")).get("analyticsLabel")
        if label and not _LABEL.fullmatch(str(label)):
            raise _invalid(
                "bad_json_type", f"{path}.fcm_options.analytics_label", "Invalid analytics label."
            )
    link = _mapping(_mapping(message.get("webpush")).get("fcmOptions")).get("link")
    if link and not str(link).startswith("https://"):
        raise _invalid(
            "bad_json_type", "message.webpush.fcm_options.link", "The link must be an HTTPS URL."
        )
    notification = _mapping(_mapping(message.get("android")).get("notification"))
    colour = notification.get("color")
    if colour and not _COLOUR.fullmatch(str(colour)):
        raise _invalid(
            "bad_json_type",
            "message.android.notification.color",
            "Invalid color: #rrggbb is wanted.",
        )


def _check_data_only(message: Fields) -> None:
    """Refuse what iOS does not take: data alone at priority 10 (discovery, field ``data``)."""
    apns = _mapping(message.get("apns"))
    aps = _mapping(_mapping(apns.get("payload")).get("aps"))
    headers = {key.lower(): item for key, item in _mapping(apns.get("headers")).items()}
    visible = "notification" in message or any(key in aps for key in ("alert", "badge", "sound"))
    if message.get("data") and not visible and headers.get("apns-priority") == "10":
        raise _invalid(
            "ios_data_only_priority",
            "message.apns.headers.apns-priority",
            "A data-only message to an Apple device needs apns-priority 5.",
        )


def _size(message: Fields) -> int:
    """
    Return the size that counts: keys and values of the payload, for the platform with the most.

    ``android.data`` and ``webpush.data`` stand in place of the message's data; an APNs payload
    counts as it is sent on.
    """
    notification = _mapping(message.get("notification"))
    sizes = [_weight(notification) + _weight(message.get("data"))]
    for name in ("android", "androidV2", "webpush"):
        config = _mapping(message.get(name))
        inner = _mapping(config.get("remoteNotification", config)).get("notification")
        data = config.get("data", message.get("data"))
        sizes.append(_weight({**notification, **_mapping(inner)}) + _weight(data))
    payload = _mapping(_mapping(message.get("apns")).get("payload"))
    sizes.append(len(json_bytes(payload)) if payload else 0)
    return max(sizes)


def _weight(value: JsonValue) -> int:
    if isinstance(value, Mapping):
        return sum(len(key.encode()) + _weight(item) for key, item in value.items())
    return len(value.encode()) if isinstance(value, str) else len(json_bytes(value or ""))


def condition_is_sound(condition: str) -> bool:
    """Whether *condition* is a topic expression: terms, ``&&``, ``||``, ``!``, parentheses."""
    if len(condition) > 5000:
        return False
    reduced, terms = _TOPIC_TERM.subn("T", condition)
    reduced = re.sub(r"\s+", "", reduced)
    if not 1 <= terms <= MAX_CONDITION_TOPICS or reduced.count("T") != terms:
        return False
    before = ""
    while reduced != before:
        before = reduced
        reduced = re.sub(r"\(T\)|!T|T&&T|T\|\|T", "T", reduced)
    return reduced == "T"


def _target(message: Fields) -> str | None:
    for name in fcm_schema.TARGETS:
        value = message.get(name)
        if value:
            return str(value) if name in ("fid", "token") else f"{name}:{value}"
    return None


def _mapping(value: JsonValue) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _invalid(case: str, field: str, text: str) -> Refused:
    """Refuse with INVALID_ARGUMENT that names *field*."""
    violation: JsonValue = {"field": field, "description": text}
    details: tuple[Fields, ...] = (
        {"@type": answers.BAD_REQUEST, "fieldViolations": [violation]},
        {"@type": answers.FCM_ERROR, "errorCode": "INVALID_ARGUMENT"},
    )
    return Refused(f"INVALID_ARGUMENT/{case}", answers.google_error(400, text, details))
