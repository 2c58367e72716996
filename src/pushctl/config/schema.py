"""
The shape of ``pushctl.yaml``: which keys there are, and what each may hold.

Only this module and :mod:`pushctl.config.faults` know pydantic.  Rules that involve several
fields are in :mod:`pushctl.config.rules`.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from pushctl.config import endpoints, rules
from pushctl.proxy import DIRECT, Proxy
from pushctl.rules.size import GRAMMAR, parse_size

_IDENTIFIER = re.compile(r"[A-Z0-9]{10}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""The name of a credential."""


_PORT_FORM = r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?"
_LABEL_FORM = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_FORM = rf"({_LABEL_FORM}(\.{_LABEL_FORM})*|\[[0-9A-Fa-f:.]+\])"
_ENDPOINT_FORM = rf"[Hh][Tt][Tt][Pp][Ss]://{_HOST_FORM}{_PORT_FORM}/?"
_TOKEN_ENDPOINT_FORM = rf"[Hh][Tt][Tt][Pp][Ss]://{_HOST_FORM}{_PORT_FORM}(/[^?#\s]*)?"
_PROXY_FORM = (
    r"(none)?|([Hh][Tt][Tt][Pp][Ss]?://)?([^/?#@:]*(:[^/?#@:]*)?@)?"
    rf"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]){_PORT_FORM}/?"
)
_PATH_FORM = r"(?!\s*\{)(?![\s\S]*-----BEGIN)[^\0]*[^\s\0][^\0]*"


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """What a text looks like, for editors: a regular expression of JSON Schema, whole text."""

    pattern: str


def key(
    description: str,
    *examples: str,
    unset: str | None = None,
    default: Any = None,
) -> Any:
    """Return the field of a key: what it is for, *examples*, and what holds where it is *unset*."""
    return Field(
        default=default,
        description=description,
        examples=list(examples),
        json_schema_extra={"unset": unset},
    )


def fault(message: str, hint: str | None = None) -> PydanticCustomError:
    """Return a validation error that carries our own words."""
    return PydanticCustomError("pushctl", "{message}", {"message": message, "hint": hint})


def _apple_id(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise fault(
            "must be 10 capital letters and digits",
            "Apple's developer account shows the key id under Keys and the team id under"
            " Membership",
        )
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise fault(
            "must be a bundle id: letters, digits, dots and hyphens", "such as com.acme.shop"
        )
    return value


def _project(value: str) -> str:
    if not rules.is_project_id(value):
        raise fault(
            "must be a project id such as shop-1234 (or a project number in quotes)",
            "Firebase console, project settings, General",
        )
    return value


def _env_name(value: str) -> str:
    if not _ENV_NAME.fullmatch(value):
        raise fault(
            "must be the name of an environment variable, not the secret itself",
            "put the secret into a variable, and the variable's name here",
        )
    return value


def _path(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise fault("must be the path of a file")
    if "-----BEGIN" in value or value.lstrip().startswith("{"):
        raise fault("must be the path of a file, not its content")
    return value


def _size(value: str) -> str:
    if not parse_size(value):
        raise fault("is no size", f"write {GRAMMAR}")
    return value


def _endpoint(value: str) -> str:
    try:
        endpoints.parse_origin(value)
    except endpoints.Refusal as refusal:
        raise fault(f"cannot be used: {refusal.message}", refusal.hint) from None
    return value


def _token_endpoint(value: str) -> str:
    try:
        endpoints.parse_token_endpoint(value)
    except endpoints.Refusal as refusal:
        raise fault(f"cannot be used: {refusal.message}", refusal.hint) from None
    return value


def _proxy(value: str) -> str:
    if value in (DIRECT, ""):
        return DIRECT
    try:
        Proxy.parse(value)
    except ValueError as error:
        raise fault(f"cannot be used: {error}", f"{DIRECT} goes directly") from None
    return value


_AppleId = Annotated[str, AfterValidator(_apple_id), Form(_IDENTIFIER.pattern)]
_Topic = Annotated[str, AfterValidator(_topic), Form(_TOPIC.pattern)]
_Project = Annotated[str, AfterValidator(_project), Form(rules.PROJECT.pattern)]
_EnvName = Annotated[str, AfterValidator(_env_name), Form(_ENV_NAME.pattern)]
_Path = Annotated[str, AfterValidator(_path), Form(_PATH_FORM)]
_Size = Annotated[str, AfterValidator(_size), Form(r"0*[1-9][0-9]{0,11} ?([kKmMgG]i?)?[bB]?")]
_Endpoint = Annotated[str, AfterValidator(_endpoint), Form(_ENDPOINT_FORM)]
_TokenEndpoint = Annotated[str, AfterValidator(_token_endpoint), Form(_TOKEN_ENDPOINT_FORM)]
_Proxy = Annotated[str, AfterValidator(_proxy), Form(_PROXY_FORM)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class CredentialModel(_Strict):
    """One credential; which fields go together is for the rules to say."""

    service: Literal["apns", "fcm"] = Field(
        description="Who delivers: Apple (apns) or Google (fcm).",
        json_schema_extra={"unset": "required"},
    )
    environment: Literal["production", "sandbox"] | None = key(
        "Which APNs: production for builds from TestFlight and the App Store, sandbox for builds"
        " run from Xcode.",
        unset="required for apns",
    )
    topic: _Topic | None = key(
        "The app's bundle id; the suffix of a push type is added when sending.",
        "com.acme.shop",
        unset="required with a push key; else the certificate says it",
    )
    key_file: _Path | None = key(
        "The push key (.p8) from Apple's developer account, Keys.", "AuthKey_ABC123DEFG.p8"
    )
    key_env: _EnvName | None = key(
        "The environment variable that holds the text of the .p8 file, for CI.", "APNS_KEY"
    )
    key_id: _AppleId | None = key(
        "The push key's id: 10 capital letters and digits.",
        "ABC123DEFG",
        unset="from the name AuthKey_<key id>.p8",
    )
    team_id: _AppleId | None = key(
        "The team's id: 10 capital letters and digits, see Membership details in Apple's"
        " developer account.",
        "DEF123GHIJ",
        unset="required with a push key",
    )
    certificate_file: _Path | None = key(
        "A push certificate with its key, instead of a push key: .p12 or .pem.", "shop-push.p12"
    )
    certificate_password_env: _EnvName | None = key(
        "The environment variable that holds the password of certificate_file.", "SHOP_P12_PASSWORD"
    )
    service_account_file: _Path | None = key(
        "The service account's JSON file from the Firebase console, project settings, Service"
        " accounts.",
        "shop-firebase.json",
    )
    service_account_env: _EnvName | None = key(
        "The environment variable that holds the text of the service account's JSON, for CI.",
        "FIREBASE_SERVICE_ACCOUNT",
    )
    application_default: bool = key(
        "Use Google's application default credentials: gcloud, workload identity, the metadata"
        " server.",
        unset="false",
        default=False,
    )
    project_id: _Project | None = key(
        "The Firebase project.", "shop-1234", unset="from the service account"
    )
    require_consent: bool = key(
        "Refuse lists that do not say who consented.", unset="false", default=False
    )
    protected: bool = key("Ask before sending to many.", unset="false", default=False)
    endpoint: _Endpoint | None = key(
        "Another gateway than the vendor's. A host that is neither the vendor's nor this machine"
        " also needs --allow-endpoint.",
        "https://127.0.0.1:2197",
        unset="the vendor's",
    )
    broadcast_endpoint: _Endpoint | None = key(
        "Another gateway for broadcasts to channels than for pushes to devices: Apple's pages"
        " disagree on the host. The same rule.",
        "https://api-broadcast.push.apple.com",
        unset="endpoint, else the host that takes pushes",
    )
    channels_endpoint: _Endpoint | None = key(
        "Another place where channels are managed; the same rule.",
        "https://127.0.0.1:2197",
        unset="an endpoint that is not Apple's, else Apple's host for it",
    )
    token_endpoint: _TokenEndpoint | None = key(
        "Where access tokens are asked for instead of Google's token endpoint; the same rule.",
        "https://127.0.0.1:2197/token",
        unset="Google's",
    )
    ca_file: _Path | None = key(
        "The only certificate authorities to trust, as PEM.", "ca.pem", unset="the system's"
    )
    proxy: Annotated[_Proxy | None, Field(repr=False)] = key(
        "The HTTP proxy to go through (CONNECT), also to the token endpoint; none goes directly.",
        "http://proxy.example:3128",
        "http://user:password@proxy.example:3128",
        "none",
        unset="HTTPS_PROXY and NO_PROXY decide",
    )


class DefaultsModel(_Strict):
    """Which credential serves where a service has several."""

    apns: str | None = key("The credential for APNs.", "shop-ios", unset="the only one")
    fcm: str | None = key("The credential for FCM.", "shop-android", unset="the only one")


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise fault("is no name for a credential", "letters, digits, dots, hyphens and underscores")
    return value


class ConfigModel(_Strict):
    """The whole of ``pushctl.yaml``."""

    credentials: dict[Annotated[str, AfterValidator(_name)], CredentialModel] | None = key(
        "What to send with, each by a name of your choice."
    )
    defaults: DefaultsModel | None = key(
        "Which credential serves where a service has several and nothing else decides."
    )
    bounce_log: _Path | None = key(
        "Where rejected pushes are logged.",
        "bounces.jsonl",
        unset="bounces.jsonl beside pushctl.yaml",
    )
    bounce_log_max_size: _Size | None = key(
        "How large the bounce log may grow before it is rotated to bounces.jsonl.1 and so on.",
        "500MB",
        unset="it grows without limit",
    )
    state_dir: _Path | None = key(
        "Where runs are kept, so that they can be resumed.",
        ".pushctl",
        unset=".pushctl beside pushctl.yaml; the user's state folder if that cannot be written",
    )
