"""File calls that fail on purpose: the n-th call on a folder, whichever it is."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from pushctl.records import journal as journal_module

ON_PATHS = ("open", "mkdir", "replace", "rename", "unlink", "scandir", "truncate")
ON_DESCRIPTORS = ("write", "fsync", "fdatasync", "ftruncate", "pread")
ERRORS = {"mkdir": errno.EACCES, "open": errno.EACCES, "write": errno.ENOSPC}
"""What a call fails with; the others with EIO."""


class FailingCalls:
    """
    Counts the file calls on *folder*, and has one of them fail.

    What DuckDB does is not seen: it has its own way to the disk.
    """

    def __init__(self, folder: Path, fails_at: int = 0) -> None:
        """*fails_at* is the number, from 1, of the call that fails; 0: none."""
        self._folder = str(folder)
        self._fails_at = fails_at
        self.calls: list[tuple[str, str]] = []
        """What was called, and the name of the file."""
        self.failed: tuple[str, str] | None = None
        self._inside = False

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """While entered, calls are counted."""
        with contextlib.ExitStack() as stack:
            for name in (*ON_PATHS, *ON_DESCRIPTORS):
                call = self._wrapped(name, getattr(os, name))
                stack.enter_context(mock.patch.object(os, name, call))
            stack.enter_context(mock.patch.object(journal_module, "_fdatasync", os.fdatasync))
            opened = self._wrapped("open", io.open)
            stack.enter_context(mock.patch.object(io, "open", opened))
            stack.enter_context(mock.patch.object(builtins, "open", opened))
            yield

    def names(self) -> Counter[str]:
        """Return how often each call was made."""
        return Counter(name for name, _ in self.calls)

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(target: Any, *arguments: Any, **options: Any) -> Any:
            path = self._path(target)
            if path is not None and not self._inside:
                self._note(name, path)
            outer, self._inside = self._inside, True  # open() calls its opener: that is one call
            try:
                return real(target, *arguments, **options)
            finally:
                self._inside = outer

        return call

    def _path(self, target: Any) -> str | None:
        """Return what *target*, a path or a descriptor, leads to, if that is in the folder."""
        try:
            path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else target
            path = os.fsdecode(path)
        except (OSError, TypeError):
            return None
        return path if path.startswith(self._folder) else None

    def _note(self, name: str, path: str) -> None:
        self.calls.append((name, os.path.basename(path)))
        if len(self.calls) == self._fails_at:
            self.failed = self.calls[-1]
            code = ERRORS.get(name, errno.EIO)
            raise OSError(code, os.strerror(code), path)


class FailingSockets:
    """Counts the socket calls of this process, and has one of them fail as a lost network does."""

    CALLS = ("connect", "send", "recv", "recv_into")

    def __init__(self, fails_at: int) -> None:
        """*fails_at* is the number, from 1, of the call that fails."""
        self._fails_at = fails_at
        self._count = 0
        self.failed: str | None = None

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """While entered, calls on TCP sockets and look-ups of names are counted."""
        with contextlib.ExitStack() as stack:
            for name in self.CALLS:
                call = self._wrapped(name, getattr(socket.socket, name))
                stack.enter_context(mock.patch.object(socket.socket, name, call))
            real = socket.getaddrinfo

            def getaddrinfo(*arguments: Any, **options: Any) -> Any:
                self._note("getaddrinfo", socket.gaierror(socket.EAI_AGAIN, "Try again"))
                return real(*arguments, **options)

            stack.enter_context(mock.patch.object(socket, "getaddrinfo", getaddrinfo))
            yield

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(one: socket.socket, *arguments: Any) -> Any:
            if one.family != socket.AF_UNIX:  # asyncio wakes itself up by such a pair
                code = errno.ECONNREFUSED if name == "connect" else errno.ECONNRESET
                self._note(name, OSError(code, os.strerror(code)))
            return real(one, *arguments)

        return call

    def _note(self, name: str, error: OSError) -> None:
        self._count += 1
        if self._count == self._fails_at:
            self.failed = name
            raise error
