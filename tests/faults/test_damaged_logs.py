"""
A bounce log that lost its end anywhere, and one in which any byte is another.

It has no checksums, for others read and write it too.  A damaged line costs itself, or the line it
ran into, and no other; the journal, not the log, decides what is sent.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.kit import Result, run_cli
from cli.test_bounces_follow import following
from faults.damage import PATTERNS, Kept, flipped
from job.stage import HELLO, Stage, ios, on_stage
from pushctl.job.runs import check_run
from pushctl.records.bounce_log import logged_run
from pushctl.records.folder import RunFolder
from pushctl.records.following import Follower, Line
from pushctl.records.reading import Bounce, read_line
from pushctl.simulator import Rule, Script

ROWS = 24
DEAD = range(4, ROWS + 1, 4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Send to a list with dead tokens in it, and keep what that left behind."""
    script = Script(rules=(Rule(pattern="de*", answer="Unregistered"),))
    tokens = [ios(row, "de" if row in DEAD else "aa") for row in range(1, ROWS + 1)]
    with on_stage(tmp_path_factory.mktemp("run"), script, tokens=tokens) as stage:
        stage.send_list()
        yield Kept.of(stage)


def log_of(kept: Kept) -> Path:
    """Return where the bounce log is."""
    return kept.stage.folder / "bounces.jsonl"


def untouched(whole: bytes, first: int, last: int) -> set[int]:
    """Return the rows of the bounces that lie wholly outside of bytes *first* to *last*."""
    rows, place = set(), 0
    if whole[last : last + 1] == b"\n":
        last += 1  # the line runs into the next
    for raw in whole.splitlines(keepends=True):
        if place + len(raw) < first or place > last:
            line = json.loads(raw)
            if line["event"] == "Bounced push":
                rows.add(line["row"])
        place += len(raw)
    return rows


def rows_read(path: Path) -> set[int]:
    """Return the rows of the bounces as every reader of logs understands its lines."""
    found = (read_line(raw) for raw in path.read_bytes().splitlines())
    return {one.record["row"] for one in found if isinstance(one, Bounce)}


def test_a_damaged_byte_costs_its_own_line_and_no_other(run: Kept) -> None:
    """Each byte in four ways: neither reader raises, and all other lines are what they were."""
    path = log_of(run)
    whole = run.files[path]
    for position in range(len(whole)):
        others = untouched(whole, position, position)
        for pattern in PATTERNS if position % 4 == 0 else PATTERNS[:1]:
            with flipped(path, position, pattern):
                assert others <= rows_read(path), (position, pattern)
                assert others <= {*logged_run(path, "r1", 99).rows}, (position, pattern)
    print(f"\n{len(whole):,} bytes of a bounce log damaged one by one")


def test_a_log_that_lost_its_end_keeps_every_whole_line(run: Kept) -> None:
    """Cut at each byte: what stands before the cut is read."""
    path = log_of(run)
    whole = run.files[path]
    for size in range(len(whole), -1, -1):
        os.truncate(path, size)
        lines = whole[:size].count(b"\n")
        expected = {4 * number for number in range(1, min(lines, len(DEAD)) + 1)}
        assert expected <= {*logged_run(path, "r1", 99).rows}
        assert expected <= rows_read(path)
        with Follower(path) as follower:
            follower.begin(1_000_000, lambda raw: True)
            heard = [one for one in follower.poll() if isinstance(one, Line)]
        assert lines == len(heard)
    run.restore()
    print(f"\n{len(whole) + 1:,} cuts of a bounce log")


def test_check_finds_every_bounce_that_is_not_what_the_journal_holds(run: Kept) -> None:
    """A damaged line of a bounce is found, wherever the damage is."""
    path = log_of(run)
    whole = run.files[path]
    end = whole.index(b'{"schema":1,"event":"Push counts"')
    folder = RunFolder("r1", run.stage.journal.parent)
    assert [] == check_run(folder)
    for position in range(0, end, 5):
        with flipped(path, position, PATTERNS[position % 4]):
            found = check_run(folder)
        assert found, position
        assert all(str(path) in sentence or "bounce log" in sentence for sentence in found)


# -- the commands ---------------------------------------------------------------------------------


def broken(position: int, pattern: int) -> Callable[[bytes], tuple[bytes, int, int]]:
    """Return a damage: the byte at *position*, counted from the end where negative, is another."""

    def damage(whole: bytes) -> tuple[bytes, int, int]:
        place = position % len(whole)
        data = bytearray(whole)
        data[place] ^= pattern
        return bytes(data), place, place

    return damage


def line_end_gone(whole: bytes) -> tuple[bytes, int, int]:
    """A line runs into the next."""
    place = whole.index(b"\n")
    return whole[:place] + b" " + whole[place + 1 :], place, place


def hole(whole: bytes) -> tuple[bytes, int, int]:
    """A block that was never written: zeros, as a power cut may leave."""
    return whole[:1500] + bytes(600) + whole[2100:], 1500, 2100


def half(whole: bytes) -> tuple[bytes, int, int]:
    """The second half is gone, in the middle of a line."""
    return whole[: len(whole) // 2], len(whole) // 2, len(whole)


def nothing(whole: bytes) -> tuple[bytes, int, int]:
    """The file is empty."""
    return b"", 0, len(whole)


def deep(whole: bytes) -> tuple[bytes, int, int]:
    """A line that is nested deeper than any parser follows, and names the run."""
    line = b'{"run":"r1","event":"Bounced push","row":' + b"[" * 50_000 + b"]" * 50_000 + b"}\n"
    return line + whole, 0, 0


def odd(whole: bytes) -> tuple[bytes, int, int]:
    """Lines of the run whose values are of other types."""
    lines = [
        {"event": "Bounced push", "run": "r1", "row": "4"},
        {"event": "Bounced push", "run": "r1"},
        {"event": "Push counts", "run": "r1", "seq": None},
        {"event": "Push counts", "run": "r1", "seq": 9, "accepted": "many", "hour": 7},
        {"event": "Run finished", "run": "r1", "totals": []},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return whole + text.encode(), len(whole) + len(text), len(whole) + len(text)


DAMAGES = {
    "byte": broken(700, 2),
    "no text": broken(400, 128),
    "quote": broken(1, 4),
    "last byte": broken(-1, 255),
    "line end": line_end_gone,
    "hole": hole,
    "half": half,
    "nothing": nothing,
    "deep": deep,
    "odd": odd,
}


def sound(result: Result) -> Result:
    """Check that *result* is no crash, and return it."""
    assert result.exit_code in (0, 1), result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.mark.parametrize("name", DAMAGES)
def test_commands_over_a_damaged_log(run: Kept, name: str) -> None:
    """List, tokens, suppress and resume take all that is whole, report goes on; none crashes."""
    stage, path = run.stage, log_of(run)
    data, first, last = DAMAGES[name](run.files[path])
    others = untouched(run.files[path], first, last)
    tokens = {stage.tokens[row - 1] for row in others}
    with run.damaged(path, data):
        listed = sound(run_cli("bounces", "list", "-o", "jsonl", cwd=stage.folder))
        assert others <= {json.loads(line)["row"] for line in listed.stdout.splitlines()}
        gone = sound(run_cli("bounces", "tokens", cwd=stage.folder))
        assert tokens <= set(gone.stdout.replace(",", "\n").split())
        sound(run_cli("bounces", "report", cwd=stage.folder))
        rehearsed = sound(
            stage.send("--tokens", "list.txt", *HELLO, "--suppress", path.name, "--dry-run")
        )
        assert "internal error" not in rehearsed.stderr
        resumed(stage, path)


def resumed(stage: Stage, path: Path) -> None:
    """Check that a resume sends nothing, and gives each rejected row its line."""
    before = stage.stats.requests
    sent = stage.resume()
    assert before == stage.stats.requests
    assert (ROWS - len(DEAD), len(DEAD)) == (sent.totals["accepted"], sent.totals["rejected"])
    assert set(DEAD) <= {*logged_run(path, "r1", 99).rows}


def test_follow_goes_on_after_damage(run: Kept) -> None:
    """A process that follows shows every whole bounce, before and behind what is damaged."""
    stage, path = run.stage, log_of(run)
    chance = random.Random(3)
    data, first, last = hole(run.files[path])
    others = untouched(run.files[path], first, last)
    with run.damaged(path, data), following(stage.folder, "-n", "100", "-o", "jsonl") as follow:
        assert sorted(others) == [follow.row() for _ in others]
        with path.open("ab") as log:
            log.write(chance.randbytes(300).replace(b"\n", b"") + b"\n")
            log.write(run.files[path].splitlines(keepends=True)[0])
        assert DEAD[0] == follow.row()
