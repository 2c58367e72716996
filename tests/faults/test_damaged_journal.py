"""
A journal that lost its end anywhere, and one in which any byte is another.

The gateway is the oracle: whatever a resume makes of what it finds, nothing that arrived there is
sent again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.damage import (
    PATTERNS,
    Kept,
    evidence,
    flipped,
    journal_lines,
    line_of,
    planned,
    refusal,
    rows_sent,
)
from job.stage import Stage, ios, on_stage
from pushctl.job.send import WINDOW
from pushctl.records.replay import replay_journal
from pushctl.simulator import Rule, Script

FINDINGS, INVALID = 1, 3
ROWS = 200
SMALL = 12
DEAD = Rule(pattern="de*", answer="Unregistered")
ANOTHER_BOOT = "another"


def listed(rows: int, dead_every: int = 5) -> list[str]:
    """Return *rows* tokens, every *dead_every*-th of them dead."""
    return [ios(row, "aa" if row % dead_every else "de") for row in range(1, rows + 1)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Send to 200 tokens, a few at a time, and keep what that left behind."""
    script = Script(rules=(DEAD,), max_streams=20, refuse_every=50)
    with on_stage(tmp_path_factory.mktemp("run"), script, tokens=listed(ROWS, 40)) as stage:
        sent = stage.send_list("--connections", "1")
        assert (195, 5) == (sent.totals["accepted"], sent.totals["rejected"])
        yield Kept.of(stage)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Send to twelve tokens, two at a time, and keep what that left behind."""
    script = Script(rules=(DEAD,), max_streams=2)
    with on_stage(tmp_path_factory.mktemp("small"), script, tokens=listed(SMALL)) as stage:
        stage.send_list("--connections", "1")
        yield Kept.of(stage)


# -- cut off --------------------------------------------------------------------------------------


def test_a_process_that_died_at_any_byte_of_its_journal(run: Kept) -> None:
    """Of 200 rows a resume sends exactly those that were not noted as sent, at each of the cuts."""
    journal = run.stage.journal
    whole = run.files[journal]
    sendable = set(range(1, ROWS + 1))
    for size in range(len(whole), -1, -1):
        os.truncate(journal, size)
        replay = replay_journal(journal)
        assert whole[:size].rfind(b"\n") + 1 == replay.size
        assert replay.torn == (size != replay.size)
        if replay.torn:
            continue  # what stands before it was judged at its own cut
        again = set(planned(journal, ROWS))
        assert again.isdisjoint(known_at_gateway(journal)), size
        assert sendable - again == known_at_gateway(journal)
        opened = set(range(1, replay.high + 1))
        assert opened.isdisjoint(planned(journal, ROWS, boot=ANOTHER_BOOT)), size
    run.restore()
    print(f"\n{len(whole) + 1:,} cuts of the journal of a run of {ROWS} rows")


def known_at_gateway(journal: Path) -> set[int]:
    """Return the rows of which *journal* says that they may have arrived."""
    noted = journal_lines(journal)
    rows: set[int] = set()
    for line in noted:
        if line["t"] == "sent":
            rows |= rows_sent([line])
        elif line["t"] == "unsent":
            rows -= rows_sent([line | {"t": "sent"}])
    return rows


def test_a_journal_that_lost_its_end_is_given_away_by_the_bounce_log(run: Kept) -> None:
    """Cut off anywhere after the run, it is refused, or nothing that arrived is sent again."""
    stage = run.stage
    whole = run.files[stage.journal]
    refused = 0
    cuts = [0, *(place for place, byte in enumerate(whole, 1) if byte == 0x0A)]
    for size in cuts:
        stage.journal.write_bytes(whole[:size])
        for boot in (None, ANOTHER_BOOT):
            if evidence(stage, boot) is not None:
                refused += 1
            else:
                assert [] == planned(stage.journal, ROWS, boot=boot), size
    run.restore()
    assert refused >= len(cuts) // 2
    print(f"\n{refused} of {2 * len(cuts)} journals cut between two lines refused")


@pytest.mark.parametrize("kept", [0, 2, 5])
def test_a_run_with_a_journal_that_lost_its_end_is_not_resumed(small: Kept, kept: int) -> None:
    """The refusal names both files; check finds it; nothing is sent."""
    stage = small.stage
    lines = small.files[stage.journal].splitlines(keepends=True)
    before = stage.stats.requests
    with small.damaged(stage.journal, b"".join(lines[:kept])):
        result = stage.runs_command("resume", "r1")
        found = stage.runs_command("check", "r1")

    assert INVALID == result.exit_code, result.stderr
    assert f"{stage.journal}: the journal has lost lines" in result.errors[0]
    assert str(stage.folder / "bounces.jsonl") in result.errors[0]
    assert (FINDINGS, True) == (found.exit_code, "has lost lines" in found.stdout)
    assert before == stage.stats.requests


def test_a_run_is_resumed_wherever_its_journal_ends(tmp_path: Path) -> None:
    """
    Cut at each line's end and in its middle, as a kill does, the run goes on and is finished.

    The bounce log has what a process writes after its journal and no more, or less.
    """
    tokens = listed(SMALL)
    with on_stage(tmp_path, Script(rules=(DEAD,), max_streams=2), tokens=tokens) as stage:
        stage.send_list("--connections", "1")
        kept = Kept.of(stage)
        whole = kept.files[stage.journal]
        bounced = stage.bounce_log()
        ends = [size for size in range(len(whole) + 1) if whole[:size][-1:] in (b"", b"\n")]
        cuts = sorted({*ends, *(max(end - 20, 0) for end in ends)})
        requests = dict(stage.stats.requests_per_token)
        for number, size in enumerate(cuts):
            kept.restore()
            stage.journal.write_bytes(whole[:size])
            log = b"".join(logged(kept, bounced, stage))
            (stage.folder / "bounces.jsonl").write_bytes(log[: len(log) - 33 * (number % 3)])
            again = planned(stage.journal, SMALL)
            sent = stage.resume()
            after = dict(stage.stats.requests_per_token)
            assert {tokens[row - 1] for row in again} == {
                token for token in tokens if after[token] != requests[token]
            }, size
            assert all(after[token] - requests[token] <= 1 for token in tokens)
            requests = after
            assert SMALL == sum(sent.totals.values())
            assert 0 == sent.totals["not_sent"]
            assert sent.totals == stage.counted(), size
            rows = [line["row"] for line in stage.events("Bounced push")]
            assert len(rows) == len(set(rows)), size
            check = stage.runs_command("check", "r1")
            assert (0, "") == (check.exit_code, check.stdout), size
        print(f"\n{len(cuts)} resumes")


def logged(kept: Kept, bounced: list[dict[str, object]], stage: Stage) -> Iterator[bytes]:
    """Yield the lines of the bounce log that follow from the journal as it is now."""
    rows = {
        line["record"]["row"] for line in journal_lines(stage.journal) if line["t"] == "outcome"
    }
    lines = kept.files[stage.folder / "bounces.jsonl"].splitlines(keepends=True)
    for raw, line in zip(lines, bounced, strict=True):
        if line.get("row") in rows:
            yield raw


def test_after_a_power_cut_all_that_was_opened_is_unknown(tmp_path: Path) -> None:
    """With another boot what was written last may be lost: opened rows are not sent again."""
    rows = WINDOW + 100
    with on_stage(tmp_path, Script(), tokens=rows) as stage:
        stage.send_list()
        lines = stage.journal.read_bytes().splitlines(keepends=True)
        opened = [number for number, line in enumerate(lines) if b'"t":"open"' in line]
        stage.journal.write_bytes(b"".join(lines[: opened[0] + 1]))

        assert list(range(WINDOW + 1, rows + 1)) == planned(stage.journal, rows, boot=ANOTHER_BOOT)
        assert list(range(1, rows + 1)) == planned(stage.journal, rows)


# -- flipped --------------------------------------------------------------------------------------


def test_any_byte_that_is_another_is_found_with_its_line(small: Kept) -> None:
    """Each byte in four ways, of a finished journal and of one whose process died: all refused."""
    stage = small.stage
    whole = small.files[stage.journal]
    sent = whole.rindex(b'{"t":"sent"')
    died = whole[: whole.index(b"\n", sent) + 1]
    tried = 0
    for data in (whole, died):
        stage.journal.write_bytes(data)
        for position in range(len(data)):
            place = (str(stage.journal), line_of(data, position))
            for pattern in PATTERNS:
                with flipped(stage.journal, position, pattern):
                    assert place == refusal(stage.journal), (position, pattern)
                tried += 1
    small.restore()
    print(f"\n{tried:,} single damaged bytes, all of a journal of {len(whole):,} bytes")


def test_a_sample_of_bytes_of_a_longer_journal(run: Kept) -> None:
    """A thousand places in the journal of 200 rows."""
    journal = run.stage.journal
    whole = run.files[journal]
    chance = random.Random(200)
    for _ in range(1000):
        position = chance.randrange(len(whole))
        with flipped(journal, position, chance.randint(1, 255)):
            assert (str(journal), line_of(whole, position)) == refusal(journal)


@pytest.mark.parametrize("line", [0, 2, -1])
def test_a_damaged_journal_is_refused_with_its_place(small: Kept, line: int) -> None:
    """The first line, one within, the last: nothing is guessed, nothing sent, no traceback."""
    stage = small.stage
    lines = small.files[stage.journal].splitlines(keepends=True)
    lines[line] = lines[line].replace(b'"t"', b'"T"')
    place = f"{stage.journal}:{lines.index(lines[line]) + 1}"
    before = stage.stats.requests
    with small.damaged(stage.journal, b"".join(lines)):
        for command in (["resume", "r1"], ["show", "r1"], ["show", "r1", "-o", "html"]):
            result = stage.runs_command(*command)
            assert INVALID == result.exit_code, command
            assert f"{place}: the journal is damaged here" in result.errors[0]
        check = stage.runs_command("check", "r1")
        assert (FINDINGS, True) == (check.exit_code, f"{place}: " in check.stdout)
        state = stage.runs_command("list", "-o", "jsonl")
        assert '"state":"damaged"' in state.stdout.replace(" ", "")
    assert before == stage.stats.requests
