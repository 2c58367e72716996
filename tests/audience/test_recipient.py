"""Tests of how a row becomes a recipient."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pushctl.audience.recipient import Recipient, resolve
from pushctl.audience.row import Row
from pushctl.outcome import Environment, JsonValue, Kind, Platform, Service

DEVICE = "9f3a61c07d52b8e4410f96ae2c7b85d3f01e6a94c8527db3b06f4e19a2d875c3"
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"


def resolved(
    values: Mapping[str, JsonValue],
    *,
    no_consent: str | None = None,
    fault: str | None = None,
    fallback: Platform | None = None,
) -> Recipient:
    """Return the recipient of a row on line 2 of ``list.csv``."""
    row = Row(2, values, {"first_name": "Anna"}, no_consent, fault)
    return resolve(row, ordinal=7, shown="list.csv", fallback=fallback)


def test_a_recipient_carries_all_that_the_row_says() -> None:
    """Nothing of a sound row is lost, and the token is in its one spelling."""
    assert Recipient(
        row=7,
        source="list.csv:2",
        token=DEVICE,
        service=Service.APNS,
        platform=Platform.IOS,
        profile="anna",
        credential="shop-ios",
        environment=Environment.SANDBOX,
        topic="com.acme.shop",
        registered_at="2026-10-01T08:00:00Z",
        attributes={"first_name": "Anna"},
        verdict=None,
    ) == resolved(
        {
            "token": DEVICE.upper(),
            "service": "APNs",
            "platform": "iOS",
            "profile": "anna",
            "credential": "shop-ios",
            "environment": "sandbox",
            "topic": "com.acme.shop",
            "registered_at": "2026-10-01T08:00:00Z",
        }
    )


def test_the_source_of_an_option_has_no_line() -> None:
    """A token of the command line is from ``--token``."""
    row = Row(None, {"token": DEVICE}, {})

    assert "--token" == resolve(row, ordinal=1, shown="--token", fallback=None).source


@pytest.mark.parametrize(
    ("values", "fallback", "service", "platform"),
    [
        pytest.param({"token": DEVICE}, None, "apns", "ios", id="by-shape-apns"),
        pytest.param({"token": REGISTRATION}, None, "fcm", "android", id="by-shape-fcm"),
        pytest.param(
            {"token": REGISTRATION, "platform": "ios"}, None, "fcm", "ios", id="firebase-on-ios"
        ),
        pytest.param(
            {"token": DEVICE, "service": "fcm", "platform": "web"}, None, "fcm", "web", id="stated"
        ),
        pytest.param({"token": "opaque", "platform": "web"}, None, "fcm", "web", id="by-platform"),
        pytest.param({"token": "opaque"}, "android", "fcm", "android", id="by-fallback"),
        pytest.param({"token": DEVICE}, "android", "apns", "ios", id="shape-before-fallback"),
        pytest.param({"token": "opaque", "service": "fcm"}, None, "fcm", None, id="platform-open"),
    ],
)
def test_the_service_is_stated_or_told_from_the_token_or_from_the_platform(
    values: Mapping[str, JsonValue], fallback: str | None, service: str, platform: str | None
) -> None:
    """Row before shape before platform, and an iOS device may well be FCM's."""
    recipient = resolved(values, fallback=None if fallback is None else Platform(fallback))

    assert (service, platform) == (recipient.service, recipient.platform)
    assert recipient.verdict is None


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        pytest.param({}, "MissingToken", None, id="no-token"),
        pytest.param({"token": None}, "MissingToken", None, id="null-token"),
        pytest.param({"token": " \t"}, "MissingToken", None, id="blank-token"),
        pytest.param({"token": "zz"}, "InvalidToken", "which service", id="no-service"),
        pytest.param({"token": "null"}, "InvalidToken", "word for nothing", id="damage-first"),
        pytest.param({"token": "ab/cd"}, "InvalidToken", "`/` at character 3", id="slash"),
        pytest.param({"token": 12}, "InvalidToken", "token is a number", id="number"),
        pytest.param({"token": [DEVICE]}, "InvalidToken", "token is a list", id="list"),
        pytest.param({"token": True}, "InvalidToken", "token is true", id="boolean"),
        pytest.param(
            {"token": REGISTRATION, "service": "apns"},
            "InvalidToken",
            "FCM registration token",
            id="fcm-token-for-apns",
        ),
        pytest.param(
            {"token": DEVICE, "platform": "iphone"},
            "InvalidToken",
            "platform is `iphone`: it is one of ios, android, web",
            id="unknown-platform",
        ),
        pytest.param(
            {"token": DEVICE, "environment": "prod"},
            "InvalidToken",
            "it is one of production, sandbox",
            id="unknown-environment",
        ),
        pytest.param(
            {"token": DEVICE, "topic": "com.acme\r\nx: y"},
            "InvalidToken",
            "topic holds a line break",
            id="header-injection",
        ),
        pytest.param(
            {"token": DEVICE, "profile": {"id": 1}},
            "InvalidToken",
            "profile is a mapping, not a text",
            id="profile-mapping",
        ),
    ],
)
def test_a_bad_row_is_rejected_alone(
    values: Mapping[str, JsonValue], reason: str, words: str | None
) -> None:
    """A missing or malformed token is a bounce that says what was found."""
    verdict = resolved(values).verdict

    assert verdict is not None
    assert (Kind.REJECTED, reason) == (verdict.kind, verdict.reason)
    assert words is None if verdict.detail is None else (words or "") in verdict.detail


def test_consent_comes_before_the_token() -> None:
    """Of somebody who has not consented a missing token is no bounce."""
    verdict = resolved({}, no_consent="consent is false").verdict

    assert verdict is not None
    assert (Kind.SKIPPED, "NoConsent") == (verdict.kind, verdict.reason)


def test_a_row_that_cannot_be_read_is_rejected_whatever_else_it_seems_to_say() -> None:
    """Where the row itself is broken, nothing in it is believed."""
    verdict = resolved({}, no_consent="no consent is recorded", fault="3 columns").verdict

    assert verdict is not None
    assert (Kind.REJECTED, "InvalidToken", "3 columns") == (
        verdict.kind,
        verdict.reason,
        verdict.detail,
    )


def test_a_bad_token_is_kept_as_it_was_read_and_cut() -> None:
    """The log can show what was refused, without holding a whole misplaced file."""
    assert "Z" * 4096 == resolved({"token": "Z" * 5000}).token


def test_numbers_are_names_too() -> None:
    """A profile whose id is a number in JSON keeps it as text."""
    assert "12" == resolved({"token": DEVICE, "profile": 12}).profile


def test_details_cannot_drive_the_terminal() -> None:
    """A control character of the file is gone from what will be shown."""
    verdict = resolved({"token": DEVICE, "platform": "\x1b[31mios\x9b"}).verdict

    assert verdict is not None
    assert verdict.detail is not None
    assert verdict.detail.isprintable()
