"""The JSON Lines record of everything that a simulator received."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

from pushctl.errors import StorageError
from pushctl.simulator.exchange import Exchange

_BATCH = 256


class Recorder:
    """
    Appends a line for each exchange to a file that its owner alone may read.

    Lines are collected and written together: *later* is asked to call back once the work at hand
    is done, so that nothing waits longer than one turn of the event loop.
    """

    def __init__(
        self,
        path: Path,
        *,
        later: Callable[[Callable[[], None]], object],
        failed: Callable[[StorageError], None],
    ) -> None:
        """
        Open *path*; an older record in it is kept and added to.

        :param failed: told once if the file cannot be written any more; nothing is written then.
        :raises StorageError: it cannot be opened.
        """
        self._path = path
        self._later = later
        self._failed = failed
        self._lines: list[bytes] = []
        self._file: io.FileIO | None = _open(path)
        _end_torn_line(path, self._file)

    def take(self, exchange: Exchange) -> None:
        """Record *exchange*."""
        if self._file is None:
            return
        if not self._lines:
            self._later(self.flush)
        line = json.dumps(exchange.as_json(), separators=(",", ":"))
        # Whatever was received, a record is one line of ASCII that does nothing to a terminal.
        self._lines.append(line.replace("\x7f", "\\u007f").encode("ascii") + b"\n")
        if len(self._lines) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        if self._file is None or not self._lines:
            return
        data, self._lines = memoryview(b"".join(self._lines)), []
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, error: OSError) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
        self._failed(_cannot(self._path, "write", error))


def _open(path: Path) -> io.FileIO:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise _cannot(path, "open", error) from None
    return io.FileIO(handle, "r+")


def _end_torn_line(path: Path, file: io.FileIO) -> None:
    """End a line that an earlier record broke off in, so that ours begin on lines of their own."""
    if not path.is_file():
        return  # a pipe or a terminal
    try:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")
    except OSError as error:
        raise _cannot(path, "open", error) from None


def _cannot(path: Path, what: str, error: OSError) -> StorageError:
    return StorageError(
        f"cannot {what} the record {str(path)!r}: {error.strerror}",
        hint="--record takes a file in a folder that exists, on a disk with room",
    )
