"""What the simulator's APNs makes of requests: each documented rule, one fault at a time."""

from __future__ import annotations

import pytest

from pushctl import catalog
from pushctl.outcome import Environment
from pushctl.simulator import ApnsKey, Device
from pushctl.simulator.apns import PUSH_TYPES, ApnsJudge, Judgement
from pushctl.simulator.client_certificate import ClientCertificate
from pushctl.simulator.http import Request
from pushctl.simulator.provider_token import ProviderTokens, Session
from simulator.kit import TOKEN, TOPIC, apns_request, provider_token, push_key

NOW = 1_795_168_800.0
KEY = push_key()
GOOD = "bearer " + provider_token(KEY, "ABC123DEFG", "DEF123GHIJ", int(NOW))


def judge(
    request: Request,
    *,
    session: Session | None = None,
    devices: dict[str, Device] | None = None,
    topics: frozenset[str] | None = None,
    environment: Environment = Environment.PRODUCTION,
    key_topics: frozenset[str] | None = None,
    now: float = NOW,
) -> Judgement:
    keys = {"ABC123DEFG": ApnsKey(KEY.public_key(), "DEF123GHIJ", topics=key_topics)}
    court = ApnsJudge(ProviderTokens(keys, environment), devices or {}, environment, topics)
    return court.judge(request, session or Session(), now)


def reason(request: Request, **options: object) -> str | None:
    return judge(request, **options).reason  # type: ignore[arg-type]


def test_a_plain_push_is_acceptable() -> None:
    """A push with topic, token and payload in order is no fault."""
    verdict = judge(apns_request(authorization=GOOD))
    assert (None, TOKEN, TOPIC, True) == (
        verdict.reason,
        verdict.token,
        verdict.topic,
        verdict.authorised,
    )


FIELD_FAULTS = [
    ({"apns-id": "no-uuid"}, "BadMessageId"),
    ({"apns-id": "123e4567e89b12d3a456426655440000"}, "BadMessageId"),
    ({"apns-expiration": "tomorrow"}, "BadExpirationDate"),
    ({"apns-expiration": "-1"}, "BadExpirationDate"),
    ({"apns-expiration": "1.5"}, "BadExpirationDate"),
    ({"apns-priority": "high"}, "BadPriority"),
    ({"apns-priority": "7"}, "BadPriority"),
    ({"apns-push-type": "background", "apns-priority": "10"}, "BadPriority"),
    ({"apns-push-type": "background", "apns-priority": "1"}, "BadPriority"),
    *(
        (
            {"apns-push-type": name, "apns-topic": TOPIC + suffix, "apns-priority": "1"},
            "BadPriority",
        )
        for name, suffix in (
            ("complication", ".complication"),
            ("liveactivity", ".push-type.liveactivity"),
            ("location", ".location-query"),
        )
    ),
    ({"apns-push-type": "VoIP"}, "InvalidPushType"),
    ({"apns-topic": ""}, "MissingTopic"),
    ({"apns-topic": "not a topic"}, "BadTopic"),
    ({"apns-topic": "shop"}, "BadTopic"),
    ({"apns-push-type": "voip"}, "BadTopic"),
    ({"apns-push-type": "alert", "apns-topic": f"{TOPIC}.voip"}, "BadTopic"),
    ({"apns-push-type": "liveactivity", "apns-topic": f"{TOPIC}.voip"}, "BadTopic"),
    ({"apns-push-type": "mdm"}, "BadTopic"),
    ({"apns-collapse-id": "x" * 65}, "BadCollapseId"),
    ({"content-encoding": "gzip"}, "PayloadEmpty"),
]


@pytest.mark.parametrize(("fields", "expected"), FIELD_FAULTS)
def test_each_header_rule_has_its_reason(fields: dict[str, str], expected: str) -> None:
    """A header field that breaks a documented rule is answered with that rule's reason."""
    assert expected == reason(apns_request(fields=fields, authorization=GOOD))


@pytest.mark.parametrize(
    "fields",
    [
        {"apns-id": "123e4567-e89b-12d3-a456-426655440000"},
        {"apns-expiration": "0"},
        {"apns-expiration": "1795168800"},
        {"apns-priority": "1"},
        {"apns-push-type": "background", "apns-priority": "5"},
        {"apns-collapse-id": "x" * 64},
        {"apns-topic": f"{TOPIC}.voip"},
        {"content-encoding": "identity"},
    ],
)
def test_values_within_the_rules_pass(fields: dict[str, str]) -> None:
    """A header field at the edge of its documented range is no fault."""
    assert reason(apns_request(fields=fields, authorization=GOOD)) is None


def certified(*topics: str) -> Session:
    """Return a connection on which a certificate of *topics* was shown."""
    certificate = ClientCertificate(topics, frozenset(Environment), "0123456789ab")
    return Session(certificate=certificate)


def test_mdm_has_a_certificate_of_its_own() -> None:
    """An MDM topic is accepted with the certificate that names it, and with no provider token."""
    topic = "com.apple.mgmt.External.a1b2"
    fields = {"apns-push-type": "mdm", "apns-topic": topic}
    request = apns_request(fields=fields, body={"mdm": "magic"})

    assert reason(request, session=certified(topic)) is None
    assert "TopicDisallowed" == reason(request, session=certified("com.apple.mgmt.External.b2"))
    assert "TopicDisallowed" == reason(
        apns_request(fields=fields, body={"mdm": "magic"}, authorization=GOOD)
    )


def test_location_takes_no_certificate() -> None:
    """A location push needs a provider token, whatever topics the certificate names."""
    topic = f"{TOPIC}.location-query"
    fields = {"apns-push-type": "location", "apns-topic": topic}

    assert reason(apns_request(fields=fields, authorization=GOOD)) is None
    assert "TopicDisallowed" == reason(apns_request(fields=fields), session=certified(topic))


@pytest.mark.parametrize("push_type", [name for name in PUSH_TYPES if name != "mdm"])
def test_each_push_type_goes_with_its_own_topic_suffix(push_type: str) -> None:
    """Every push type is accepted with the suffix that Apple gives for it."""
    fields = {
        "apns-push-type": push_type,
        "apns-topic": TOPIC + PUSH_TYPES[push_type].suffix,
        "apns-priority": "5",
    }
    assert reason(apns_request(fields=fields, authorization=GOOD)) is None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", f"/3/device/{TOKEN}", "MethodNotAllowed"),
        ("POST", "/3/device/", "MissingDeviceToken"),
        ("POST", "/3/device", "MissingDeviceToken"),
        ("POST", f"/2/device/{TOKEN}", "BadPath"),
        ("POST", f"/3/device/{TOKEN}/", "BadPath"),
        ("POST", f"/3/device/{TOKEN}?x=1", "BadPath"),
        ("POST", "/3/device/xyz", "BadDeviceToken"),
        ("POST", "/3/device/abc", "BadDeviceToken"),
    ],
)
def test_method_path_and_token_are_judged(method: str, path: str, expected: str) -> None:
    """A wrong method, path or token is answered with its own reason."""
    assert expected == reason(apns_request(method=method, path=path, authorization=GOOD))


def test_a_repeated_header_field_is_a_fault() -> None:
    """The same header field twice is DuplicateHeaders, whatever its values."""
    good = apns_request(authorization=GOOD)
    twice = Request("POST", good.target, (*good.fields, ("apns-topic", TOPIC)), good.body, 30)
    assert "DuplicateHeaders" == reason(twice)


@pytest.mark.parametrize(
    ("push_type", "body", "size", "expected"),
    [
        (None, b"", None, "PayloadEmpty"),
        (None, b"{}", None, "PayloadEmpty"),
        (None, b"[1]", None, "PayloadEmpty"),
        (None, b"not json", None, "PayloadEmpty"),
        (None, b"\xff\xfe", None, "PayloadEmpty"),
        (None, b"[" * 60_000, 4000, "PayloadEmpty"),
        ("alert", {"custom": 1}, None, "PayloadEmpty"),
        ("alert", {"aps": 1}, None, "PayloadEmpty"),
        (None, {"custom": 1}, None, None),
        ("voip", {"call": "1"}, None, None),
        ("alert", {"aps": {"alert": "x" * 4074}}, None, None),
        ("alert", {"aps": {"alert": "x" * 4075}}, None, "PayloadTooLarge"),
        ("voip", {"call": "x" * 5108}, None, None),
        ("voip", {"call": "x" * 5109}, None, "PayloadTooLarge"),
        (None, {"aps": {}}, 70_000, "PayloadTooLarge"),
    ],
)
def test_payloads_are_judged(
    push_type: str | None, body: object, size: int | None, expected: str | None
) -> None:
    """The limits are 4096 bytes, 5120 for voip; what is no JSON object with content is empty."""
    fields = {}
    if push_type:
        fields = {"apns-push-type": push_type, "apns-topic": TOPIC + PUSH_TYPES[push_type].suffix}
    assert expected == reason(apns_request(fields=fields, body=body, size=size, authorization=GOOD))


def test_a_wallet_push_may_be_empty() -> None:
    """Wallet reads nothing from a payload: an empty object is fine for a pass."""
    fields = {"apns-topic": "pass.com.example.ticket"}
    assert reason(apns_request(fields=fields, body={}, authorization=GOOD)) is None


def test_devices_know_their_environment_and_topic() -> None:
    """A token of the other environment is BadDeviceToken, of another app DeviceTokenNotForTopic."""
    request = apns_request(authorization=GOOD)
    sandbox = {TOKEN: Device(environment=Environment.SANDBOX)}
    other = {TOKEN: Device(topic="com.example.other")}
    right = {TOKEN: Device(environment=Environment.PRODUCTION, topic=TOPIC)}
    assert ["BadDeviceToken", "DeviceTokenNotForTopic", None] == [
        reason(request, devices=devices) for devices in (sandbox, other, right)
    ]


def test_topics_outside_the_team_or_the_key_are_disallowed() -> None:
    """A bundle id that the team does not own, or the key is not for, is TopicDisallowed."""
    request = apns_request(authorization=GOOD)
    mine, other = frozenset({TOPIC}), frozenset({"com.example.other"})
    assert [None, "TopicDisallowed", "TopicDisallowed"] == [
        reason(request, topics=mine, key_topics=mine),
        reason(request, topics=other),
        reason(request, key_topics=other),
    ]


def test_ids_are_echoed_or_made_in_upper_case() -> None:
    """A good apns-id comes back as it was; otherwise APNs makes one, in upper case."""
    given = "123e4567-e89b-12d3-a456-426655440000"
    kept = judge(apns_request(fields={"apns-id": given}, authorization=GOOD)).apns_id
    made = judge(apns_request(authorization=GOOD)).apns_id
    assert (given, made.upper(), 36) == (kept, made, len(made))


def test_every_reason_it_gives_is_in_the_tables() -> None:
    """The judge invents no reason: each one it can give has a row for the device API."""
    given = {expected for _, expected in FIELD_FAULTS} | {
        "MethodNotAllowed",
        "MissingDeviceToken",
        "BadPath",
        "BadDeviceToken",
        "DuplicateHeaders",
        "PayloadTooLarge",
        "DeviceTokenNotForTopic",
        "TopicDisallowed",
        "MissingProviderToken",
        "InvalidProviderToken",
        "ExpiredProviderToken",
        "TooManyProviderTokenUpdates",
        "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyInToken",
    }
    assert [] == [name for name in sorted(given) if catalog.lookup("apns", name) is None]
