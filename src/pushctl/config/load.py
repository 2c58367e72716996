"""Reads ``pushctl.yaml`` into :class:`Settings`, or raises every fault in it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pushctl.config import endpoints, rules
from pushctl.config.discover import default_bounce_log, default_state_dir, expand_home
from pushctl.config.redact import redact, redact_error, redact_problem
from pushctl.config.settings import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
    Origin,
    Settings,
    Spot,
)
from pushctl.config.words import did_you_mean
from pushctl.documents import Document, read
from pushctl.errors import InvalidInput, Problem
from pushctl.outcome import Environment, JsonValue, Service
from pushctl.proxy import DIRECT, Proxy
from pushctl.rules.size import parse_size

if TYPE_CHECKING:
    from pushctl.config.schema import ConfigModel, CredentialModel

MAX_CONFIG_BYTES = 2**20


def load_settings(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    cwd: Path,
    home: Path,
    allow_endpoint: Sequence[str] = (),
) -> Settings:
    """
    Return what the config file at *path* says; defaults where it is ``None``.

    *allow_endpoint* names the hosts, besides the vendors' and this machine, that the file may
    send credentials to.

    :raises InvalidInput: with all faults of the file, in its order.
    """
    if path is None:
        return Settings(
            path=None,
            credentials={},
            defaults={},
            bounce_log=default_bounce_log(None, cwd),
            state_dir=default_state_dir(None, environ, home),
        )
    document = _read(path, cwd)
    model = _validate(document, allow_endpoint)
    return _Builder(document, path, home).settings(
        model,
        bounce_log=default_bounce_log(path, cwd),
        state_dir=default_state_dir(path, environ, home),
    )


def _read(path: Path, cwd: Path) -> Document:
    shown = str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
    try:
        document = read(path, max_bytes=MAX_CONFIG_BYTES, shown=shown)
    except InvalidInput as error:
        raise redact_error(error) from None
    if document.value is None:
        return Document({}, document.file, document.lines)  # an empty file, or comments alone
    return document


def _validate(document: Document, allow_endpoint: Sequence[str]) -> ConfigModel:
    from pydantic import ValidationError

    from pushctl.config.faults import problems_of
    from pushctl.config.schema import ConfigModel

    model: ConfigModel | None = None
    problems: list[Problem] = []
    try:
        model = ConfigModel.model_validate(document.value)
    except ValidationError as error:
        problems += problems_of(error, document)
    problems += _rule_problems(document, allow_endpoint)
    if problems or model is None:
        ordered = sorted(problems, key=_position)
        raise InvalidInput(problems=[redact_problem(problem) for problem in ordered])
    return model


def _position(problem: Problem) -> tuple[int, int]:
    place = problem.place
    assert place is not None  # every problem of a config file has one
    return place.line or 0, place.column or 0


def _rule_problems(document: Document, allow_endpoint: Sequence[str]) -> Iterator[Problem]:
    """Yield what involves several values: judged on the raw document, whatever else is wrong."""
    root = document.value if isinstance(document.value, Mapping) else {}
    credentials = root.get("credentials")
    credentials = credentials if isinstance(credentials, Mapping) else {}
    for name, written in credentials.items():
        if isinstance(written, Mapping):
            yield from rules.credential_problems(document, name, written)
            yield from _host_problems(document, name, written, allow_endpoint)
    defaults = root.get("defaults")
    if isinstance(defaults, Mapping):
        for service, default in defaults.items():
            yield from _default_problems(document, service, default, credentials)


def _host_problems(
    document: Document, name: str, written: Mapping[str, object], allowed: Sequence[str]
) -> Iterator[Problem]:
    yield from _proxy_problems(document, name, written, allowed)
    service = written.get("service")
    if service not in list(Service):
        return
    vendor = endpoints.VENDOR_HOSTS[Service(str(service))]
    checks = (
        ("endpoint", endpoints.parse_origin, vendor),
        ("broadcast_endpoint", endpoints.parse_origin, vendor),
        ("channels_endpoint", endpoints.parse_origin, vendor),
        ("token_endpoint", endpoints.parse_token_endpoint, endpoints.TOKEN_HOSTS),
    )
    for field, parse, vendor_hosts in checks:
        url = written.get(field)
        if not isinstance(url, str):
            continue
        try:
            origin = parse(url)
        except endpoints.Refusal:
            continue  # the schema says so
        refusal = endpoints.refusal_of_host(origin, vendor_hosts, allowed)
        if refusal:
            yield document.problem(
                ("credentials", name, field), f"{field}: {refusal.message}", hint=refusal.hint
            )


def _proxy_problems(
    document: Document, name: str, written: Mapping[str, object], allowed: Sequence[str]
) -> Iterator[Problem]:
    """Yield that a proxy is foreign whose certificates the same file would have us trust."""
    url = written.get("proxy")
    if not isinstance(url, str) or url in (DIRECT, "") or "ca_file" not in written:
        return
    try:
        proxy = Proxy.parse(url)
    except ValueError:
        return  # the schema says so
    refusal = endpoints.refusal_of_proxy(proxy, allowed)
    if refusal:
        yield document.problem(
            ("credentials", name, "proxy"), f"proxy: {refusal.message}", hint=refusal.hint
        )


def _default_problems(
    document: Document, service: str, name: object, credentials: Mapping[str, object]
) -> Iterator[Problem]:
    if not isinstance(name, str) or service not in list(Service):
        return  # the schema says so
    path = ("defaults", service)
    if name not in credentials:
        known = f"there are {', '.join(credentials)}" if credentials else "there are none"
        yield document.problem(
            path,
            f"defaults: there is no credential {redact(name)!r}",
            hint=did_you_mean(name, credentials) or known,
        )
        return
    written = credentials[name]
    actual = written.get("service") if isinstance(written, Mapping) else None
    if actual in list(Service) and actual != service:
        yield document.problem(
            path, f"defaults: {name} is a credential for {actual}, not {service}"
        )


class _CommonFields(TypedDict):
    """The fields that every kind of credential settings has."""

    name: str
    require_consent: bool
    protected: bool
    endpoint: Origin | None
    ca_file: Path | None
    proxy: str | None
    places: Mapping[str, Spot]


class _ApnsFields(TypedDict):
    """The fields that both kinds of APNs credential have besides."""

    environment: Environment
    broadcast_endpoint: Origin | None
    channels_endpoint: Origin | None


def _origin(url: str | None) -> Origin | None:
    return endpoints.parse_origin(url) if url else None


class _Builder:
    """Turns the validated model into settings: paths resolved, places attached."""

    def __init__(self, document: Document, path: Path, home: Path) -> None:
        self._document = document
        self._path = path
        self._home = home
        self._places = dict(self._find_places((), document.value))

    def settings(self, model: ConfigModel, *, bounce_log: Path, state_dir: Path) -> Settings:
        """Return the settings, with the given defaults for the two paths."""
        credentials = model.credentials or {}
        defaults = model.defaults.model_dump(exclude_none=True) if model.defaults else {}
        return Settings(
            path=self._path,
            credentials={name: self._credential(name, it) for name, it in credentials.items()},
            defaults={Service(service): name for service, name in defaults.items()},
            bounce_log=self._resolved(model.bounce_log) or bounce_log,
            bounce_log_max_bytes=parse_size(model.bounce_log_max_size or ""),
            state_dir=self._resolved(model.state_dir) or state_dir,
            places=self._places,
        )

    def _credential(self, name: str, model: CredentialModel) -> CredentialSettings:
        path = ("credentials", name)
        places = {
            where[2]: spot
            for where, spot in self._places.items()
            if where[:2] == path and where[2:]
        }
        written = "proxy" in model.model_fields_set  # with nothing behind it: no proxy
        common: _CommonFields = {
            "name": name,
            "require_consent": model.require_consent,
            "protected": model.protected,
            "endpoint": _origin(model.endpoint),
            "ca_file": self._resolved(model.ca_file),
            "proxy": DIRECT if written and model.proxy is None else model.proxy,
            "places": {"": self._places[path], **places},
        }
        if model.service == "fcm":
            return FcmSettings(
                **common,
                service_account_file=self._resolved(model.service_account_file),
                service_account_env=model.service_account_env,
                application_default=model.application_default,
                project_id=model.project_id,
                token_endpoint=model.token_endpoint,
            )
        assert model.environment is not None  # the rules refuse an APNs credential without
        apns: _ApnsFields = {
            "environment": Environment(model.environment),
            "broadcast_endpoint": _origin(model.broadcast_endpoint),
            "channels_endpoint": _origin(model.channels_endpoint),
        }
        if model.certificate_file is not None:
            return ApnsCertificateSettings(
                **common,
                **apns,
                topic=model.topic,
                certificate_file=self._resolve(model.certificate_file),
                certificate_password_env=model.certificate_password_env,
            )
        key_id = model.key_id or rules.key_id_of(model.key_file or "")
        assert model.topic is not None  # as above, for all three
        assert model.team_id is not None
        assert key_id is not None
        return ApnsKeySettings(
            **common,
            **apns,
            topic=model.topic,
            key_id=key_id,
            team_id=model.team_id,
            key_file=self._resolved(model.key_file),
            key_env=model.key_env,
        )

    def _resolved(self, path: str | None) -> Path | None:
        return self._resolve(path) if path is not None else None

    def _resolve(self, path: str) -> Path:
        """Return *path* relative to the config file's folder."""
        return self._path.parent / expand_home(path, self._home)

    def _find_places(
        self, path: tuple[str, ...], value: JsonValue
    ) -> Iterator[tuple[tuple[str, ...], Spot]]:
        """Yield the place of every value at and below *path*; of a map, that of its key."""
        is_map = isinstance(value, Mapping)
        spot = self._document.problem(path, "", key=is_map)
        assert spot.place is not None
        yield path, Spot(spot.place, redact(spot.source_line) if spot.source_line else None)
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._find_places((*path, key), item)
