"""Tests of the requests that the services get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.kit import payload
from pushctl.gateway import apns_request, fcm_request
from pushctl.message.compile import compile_message
from pushctl.message.content import ApnsContent, FcmContent
from pushctl.message.model import Message
from pushctl.message.neutral import from_options, from_payload
from pushctl.outcome import Service
from pushctl.rules.apns import PUSH_TYPES
from pushctl.rules.fcm_schema import camel_case

SAMPLES: dict[str, dict[str, Any]] = {
    sample["id"]: sample
    for sample in json.loads(
        (Path(__file__).parent.parent / "fixtures/messages/requests.json").read_text()
    )["requests"]
}
TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"
APNS_ID = "eabeae54-14a8-11e5-b60b-1697f925ec7b"
TARGETS = ("token", "fid", "topic", "condition")


def apns_content(message: Message) -> ApnsContent:
    """Return *message* rendered for APNs."""
    content = compile_message(message, Service.APNS).render({}, now=0.0)
    assert isinstance(content, ApnsContent)
    return content


def fcm_content(message: Message) -> FcmContent:
    """Return *message* rendered for FCM."""
    content = compile_message(message, Service.FCM).render({}, now=0.0)
    assert isinstance(content, FcmContent)
    return content


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("apns/")])
def test_an_apns_request_is_the_documented_one(name: str) -> None:
    """Given the sample's payload and options, path, header fields and body are the sample's."""
    sample = SAMPLES[name]
    headers = dict(sample["headers"])
    priority = {"10": "high", "5": "normal"}[headers["apns-priority"]]
    message = from_options(
        ttl=headers["apns-expiration"],
        priority=priority,
        push_type=headers["apns-push-type"],
        base=from_payload({Service.APNS: payload(sample["body"])}),
    )
    topic = "com.example.MyApp" if "apns-topic" in headers else None
    request = apns_request.build(
        apns_content(message), device_token=TOKEN, topic=topic, apns_id=headers["apns-id"]
    )

    assert sample["path"] == request.path.decode()
    assert headers == {name.decode(): value.decode() for name, value in request.fields}
    assert sample["body"] == json.loads(request.body)


def test_neutral_words_give_the_documented_apns_payload() -> None:
    """Title and body alone give the payload of Apple's own example."""
    message = from_options(title="Game Request", body="Bob wants to play poker", ttl="0")
    request = apns_request.build(
        apns_content(message), device_token=TOKEN, topic="com.example.MyApp", apns_id=APNS_ID
    )

    assert SAMPLES["apns/accepted"]["body"] == json.loads(request.body)
    assert SAMPLES["apns/accepted"]["headers"] == {
        name.decode(): value.decode() for name, value in request.fields
    }


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("fcm/")])
def test_an_fcm_request_is_the_documented_one(name: str) -> None:
    """Given the sample's message without its target, path and body are the sample's."""
    sample = SAMPLES[name]
    message = dict(sample["body"]["message"])
    kind = next(kind for kind in TARGETS if kind in message)
    target = (kind, message.pop(kind))
    request = fcm_request.build(
        fcm_content(from_payload({Service.FCM: payload(message)})),
        project_id="my-project",
        target=target,
        validate_only=sample["body"].get("validate_only", False),
    )
    expected = json.loads(json.dumps(sample["body"]))
    if "android" in message:
        android = expected["message"]["android"]
        expected["message"]["android"] = {camel_case(key): android[key] for key in android}

    assert sample["path"] == request.path.decode()
    assert expected == json.loads(request.body)
    assert (
        (b"content-type", b"application/json"),
        (b"x-goog-api-format-version", b"2"),
    ) == request.fields


def test_without_an_id_or_topic_the_fields_are_the_contents_own() -> None:
    """Nothing is added, so the tuple is the same object for every push of a run."""
    content = apns_content(from_options(title="t"))
    request = apns_request.build(content, device_token="ab", topic=None, apns_id=None)

    assert request.fields is content.fields


@pytest.mark.parametrize("push_type", sorted(PUSH_TYPES))
def test_the_topic_is_completed_by_the_push_type(push_type: str) -> None:
    """The bundle id gets the suffix that the push type needs."""
    content = ApnsContent(push_type, PUSH_TYPES[push_type].topic_suffix, (), b"{}")
    request = apns_request.build(content, device_token="ab", topic="com.acme", apns_id=None)

    assert (b"apns-topic", f"com.acme{content.topic_suffix}".encode()) in request.fields


@pytest.mark.parametrize("token", ["", "AB", "xy", "X", "ab/../x", "ab\r\n", "ab\n", "ab ", "é"])
def test_a_malformed_device_token_never_reaches_the_path(token: str) -> None:
    """Only lower-case hexadecimal may stand in the path."""
    content = ApnsContent("alert", "", (), b"{}")
    with pytest.raises(ValueError, match="device token"):
        apns_request.build(content, device_token=token, topic="com.acme", apns_id=None)


@pytest.mark.parametrize("topic", ["", "com acme", "com.acme\r\nx: y", "é"])
def test_a_malformed_topic_never_reaches_the_header(topic: str) -> None:
    """Line breaks and spaces are refused."""
    content = ApnsContent("alert", "", (), b"{}")
    with pytest.raises(ValueError, match="topic"):
        apns_request.build(content, device_token="ab", topic=topic, apns_id=None)


@pytest.mark.parametrize(
    ("project_id", "kind"), [("p/../q", "token"), ("", "token"), ("P", "token"), ("p", "to")]
)
def test_a_malformed_project_or_target_is_refused(project_id: str, kind: str) -> None:
    """Nothing of a config file or row can change the path or the shape of the request."""
    content = FcmContent(b'{"data":{}}', ())
    with pytest.raises(ValueError, match=r"project id|known kind"):
        fcm_request.build(content, project_id=project_id, target=(kind, "x"))


@given(
    st.sampled_from(TARGETS),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([b"{}", b'{"data":{"a":"b"}}']),
    st.booleans(),
)
def test_the_target_is_inserted_as_json(
    kind: str, value: str, message: bytes, validate_only: bool
) -> None:
    """Whatever the target's text, the request is valid JSON with it in its place."""
    request = fcm_request.build(
        FcmContent(message, ()),
        project_id="p",
        target=(kind, value),
        validate_only=validate_only,
    )
    expected: dict[str, Any] = {"message": {kind: value, **json.loads(message)}}
    if validate_only:
        expected["validate_only"] = True

    assert expected == json.loads(request.body)


def test_a_push_is_sent_unless_it_is_only_to_be_judged() -> None:
    """``validate_only`` is nothing that one gets without asking."""
    content = FcmContent(b'{"data":{}}', ())
    request = fcm_request.build(content, project_id="p", target=("token", "x"))

    assert {"message": {"token": "x", "data": {}}} == json.loads(request.body)
    assert request.body == fcm_request.body(content, target=("token", "x"))


def test_a_request_does_not_show_its_content() -> None:
    """A log of requests holds no personal text."""
    message = from_options(title="Dear Anna")
    requests = [
        apns_request.build(
            apns_content(message), device_token="ab", topic="com.acme", apns_id=None
        ),
        fcm_request.build(fcm_content(message), project_id="p", target=("token", "x")),
    ]

    assert not any("Anna" in repr(part) for part in (*requests, fcm_content(message)))
