"""What the simulator's FCM makes of messages: schema first, then the rules of the service."""

from __future__ import annotations

import json

import pytest

from pushctl import catalog
from pushctl.outcome import Platform
from pushctl.simulator import Device
from pushctl.simulator.fcm import FcmJudge, Judgement, condition_is_sound
from pushctl.simulator.google_access import GoogleAccess
from pushctl.simulator.http import Request
from pushctl.simulator.token_endpoint import AccessTokens
from simulator.kit import ANDROID_TOKEN, SCOPE, TOKEN

NOW = 1_795_168_800.0
ACCOUNT = "push@shop.iam.gserviceaccount.com"
PATH = "/v1/projects/shop/messages:send"


def judge(
    body: object,
    *,
    path: str = PATH,
    method: str = "POST",
    authorization: str | None = "good",
    scope: str = SCOPE,
    account: str = ACCOUNT,
    now: float = NOW,
    device: Device | None = None,
    size: int | None = None,
) -> Judgement:
    tokens = AccessTokens(3599)
    token = tokens.issue(account, frozenset({scope}), NOW)
    devices = {ANDROID_TOKEN: device} if device else {}
    projects = {ACCOUNT: "shop", "other@x": "other"}
    value = f"Bearer {token}" if authorization == "good" else authorization
    fields = () if value is None else (("authorization", value),)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method, path, fields, raw, len(raw) if size is None else size)
    return FcmJudge(GoogleAccess(tokens, projects), devices).judge(request, now)


def message(**fields: object) -> dict[str, object]:
    return {"message": {"token": ANDROID_TOKEN, **fields}}


def error(verdict: Judgement) -> dict[str, object]:
    assert verdict.refusal is not None
    inner: dict[str, object] = json.loads(verdict.refusal.body)["error"]
    return inner


def violations(verdict: Judgement) -> list[dict[str, str]]:
    details = error(verdict)["details"]
    assert isinstance(details, list)
    return [item for detail in details for item in detail.get("fieldViolations", ())]


FULL = {
    "notification": {"title": "Hello", "body": "There", "image": "https://example.com/a.png"},
    "data": {"a": "b", "collapse_key": "x"},
    "android": {
        "collapseKey": "k",
        "priority": "high",
        "ttl": "3.5s",
        "restrictedPackageName": "com.example.shop",
        "data": {"c": "d"},
        "directBootOk": True,
        "fcmOptions": {"analyticsLabel": "spring-1"},
        "notification": {
            "color": "#aabbcc",
            "bodyLocArgs": ["1"],
            "eventTime": "2026-11-20T10:00:00.5Z",
            "notificationCount": "5",
            "vibrateTimings": ["0.5s", "1s"],
            "notificationPriority": "PRIORITY_MAX",
            "visibility": "PUBLIC",
            "proxy": "DENY",
            "lightSettings": {
                "color": {"red": 1, "green": 0.5, "blue": 0, "alpha": 1},
                "lightOnDuration": "1s",
                "lightOffDuration": "1s",
            },
        },
    },
    "webpush": {
        "headers": {"TTL": "15"},
        "notification": {"anything": [1, {"x": None}]},
        "fcmOptions": {"link": "https://example.com"},
    },
    "apns": {
        "headers": {"apns-priority": "5"},
        "payload": {"aps": {"alert": "x"}, "n": 1},
        "fcmOptions": {"image": "https://example.com/b.png"},
        "liveActivityToken": "ab",
    },
    "fcmOptions": {"analyticsLabel": "x"},
}


def snake(value: object) -> object:
    """The same message in snake_case, where a field has two spellings."""
    text = json.dumps(value)
    for camel, other in (
        ("collapseKey", "collapse_key"),
        ("restrictedPackageName", "restricted_package_name"),
        ("fcmOptions", "fcm_options"),
        ("analyticsLabel", "analytics_label"),
        ("notificationCount", "notification_count"),
        ("liveActivityToken", "live_activity_token"),
    ):
        text = text.replace(f'"{camel}"', f'"{other}"')
    return json.loads(text)


@pytest.mark.parametrize("form", [FULL, snake(FULL)])
def test_a_message_with_everything_is_acceptable(form: dict[str, object]) -> None:
    """Every documented field in its documented form passes, in both spellings."""
    verdict = judge(message(**form))
    assert (None, ANDROID_TOKEN, "shop") == (verdict.reason, verdict.target, verdict.project)


def test_the_newer_android_form_is_acceptable() -> None:
    """AndroidConfigV2 is known, and excludes AndroidConfig."""
    newer = {"remoteNotification": {"notification": {"title": "x", "id": 7}}, "ttl": "60s"}
    verdicts = [judge(message(androidV2=newer)), judge(message(androidV2=newer, android={}))]
    assert [None, "INVALID_ARGUMENT/bad_json_type"] == [item.reason for item in verdicts]


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        (
            {"data": {"a": "b", "n": 12}},
            "message.data[1].value",
            "Invalid value at 'message.data[1].value' (TYPE_STRING), 12",
        ),
        (
            {"to": "x"},
            "message.to",
            "Invalid JSON payload received. Unknown name \"to\" at 'message': Cannot find field.",
        ),
        ({"data": ["a"]}, "message.data", "Invalid value at 'message.data' (Map), [\"a\"]"),
        (
            {"android": {"ttl": "3600"}},
            "message.android.ttl",
            "Invalid value at 'message.android.ttl' "
            '(type.googleapis.com/google.protobuf.Duration), "3600"',
        ),
        (
            {"android": {"ttl": 3600}},
            "message.android.ttl",
            "Invalid value at 'message.android.ttl' "
            "(type.googleapis.com/google.protobuf.Duration), 3600",
        ),
        (
            {"android": {"priority": "URGENT"}},
            "message.android.priority",
            "Invalid value at 'message.android.priority' (type.googleapis.com/"
            'google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority), "URGENT"',
        ),
        (
            {"android": {"directBootOk": "yes"}},
            "message.android.direct_boot_ok",
            "Invalid value at 'message.android.direct_boot_ok' (TYPE_BOOL), \"yes\"",
        ),
        (
            {"notification": "x"},
            "message.notification",
            "Invalid value at 'message.notification' "
            '(type.googleapis.com/google.firebase.fcm.v1.Notification), "x"',
        ),
        (
            {"notification": ["x"]},
            "message.notification",
            "Invalid JSON payload received. Unknown name \"notification\" at 'message': "
            "Proto field is not repeating, cannot start list.",
        ),
        (
            {"android": {"notification": {"notificationCount": 2**31}}},
            "message.android.notification.notification_count",
            "Invalid value at 'message.android.notification.notification_count' "
            "(TYPE_INT32), 2147483648",
        ),
        (
            {"android": {"notification": {"eventTime": "yesterday"}}},
            "message.android.notification.event_time",
            "Invalid value at 'message.android.notification.event_time' "
            '(type.googleapis.com/google.protobuf.Timestamp), "yesterday"',
        ),
        (
            {"android": {"notification": {"titleLocArgs": ["a", 1]}}},
            "message.android.notification.title_loc_args[1]",
            "Invalid value at 'message.android.notification.title_loc_args[1]' (TYPE_STRING), 1",
        ),
        (
            {"apns": {"payload": "x"}},
            "message.apns.payload",
            "Invalid value at 'message.apns.payload' "
            '(type.googleapis.com/google.protobuf.Struct), "x"',
        ),
        (
            {"topic": "news"},
            "message",
            "Invalid value at 'message' (oneof), oneof field 'target' is already set. "
            "Cannot set 'topic'",
        ),
    ],
)
def test_what_does_not_fit_the_schema_is_named(
    fields: dict[str, object], field: str, text: str
) -> None:
    """A schema fault is a BadRequest with the field and the front end's words, no FcmError."""
    verdict = judge(message(**fields))
    found = violations(verdict)
    expected_field = "message" if field == "message.to" else field
    assert ("INVALID_ARGUMENT/bad_json_type", [(expected_field, text)], False) == (
        verdict.reason,
        [(item["field"], item["description"]) for item in found],
        b"FcmError" in (verdict.refusal.body if verdict.refusal else b""),
    )


def test_all_schema_faults_are_listed() -> None:
    """Two faults are both reported, in order."""
    verdict = judge(message(data={"n": 1}, to="x"))
    assert ["message.data[0].value", "message"] == [item["field"] for item in violations(verdict)]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 60_000, b"7", b"[]", {"massage": {}}])
def test_what_is_no_request_is_a_bad_request(body: object) -> None:
    """Broken or foreign JSON gives INVALID_ARGUMENT without an FcmError, never a crash."""
    verdict = judge(body)
    assert ("INVALID_ARGUMENT/bad_json_type", 400) == (verdict.reason, error(verdict)["code"])


def test_null_is_as_good_as_absent() -> None:
    """proto3 JSON takes null for a field that is not set."""
    assert judge(message(topic=None, data=None, android={"ttl": None})).reason is None


LONG = "x" * 4097


@pytest.mark.parametrize(
    ("body", "case"),
    [
        ({}, "no_target"),
        ({"message": {}}, "no_target"),
        ({"message": {"token": ""}}, "no_target"),
        ({"message": {"token": "bad token!"}}, "bad_token"),
        ({"message": {"token": TOKEN}}, "bad_token"),
        ({"message": {"token": "short"}}, "bad_token"),
        ({"message": {"topic": "/topics/news"}}, "bad_topic"),
        ({"message": {"topic": "a b"}}, "bad_topic"),
        ({"message": {"condition": "'a' in topics &&"}}, "bad_condition"),
        (message(data={"a": LONG}), "too_large"),
        (message(notification={"body": LONG}), "too_large"),
        (message(android={"data": {"a": LONG}}), "too_large"),
        (message(apns={"payload": {"a": LONG}}), "too_large"),
        ({"message": {"topic": "news", "data": {"a": "x" * 2048}}}, "too_large"),
        (message(data={"from": "x"}), "bad_data_key"),
        (message(data={"message_type": "x"}), "bad_data_key"),
        (message(data={"google.x": "x"}), "bad_data_key"),
        (message(android={"data": {"gcm.notification.x": "x"}}), "bad_data_key"),
        (message(android={"ttl": "2419201s"}), "bad_ttl"),
        (message(android={"ttl": "2419200.5s"}), "bad_ttl"),
        (message(android={"ttl": "-1s"}), "bad_ttl"),
        (message(webpush={"headers": {"TTL": "soon"}}), "bad_ttl"),
        (message(fcmOptions={"analyticsLabel": "no spaces"}), "bad_json_type"),
        (message(webpush={"fcmOptions": {"link": "http://x"}}), "bad_json_type"),
        (message(android={"notification": {"color": "red"}}), "bad_json_type"),
    ],
)
def test_each_rule_of_the_service_has_its_case(body: dict[str, object], case: str) -> None:
    """A message that breaks a rule is INVALID_ARGUMENT in the meaning that the tables give."""
    verdict = judge(body)
    assert (f"INVALID_ARGUMENT/{case}", 400) == (verdict.reason, error(verdict)["code"])
    assert catalog.lookup("fcm", "INVALID_ARGUMENT", case=case) is not None


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"fid": "dX1nVeNtEdToKeN0000001"}},
        {"message": {"topic": "news.de_1-2~%"}},
        {"message": {"condition": "'a' in topics && ('b' in topics || 'c' in topics)"}},
        message(data={"a": "x" * 4095}),
        message(data={"fromage": "x", "google": "y"}),
        message(android={"ttl": "2419200s"}),
        message(android={"ttl": "0s"}),
        message(android={"notification": {"notificationCount": 3.0}}),
        message(data={"a": LONG[:2000]}, android={"data": {"b": LONG[:4000]}}),
    ],
)
def test_messages_within_the_rules_pass(body: dict[str, object]) -> None:
    """What is at the edge of a documented rule is accepted."""
    assert judge(body).reason is None


@pytest.mark.parametrize(
    ("condition", "sound"),
    [
        ("'a' in topics", True),
        ("!('a' in topics)", True),
        ("!'a' in topics||'b' in topics", True),
        ("(('a' in topics))", True),
        (" && ".join(f"'t{number}' in topics" for number in range(5)), True),
        (" && ".join(f"'t{number}' in topics" for number in range(6)), False),
        ("", False),
        ("T", False),
        ("a in topics", False),
        ("'a' in topics 'b' in topics", False),
        ("('a' in topics", False),
        ("'a' in topics & 'b' in topics", False),
        ("'a' in topicsx", False),
        ("(" * 6000 + "'a' in topics", False),
    ],
)
def test_conditions_are_parsed(condition: str, sound: bool) -> None:
    """A condition is terms joined by && and ||, with ! and parentheses, five topics at most."""
    assert sound is condition_is_sound(condition)


@pytest.mark.parametrize(
    ("authorization", "reason", "status"),
    [
        (None, "CREDENTIALS_MISSING", 401),
        ("key=AAAA", "CREDENTIALS_MISSING", 401),
        ("Bearer ", "CREDENTIALS_MISSING", 401),
        ("Bearer ya29.unknown", "ACCESS_TOKEN_EXPIRED", 401),
        ("Bearer a.b.c", "ACCESS_TOKEN_TYPE_UNSUPPORTED", 401),
    ],
)
def test_access_tokens_are_judged(authorization: str | None, reason: str, status: int) -> None:
    """Without a good access token the front end refuses, and FCM does not see the message."""
    verdict = judge(message(), authorization=authorization)
    assert (reason, status, False) == (verdict.reason, error(verdict)["code"], verdict.authorised)
    assert not verdict.refusal or b"FcmError" not in verdict.refusal.body


def test_access_tokens_expire_and_need_a_scope() -> None:
    """A token is good for its lifetime, with the messaging or the cloud-platform scope."""
    cloud = "https://www.googleapis.com/auth/cloud-platform"
    storage = "https://www.googleapis.com/auth/devstorage.read_only"
    assert [None, "ACCESS_TOKEN_EXPIRED", None, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"] == [
        judge(message(), now=NOW + 3598).reason,
        judge(message(), now=NOW + 3599).reason,
        judge(message(), scope=cloud).reason,
        judge(message(), scope=storage).reason,
    ]


def test_projects_are_judged() -> None:
    """An unknown project is a bare NOT_FOUND, another account's a missing permission."""
    unknown = judge(message(), path="/v1/projects/nobody/messages:send")
    denied = judge(message(), path="/v1/projects/other/messages:send")
    assert ("NOT_FOUND", 404, False) == (
        unknown.reason,
        error(unknown)["code"],
        "details" in error(unknown),
    )
    assert ("IAM_PERMISSION_DENIED", 403) == (denied.reason, error(denied)["code"])


def test_devices_know_their_project_and_package() -> None:
    """A token of another project is SENDER_ID_MISMATCH, of another package INVALID_ARGUMENT."""
    package = {"restrictedPackageName": "com.example.shop"}
    assert ["SENDER_ID_MISMATCH", "INVALID_ARGUMENT/bad_package", None] == [
        judge(message(), device=Device(project="other")).reason,
        judge(message(android=package), device=Device(package="com.example.x")).reason,
        judge(message(android=package), device=Device(package="com.example.shop")).reason,
    ]


def test_ios_takes_data_only_messages_at_low_priority() -> None:
    """Data alone to an Apple device with apns-priority 10 is refused, with 5 it is not."""
    device = Device(platform=Platform.IOS)
    verdicts = [
        judge(message(data={"a": "b"}, apns={"headers": {name: priority}}), device=device).reason
        for name, priority in (
            ("apns-priority", "10"),
            ("APNS-Priority", "10"),
            ("apns-priority", "5"),
        )
    ]
    assert ["INVALID_ARGUMENT/ios_data_only_priority"] * 2 + [None] == verdicts


@pytest.mark.parametrize(
    ("path", "method", "reason"),
    [
        (PATH, "GET", "(html 404)"),
        ("/v1/projects//messages:send", "POST", "(html 404)"),
        ("/v1/projects/shop/messages", "POST", "(html 404)"),
    ],
)
def test_other_paths_and_methods_are_a_page(path: str, method: str, reason: str) -> None:
    """What is no method of the API is answered by the front end, in HTML."""
    verdict = judge(message(), path=path, method=method)
    assert verdict.refusal is not None
    assert (reason, True) == (verdict.reason, verdict.refusal.body.startswith(b"<!DOCTYPE html>"))


def test_a_huge_body_is_a_page() -> None:
    """A body far over any limit never reaches the API."""
    assert "413 page" == judge(message(), size=70_000).reason


def test_what_is_refused_by_the_service_carries_an_fcm_error() -> None:
    """A rule of the service names its field and FCM's own code."""
    found = error(judge(message(data={"from": "x"})))
    assert [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [
                {"field": "message.data", "description": "Invalid data payload key: from"}
            ],
        },
        {
            "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
            "errorCode": "INVALID_ARGUMENT",
        },
    ] == found["details"]


def test_accepted_messages_get_a_name() -> None:
    """The name tells the project; validate_only and topics have names of their own."""
    tokens = AccessTokens(60)
    court = FcmJudge(GoogleAccess(tokens, {ACCOUNT: "shop"}), {})
    bodies = [message(), {"message": {"topic": "news"}}, {**message(), "validate_only": True}]
    names = [
        json.loads(court.accepted(judge(body), NOW).body)["name"].split("/messages/")
        for body in bodies
    ]
    assert [
        ["projects/shop", "0:1795168800000000%0000000000000001"],
        ["projects/shop", "6000000000000000002"],
        ["projects/shop", "fake_message_id"],
    ] == names
