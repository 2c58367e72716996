"""The bounce log: append-only, shared, unique by run and row."""

import json
import multiprocessing
from collections import Counter
from pathlib import Path

from pushctl.outcome import Kind
from pushctl.records.bounce_log import (
    BounceLog,
    CountKey,
    Counts,
    finished_line,
    logged_run,
)

KEY = CountKey("apns", "shop", "production", "com.acme", "2026-11-20T10")


def test_the_log_is_private(tmp_path: Path) -> None:
    """Push tokens are personal data: mode 0600."""
    log = BounceLog(tmp_path / "deep" / "bounces.jsonl")
    log.close()
    assert 0o600 == (tmp_path / "deep" / "bounces.jsonl").stat().st_mode & 0o777


def test_counts_tell_only_what_was_added_since_the_last_line() -> None:
    """The lines of a run add up to its outcomes, and an unchanged key writes nothing."""
    counts = Counts()
    counts.add(KEY, Kind.ACCEPTED, 3)
    counts.add(KEY, Kind.REJECTED)
    first = counts.take_lines("r1", "spring")
    counts.add(KEY, Kind.ACCEPTED)
    second = counts.take_lines("r1", "spring")

    assert [(3, 1), (1, 0)] == [(line["accepted"], line["rejected"]) for line in first + second]
    assert [1, 2] == [line["seq"] for line in first + second]
    assert "Push counts" == first[0]["event"]
    assert [] == counts.take_lines("r1", "spring")


def test_what_a_log_holds_of_a_run_is_found_among_other_lines(tmp_path: Path) -> None:
    """Foreign lines, other runs and torn lines are passed over."""
    path = tmp_path / "bounces.jsonl"
    log = BounceLog(path)
    for row in (4, 9):
        log.add({"schema": 1, "event": "Bounced push", "run": "r1", "row": row})
    log.add({"schema": 1, "event": "Bounced push", "run": "r2", "row": 1})
    counts = Counts()
    counts.add(KEY, Kind.REJECTED, 2)
    for line in counts.take_lines("r1", None):
        log.add(line)
    log.add(finished_line("r1", None, "2026-11-20T10:00:00.000Z", {"rejected": 2}))
    log.flush()
    log.sync()
    log.close()
    with path.open("a") as file:
        file.write('not json "r1"\n[1]\n{"run":"r1"')

    logged = logged_run(path, "r1", 9)
    assert ({4, 9}, 1, True) == ({*logged.rows}, logged.seq, logged.finished)
    assert {(KEY, Kind.REJECTED): 2} == +logged.counts
    nothing = logged_run(tmp_path / "none.jsonl", "r1", 9)
    assert (0, Counter(), 0, False) == (
        len(nothing.rows), nothing.counts, nothing.seq, nothing.finished,
    )  # fmt: skip


def test_a_torn_last_line_is_ended_before_the_next_is_written(tmp_path: Path) -> None:
    """A crash of one writer costs its own line only."""
    path = tmp_path / "bounces.jsonl"
    path.write_text('{"event":"Bounced pu')
    log = BounceLog(path)
    log.add({"event": "Bounced push", "run": "r1", "row": 1})
    log.flush()
    log.close()

    assert {"event": "Bounced push", "run": "r1", "row": 1} == json.loads(
        path.read_text().splitlines()[1]
    )


def append_lines(path: Path, writer: int) -> None:
    log = BounceLog(path)
    for number in range(200):
        log.add({"writer": writer, "number": number, "filler": "x" * (number * 37 % 3000)})
        if number % 7 == 0:
            log.flush()
    log.flush()
    log.close()


def test_several_writers_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    """Four processes write at once; every line is whole and none is lost."""
    path = tmp_path / "bounces.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_lines, args=(path, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {(w, n) for w in range(4) for n in range(200)} == {
        (line["writer"], line["number"]) for line in lines
    }
    assert 800 == len(lines)
