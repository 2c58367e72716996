"""The content of an audience file that is only in memory, and folders that are too."""

from __future__ import annotations

import atexit
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = "/dev/shm" if os.path.isdir("/dev/shm") else None
PARENT_VARIABLE = "PUSHCTL_FUZZ_FOLDER"
"""Where a fuzzer makes its folders: it is ended without a chance to remove them."""


class InMemory:
    """Bytes as the content of a file; satisfies :class:`pushctl.audience.content.Content`."""

    shown = "list"
    in_place: Sequence[Path] = ()

    def __init__(self, data: bytes) -> None:
        self._data = data

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open for reading."""
        yield io.BytesIO(self._data)

    @contextmanager
    def placed(self, path: Path) -> Iterator[None]:
        """Let *path* be a file with the bytes."""
        path.write_bytes(self._data)
        yield


def folder(name: str) -> Path:
    """Return a new folder that no disk is behind, where there is such a thing."""
    parent = os.environ.get(PARENT_VARIABLE, ROOT)
    made = tempfile.mkdtemp(prefix=f"pushctl-fuzz-{name}-", dir=parent)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
