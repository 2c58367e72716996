"""Every socket call of a small run fails once: look-up, connect, each send, each receive."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from faults.failing import FailingSockets
from faults.field import RUN, on_field

TOKENS = 16
ENDINGS = {1, 5, 7}
"""Some bounced, the service was out of reach, some are unknown."""


def test_each_socket_call_fails_once(tmp_path: Path) -> None:
    """Whichever it is, the run ends in good order; a resume sends the rest, and nothing twice."""
    failed: Counter[str] = Counter()
    codes: Counter[int] = Counter()
    unknown = 0
    with on_field(tmp_path, TOKENS, streams=4, delay_s=0.001) as field:
        while True:
            failing = FailingSockets(failed.total() + 1)
            with failing.active():
                result = field.send("--retry-for", "0s", "--connections", "1")
            if failing.failed is None:
                break
            failed[failing.failed] += 1
            codes[result.exit_code] += 1
            what = (failed.total(), failing.failed, result.exit_code, result.stderr)
            assert "Traceback" not in result.stderr, what
            assert result.exit_code in ENDINGS, what
            resumed = field.runs("resume", RUN, "-o", "json")
            assert TOKENS == sum(resumed.document["totals"].values()), what
            audit = field.audit()
            assert [] == audit.duplicates == audit.lost, what
            assert len(audit.unknown) <= 4, what
            unknown += len(audit.unknown)
            field.gateway.tell(do="clear")
            shutil.rmtree(field.journal.parents[2])
            (field.folder / "bounces.jsonl").unlink()
    print(
        f"\n{failed.total()} socket calls failed, one a run: {dict(failed)}; exit codes"
        f" {dict(codes)}; {unknown} unknown in all"
    )
    assert {"connect", "send"} <= set(failed)
