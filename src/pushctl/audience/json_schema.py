"""The JSON Schema of profile files (``.yaml`` and ``.json``), for editors."""

from __future__ import annotations

from typing import Any

from pushctl.outcome import Environment, Platform, Service

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6})?)?"
_OFFSET = r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"


def profiles_schema() -> dict[str, Any]:
    """
    Return the JSON Schema (draft 2020-12) of a profile file.

    What it cannot say is left to the reader: that each id occurs once, that a day exists, and
    whether a token is one.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pushctl profiles",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "profiles": {
                "description": "The recipients.",
                "type": ["array", "null"],
                "items": _profile(),
            }
        },
    }


def _profile() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {
            "id": {
                "description": "Who it is, as your own systems call them.",
                "type": "string",
                "pattern": r"\S",
                "examples": ["anna"],
            },
            "consent": {"description": "Exactly true, or nothing is ever sent to this person."},
            "attributes": {
                "description": "What {{ first_name }} in a message is filled from, and --where"
                " asks.",
                "type": ["object", "null"],
                "examples": [{"first_name": "Anna", "orders": 7}],
            },
            "tokens": {
                "description": "The person's devices; a push goes to each.",
                "type": ["array", "null"],
                "items": _token(),
            },
        },
    }


def _token() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "token": _text("The device token (APNs) or registration token (FCM)."),
            "platform": _words(
                "What the device is; the token's shape tells where it is missing.", Platform
            ),
            "service": _words(
                "Who delivers; else the token's shape decides, else the platform.", Service
            ),
            "environment": _words("Which APNs the token is of.", Environment),
            "topic": _text("The app's bundle id, where there are several credentials."),
            "credential": _text("The name of the credential to send with."),
            "registered_at": _text("When the app last reported the token, with an offset from UTC.")
            | {"pattern": f"^{_DAY}.{_TIME}{_OFFSET}$", "examples": ["2026-10-01T08:00:00Z"]},
        },
    }


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "type": ["string", "null"]}


def _words(description: str, words: type[Environment | Platform | Service]) -> dict[str, Any]:
    """Return the schema of one of *words* in any case, the plain ones listed to be completed."""
    any_case = "|".join("".join(f"[{c.lower()}{c.upper()}]" for c in word) for word in words)
    return {
        "description": description,
        "anyOf": [
            {"enum": [*words, None]},
            {"type": "string", "pattern": f"^({any_case})$"},
        ],
    }
