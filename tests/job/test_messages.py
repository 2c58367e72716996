"""One message for two services: judged and compiled when a service needs it."""

from __future__ import annotations

import pytest

from pushctl.errors import InvalidInput
from pushctl.job.messages import Messages
from pushctl.message.neutral import Message, Priority
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


def test_a_topic_has_less_room() -> None:
    """The size limit of FCM is that of the smallest target of the run."""
    message = Message(body="x" * 3000)

    assert Messages(message, target_kinds=TOKEN).of(Service.FCM).uniform
    with pytest.raises(InvalidInput, match="2048 is the most to a topic"):
        Messages(message, target_kinds=TOKEN | {"topic"}).of(Service.FCM)
