"""Which credential serves a push."""

from __future__ import annotations

from pathlib import Path

import pytest

from pushctl.config import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
    Settings,
    choose_credential,
)
from pushctl.errors import InvalidInput
from pushctl.outcome import Environment, Service


def key(name: str, environment: str = "production", topic: str = "com.acme") -> ApnsKeySettings:
    """Return an APNs credential."""
    return ApnsKeySettings(
        name=name,
        environment=Environment(environment),
        topic=topic,
        key_id="ABC123DEFG",
        team_id="DEF123GHIJ",
        key_env="KEY",
    )


def settings(*credentials: CredentialSettings, **defaults: str) -> Settings:
    """Return settings with these credentials and defaults."""
    return Settings(
        path=None,
        credentials={it.name: it for it in credentials},
        defaults={Service(service): name for service, name in defaults.items()},
        bounce_log=Path("b"),
        state_dir=Path("s"),
    )


CERTIFICATE = ApnsCertificateSettings(
    name="cert", environment=Environment.PRODUCTION, certificate_file=Path("c.p12")
)
GOOGLE = FcmSettings(name="google", application_default=True)


def error_of(chosen: list[str], all_settings: Settings) -> InvalidInput:
    """Return the error of choosing an APNs credential."""
    with pytest.raises(InvalidInput) as caught:
        choose_credential(all_settings, service=Service.APNS, chosen=chosen)
    return caught.value


def test_the_only_one_is_taken() -> None:
    """With one credential a service there is nothing to choose."""
    both = settings(key("a"), GOOGLE)

    assert "a" == getattr(choose_credential(both, service=Service.APNS), "name", None)
    assert GOOGLE is choose_credential(both, service=Service.FCM)


def test_environment_and_topic_narrow() -> None:
    """What a row says about its app picks the credential; none that fits is None."""
    one = key("one")
    two = key("two", environment="sandbox")
    three = key("three", topic="com.other")
    all_three = settings(one, two, three)

    def pick(environment: str | None, topic: str | None) -> CredentialSettings | None:
        return choose_credential(
            all_three, service=Service.APNS, environment=environment, topic=topic
        )

    assert two is pick("sandbox", None)
    assert two is pick("sandbox", "com.acme")
    assert three is pick("production", "com.other")
    assert three is pick(None, "com.other")
    assert pick("sandbox", "com.other") is None
    assert pick(None, "com.none") is None
    assert choose_credential(all_three, service=Service.FCM) is None


def test_a_topic_may_have_the_suffix_of_a_push_type() -> None:
    """Records hold it as it was sent; a bundle id that is spelled the same goes before."""
    shop, call = key("shop", topic="com.acme"), key("call", topic="com.acme.voip")

    def pick(topic: str, *credentials: CredentialSettings) -> CredentialSettings | None:
        return choose_credential(settings(*credentials), service=Service.APNS, topic=topic)

    assert shop is pick("com.acme.push-type.liveactivity", shop, CERTIFICATE)
    assert shop is pick("com.acme.voip", shop, CERTIFICATE)
    assert call is pick("com.acme.voip", shop, call)
    assert CERTIFICATE is pick("com.acme.watch", shop, CERTIFICATE)
    assert None is pick("com.acme.watch", shop) is pick("com.acmevoip", shop)


def test_a_topic_is_no_matter_for_fcm() -> None:
    """A row with an APNs topic and environment can still be an FCM one."""
    assert GOOGLE is choose_credential(
        settings(GOOGLE), service=Service.FCM, environment="sandbox", topic="com.acme"
    )


def test_a_certificate_serves_topics_that_nothing_else_names() -> None:
    """A credential whose certificate says its topic gives way to one that names it."""
    one = key("one")
    both = settings(one, CERTIFICATE)

    assert one is choose_credential(both, service=Service.APNS, topic="com.acme")
    assert CERTIFICATE is choose_credential(both, service=Service.APNS, topic="com.voip")


def test_the_row_names_it() -> None:
    """A row's credential is taken by name, and only if it can deliver that row."""
    both = settings(key("one"), key("two", environment="sandbox"), GOOGLE)

    def pick(name: str, environment: str | None = None) -> str | None:
        picked = choose_credential(
            both, service=Service.APNS, name=name, environment=environment, chosen=["one"]
        )
        return picked.name if picked else None

    assert "two" == pick("two")
    assert pick("google") is None
    assert pick("nobody") is None
    assert pick("two", "production") is None


def test_the_option_decides() -> None:
    """--credential picks where several fit, for its service alone, and does not widen a row."""
    both = settings(key("one"), key("two"), GOOGLE)

    def pick(service: Service, **more: str) -> str | None:
        picked = choose_credential(
            both, service=service, chosen=["two", "google", "two"], environment=more.get("e")
        )
        return picked.name if picked else None

    assert "two" == pick(Service.APNS)
    assert "google" == pick(Service.FCM)
    assert pick(Service.APNS, e="sandbox") is None


def test_the_default_decides() -> None:
    """Where several fit, the service's default is taken if it is one of them."""
    several = settings(key("one"), key("two"), key("dev", environment="sandbox"), apns="two")

    assert "two" == getattr(choose_credential(several, service=Service.APNS), "name", None)
    dev = choose_credential(several, service=Service.APNS, environment=Environment.SANDBOX)
    assert "dev" == getattr(dev, "name", None)


def test_what_nothing_decides_is_an_error() -> None:
    """Guessing between apps would send to the wrong one."""
    error = error_of([], settings(key("one"), key("two")))

    assert "several credentials serve apns: one, two" == error.problems[0].message
    assert "defaults: {apns: one}" in str(error.problems[0].hint)


def test_unknown_and_doubled_choices_are_errors() -> None:
    """--credential must name what exists, one a service."""
    both = settings(key("shop-ios"), key("shop-dev"))

    assert "there is no credential 'shop-iso'" == str(error_of(["shop-iso"], both))
    hint = error_of(["shop-iso"], both).problems[0].hint
    assert "did you mean 'shop-ios'? there are shop-ios, shop-dev" == hint
    assert "there are shop-ios, shop-dev" == error_of(["zzz"], both).problems[0].hint
    assert "are both for apns" in str(error_of(["shop-ios", "shop-dev"], both))


def test_no_credential_at_all_leads_to_a_config_and_the_demo() -> None:
    """A new user is told how to begin."""
    hint = str(error_of([], settings()).problems[0].hint)

    assert "a pushctl.yaml" in hint
    assert "pushctl demo" in hint
