"""
The formats of audience files, by the endings of their names.

This is the one place that knows which formats there are: a new one is an entry here and a module
beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from pushctl import documents
from pushctl.audience.columnar import open_columns
from pushctl.audience.content import COMPRESSIONS, Compression, Content, open_content
from pushctl.audience.delimited import open_delimited
from pushctl.audience.jsonlines import holds_profiles, open_token_objects
from pushctl.audience.plain import open_plain
from pushctl.audience.profiles import (
    ProfileDocument,
    ProfileLines,
    open_profile_document,
    open_profile_lines,
)
from pushctl.audience.row import Source, did_you_mean
from pushctl.errors import InvalidInput, Place, UsageError
from pushctl.rules.text import printable

MAX_DOCUMENT_BYTES = 16 * 2**20
"""The largest YAML or JSON profile file.  A larger list belongs in ``.jsonl``."""

FilePath: TypeAlias = Path | Literal["-"]
"""A file, or ``-`` for stdin."""

ProfileSource: TypeAlias = ProfileDocument | ProfileLines

TOKEN_FORMATS: Mapping[str, Callable[[Content], Source]] = {
    "txt": open_plain,
    "csv": lambda content: open_delimited(content, ","),
    "tsv": lambda content: open_delimited(content, "\t"),
    "jsonl": open_token_objects,
    "parquet": open_columns,
}
"""How the content of a token file of each format becomes rows."""

_DOCUMENT_KINDS: Mapping[str, Literal["yaml", "json"]] = {
    "yaml": "yaml",
    "yml": "yaml",
    "json": "json",
}
_PROFILE_FORMATS = (*_DOCUMENT_KINDS, "jsonl")


@dataclass(frozen=True, slots=True)
class Format:
    """What the name of a file, or ``--format``, says about its content."""

    name: str
    compression: Compression | None = None


def open_tokens(path: FilePath, *, format: str | None, stdin: BinaryIO | None) -> Source:
    """
    Return the rows of the token file *path*; *format* is for ``-`` and files without an ending.

    Raises :class:`~pushctl.errors.InvalidInput` where the file cannot be read or is broken as a
    whole, and :class:`~pushctl.errors.UsageError` where nothing tells the format of stdin.
    """
    found = _format(path, format, TOKEN_FORMATS)
    content = open_content(
        path, stdin=stdin, compression=found.compression, is_text=found.name != "parquet"
    )
    return TOKEN_FORMATS[found.name](content)


def open_profiles(
    path: FilePath, *, format: str | None, stdin: BinaryIO | None, wanted: Collection[str]
) -> ProfileSource:
    """
    Return the profiles in the file *path*: those whose id is *wanted*, or all where nothing is.

    Raises as :func:`open_tokens` does.
    """
    found = _format(path, format, _PROFILE_FORMATS)
    kind = _DOCUMENT_KINDS.get(found.name)
    if kind is None:
        content = open_content(path, stdin=stdin, compression=found.compression)
        return open_profile_lines(content, wanted)
    if found.compression is not None:
        raise InvalidInput(
            "a YAML or JSON profile file is not read compressed",
            place=Place(_shown(path)),
            hint="unpack it; a large list belongs in .jsonl or .jsonl.gz",
        )
    data = _document_bytes(path, stdin)
    document = documents.load(data, _shown(path), kind=kind, max_bytes=MAX_DOCUMENT_BYTES)
    return open_profile_document(document, wanted)


def open_any(path: FilePath, *, format: str | None, stdin: BinaryIO | None) -> Source:
    """
    Return the rows of the profile file or token file *path*, whichever it is.

    Where the format leaves it open (``.jsonl``), the first lines tell.  Raises as
    :func:`open_tokens` does.
    """
    found = _format(path, format, (*TOKEN_FORMATS, *_DOCUMENT_KINDS))
    if found.name in _DOCUMENT_KINDS:
        return open_profiles(path, format=format, stdin=stdin, wanted=())
    if found.name != "jsonl":
        return open_tokens(path, format=format, stdin=stdin)
    content = open_content(path, stdin=stdin, compression=found.compression)
    if holds_profiles(content):
        return open_profile_lines(content, ())
    return open_token_objects(content)


def _document_bytes(path: FilePath, stdin: BinaryIO | None) -> bytes:
    if path != "-":
        return documents.read_bytes(path, max_bytes=MAX_DOCUMENT_BYTES, shown=_shown(path))
    if stdin is None:
        raise InvalidInput("stdin is closed", place=Place("-"))
    return stdin.read(MAX_DOCUMENT_BYTES + 1)


def _format(path: FilePath, given: str | None, known: Collection[str]) -> Format:
    """Return the format of *path* by its ending, else by *given*; refuse what is not *known*."""
    named = None if path == "-" else _by_name(path.name, known)
    if named is not None:
        return named
    if given is not None:
        return _by_option(given, known)
    if path == "-":
        raise UsageError(
            "--format is needed to read stdin",
            hint=f"one of {', '.join(known)}; with .gz or .zst if packed",
        )
    raise InvalidInput(
        "the ending of the name tells no format",
        place=Place(_shown(path)),
        hint=_advice(path.name, known),
    )


def _by_option(given: str, known: Collection[str]) -> Format:
    found = _by_name(f".{given}", known)
    if found is None:
        hint = _advice(f".{given}", known)
        raise UsageError(f"--format {printable(given, 40)} is not known here", hint=hint)
    return found


def _by_name(name: str, known: Collection[str]) -> Format | None:
    """Return the one of the *known* formats that the endings of *name* tell, or ``None``."""
    _, *endings = name.lower().split(".")
    compression = next((each for each in COMPRESSIONS if endings[-1:] == [each]), None)
    if compression is not None:
        endings.pop()
    if not endings or endings[-1] not in known:
        return None
    return Format(endings[-1], compression)


def _advice(name: str, known: Collection[str]) -> str:
    """Return what to do about a *name* whose endings are not among the *known*."""
    _, *endings = name.lower().split(".")
    for ending in reversed(endings):
        if ending in _DOCUMENT_KINDS:
            return "a profile file is given with --profiles"
        if ending in TOKEN_FORMATS:
            return "a token file is given with --tokens"
    near = did_you_mean(endings[-1], known) if endings else None
    return near or f"one of {', '.join(f'.{ending}' for ending in known)}, or .gz or .zst after it"


def _shown(path: FilePath) -> str:
    return printable(str(path))
