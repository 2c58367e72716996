"""The form of a profile, and everything that can be wrong with it.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from pushctl.audience.consent import consent_fault
from pushctl.audience.row import did_you_mean, kind_of
from pushctl.documents import Document
from pushctl.errors import Problem
from pushctl.outcome import Environment, JsonValue, Platform, Service
from pushctl.rules.text import printable

MAX_PROBLEMS = 100
"""So many problems of a file are reported one by one; the rest is counted."""

_PROFILE_KEYS = ("id", "consent", "attributes", "tokens")
_WORDS: Mapping[str, type[StrEnum]] = {
    "platform": Platform,
    "service": Service,
    "environment": Environment,
}
_TEXTS = ("token", "topic", "credential", "registered_at")

_Path: TypeAlias = tuple[str | int, ...]
_Object: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of sound form.  Whether its tokens are tokens is not judged here."""

    id: str
    no_consent: str | None
    """Why nothing may be sent to this person; ``None`` where consent is given."""
    attributes: _Object
    """Without those that are null."""
    tokens: Sequence[_Object]


class ProfileReader:
    """
    Reads profiles, and gathers what is wrong with them in :attr:`problems`.

    With a *document* the problems know their place.  Without one, values come from a line of
    JSON, where a number is a fit id: it reads back as it was written, which YAML's ``007``
    does not.
    """

    def __init__(self, document: Document | None = None) -> None:
        self._document = document
        self._problems: list[Problem] = []
        self._uncounted = 0

    @property
    def problems(self) -> Sequence[Problem]:
        """All that is wrong, from top to bottom; the last of many says how many more there are."""
        found = sorted(self._problems, key=_position)
        if not self._uncounted:
            return found
        return [*found, Problem(f"and {self._uncounted} more problems like these")]

    def profiles(self, value: JsonValue) -> list[tuple[int, Profile]]:
        """Return the profiles of the whole file *value*, each with its index."""
        if not isinstance(value, Mapping):
            hint = "begin the file with `profiles:` and list them below it"
            self._wrong((), f"a profile file is a mapping, and this is {kind_of(value)}", hint)
            return []
        self._check_keys(value, ("profiles",), ())
        found = [
            (index, profile)
            for index, item in enumerate(self._list(value, "profiles", ()))
            if (profile := self.profile(item, ("profiles", index))) is not None
        ]
        self._check_ids(found)
        return found

    def profile(self, value: JsonValue, path: _Path = ()) -> Profile | None:
        """Return the profile *value*, which stands at *path*; ``None`` if it has no sound id."""
        if not isinstance(value, Mapping):
            self._wrong(path, f"a profile is a mapping, and this is {kind_of(value)}")
            return None
        self._check_keys(value, _PROFILE_KEYS, path)
        attributes = self._attributes(value, path)
        tokens = [
            token
            for index, item in enumerate(self._list(value, "tokens", path))
            if (token := self._token(item, (*path, "tokens", index))) is not None
        ]
        name = self._id(value, path)
        return None if name is None else Profile(name, consent_fault(value), attributes, tokens)

    def _id(self, value: _Object, path: _Path) -> str | None:
        name = value.get("id")
        if self._document is None and isinstance(name, int) and not isinstance(name, bool):
            return str(name)
        if isinstance(name, str) and name.strip():
            return name
        if name is None or name == "":
            self._wrong((*path, "id"), "the profile has no id")
        else:
            message = f"the id is {kind_of(name)}, not a text"
            self._wrong((*path, "id"), message, "put it in quotes")
        return None

    def _attributes(self, value: _Object, path: _Path) -> _Object:
        attributes = value.get("attributes")
        if attributes is None:
            return {}
        if not isinstance(attributes, Mapping):
            message = f"attributes are a mapping, and this is {kind_of(attributes)}"
            self._wrong((*path, "attributes"), message, "write `first_name: Anna` below it")
            return {}
        return {name: item for name, item in attributes.items() if item is not None}

    def _token(self, value: JsonValue, path: _Path) -> _Object | None:
        if not isinstance(value, Mapping):
            message = f"a token is a mapping, and this is {kind_of(value)}"
            self._wrong(path, message, "write {platform: ios, token: …}")
            return None
        self._check_keys(value, (*_WORDS, *_TEXTS), path)
        for name in (*_WORDS, *_TEXTS):
            item = value.get(name)
            if item is not None and not isinstance(item, str):
                message = f"{name} is {kind_of(item)}, not a text"
                self._wrong((*path, name), message, "put it in quotes")
            elif item is not None:
                self._check_text(name, item, (*path, name))
        return value

    def _check_text(self, name: str, text: str, path: _Path) -> None:
        words = _WORDS.get(name)
        if words is not None and text.lower() not in set(words):
            message = f"{name} is `{printable(text, 60)}`: it is one of {', '.join(words)}"
            self._wrong(path, message, did_you_mean(text.lower(), words))
        if name == "registered_at" and not _is_point_in_time(text):
            message = "registered_at is no date and time with an offset from UTC"
            self._wrong(path, message, "write it like 2026-10-01T08:00:00Z")

    def _list(self, value: _Object, name: str, path: _Path) -> Sequence[JsonValue]:
        items = value.get(name)
        if items is None:
            return ()
        if isinstance(items, str) or not isinstance(items, Sequence):
            self._wrong((*path, name), f"{name} are a list, and this is {kind_of(items)}")
            return ()
        return items

    def _check_keys(self, value: _Object, known: Collection[str], path: _Path) -> None:
        for name in value:
            if name not in known:
                hint = did_you_mean(name, known) or f"known here: {', '.join(known)}"
                self._wrong((*path, name), f"unknown key `{printable(name, 60)}`", hint, key=True)

    def _check_ids(self, profiles: Sequence[tuple[int, Profile]]) -> None:
        first: dict[str, int] = {}
        for index, profile in profiles:
            if first.setdefault(profile.id, index) != index:
                message = f"a second profile with the id `{printable(profile.id, 60)}`"
                hint = "put the tokens of one person into one profile" + self._where(
                    first[profile.id]
                )
                self._wrong(("profiles", index, "id"), message, hint)

    def _where(self, index: int) -> str:
        place = self._document.place(("profiles", index, "id")) if self._document else None
        return f" (the first is at {place})" if place else ""

    def _wrong(
        self, path: _Path, message: str, hint: str | None = None, *, key: bool = False
    ) -> None:
        if len(self._problems) >= MAX_PROBLEMS:
            self._uncounted += 1
        elif self._document is None:
            self._problems.append(Problem(message, hint=hint))
        else:
            self._problems.append(self._document.problem(path, message, hint=hint, key=key))


def _position(problem: Problem) -> tuple[int, int]:
    place = problem.place
    return (place.line or 0, place.column or 0) if place else (0, 0)


def _is_point_in_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
