"""Following a log: each whole line once, in order, whatever becomes of the file meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.errors import InvalidInput
from pushctl.records import following
from pushctl.records.following import Dropped, Follower, Happening, Line, Replaced, Tail


def lines(happened: Iterator[Happening]) -> list[str]:
    """Return the texts of the lines among *happened*."""
    return [what.text.decode() for what in happened if isinstance(what, Line)]


def how(happened: Iterator[Happening]) -> list[str]:
    """Return what else happened to the file."""
    return [what.how for what in happened if isinstance(what, Replaced)]


def append(path: Path, text: str) -> None:
    """Append *text* to the file at *path*."""
    with path.open("a") as stream:
        stream.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three lines."""
    path = tmp_path / "bounces.jsonl"
    path.write_text("one\ntwo\nthree\n")
    return path


def begun(path: Path, last: int = 0) -> Follower:
    """Return a follower that begins before the last *last* lines of *path*."""
    follower = Follower(path)
    follower.begin(last, lambda _: True)
    return follower


@pytest.mark.parametrize(
    ("last", "expected"),
    [(0, []), (1, ["three"]), (2, ["two", "three"]), (9, ["one", "two", "three"])],
)
def test_it_begins_before_so_many_lines(log: Path, last: int, expected: list[str]) -> None:
    """The last lines are read first, fewer where there are fewer."""
    with begun(log, last) as follower:
        assert expected == lines(follower.poll())
        assert [] == lines(follower.poll())


def test_only_wanted_lines_are_counted_back(log: Path) -> None:
    """The search for the beginning passes over lines that nobody asked for."""
    with Follower(log) as follower:
        follower.begin(1, lambda text: text.startswith(b"o"))

        assert ["one", "two", "three"] == lines(follower.poll())


def test_the_search_back_sees_lines_that_lie_across_blocks(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a block begins, each line is seen whole and once."""
    log.write_text("".join(f"line {number}\n" for number in range(40)) + "torn")
    for size in range(1, 40):
        monkeypatch.setattr(following, "CHUNK_BYTES", size)
        with begun(log, 25) as follower:
            assert [f"line {number}" for number in range(15, 40)] == lines(follower.poll())


def test_a_line_counts_once_its_end_is_there(log: Path) -> None:
    """What is being written is not shown by halves, and what was torn is one line with its rest."""
    append(log, "fo")
    with begun(log) as follower:
        assert [] == lines(follower.poll())
        append(log, "ur")
        assert [] == lines(follower.poll())
        append(log, "\r\n\nfive\n")
        assert ["four", "five"] == lines(follower.poll())


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """It is read from its beginning once it appears."""
    path = tmp_path / "later.jsonl"
    with Follower(path) as follower:
        assert not follower.begin(10, lambda _: True)
        assert [] == list(follower.poll())
        append(path, "one\n")
        assert [Replaced("appeared"), Line(0, b"one")] == list(follower.poll())


def test_rotation_by_renaming_loses_nothing(log: Path) -> None:
    """Lines written before the rename, after it by a writer that did not notice, and anew."""
    with begun(log) as follower, log.open("a", buffering=1) as unaware:
        unaware.write("four\n")
        log.rename(log.with_name("bounces.jsonl.1"))
        append(log, "six\n")
        unaware.write("five\n")
        happened = list(follower.poll())
        assert ["rotated"] == how(iter(happened))
        assert ["four", "five", "six"] == lines(iter(happened))
        unaware.write("seven\n")
        append(log, "eight\n")
        assert ["seven", "eight"] == lines(follower.poll())


def test_rotation_twice_between_two_looks_loses_nothing(log: Path) -> None:
    """The file that came and went meanwhile is found by its number and read."""
    first, second = log.with_name("bounces.jsonl.1"), log.with_name("bounces.jsonl.2")
    with begun(log) as follower:
        log.rename(first)
        append(log, "four\n")
        first.rename(second)
        log.rename(first)
        append(log, "five\n")

        assert ["four", "five"] == lines(follower.poll())
        assert [] == lines(follower.poll())


def test_older_rotated_files_are_not_taken_for_new(log: Path) -> None:
    """What lies beside the log since before we came stays unread, even if ours was deleted."""
    append(log.with_name("bounces.jsonl.1"), "old\n")
    with begun(log) as follower:
        log.unlink()
        append(log, "four\n")

        assert ["four"] == lines(follower.poll())


def test_a_log_that_was_cut_is_read_from_its_beginning(log: Path) -> None:
    """A copy-and-truncate rotation: what is written after the cut is seen."""
    with begun(log) as follower:
        os.truncate(log, 0)
        append(log, "a\n")
        happened = list(follower.poll())

        assert ["truncated"] == how(iter(happened))
        assert ["a"] == lines(iter(happened))


def test_a_log_that_was_cut_and_outgrew_our_place_is_read_from_its_beginning(log: Path) -> None:
    """The size alone would not tell; the bytes before our place do."""
    with begun(log, 3) as follower:
        assert 3 == len(lines(follower.poll()))
        os.truncate(log, 0)
        append(log, "a much longer line than there ever was\nand another\n")
        happened = list(follower.poll())

        assert ["truncated"] == how(iter(happened))
        assert 2 == len(lines(iter(happened)))


def test_a_log_that_is_deleted_is_told_once_and_waited_for(log: Path) -> None:
    """A deleted log is no error."""
    with begun(log) as follower:
        log.unlink()
        assert ["gone"] == how(follower.poll())
        assert [] == list(follower.poll())
        append(log, "new\n")
        happened = list(follower.poll())
        assert (["appeared"], ["new"]) == (how(iter(happened)), lines(iter(happened)))


def test_a_line_without_end_does_not_fill_the_memory(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is longer than any line of a log is dropped and told; the next line is whole."""
    monkeypatch.setattr(following, "LINE_BYTES_MAX", 100)
    monkeypatch.setattr(following, "CHUNK_BYTES", 64)
    with begun(log) as follower:
        append(log, "x" * 1000 + "\nfour\n" + "y" * 101 + "\nfive\n")
        happened = list(follower.poll())

        assert ["four", "five"] == lines(iter(happened))
        dropped = [what for what in happened if isinstance(what, Dropped)]
        assert [(14, 1000), (1020, 101)] == [(what.at, what.size) for what in dropped]


def test_a_log_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    """A folder in its place, for one, is invalid input."""
    with Follower(tmp_path) as follower, pytest.raises(InvalidInput, match="cannot read"):
        follower.begin(1, lambda _: True)


@given(data=st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"\n"))))
def test_lines_do_not_depend_on_how_they_were_cut(data: list[bytes]) -> None:
    """However the bytes arrive, the lines are those of the whole."""
    tail, whole, read = Tail(), b"", []
    for piece in data:
        whole += piece
        while (due := tail.due(len(whole))) is not None:
            read += tail.take(whole[due[0] : due[1]]) or []
    expected = [text.removesuffix(b"\r") for text in whole.split(b"\n")[:-1] if text.strip()]

    assert expected == [what.text for what in read if isinstance(what, Line)]
    assert all(whole[what.at :].startswith(what.text) for what in read if isinstance(what, Line))


STEPS = st.lists(
    st.one_of(st.sampled_from(["look", "rotate", "tear"]), st.integers(1, 3)), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_each_line_is_seen_once(steps: list[str | int]) -> None:
    """Appending, tearing, rotating and looking in any order: nothing lost, nothing twice."""
    with tempfile.TemporaryDirectory() as folder:
        log, written = Path(folder) / "b.jsonl", 0
        log.touch()
        with begun(log) as follower:
            seen = []
            for step in [*steps, "look"]:
                if step == "look":
                    seen += lines(follower.poll())
                elif step == "tear":
                    append(log, f"line {written}")
                    seen += lines(follower.poll())
                    append(log, "\n")
                    written += 1
                elif step == "rotate":
                    for number in range(9, 0, -1):
                        older = Path(f"{log}.{number}")
                        if older.exists():
                            older.rename(f"{log}.{number + 1}")
                    log.rename(f"{log}.1")
                    log.touch()
                else:
                    for _ in range(int(step)):
                        append(log, f"line {written}\n")
                        written += 1

            assert [f"line {number}" for number in range(written)] == seen
