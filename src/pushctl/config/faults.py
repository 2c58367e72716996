"""Puts pydantic's findings into our words, with their places in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pushctl.config.redact import redact
from pushctl.config.schema import ConfigModel, CredentialModel, DefaultsModel
from pushctl.config.words import did_you_mean
from pushctl.documents import Document
from pushctl.errors import Problem

_FALSE_FRIENDS = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
_SHOWN_LIMIT = 60


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """Return one problem for each finding."""
    return [_problem(finding, document) for finding in error.errors(include_url=False)]


def _problem(finding: Mapping[str, Any], document: Document) -> Problem:
    # pydantic marks a finding about a key (and not its value) with this last step.
    about_key = finding["loc"][-1:] == ("[key]",)
    path: Sequence[str | int] = finding["loc"][:-1] if about_key else finding["loc"]
    field = str(path[-1]) if path else "the file"
    value = finding["input"]
    match finding["type"]:
        case "pushctl":
            context = finding["ctx"]
            subject = repr(field) if about_key else field
            return document.problem(
                path, f"{subject} {context['message']}", hint=context["hint"], key=about_key
            )
        case "extra_forbidden":
            return _unknown_key(document, path, field)
        case "missing":
            return document.problem(
                path[:-1], f"{field} is missing", hint=_missing_hint(field), key=True
            )
        case "literal_error":
            return _wrong_word(document, path, field, value, finding["ctx"]["expected"])
        case "bool_type":
            return document.problem(
                path, f"{field} must be true or false, not {show(value)}", hint=_boolean_hint(value)
            )
        case "string_type":
            return document.problem(
                path, f"{field} must be a text, not {kind(value)}", hint=_text_hint(field, value)
            )
        case "dict_type" | "model_type":
            return document.problem(
                path, f"{field} must be a map of keys and values, not {kind(value)}"
            )
        case other:
            raise AssertionError(f"no words for the finding {other}")


def _unknown_key(document: Document, path: Sequence[str | int], field: str) -> Problem:
    known = _known_keys(path)
    hint = did_you_mean(field, known) or f"known are {', '.join(sorted(known))}"
    return document.problem(path, f"unknown key {show(field)}", hint=hint, key=True)


def _known_keys(path: Sequence[str | int]) -> list[str]:
    model: type[ConfigModel | CredentialModel | DefaultsModel] = ConfigModel
    if len(path) > 1:
        model = CredentialModel if path[0] == "credentials" else DefaultsModel
    return list(model.model_fields)


def _wrong_word(
    document: Document, path: Sequence[str | int], field: str, value: object, expected: str
) -> Problem:
    choices = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    hint = did_you_mean(value, choices) if isinstance(value, str) else None
    return document.problem(
        path, f"{field}: {show(value)} is not one of {', '.join(choices)}", hint=hint
    )


def _missing_hint(field: str) -> str | None:
    return "service: apns, or service: fcm" if field == "service" else None


def _boolean_hint(value: object) -> str | None:
    word = value.lower() if isinstance(value, str) else ""
    if word in _FALSE_FRIENDS:
        return f"{value} is a text in YAML 1.2: write {_FALSE_FRIENDS[word]}"
    if word in ("true", "false"):
        return "write it without quotes"
    return None


def _text_hint(field: str, value: object) -> str | None:
    if isinstance(value, (int, float)):
        return f'put it in quotes: {field}: "…"'
    return None


def kind(value: object) -> str:
    """Return what sort of value *value* is, in words."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case Mapping():
            return "a map"
        case _:
            return "a list"


def show(value: object) -> str:
    """Return *value* as a message may quote it: short, and without secrets."""
    if not isinstance(value, (str, int, float)):
        return kind(value)
    text = redact(str(value))
    return repr(text if len(text) <= _SHOWN_LIMIT else text[: _SHOWN_LIMIT - 1] + "…")
