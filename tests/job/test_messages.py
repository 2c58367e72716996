"""One message for two services: judged and compiled when a service needs it."""

from __future__ import annotations

import json

import pytest

from pushctl.errors import InvalidInput
from pushctl.job.manifest import message_from_json, message_to_json
from pushctl.job.messages import Messages
from pushctl.message.neutral import Message, Priority, dated
from pushctl.outcome import Service

TOKEN = frozenset({"token"})


def test_a_message_is_compiled_once_for_each_service() -> None:
    """The compiled message of a service is the same object each time."""
    messages = Messages(Message(title="Hello"), target_kinds=TOKEN)

    assert messages.of(Service.APNS) is messages.of(Service.APNS)
    assert messages.of(Service.APNS) is not messages.of(Service.FCM)


def test_only_what_is_needed_has_to_be_right() -> None:
    """A message that APNs could not take is no error of a run that needs FCM alone."""
    message = Message(push_type="background", priority=Priority.HIGH, data={"k": "v"})
    messages = Messages(message, target_kinds=TOKEN)

    assert messages.of(Service.FCM).uniform
    with pytest.raises(InvalidInput, match="priority 5"):
        messages.of(Service.APNS)


def test_a_doubt_is_kept_once() -> None:
    """What both services only doubt is one warning."""
    messages = Messages(Message(title="x", image="http://a.example/a.png"), target_kinds=TOKEN)

    messages.of(Service.APNS)
    messages.of(Service.FCM)

    assert 1 == len(messages.warnings)


def test_a_resume_has_the_message_of_the_run() -> None:
    """What the manifest keeps is the whole message, dates already counted from the beginning."""
    activity = {"event": "end", "content_state": {"a": [1, None]}, "dismissal_date": "+15m"}
    message = dated(
        Message(
            title={"loc_key": "T", "loc_args": ["{{ n }}"]},
            sound={"name": "x.caf", "critical": True, "volume": 0.5},
            interruption_level="critical",
            relevance_score=0.5,
            live_activity=activity,
            priority=Priority.NORMAL,
        ),
        1_795_168_800.25,
    )

    kept = message_from_json(json.loads(json.dumps(message_to_json(message))))

    assert message == kept == dated(kept, 1_795_172_400.0)
    assert 1_795_169_700 == kept.live_activity["dismissal_date"]


def test_a_topic_has_less_room() -> None:
    """The size limit of FCM is that of the smallest target of the run."""
    message = Message(body="x" * 3000)

    assert Messages(message, target_kinds=TOKEN).of(Service.FCM).uniform
    with pytest.raises(InvalidInput, match="2048 is the most to a topic"):
        Messages(message, target_kinds=TOKEN | {"topic"}).of(Service.FCM)
