"""Rotation: nothing is lost, written over or written twice, however many write."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pushctl.errors import StorageError
from pushctl.records.bounce_log import BounceLog, logged_run
from pushctl.records.rotation import rotate, rotated

FORK = multiprocessing.get_context("fork")


def names(folder: Path) -> list[str]:
    """Return the names of the files in *folder*."""
    return sorted(path.name for path in folder.iterdir())


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the log in *folder* and of its rotated files, oldest first."""
    log = folder / "bounces.jsonl"
    texts = [path.read_text() for path in (*rotated(log), log) if path.exists()]
    return [json.loads(line) for line in "".join(texts).splitlines()]


def test_the_newest_is_one_and_nothing_is_written_over(tmp_path: Path) -> None:
    """Each rotation moves only what is in its way; packed files stay packed."""
    log = tmp_path / "bounces.jsonl"
    for number in range(3):
        log.write_text(f"{number}\n")
        rotate(log)
    assert ["bounces.jsonl.1", "bounces.jsonl.2", "bounces.jsonl.3"] == names(tmp_path)
    assert "2\n" == (tmp_path / "bounces.jsonl.1").read_text()

    (tmp_path / "bounces.jsonl.2").rename(tmp_path / "bounces.jsonl.2.gz")
    (tmp_path / "bounces.jsonl.3").rename(tmp_path / "bounces.jsonl.4")
    log.write_text("3\n")
    rotate(log)
    expected = ["bounces.jsonl.1", "bounces.jsonl.2", "bounces.jsonl.3.gz", "bounces.jsonl.4"]
    assert expected == names(tmp_path)
    assert [f"bounces.jsonl.{ending}" for ending in ("4", "3.gz", "2", "1")] == [
        path.name for path in rotated(log)
    ]


def test_other_files_are_not_taken_for_rotated_ones(tmp_path: Path) -> None:
    """Dates of logrotate are; copies, notes and other logs are not."""
    for name in ("bounces.jsonl-20261120.gz", "bounces.jsonl.1", "bounces.jsonl.old"):
        (tmp_path / name).touch()
    (tmp_path / "bounces.jsonl2.1").touch()
    found = [path.name for path in rotated(tmp_path / "bounces.jsonl")]
    assert ["bounces.jsonl-20261120.gz", "bounces.jsonl.1"] == found


def test_a_log_is_rotated_before_it_grows_too_large(tmp_path: Path) -> None:
    """No file exceeds the limit but for one whose lines came at once, and all are private."""
    log = BounceLog(tmp_path / "bounces.jsonl", max_bytes=100)
    for number in range(10):
        log.add({"number": number, "filler": "x" * 20})
        log.flush()
    log.add({"number": 10, "filler": "x" * 500})
    log.flush()
    log.close()

    files = [*rotated(log.path), log.path]
    assert [*range(11)] == [line["number"] for line in lines_of(tmp_path)]
    assert all(path.stat().st_size <= 100 for path in files[:-1])
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}


def test_a_writer_follows_the_log(tmp_path: Path) -> None:
    """A log that another program renamed or deleted is begun anew, at the next line."""
    log = BounceLog(tmp_path / "bounces.jsonl")
    for number, happens in enumerate((lambda path: rotate(path), lambda path: path.unlink())):
        log.add({"number": number})
        log.flush()
        happens(log.path)
    log.add({"number": 2})
    log.flush()
    log.close()
    assert [0, 2] == [line["number"] for line in lines_of(tmp_path)]


def append_and_rotate(path: Path, writer: int, number: int) -> None:
    """Append *number* lines to a log that is rotated often."""
    log = BounceLog(path, max_bytes=5_000)
    for line in range(number):
        log.add({"writer": writer, "number": line, "filler": "x" * (line * 37 % 900)})
        if line % 3 == 0:
            log.flush()
    log.flush()
    log.close()


def test_several_writers_rotate_one_log(tmp_path: Path) -> None:
    """Four processes write and rotate: every line is whole, there once, in its writer's order."""
    path = tmp_path / "bounces.jsonl"
    writers = [FORK.Process(target=append_and_rotate, args=(path, one, 150)) for one in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [0] * 4 == [writer.exitcode for writer in writers]

    found = lines_of(tmp_path)
    assert len(rotated(path)) > 10
    for writer in range(4):
        assert [*range(150)] == [line["number"] for line in found if line["writer"] == writer]


def append_until_killed(path: Path, writer: int, begun: Any) -> None:
    """Append lines without end."""
    log = BounceLog(path, max_bytes=20_000)
    number = 0
    while True:
        log.add({"writer": writer, "number": number, "filler": "x" * 300})
        log.flush()
        number += 1
        if number == 50:
            begun.set()


def test_killed_writers_cost_nothing_but_their_own_last_line(tmp_path: Path) -> None:
    """After kill -9 of three writers in full flight what is there is whole, and writing goes on."""
    path = tmp_path / "bounces.jsonl"
    begun = [FORK.Event() for _ in range(3)]
    writers = [
        FORK.Process(target=append_until_killed, args=(path, number, event))
        for number, event in enumerate(begun)
    ]
    for writer in writers:
        writer.start()
    for event in begun:
        assert event.wait(30)
    for writer in writers:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)
    append_and_rotate(path, 9, 10)

    whole: Counter[int] = Counter()
    for file in (*rotated(path), path):
        for text in file.read_text().splitlines():
            if text.endswith("}"):
                whole[json.loads(text)["writer"]] += 1
    assert 10 == whole[9]
    assert all(whole[number] >= 50 for number in range(3))


def test_a_run_is_found_in_rotated_files(tmp_path: Path) -> None:
    """What a crash kept from the log is told by all its files, packed ones too."""
    log = BounceLog(tmp_path / "bounces.jsonl", max_bytes=80)
    for row in range(1, 6):
        log.add({"event": "Bounced push", "run": "r1", "row": row})
        log.flush()
    log.close()
    oldest = rotated(log.path)[0]
    oldest.with_name(oldest.name + ".gz").write_bytes(gzip.compress(oldest.read_bytes()))
    oldest.unlink()

    assert {1, 2, 3, 4, 5} == {*logged_run(log.path, "r1", 99).rows}


def test_a_log_that_cannot_be_opened_anew_keeps_its_lines(tmp_path: Path) -> None:
    """With its folder gone the log cannot be written, which stops a run; nothing is lost."""
    gone = BounceLog(tmp_path / "deep" / "bounces.jsonl")
    gone.add({"number": 2})
    (tmp_path / "deep" / "bounces.jsonl").unlink()
    (tmp_path / "deep").rmdir()
    with pytest.raises(StorageError, match="could not"):
        gone.flush()
    (tmp_path / "deep").mkdir()
    gone.flush()
    gone.close()
    assert {"number": 2} == json.loads((tmp_path / "deep" / "bounces.jsonl").read_text())


def test_what_is_no_file_is_not_rotated(tmp_path: Path) -> None:
    """Somebody who keeps no log names /dev/null."""
    log = BounceLog(Path("/dev/null"), max_bytes=1)
    for _ in range(2):
        log.add({"number": 1})
        log.flush()
    log.close()
