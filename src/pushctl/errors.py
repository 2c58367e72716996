"""
The errors a person can meet, and the exit code of each.

Only the command line prints them.  Everything below raises one of these; anything else that
escapes is a bug of ours and ends in :attr:`ExitCode.INTERNAL`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells the shell.  Part of the contract: codes never change meaning."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "all accepted (or skipped by rule)"
    FINDINGS = 1, "findings: some pushes bounced, or a check found something"
    USAGE = 2, "usage error"
    INVALID_INPUT = 3, "config, credential file or input file is invalid; nothing was sent"
    CREDENTIALS_REFUSED = 4, "credentials refused by the service"
    UNREACHABLE = 5, "something is not_sent: service unreachable or overloaded; resumable"
    STOPPED = 6, "stopped by a threshold; resumable"
    UNKNOWN_OUTCOMES = 7, "some outcomes are unknown"
    INTERNAL = 70, "internal error"
    IO = 74, "reading or writing failed (disk full); resumable"
    INTERRUPTED = 130, "interrupted; resumable"
    TERMINATED = 143, "terminated; resumable"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, and what to do about it."""

    message: str
    place: Place | None = None
    hint: str | None = None
    source_line: str | None = None
    """The offending line as it stands in the file, for a caret under ``place.column``."""
    about: str | None = dataclasses.field(default=None, compare=False)
    """What it concerns, as one word: the name of a setting, or of a property such as ``expiry``."""


class PushctlError(Exception):
    """An error that a person can act on.  Carries one or more problems and an exit code."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(
        self,
        message: str | None = None,
        *,
        place: Place | None = None,
        hint: str | None = None,
        source_line: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        if message is not None:
            problems = (Problem(message, place, hint, source_line), *problems)
        if not problems:
            raise ValueError("an error needs a message or problems")
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class UsageError(PushctlError):
    """The command line itself is wrong."""

    exit_code = ExitCode.USAGE


class InvalidInput(PushctlError):
    """A config, credential or input file is invalid.  Nothing was sent."""

    exit_code = ExitCode.INVALID_INPUT


class CredentialsRefused(PushctlError):
    """The service, or Google's token endpoint, refused the credentials."""

    exit_code = ExitCode.CREDENTIALS_REFUSED


class Unreachable(PushctlError):
    """The service could not be reached: DNS, connect, TLS or ALPN."""

    exit_code = ExitCode.UNREACHABLE


class StorageError(PushctlError):
    """Reading or writing a file failed while working (disk full, fsync error)."""

    exit_code = ExitCode.IO
