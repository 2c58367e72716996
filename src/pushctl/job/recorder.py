"""Has every outcome written down, in the order that survives a crash, and counts it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pushctl.dispatch.lane import Lane
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import Stop, StopIf, Tally
from pushctl.errors import StorageError
from pushctl.job.ending import counts_as_unreached
from pushctl.outcome import Kind, Outcome
from pushctl.records.bounce_log import BounceLog, CountKey, Counts, finished_line
from pushctl.records.identity import rfc3339
from pushctl.records.journal import Journal
from pushctl.records.record import Address, Record, outcome_record, outcome_text, to_text
from pushctl.records.rows import RowSet

_FLUSH_S = 0.05
_SYNC_S = 0.1
_COUNTS_S = 60.0
SLOWEST_MS = 60_000

_NO_LANE = dict.fromkeys(("service", "credential", "environment", "topic"))

OnRecord = Callable[[Record], None]
OnOutcome = Callable[[str | None, Outcome], None]
AddressOf = Callable[[Lane, Push], Address]


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """What earlier processes of a run have recorded, as far as it stands."""

    totals: dict[Kind, int]
    seq: int
    """The last number of the run's "Push counts" lines."""
    logged: RowSet
    """Rows that have a line in the bounce log."""
    again: dict[int, tuple[CountKey, Kind]]
    """How rows had ended that are sent again; one that is not reached has still ended so."""


class Recorder:
    """
    The effects of the lanes: journal first, bounce log after it, then whoever listens.

    A failed write stops the run: the space kept in reserve is given back so that answers in
    flight can still be noted, and nothing more is sent.
    """

    def __init__(
        self,
        journal: Journal,
        bounce_log: BounceLog,
        *,
        run: str,
        campaign: str | None,
        stop_if: StopIf | None,
        past: Past | None = None,
        on_outcome: OnOutcome,
        on_record: OnRecord | None = None,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*on_outcome* hears all but accepted; *on_record*, where given, every record."""
        self.run = run
        self.campaign = campaign
        self.totals = dict.fromkeys(Kind, 0) | ({} if past is None else past.totals)
        self.unreached = 0
        self.waiting = 0
        """How many pushes wait for another try."""
        self.address_of: AddressOf = _no_address
        self.refine: Callable[[Push, Outcome], Outcome] = lambda _, outcome: outcome
        self.lane_fields: Mapping[Lane, Mapping[str, Any]] = {}
        """Service, credential, environment and topic of each lane, for the counts."""
        self.latencies = [0] * (SLOWEST_MS + 1)
        """How many answers took each number of milliseconds; the last entry holds the slower."""
        self.tally = Tally(stop_if)
        self.storage_error: StorageError | None = None
        self.stop_run: Callable[[Stop], None] = lambda stop: None
        self.renew_lane: Callable[[Lane], None] = lambda lane: None
        self._journal = journal
        self._bounce_log = bounce_log
        self.bounce_log = bounce_log.path
        self._on_outcome = on_outcome
        self._on_record = on_record
        self._counts = Counts(0 if past is None else past.seq)
        self._logged: RowSet | frozenset[int] = frozenset() if past is None else past.logged
        self._again = {} if past is None else past.again
        self._ended: dict[tuple[Lane, Kind], int] = {}
        """What ended since the totals were last brought up to date."""
        self._hour = (-1, "")
        self._wall_clock = wall_clock
        self._wall_offset = wall_clock() - clock()
        self._counted_at = self._synced_at = clock()
        self._clock = clock

    # -- the effects of a lane ----------------------------------------------------------------

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """Note how *push* ended."""
        if push.last_answer is not None:
            self.waiting -= 1
        if self._again and self._stays_as_it_was(push.row, outcome):
            return
        if outcome.kind is Kind.ACCEPTED:
            latency_ms = int((now - push.sent_at) * 1000)
            key = lane, Kind.ACCEPTED
            self._ended[key] = self._ended.get(key, 0) + 1
            self.tally.answers += 1
            if outcome.id is None and outcome.unique_id is None and push.attempts == 1:
                accepted = self._journal.accepted[lane.name]
                accepted.rows.append(push.row)
                accepted.latencies.append(latency_ms)
            else:
                self._journal.add_accepted(
                    lane.name, push.row, latency_ms, outcome.id, outcome.unique_id, push.attempts
                )
            self.latencies[latency_ms if latency_ms < SLOWEST_MS else SLOWEST_MS] += 1
            if self._on_record is not None:
                at = now + self._wall_offset
                address = self.address_of(lane, push)
                self._on_record(self._record(address, push, outcome, at, latency_ms))
            return
        self._finished_otherwise(lane, push, outcome, now)

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        """Note that *pushes* are about to be written.  Raises :class:`StorageError`."""
        self._journal.add_sent([push.row for push in pushes])
        try:
            self._journal.flush()
        except StorageError as error:
            self.storage_failed(error)
            raise

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """Note that *push* goes out again, at once or later."""
        if outcome.kind is Kind.NOT_SENT:
            self._journal.add_unsent([push.row])
            return
        if push.last_answer is None:
            self.waiting += 1
        at = now + self._wall_offset
        self._journal.add_attempt(push.row, at, outcome.status, outcome.reason)

    def renew(self, lane: Lane) -> None:
        """Pass on that *lane* needs a newer token."""
        self.renew_lane(lane)

    def stop(self, stop: Stop) -> None:
        """Pass on that the run must stop."""
        self.stop_run(stop)

    def latency_ms(self, share: float) -> int | None:
        """Return the latency that *share* (0 to 1) of the answers stayed under or at."""
        wanted = sum(self.latencies) * share
        if not wanted:
            return None
        seen = 0
        for milliseconds, number in enumerate(self.latencies):
            seen += number
            if seen >= wanted:
                return milliseconds
        return None

    def _finished_otherwise(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        latency_ms: int | None = None
        if outcome.kind is not Kind.NOT_SENT:
            latency_ms = int((now - push.sent_at) * 1000)
            self.latencies[min(latency_ms, SLOWEST_MS)] += 1
        at = now + self._wall_offset
        outcome = self.refine(push, outcome)
        key = lane, outcome.kind
        self._ended[key] = self._ended.get(key, 0) + 1
        push_id = push.id
        address = self.address_of(lane, push)
        text = outcome_text(
            address,
            outcome,
            run=self.run,
            campaign=self.campaign,
            time=at,
            attempts=push.attempts,
            latency_ms=latency_ms,
            push_id=push_id.decode("ascii") if push_id is not None and push.attempts else None,
        )
        self._note(address, outcome, text)
        if self._on_record is not None:
            self._on_record(self._record(address, push, outcome, at, latency_ms))
        stop = self.tally.add(outcome)
        if stop is not None:
            self.stop_run(stop)

    def correct_counts(
        self,
        standing: Counter[tuple[CountKey, Kind]],
        logged: Counter[tuple[CountKey, Kind]],
    ) -> None:
        """
        Have the next "Push counts" lines make good the difference to what is in the log.

        A crash may have kept counts from the log, and a row that is sent again is taken back
        (a negative number), so that the lines of a run always add up to its totals.
        """
        differences = {
            (key, kind): standing[key, kind] - logged[key, kind]
            for key, kind in standing.keys() | logged.keys()
        }
        # What is taken back goes first: a process that dies between two lines must not leave a
        # log that tells of more than was accepted, which would discredit the journal.
        for (key, kind), difference in sorted(
            differences.items(), key=lambda one: differences.get((one[0][0], Kind.ACCEPTED), 0)
        ):
            if difference:
                self._counts.add(key, kind, difference)

    # -- rows that never go out ---------------------------------------------------------------

    def decided(self, address: Address, outcome: Outcome, *, attempts: int = 0) -> None:
        """
        Note a row that ended without this process sending it: a missing token, a skip.

        *attempts* is how often an earlier process sent it.
        """
        at = self._wall_clock()
        self._again.pop(address.row, None)
        record = outcome_record(
            address,
            outcome,
            run=self.run,
            campaign=self.campaign,
            time=at,
            attempts=attempts,
            latency_ms=None,
        )
        self._count(record, outcome.kind, 1, at)
        self._note(address, outcome, to_text(record))
        if self._on_record is not None:
            self._on_record(record)

    # -- the disk -----------------------------------------------------------------------------

    async def open_window(self, rows: Sequence[int]) -> None:
        """
        Have *rows* on disk as opened.

        Raises :class:`StorageError`, after it has stopped the run: then none may be sent.
        """
        self._journal.add_window(rows)
        try:
            self._journal.flush()
            self._synced_at = self._clock()  # that of the outcomes that were flushed as well
            await asyncio.to_thread(self._journal.sync)
        except StorageError as error:
            self.storage_failed(error)
            raise

    def withdraw(self, rows: Sequence[int]) -> None:
        """Note that *rows*, although opened, were not sent and will not be."""
        self._journal.add_withdrawn(rows)

    async def tend(self) -> None:
        """Write and sync for as long as the run lasts; cancel it at the end."""
        while True:
            await asyncio.sleep(_FLUSH_S)
            now = self._clock()
            if now - self._counted_at >= _COUNTS_S:
                self._add_counts(now)
            self.flush()
            # An error of fsync is final: the next one may succeed although pages were lost.
            if now - self._synced_at >= _SYNC_S and self.storage_error is None:
                self._synced_at = now
                try:
                    await asyncio.to_thread(self._journal.sync)
                except StorageError as error:
                    self.storage_failed(error)

    def flush(self) -> None:
        """Hand everything to the operating system; on failure stop the run."""
        now = self._wall_clock()
        self._bring_up_to_date(now)
        try:
            self._journal.flush()
        except StorageError as error:
            self.storage_failed(error)
            self._journal.flush()  # into the space that was kept for this; else the run fails
        if self.storage_error is None:
            try:
                self._bounce_log.flush()
            except StorageError as error:
                self.storage_failed(error)

    def finish(self, planned: int | None = None) -> int:
        """
        Write the last counts and the end of the run, and sync; return how many rows were left.

        Of the *planned* rows of the whole run those that nothing was noted of were not reached:
        they count as ``not_sent``, or as how they had ended before they were to be sent again, so
        that the totals add up.  Raises :class:`StorageError`.
        """
        self._bring_up_to_date(self._wall_clock())
        for key, kind in self._again.values():
            self.totals[kind] += 1
            self._counts.add(key, kind)
        left = 0 if planned is None else planned - sum(self.totals.values())
        if left > 0:
            self._count(_NO_LANE, Kind.NOT_SENT, left, self._wall_clock())
        self._add_counts(self._clock())
        totals = {kind.value: number for kind, number in self.totals.items()}
        line = finished_line(self.run, self.campaign, rfc3339(self._wall_clock()), totals)
        self._bounce_log.add(line)
        self._journal.add_end(totals)
        self.flush()
        if self.storage_error is None:
            self._journal.sync()
            self._bounce_log.sync()
        return left

    def storage_failed(self, error: StorageError) -> None:
        """Stop the run because of *error*; what is in flight can still be noted, as a rule."""
        if self.storage_error is not None:
            return
        self.storage_error = error
        self._journal.release_reserve()
        self.stop_run(Stop("storage", str(error)))

    def close(self) -> None:
        """Close the files."""
        with contextlib.suppress(OSError):
            self._journal.close()
        with contextlib.suppress(OSError):
            self._bounce_log.close()

    # -- helpers ------------------------------------------------------------------------------

    def _stays_as_it_was(self, row: int, outcome: Outcome) -> bool:
        """
        Tell whether *row*, which was to be sent again, was not, and so has ended as before.

        What may have been processed by an earlier try must not be called ``not_sent`` now.
        """
        if row not in self._again:
            return False
        if outcome.kind is not Kind.NOT_SENT:
            del self._again[row]
            return False
        self._journal.add_withdrawn([row])
        if counts_as_unreached(outcome.reason):
            self.unreached += 1
        return True

    def _note(self, address: Address, outcome: Outcome, text: str) -> None:
        if self.storage_error is not None and outcome.kind is Kind.NOT_SENT:
            self._journal.add_withdrawn([address.row])  # the last space is for the answers
        else:
            self._journal.add_outcome(text)
        if outcome.kind is Kind.REJECTED:
            if address.row not in self._logged:  # its lines are unique by run and row
                self._bounce_log.add_text(text)
        elif outcome.kind is Kind.NOT_SENT and counts_as_unreached(outcome.reason):
            self.unreached += 1
        self._on_outcome(address.service, outcome)

    def _record(
        self, address: Address, push: Push, outcome: Outcome, at: float, latency_ms: int | None
    ) -> Record:
        record = outcome_record(
            address,
            outcome,
            run=self.run,
            campaign=self.campaign,
            time=at,
            attempts=push.attempts,
            latency_ms=latency_ms,
        )
        if record["id"] is None and push.id is not None and push.attempts:
            record["id"] = push.id.decode("ascii")
        return record

    def _bring_up_to_date(self, at: float) -> None:
        """Move what ended since the last time into the totals and the counts."""
        ended, self._ended = self._ended, {}
        for (lane, kind), number in ended.items():
            self._count(self.lane_fields[lane], kind, number, at)

    def _count(self, fields: Mapping[str, Any], kind: Kind, number: int, at: float) -> None:
        self.totals[kind] += number
        hour = int(at // 3600)
        if hour != self._hour[0]:
            self._hour = (hour, time.strftime("%Y-%m-%dT%H", time.gmtime(at)))
        key = CountKey(
            fields["service"],
            fields["credential"],
            fields["environment"],
            fields["topic"],
            self._hour[1],
        )
        self._counts.add(key, kind, number)

    def _add_counts(self, now: float) -> None:
        self._counted_at = now
        self._bring_up_to_date(self._wall_clock())
        for line in self._counts.take_lines(self.run, self.campaign):
            self._bounce_log.add(line)


def _no_address(lane: Lane, push: Push) -> Address:
    raise AssertionError("the recorder was not told how to address")


def open_recorder_files(
    journal: Path,
    bounce_log: Path,
    *,
    chain: int = 0,
    max_bytes: int | None = None,
    mask_key: bytes | None = None,
) -> tuple[Journal, BounceLog]:
    """
    Open both files for a run.  Raises :class:`StorageError`.

    *chain* is the checksum of the last line that the journal holds already; *max_bytes* and
    *mask_key* are for the bounce log.
    """
    log = BounceLog(bounce_log, max_bytes=max_bytes, mask_key=mask_key)
    try:
        return Journal(journal, chain=chain), log
    except StorageError:
        log.close()
        raise
