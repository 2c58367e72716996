"""What the simulator may know about single devices."""

from __future__ import annotations

import dataclasses

from pushctl.outcome import Environment, Platform


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One app on one device.  ``None`` fits everything."""

    environment: Environment | None = None
    """APNs: the world its token was made in."""
    topic: str | None = None
    """APNs: the topic its token was made for."""
    project: str | None = None
    """FCM: the project its token belongs to."""
    package: str | None = None
    """FCM: the package name of the Android app."""
    platform: Platform | None = None
    """FCM: an iOS device takes data-only messages at priority 5 alone."""
