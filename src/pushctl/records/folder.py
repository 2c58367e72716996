"""The state folder and the folder of a run: who may read it, who may write it, what it holds."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import fcntl
import json
import math
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.records.identity import checked_run_id
from pushctl.records.journal import storage_error
from pushctl.records.ownership import refuse_foreign_folder
from pushctl.rules.text import inert

MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
_LOCK = "lock"
_MOMENT_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class RunFolder:
    """``state_dir/runs/<run>``: mode 0700, one writer at a time."""

    run: str
    path: Path

    @property
    def journal(self) -> Path:
        """Return where the journal is."""
        return self.path / JOURNAL

    def read_manifest(self) -> dict[str, Any]:
        """Return the manifest.  Raises :class:`InvalidInput` where it is missing or damaged."""
        file = self.path / MANIFEST
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            raise InvalidInput(
                f"run {self.run!r} never began: it was ended while its list was prepared",
                hint="nothing was sent; send again under another run id",
            ) from None
        except OSError as error:
            raise InvalidInput(f"cannot read {file}: {error.strerror or error}") from error
        body = data[:-_SEAL_BYTES]
        if not body or body + _seal(body) != data:
            raise InvalidInput(
                "the manifest is damaged: its checksum does not fit",
                place=Place(str(file)),
                hint="restore the run's folder from a copy; pushctl does not guess what was sent",
            )
        manifest: dict[str, Any] = json.loads(data)
        del manifest["crc"]
        return manifest

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest atomically, sealed.  Raises :class:`StorageError`."""
        write_atomically(self.path / MANIFEST, sealed(manifest))


def sealed(manifest: dict[str, Any]) -> bytes:
    """Return *manifest* as it is written: JSON, with a checksum of all that stands before it."""
    text = inert(json.dumps(manifest, ensure_ascii=False, indent=1))
    body = text.removesuffix("\n}").encode()
    return body + _seal(body)


def _seal(body: bytes) -> bytes:
    """Return the end of a manifest that begins with *body*: its checksum as the last key."""
    return b',\n "crc": "%08x"\n}\n' % zlib.crc32(body)


_SEAL_BYTES = len(_seal(b""))


def state_folder(path: Path) -> Path:
    """
    Return *path* as a ready state folder: 0700, with a ``.gitignore`` that hides all of it.

    Raises :class:`StorageError` where it cannot be made, and :class:`InvalidInput` where it is
    another user's.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_foreign_folder(path)
        with (
            contextlib.suppress(FileExistsError),
            open(path / ".gitignore", "x", opener=_private) as ignore,
        ):
            ignore.write("*\n")
        (path / "runs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise storage_error("make", str(path), error) from error
    refuse_foreign_folder(path / "runs")
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def create_run(state_dir: Path, run: str) -> RunFolder:
    """
    Make the folder of a new run.

    Raises :class:`InvalidInput` where the run exists already, :class:`StorageError` where the
    folder cannot be made.
    """
    folder = RunFolder(run, state_folder(state_dir) / "runs" / checked_run_id(run))
    try:
        folder.path.mkdir(mode=0o700)
    except FileExistsError:
        raise InvalidInput(
            f"there is a run {run!r} already",
            hint="leave --run out for a new id, or see it with: pushctl runs show " + run,
        ) from None
    except OSError as error:
        raise storage_error("make", str(folder.path), error) from error
    return folder


def find_run(state_dir: Path, run: str) -> RunFolder:
    """
    Return the folder of an existing run.

    Raises :class:`InvalidInput` where there is none, or where it is another user's.
    """
    folder = RunFolder(run, _runs(state_dir) / checked_run_id(run))
    if folder.path.is_symlink() or not folder.path.is_dir():
        known = [other.run for other in all_run_folders(state_dir)]
        near = difflib.get_close_matches(run, known, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InvalidInput(
            f"there is no run {run!r} in {state_dir}",
            hint=f"{meant}list them with: pushctl runs list",
        )
    return folder


def list_runs(state_dir: Path) -> list[RunFolder]:
    """Return the folders of all runs, newest first."""
    folders = all_run_folders(state_dir)
    runs = [folder for folder in folders if (folder.path / MANIFEST).is_file()]
    return sorted(runs, key=lambda folder: (begun_at(folder), folder.run), reverse=True)


def all_run_folders(state_dir: Path) -> list[RunFolder]:
    """
    Return all folders of runs, those too that were left behind before the run began.

    Raises :class:`InvalidInput` where they are another user's.
    """
    folder = _runs(state_dir)
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [RunFolder(name, folder / name) for name in names]


def _runs(state_dir: Path) -> Path:
    """Return the folder of all runs, if it may be trusted."""
    refuse_foreign_folder(state_dir)
    refuse_foreign_folder(state_dir / "runs")
    return state_dir / "runs"


def begun_at(folder: RunFolder) -> float:
    """Return when the run began, in epoch seconds; for want of that, when its folder changed."""
    try:
        return float(folder.read_manifest()["started"])
    except (InvalidInput, KeyError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            return folder.path.stat().st_mtime
        return math.inf


def is_locked(folder: RunFolder) -> bool:
    """Return whether a process is working on the run."""
    try:
        with (folder.path / _LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


@contextlib.contextmanager
def locked(folder: RunFolder) -> Iterator[None]:
    """Hold the run for writing.  Raises :class:`InvalidInput` if another process does."""
    try:
        descriptor = os.open(
            folder.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise storage_error("open", str(folder.path / _LOCK), error) from error
    try:
        if not _flock(descriptor):
            raise InvalidInput(
                f"another pushctl is working on run {folder.run!r}",
                hint="wait for it to end, or stop it with Ctrl-C in its terminal",
            )
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int) -> bool:
    """Lock the file; return whether that succeeded."""
    for last in (False, True):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if not last:  # is_locked() of another process holds it for a moment
            time.sleep(_MOMENT_S)
    return False


def write_atomically(path: Path, data: bytes) -> None:
    """Replace *path* with *data* so that a crash leaves the old or the new, synced to disk."""
    temporary = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise storage_error("write", str(path), error) from error


__all__ = [
    "RunFolder",
    "StorageError",
    "create_run",
    "find_run",
    "list_runs",
    "locked",
    "state_folder",
    "write_atomically",
]
