"""
Profile files: people, whether they consent, and the tokens of their devices.

In ``.yaml`` and ``.json`` the whole file is checked before anything else, and all that is wrong
with its form is reported at once.  In ``.jsonl``, a profile a line, each line stands alone.
Either way a profile is as many inputs as it has tokens, and one if it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pushctl.audience.blocks import Plainness, plain_objects
from pushctl.audience.content import Content
from pushctl.audience.engine import Engine, NotPossible, attempted
from pushctl.audience.jsonlines import MAX_NAMES, Line, no_objects, read_line, read_lines
from pushctl.audience.objects import lines_of, profile_facts, unsound_profiles
from pushctl.audience.row import Row, counted
from pushctl.audience.schema import Profile, ProfileReader
from pushctl.documents import Document
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import JsonValue

_MAX_ODD_LINES = 1_000
_IDS_FOR_HINTS = 10_000
"""So many ids of a file are remembered to find the one that a person meant."""


@dataclass(frozen=True, slots=True)
class ProfileDocument:
    """The profiles of a ``.yaml`` or ``.json`` file, or those of them that were asked for."""

    document: Document
    profiles: Sequence[tuple[int, Profile]]
    """Each with its index in the file."""
    ids: Collection[str]
    """Of all profiles of the file, asked for or not."""
    records_consent: bool = True
    read_in_place: Sequence[Path] = ()

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.document.file

    @property
    def rows(self) -> int:
        """How many inputs the profiles are."""
        return sum(max(1, len(profile.tokens)) for _, profile in self.profiles)

    @property
    def attribute_names(self) -> frozenset[str]:
        """Every attribute that any of the profiles has."""
        return frozenset(name for _, profile in self.profiles for name in profile.attributes)

    @property
    def described(self) -> str:
        """The name and the numbers of profiles and of tokens."""
        return _described(self.shown, len(self.profiles), self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows of each profile, with the line that each token stands on."""
        for index, profile in self.profiles:
            yield from _rows_of_profile(profile, self._finder(index))

    def _finder(self, profile: int) -> Callable[[int | None], int | None]:
        def line_of(token: int | None) -> int | None:
            inside = () if token is None else ("tokens", token, "token")
            return self.document.place(("profiles", profile, *inside)).line

        return line_of


def open_profile_document(document: Document, wanted: Collection[str]) -> ProfileDocument:
    """
    Return the profiles of *document* whose id is *wanted*, or all of them where nothing is.

    Raises :class:`~pushctl.errors.InvalidInput` with everything that is wrong with its form.
    """
    reader = ProfileReader(document)
    profiles = reader.profiles(document.value)
    if reader.problems:
        raise InvalidInput(problems=reader.problems)
    return ProfileDocument(
        document,
        profiles=[item for item in profiles if not wanted or item[1].id in wanted],
        ids=[profile.id for _, profile in profiles],
    )


@dataclass(frozen=True, slots=True)
class ProfileLines:
    """The profiles of a ``.jsonl`` file, or those of them that were asked for."""

    content: Content
    wanted: Collection[str]
    profiles: int
    """How many lines were chosen."""
    rows: int
    ids: Collection[str]
    """Those that were asked for and are there, and some of the others."""
    attribute_names: frozenset[str] | None
    plain: Plainness | None = None
    """How lines are profiles; ``None`` where some are not, or not all of them are wanted."""
    odd_lines: Mapping[int, int] = field(default_factory=dict)
    """How many inputs those lines are that DuckDB does not understand, unless each is one."""
    records_consent: bool = True

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file if its lines are its profiles and it is not packed."""
        return () if self.plain is None else self.content.in_place

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    @property
    def described(self) -> str:
        """The name and the numbers of profiles and of tokens."""
        return _described(self.shown, self.profiles, self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows of each profile, reading the file once more."""
        for line in read_lines(self.content):
            yield from rows_of_line(line, self.wanted)


def open_profile_lines(content: Content, wanted: Collection[str]) -> ProfileLines:
    """
    Return the profiles of *content* whose id is *wanted*, or all of them where nothing is.

    The file is read once whole.  Raises :class:`~pushctl.errors.InvalidInput` where it is broken
    as a whole: a line that is too long or not text, no object at all, or tokens instead of
    profiles.
    """
    plain = None if wanted else plain_objects(content)
    if plain is not None:
        quick = _quick_survey(content, plain)
        if quick is not None:
            return quick
    lines = objects = profiles = rows = 0
    names: set[str] = set()
    ids: set[str] = set()
    for line in read_lines(content):
        lines += 1
        objects += line.fault is None
        if line.fault is None and objects == 1:
            _refuse_token(line, content.shown)
        chosen = [*rows_of_line(line, wanted)]
        profiles += bool(chosen)
        rows += len(chosen)
        if chosen and len(names) <= MAX_NAMES:
            names.update(chosen[0].attributes)
        name = _id_of(line.value)
        if name is not None and (name in wanted or len(ids) < _IDS_FOR_HINTS):
            ids.add(name)
    if lines and not objects:
        raise no_objects(content)
    attributes = frozenset(names) if len(names) <= MAX_NAMES else None
    return ProfileLines(content, wanted, profiles, rows, ids, attributes)


def _quick_survey(content: Content, plain: Plainness) -> ProfileLines | None:
    """
    Return the profiles of *content*, most of them seen by DuckDB alone.

    ``None`` where that will not do: the file is not there to be read by others, the first line is
    not understood (what is wrong may be the file), too many lines are odd, or there are more names
    than are held.
    """
    for path in content.in_place:
        lines = lines_of(path, plain.line_break)
        odd: dict[int, int] = {}
        try:
            with (
                attempted(),
                content.open(),
                Engine(files=[path]) as engine,
            ):
                facts = profile_facts(engine, lines)
                profiles, inputs, names = facts.profiles, facts.inputs, set(facts.names)
                others = unsound_profiles(engine, lines) if profiles < plain.lines else ()
                for number, text in others:
                    rows = [*rows_of_line(read_line(number, text))]
                    profiles += 1
                    inputs += len(rows)
                    names.update(rows[0].attributes)
                    if len(rows) != 1:
                        odd[number] = len(rows)
                    if number == 1 or len(odd) > _MAX_ODD_LINES or len(names) > MAX_NAMES:
                        return None
        except NotPossible:
            return None
        return ProfileLines(content, (), profiles, inputs, (), frozenset(names), plain, odd)
    return None


def _described(shown: str, profiles: int, inputs: int) -> str:
    return f"{shown} ({counted(profiles, 'profile')}, {counted(inputs, 'input')})"


def _refuse_token(line: Line, shown: str) -> None:
    if "token" in line.value and "tokens" not in line.value:
        raise InvalidInput(
            "a token in a profile file",
            place=Place(shown, line.number),
            hint="give the file with --tokens, or write profiles: "
            '{"id": …, "consent": true, "tokens": [{"token": …}]}',
        )


def rows_of_line(line: Line, wanted: Collection[str] = ()) -> Iterator[Row]:
    """
    Yield the rows of the profile on *line*; one with the fault if it is not a sound one.

    None at all where some ids are *wanted* and this is not one of them.
    """
    if wanted and _id_of(line.value) not in wanted:
        return
    reader = ProfileReader()
    profile = reader.profile(line.value) if line.fault is None else None
    if profile is None or reader.problems:
        fault = line.fault or f"the profile cannot be read: {reader.problems[0].message}"
        yield Row(line.number, {"profile": _id_of(line.value)}, {}, fault=fault)
    else:
        yield from _rows_of_profile(profile, lambda _: line.number)


def _id_of(value: Mapping[str, JsonValue]) -> str | None:
    """Return the id of the profile *value* as text, or ``None`` where it has none."""
    name = value.get("id")
    if isinstance(name, str):
        return name
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else None


def _rows_of_profile(
    profile: Profile, line_of: Callable[[int | None], int | None]
) -> Iterator[Row]:
    """
    Yield a row for each token of *profile*, or one without a token if it has none.

    *line_of* tells the line of the token with that index, and of the profile for ``None``.
    """
    devices: Sequence[tuple[int | None, Mapping[str, JsonValue]]]
    devices = [*enumerate(profile.tokens)] or [(None, {})]
    for index, token in devices:
        values = {**token, "profile": profile.id}
        yield Row(line_of(index), values, profile.attributes, profile.no_consent)
