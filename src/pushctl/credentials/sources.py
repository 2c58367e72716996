"""Reads the bytes of a key from a file or an environment variable."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pushctl.config import CredentialSettings
from pushctl.documents import read_bytes
from pushctl.errors import InvalidInput, Problem

MAX_SECRET_BYTES = 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Secret:
    """The content of a key file or variable, and how to speak of it."""

    data: bytes = dataclasses.field(repr=False)
    shown: str
    """The path or variable, for messages."""
    field: str
    """The setting that names it."""
    warnings: tuple[Problem, ...] = ()


class Unfit(Exception):
    """Says in a sentence why some bytes are not what a credential needs.  Holds none of them."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def from_file(settings: CredentialSettings, field: str, path: Path) -> Secret:
    """
    Return the content of a key file, with a warning if others may read it.

    :raises InvalidInput: placed where the setting is written, if it cannot be read.
    """
    try:
        data = read_bytes(path, max_bytes=MAX_SECRET_BYTES)
    except InvalidInput as error:
        (problem,) = error.problems
        raise settings.invalid(field, problem.message, hint=problem.hint) from None
    return Secret(data, str(path), field, _mode_warnings(settings, field, path))


def from_variable(
    settings: CredentialSettings, field: str, variable: str, environ: Mapping[str, str]
) -> Secret:
    """
    Return the content of an environment variable.

    :raises InvalidInput: placed where the setting is written, if it is not set or empty.
    """
    value = environ.get(variable, "")
    if not value.strip():
        state = "is empty" if variable in environ else "is not set"
        raise settings.invalid(
            field,
            f"the environment variable {variable} {state}",
            hint="in CI: is the secret available to this job, and passed on as a variable?",
        )
    if len(value) > MAX_SECRET_BYTES:
        raise settings.invalid(field, f"the environment variable {variable} is too long for a key")
    # Bytes that are no UTF-8 reach Python as surrogates (PEP 383); give them back as they came.
    return Secret(value.encode("utf-8", "surrogateescape"), f"${variable}", field)


def _mode_warnings(settings: CredentialSettings, field: str, path: Path) -> tuple[Problem, ...]:
    status = os.stat(path)
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or not mode & 0o077:
        return ()
    return (
        settings.problem(
            field,
            f"{str(path)!r} can be read by other users (mode {mode:04o})",
            hint=f"chmod 600 {path}",
            about="permissions",
        ),
    )
