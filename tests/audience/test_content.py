"""Tests of how files are opened and read line by line."""

from __future__ import annotations

import errno
import gzip
import io
import os
import threading
import tracemalloc
from pathlib import Path
from typing import BinaryIO, Literal

import duckdb
import pytest

from pushctl.audience import content
from pushctl.audience.content import Content, numbered_lines, open_content
from pushctl.errors import InvalidInput, Place, Problem, StorageError

Given = Path | Literal["-"]


def lines_of(source: Content) -> list[tuple[int, str]]:
    """Return all lines of *source*."""
    with source.open() as stream:
        return list(numbered_lines(stream, source.shown))


def file_with(folder: Path, data: bytes, name: str = "list.txt") -> Path:
    """Return a new file that holds *data*."""
    path = folder / name
    path.write_bytes(data)
    return path


def the_problem(caught: pytest.ExceptionInfo[InvalidInput]) -> Problem:
    """Return the only problem of the error that was *caught*."""
    (problem,) = caught.value.problems
    return problem


def test_a_file_is_read_line_by_line(tmp_path: Path) -> None:
    """Lines are numbered from 1 and keep their ends; the last needs none."""
    source = open_content(file_with(tmp_path, b"a\r\nb\n\nc"), stdin=None, compression=None)

    assert [(1, "a\r\n"), (2, "b\n"), (3, "\n"), (4, "c")] == lines_of(source)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """The mark before the first line is dropped; anywhere else it is a character."""
    data = "\ufeffa\n\ufeffb\n".encode()
    source = open_content(file_with(tmp_path, data), stdin=None, compression=None)

    assert [(1, "a\n"), (2, "\ufeffb\n")] == lines_of(source)


@pytest.mark.parametrize("compression", [None, "gz"])
def test_stdin_can_be_read_twice(compression: Literal["gz"] | None) -> None:
    """What comes once is kept in a copy."""
    data = gzip.compress(b"a\nb\n") if compression else b"a\nb\n"
    source = open_content("-", stdin=io.BytesIO(data), compression=compression)

    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)
    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)


def test_a_named_pipe_is_copied(tmp_path: Path) -> None:
    """What a shell substitutes for a file can be read twice as well."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"a\nb\n",))
    writer.start()
    source = open_content(path, stdin=None, compression=None)
    writer.join()

    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)
    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)


def test_a_gzip_file_is_unpacked_while_it_is_read(tmp_path: Path) -> None:
    """Packed parts that follow each other are one file."""
    data = gzip.compress(b"a\n") + gzip.compress(b"b\n")
    source = open_content(file_with(tmp_path, data), stdin=None, compression="gz")

    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)


def test_a_gzip_bomb_is_left_unexploded(tmp_path: Path) -> None:
    """Past one mebibyte a file may not unfold to more than fifty times its size."""
    bomb = gzip.compress((b"0" * 99 + b"\n") * 40_000)
    source = open_content(file_with(tmp_path, bomb), stdin=None, compression="gz")

    with pytest.raises(InvalidInput, match="unfolds to more than 50 times"):
        lines_of(source)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"token\naabb\n", "not a gzip file", id="not-packed"),
        pytest.param(gzip.compress(b"ab" * 999)[:-12], "damaged or cut off", id="cut-off"),
        pytest.param(
            gzip.compress(b"ab")[:11] + b"\xff\xff\xff", "damaged or cut off", id="damaged"
        ),
    ],
)
def test_a_damaged_gzip_file_is_one_error(tmp_path: Path, data: bytes, words: str) -> None:
    """What gzip says is said in our words, with the file."""
    path = file_with(tmp_path, data)
    source = open_content(path, stdin=None, compression="gz")
    with pytest.raises(InvalidInput, match=words) as caught:
        lines_of(source)

    assert Place(str(path)) == the_problem(caught).place


def test_a_line_without_an_end_is_refused_in_constant_memory(tmp_path: Path) -> None:
    """A gigabyte in one line is not read to its end."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(b"aabb\n")
        file.seek(2**30)  # sparse: it takes no room on the disk
        file.write(b"\n")
    source = open_content(path, stdin=None, compression=None)
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="a line of more than 64 KiB") as caught:
        lines_of(source)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert Place(str(path), 2) == the_problem(caught).place
    assert peak < 2**20


def test_an_endless_line_of_stdin_is_not_copied() -> None:
    """The disk is not filled before the first line has ended."""
    with (
        Path("/dev/zero").open("rb") as zeros,
        pytest.raises(InvalidInput, match="a line of more than 64 KiB"),
    ):
        open_content("-", stdin=zeros, compression=None)


def test_the_longest_line_is_read(tmp_path: Path) -> None:
    """The bound is on what is over it."""
    line = b"a" * (content.MAX_LINE_BYTES - 1) + b"\n"
    source = open_content(file_with(tmp_path, line), stdin=None, compression=None)

    assert [(1, line.decode())] == lines_of(source)


@pytest.mark.parametrize(
    ("data", "message", "line", "column", "hint"),
    [
        pytest.param(b"aa\nb\xc3\xa9\xe9\n", "not UTF-8", 2, 3, "as UTF-8", id="latin-1"),
        pytest.param("token\n".encode("utf-16"), "not UTF-8", 1, 1, "UTF-16", id="utf-16"),
        pytest.param(b"aa\nbb\0\n", "a NUL byte", 2, 3, None, id="nul"),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(
    tmp_path: Path, data: bytes, message: str, line: int, column: int, hint: str | None
) -> None:
    """A byte that is no text is pointed at."""
    path = file_with(tmp_path, data)
    with pytest.raises(InvalidInput, match=message) as caught:
        lines_of(open_content(path, stdin=None, compression=None))

    assert Place(str(path), line, column) == the_problem(caught).place
    assert (hint or "") in (the_problem(caught).hint or "")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    """Each way not to be a file has its own words."""
    with pytest.raises(InvalidInput, match="there is no file"):
        open_content(tmp_path / "none.csv", stdin=None, compression=None)
    with pytest.raises(InvalidInput, match="is a directory"):
        open_content(tmp_path, stdin=None, compression=None)
    with pytest.raises(InvalidInput, match="is a device"):
        open_content(Path("/dev/null"), stdin=None, compression=None)


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EACCES, "may not be read by this user"), (errno.EIO, "Input/output error")],
)
def test_a_file_that_cannot_be_read_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    """What the system says becomes an error with the file."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    path = file_with(tmp_path, b"aabb\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidInput, match=words) as caught:
        open_content(path, stdin=None, compression=None)

    assert Place(str(path)) == the_problem(caught).place


def test_a_closed_stdin_is_an_error() -> None:
    """Where there is no stdin, ``-`` cannot be read."""
    with pytest.raises(InvalidInput, match="stdin is closed"):
        open_content("-", stdin=None, compression=None)


@pytest.mark.parametrize("data", [b"aabb\nccdd\neeff\n", b"0000\n"])
def test_a_file_that_changes_between_check_and_sending_is_refused(
    tmp_path: Path, data: bytes
) -> None:
    """What is sent is what was checked."""
    path = file_with(tmp_path, b"aabb\nccdd\n")
    source = open_content(path, stdin=None, compression=None)
    path.write_bytes(data)

    with pytest.raises(InvalidInput, match="has changed since it was checked"):
        lines_of(source)


class _FullDisk(io.BytesIO):
    """A file on a disk that is full, or is found full when what was buffered is written."""

    def __init__(self, refuses: Literal["write", "seek"]) -> None:
        super().__init__()
        self.refuses = refuses

    def write(self, data: object, /) -> int:
        if self.refuses == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("refuses", ["write", "seek"])
def test_a_full_disk_is_no_fault_of_the_input(
    monkeypatch: pytest.MonkeyPatch, refuses: Literal["write", "seek"]
) -> None:
    """Where a copy of stdin finds no room, the error is about storage and can be acted on."""
    monkeypatch.setattr(content.tempfile, "TemporaryFile", lambda: _FullDisk(refuses))
    with pytest.raises(StorageError, match="No space left") as caught:
        lines_of(open_content("-", stdin=io.BytesIO(b"aabb\n"), compression=None))

    assert "TMPDIR" in (caught.value.problems[0].hint or "")


def test_a_missing_temporary_folder_is_no_fault_of_the_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error does not say that stdin is a file that does not exist."""

    def refuse() -> BinaryIO:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(content.tempfile, "TemporaryFile", refuse)
    with pytest.raises(StorageError, match="No such file"):
        open_content("-", stdin=io.BytesIO(b"aabb\n"), compression=None)


def test_the_name_of_a_file_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """Control characters in a path are not shown."""
    path = file_with(tmp_path, b"aabb\n", "a\x1b[31m.txt")
    source = open_content(path, stdin=None, compression=None)

    assert source.shown.isprintable()
    assert [(1, "aabb\n")] == lines_of(source)


# -- zstd -----------------------------------------------------------------------------------------


def zstd_file(path: Path, text: str) -> Path:
    """Return *path*, which now holds *text* packed, as DuckDB packs it."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT ?::VARCHAR", [text])
        connection.execute(
            f"COPY t TO '{path}' (FORMAT csv, HEADER false, DELIMITER '\x1e', QUOTE '', ESCAPE '',"
            " COMPRESSION zstd)"
        )
    return path


def test_a_zstd_file_is_read(tmp_path: Path) -> None:
    """Line by line, as any other."""
    pytest.importorskip("backports.zstd")
    source = open_content(
        zstd_file(tmp_path / "list.txt.zst", "a\nb"), stdin=None, compression="zst"
    )
    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)
    assert [(1, "a\n"), (2, "b\n")] == lines_of(source)


def test_a_damaged_zstd_file_is_refused(tmp_path: Path) -> None:
    """Cut off, or no such file at all."""
    pytest.importorskip("backports.zstd")
    path = zstd_file(tmp_path / "list.txt.zst", "a\n" * 1000)
    for data in (path.read_bytes()[:-3], b"a\nb\n"):
        path.write_bytes(data)
        source = open_content(path, stdin=None, compression="zst")
        with pytest.raises(InvalidInput, match="the zstd file is damaged or cut off"):
            lines_of(source)


def test_a_zstd_bomb_is_stopped(tmp_path: Path) -> None:
    """What unfolds out of proportion is no list of tokens."""
    pytest.importorskip("backports.zstd")
    path = zstd_file(tmp_path / "list.txt.zst", "0\n" * 2_000_000)
    source = open_content(path, stdin=None, compression="zst")
    with pytest.raises(InvalidInput, match="unfolds to more than 50 times its size"):
        lines_of(source)


def test_an_installation_without_zstd_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python has it from 3.14 on; before that it is a package."""

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(content.importlib, "import_module", missing)
    source = open_content(file_with(tmp_path, b"x"), stdin=None, compression="zst")
    with pytest.raises(InvalidInput, match=r"backports\.zstd is not there") as caught:
        lines_of(source)
    assert "unpack the file with zstd -d" in str(the_problem(caught).hint)


# -- for other readers ----------------------------------------------------------------------------


def test_a_plain_file_is_lent_as_it_is(tmp_path: Path) -> None:
    """Not a byte is copied."""
    path = file_with(tmp_path, b"a\n")
    source = open_content(path, stdin=None, compression=None)
    with source.placed(tmp_path / "here"):
        assert path == (tmp_path / "here").readlink()
    assert [path] == list(source.in_place)


@pytest.mark.parametrize("from_stdin", [True, False])
def test_what_is_no_plain_file_is_lent_as_a_copy(tmp_path: Path, from_stdin: bool) -> None:
    """Packed files and stdin, unpacked."""
    data = b"a\n" if from_stdin else gzip.compress(b"a\n")
    source = open_content(
        "-" if from_stdin else file_with(tmp_path, data),
        stdin=io.BytesIO(data),
        compression=None if from_stdin else "gz",
    )
    with source.placed(tmp_path / "here"):
        assert b"a\n" == (tmp_path / "here").read_bytes()
    assert [] == list(source.in_place)


def test_a_file_that_changes_while_it_is_lent_is_refused(tmp_path: Path) -> None:
    """What others read must be what was checked."""
    path = file_with(tmp_path, b"a\n")
    source = open_content(path, stdin=None, compression=None)
    with (
        pytest.raises(InvalidInput, match="changed since it was checked"),
        source.placed(tmp_path / "here"),
    ):
        path.write_bytes(b"b\nc\n")


def test_a_copy_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """No folder, no room: one clear error."""
    source = open_content("-", stdin=io.BytesIO(b"a\n"), compression=None)
    with pytest.raises(StorageError, match="cannot make"):
        source.placed(tmp_path / "missing" / "here").__enter__()
    with pytest.raises(StorageError, match="cannot write"):
        content._unpack(source, _Full())  # type: ignore[arg-type]


class _Full:
    """A path to a file on a full disk."""

    def open(self, mode: str, buffering: int) -> BinaryIO:
        return open("/dev/full", "wb", buffering)
