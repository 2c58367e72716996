"""The recorder: journal first, then the log, then whoever listens; and a disk that fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.kit import ACCEPTED, DEAD, WRONG, Heard, address, push, recorder, rows_of
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.thresholds import Stop, StopIf
from pushctl.errors import StorageError
from pushctl.job import recorder as module
from pushctl.job.recorder import Recorder, open_recorder_files
from pushctl.outcome import Kind, Outcome, Service

FIELDS = {
    "service": "apns",
    "credential": "shop-ios",
    "environment": "production",
    "topic": "com.example.shop",
}


def lane_of(one: Recorder) -> Lane:
    """Return a lane whose effects *one* records."""
    lane = Lane(
        "shop-ios",
        Service.APNS,
        policy=Policy(),
        effects=one,
        pacer=Pacer(None),
        jitter=lambda: 0.0,
        least_wait_s=lambda _: None,
    )
    one.lane_fields = {lane: FIELDS}
    return lane


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the JSON lines of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def failing(*_: object) -> None:
    """Fail as a full disk does."""
    raise StorageError("could not write: no space left")


def test_outcomes_reach_journal_log_and_listeners(tmp_path: Path) -> None:
    """Accepted is in the journal; rejected in journal and log; whoever listens hears both."""
    heard = Heard()
    one = recorder(tmp_path, heard)
    lane = lane_of(one)

    one.finished(lane, push(1), ACCEPTED, 0.005)
    one.finished(lane, push(2), DEAD, 0.007)
    one.decided(address(3), Outcome(kind=Kind.SKIPPED, reason="NoConsent"))
    one.finish()
    one.close()

    assert [1, 2, 3] == rows_of(heard.records)
    assert [DEAD, Outcome(kind=Kind.SKIPPED, reason="NoConsent")] == heard.outcomes
    assert {Kind.ACCEPTED: 1, Kind.REJECTED: 1, Kind.SKIPPED: 1} == {
        kind: number for kind, number in one.totals.items() if number
    }
    journal = lines(tmp_path / "journal.jsonl")
    assert {"start", "outcome", "accepted", "end"} == {line["t"] for line in journal}
    log = lines(tmp_path / "bounces.jsonl")
    assert ["Bounced push", "Push counts", "Run finished"] == [line["event"] for line in log]
    assert 2 == log[0]["row"]
    assert "1970-01-01T12" == log[1]["hour"]


def test_a_record_tells_the_latency_and_the_id_that_was_sent(tmp_path: Path) -> None:
    """The latency is whole milliseconds since the push left; the id is ours if none came back."""
    heard = Heard()
    one = recorder(tmp_path, heard)

    one.finished(lane_of(one), push(7, sent_at=1.0), WRONG, 1.0425)
    one.close()

    (record,) = heard.records
    assert (42, f"{7:036d}", 1) == (record["latency_ms"], record["id"], record["attempts"])


def test_what_was_not_sent_has_no_latency(tmp_path: Path) -> None:
    """A push that never left has neither latency nor id."""
    heard = Heard()
    one = recorder(tmp_path, heard)
    unsent = push(1)
    unsent.attempts = 0

    one.finished(lane_of(one), unsent, Outcome(kind=Kind.NOT_SENT, reason="NotReached"), 9.0)
    one.close()

    assert (None, None) == (heard.records[0]["latency_ms"], heard.records[0]["id"])
    assert 1 == one.unreached


def test_waiting_counts_each_push_once(tmp_path: Path) -> None:
    """A push that is retried twice waits once, and no more when it has ended."""
    one = recorder(tmp_path, Heard())
    lane, waiting = lane_of(one), push(1)

    one.retrying(lane, waiting, WRONG, 0.0)
    waiting.last_answer = WRONG
    one.retrying(lane, waiting, WRONG, 1.0)
    assert 1 == one.waiting
    one.finished(lane, waiting, ACCEPTED, 2.0)
    one.close()

    assert 0 == one.waiting


def test_the_threshold_stops_the_run(tmp_path: Path) -> None:
    """The outcome that meets --stop-if stops the run, once the answers before it are counted."""
    one = recorder(tmp_path, Heard(), stop_if=StopIf.parse("bounced>1"))
    stops: list[Stop] = []
    one.stop_run = stops.append
    lane = lane_of(one)

    one.finished(lane, push(1), ACCEPTED, 0.0)
    one.finished(lane, push(2), WRONG, 0.0)
    assert [] == stops
    one.finished(lane, push(3), DEAD, 0.0)
    one.close()

    assert ["threshold"] == [stop.kind for stop in stops]
    assert "2 bounced of 3 answers" in stops[0].why


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=50), st.floats(0.01, 1.0))
@settings(deadline=None, max_examples=50)
def test_latencies(latencies: list[int], share: float) -> None:
    """The latency of a share is the least that so many answers stayed under or at."""
    one = object.__new__(Recorder)
    one.latencies = [0] * (module.SLOWEST_MS + 1)
    for latency in latencies:
        one.latencies[min(latency, module.SLOWEST_MS)] += 1

    found = one.latency_ms(share)

    ordered = sorted(min(latency, module.SLOWEST_MS) for latency in latencies)
    assert found in ordered
    under = sum(latency <= (found or 0) for latency in ordered)
    below = sum(latency < (found or 0) for latency in ordered)
    assert below < share * len(ordered) <= under


def test_no_latency_without_an_answer(tmp_path: Path) -> None:
    """Before the first answer there is no latency to tell."""
    one = recorder(tmp_path, Heard())
    one.close()

    assert one.latency_ms(0.5) is None


# -- a disk that fails ----------------------------------------------------------------------------


def test_a_log_that_cannot_be_written_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the log cannot be written the run stops; the journal still takes what comes."""
    one = recorder(tmp_path, Heard())
    stops: list[Stop] = []
    one.stop_run = stops.append
    lane = lane_of(one)
    monkeypatch.setattr(one._bounce_log, "flush", failing)

    one.finished(lane, push(1), DEAD, 0.0)
    one.flush()
    one.finished(lane, push(2), DEAD, 0.0)
    one.flush()
    one.close()

    assert ["storage"] == [stop.kind for stop in stops]
    assert "no space left" in str(one.storage_error)
    outcomes = [line for line in lines(tmp_path / "journal.jsonl") if line["t"] == "outcome"]
    assert [1, 2] == [line["record"]["row"] for line in outcomes]


def test_a_full_disk_leaves_room_for_the_answers_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failure gives the reserve back, so that what was answered is still noted."""
    one = recorder(tmp_path, Heard())
    stops: list[Stop] = []
    one.stop_run = stops.append
    lane, flush = lane_of(one), one._journal.flush
    reserve = tmp_path / "journal.reserve"
    assert reserve.exists()

    def full_once() -> None:
        if reserve.exists():
            raise StorageError("could not write: no space left")
        flush()

    monkeypatch.setattr(one._journal, "flush", full_once)
    one.finished(lane, push(1), DEAD, 0.0)
    one.flush()
    one.close()

    assert ["storage"] == [stop.kind for stop in stops]
    assert not reserve.exists()
    assert "outcome" in {line["t"] for line in lines(tmp_path / "journal.jsonl")}


def test_a_disk_that_stays_full_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the reserve helps, the error comes out."""
    one = recorder(tmp_path, Heard())
    monkeypatch.setattr(one._journal, "flush", failing)

    with pytest.raises(StorageError):
        one.flush()
    one.close()


def test_a_sync_that_fails_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of fsync is a failed write: nothing more may be sent."""
    monkeypatch.setattr(module, "_FLUSH_S", 0.001)
    monkeypatch.setattr(module, "_SYNC_S", 0.0)

    async def run() -> list[Stop]:
        one = recorder(tmp_path, Heard())
        stopped: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        one.stop_run = stopped.set_result
        monkeypatch.setattr(one._journal, "sync", failing)
        tending = asyncio.create_task(one.tend())
        stop = await asyncio.wait_for(stopped, 10)
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        one.close()
        return [stop]

    (stop,) = asyncio.run(run())

    assert "storage" == stop.kind


def test_counts_are_written_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each minute the log gets what was added since; nothing is counted twice."""
    monkeypatch.setattr(module, "_FLUSH_S", 0.001)
    monkeypatch.setattr(module, "_COUNTS_S", 0.0)

    async def run() -> None:
        one = recorder(tmp_path, Heard())
        lane = lane_of(one)
        tending = asyncio.create_task(one.tend())
        for row in (1, 2):
            one.finished(lane, push(row), ACCEPTED, 0.0)
            while sum("Push counts" in line for line in log.read_text().splitlines()) < row:
                await asyncio.sleep(0)
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        one.finish()
        one.close()

    log = tmp_path / "bounces.jsonl"
    asyncio.run(run())

    assert [("Push counts", 1), ("Push counts", 1), ("Run finished", None)] == [
        (line["event"], line.get("accepted")) for line in lines(log)
    ]


def test_a_journal_that_cannot_be_opened_leaves_no_open_log(tmp_path: Path) -> None:
    """Both files are opened or none."""
    with pytest.raises(StorageError):
        open_recorder_files(tmp_path / "missing" / "journal.jsonl", tmp_path / "bounces.jsonl")
