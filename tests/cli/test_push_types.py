"""Every push type of APNs, from the command line to a service that judges by its own rules."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from cli.kit import TOPIC, Project, ios
from pushctl.cli import send
from pushctl.rules.apns import PUSH_TYPES

RIGHT: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "alert": (("--title", "Hello"), {"aps": {"alert": {"title": "Hello"}}}),
    "background": (("--data", "a=1"), {"aps": {"content-available": 1}, "a": "1"}),
    "complication": (("--data", "steps=4200"), {"steps": "4200"}),
    "controls": ((), {"aps": {"content-changed": True}}),
    "fileprovider": (
        ("--data", "container-identifier=WorkingSet", "--data", "domain=acme"),
        {"container-identifier": "WorkingSet", "domain": "acme"},
    ),
    "liveactivity": (
        ("--live-activity", "end"),
        {"aps": {"timestamp": 0, "event": "end"}},
    ),
    "location": (("--data", "request=7"), {"request": "7"}),
    "pushtotalk": (("--data", "speaker=Anna"), {"speaker": "Anna"}),
    "voip": (("--data", f"caller={'x' * 5000}"), {"caller": "x" * 5000}),
    "widgets": ((), {"aps": {"content-changed": True}}),
}
"""What is given for a push of each type, and the payload that it makes."""


@pytest.mark.parametrize("push_type", sorted(PUSH_TYPES.keys() - {"mdm"}))
def test_a_right_push_of_each_type_is_accepted(project: Project, push_type: str) -> None:
    """Header fields, topic suffix and payload of each type pass the service's own judgement."""
    arguments, payload = RIGHT[push_type]

    result = project.send("-o", "jsonl", "--token", ios(), "--push-type", push_type, *arguments)

    assert (0, [], "accepted") == (result.exit_code, result.warnings, result.record["outcome"])
    push = project.served.only()
    row = PUSH_TYPES[push_type]
    assert (push_type, TOPIC + row.topic_suffix, str(row.default_priority)) == (
        push.fields["apns-push-type"],
        push.fields["apns-topic"],
        push.fields["apns-priority"],
    )
    assert {"pushtotalk": "0"}.get(push_type) == push.fields.get("apns-expiration")
    if push_type == "liveactivity":
        assert abs(push.payload["aps"].pop("timestamp") - time.time()) < 600
        payload["aps"].pop("timestamp", None)
    assert payload == push.payload


def test_a_right_mdm_push_is_accepted(project: Project) -> None:
    """It goes out with the certificate of the MDM service, whose topic has no suffix."""
    topic = "com.apple.mgmt.External.a1b2"
    project.write("mdm.pem", project.served.simulator.push_certificate(topic)).chmod(0o600)
    project.write("pushctl.yaml", certificate_config(project, topic, "mdm.pem"))

    result = project.send(
        "-o", "jsonl", "--token", ios(), "--push-type", "mdm", "--data", "mdm=the-push-magic"
    )

    assert (0, "accepted") == (result.exit_code, result.record["outcome"])
    push = project.served.only()
    assert ("mdm", topic) == (push.fields["apns-push-type"], push.fields["apns-topic"])
    assert {"mdm": "the-push-magic"} == push.payload


def test_a_location_push_needs_a_push_key(project: Project) -> None:
    """With a certificate it is refused before anything is sent."""
    project.write("shop.pem", project.served.simulator.push_certificate(TOPIC)).chmod(0o600)
    project.write("pushctl.yaml", certificate_config(project, TOPIC, "shop.pem"))

    result = project.send("--token", ios(), "--push-type", "location", "--data", "a=1")

    assert (3, []) == (result.exit_code, project.served.pushes)
    assert [
        "--push-type: a push of type location is sent with a push key, not a certificate"
    ] == result.errors


def certificate_config(project: Project, topic: str, file: str) -> str:
    served = project.served
    return f"""\
credentials:
  shop-cert:
    service: apns
    environment: {served.simulator.environment}
    topic: {topic}
    certificate_file: {file}
    endpoint: {served.url}
    ca_file: {served.made.ca_file}
"""


def test_the_help_names_every_push_type() -> None:
    """Help, man page and completions offer what the rules know."""
    assert sorted(PUSH_TYPES) == send.PUSH_TYPES.split("|")


WRONG: Mapping[str, tuple[str, str]] = {
    "alert": (
        "data: {a: b}\npush_type: alert",
        "m.yaml:1:1: a push of type alert needs an `aps` object",
    ),
    "background": (
        "body: x\npush_type: background",
        "m.yaml:1:7: a push of type background must not have `alert`",
    ),
    "background, priority": (
        "data: {a: b}\npriority: high",
        "m.yaml:2:11: a push of type background must have APNs priority 5, not 10",
    ),
    "complication": (
        "data: {a: b}\npush_type: complication\npriority: low",
        "m.yaml:3:11: a push of type complication must have APNs priority 10 or 5, not 1",
    ),
    "controls": (
        "push_type: controls\napns: {aps: {content-changed: 1}}",
        "m.yaml:2:31: `content-changed` must be true or left out",
    ),
    "fileprovider": (
        "push_type: fileprovider\ndata: {domain: d}",
        "a push of type fileprovider must have a text `container-identifier`",
    ),
    "liveactivity": (
        "live_activity:\n  event: update",
        "m.yaml:2:3: a Live Activity push with event update needs `content-state`",
    ),
    "location": (
        "push_type: location\ndata: {a: b}\napns: {headers: {apns-priority: 1}}",
        "m.yaml:3:33: a push of type location must have APNs priority 10 or 5, not 1",
    ),
    "mdm, payload": (
        "push_type: mdm\ndata: {magic: x}",
        "a push of type mdm must have a text `mdm`: the PushMagic string",
    ),
    "mdm, credential": (
        "push_type: mdm\ndata: {mdm: magic}",
        "m.yaml:1:12: a push of type mdm is sent with a certificate, not a push key",
    ),
    "voip": (
        f"push_type: voip\ndata: {{a: {'x' * 5120}}}",
        "the APNs payload has 5128 bytes; a push of type voip has 5120 at most",
    ),
    "widgets": (
        "push_type: widgets\napns: {payload: {aps: null}}",
        "a push of type widgets needs an `aps` object",
    ),
    "any": (
        "push_type: voipp\nbody: x",
        "m.yaml:1:12: `push_type` must be a push type of APNs; `voipp` is none",
    ),
    "any, size": (
        f"body: '{'x' * 4096}'",
        "bytes; a push of type alert has 4096 at most",
    ),
    "any, level": (
        "body: x\ninterruption_level: loud",
        "m.yaml:2:21: `interruption_level` must be one of passive, active, time-sensitive",
    ),
    "any, score": (
        "body: x\nrelevance_score: 1.5",
        "m.yaml:2:18: `relevance-score` must be a number from 0 to 1",
    ),
    "any, volume": (
        "body: x\nsound: {name: a.caf, critical: true, volume: 2}",
        "m.yaml:2:46: `sound` has a `volume` that must be a number from 0 to 1",
    ),
}


@pytest.mark.parametrize(("text", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_push_of_each_type_is_refused_before_it_is_sent(
    project: Project, text: str, error: str
) -> None:
    """One error at its line and column, exit 3, and the service hears nothing."""
    project.write("m.yaml", text)

    result = project.send("--token", ios(), "--message", "m.yaml")

    assert (3, []) == (result.exit_code, project.served.pushes)
    assert any(error in line for line in result.errors), result.stderr


DOUBTED: Mapping[str, tuple[str, str]] = {
    "alert": (
        "body: x\napns: {aps: {event: update}}",
        "m.yaml:2:14: `event` does nothing in a push of type alert",
    ),
    "complication": (
        "body: x\npush_type: complication",
        "`alert` does nothing in a push of type complication",
    ),
    "fileprovider": (
        "push_type: fileprovider\ndata: {domain: d, container-identifier: c}\nbadge: 1",
        "a push of type fileprovider has no `aps`",
    ),
    "pushtotalk": (
        "push_type: pushtotalk\ndata: {speaker: Anna}\nttl: 60",
        "m.yaml:3:6: Apple recommends that a push of type pushtotalk is not kept",
    ),
    "pushtotalk, priority": (
        "push_type: pushtotalk\ndata: {speaker: Anna}\npriority: normal",
        "m.yaml:3:11: Apple recommends APNs priority 10",
    ),
    "voip": ("push_type: voip\ntitle: Anna calls", "`alert` does nothing in a push of type voip"),
    "time-sensitive": (
        "body: x\ninterruption_level: time-sensitive",
        "m.yaml:2:21: the app needs the capability Time Sensitive Notifications",
    ),
    "critical": (
        "body: x\nsound: {critical: true}",
        "m.yaml:2:19: the app needs an entitlement for critical alerts",
    ),
}


@pytest.mark.parametrize(("text", "warning"), DOUBTED.values(), ids=DOUBTED)
def test_what_is_hardly_meant_is_sent_with_a_warning(
    project: Project, text: str, warning: str
) -> None:
    """The service takes it; what the device will not do is said, with its place."""
    project.write("m.yaml", text)

    result = project.send("-o", "jsonl", "--token", ios(), "--message", "m.yaml")

    assert (0, "accepted") == (result.exit_code, result.record["outcome"])
    assert any(warning in line for line in result.warnings), result.stderr


def test_everything_that_an_alert_can_say(project: Project) -> None:
    """Level, score, critical sound, window, Focus filter and localised texts reach APNs."""
    project.write(
        "m.yaml",
        "title: {loc_key: ORDER_TITLE, loc_args: ['{{ order }}']}\n"
        "subtitle: {loc_key: ORDER_SUBTITLE}\n"
        "body: {loc_key: ORDER_BODY, loc_args: ['{{ order }}', van]}\n"
        "sound: {name: alarm.caf, critical: true, volume: 0.8}\n"
        "interruption_level: critical\n"
        "relevance_score: 0.9\n"
        "target_content_id: orders\n"
        "filter_criteria: work\n",
    )
    project.write("list.jsonl", json.dumps({"token": ios(), "order": 17}))

    result = project.send("-o", "jsonl", "--tokens", "list.jsonl", "--message", "m.yaml")

    assert (0, "accepted") == (result.exit_code, result.record["outcome"])
    assert {
        "alert": {
            "title-loc-key": "ORDER_TITLE",
            "title-loc-args": ["17"],
            "subtitle-loc-key": "ORDER_SUBTITLE",
            "loc-key": "ORDER_BODY",
            "loc-args": ["17", "van"],
        },
        "sound": {"name": "alarm.caf", "critical": 1, "volume": 0.8},
        "interruption-level": "critical",
        "relevance-score": 0.9,
        "target-content-id": "orders",
        "filter-criteria": "work",
    } == project.served.only().aps


def test_the_same_by_options(project: Project) -> None:
    """--interruption-level, --relevance-score, --critical and --volume say it without a file."""
    result = project.send(
        "--token", ios(), "--body", "Fire", "--interruption-level", "critical",
        "--relevance-score", "1", "--critical", "--volume", "0.5",
    )  # fmt: skip

    assert 0 == result.exit_code
    assert {
        "alert": {"body": "Fire"},
        "interruption-level": "critical",
        "relevance-score": 1,
        "sound": {"name": "default", "critical": 1, "volume": 0.5},
    } == project.served.only().aps


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--interruption-level", "loud"), "`--interruption-level` must be one of passive, active"),
        (("--relevance-score", "high"), "`--relevance-score` must be a number"),
        (("--volume", "0.5"), "`--volume` is for the sound of a critical alert"),
        (("--critical", "--volume", "1.5"), "`--volume` must be a number from 0 to 1"),
    ],
)
def test_a_wrong_option_is_a_usage_error(
    project: Project, arguments: tuple[str, ...], error: str
) -> None:
    """Exit 2, with the option's name."""
    result = project.send("--token", ios(), "--body", "x", *arguments)

    assert (2, []) == (result.exit_code, project.served.pushes)
    assert error in result.errors[0]
