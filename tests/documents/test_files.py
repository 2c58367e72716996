"""From path or bytes to document."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pushctl.documents import load, read, read_bytes
from pushctl.documents.lines import Lines
from pushctl.errors import InvalidInput, Place


def error_of(path: Path, max_bytes: int = 2**20) -> InvalidInput:
    """Return the error that reading *path* raises."""
    with pytest.raises(InvalidInput) as caught:
        read(path, max_bytes=max_bytes)
    return caught.value


@pytest.mark.parametrize("name", ["a.yaml", "a.YML", "a.json"])
def test_the_suffix_tells_the_format(tmp_path: Path, name: str) -> None:
    """YAML and JSON are told apart by name, in any case."""
    path = tmp_path / name
    path.write_text('{"a": 1}')

    assert {"a": 1} == read(path).value


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """No format is guessed."""
    assert "cannot tell the format" in str(error_of(tmp_path / "a.toml"))


def test_a_missing_file_names_a_similar_one(tmp_path: Path) -> None:
    """A slip in a file's name gets a did-you-mean, any other the folder it was looked for in."""
    (tmp_path / "profiles.yaml").write_text("a: 1")
    problem = error_of(tmp_path / "profils.yaml").problems[0]

    assert "there is no file" in problem.message
    assert f"did you mean {str(tmp_path / 'profiles.yaml')!r}?" == problem.hint
    where = f"it was looked for in {str(tmp_path)!r}"
    assert where == error_of(tmp_path / "zzz.yaml").problems[0].hint
    assert "does not exist" in str(error_of(tmp_path / "no" / "a.yaml").problems[0].hint)


def test_a_link_that_leads_to_itself_hides_no_other_name(tmp_path: Path) -> None:
    """The hint about a missing file looks at names alone, and leaves nothing open."""
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "message.yaml").touch()
    problem = error_of(tmp_path / "mesage.yaml").problems[0]

    assert f"did you mean {str(tmp_path / 'message.yaml')!r}?" == problem.hint


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """A directory is called one."""
    path = tmp_path / "d.yaml"
    path.mkdir()

    assert "is a directory, not a file" in str(error_of(path))


def test_an_unreadable_file_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing permission and other errors of the system are put into words."""
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    def fail(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", refuse)
    assert "may not be read by this user" in str(error_of(path))
    monkeypatch.setattr(Path, "open", fail)
    assert "Input/output error" in str(error_of(path))


def test_an_impossible_name_is_refused() -> None:
    """A NUL in a name is no crash."""
    assert "the name is not valid" in str(error_of(Path("a\0b.yaml")))


def test_size_is_bounded(tmp_path: Path) -> None:
    """A file beyond the limit is not read, one at the limit is."""
    path = tmp_path / "a.json"
    path.write_text('"' + "x" * 1022 + '"')

    assert read(path, max_bytes=1024).value
    assert "is larger than 1023 bytes" in str(error_of(path, max_bytes=1023))
    path.write_text("x" * 1025)
    assert "is larger than 1 KiB" in str(error_of(path, max_bytes=1024))
    with pytest.raises(InvalidInput, match="larger than 10 bytes"):
        load(b"x" * 11, "f", kind="yaml", max_bytes=10)
    with pytest.raises(InvalidInput, match="larger than 2 MiB"):
        load(b"x" * (2**21 + 1), "f", kind="yaml", max_bytes=2**21)


def test_endless_input_is_cut_off() -> None:
    """A device that never ends is refused after the limit."""
    with pytest.raises(InvalidInput, match="larger"):
        read_bytes(Path("/dev/zero"), max_bytes=1000)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"a: 1\nb: \xff", 2, 4),
        (b"\xef\xbb\xbfa: \xc3\xa9\xc3", 1, 5),
        (b"a\r\nb\rc\xff", 3, 2),
        (b"\xc3\xa9\xff", 1, 2),
    ],
)
def test_invalid_utf8_has_a_place(data: bytes, line: int, column: int) -> None:
    """The first byte that is no UTF-8 is pointed at by character."""
    with pytest.raises(InvalidInput) as caught:
        load(data, "f", kind="yaml", max_bytes=100)

    assert Place("f", line, column) == caught.value.problems[0].place


def test_utf16_is_recognised() -> None:
    """A file saved in the wrong encoding is told so, not shown a byte."""
    with pytest.raises(InvalidInput, match="looks like UTF-16"):
        load("a: é".encode("utf-16"), "f", kind="yaml", max_bytes=100)


def test_the_name_to_show_is_the_callers(tmp_path: Path) -> None:
    """Messages use the name that the user gave."""
    path = tmp_path / "a.yaml"
    path.write_text("a: [")
    with pytest.raises(InvalidInput) as caught:
        read(path, shown="-")

    assert caught.value.problems[0].place is not None
    assert "-" == caught.value.problems[0].place.file


def test_pipes_can_be_read(tmp_path: Path) -> None:
    """Process substitution gives a pipe, which has no size."""
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.close(writer)

    assert b"hello" == read_bytes(Path(f"/dev/fd/{reader}"), max_bytes=10)
    os.close(reader)


def test_lines() -> None:
    """Lines end with LF, CRLF or CR and nothing else."""
    lines = Lines("a\r\nb\u2028c\rd\n", first=5)

    assert ["a", "b\u2028c", "d", ""] == list(lines)
    assert ["a", "b\u2028c"] == lines[:2]
    assert 4 == len(lines)
    assert (6, 1) == lines.locate(3)
    assert (5, 2) == lines.locate(2)


def test_an_excerpt_keeps_its_caret() -> None:
    """A long line is cut behind the column; where the column is too far out, nothing is shown."""
    lines = Lines("x" * 1000)
    shown = lines.excerpt(1, 10)

    assert shown is not None
    assert 400 == len(shown)
    assert lines.excerpt(1, 900) is None
    assert "y" == Lines("y").excerpt(1, 1)
