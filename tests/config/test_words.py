"""Did you mean."""

from __future__ import annotations

import pytest

from pushctl.config.words import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("prodution", ["production", "sandbox"], "production"),
        ("prod", ["production", "sandbox"], "production"),
        ("Production", ["production", "sandbox"], "production"),
        ("development", ["production", "sandbox"], "sandbox"),
        ("ios", ["apns", "fcm"], "apns"),
        ("firebase", ["apns", "fcm"], "fcm"),
        ("team-id", ["team_id", "key_id"], "team_id"),
        ("bundle_id", ["topic", "team_id"], "topic"),
        ("shop-iso", ["shop-ios", "shop-android"], "shop-ios"),
        ("SHOP-IOS", ["Shop-iOS"], "Shop-iOS"),
        ("ios", ["shop"], None),
        ("zzz", ["production"], None),
    ],
)
def test_nearest(word: str, choices: list[str], meant: str | None) -> None:
    """Slips, other spellings and the words of other tools lead to ours, if it is a choice."""
    assert meant == nearest(word, choices)


def test_hint() -> None:
    """The hint is a question, or nothing."""
    assert "did you mean 'fcm'?" == did_you_mean("fmc", ["fcm"])
    assert did_you_mean("zzz", ["fcm"]) is None
