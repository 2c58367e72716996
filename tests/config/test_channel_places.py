"""Where broadcasts are sent, and where channels and topics are managed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pushctl.config import ApnsCertificateSettings, FcmSettings, Origin, load_settings
from pushctl.errors import InvalidInput
from pushctl.outcome import Environment

RELAY = Origin("relay.example", 8443)


def credential(environment: str = "production", **more: Origin) -> ApnsCertificateSettings:
    """Return an APNs credential with the endpoints *more*."""
    return ApnsCertificateSettings(
        name="shop",
        environment=Environment(environment),
        certificate_file=Path("shop.p12"),
        **more,
    )


@pytest.mark.parametrize(
    ("environment", "origin"),
    [
        ("production", Origin("api-manage-broadcast.push.apple.com", 2196)),
        ("sandbox", Origin("api-manage-broadcast.sandbox.push.apple.com", 2195)),
    ],
)
def test_apple_manages_channels_elsewhere(environment: str, origin: Origin) -> None:
    """Each environment has its own host and port for channels; broadcasts go where pushes go."""
    found = credential(environment)

    assert (origin, found.origin) == (found.channels_origin, found.broadcast_origin)


def test_one_endpoint_serves_all() -> None:
    """A simulator or relay that takes the pushes takes broadcasts and management too."""
    found = credential(endpoint=RELAY)

    assert (RELAY, RELAY) == (found.channels_origin, found.broadcast_origin)


def test_apples_other_port_is_no_relay() -> None:
    """Apple's alternative port for pushes does not move the management of channels."""
    found = credential(endpoint=Origin("api.push.apple.com", 2197))

    assert Origin("api-manage-broadcast.push.apple.com", 2196) == found.channels_origin
    assert Origin("api.push.apple.com", 2197) == found.broadcast_origin


def test_each_can_be_said_apart() -> None:
    """The config's own word on either decides over the endpoint."""
    other, third = Origin("b.example"), Origin("c.example")

    found = credential(endpoint=RELAY, broadcast_endpoint=other, channels_endpoint=third)

    assert (RELAY, other, third) == (found.origin, found.broadcast_origin, found.channels_origin)


def test_topics_are_managed_at_google() -> None:
    """Batches go to their own host, unless everything goes to another gateway."""
    google = Origin("iid.googleapis.com")
    mtls = Origin("fcm.mtls.googleapis.com")

    assert google == FcmSettings(name="shop").topics_origin
    assert google == FcmSettings(name="shop", endpoint=mtls).topics_origin
    assert RELAY == FcmSettings(name="shop", endpoint=RELAY).topics_origin


CONFIG = """\
credentials:
  shop:
    service: apns
    environment: sandbox
    certificate_file: shop.p12
    {key}: https://{host}
"""


@pytest.mark.parametrize("key", ["broadcast_endpoint", "channels_endpoint"])
def test_a_foreign_host_needs_a_word(tmp_path: Path, key: str) -> None:
    """A config cannot send a credential to a foreign host by these keys; Apple's own are fine."""
    path = tmp_path / "pushctl.yaml"

    def load(host: str, *allowed: str) -> object:
        path.write_text(CONFIG.format(key=key, host=host))
        return load_settings(
            path, environ={}, cwd=tmp_path, home=tmp_path, allow_endpoint=allowed
        ).credentials["shop"]

    with pytest.raises(InvalidInput, match="may not get a credential") as caught:
        load("evil.example")
    assert "--allow-endpoint evil.example" in str(caught.value.problems[0].hint)
    assert Origin("evil.example") == getattr(load("evil.example", "evil.example"), key)
    assert Origin("api-broadcast.push.apple.com") == getattr(
        load("api-broadcast.push.apple.com"), key
    )


@pytest.mark.parametrize("key", ["broadcast_endpoint", "channels_endpoint"])
def test_they_belong_to_apns(tmp_path: Path, key: str) -> None:
    """FCM has no channels, and the config says so with the line."""
    path = tmp_path / "pushctl.yaml"
    path.write_text(
        f"credentials:\n  shop:\n    service: fcm\n    application_default: true\n"
        f"    {key}: https://127.0.0.1\n"
    )

    with pytest.raises(InvalidInput, match=f"{key} belongs to service: apns") as caught:
        load_settings(path, environ={}, cwd=tmp_path, home=tmp_path)
    assert 5 == caught.value.problems[0].place.line  # type: ignore[union-attr] # it has one
