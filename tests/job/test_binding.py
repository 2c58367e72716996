"""Which credential serves a row, and opening all that a run needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from job.kit import fcm_credential, ios_credential, settings
from pushctl.errors import InvalidInput
from pushctl.job.binding import Chooser, Need, Wish, open_bindings
from pushctl.job.messages import Messages
from pushctl.message.neutral import Message
from pushctl.outcome import Service

ANY_IOS = Wish(Service.APNS, None, None, None)


def test_the_only_credential_of_a_service_serves_it() -> None:
    """A row that wishes nothing goes out with its service's only credential."""
    ios = ios_credential()
    chooser = Chooser(settings(ios, fcm_credential()), ())

    assert chooser.choose(ANY_IOS) is ios
    assert chooser.choose(ANY_IOS) is ios


def test_a_wish_that_nobody_fulfils() -> None:
    """A row that asks for a topic nobody serves has no credential: it is skipped."""
    chooser = Chooser(settings(ios_credential()), ())

    assert chooser.choose(Wish(Service.APNS, None, None, "com.example.other")) is None
    assert chooser.choose(Wish(Service.FCM, None, None, None)) is None


def test_an_undecided_config_is_an_error() -> None:
    """Two credentials that fit alike are an error, unless one was chosen by name."""
    both = settings(ios_credential("a"), ios_credential("b"))

    with pytest.raises(InvalidInput, match="several credentials serve apns: a, b"):
        Chooser(both, ()).choose(ANY_IOS)
    chosen = Chooser(both, ("b",)).choose(ANY_IOS)
    assert chosen is not None
    assert "b" == chosen.name


def test_every_fault_of_every_credential_comes_at_once(tmp_path: Path) -> None:
    """Opening a run's credentials reports the files of all of them."""
    needed = {one.name: Need(one) for one in (ios_credential(), fcm_credential())}
    messages = Messages(Message(title="Hello"), target_kinds=frozenset({"token"}))

    with pytest.raises(InvalidInput) as caught:
        open_bindings(needed, messages, {})

    assert ["shop-ios", "shop-android"] == [
        problem.message.split("'")[1] for problem in caught.value.problems
    ]
