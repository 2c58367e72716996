"""The journal: what is written is read back, whatever cut it off."""

import errno
import os
from pathlib import Path

import pytest

from pushctl.errors import InvalidInput, StorageError
from pushctl.outcome import Kind, Outcome
from pushctl.records import journal as journal_module
from pushctl.records.journal import Journal, seal
from pushctl.records.record import Address, Record, outcome_record, to_text
from pushctl.records.replay import journal_records, replay_journal


def a_record(row: int, kind: Kind = Kind.REJECTED) -> Record:
    address = Address(row, f"list.csv:{row + 1}", None, "apns", "ios", "shop", None, None, "aa")
    outcome = Outcome(kind=kind, reason="Unregistered", status=410)
    return outcome_record(
        address, outcome, run="r1", campaign=None, time=0.0, attempts=1, latency_ms=3
    )


def written(path: Path) -> Path:
    journal = Journal(path)
    journal.add_start("r1", "boot-1")
    journal.add_window(range(1, 7))
    journal.flush()
    journal.add_accepted("shop", 1, 5, None, None)
    journal.add_accepted("shop", 3, 6, "name", "unique")
    journal.add_outcome(to_text(a_record(2)))
    journal.add_attempt(4, 11.0, 503, "Shutdown")
    journal.flush()
    journal.add_outcome(to_text(a_record(5, Kind.UNKNOWN)))
    journal.add_end({"accepted": 2})
    journal.flush()
    journal.sync()
    journal.close()
    return path


def test_a_journal_tells_how_every_row_ended(tmp_path: Path) -> None:
    """Accepted in batches, others one by one, a retry that waits, and a row without a word."""
    replay = replay_journal(written(tmp_path / "journal.jsonl"))

    kinds = [replay.kind(row) for row in range(1, 8)]
    assert [
        Kind.ACCEPTED, Kind.REJECTED, Kind.ACCEPTED, None, Kind.UNKNOWN, None, None
    ] == kinds  # fmt: skip
    assert ("r1", 6, True, False, [4, 6]) == (
        replay.run,
        replay.high,
        replay.ended,
        replay.torn,
        replay.uncertain("boot-2"),
    )
    assert [] == replay.uncertain("boot-1")
    assert 2 == replay.accepted.total()
    assert 2 == replay.totals()[Kind.ACCEPTED]


def test_only_rows_that_were_not_accepted_are_held_whole(tmp_path: Path) -> None:
    """The records in a journal are those that the bounce log is derived from."""
    records = list(journal_records(written(tmp_path / "journal.jsonl")))

    assert [2, 5] == [record["row"] for record in records]
    assert "Unregistered" == records[0]["reason"]


def test_appending_goes_on_after_the_chain_of_what_is_there(tmp_path: Path) -> None:
    """A second process continues a journal and the whole still checks."""
    path = written(tmp_path / "journal.jsonl")
    second = Journal(path, chain=replay_journal(path).chain)
    second.add_outcome(to_text(a_record(6, Kind.NOT_SENT)))
    second.flush()
    second.close()

    assert Kind.NOT_SENT is replay_journal(path).kind(6)


def test_a_full_disk_leaves_the_journal_whole_and_keeps_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that stops half-way is taken back, and a second try writes the same lines."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add_start("r1", "boot-1")
    journal.add_window([1])
    journal.flush()
    real = os.write
    calls = []

    def short_then_full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return real(descriptor, bytes(data)[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    journal.add_outcome(to_text(a_record(1)))
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", short_then_full)
        with pytest.raises(StorageError, match="No space left"):
            journal.flush()
    assert not replay_journal(path).torn

    journal.release_reserve()
    journal.flush()
    journal.close()
    assert Kind.REJECTED is replay_journal(path).kind(1)


def test_a_failing_sync_is_an_error_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fsync nothing may be believed to be on disk."""
    journal = Journal(tmp_path / "journal.jsonl")
    calls = []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "_fdatasync", fail)
    with pytest.raises(StorageError, match="Input/output"):
        journal.sync()
    assert 1 == len(calls)
    journal.close()


def test_a_journal_is_private_and_never_follows_a_link(tmp_path: Path) -> None:
    """Its mode is 0600, and a planted symbolic link is refused."""
    path = written(tmp_path / "journal.jsonl")
    assert 0o600 == path.stat().st_mode & 0o777

    (tmp_path / "link.jsonl").symlink_to(path)
    with pytest.raises(StorageError):
        Journal(tmp_path / "link.jsonl")


def test_a_journal_of_another_schema_is_refused(tmp_path: Path) -> None:
    """A future journal is not guessed at."""
    path = tmp_path / "journal.jsonl"
    line, _ = journal_module.seal('{"t":"start","schema":99,"run":"r","boot":null}', 0)
    path.write_bytes(line)
    with pytest.raises(InvalidInput, match="schema 99"):
        replay_journal(path)


@pytest.mark.parametrize(
    "line",
    [
        '{"t":"sent","rows":[99]}',
        '{"t":"open","lo":1,"hi":99999999999}',
        '{"t":"accepted","rows":[1],"at":1e99,"credential":"c"}',
        '{"t":"outcome","record":{"row":1,"outcome":"fine"}}',
        '{"t":"outcome"}',
        '{"tea":"sent"}',
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    """A checksum that fits does not make a line ours: no traceback, and no memory filled."""
    path = tmp_path / "journal.jsonl"
    start, chain = seal('{"t":"start","schema":1,"run":"r1","boot":null}', 0)
    window, chain = seal('{"t":"open","lo":1,"hi":2}', chain)
    path.write_bytes(start + window + seal(line, chain)[0])

    with pytest.raises(InvalidInput, match="makes no sense") as caught:
        replay_journal(path)
    assert f"{path}:3" == str(caught.value.problems[0].place)
