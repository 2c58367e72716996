"""Puts pydantic's findings about a scenario into our words, with their places in the file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pushctl.documents import Document
from pushctl.errors import Problem
from pushctl.outcome import JsonValue
from pushctl.simulator.scenario_model import ScenarioModel

Steps = tuple[str | int, ...]
"""The way from the top of a document to a value in it."""


def problem_of(finding: Mapping[str, Any], document: Document) -> Problem:
    """Return the problem that *finding*, one of ``ValidationError.errors()``, stands for."""
    path: Steps = finding["loc"]
    field = str(path[-1]) if path else "a scenario"
    value, context = finding["input"], finding.get("ctx", {})
    match finding["type"]:
        case "scenario":
            return document.problem(path, f"`{field}` {context['message']}", hint=context["hint"])
        case "extra_forbidden":
            known = _known_keys(path[:-1])
            near = difflib.get_close_matches(field, known, 1, 0.6)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
            return document.problem(path, f"unknown key {field[:60]!a}", hint=hint, key=True)
        case "missing":
            return document.problem(path[:-1], f"`{field}` is missing", hint=_missing_hint(field))
        case "literal_error":
            return document.problem(
                path, f"`{field}`: {_shown(value)} is not one of {context['expected']}"
            )
        case "string_type":
            quotes = f'put it in quotes: {field}: "…"' if isinstance(value, int | float) else None
            return document.problem(
                path, f"`{field}` must be a text, not {_kind(value)}", hint=quotes
            )
        case "model_type" | "dict_type" | "model_attributes_type":
            return document.problem(
                path, f"`{field}` must be a map of keys and values, not {_kind(value)}"
            )
        case "list_type":
            return document.problem(
                path, f"`{field}` must be a list, not {_kind(value)}", hint="each item has a dash"
            )
        case other:
            text = _MESSAGES.get(other, finding["msg"][:1].lower() + finding["msg"][1:])
            return document.problem(path, f"`{field}` {text.format(**context)}")


_MESSAGES = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
}


def _known_keys(path: Steps) -> list[str]:
    """Return the keys of the map at *path*, as the model has them."""
    model: type[BaseModel] = ScenarioModel
    for step in path:
        if isinstance(step, str):
            annotation = model.model_fields[step].annotation
            inner = getattr(annotation, "__args__", (annotation,))
            model = next(one for one in inner if isinstance(one, type))
    return [field.alias or name for name, field in model.model_fields.items()]


def _missing_hint(field: str) -> str | None:
    return "a reason, a status or an action: answer: Unregistered" if field == "answer" else None


def _shown(value: JsonValue) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float) else _kind(value)


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "nothing"
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
