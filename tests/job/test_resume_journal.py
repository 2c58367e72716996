"""What a journal says of rows that were opened, sent, taken back and opened again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.kit import address
from pushctl.errors import StorageError
from pushctl.job.resume import Again, _Left
from pushctl.outcome import Kind, Outcome, Retryable
from pushctl.records import journal as journal_module
from pushctl.records.bounce_log import BounceLog, logged_run
from pushctl.records.journal import Journal
from pushctl.records.record import outcome_record, to_text
from pushctl.records.replay import Replay, replay_journal

RETRY_FAILED, RESEND = Again(retry_failed=True), Again(on_unknown="resend")
HERE, ELSEWHERE = "boot-1", "boot-2"


def record(row: int, kind: Kind, retryable: Retryable = Retryable.NO) -> str:
    """Return the record of *row* as JSON."""
    made = outcome_record(
        address(row),
        Outcome(kind=kind, retryable=retryable),
        run="r1",
        campaign=None,
        time=0.0,
        attempts=1,
        latency_ms=1,
    )
    return to_text(made)


def written(path: Path, write: Callable[[Journal], None]) -> Replay:
    """Return what a journal of four opened rows says after *write* has added to it."""
    journal = Journal(path / "journal.jsonl")
    journal.add_start("r1", HERE)
    journal.add_window(range(1, 5))
    write(journal)
    journal.flush()
    journal.close()
    return replay_journal(path / "journal.jsonl")


def left(replay: Replay, again: Again = Again(), boot: str = HERE) -> list[int]:  # noqa: B008
    """Return the rows of the first four that a resume sends."""
    rows = _Left(replay, frozenset(replay.uncertain(boot)), again)
    return [row for row in range(1, 5) if rows(row)]


def test_a_row_that_was_sent_is_not_sent_again(tmp_path: Path) -> None:
    """Opened rows go out after a kill, sent ones do not; after a power cut neither does."""
    replay = written(tmp_path, lambda journal: journal.add_sent([2, 3]))

    assert ([2, 3], [1, 4]) == (replay.uncertain(HERE), left(replay))
    assert ([1, 2, 3, 4], []) == (replay.uncertain(ELSEWHERE), left(replay, boot=ELSEWHERE))
    assert [1, 2, 3, 4] == left(replay, RESEND, ELSEWHERE)


def test_a_row_that_was_refused_goes_again(tmp_path: Path) -> None:
    """Provably not processed: certain after a kill, and open to doubt after a power cut."""

    def write(journal: Journal) -> None:
        journal.add_sent([1, 2])
        journal.add_unsent([2])

    replay = written(tmp_path, write)
    assert ([1], [2, 3, 4]) == (replay.uncertain(HERE), left(replay))
    assert [1, 2, 3, 4] == replay.uncertain(ELSEWHERE)


def test_a_row_that_was_withdrawn_is_certain_whatever_happens(tmp_path: Path) -> None:
    """The process did not send it and will not: no power cut makes it doubtful."""

    def write(journal: Journal) -> None:
        journal.add_sent([1])
        journal.add_withdrawn([1, 2])
        journal.add_withdrawn(range(3, 9))

    replay = written(tmp_path, write)
    assert [] == replay.uncertain(ELSEWHERE)
    assert [1, 2, 3, 4] == left(replay, boot=ELSEWHERE)


def test_a_row_that_waits_for_its_next_try_is_sent_after_a_kill_only(tmp_path: Path) -> None:
    """The next try may have left just before the power went, without its note on the disk."""

    def write(journal: Journal) -> None:
        journal.add_sent([1])
        journal.add_attempt(1, 0.0, 503, "Shutdown")

    replay = written(tmp_path, write)
    assert [1, 2, 3, 4] == left(replay)
    assert 1 in replay.uncertain(ELSEWHERE)


def test_a_row_that_was_resent_without_an_answer_stays_doubtful(tmp_path: Path) -> None:
    """Once it may have been processed, neither a refusal nor a 503 of the next try clears it."""

    def write(journal: Journal) -> None:
        journal.add_sent([1, 2, 3])
        for row in (1, 2, 3):
            journal.add_attempt(row, 0.0, None, "NoAnswer")
        journal.add_sent([2, 3])
        journal.add_unsent([2])
        journal.add_attempt(3, 0.0, 503, "Shutdown")

    replay = written(tmp_path, write)
    assert [4] == left(replay)
    assert [1, 2, 3, 4] == left(replay, RESEND)


def test_what_a_power_cut_left_in_doubt_stays_so_when_the_next_process_dies_at_once(
    tmp_path: Path,
) -> None:
    """A resume notes its own boot first: killed then, it must not have made anything certain."""

    def write(journal: Journal) -> None:
        journal.add_outcome(record(4, Kind.REJECTED, Retryable.WITH_BACKOFF))
        journal.add_start("r1", HERE)
        journal.add_window([4])
        journal.add_start("r1", ELSEWHERE)
        journal.add_window([1, 2, 4])
        journal.add_sent([1])
        journal.add_unsent([1])
        journal.add_withdrawn([2, 4])

    replay = written(tmp_path, write)
    assert [1, 2, 3, 4] == replay.uncertain(ELSEWHERE)
    assert [] == left(replay, RETRY_FAILED, ELSEWHERE)


@pytest.mark.parametrize("boot", [HERE, ELSEWHERE])
def test_opening_a_row_again_forgets_nothing_of_it(tmp_path: Path, boot: str) -> None:
    """A resume that died before it sent anything leaves unknown, failed and unsent as they were."""

    def write(journal: Journal) -> None:
        journal.add_outcome(record(1, Kind.UNKNOWN))
        journal.add_outcome(record(2, Kind.REJECTED, Retryable.WITH_BACKOFF))
        journal.add_outcome(record(3, Kind.NOT_SENT))
        journal.add_outcome(record(4, Kind.REJECTED))
        journal.add_end({})
        journal.add_start("r1", HERE)
        journal.add_window([1, 2, 3])

    replay = written(tmp_path, write)
    assert {Kind.UNKNOWN: 1, Kind.REJECTED: 2, Kind.NOT_SENT: 1} == {
        kind: number for kind, number in replay.totals().items() if number
    }
    certain = boot == HERE
    assert ([3] if certain else []) == left(replay, boot=boot)
    assert ([2, 3] if certain else []) == left(replay, RETRY_FAILED, boot)
    assert ([1, 3] if certain else [1, 2, 3]) == left(replay, RESEND, boot)


def test_a_row_that_was_withdrawn_from_a_resume_is_what_it_was(tmp_path: Path) -> None:
    """Also if the note that it was opened never came to be, or it was noted as sent."""

    def write(journal: Journal) -> None:
        for row, kind in ((1, Kind.UNKNOWN), (2, Kind.NOT_SENT), (3, Kind.UNKNOWN)):
            journal.add_outcome(record(row, kind))
        journal.add_window([1])
        journal.add_sent([1])
        journal.add_withdrawn([1, 2, 3])

    replay = written(tmp_path, write)
    kinds = [replay.kind(row) for row in (1, 2, 3)]
    assert [Kind.UNKNOWN, Kind.NOT_SENT, Kind.UNKNOWN] == kinds
    assert [2, 4] == left(replay)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8, unique=True))
def test_rows_in_any_order_are_noted_as_these_rows(rows: list[int]) -> None:
    """Retries come before new rows: a note must not take 5, 1, 2, 8 for 5 to 8."""
    span = journal_module._span(rows)

    noted = span.get("rows") or list(range(span["lo"], span["hi"] + 1))
    assert sorted(rows) == sorted(noted)


def test_lines_that_had_room_stay_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several lines the first ones are kept, whole, and the others go out later, once."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add_start("r1", HERE)
    journal.add_window(range(1, 10))
    journal.flush()
    size = path.stat().st_size
    for row in range(1, 6):
        journal.add_outcome(record(row, Kind.REJECTED))
    line = len(journal_module.seal(journal._lines[0], 0)[0])
    real, room = os.write, [2 * line + 17]

    def short(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, bytes(data)[: room[0]])
        room[0] -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", short)
        with pytest.raises(StorageError, match="No space left"):
            journal.flush()
    assert size + 2 * line == path.stat().st_size
    assert 2 == replay_journal(path).totals()[Kind.REJECTED]

    journal.flush()
    journal.close()
    assert 5 == replay_journal(path).totals()[Kind.REJECTED]
    assert size + 5 * line == path.stat().st_size


def test_a_torn_line_that_cannot_be_cut_off_stays_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the file's end can be mended nothing more is written: it can be resumed."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add_start("r1", HERE)
    journal.flush()
    real = os.write
    calls: list[int] = []

    def short(descriptor: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, bytes(data)[:9])

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal.add_window([1])
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", short)
        patch.setattr(journal_module.os, "ftruncate", fail)
        with pytest.raises(StorageError):
            journal.flush()
    with pytest.raises(StorageError):
        journal.flush()
    journal.close()

    replay = replay_journal(path)
    assert (True, "r1", 0) == (replay.torn, replay.run, replay.high)


def test_without_room_for_the_reserve_a_journal_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run does not begin on a disk that is full; no reserve is left behind."""
    monkeypatch.setattr(journal_module, "_RESERVE_BYTES", 1 << 62)

    def too_much(size: int) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal_module, "bytes", too_much, raising=False)
    with pytest.raises(StorageError, match="No space left"):
        Journal(tmp_path / "journal.jsonl")
    assert not (tmp_path / "journal.reserve").exists()


def test_a_bounce_log_on_a_full_disk_keeps_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line would swallow the next line of another writer: it is taken back."""
    path = tmp_path / "bounces.jsonl"
    log, other = BounceLog(path), BounceLog(path)
    real = os.write
    calls: list[int] = []

    def short(descriptor: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[:30])

    log.add({"schema": 1, "event": "Bounced push", "run": "r1", "row": 1})
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", short)
        with pytest.raises(StorageError, match="No space left"):
            log.flush()
    other.add({"schema": 1, "event": "Bounced push", "run": "r2", "row": 7})
    other.flush()
    log.flush()
    log.close()
    other.close()

    assert ({1}, {7}) == ({*logged_run(path, "r1", 99).rows}, {*logged_run(path, "r2", 99).rows})
    assert 2 == len(path.read_text().splitlines())


def test_a_writer_that_died_in_a_line_costs_no_other_line(tmp_path: Path) -> None:
    """The line of another process is torn while this one has the log open."""
    path = tmp_path / "bounces.jsonl"
    log = BounceLog(path)
    with path.open("a") as file:
        file.write('{"event":"Bounced pu')
    log.add({"schema": 1, "event": "Bounced push", "run": "r1", "row": 1})
    log.flush()
    log.close()

    assert {1} == {*logged_run(path, "r1", 99).rows}
