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
    """An HTTP proxy's URL; may hold a password."""
    places: Mapping[str, Spot] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    """Where each field is written; ``""`` is the credential itself.  What is missing here has its
    default."""

    def problem(self, field: str, message: str, *, hint: str | None = None) -> Problem:
        """Return a problem about *field*, placed where it (or else the credential) is written."""
        spot = self.places.get(field) or self.places.get("")
        if spot is None:
            return Problem(f"credential {self.name!r}: {message}", None, hint)
        return Problem(f"credential {self.name!r}: {message}", spot.place, hint, spot.source_line)

    def invalid(self, field: str, message: str, *, hint: str | None = None) -> InvalidInput:
        """Return the same as an error to raise."""
        return InvalidInput(problems=[self.problem(field, message, hint=hint)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApnsKeySettings(_Common):
    """APNs with a .p8 key, which signs provider tokens."""

    service: ClassVar[Service] = Service.APNS
    project_id: ClassVar[None] = None

    environment: Environment
    topic: str
    key_id: str
    team_id: str
    key_file: Path | None = None
    """Exactly one of ``key_file`` and ``key_env`` is set."""
    key_env: str | None = None
    """The name of the environment variable that holds the PEM text."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApnsCertificateSettings(_Common):
    """APNs with a client certificate."""

    service: ClassVar[Service] = Service.APNS
    project_id: ClassVar[None] = None

    environment: Environment
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
    places: Mapping[tuple[str, ...], Spot] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    """Where each value is written, by its path of keys (``("credentials", "shop", "topic")``).
    What is missing here has its default."""
