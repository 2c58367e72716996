"""Tests of FCM's rules about the message."""

from __future__ import annotations

import json
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.rules import fcm, fcm_schema
from pushctl.rules.finding import Path

FIELDS = json.loads(
    (FilePath(__file__).parent.parent / "fixtures/messages/fcm_fields.json").read_text()
)["schemas"]
NOTIFICATION = {"notification": {"title": "t"}}


def found(message: dict[str, Any], *, warnings: bool = False) -> list[Path]:
    """Return the paths of the errors (or warnings) about *message*."""
    findings = fcm.check_message(message)
    return [finding.path for finding in findings if finding.warning == warnings]


@pytest.mark.parametrize("struct", sorted(FIELDS))
def test_the_schema_has_the_fields_of_the_discovery_document(struct: str) -> None:
    """No field of Google's schema is missing from ours, and none is invented."""
    assert sorted(FIELDS[struct]) == sorted(fcm_schema.STRUCTS[struct])


@pytest.mark.parametrize("struct", sorted(FIELDS))
def test_the_types_are_those_of_the_discovery_document(struct: str) -> None:
    """Enumerations have Google's words, maps and objects are what Google says they are."""
    for name, kind in fcm_schema.STRUCTS[struct].items():
        google = FIELDS[struct][name]
        if isinstance(google, list):
            assert google == [word for word in fcm_schema.ENUMS[kind] if word.isupper()]
        elif google in FIELDS:
            assert google == kind
        else:
            assert (google == "object<string>") == (kind == "texts by key")
            assert (google == "boolean") == (kind == "bool")


def test_a_full_message_is_left_alone() -> None:
    """A message that uses each type of field in its documented form has no finding."""
    message = {
        "notification": {"title": "t", "body": "b", "image": "https://example.com/i.png"},
        "data": {"story": "12"},
        "android": {
            "collapseKey": "k",
            "priority": "high",
            "ttl": "3.5s",
            "directBootOk": True,
            "notification": {
                "color": "#00ff88",
                "titleLocArgs": ["a"],
                "notificationCount": 3,
                "vibrateTimings": ["0s", "1.5s"],
                "visibility": "PRIVATE",
                "lightSettings": {
                    "color": {"red": 0, "green": 0.5, "blue": 1, "alpha": 1},
                    "lightOnDuration": "1s",
                    "lightOffDuration": "2s",
                },
                "ticker": None,
            },
        },
        "webpush": {"headers": {"TTL": "15"}, "fcmOptions": {"link": "https://example.com"}},
        "apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"badge": 1}, "x": 1}},
        "fcmOptions": {"analyticsLabel": "spring_sale-1"},
    }

    assert [] == list(fcm.check_message(message))


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"data": {"n": 3}}, ("data", "n")),
        ({"data": ["x"]}, ("data",)),
        ({"data": {"": "x"}}, ("data", "")),
        ({"data": {"from": "x"}}, ("data", "from")),
        ({"data": {"message_type": "x"}}, ("data", "message_type")),
        ({"data": {"google.x": "x"}}, ("data", "google.x")),
        (
            {"android": {"data": {"gcm.notification.x": "x"}}},
            ("android", "data", "gcm.notification.x"),
        ),
        ({**NOTIFICATION, "android": 3}, ("android",)),
        ({**NOTIFICATION, "android": {"ttl": "2419201s"}}, ("android", "ttl")),
        ({**NOTIFICATION, "android": {"ttl": "1h"}}, ("android", "ttl")),
        ({**NOTIFICATION, "android": {"ttl": 90}}, ("android", "ttl")),
        ({**NOTIFICATION, "android": {"priority": "urgent"}}, ("android", "priority")),
        ({**NOTIFICATION, "android": {"directBootOk": "yes"}}, ("android", "directBootOk")),
        ({"notification": {"title": 3}}, ("notification", "title")),
        ({"notification": {"image": "logo.png"}}, ("notification", "image")),
        ({"android": {"notification": {"color": "red"}}}, ("android", "notification", "color")),
        (
            {"android": {"notification": {"notificationCount": -1}}},
            ("android", "notification", "notificationCount"),
        ),
        (
            {"android": {"notification": {"vibrateTimings": ["1"]}}},
            ("android", "notification", "vibrateTimings"),
        ),
        (
            {"android": {"notification": {"bodyLocArgs": "a"}}},
            ("android", "notification", "bodyLocArgs"),
        ),
        (
            {"androidV2": {"remoteNotification": {"notification": {"id": 2**31}}}},
            ("androidV2", "remoteNotification", "notification", "id"),
        ),
        (
            {"data": {"a": "b"}, "fcmOptions": {"analyticsLabel": "a b"}},
            _LABEL := (
                "fcmOptions",
                "analyticsLabel",
            ),
        ),
        (
            {**NOTIFICATION, "webpush": {"fcmOptions": {"link": "http://x"}}},
            ("webpush", "fcmOptions", "link"),
        ),
        ({**NOTIFICATION, "apns": {"headers": {"a": 1}}}, ("apns", "headers", "a")),
        ({**NOTIFICATION, "apns": {"payload": {"aps": 1}}}, ("apns", "payload", "aps")),
        (
            {**NOTIFICATION, "apns": {"payload": {"aps": {"badge": "x"}}}},
            ("apns", "payload", "aps", "badge"),
        ),
        ({**NOTIFICATION, "name": "x"}, ("name",)),
        ({**NOTIFICATION, "token": "x"}, ("token",)),
        ({**NOTIFICATION, "message": NOTIFICATION}, ("message",)),
        ({**NOTIFICATION, "topic": "x"}, ("topic",)),
        ({**NOTIFICATION, "android": {}, "androidV2": {}}, ("androidV2",)),
        ({}, ()),
        ({"android": {"ttl": "1s"}}, ()),
        (
            {"data": {"a": "b"}, "apns": {"headers": {"apns-priority": "10"}}},
            ("apns", "headers", "apns-priority"),
        ),
    ],
)
def test_what_fcm_is_sure_to_refuse_is_an_error(message: dict[str, Any], path: Path) -> None:
    """Each rule finds its fault and points at it."""
    assert [path] == found(message)


def test_light_settings_must_be_complete() -> None:
    """All three members of lightSettings are required."""
    message = {"android": {"notification": {"lightSettings": {"color": {"red": 2}}}}}
    light = ("android", "notification", "lightSettings")

    assert [light, light, (*light, "color", "red")] == found(message)


def test_what_may_be_right_is_only_a_warning() -> None:
    """Unknown fields, doubtful data keys and images over http are not refused."""
    message = {
        "notification": {"title": "t", "image": "http://example.com/i.png"},
        "data": {"gcm_id": "x"},
        "andriod": {},
    }

    assert [] == found(message)
    assert [("andriod",), ("data", "gcm_id"), ("notification", "image")] == found(
        message, warnings=True
    )


def test_an_unknown_field_gets_the_nearest_name() -> None:
    """A slip is answered with the field that was meant."""
    hints = [f.hint for f in fcm.check_message({**NOTIFICATION, "android": {"colapseKey": "x"}})]

    assert ["did you mean `collapseKey`?"] == hints


def test_only_keys_and_values_that_surely_count_are_counted() -> None:
    """The count is in UTF-8 bytes of notification and data, without the platforms' parts."""
    message: dict[str, Any] = {
        "notification": {"title": "né"},
        "data": {"k": "value"},
        "apns": {"payload": {"aps": {"badge": 1}}},
    }

    assert 5 + 3 + 1 + 5 == fcm.counted_bytes(message)
    assert 5 + 3 == fcm.counted_bytes({**message, "android": {"data": {"a": "b"}}})


@pytest.mark.parametrize(
    ("kind", "limit"), [("token", 4096), ("fid", 4096), ("topic", 2048), ("condition", 2048)]
)
def test_topics_take_half_the_payload(kind: str, limit: int) -> None:
    """4096 bytes to one device, 2048 to a topic or condition."""
    assert limit == fcm.payload_limit(kind)


@pytest.mark.parametrize(
    ("topic", "fine"),
    [("news", True), ("a-b_c.d~e%20", True), ("", False), ("/topics/news", False), ("a b", False)],
)
def test_a_topic_has_a_bare_name(topic: str, fine: bool) -> None:
    """Google's pattern decides, and the old prefix is named."""
    assert fine == (fcm.topic_fault(topic) is None)


@pytest.mark.parametrize(
    ("condition", "fine"),
    [
        ("'a' in topics", True),
        ("'a' in topics && ('b' in topics || !('c' in topics))", True),
        (" || ".join(f"'t{n}' in topics" for n in range(5)), True),
        (" || ".join(f"'t{n}' in topics" for n in range(6)), False),
        ("news", False),
        ("'a b' in topics", False),
        ("'a' in topics and 'b' in topics", False),
        ("('a' in topics", False),
        (")'a' in topics(", False),
        ("'a' in topics &&", False),
        ("&& 'a' in topics", False),
        ("'a' in topics 'b' in topics", False),
        ("'a' in topics && && 'b' in topics", False),
        ("!!(('a' in topics))", True),
        ("()", False),
    ],
)
def test_a_condition_is_checked_as_far_as_is_certain(condition: str, fine: bool) -> None:
    """Topics, their number, the operators and the brackets are judged."""
    assert fine == (fcm.condition_fault(condition) is None)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("collapse_key", "collapseKey"),
        ("collapseKey", "collapseKey"),
        ("use_as_v1_data_message", "useAsV1DataMessage"),
        ("android_v2", "androidV2"),
    ],
)
def test_both_spellings_of_a_field_are_one(name: str, canonical: str) -> None:
    """The API takes snake_case as well as camelCase."""
    assert canonical == fcm_schema.camel_case(name)


@given(
    st.recursive(
        JSON_VALUES,
        lambda inner: st.dictionaries(
            st.sampled_from(sorted({n for fields in FIELDS.values() for n in fields})), inner
        ),
        max_leaves=10,
    )
)
def test_the_rules_take_any_json(value: Any) -> None:
    """No message, however odd, makes the rules fail."""
    list(fcm.check_message({"android": value, "apns": value, "data": value, "webpush": value}))
    if isinstance(value, dict):
        list(fcm.check_message(value))


@pytest.mark.parametrize(
    ("part", "path", "is_warning"),
    [
        ({"webpush": {"headers": {"TTL": "4h"}}}, ("webpush", "headers", "TTL"), False),
        ({"webpush": {"headers": {"ttl": "-1"}}}, ("webpush", "headers", "ttl"), False),
        ({"webpush": {"headers": {"Urgency": "HIGH"}}}, ("webpush", "headers", "Urgency"), True),
        *(
            ({"apns": {"headers": {name: value}}}, ("apns", "headers", name), True)
            for name, value in (
                ("apns-priority", "7"),
                ("apns-push-type", "voipp"),
                ("apns-expiration", "soon"),
                ("apns-expiration", "1795168800000"),
                ("apns-collapse-id", "x" * 65),
            )
        ),
    ],
)
def test_header_fields_are_judged_by_who_gets_them(
    part: dict[str, Any], path: Path, is_warning: bool
) -> None:
    """FCM hands them on: what a push service or Apple would refuse is found before."""
    (finding,) = fcm.check_message({**NOTIFICATION, **part})

    assert (path, is_warning) == (finding.path, finding.warning)


def test_header_fields_in_order_or_to_be_filled_are_left_alone() -> None:
    """Values in range, fields of one's own and placeholders raise nothing."""
    headers = {
        "apns-priority": "5",
        "apns-push-type": "alert",
        "apns-expiration": "0",
        "apns-collapse-id": "{{ order }}",
        "x-own": "y",
    }
    web = {"TTL": "0", "Urgency": "{% if x %}high{% endif %}", "Topic": "a"}

    assert [] == list(
        fcm.check_message(
            {**NOTIFICATION, "apns": {"headers": headers}, "webpush": {"headers": web}}
        )
    )
