"""The wall clock is set in the middle of a run: forward, back, by minutes, by hours."""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.kit import clean_environment
from faults.field import HELLO, RUN, Field, ended, on_field

BOUNCED = 1
TOKENS = 600
RATE = 300
BURST = 15
"""A pacer lets so many go at once."""
SLOT_S = 1800
RETIRED_AFTER_S = 3000


def start(field: Field, jump_s: int) -> subprocess.Popen[str]:
    """Start a send whose clock is set by *jump_s* on SIGUSR2."""
    program = str(Path(__file__).with_name("jumping.py"))
    options = (
        "--rate",
        str(RATE),
        "--connections",
        "1",
        "--tokens",
        "list.txt",
        *HELLO,
        "--run",
        RUN,
        "-o",
        "json",
    )
    return subprocess.Popen(
        [sys.executable, program, str(jump_s), "send", *options],
        cwd=field.folder,
        env=clean_environment(field.folder, 80, None),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("jump_s", [7200, 2400, -2400, -7200])
def test_a_clock_that_is_set_in_the_middle(tmp_path: Path, jump_s: int) -> None:
    """
    Nothing is doubled or lost, and neither pace nor latencies follow the clock.

    A provider token that is too old by the new clock is replaced once, on a new connection; set
    back, the connection goes on with the one it has.
    """
    with on_field(tmp_path, TOKENS, streams=50, delay_s=0.01) as field:
        begun = time.monotonic()
        process = start(field, jump_s)
        assert field.gateway.signals(process, signal.SIGUSR2, TOKENS // 3) is not None
        output, talk = ended(process)
        took_s = time.monotonic() - begun
        books = field.gateway.books()
        audit = field.audit()
        shown = field.runs("show", RUN, "-o", "jsonl").stdout.splitlines()

    assert BOUNCED == process.returncode, talk
    assert [] == audit.duplicates == audit.lost == audit.unknown
    assert took_s >= (TOKENS - BURST) / RATE  # faster would be above the rate
    document = json.loads(output)
    assert 0 < document["duration_s"] <= took_s
    records = [json.loads(line) for line in shown]
    assert TOKENS == len(records)
    assert all(0 <= record["latency_ms"] <= took_s * 1000 for record in records)
    times = [datetime.datetime.fromisoformat(record["time"]) for record in records]
    assert max(times) - min(times) <= datetime.timedelta(seconds=abs(jump_s) + took_s)
    issued = sorted(iat for iat, _ in books["issued"].values())
    print(f"\nclock set by {jump_s:+,} s: {len(issued)} provider tokens")
    if jump_s <= 0:
        assert 1 == len(issued) == books["connections"]
    elif jump_s > RETIRED_AFTER_S:
        assert 2 == len(issued) == books["connections"]
        assert issued[1] - issued[0] in (jump_s, jump_s + SLOT_S)
    else:
        assert len(issued) == books["connections"] <= 2
