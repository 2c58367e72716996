"""
Every setting with what it is and where that comes from.  Pure.

Secrets are not among them: a key is told by its fingerprint, a password by whether it is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pushctl.config.discover import Candidate, Source
from pushctl.config.redact import redact
from pushctl.config.settings import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
    Settings,
)
from pushctl.errors import Place
from pushctl.outcome import Service
from pushctl.proxy import choose_way

_KEY = ("key_file", "key_env", "key_id", "team_id")
_CERTIFICATE = ("certificate_file", "certificate_password_env")
_GOOGLE = (
    "service_account_file",
    "service_account_env",
    "application_default",
    "project_id",
)
_EVERY = ("require_consent", "protected")
_SECRETS = frozenset(
    {"key_file", "key_env", "certificate_file", "service_account_file", "service_account_env"}
)
_SOURCES = {
    Source.PROJECT: "the nearest pushctl.yaml",
    Source.USER: "the user's own",
}


class Kind(StrEnum):
    """Where a value comes from."""

    FILE = "file"
    """The config file, at a place."""
    ENVIRONMENT = "environment"
    """A variable."""
    OPTION = "option"
    """The command line."""
    DEFAULT = "default"
    """Nobody said otherwise."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One value and its origin."""

    name: str
    """Its path of keys, dots between; an option begins with ``--``."""
    value: str | bool | None
    """As it may be shown; ``None``: it is known only once the credential is opened."""
    kind: Kind
    why: str | None = None
    """More about the origin, where the kind and the place do not say all."""
    place: Place | None = None
    variable: str | None = None
    fingerprint: str | None = None
    """Of a key: what people may compare; or that there is none."""


class Fingerprints(Protocol):
    """Tells what may be told of secrets, which it reads."""

    def of_file(self, path: Path) -> str:
        """Return the fingerprint of a key file, or why there is none."""

    def of_variable(self, name: str) -> str:
        """Return the fingerprint of a key in a variable, or why there is none."""

    def password(self, name: str) -> str:
        """Return whether a variable that holds a password is set."""


def settings_with_origins(
    settings: Settings,
    chosen: Candidate | None,
    environ: Mapping[str, str],
    fingerprints: Fingerprints,
    options: Mapping[str, str],
) -> list[Setting]:
    """
    Return what *settings* say, of which *chosen* is the file.

    *options* are the names of options by their variables, of which those that *environ* sets
    are added.

    :raises InvalidInput: if a variable such as ``HTTPS_PROXY`` is unusable.
    """
    reading = _Reading(settings, environ, fingerprints)
    return [
        _file(settings, chosen),
        reading.bounce_log(),
        reading.top("state_dir", str(settings.state_dir)),
        *reading.defaults(),
        *(it for one in settings.credentials.values() for it in reading.credential(one)),
        *_options(environ, options),
    ]


def _file(settings: Settings, chosen: Candidate | None) -> Setting:
    if chosen is None:
        return Setting("config", None, Kind.DEFAULT, "there is no pushctl.yaml")
    kinds = {Source.OPTION: Kind.OPTION, Source.VARIABLE: Kind.ENVIRONMENT}
    return Setting(
        "config",
        str(settings.path),
        kinds.get(chosen.source, Kind.DEFAULT),
        _SOURCES.get(chosen.source, chosen.source.value),
        variable=chosen.source.value if chosen.source is Source.VARIABLE else None,
    )


def _options(environ: Mapping[str, str], options: Mapping[str, str]) -> Iterator[Setting]:
    for variable, option in sorted(options.items()):
        value = environ.get(variable)
        if value and variable not in ("PUSHCTL_CONFIG", "PUSHCTL_BOUNCE_LOG"):
            yield Setting(option, redact(value), Kind.ENVIRONMENT, variable, variable=variable)


class _Reading:
    """Reads one :class:`Settings`."""

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], fingerprints: Fingerprints
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._fingerprints = fingerprints

    def bounce_log(self) -> Setting:
        """Return where bounces go: an option of ``send`` whose variable goes before the file."""
        variable = "PUSHCTL_BOUNCE_LOG"
        value = self._environ.get(variable)
        if value:
            return Setting("bounce_log", value, Kind.ENVIRONMENT, variable, variable=variable)
        return self.top("bounce_log", str(self._settings.bounce_log))

    def top(self, name: str, value: str) -> Setting:
        """Return a value at the top of the file."""
        spot = self._settings.places.get((name,))
        if spot is None:
            return Setting(name, value, Kind.DEFAULT)
        return Setting(name, value, Kind.FILE, place=spot.place)

    def defaults(self) -> Iterator[Setting]:
        """Yield which credential serves each service; one that is alone needs no default."""
        for service in Service:
            name, path = f"defaults.{service}", ("defaults", service.value)
            serving = [it for it in self._settings.credentials.values() if it.service == service]
            written = self._settings.defaults.get(service)
            spot = self._settings.places.get(path)
            if written is not None:
                place = None if spot is None else spot.place
                yield Setting(name, written, Kind.FILE, place=place)
            elif len(serving) == 1:
                yield Setting(name, serving[0].name, Kind.DEFAULT, "the only one")

    def credential(self, credential: CredentialSettings) -> Iterator[Setting]:
        """Yield what one credential says, in the order of the reference."""
        yield self._field(credential, "service", credential.service.value)
        match credential:
            case ApnsKeySettings():
                yield from self._fields(credential, "environment", "topic", *_KEY, *_EVERY)
            case ApnsCertificateSettings():
                yield from self._fields(credential, "environment", "topic", *_CERTIFICATE, *_EVERY)
            case FcmSettings():
                yield from self._fields(credential, *_GOOGLE, *_EVERY)
        host = f"https://{credential.origin}"
        yield self._field(credential, "endpoint", host, "the vendor's")
        if not isinstance(credential, FcmSettings):
            for field in ("broadcast_endpoint", "channels_endpoint"):
                if (origin := getattr(credential, field)) is not None:
                    yield self._field(credential, field, f"https://{origin}")
        if isinstance(credential, FcmSettings) and not credential.application_default:
            url = credential.token_endpoint or "https://oauth2.googleapis.com/token"
            yield self._field(credential, "token_endpoint", url, "Google's")
        ca_file = "the system's" if credential.ca_file is None else str(credential.ca_file)
        yield self._field(credential, "ca_file", ca_file)
        yield self._proxy(credential)

    def _fields(self, credential: CredentialSettings, *names: str) -> Iterator[Setting]:
        for name in names:
            value = getattr(credential, name)
            unset = value is None or (name == "application_default" and not value)
            if name in ("topic", "project_id", "key_id") or not unset:
                yield self._known(credential, name, value)

    def _known(self, credential: CredentialSettings, name: str, value: object) -> Setting:
        shown = value if isinstance(value, bool) else None if value is None else str(value)
        setting = self._field(credential, name, shown, _where_else(name, credential))
        if name in _SECRETS:
            read = self._fingerprints
            found = read.of_file(value) if isinstance(value, Path) else read.of_variable(str(value))
            return dataclasses.replace(setting, fingerprint=found)
        if name == "certificate_password_env":
            found = self._fingerprints.password(str(value))
            return dataclasses.replace(setting, fingerprint=found)
        return setting

    def _proxy(self, credential: CredentialSettings) -> Setting:
        origin = credential.origin
        way = choose_way(
            origin.host, origin.port, configured=credential.proxy, environ=self._environ
        )
        shown = "none" if way.proxy is None else way.proxy.shown
        name = f"credentials.{credential.name}.proxy"
        if credential.proxy is not None:
            return self._field(credential, "proxy", shown)
        if way.variable is None:
            return Setting(name, shown, Kind.DEFAULT, way.why)
        return Setting(name, shown, Kind.ENVIRONMENT, way.why, variable=way.variable)

    def _field(
        self,
        credential: CredentialSettings,
        field: str,
        value: str | bool | None,
        why: str | None = None,
    ) -> Setting:
        name = f"credentials.{credential.name}.{field}"
        spot = credential.places.get(field)
        if spot is None:
            return Setting(name, value, Kind.DEFAULT, why)
        return Setting(name, value, Kind.FILE, place=spot.place)


def _where_else(name: str, credential: CredentialSettings) -> str | None:
    """Return where a value that is not written comes from."""
    if name == "key_id":
        return "the name of key_file"
    if name == "topic":
        return "the certificate says it"
    if name == "project_id":
        adc = isinstance(credential, FcmSettings) and credential.application_default
        return "the environment says it" if adc else "the service account says it"
    return None
