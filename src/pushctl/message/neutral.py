"""
Reads the neutral message: from options, from a message file, or from raw payloads.

Everything that is wrong is reported at once, each with its option or its file, line and column.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pushctl.documents import Document
from pushctl.errors import InvalidInput, Problem, UsageError
from pushctl.message import live_activity
from pushctl.message.fields import BY_NAME, FIELDS, Field, message_schema, read_volume
from pushctl.message.model import Message, Priority
from pushctl.message.values import WrongValue, is_unicode, typed_number
from pushctl.outcome import JsonValue, Service
from pushctl.rules.finding import Path, did_you_mean, type_name

__all__ = [
    "Message",
    "Priority",
    "dated",
    "from_document",
    "from_options",
    "from_payload",
    "message_schema",
]


ReadBeside = Callable[[str], Document]
"""Reads a file that a message file names; raises :class:`InvalidInput`."""


def _no_files_beside(name: str) -> Document:
    raise InvalidInput(f"{name!r} cannot be read: this message does not stand in a folder")


def from_document(document: Document, read_beside: ReadBeside = _no_files_beside) -> Message:
    """
    Return the message of a message file.

    *read_beside* reads the files that it names; without it there must be none.

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
    sources: dict[Path, Document | str] = {(): document}
    if "live_activity" in values:
        included = _Included(document, read_beside)
        values["live_activity"] = included.into(values["live_activity"])
        problems += included.problems
        sources |= included.sources
    if problems:
        raise InvalidInput(problems=problems)
    return Message(**values, sources=sources)


class _Included:
    """The files that the Live Activity of a message file names."""

    def __init__(self, document: Document, read_beside: ReadBeside) -> None:
        self.problems: list[Problem] = []
        self.sources: dict[Path, Document] = {}
        self._document = document
        self._read_beside = read_beside

    def into(self, block: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return *block* with what the files hold in place of their names."""
        found = dict(block)
        for name, key in live_activity.FILES.items():
            file = found.pop(name, None)
            if file is None:
                continue
            try:
                included = self._read_beside(str(file))
            except InvalidInput as error:
                self.problems += [self._placed(name, problem) for problem in error.problems]
                continue
            problem = _unfit(included, key)
            if problem is not None:
                self.problems.append(problem)
            elif isinstance(included.value, Mapping):
                found[key] = included.value
                self.sources["live_activity", key] = included
        return found

    def _placed(self, name: str, problem: Problem) -> Problem:
        """Return *problem*; one about a file as a whole is placed where the file is named."""
        if problem.place is not None and problem.place.line is not None:
            return problem
        path = ("live_activity", name)
        return self._document.problem(path, problem.message, hint=problem.hint)


def _unfit(document: Document, key: str) -> Problem | None:
    """Return why *document* cannot be the part *key* of a Live Activity; ``None`` if it can."""
    if not isinstance(document.value, Mapping):
        text = f"`{key}` of a Live Activity is an object, not {type_name(document.value)}"
        return document.problem((), text)
    if "private_key" in document.value:
        # A service account has about 2,300 bytes: it would fit, and go to every device.
        place = document.place(("private_key",), key=True)
        text = f"this file holds a private key: it is no `{key}`"
        return Problem(text, place, "name the file that holds what the activity shows")
    return None


def dated(message: Message, now: float) -> Message:
    """
    Return *message* with what it says relative to now in epoch seconds, *now* being those too.

    A message is dated once, before anything is checked or sent: a run and its resume say the
    same.
    """
    if not message.live_activity:
        return message
    activity = live_activity.dated(message.live_activity, now)
    return dataclasses.replace(message, live_activity=activity)


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
    interruption_level: str | None = None,
    relevance_score: str | None = None,
    critical: bool = False,
    volume: str | None = None,
    activity: Mapping[str, JsonValue | Document] = MappingProxyType({}),
    base: Message | None = None,
) -> Message:
    """
    Return the message that the options of ``send`` ask for.

    Options are laid over *base*, the message of ``--message`` or ``--payload``: each replaces
    the file's field, and each ``--data K=V`` the file's key.  *activity* is laid over the file's
    ``live_activity`` key by key; what an option reads from a file is the document.  Beside a raw
    payload only the options that say how to deliver are taken.

    :raises UsageError: with every option whose value does not fit.
    :raises InvalidInput: with every file of *activity* that does not hold what it should.
    """
    given: dict[str, JsonValue] = {
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
        "interruption_level": interruption_level,
        "relevance_score": typed_number(relevance_score),
    }
    base = base or Message()
    reading = _Options(base)
    for field in FIELDS:
        value = given.get(field.name)
        if value is not None:
            reading.take(field, value)
    if data:
        reading.take_data(data)
    if critical or volume is not None:
        reading.take_critical(critical, volume)
    if activity:
        reading.take_activity(activity)
    if reading.problems:
        raise UsageError(problems=reading.problems)
    if reading.file_problems:
        raise InvalidInput(problems=reading.file_problems)
    sources = {**base.sources, **reading.sources}
    return dataclasses.replace(base, **reading.values, sources=sources)


class _Options:
    """The options read so far, and what is wrong with them."""

    def __init__(self, base: Message) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[Path, str | Document] = {}
        self.problems: list[Problem] = []
        self.file_problems: list[Problem] = []
        self._base = base

    def take(self, field: Field, value: JsonValue) -> None:
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

    def take_critical(self, critical: bool, volume: str | None) -> None:
        option = "--critical" if critical else "--volume"
        if self._refused_beside_payload(BY_NAME["sound"], option):
            return
        given = self.values.get("sound", self._base.sound)
        sound = dict(given) if isinstance(given, Mapping) else {"name": given or "default"}
        sound["critical"] = critical or sound.get("critical", False)
        if volume is not None:
            try:
                sound["volume"] = read_volume(typed_number(volume))
            except WrongValue as wrong:
                self.problems.append(Problem(f"`--volume` {wrong.message}", hint=wrong.hint))
            if not sound["critical"]:
                text = "`--volume` is for the sound of a critical alert"
                self.problems.append(Problem(text, hint="add --critical"))
        self.values["sound"] = sound
        self.sources.setdefault(("sound",), option)

    def take_activity(self, given: Mapping[str, JsonValue | Document]) -> None:
        merged = dict(self._base.live_activity)
        for key, value in given.items():
            option = "--live-activity" if key == "event" else "--" + key.replace("_", "-")
            if self._refused_beside_payload(BY_NAME["live_activity"], option):
                continue
            path = ("live_activity", key)
            if isinstance(value, Document):
                self.sources[path] = value
                problem = _unfit(value, key)
                if problem is not None:
                    self.file_problems.append(problem)
                elif isinstance(value.value, Mapping):
                    merged[key] = value.value
                continue
            self.sources[path] = option
            try:
                merged[key] = live_activity.READERS[key](value)
            except WrongValue as wrong:
                self.problems.append(Problem(f"`{option}` {wrong.message}", hint=wrong.hint))
        if not self.problems and "event" not in merged:
            text = f"`{option}` is for a Live Activity"
            self.problems.append(Problem(text, hint="add --live-activity start, update or end"))
        if not self._base.live_activity:
            self.sources["live_activity",] = "--live-activity"
        self.values["live_activity"] = merged

    def _refused_beside_payload(self, field: Field, option: str) -> bool:
        if not self._base.payloads or not field.describes_content:
            return False
        text = f"`{option}` cannot be used with `--payload`: the payload says what is shown"
        self.problems.append(Problem(text, hint="use --message FILE for fields and overrides"))
        return True
