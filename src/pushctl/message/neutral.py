"""
Reads the neutral message: from options, from a message file, or from raw payloads.

Everything that is wrong is reported at once, each with its option or its file, line and column.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pushctl.documents import Document
from pushctl.errors import InvalidInput, Problem, UsageError
from pushctl.message.fields import BY_NAME, FIELDS, Field, WrongValue, is_unicode, message_schema
from pushctl.message.model import Message, Priority
from pushctl.outcome import JsonValue, Service
from pushctl.rules.finding import Path, did_you_mean, type_name

__all__ = [
    "Message",
    "Priority",
    "from_document",
    "from_options",
    "from_payload",
    "message_schema",
]


def from_document(document: Document) -> Message:
    """
    Return the message of a message file.

    :raises InvalidInput: with every unknown key and wrong value, each with its place.
    """
    if not isinstance(document.value, Mapping):
        text = f"a message file holds an object of fields, not {type_name(document.value)}"
        raise InvalidInput(problems=[document.problem((), text)])
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in document.value.items():
        field = BY_NAME.get(name)
        if field is None:
            hint = did_you_mean(name, BY_NAME) or f"the fields are {', '.join(BY_NAME)}"
            text = f"a message has no field `{name}`"
            problems.append(document.problem((name,), text, hint=hint, key=True))
            continue
        try:
            values[name] = field.read(value)
        except WrongValue as wrong:
            text = f"`{name}` {wrong.message}"
            problems.append(document.problem((name, *wrong.path), text, hint=wrong.hint))
    if problems:
        raise InvalidInput(problems=problems)
    return Message(**values, sources={(): document})


def from_payload(payloads: Mapping[Service, Document]) -> Message:
    """
    Return the message that carries a raw payload for each service of *payloads*.

    What stands in them is judged by :func:`pushctl.message.lint.lint`, and only for the services
    that a run needs: one file may be given for both.

    :raises InvalidInput: with every payload that is no object.
    """
    problems: list[Problem] = []
    values: dict[Service, Mapping[str, JsonValue]] = {}
    for service, document in payloads.items():
        value = document.value
        if not isinstance(value, Mapping):
            text = f"a payload is a JSON object, not {type_name(value)}"
            problems.append(document.problem((), text))
            continue
        values[service] = value
    if problems:
        raise InvalidInput(problems=problems)
    return Message(
        payloads=values,
        sources={("payload", service.value): document for service, document in payloads.items()},
    )


def from_options(
    *,
    title: str | None = None,
    subtitle: str | None = None,
    body: str | None = None,
    badge: str | None = None,
    sound: str | None = None,
    image: str | None = None,
    data: Sequence[str] = (),
    collapse_id: str | None = None,
    ttl: str | None = None,
    priority: str | None = None,
    push_type: str | None = None,
    thread_id: str | None = None,
    category: str | None = None,
    base: Message | None = None,
) -> Message:
    """
    Return the message that the options of ``send`` ask for.

    Options are laid over *base*, the message of ``--message`` or ``--payload``: each replaces
    the file's field, and each ``--data K=V`` the file's key.  Beside a raw payload only the
    options that say how to deliver are taken.

    :raises UsageError: with every option whose value does not fit.
    """
    given: dict[str, str | None] = {
        "title": title,
        "subtitle": subtitle,
        "body": body,
        "badge": badge,
        "sound": sound,
        "image": image,
        "collapse_id": collapse_id,
        "ttl": ttl,
        "priority": priority,
        "push_type": push_type,
        "thread_id": thread_id,
        "category": category,
    }
    base = base or Message()
    reading = _Options(base)
    for field in FIELDS:
        value = given.get(field.name)
        if value is not None:
            reading.take(field, value)
    if data:
        reading.take_data(data)
    if reading.problems:
        raise UsageError(problems=reading.problems)
    sources = {**base.sources, **reading.sources}
    return dataclasses.replace(base, **reading.values, sources=sources)


class _Options:
    """The options read so far, and what is wrong with them."""

    def __init__(self, base: Message) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[Path, str] = {}
        self.problems: list[Problem] = []
        self._base = base

    def take(self, field: Field, value: str) -> None:
        option = "--" + field.name.replace("_", "-")
        if self._refused_beside_payload(field, option):
            return
        try:
            self.values[field.name] = field.read(value)
        except WrongValue as wrong:
            self.problems.append(Problem(f"`{option}` {wrong.message}", hint=wrong.hint))
        self.sources[(field.name,)] = option

    def take_data(self, pairs: Sequence[str]) -> None:
        if self._refused_beside_payload(BY_NAME["data"], "--data"):
            return
        merged: dict[str, JsonValue] = dict(self._base.data)
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or not key:
                text = f"`--data` takes KEY=VALUE, not `{pair}`"
                self.problems.append(Problem(text, hint="for example --data order=A-17"))
            elif ("data", key) in self.sources:
                self.problems.append(Problem(f"`--data {key}=…` is given twice"))
            elif not is_unicode(pair):
                self.problems.append(Problem("`--data` is not valid Unicode text"))
            else:
                merged[key] = value
                self.sources["data", key] = f"--data {key}"
        self.values["data"] = merged

    def _refused_beside_payload(self, field: Field, option: str) -> bool:
        if not self._base.payloads or not field.describes_content:
            return False
        text = f"`{option}` cannot be used with `--payload`: the payload says what is shown"
        self.problems.append(Problem(text, hint="use --message FILE for fields and overrides"))
        return True
