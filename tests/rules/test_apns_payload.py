"""Tests of APNs' rules about the payload."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.rules import apns_payload
from pushctl.rules.apns import PUSH_TYPES
from pushctl.rules.finding import Path


def found(push_type: str, payload: dict[str, Any], *, warnings: bool = False) -> list[Path]:
    """Return the paths of the errors (or warnings) about *payload*."""
    findings = apns_payload.check_payload(PUSH_TYPES[push_type], payload)
    return [finding.path for finding in findings if finding.warning == warnings]


FINE: dict[str, dict[str, Any]] = {
    "alert": {"aps": {"alert": {"title": "Game Request", "body": "Bob wants to play"}}, "x": 1},
    "background": {"aps": {"content-available": 1}, "acme1": "bar", "acme2": 42},
    "complication": {"steps": 4200},
    "controls": {"aps": {"content-changed": True}},
    "fileprovider": {"container-identifier": "NSFileProviderWorkingSet", "domain": "acme"},
    "liveactivity": {
        "aps": {
            "timestamp": 1685952000,
            "event": "update",
            "content-state": {"level": 0.0},
            "alert": {"title": {"loc-key": "%@", "loc-args": ["x"]}, "sound": "HeroDown.mp4"},
        }
    },
    "location": {"request": 7},
    "mdm": {"mdm": "the-push-magic"},
    "pushtotalk": {"channel": "7"},
    "voip": {"caller": "Bob"},
    "widgets": {"aps": {"content-changed": True}},
}


@pytest.mark.parametrize("push_type", sorted(PUSH_TYPES))
def test_a_sound_payload_of_each_push_type_is_left_alone(push_type: str) -> None:
    """What Apple's pages show for a push type raises neither an error nor a warning."""
    assert [] == found(push_type, FINE[push_type])
    assert [] == found(push_type, FINE[push_type], warnings=True)


def test_every_key_of_an_alert_in_order_is_left_alone() -> None:
    """Each key with a value of its type raises nothing but what the app needs for it."""
    aps = {
        "alert": {"title": "t", "loc-args": ["a"]},
        "badge": 0,
        "sound": {"critical": 1, "name": "x.caf", "volume": 0.5},
        "thread-id": "t",
        "mutable-content": 1,
        "interruption-level": "active",
        "relevance-score": 0.5,
        "url-args": ["a"],
    }

    assert [] == found("alert", {"aps": aps})
    assert [("aps", "sound", "critical")] == found("alert", {"aps": aps}, warnings=True)


@pytest.mark.parametrize(
    ("push_type", "payload", "path"),
    [
        ("alert", {}, ()),
        ("alert", {"aps": []}, ("aps",)),
        ("alert", {"aps": {"content-available": 1}}, ("aps",)),
        ("background", {"aps": {}}, ("aps",)),
        ("background", {"aps": {"content-available": 1, "alert": "x"}}, ("aps", "alert")),
        ("background", {"aps": {"content-available": 1, "badge": 1}}, ("aps", "badge")),
        ("background", {"aps": {"content-available": 1, "sound": "x"}}, ("aps", "sound")),
        ("widgets", {"aps": {}}, ("aps",)),
        ("controls", {"aps": {"content-changed": 1}}, ("aps", "content-changed")),
        ("fileprovider", {"container-identifier": "x"}, ("domain",)),
        ("mdm", {"mdm": 1}, ("mdm",)),
        ("liveactivity", {"aps": {"timestamp": 1, "event": "update"}}, ("aps",)),
        ("liveactivity", {"aps": {"event": "end"}}, ("aps",)),
        ("liveactivity", {"x": 1}, ()),
        ("alert", {"aps": {"alert": {"title": {"loc-key": "K"}}}}, ("aps", "alert", "title")),
        ("alert", {"aps": {"alert": {"body": "b", "sound": "s"}}}, ("aps", "alert", "sound")),
    ],
)
def test_what_a_push_type_needs_is_asked_for(
    push_type: str, payload: dict[str, Any], path: Path
) -> None:
    """Each push type's own rule is applied, and the finding points at the part."""
    assert [path] == found(push_type, payload)


@pytest.mark.parametrize(
    ("push_type", "payload", "path"),
    [
        ("background", {"aps": {"content-available": 1, "category": "x"}}, ("aps", "category")),
        ("complication", {"aps": {"alert": "x"}}, ("aps", "alert")),
        ("controls", {"aps": {"content-changed": True, "sound": "x"}}, ("aps", "sound")),
        ("widgets", {"aps": {"content-changed": True, "alert": "x"}}, ("aps", "alert")),
        ("fileprovider", {"container-identifier": "c", "domain": "d", "aps": {}}, ("aps",)),
        ("mdm", {"mdm": "magic", "aps": {"alert": "x"}}, ("aps",)),
        ("location", {"aps": {"content-changed": True}}, ("aps", "content-changed")),
        ("location", {}, ()),
        ("pushtotalk", {"aps": {"badge": 1}}, ("aps", "badge")),
        ("voip", {"aps": {"interruption-level": "active"}}, ("aps", "interruption-level")),
        ("alert", {"aps": {"alert": "x", "event": "update"}}, ("aps", "event")),
        ("alert", {"aps": {"alert": "x", "input-push-token": 1}}, ("aps", "input-push-token")),
        (
            "liveactivity",
            {"aps": {"timestamp": 1, "event": "end", "sound": "x"}},
            ("aps", "sound"),
        ),
        (
            "liveactivity",
            {"aps": {"timestamp": 1, "event": "end", "content-available": 1}},
            ("aps", "content-available"),
        ),
    ],
)
def test_what_does_nothing_in_a_push_of_its_type_is_a_warning(
    push_type: str, payload: dict[str, Any], path: Path
) -> None:
    """The push type must match the payload: what belongs to another type is pointed out."""
    assert [] == found(push_type, payload)
    assert [path] == found(push_type, payload, warnings=True)


@pytest.mark.parametrize(
    ("aps", "path", "words"),
    [
        ({"sound": {"critical": 1}}, ("aps", "sound", "critical"), "an entitlement"),
        ({"interruption-level": "critical"}, ("aps", "interruption-level"), "an entitlement"),
        (
            {"interruption-level": "critical", "sound": {"critical": 1}},
            ("aps", "sound", "critical"),
            "an entitlement",
        ),
        (
            {"interruption-level": "time-sensitive"},
            ("aps", "interruption-level"),
            "Time Sensitive Notifications",
        ),
        ({"sound": {"volume": 0.5}}, ("aps", "sound", "volume"), "needs `critical`: 1"),
        ({"interruption-level": "passive", "sound": "x"}, ("aps", "sound"), "plays no sound"),
    ],
)
def test_what_a_loud_notification_needs_is_a_warning(
    aps: dict[str, Any], path: Path, words: str
) -> None:
    """Entitlements, and a volume or sound that would not be heard, are said once."""
    payload = {"aps": {"alert": "x", **aps}}
    (finding,) = apns_payload.check_payload(PUSH_TYPES["alert"], payload)

    assert (True, path) == (finding.warning, finding.path)
    assert words in finding.message


def test_a_live_activity_start_lists_all_that_it_lacks() -> None:
    """A start needs content, attributes, their type and an alert; an end needs less."""
    start = {"aps": {"timestamp": 1, "event": "start"}}
    findings = apns_payload.check_payload(PUSH_TYPES["liveactivity"], start)
    lacking = [finding.message.split("`")[1] for finding in findings]

    assert ["content-state", "attributes-type", "attributes", "alert"] == lacking
    assert [] == found("liveactivity", {"aps": {"timestamp": 1, "event": "end"}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("alert", 3),
        ("badge", -1),
        ("badge", 1.5),
        ("badge", "3"),
        ("badge", True),
        ("sound", 1),
        ("thread-id", 5),
        ("category", []),
        ("content-available", 2),
        ("content-available", True),
        ("mutable-content", "1"),
        ("interruption-level", "loud"),
        ("relevance-score", "high"),
        ("relevance-score", 1.5),
        ("stale-date", "now"),
        ("content-state", 1),
        ("url-args", [1]),
        ("attributes", None),
    ],
)
def test_a_key_of_aps_with_a_wrong_value_is_an_error(key: str, value: object) -> None:
    """Types and ranges of Apple's table hold, and a boolean is no number."""
    assert ("aps", key) in found("alert", {"aps": {"alert": "x", key: value}})


@pytest.mark.parametrize(
    ("path", "aps"),
    [
        (("aps", "sound", "volume"), {"sound": {"volume": 1.1}}),
        (("aps", "sound", "critical"), {"sound": {"critical": 2}}),
        (("aps", "alert", "subtitle"), {"alert": {"subtitle": 1}}),
        (("aps", "alert", "loc-args"), {"alert": {"loc-args": ["a", 1]}}),
    ],
)
def test_the_dictionaries_inside_aps_are_checked(path: Path, aps: dict[str, Any]) -> None:
    """The members of the sound and alert dictionaries have their rules too."""
    assert [path] == found("alert", {"aps": aps})


def test_unknown_keys_are_warnings_with_the_nearest_name() -> None:
    """A slip inside aps is not refused by Apple, so it is a warning with a suggestion."""
    aps = {"alert": {"titel": "x"}, "mutable_content": 1, "acme": 1}
    findings = list(apns_payload.check_aps(aps, ("aps",)))

    assert [
        (("aps", "mutable_content"), "did you mean `mutable-content`?"),
        (("aps", "acme"), "keys of your own belong beside `aps`, not inside"),
        (("aps", "alert", "titel"), "did you mean `title`?"),
    ] == [(finding.path, finding.hint) for finding in findings]
    assert all(finding.warning and finding.key for finding in findings)


def test_mutable_content_without_an_alert_is_a_warning() -> None:
    """The service extension runs for alerts only."""
    payload = {"aps": {"badge": 1, "mutable-content": 1}}

    assert [("aps", "mutable-content")] == found("alert", payload, warnings=True)


def test_a_live_activity_may_score_beyond_one() -> None:
    """Only the ordering of relevance-score counts for Live Activities."""
    aps = {"timestamp": 1, "event": "end", "relevance-score": 75}

    assert [] == found("liveactivity", {"aps": aps})


@pytest.mark.parametrize(
    ("payload", "push_type"),
    [
        ({"aps": {"alert": "x"}}, "alert"),
        ({"aps": {"badge": 0}}, "alert"),
        ({"aps": {"content-available": 1}}, "background"),
        ({"aps": {"content-available": 1, "sound": "x"}}, "alert"),
        ({"aps": {"event": "update", "alert": "x"}}, "liveactivity"),
        ({"aps": {"content-changed": True}}, None),
        ({"caller": "Bob"}, None),
    ],
)
def test_a_raw_payload_tells_its_push_type_only_beyond_doubt(
    payload: dict[str, Any], push_type: str | None
) -> None:
    """Alert, background and Live Activity are told; widgets and VoIP must be stated."""
    assert push_type == apns_payload.infer_push_type(payload)


@given(
    st.sampled_from(sorted(PUSH_TYPES)),
    st.dictionaries(st.sampled_from(["aps", "mdm", "x"]), JSON_VALUES),
    st.dictionaries(st.sampled_from([*apns_payload._APS, "x"]), JSON_VALUES),
)
def test_the_rules_take_any_json(
    push_type: str, payload: dict[str, Any], aps: dict[str, Any]
) -> None:
    """No payload, however odd, makes the rules fail."""
    list(apns_payload.check_payload(PUSH_TYPES[push_type], payload))
    list(apns_payload.check_payload(PUSH_TYPES[push_type], {**payload, "aps": aps}))
