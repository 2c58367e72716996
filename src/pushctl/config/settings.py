"""What a config file says, as values.  They can also be made without a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, TypeAlias

from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Environment, Service


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go: always over TLS."""

    host: str
    port: int = 443

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


APNS_HOSTS = {
    Environment.PRODUCTION: "api.push.apple.com",
    Environment.SANDBOX: "api.sandbox.push.apple.com",
}
"""Apple, "Sending notification requests to APNs"."""
APPLE_SEND_HOSTS = frozenset({*APNS_HOSTS.values(), "api.development.push.apple.com"})
"""Apple's hosts that take pushes, the sandbox under its older name too."""
CHANNELS_ORIGINS = {
    Environment.PRODUCTION: Origin("api-manage-broadcast.push.apple.com", 2196),
    Environment.SANDBOX: Origin("api-manage-broadcast.sandbox.push.apple.com", 2195),
}
"""Apple, "Sending channel management requests to APNs"."""
FCM_HOST = "fcm.googleapis.com"
GOOGLE_SEND_HOSTS = frozenset({FCM_HOST, "fcm.mtls.googleapis.com"})
"""Google, FCM v1 discovery document."""
TOPICS_HOST = "iid.googleapis.com"
"""Where Firebase's Admin SDKs subscribe registration tokens in batches."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spot:
    """Where a setting is written, for messages about it."""

    place: Place
    source_line: str | None = None
    """The line as it stands there, with anything that may be a secret blotted out."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What every credential has."""

    name: str
    """The name it is chosen by."""
    require_consent: bool = False
    """Whether a file that carries no consent is refused."""
    protected: bool = False
    """Whether bulk sends ask first."""
    endpoint: Origin | None = None
    """Another gateway than the vendor's."""
    ca_file: Path | None = None
    """The only authorities to trust, in PEM; the system's where ``None``."""
    proxy: str | None = dataclasses.field(default=None, repr=False)
    """An HTTP proxy's URL, which may hold a password; ``none``: directly; ``None``: as the
    environment says (see :func:`pushctl.proxy.choose_way`)."""
    places: Mapping[str, Spot] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    """Where each field is written; ``""`` is the credential itself.  What is missing here has its
    default."""

    def problem(
        self, field: str, message: str, *, hint: str | None = None, about: str | None = None
    ) -> Problem:
        """
        Return a problem about *field*, placed where it (or else the credential) is written.

        *about* names what it concerns where that is more than the field tells.
        """
        spot = self.places.get(field) or self.places.get("")
        place, line = (spot.place, spot.source_line) if spot is not None else (None, None)
        return Problem(f"credential {self.name!r}: {message}", place, hint, line, about or field)

    def invalid(self, field: str, message: str, *, hint: str | None = None) -> InvalidInput:
        """Return the same as an error to raise."""
        return InvalidInput(problems=[self.problem(field, message, hint=hint)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Apns(_Common):
    """What both kinds of APNs credential have."""

    service: ClassVar[Service] = Service.APNS
    project_id: ClassVar[None] = None

    environment: Environment
    broadcast_endpoint: Origin | None = None
    """Another gateway for broadcasts than for pushes to devices."""
    channels_endpoint: Origin | None = None
    """Another place to manage broadcast channels than Apple's."""

    @property
    def origin(self) -> Origin:
        """Where pushes go: the endpoint, else Apple's host of the environment."""
        return self.endpoint or Origin(APNS_HOSTS[self.environment])

    @property
    def broadcast_origin(self) -> Origin:
        """
        Where broadcasts go: where pushes go, if the config says no other.

        Apple's pages disagree: some send to ``api-broadcast.push.apple.com``.
        """
        return self.broadcast_endpoint or self.origin

    @property
    def channels_origin(self) -> Origin:
        """
        Where channels are managed.

        An ``endpoint`` that is not Apple's (the simulator) takes these requests too; Apple's own
        hosts for pushes, on whichever port, do not.
        """
        if self.channels_endpoint is not None:
            return self.channels_endpoint
        if self.endpoint is not None and self.endpoint.host not in APPLE_SEND_HOSTS:
            return self.endpoint
        return CHANNELS_ORIGINS[self.environment]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApnsKeySettings(_Apns):
    """APNs with a .p8 key, which signs provider tokens."""

    topic: str
    key_id: str
    team_id: str
    key_file: Path | None = None
    """Exactly one of ``key_file`` and ``key_env`` is set."""
    key_env: str | None = None
    """The name of the environment variable that holds the PEM text."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApnsCertificateSettings(_Apns):
    """APNs with a client certificate."""

    topic: str | None = None
    """``None``: the certificate says it."""
    certificate_file: Path
    certificate_password_env: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FcmSettings(_Common):
    """FCM HTTP v1 with a service account or application default credentials."""

    service: ClassVar[Service] = Service.FCM
    environment: ClassVar[None] = None
    topic: ClassVar[None] = None

    service_account_file: Path | None = None
    """Exactly one of the two and ``application_default`` is set."""
    service_account_env: str | None = None
    """The name of the environment variable that holds the JSON text."""
    application_default: bool = False
    project_id: str | None = None
    """``None``: the service account says it."""
    token_endpoint: str | None = None
    """Another token endpoint than Google's: a full URL."""

    @property
    def origin(self) -> Origin:
        """Where pushes go: the endpoint, else Google's host."""
        return self.endpoint or Origin(FCM_HOST)

    @property
    def topics_origin(self) -> Origin:
        """Where topics are managed in batches: the endpoint if it is not Google's, else Google."""
        if self.endpoint is not None and self.endpoint.host not in GOOGLE_SEND_HOSTS:
            return self.endpoint
        return Origin(TOPICS_HOST)


CredentialSettings: TypeAlias = ApnsKeySettings | ApnsCertificateSettings | FcmSettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that one config file says, paths resolved, defaults filled in."""

    path: Path | None
    """The file; ``None`` where there is none."""
    credentials: Mapping[str, CredentialSettings]
    """By name, in the order of the file."""
    defaults: Mapping[Service, str]
    """Which credential serves where several could."""
    bounce_log: Path
    state_dir: Path
    bounce_log_max_bytes: int | None = None
    """What the log may grow to before it is rotated; ``None``: whatever it grows to."""
    places: Mapping[tuple[str, ...], Spot] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    """Where each value is written, by its path of keys (``("credentials", "shop", "topic")``).
    What is missing here has its default."""
