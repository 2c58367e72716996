"""From a path or bytes to a :class:`Document`, with every way to fail put into words."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Literal

from pushctl.documents.document import Document
from pushctl.documents.lines import Lines
from pushctl.errors import InvalidInput, Place

DEFAULT_MAX_BYTES = 16 * 2**20

_KINDS: dict[str, Literal["yaml", "json"]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
_FOREIGN_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a zip archive"}


def load(
    data: bytes,
    file: str,
    *,
    kind: Literal["yaml", "json"],
    max_bytes: int,
    first_line: int = 1,
) -> Document:
    """
    Parse *data* strictly.

    *file* is the name to show; *first_line* is the number of the line that *data* begins on
    where it is one line of a larger file.

    :raises InvalidInput: with every problem found, each with line and column.
    """
    if len(data) > max_bytes:
        raise _too_large(file, max_bytes)
    text = _decode(data, file, first_line)
    lines = Lines(text, first=first_line)
    if kind == "json":
        from pushctl.documents import json_text

        return json_text.parse(text, file, lines)
    from pushctl.documents import yaml_text

    return yaml_text.parse(text, file, lines)


def read(path: Path, *, max_bytes: int = DEFAULT_MAX_BYTES, shown: str | None = None) -> Document:
    """
    Read and parse a ``.yaml``, ``.yml`` or ``.json`` file.

    *shown* is the file's name in messages; the path as given by default.

    :raises InvalidInput: if it is missing, unreadable, a directory, too large, of another
        suffix, no UTF-8, or not well-formed.
    """
    file = shown if shown is not None else str(path)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidInput(
            f"cannot tell the format of {file!r} by its name",
            place=Place(file),
            hint="name it .yaml, .yml or .json",
        )
    data = read_bytes(path, max_bytes=max_bytes, shown=file)
    return load(data, file, kind=kind, max_bytes=max_bytes)


def read_bytes(path: Path, *, max_bytes: int, shown: str | None = None) -> bytes:
    """
    Return the content of a file of at most *max_bytes* bytes.

    :raises InvalidInput: if it is missing, unreadable, a directory or too large.
    """
    file = shown if shown is not None else str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no file {file!r}", place=Place(file), hint=missing_file_hint(path)
        ) from None
    except IsADirectoryError:
        raise InvalidInput(f"{file!r} is a directory, not a file", place=Place(file)) from None
    except PermissionError:
        raise InvalidInput(
            f"{file!r} may not be read by this user",
            place=Place(file),
            hint="check the owner and mode of the file and of the folders above it",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name is not valid"
        raise InvalidInput(f"cannot read {file!r}: {reason}", place=Place(file)) from None
    if len(data) > max_bytes:
        raise _too_large(file, max_bytes)
    return data


def _too_large(file: str, max_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"{file!r} is larger than {_size(max_bytes)}, the most that is read here",
        place=Place(file),
        hint="check that this is the file you mean; a large list of people belongs in .jsonl",
    )


def _size(count: int) -> str:
    for unit, factor in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor and count % factor == 0:
            return f"{count // factor} {unit}"
    return f"{count} bytes"


def missing_file_hint(path: Path) -> str:
    """Return what to do about a missing file: a did-you-mean, or where it was looked for."""
    try:
        with os.scandir(path.parent) as entries:
            # Links are not followed: one that leads to itself would raise.
            names = sorted(it.name for it in entries if not it.is_dir(follow_symlinks=False))
    except OSError:
        return f"the folder {str(path.parent)!r} does not exist or cannot be listed"
    similar = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    if similar:
        return f"did you mean {str(path.with_name(similar[0]))!r}?"
    return f"it was looked for in {str(path.parent.absolute())!r}"


def _decode(data: bytes, file: str, first_line: int) -> str:
    """Decode UTF-8, without a byte order mark, or say where it is none."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = error.start
    for mark, name in _FOREIGN_MARKS.items():
        if data.startswith(mark):
            raise InvalidInput(
                f"{file!r} looks like {name}, not like UTF-8 text",
                place=Place(file),
                hint="save it as UTF-8",
            )
    # The text before the first fault is valid: its lines can be counted as text.
    before = Lines(data[:start].decode("utf-8"), first=first_line)
    line, column = before.locate(start)
    raise InvalidInput(
        f"this is not valid UTF-8 (byte 0x{data[start]:02x})",
        place=Place(file, line, column),
        hint="save the file as UTF-8",
    )
