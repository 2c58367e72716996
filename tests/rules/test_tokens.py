"""Tests of what can be said of a token by looking at it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.outcome import Service
from pushctl.rules import tokens

DEVICE = "9f3a61c07d52b8e4410f96ae2c7b85d3f01e6a94c8527db3b06f4e19a2d875c3"
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"
INSTALLATION = "dX1vExampleQm7_Zk2Lw9a"

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEXADECIMAL = "0123456789abcdefABCDEF"


@pytest.mark.parametrize(
    ("token", "service"),
    [
        pytest.param(DEVICE, Service.APNS, id="device-token"),
        pytest.param(DEVICE.upper(), Service.APNS, id="upper-case"),
        pytest.param(DEVICE + DEVICE + DEVICE[:32], Service.APNS, id="live-activity-length"),
        pytest.param(DEVICE[:63], Service.APNS, id="one-digit-lost"),
        pytest.param(f"<{DEVICE[:8]} {DEVICE[8:16]}>", Service.APNS, id="old-log"),
        pytest.param("{length = 32, bytes = 0x9f3a61c0 ... }", Service.APNS, id="new-log"),
        pytest.param(f"0x{DEVICE}", Service.APNS, id="0x"),
        pytest.param(f'"{DEVICE}"', Service.APNS, id="quoted"),
        pytest.param(f" {DEVICE}\n", Service.APNS, id="white-space"),
        pytest.param(REGISTRATION, Service.FCM, id="registration-token"),
        pytest.param(INSTALLATION, Service.FCM, id="installation-id"),
        pytest.param("kL9z" * 30, Service.FCM, id="long-base64url"),
        pytest.param("hello", None, id="word"),
        pytest.param("", None, id="empty"),
        pytest.param("https://push.example:443/x", None, id="url"),
    ],
)
def test_the_shape_of_a_token_tells_its_service(token: str, service: Service | None) -> None:
    """A token is told from its look, through the damage of logs and quotes; else nothing is."""
    assert service == tokens.shape(token)


@pytest.mark.parametrize(
    ("token", "service"),
    [
        pytest.param(DEVICE, Service.APNS, id="usual-length"),
        pytest.param("ab", Service.APNS, id="one-byte"),
        pytest.param("ab" * 2048, Service.APNS, id="longest"),
        pytest.param(DEVICE.upper(), Service.APNS, id="upper-case"),
        pytest.param(REGISTRATION, Service.FCM, id="registration-token"),
        pytest.param(INSTALLATION, Service.FCM, id="installation-id"),
        pytest.param("anything+visible=~", Service.FCM, id="no-known-form"),
        pytest.param(DEVICE, Service.FCM, id="hexadecimal-for-fcm"),
    ],
)
def test_what_may_be_a_token_has_no_fault(token: str, service: Service) -> None:
    """No length and no form is required beyond what the vendors require."""
    assert tokens.fault(token, service) is None


@pytest.mark.parametrize(
    ("token", "words"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("ab" * 2049, "4098 characters", id="too-long"),
        pytest.param(DEVICE[:63], "odd number of hexadecimal digits (63)", id="odd"),
        pytest.param(DEVICE[:10] + "g" + DEVICE[11:], "`g` at character 11", id="not-hex"),
        pytest.param("{length = 32, bytes = 0x9f3a ... 75c3}", "cannot be recovered", id="log"),
        pytest.param(f"<{DEVICE}>", "angle brackets", id="angle-brackets"),
        pytest.param(f"0x{DEVICE}", "without 0x", id="0x"),
        pytest.param(REGISTRATION, "FCM registration token", id="fcm"),
        pytest.param("nzphwH1SuORBD5auLHuF0/AealTIUn2zsG9OGaLYdcM=", "base64", id="base64"),
        pytest.param("9F3A-61C0", "`-` at character 5", id="hyphen"),
        pytest.param("dead/beef", "`/` at character 5", id="path"),
        pytest.param("dead\0beef", "U+0000 (a control character)", id="nul"),
        pytest.param("dead\r\nbeef", "U+000D (a control character)", id="line-break"),
        pytest.param("dead beef", "a space at character 5", id="inner-space"),
        pytest.param("de\N{CYRILLIC SMALL LETTER A}d", "CYRILLIC SMALL LETTER A", id="look-alike"),
    ],
)
def test_a_token_that_apns_cannot_take_is_explained(token: str, words: str) -> None:
    """What is no whole number of hexadecimal bytes is refused with what happened to it."""
    assert words in (tokens.fault(token, Service.APNS) or "")


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize(
    ("token", "words"),
    [
        pytest.param("null", "a word for nothing", id="null"),
        pytest.param("(null)", "a word for nothing", id="objective-c"),
        pytest.param("ExponentPushToken[xxxxxxxxxxxx]", "Expo", id="expo"),
        pytest.param("9.3E+63", "spreadsheet", id="spreadsheet"),
        pytest.param("9f3a61c0...a2d875c3", "shortened for display", id="dots"),
        pytest.param("9f3a61c0…a2d875c3", "shortened for display", id="ellipsis"),
        pytest.param("/topics/news", "--fcm-topic", id="topic"),
        pytest.param(f" {DEVICE}", "white space around", id="leading-space"),
        pytest.param(f"'{DEVICE}'", "quotes around", id="quotes"),
    ],
)
def test_usual_damage_is_named_for_either_service(token: str, words: str, service: Service) -> None:
    """What exports, spreadsheets and screens do to tokens is recognised."""
    assert words in (tokens.fault(token, service) or "")


@pytest.mark.parametrize("character", ["/", " ", "\0", "\r", "\n", "\x7f", "é", "\u200b"])
def test_no_registration_token_holds_a_character_unfit_for_a_request(character: str) -> None:
    """A registration token may be anything but white space, ``/`` and what is not ASCII."""
    fault = tokens.fault(f"dX1:APA{character}91b", Service.FCM)

    assert fault is not None
    assert "at character 8 cannot be in a token" in fault


def test_device_tokens_are_compared_in_lower_case() -> None:
    """Case means nothing in hexadecimal and everything in a registration token."""
    assert DEVICE == tokens.normalise(DEVICE.upper(), Service.APNS)
    assert REGISTRATION == tokens.normalise(REGISTRATION, Service.FCM)


@given(token=st.text(alphabet=HEXADECIMAL, min_size=1, max_size=400))
def test_hexadecimal_is_a_device_token_exactly_if_it_is_whole_bytes(token: str) -> None:
    """Of hexadecimal digits only their even number matters."""
    assert (len(token) % 2 == 0) == (tokens.fault(token, Service.APNS) is None)
    assert Service.APNS == tokens.shape(token)


@given(
    head=st.text(alphabet=BASE64URL, min_size=1, max_size=40),
    tail=st.text(alphabet=BASE64URL, min_size=1, max_size=400),
)
def test_a_registration_token_of_any_length_is_fcms_and_never_apnss(head: str, tail: str) -> None:
    """The colon form belongs to FCM whatever its parts are, and APNs is told so."""
    token = f"{head}:{tail}"

    assert Service.FCM == tokens.shape(token)
    assert tokens.fault(token, Service.FCM) is None
    assert "FCM registration token" in (tokens.fault(token, Service.APNS) or "")


@given(token=st.text(max_size=60), service=st.sampled_from(Service))
def test_a_token_without_fault_is_safe_in_a_request(token: str, service: Service) -> None:
    """Whatever the text, what passes can alter neither path, header nor log."""
    if tokens.fault(token, service) is None:
        assert 0 < len(token) <= tokens.MAX_LENGTH
        assert all("!" <= character <= "~" and character != "/" for character in token)
        assert tokens.fault(tokens.normalise(token, service), service) is None


@given(token=st.text(max_size=60), service=st.sampled_from(Service))
def test_a_fault_is_one_printable_line(token: str, service: Service) -> None:
    """A fault can be shown and logged as it is."""
    assert (tokens.fault(token, service) or "printable").isprintable()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("cabcdefghijklmnopqrstu", True),
        ("f-_0123456789ABCDEFGHI", True),
        ("aabcdefghijklmnopqrstu", False),  # the first character holds a mark
        ("cabcdefghijklmnopqrst", False),
        ("cabcdefghijklmnopqrstuv", False),
        ("cabcdefghij:lmnopqrstu", False),
        ("cabcdefghij+lmnopqrstu", False),
        ("cabcdefghijklmnopqrst\n", False),
        ("", False),
    ],
)
def test_what_an_installation_id_looks_like(token: str, expected: bool) -> None:
    """22 characters of base64url that begin with c, d, e or f; nothing longer, no colon."""
    assert expected is tokens.is_installation_id(token)
    assert not tokens.is_installation_id(REGISTRATION)
