"""The lines of the journal as they stand in the file, which loses none it was given."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from pushctl.errors import StorageError
from pushctl.records import journal as journal_module
from pushctl.records.journal import Journal, boot_id, seal, storage_error, write_all
from pushctl.records.record import SCHEMA

FULL = OSError(errno.ENOSPC, "No space left on device")


def held(path: Path) -> list[dict[str, Any]]:
    """Return the lines of the file without their checksums, after checking the chain."""
    chain, found = 0, []
    for raw in path.read_bytes().splitlines(keepends=True):
        body, tail = raw[: -len(b',"crc":"00000000"}\n')] + b"}", raw[-19:]
        chain = zlib.crc32(body, chain)
        assert b',"crc":"%08x"}\n' % chain == tail
        found.append(json.loads(body))
    return found


def test_every_kind_of_line_is_written_as_documented(tmp_path: Path) -> None:
    """Windows as spans where they are, batches column by column, times to the millisecond."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, wall_clock=lambda: 12.34567)
    journal.add_start("r1", "boot-1")
    journal.add_window([3, 1, 2])
    journal.add_sent([1])
    journal.add_unsent([1, 3])
    journal.add_withdrawn([2, 3])
    journal.add_attempt(3, 11.00049, None, None)
    journal.add_attempt(2, 11.0, 503, "Łódź")
    journal.add_outcome('{"row":2}')
    journal.add_accepted("shop", 1, 5, None, None)
    journal.add_accepted("kiosk", 4, 6, None, None)
    journal.add_accepted("shop", 3, 7, "name", "unique", 2)
    journal.add_end({"accepted": 3})
    journal.flush()
    journal.add_accepted("shop", 9, 8, None, None)
    journal.flush()
    journal.close()

    assert held(path) == [
        {"t": "start", "schema": SCHEMA, "run": "r1", "boot": "boot-1"},
        {"t": "open", "lo": 1, "hi": 3},
        {"t": "sent", "lo": 1, "hi": 1},
        {"t": "unsent", "rows": [1, 3]},
        {"t": "withdrawn", "lo": 2, "hi": 3},
        {"t": "attempt", "row": 3, "at": 11.0, "status": None, "reason": None},
        {"t": "attempt", "row": 2, "at": 11.0, "status": 503, "reason": "Łódź"},
        {"t": "outcome", "record": {"row": 2}},
        {
            "t": "accepted", "at": 12.346, "credential": "shop", "rows": [1, 3], "ms": [5, 7],
            "ids": {"3": "name"}, "unique_ids": {"3": "unique"}, "attempts": {"3": 2},
        },
        {"t": "accepted", "at": 12.346, "credential": "kiosk", "rows": [4], "ms": [6]},
        {"t": "end", "totals": {"accepted": 3}},
        {"t": "accepted", "at": 12.346, "credential": "shop", "rows": [9], "ms": [8]},
    ]  # fmt: skip
    assert "Łódź".encode() in path.read_bytes()
    assert b": " not in path.read_bytes().replace(b'"ms": ', b"")


def test_a_time_is_kept_to_the_millisecond(tmp_path: Path) -> None:
    """More digits say nothing, fewer would."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add_attempt(1, 1.2344, 503, None)
    journal.add_attempt(1, 1.2346, 503, None)
    journal.flush()
    journal.close()

    assert [1.234, 1.235] == [line["at"] for line in held(tmp_path / "journal.jsonl")]


def test_what_is_no_unicode_is_still_written() -> None:
    """A lone surrogate cannot be encoded; a question mark stands for it."""
    line, chain = seal('{"a":"\udc80"}', 7)

    assert chain == zlib.crc32(b'{"a":"?"}', 7)
    assert b'{"a":"?","crc":"%08x"}\n' % chain == line


def test_a_disk_that_fills_anywhere_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever had room stays, the rest is written by the second try, and nothing twice."""
    monkeypatch.setattr(journal_module, "_RESERVE_BYTES", 1)
    real = os.write
    for room in range(420):
        path = tmp_path / f"{room}.jsonl"
        journal = Journal(path)
        journal.add_start("r1", None)
        journal.flush()
        before = path.stat().st_size
        for row in range(1, 6):
            journal.add_window([row])
        journal.add_accepted("shop", 1, 5, None, None)
        left = [room]

        def until_full(descriptor: int, data: memoryview, left: list[int] = left) -> int:
            if not left[0]:
                raise FULL
            written = real(descriptor, data[: min(left[0], 50)])
            left[0] -= written
            return written

        with monkeypatch.context() as patch, contextlib.suppress(StorageError):
            patch.setattr(journal_module.os, "write", until_full)
            journal.flush()
        ends = [len(line) for line in path.read_bytes().splitlines(keepends=True)]
        journal.flush()
        journal.close()

        whole = [len(line) for line in path.read_bytes().splitlines(keepends=True)]
        had_room = [end for end in range(1, 8) if sum(whole[:end]) <= before + room]
        assert whole[: had_room[-1]] == ends
        assert ["start", *["open"] * 5, "accepted"] == [line["t"] for line in held(path)]


def test_a_line_that_stays_torn_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the torn line cannot be taken back, nothing is ever written after it."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add_window([1])
    real = os.write
    calls = []

    def torn(descriptor: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise FULL
        return real(descriptor, data[:5])

    def stuck(descriptor: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", torn)
        patch.setattr(journal_module.os, "ftruncate", stuck)
        with pytest.raises(StorageError) as first:
            journal.flush()
    with pytest.raises(StorageError) as second:
        journal.flush()
    journal.close()

    assert f"could not write {path}: No space left on device" in str(first.value)
    assert first.value is second.value
    assert b'{"t":' == path.read_bytes()


def test_without_anything_to_say_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush of nothing touches no disk."""
    journal = Journal(tmp_path / "journal.jsonl")
    monkeypatch.setattr(journal_module, "write_all", None)

    journal.flush()
    journal.close()


def test_a_megabyte_is_kept_for_a_full_disk(tmp_path: Path) -> None:
    """It is private, is given back once when it is needed, and at the end in any case."""
    reserve = tmp_path / "journal.reserve"
    journal = Journal(tmp_path / "journal.jsonl")
    assert (1 << 20, 0o600) == (reserve.stat().st_size, reserve.stat().st_mode & 0o777)
    journal.release_reserve()
    assert not reserve.exists()
    journal.release_reserve()
    journal.close()
    again = Journal(tmp_path / "journal.jsonl")
    again.close()

    assert ["journal.jsonl"] == sorted(os.listdir(tmp_path))


def test_a_reserve_that_cannot_be_given_back_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was made read-only meanwhile must not keep the last answers from the file."""
    journal = Journal(tmp_path / "journal.jsonl")

    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(journal_module.Path, "unlink", refused)
    journal.release_reserve()
    journal.close()


def test_a_planted_reserve_is_not_followed(tmp_path: Path) -> None:
    """Nothing of the victim is overwritten, nothing stays open, and the error names the file."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "journal.reserve").symlink_to(victim)
    open_before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(StorageError, match=r"could not write .*journal\.reserve"):
        Journal(tmp_path / "journal.jsonl")
    assert "mine" == victim.read_text()
    assert open_before == len(os.listdir("/proc/self/fd"))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says what could not be opened."""
    with pytest.raises(StorageError, match=r"could not open .*nowhere/journal\.jsonl: No such"):
        Journal(tmp_path / "nowhere" / "journal.jsonl")


def test_a_closed_journal_holds_nothing_open(tmp_path: Path) -> None:
    """Its descriptor is given back."""
    open_before = len(os.listdir("/proc/self/fd"))
    Journal(tmp_path / "journal.jsonl").close()

    assert open_before == len(os.listdir("/proc/self/fd"))


# Survives `records/journal.py`: `_fdatasync`: where it is missing fsync does the same and more.
def test_a_sync_reaches_the_disk_or_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal's own file is what is forced to the disk."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    synced = []
    monkeypatch.setattr(
        journal_module, "_fdatasync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino)
    )
    journal.sync()
    assert [path.stat().st_ino] == synced

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "_fdatasync", fail)
    with pytest.raises(StorageError, match=r"could not sync .*journal\.jsonl: Input/output error"):
        journal.sync()
    journal.close()


def test_an_error_of_the_disk_says_what_to_do() -> None:
    """What the system calls it, or else what it is; and that the run can go on."""
    named, odd = (storage_error("write", "it", error) for error in (FULL, OSError("odd")))

    assert "could not write it: No space left on device" in str(named)
    assert "could not write it: odd" in str(odd)
    assert "can be resumed" in str(named.problems[0].hint)


def test_all_of_a_write_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes a little at a time gets the rest again and again."""
    real = os.write
    monkeypatch.setattr(journal_module.os, "write", lambda to, data: real(to, data[:3]))
    with (tmp_path / "file").open("wb") as stream:
        write_all(stream.fileno(), b"0123456789", "file")

    assert b"0123456789" == (tmp_path / "file").read_bytes()


def test_the_boot_of_the_machine_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the kernel's, without the line's end; where there is none, no name is made up."""
    read = []

    def told(path: Path, encoding: str) -> str:
        read.append((str(path), encoding))
        return "4f6c\n"

    monkeypatch.setattr(journal_module.Path, "read_text", told)
    assert ("4f6c", [("/proc/sys/kernel/random/boot_id", "ascii")]) == (boot_id(), read)

    def missing(path: Path, encoding: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(journal_module.Path, "read_text", missing)
    assert boot_id() is None
