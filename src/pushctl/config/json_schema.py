"""
The JSON Schema of ``pushctl.yaml``, made from the models that read it.

An editor completes and judges with it.  What it cannot say is left to the loader: that a default
names a credential that exists, which hosts may be given a credential, and what stands in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pushctl.config import rules
from pushctl.config.schema import NAME, ConfigModel, CredentialModel, DefaultsModel, Form

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULLABLE = frozenset({"credentials", "defaults", "apns", "fcm", "bounce_log", "state_dir", "proxy"})
"""Keys that may be written with nothing behind them."""


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the config file."""
    top = _properties(ConfigModel)
    top["credentials"] |= {
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"$ref": "#/$defs/credential"},
    }
    top["defaults"] |= {
        "properties": _properties(DefaultsModel),
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": "pushctl.yaml",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": top,
        "$defs": {"credential": _credential()},
    }


def _credential() -> dict[str, Any]:
    """Return the schema of one credential: each key, and which go together."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": _properties(CredentialModel),
        "required": ["service"],
        "allOf": [
            _when(service="apns", then=_apns()),
            _when(service="fcm", then=_fcm()),
        ],
    }


def _apns() -> dict[str, Any]:
    key = {
        "required": ["topic", "team_id"],
        "properties": {"certificate_password_env": False},
        "oneOf": [{"required": ["key_file"]}, {"required": ["key_env"]}],
        # The key id may be left out where the name of the file says it.
        "anyOf": [
            {"required": ["key_id"]},
            {
                "required": ["key_file"],
                "properties": {"key_file": {"pattern": r"(^|/)AuthKey_[A-Z0-9]{10}\.p8$"}},
            },
        ],
    }
    return {
        "required": ["environment"],
        "properties": _none_of(rules.ONLY_FCM),
        "if": {"required": ["certificate_file"]},
        "then": {"properties": _none_of(rules.ONLY_KEY)},
        "else": key,
    }


def _fcm() -> dict[str, Any]:
    files = [source for source in rules.FCM_SOURCES if source != "application_default"]
    application_default = {
        "required": ["application_default"],
        "properties": {
            "application_default": {"const": True},
            **dict.fromkeys((*files, "token_endpoint"), False),
        },
    }
    return {
        "properties": _none_of(rules.ONLY_APNS),
        "oneOf": [
            *({"required": [source], "properties": _no_default()} for source in files),
            application_default,
        ],
    }


def _when(service: str, *, then: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"properties": {"service": {"const": service}}, "required": ["service"]}
    return {"if": asked, "then": then}


def _none_of(keys: Sequence[str]) -> dict[str, Any]:
    """Return that none of *keys* is written; a flag may be, as false."""
    return dict.fromkeys(keys, False) | (_no_default() if "application_default" in keys else {})


def _no_default() -> dict[str, Any]:
    return {"application_default": {"const": False}}


def _properties(model: type[BaseModel]) -> dict[str, Any]:
    return {name: _property(name, field) for name, field in model.model_fields.items()}


def _property(name: str, field: FieldInfo) -> dict[str, Any]:
    found = {"description": described(field), **_type(name, field)}
    if field.examples:
        found["examples"] = field.examples
    return found


def described(field: FieldInfo) -> str:
    """Return what a key is for, and what holds without it."""
    text = field.description or ""
    unset = unset_meaning(field)
    return f"{text} Without it: {unset}." if unset and not unset.startswith("required") else text


def unset_meaning(field: FieldInfo) -> str | None:
    """Return what holds where the key is not written; ``None`` where nothing does."""
    extra = field.json_schema_extra
    unset = extra.get("unset") if isinstance(extra, dict) else None
    return unset if isinstance(unset, str) else None


def _type(name: str, field: FieldInfo) -> dict[str, Any]:
    forms = [it for it in (*field.metadata, *_metadata(field.annotation)) if isinstance(it, Form)]
    words = [word for part in _parts(field.annotation) for word in _words(part)]
    kinds = {bool: "boolean", str: "string"}
    kind = next((kinds[part] for part in _parts(field.annotation) if part in kinds), "object")
    if words:
        return {"enum": words}
    schema: dict[str, Any] = {"type": [kind, "null"] if name in NULLABLE else kind}
    if forms:
        schema["pattern"] = f"^({forms[0].pattern})$"
    return schema


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield *annotation*, or what it is a union or an annotation of."""
    yield annotation
    if get_origin(annotation) not in (dict, Literal):
        for part in get_args(annotation):
            yield from _parts(part)


def _metadata(annotation: Any) -> Iterator[Any]:
    for part in _parts(annotation):
        yield from getattr(part, "__metadata__", ())


def _words(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
