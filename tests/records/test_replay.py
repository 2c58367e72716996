"""What each line of a journal makes known, one by one, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pushctl.errors import InvalidInput
from pushctl.outcome import Kind
from pushctl.records.folder import RunFolder
from pushctl.records.journal import seal
from pushctl.records.record import SCHEMA
from pushctl.records.replay import (
    FAILED,
    KIND_CODES,
    NOT_OPENED,
    OPENED,
    SENT,
    WAITING,
    Replay,
    lines,
    replay_journal,
    replay_of,
)

HERE, ELSEWHERE = "boot-1", "boot-2"
ACCEPTED, UNKNOWN = KIND_CODES[Kind.ACCEPTED], KIND_CODES[Kind.UNKNOWN]
START = {"t": "start", "schema": SCHEMA, "run": "r1", "boot": HERE}
WINDOW = {"t": "open", "lo": 1, "hi": 6}
AT_10 = 1_763_632_800.0
"""2025-11-20T10:00:00Z"""


def said(*noted: dict[str, Any]) -> Replay:
    """Return what the first process says that opened six rows and noted these lines."""
    replay = Replay()
    for line in (START, WINDOW, *noted):
        replay.note(line)
    return replay


def states(replay: Replay) -> list[int]:
    return list(replay.states[1:])


def about(t: str, *rows: int, **more: object) -> dict[str, Any]:
    return {"t": t, "rows": list(rows), **more}


def accepted(*rows: int, at: float = AT_10, credential: str = "shop") -> dict[str, Any]:
    return about("accepted", *rows, at=at, credential=credential)


def outcome(row: int, kind: str, retryable: str = "no", attempts: int = 1) -> dict[str, Any]:
    record = {"row": row, "outcome": kind, "retryable": retryable, "attempts": attempts}
    return {"t": "outcome", "record": record}


def attempt(row: int, status: int | None = 503) -> dict[str, Any]:
    return {"t": "attempt", "row": row, "status": status}


def journal(path: Path, *noted: str, tail: bytes = b"") -> Path:
    """Write *noted* with their checksums to *path*, and *tail* after them."""
    chain, data = 0, b""
    for line in noted:
        piece, chain = seal(line, chain)
        data += piece
    path.write_bytes(data + tail)
    return path


ONE = '{"t":"start","schema":1,"run":"r1","boot":null}'.replace('"schema":1', f'"schema":{SCHEMA}')
TWO = '{"t":"open","lo":1,"hi":2}'


# Survives `records/replay.py`: `SENT, FAILED = 0, 1, 2, 8, 9`: any codes that differ will do.
# Survives `records/replay.py`: `if self.reopened:`: spares the common case a loop.
# Survives `records/replay.py`: `if self.doubtful:`: likewise.
# Survives `records/replay.py`: `fresh = isinstance`: likewise.
# Survives `records/replay.py`: `if isinstance(rows, range) else`: the highest is the last.
# Survives `records/replay.py`: `missing > 0`: by nothing is nothing longer.
def test_every_state_has_a_code_of_its_own() -> None:
    """Nothing that is told apart can be confused."""
    assert 10 == len({NOT_OPENED, OPENED, WAITING, SENT, FAILED, *KIND_CODES.values()})


def test_without_a_line_nothing_is_known() -> None:
    """No run, no boot, no row, no doubt."""
    assert Replay() == Replay(
        run=None, boot=None, states=bytearray(), high=0, ended=False, chain=0, size=0, torn=False,
        end_totals={}, reopened={}, doubtful=set(),
    )  # fmt: skip
    assert 0 == Replay().accepted.total()
    assert (None, NOT_OPENED, []) == (Replay().kind(0), Replay().state(0), Replay().uncertain(None))


def test_a_window_opens_its_rows() -> None:
    """The highest row of any window is kept, and beyond it nothing is known."""
    replay = said(about("open", 9, 8))

    assert [OPENED] * 6 + [NOT_OPENED, OPENED, OPENED] == states(replay)
    assert ("r1", HERE, 9, False) == (replay.run, replay.boot, replay.high, replay.ended)
    assert (8, 8) == (said(about("open", 8)).high, said(about("open", 8), about("open", 2)).high)
    assert (None, NOT_OPENED) == (said().kind(7), said().state(7))
    assert [None] * 2 == [said().kind(6), said().kind(9)]
    assert [OPENED] == [said().state(6)]


def test_what_is_sent_or_not_is_noted_row_by_row() -> None:
    """As a span or as rows; what was not processed is as it was when it was opened."""
    replay = said(
        {"t": "sent", "lo": 1, "hi": 4}, about("sent", 6), about("unsent", 2, 4), {"t": "news"}
    )

    assert [SENT, OPENED, SENT, OPENED, OPENED, SENT] == states(replay)
    assert [1, 3, 6] == replay.uncertain(HERE)
    assert [1, 2, 3, 4, 5, 6] == replay.uncertain(ELSEWHERE) == replay.uncertain(None)


def test_without_a_known_boot_nothing_is_certain() -> None:
    """A system that does not name its boots may have lost what was written last."""
    replay = Replay()
    for line in (START | {"boot": None}, WINDOW):
        replay.note(line)

    assert [1, 2, 3, 4, 5, 6] == replay.uncertain(None)


def test_accepted_rows_are_counted_by_credential_and_hour() -> None:
    """UTC, whatever the zone of the machine."""
    replay = said(
        accepted(1, 3), accepted(2, at=AT_10 + 3600), accepted(4, credential="kiosk"), accepted(6)
    )

    assert [ACCEPTED] * 4 + [OPENED, ACCEPTED] == states(replay)
    assert {
        ("shop", "2025-11-20T10"): 3, ("shop", "2025-11-20T11"): 1, ("kiosk", "2025-11-20T10"): 1,
    } == replay.accepted  # fmt: skip
    assert {**dict.fromkeys(Kind, 0), Kind.ACCEPTED: 5} == replay.totals()


@pytest.mark.parametrize(
    ("line", "state", "kind"),
    [
        (outcome(2, "rejected"), KIND_CODES[Kind.REJECTED], Kind.REJECTED),
        (outcome(2, "rejected", "yes-with-backoff"), FAILED, Kind.REJECTED),
        (outcome(2, "rejected", "yes-after-fix", 3), FAILED, Kind.REJECTED),
        (outcome(2, "rejected", "yes-after-fix", 0), KIND_CODES[Kind.REJECTED], Kind.REJECTED),
        (outcome(2, "unknown", "yes-with-backoff"), UNKNOWN, Kind.UNKNOWN),
        (outcome(2, "not_sent", "yes-with-backoff"), KIND_CODES[Kind.NOT_SENT], Kind.NOT_SENT),
        (outcome(2, "skipped"), KIND_CODES[Kind.SKIPPED], Kind.SKIPPED),
    ],
)
def test_an_outcome_ends_its_row(line: dict[str, Any], state: int, kind: Kind) -> None:
    """A rejection that was answered and may succeed later can be failed rows' next try."""
    replay = said(line)

    assert (state, kind) == (replay.state(2), replay.kind(2))
    assert {**dict.fromkeys(Kind, 0), kind: 1} == replay.totals()
    assert [1, 3, 4, 5, 6] == replay.uncertain(ELSEWHERE)


def test_a_try_that_was_answered_waits_for_the_next() -> None:
    """It is certain in the same boot; a window that opens it again makes it a row like others."""
    replay = said(about("sent", 2), attempt(2))

    assert ([WAITING], []) == ([replay.state(2)], replay.uncertain(HERE))
    assert [1, 2, 3, 4, 5, 6] == replay.uncertain(ELSEWHERE)
    replay.note({"t": "open", "lo": 2, "hi": 3})
    assert ([OPENED, OPENED], {}) == ([replay.state(2), replay.state(3)], replay.reopened)


def test_a_try_that_was_not_answered_leaves_a_doubt() -> None:
    """Whatever the next try meets, the row may have been processed before."""
    replay = said(about("sent", 2), attempt(2, None))
    assert ([2], {2: UNKNOWN}) == (replay.uncertain(HERE), replay.reopened)
    replay.note(attempt(2))
    assert SENT == replay.state(2)
    replay.note(about("unsent", 2))
    assert (UNKNOWN, Kind.UNKNOWN) == (replay.state(2), replay.kind(2))
    replay.note(accepted(2))
    assert ({}, [1, 3, 4, 5, 6]) == (replay.reopened, replay.uncertain(ELSEWHERE))


def test_what_had_ended_keeps_its_outcome_until_it_is_sent() -> None:
    """Opened again it is as it was; taken back or not processed it is so again; ended it is new."""
    ended = [outcome(row, "unknown") for row in (1, 2, 3)]
    again = about("open", 1, 2, 3, 4)
    replay = said(*ended, again, about("sent", 1, 2, 3))

    assert ([SENT, SENT, SENT, OPENED], dict.fromkeys((1, 2, 3), UNKNOWN)) == (
        states(replay)[:4], replay.reopened,
    )  # fmt: skip
    replay.note(about("unsent", 1))
    replay.note(about("withdrawn", 2))
    replay.note(outcome(3, "rejected"))
    assert [UNKNOWN, UNKNOWN, KIND_CODES[Kind.REJECTED], OPENED] == states(replay)[:4]
    assert {1: UNKNOWN} == replay.reopened
    assert [1, 4, 5, 6] == replay.uncertain(ELSEWHERE)


def test_a_span_with_one_row_that_ended_is_no_fresh_one() -> None:
    """Rows that ended keep what they are, whether a window names them one by one or not."""
    for window in (WINDOW, about("open", 1, 2, 3)):
        replay = said(accepted(2), about("sent", 3), window)

        assert [OPENED, ACCEPTED, SENT] == states(replay)[:3]
        assert {2: ACCEPTED, 3: SENT} == replay.reopened
    replay.note(attempt(3))
    assert SENT == replay.state(3)


def test_withdrawn_rows_are_as_if_never_opened() -> None:
    """Those that ended stay so, and rows beyond every window are nothing to take back."""
    replay = said(
        about("sent", 1), attempt(2), outcome(4, "rejected"), about("withdrawn", 1, 2, 3, 4, 7, 99)
    )

    rejected = KIND_CODES[Kind.REJECTED]
    assert [NOT_OPENED, NOT_OPENED, NOT_OPENED, rejected, OPENED, OPENED] == states(replay)
    assert [5, 6] == replay.uncertain(ELSEWHERE)


def test_a_doubt_outlives_the_process_that_found_it() -> None:
    """After another boot it stays until the row ends, in whatever boot that is."""
    replay = said(accepted(6), START | {"boot": ELSEWHERE, "run": "r2"})
    assert ({1, 2, 3, 4, 5}, "r2", ELSEWHERE) == (replay.doubtful, replay.run, replay.boot)
    replay.note(accepted(1))
    replay.note(outcome(2, "unknown"))

    assert [3, 4, 5] == replay.uncertain(ELSEWHERE)


def test_the_last_process_to_end_says_the_totals() -> None:
    """A window that is opened after it means that the run goes on."""
    replay = said({"t": "end", "totals": {"accepted": 1}})
    assert (True, {"accepted": 1}) == (replay.ended, replay.end_totals)
    replay.note(about("open", 7))

    assert not replay.ended


@pytest.mark.parametrize(
    "line",
    [
        '{"t":"open","lo":3,"hi":2}',
        '{"t":"open","lo":-1,"hi":2}',
        '{"t":"open","lo":1,"hi":2147483648}',
        '{"t":"open","rows":[2147483648]}',
        '{"t":"open","rows":[-1]}',
        '{"t":"open","rows":[]}',
        '{"t":"sent","rows":["1"]}',
        '{"t":"sent","lo":2147483648,"hi":2147483648}',
        '{"t":"accepted","rows":[1],"at":1e300,"credential":"shop"}',
        '{"t":"outcome","record":{"row":1,"outcome":"lost"}}',
        '{"t":"attempt","row":1}',
        '{"no":"kind"}',
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_place(line: str, tmp_path: Path) -> None:
    """Its checksum fits, so nobody damaged it: another program wrote it."""
    path = journal(tmp_path / "journal.jsonl", ONE, TWO, line)

    with pytest.raises(InvalidInput, match="makes no sense, although its checksum") as caught:
        replay_journal(path)
    (problem,) = caught.value.problems
    assert f"{path}:3" in str(problem.place)
    assert "written by another program?" in str(problem.hint)


def test_a_window_may_begin_with_nothing() -> None:
    """Row 0 is a row for the journal, whoever counts from where."""
    replay = Replay()
    replay.note({"t": "open", "lo": 0, "hi": 0})

    assert [0] == replay.uncertain(None)


def test_the_whole_of_a_journal_is_measured(tmp_path: Path) -> None:
    """Size and checksum are where the next line is written; a torn one is not among them."""
    path = journal(tmp_path / "journal.jsonl", ONE, TWO)
    whole = path.stat().st_size
    _, chain = seal(TWO, seal(ONE, 0)[1])
    replay = replay_journal(path)
    assert (whole, chain, False) == (replay.size, replay.chain, replay.torn)
    with path.open("ab") as stream:
        stream.write(b'{"t":"op')
    replay = replay_journal(path)

    assert (whole, chain, True) == (replay.size, replay.chain, replay.torn)


def test_a_line_that_is_whole_and_does_not_fit_is_damage(tmp_path: Path) -> None:
    """It was written and acted on, even if it is the last, or only its end is another."""
    for tail in (b'{"t":"open","lo":3,"hi":3,"crc":"00000000"}\n', b"\n", b"{}\n"):
        path = journal(tmp_path / "journal.jsonl", ONE, TWO, tail=tail)
        with pytest.raises(InvalidInput, match="damaged here: the checksum does not fit") as caught:
            replay_journal(path)
        (problem,) = caught.value.problems
        assert f"{path}:3" in str(problem.place)
        assert "restore the run's folder from a copy" in str(problem.hint)
    path = journal(tmp_path / "journal.jsonl", ONE, TWO)
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(InvalidInput, match="damaged here"):
        replay_journal(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert replay_journal(path).torn


def test_another_journal_is_refused(tmp_path: Path) -> None:
    """One of another version, or of another run, is not taken for that of this run."""
    other = ONE.replace(f'"schema":{SCHEMA}', '"schema":99')
    path = journal(tmp_path / "journal.jsonl", TWO, other)
    with pytest.raises(InvalidInput, match=f"has schema 99; this pushctl reads {SCHEMA}") as caught:
        replay_journal(path)
    assert f"{path}:2" in str(caught.value.problems[0].place)
    assert "the version of pushctl that wrote it" in str(caught.value.problems[0].hint)

    path = journal(tmp_path / "journal.jsonl", ONE)
    assert "r1" == replay_journal(path, "r1").run
    with pytest.raises(InvalidInput, match="the journal of run r1, in the folder of run r9") as it:
        replay_journal(path, "r9")
    assert f"{path}:1" in str(it.value.problems[0].place)
    assert "from a copy" in str(it.value.problems[0].hint)
    with pytest.raises(InvalidInput, match="run r1"):
        list(lines(path, Replay(), "r9"))


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """What the system says is the reason."""
    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}: Is a directory"):
        replay_journal(tmp_path)


def test_a_run_that_wrote_no_journal_has_done_nothing(tmp_path: Path) -> None:
    """The folder's own run is what its journal must be of."""
    folder = RunFolder("r7", tmp_path)
    assert Replay() == replay_of(folder)
    journal(folder.journal, ONE.replace("r1", "r7"))

    assert "r7" == replay_of(folder).run
    journal(folder.journal, ONE.replace("r1", "another"))
    with pytest.raises(InvalidInput, match="of run another"):
        replay_of(folder)


def test_json_that_no_parser_can_follow_is_damage(tmp_path: Path) -> None:
    """Though its checksum fits; a line that lost its end there may be torn."""
    path = journal(tmp_path / "journal.jsonl", ONE, '{"t":' + "[" * 200_000 + "}", TWO)

    with pytest.raises(InvalidInput, match="damaged here"):
        replay_journal(path)
