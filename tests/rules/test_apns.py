"""Tests of APNs' rules about push types, topics and header values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.rules import apns
from pushctl.rules.apns import PUSH_TYPES, Sender, Signing


def test_the_push_types_are_the_ones_that_apple_documents() -> None:
    """All eleven documented values of apns-push-type are known, and no other."""
    documented = (
        "alert background complication controls fileprovider liveactivity location mdm "
        "pushtotalk voip widgets"
    )

    assert documented.split() == sorted(PUSH_TYPES)


@pytest.mark.parametrize(
    ("push_type", "topic"),
    [
        ("alert", "com.acme.shop"),
        ("background", "com.acme.shop"),
        ("complication", "com.acme.shop.complication"),
        ("controls", "com.acme.shop.push-type.controls"),
        ("fileprovider", "com.acme.shop.pushkit.fileprovider"),
        ("liveactivity", "com.acme.shop.push-type.liveactivity"),
        ("location", "com.acme.shop.location-query"),
        ("mdm", "com.acme.shop"),
        ("pushtotalk", "com.acme.shop.voip-ptt"),
        ("voip", "com.acme.shop.voip"),
        ("widgets", "com.acme.shop.push-type.widgets"),
        ("invented", "com.acme.shop"),
    ],
)
def test_each_push_type_has_its_topic(push_type: str, topic: str) -> None:
    """The topic is the bundle id and the suffix of the push type."""
    assert topic == apns.topic_for(push_type, "com.acme.shop")


@given(st.sampled_from(sorted(PUSH_TYPES)), st.text("abc.", min_size=1, max_size=20))
def test_a_suffix_is_never_doubled(push_type: str, bundle_id: str) -> None:
    """A topic that is complete already stays as it is."""
    topic = apns.topic_for(push_type, bundle_id)

    assert topic == apns.topic_for(push_type, topic)


def test_only_voip_has_five_kilobytes() -> None:
    """A VoIP payload may have 5120 bytes, every other 4096."""
    assert {5120} == {row.max_payload_bytes for row in PUSH_TYPES.values() if row.name == "voip"}
    assert {4096} == {row.max_payload_bytes for row in PUSH_TYPES.values() if row.name != "voip"}


@pytest.mark.parametrize(
    ("push_type", "priority", "fault"),
    [
        ("alert", 1, None),
        ("background", 5, None),
        ("background", 10, "a push of type background must have APNs priority 5, not 10"),
        ("background", 1, "a push of type background must have APNs priority 5, not 1"),
        ("liveactivity", 1, "a push of type liveactivity must have APNs priority 10 or 5, not 1"),
    ],
)
def test_a_push_type_limits_the_priority(push_type: str, priority: int, fault: str | None) -> None:
    """Background needs 5, a Live Activity 10 or 5, an alert takes all three."""
    assert fault == apns.priority_fault(PUSH_TYPES[push_type], priority)


def test_a_default_priority_is_always_an_allowed_one() -> None:
    """What we send unasked is never what the push type forbids."""
    wrong = [
        row.name for row in PUSH_TYPES.values() if apns.priority_fault(row, row.default_priority)
    ]

    assert [] == wrong


@pytest.mark.parametrize(
    ("collapse_id", "fault"),
    [
        ("score", None),
        ("é" * 32, None),
        ("é" * 33, "a collapse id has at most 64 bytes; this one has 66"),
        ("", "a collapse id must not be empty"),
        ("a\r\nb", "a collapse id must not hold line breaks or other control characters"),
        (" a", "a collapse id must not begin or end with white space"),
    ],
)
def test_a_collapse_id_is_judged_by_bytes_and_by_http(collapse_id: str, fault: str | None) -> None:
    """64 bytes of UTF-8 are the most, and it must be fit for a header field."""
    assert fault == apns.collapse_id_fault(collapse_id)


@given(st.text(max_size=80))
def test_a_collapse_id_that_passes_is_a_valid_header_value(collapse_id: str) -> None:
    """No line break, control character or outer space ever reaches the wire."""
    if apns.collapse_id_fault(collapse_id) is None:
        value = collapse_id.encode("utf-8", "surrogatepass")

        assert 0 < len(value) <= 64
        assert not any(byte < 0x20 or byte == 0x7F for byte in value)
        assert value == value.strip()


@pytest.mark.parametrize(
    ("expiration", "fault"),
    [
        (0, None),
        (1_795_168_800, None),
        (-1, "apns-expiration must not be negative"),
        (
            1_795_168_800_000,
            "apns-expiration counts seconds since 1970; this looks like milliseconds",
        ),
    ],
)
def test_an_expiration_is_epoch_seconds(expiration: int, fault: str | None) -> None:
    """Milliseconds and negative numbers are refused, 0 is not."""
    assert fault == apns.expiration_fault(expiration)


def test_an_unknown_push_type_gets_the_nearest_name() -> None:
    """A slip is answered with the push type that was meant."""
    assert ("`Voip-` is no APNs push type", "did you mean `voip`?") == apns.push_type_fault("Voip-")
    assert apns.push_type_fault("voip") is None


def test_a_push_type_like_no_other_gets_the_whole_list() -> None:
    """Where nothing is near, the hint names all of them."""
    fault = apns.push_type_fault("xyz")

    assert fault is not None
    assert f"APNs knows {', '.join(PUSH_TYPES)}" == fault[1]


KEY, CERTIFICATE = Signing.KEY, Signing.CERTIFICATE


@pytest.mark.parametrize(
    ("push_type", "topic", "words"),
    [
        ("alert", "com.acme.shop.voip", "belongs to pushes of type voip"),
        ("alert", "com.apple.mgmt.External.a1", "is that of an MDM service"),
    ],
)
def test_a_topic_of_another_push_type_is_doubted(push_type: str, topic: str, words: str) -> None:
    """A VoIP topic for an alert is pointed out, and an MDM topic for an app."""
    (finding,) = apns.check_sender(PUSH_TYPES[push_type], Sender(topic, KEY))

    assert finding.warning
    assert words in finding.message


@pytest.mark.parametrize(
    ("push_type", "sender"),
    [
        ("alert", Sender("com.acme.shop", KEY)),
        ("alert", Sender("com.acme.shop", CERTIFICATE)),
        ("voip", Sender("com.acme.shop.voip", CERTIFICATE)),
        ("location", Sender("com.acme.shop", KEY)),
        ("mdm", Sender("com.apple.mgmt.External.a1", CERTIFICATE)),
        ("mdm", Sender(None, CERTIFICATE)),
    ],
)
def test_a_credential_that_fits_is_left_alone(push_type: str, sender: Sender) -> None:
    """The app's own topic, and the kind of credential that Apple names, raise nothing."""
    assert [] == list(apns.check_sender(PUSH_TYPES[push_type], sender))


@pytest.mark.parametrize(
    ("push_type", "sender", "words"),
    [
        ("location", Sender("a.b", CERTIFICATE), "is sent with a push key, not a certificate"),
        ("mdm", Sender("com.apple.mgmt.x", KEY), "is sent with a certificate, not a push key"),
    ],
)
def test_a_push_type_with_one_way_to_be_authorised_says_so(
    push_type: str, sender: Sender, words: str
) -> None:
    """Location needs a push key, MDM its certificate: anything else is an error."""
    (finding,) = apns.check_sender(PUSH_TYPES[push_type], sender)

    assert not finding.warning
    assert words in finding.message
    assert finding.hint is not None


def test_push_to_talk_is_at_once_or_never() -> None:
    """What Apple recommends for pushtotalk is our default; anything else is doubted."""
    push_to_talk, alert = PUSH_TYPES["pushtotalk"], PUSH_TYPES["alert"]

    assert (0, 10) == (push_to_talk.default_ttl, push_to_talk.default_priority)
    assert apns.priority_doubt(push_to_talk, 5)
    assert apns.lifespan_doubt(push_to_talk, 60)
    assert apns.priority_doubt(push_to_talk, 10) is apns.lifespan_doubt(push_to_talk, 0) is None
    assert apns.priority_doubt(alert, 5) is apns.lifespan_doubt(alert, 60) is None
