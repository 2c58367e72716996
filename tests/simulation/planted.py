"""
Faults to plant: each was in the code once, or could have been.

A simulation that does not catch them proves nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from pushctl.dispatch.lane import Lane
from pushctl.dispatch.push import Push
from pushctl.errors import StorageError
from pushctl.job.recorder import Recorder
from pushctl.outcome import Outcome
from pushctl.records import journal
from pushctl.records.journal import Journal
from pushctl.records.replay import SENT, Replay
from pushctl.wire.connection import Connection
from pushctl.wire.events import Event


def _resends(lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
    lane.in_flight -= 1
    lane._again(push, outcome, now)
    lane._queue.append(push)


def resend_of_an_unknown() -> None:
    """What was never answered goes out again."""
    Lane.unanswered = _resends  # type: ignore[method-assign]


def _settles_early(
    connection: Connection,
    flags: int,
    stream: int,
    payload: bytes,
    events: list[Event],
    now: float,
) -> None:
    _on_goaway(connection, flags, stream, payload, events, now)
    for number in list(connection._streams):
        connection._settle(number, "GOAWAY", events)


_on_goaway = Connection._on_goaway


def lost_late_answer() -> None:
    """After a GOAWAY nobody waits for the answers that are still to come."""
    Connection._on_goaway = _settles_early  # type: ignore[method-assign]


def _off_by_one(
    connection: Connection,
    flags: int,
    stream: int,
    payload: bytes,
    events: list[Event],
    now: float,
) -> None:
    last = max(int.from_bytes(payload[:4], "big") - 2, 0)
    _on_goaway(connection, flags, stream, last.to_bytes(4, "big") + payload[4:], events, now)


def goaway_off_by_one() -> None:
    """The last stream that a GOAWAY names is taken for one that was not taken up."""
    Connection._on_goaway = _off_by_one  # type: ignore[method-assign]


def _refused(connection: Connection, stream: int, why: str, events: Any, **_: Any) -> None:
    _settle(connection, stream, why, events, processed=False)


_settle = Connection._settle


def every_loss_is_a_refusal() -> None:
    """What was cut off or reset is taken for provably unprocessed."""
    Connection._settle = _refused  # type: ignore[method-assign]


def skipped_fsync() -> None:
    """A window is opened without being forced to the disk."""
    Journal.sync = lambda self: None  # type: ignore[method-assign]


def no_note_before_sending() -> None:
    """Pushes leave without a note of it."""
    Journal.add_sent = lambda self, rows: None  # type: ignore[method-assign]


def _sends_anyway(recorder: Recorder, lane: Lane, pushes: Sequence[Push]) -> None:
    with contextlib.suppress(StorageError):
        _sending(recorder, lane, pushes)


_sending = Recorder.sending


def sends_what_it_cannot_note() -> None:
    """Pushes leave although the disk is too full for the note."""
    Recorder.sending = _sends_anyway  # type: ignore[method-assign]


def _careless(rows: Sequence[int]) -> dict[str, Any]:
    low, high = rows[0], rows[-1]
    return {"lo": low, "hi": high} if high - low + 1 == len(rows) else {"rows": list(rows)}


def careless_span() -> None:
    """Rows are taken to be in order."""
    journal._span = _careless


def power_cut_is_a_kill() -> None:
    """After a power cut only what was noted as sent is in doubt."""
    Replay.uncertain = (  # type: ignore[method-assign]
        lambda self, boot: [row for row, code in enumerate(self.states) if code == SENT]
    )


def _forgets(replay: Replay, run: str, boot: str | None) -> None:
    replay.run, replay.boot = run, boot


def doubt_ends_with_the_next_boot() -> None:
    """A resume that died before it noted the doubtful rows made them certain."""
    Replay._start = _forgets  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        resend_of_an_unknown,
        lost_late_answer,
        goaway_off_by_one,
        every_loss_is_a_refusal,
        skipped_fsync,
        no_note_before_sending,
        sends_what_it_cannot_note,
        careless_span,
        power_cut_is_a_kill,
        doubt_ends_with_the_next_boot,
    )
}
