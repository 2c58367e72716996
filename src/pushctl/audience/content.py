"""
The bytes of an audience file, read line by line in constant memory.  The only I/O of this room.

A file is read twice: once to find it sound as a whole before anything is sent, and once to send.
What can be read only once (stdin, a pipe) is first copied to a temporary file without a name,
which nobody but the current user can read.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import os
import stat
import tempfile
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias, get_args

from pushctl.documents import missing_file_hint
from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.rules.text import printable

if TYPE_CHECKING:
    from _typeshed import SupportsRead, WriteableBuffer

MAX_LINE_BYTES = 64 * 1024
"""The longest line, and the longest csv record, that is read."""

MAX_EXPANSION = 50
"""How many times its compressed size a file may unfold to."""

_UNGUARDED_BYTES = 2**20
# Up to here a file may unfold as it likes.  Lists of real tokens compress to about a half, a bomb
# of zeros to a thousandth.
_UNPACKED_AT_ONCE = 2**17

Compression: TypeAlias = Literal["gz", "zst"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Literal["gz", "zst"])


class Content(Protocol):
    """Bytes that can be read from the start again and again, one reading at a time."""

    @property
    def shown(self) -> str:
        """The name to show to people: the path as it was given, or ``-``."""

    @property
    def in_place(self) -> Sequence[Path]:
        """The file that holds the bytes just as they are to be read, if there is one."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open for reading, decompressed.  Raises :class:`~pushctl.errors.InvalidInput`."""

    def placed(self, path: Path) -> AbstractContextManager[None]:
        """
        Let *path*, which must not exist, be a file with the decompressed bytes meanwhile.

        A link where that will do, a copy otherwise, which stays.  Raises
        :class:`~pushctl.errors.InvalidInput`, also at the end where the file changed while it
        was read, and :class:`~pushctl.errors.StorageError` where there is no room for a copy.
        """


def open_content(
    path: Path | Literal["-"],
    *,
    stdin: BinaryIO | None,
    compression: Compression | None,
    is_text: bool = True,
) -> Content:
    """
    Return the content of the file *path*, or of *stdin* for ``-``.

    Raises :class:`~pushctl.errors.InvalidInput` where there is no such file, where it may not be
    read, is a folder or a device, or (for what can be read only once) has a line that is too
    long; and :class:`~pushctl.errors.StorageError` where there is no room for a copy.
    """
    if path == "-":
        if stdin is None:
            raise InvalidInput("stdin is closed", place=Place("-"))
        return _Copy("-", stdin, compression, is_text=is_text)
    shown = printable(str(path))
    with _explained(shown), path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode):
            return _File(shown, path, compression, _identity(file))
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise InvalidInput(f"{shown!r} is a device, not a file", place=Place(shown))
        return _Copy(shown, file, compression, is_text=is_text)


@contextmanager
def open_growing(path: Path) -> Iterator[BinaryIO]:
    """
    Open the file *path*, which others may be appending to, for one reading, decompressed.

    Its ending tells whether it is packed.  Raises :class:`~pushctl.errors.InvalidInput`, also
    while it is read.
    """
    shown = printable(str(path))
    ending = path.name.lower().rpartition(".")[2]
    compression = next((each for each in COMPRESSIONS if each == ending), None)
    with _explained(shown), path.open("rb") as file:
        yield _decompressed(file, compression, shown)


def numbered_lines(stream: BinaryIO, shown: str) -> Iterator[tuple[int, str]]:
    """
    Yield each line of *stream* with its number from 1, its line break included.

    A byte order mark before the first is dropped.  Raises
    :class:`~pushctl.errors.InvalidInput` with the place for a line over
    :data:`MAX_LINE_BYTES`, a NUL byte, or what is not UTF-8.
    """
    for number, line in enumerate(_bounded_lines(stream, shown), start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise _not_utf8(line, error.start, Place(shown, number)) from None
        if "\0" in text:
            place = Place(shown, number, text.index("\0") + 1)
            raise InvalidInput("a NUL byte: this is no text file", place=place)
        yield number, text


class _File:
    """A regular file, opened anew for each reading."""

    def __init__(
        self,
        shown: str,
        path: Path,
        compression: Compression | None,
        identity: tuple[int, ...],
    ) -> None:
        self.shown = shown
        self._path = path
        self._compression = compression
        self._identity = identity

    @property
    def in_place(self) -> Sequence[Path]:
        return [] if self._compression else [self._path.absolute()]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        with _explained(self.shown), self._path.open("rb") as file:
            if _identity(file) != self._identity:
                raise InvalidInput(
                    "the file has changed since it was checked",
                    place=Place(self.shown),
                    hint="leave it alone until the run has ended, or send a copy of it",
                )
            yield _decompressed(file, self._compression, self.shown)

    @contextmanager
    def placed(self, path: Path) -> Iterator[None]:
        if self._compression is not None:
            _unpack(self, path)
            yield
            return
        with self.open():
            path.symlink_to(self._path.absolute())
        yield
        with self.open():
            pass  # it is still the same file


class _Copy:
    """A temporary copy of what can be read only once.  It goes when this object goes."""

    in_place: Sequence[Path] = ()

    def __init__(
        self, shown: str, origin: BinaryIO, compression: Compression | None, *, is_text: bool
    ) -> None:
        self.shown = shown
        self._compression = compression
        # Compressed bytes have no lines; what they unfold to is bounded when it is read.
        has_lines = is_text and compression is None
        pieces = _bounded_lines(origin, shown) if has_lines else _chunks(origin)
        with _explained(shown):
            self._file = _copied(pieces)
        weakref.finalize(self, self._file.close)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        try:
            self._file.seek(0)  # writes what is still buffered
        except OSError as error:
            raise _no_room(error) from None
        with _explained(self.shown):
            yield _decompressed(self._file, self._compression, self.shown)

    @contextmanager
    def placed(self, path: Path) -> Iterator[None]:
        _unpack(self, path)
        yield


class _Inflated(io.RawIOBase):
    """What a packed file unfolds to, as long as that is in proportion to its size."""

    def __init__(self, packed: BinaryIO, compression: Compression, shown: str) -> None:
        super().__init__()
        self._packed = packed
        self._shown = shown
        self._size = 0
        self._called = {"gz": "gzip", "zst": "zstd"}[compression]
        self._faults: tuple[type[Exception], ...] = (EOFError, zlib.error)
        self._unpacked: SupportsRead[bytes]
        if compression == "gz":
            self._unpacked = gzip.GzipFile(fileobj=packed, mode="rb")
        else:
            zstd = _zstd(shown)
            self._unpacked = zstd.ZstdFile(packed, mode="rb")
            self._faults = (EOFError, zstd.ZstdError)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._read(len(view))
        view[: len(data)] = data
        self._size += len(data)
        if self._size > max(_UNGUARDED_BYTES, MAX_EXPANSION * self._packed.tell()):
            raise InvalidInput(
                f"unfolds to more than {MAX_EXPANSION} times its size: this is no list of tokens",
                place=Place(self._shown),
            )
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            return self._unpacked.read(size)
        except gzip.BadGzipFile:
            raise InvalidInput("this is not a gzip file", place=Place(self._shown)) from None
        except self._faults:
            raise InvalidInput(
                f"the {self._called} file is damaged or cut off",
                place=Place(self._shown),
                hint="fetch or compress it again",
            ) from None


def _zstd(shown: str) -> Any:
    """Return Python's module for zstd: its own from 3.14 on, before that a package."""
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    raise InvalidInput(
        "this installation cannot unpack .zst: the package backports.zstd is not there",
        place=Place(shown),
        hint="install it, or unpack the file with zstd -d",
    )


def _decompressed(file: BinaryIO, compression: Compression | None, shown: str) -> BinaryIO:
    if compression is None:
        return file
    return io.BufferedReader(_Inflated(file, compression, shown), _UNPACKED_AT_ONCE)


def _bounded_lines(stream: BinaryIO, shown: str) -> Iterator[bytes]:
    """Yield each line with its line break; never hold more than one that is within the bound."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise InvalidInput(
                f"a line of more than {MAX_LINE_BYTES // 1024} KiB",
                place=Place(shown, number),
                hint="one token a line; lines end in a line feed",
            )
        yield line


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(2**18):
        yield chunk


def _copied(pieces: Iterable[bytes]) -> BinaryIO:
    """Return *pieces* in a temporary file, which the system deletes when it is closed."""
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 -- the caller's from here on
    except OSError as error:
        raise _no_room(error) from None
    try:
        for piece in pieces:
            try:
                copy.write(piece)
            except OSError as error:
                raise _no_room(error) from None
    except BaseException:
        with contextlib.suppress(OSError):  # what cannot be written fails again at closing
            copy.close()
        raise
    return copy


def _unpack(content: Content, path: Path) -> None:
    """Write the decompressed bytes of *content* to the new file *path*."""
    with content.open() as stream:
        try:
            copy = path.open("xb", buffering=0)  # what is written late fails where nobody looks
        except OSError as error:
            raise StorageError(f"cannot make {path}: {error.strerror}") from None
        with copy:
            for chunk in _chunks(stream):
                try:
                    _write_all(copy, chunk)
                except OSError as error:
                    raise StorageError(
                        f"cannot write {path}: {error.strerror}",
                        hint="set state_dir to a folder with more room",
                    ) from None


def _write_all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _no_room(error: OSError) -> StorageError:
    return StorageError(
        f"cannot keep a copy of the input: {error.strerror or error}",
        hint="set TMPDIR to a folder with more room, or give the list as a file",
    )


def _identity(file: BinaryIO) -> tuple[int, ...]:
    """Return what changes when somebody writes to *file* or puts another in its place."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _not_utf8(line: bytes, start: int, place: Place) -> InvalidInput:
    """Return the error for *line*, whose byte number *start* is not UTF-8."""
    utf16 = line[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return InvalidInput(
        "not UTF-8",
        place=Place(place.file, place.line, len(line[:start].decode()) + 1),
        hint=f"save the file as UTF-8{' instead of UTF-16' if utf16 else ''}",
    )


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    """Turn what the system says of the file *shown* into one clear error."""
    try:
        yield
    except IsADirectoryError:
        raise InvalidInput(f"{shown!r} is a directory, not a file", place=Place(shown)) from None
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no file {shown!r}",
            place=Place(shown),
            hint=missing_file_hint(Path(shown)),
        ) from None
    except PermissionError:
        raise InvalidInput(
            f"{shown!r} may not be read by this user",
            place=Place(shown),
            hint="check the owner and mode of the file and of the folders above it",
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror or error}", place=Place(shown)
        ) from None
