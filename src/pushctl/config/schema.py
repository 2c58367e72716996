"""
The shape of ``pushctl.yaml``: which keys there are, and what each may hold.

Only this module and :mod:`pushctl.config.faults` know pydantic.  Rules that involve several
fields are in :mod:`pushctl.config.rules`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from pushctl.config import endpoints, rules
from pushctl.proxy import DIRECT, Proxy

_IDENTIFIER = re.compile(r"[A-Z0-9]{10}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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


_AppleId = Annotated[str, AfterValidator(_apple_id)]
_Topic = Annotated[str, AfterValidator(_topic)]
_Project = Annotated[str, AfterValidator(_project)]
_EnvName = Annotated[str, AfterValidator(_env_name)]
_Path = Annotated[str, AfterValidator(_path)]
_Endpoint = Annotated[str, AfterValidator(_endpoint)]
_TokenEndpoint = Annotated[str, AfterValidator(_token_endpoint)]
_Proxy = Annotated[str, AfterValidator(_proxy)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class CredentialModel(_Strict):
    """One credential; which fields go together is for the rules to say."""

    service: Literal["apns", "fcm"]
    environment: Literal["production", "sandbox"] | None = None
    topic: _Topic | None = None
    key_file: _Path | None = None
    key_env: _EnvName | None = None
    key_id: _AppleId | None = None
    team_id: _AppleId | None = None
    certificate_file: _Path | None = None
    certificate_password_env: _EnvName | None = None
    service_account_file: _Path | None = None
    service_account_env: _EnvName | None = None
    application_default: bool = False
    project_id: _Project | None = None
    require_consent: bool = False
    protected: bool = False
    endpoint: _Endpoint | None = None
    token_endpoint: _TokenEndpoint | None = None
    ca_file: _Path | None = None
    proxy: Annotated[_Proxy | None, Field(repr=False)] = None


class DefaultsModel(_Strict):
    """Which credential serves where a service has several."""

    apns: str | None = None
    fcm: str | None = None


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise fault("is no name for a credential", "letters, digits, dots, hyphens and underscores")
    return value


class ConfigModel(_Strict):
    """The whole of ``pushctl.yaml``."""

    credentials: dict[Annotated[str, AfterValidator(_name)], CredentialModel] | None = None
    defaults: DefaultsModel | None = None
    bounce_log: _Path | None = None
    state_dir: _Path | None = None
