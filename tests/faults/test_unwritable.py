"""
Folders that may not be written to, before and in the middle of a run, and a limit of file size.

Real processes; where the tests run as root, ``setpriv`` takes away what lets root write anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.field import HELLO, RUN, Field, ended, on_field

BOUNCED, INVALID, IO_FAILED = 1, 3, 74
TOKENS = 600
SEND = ("send", "--tokens", "list.txt", *HELLO, "--run", RUN, "-o", "json")


def as_anybody() -> tuple[str, ...]:
    """Return the command by way of which a process must keep to the modes of folders."""
    if os.geteuid():
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv")
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root may write anywhere, and setpriv may not change that here")
    return prefix


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    """Serve a gateway that answers late."""
    with on_field(tmp_path / "field", TOKENS, streams=20, delay_s=0.02) as field:
        yield field
        for folder, _, _ in os.walk(tmp_path):
            os.chmod(folder, 0o700)


def finished(field: Field) -> None:
    """Resume the run, and check that all was sent once."""
    result = field.runs("resume", RUN, "-o", "json")
    assert BOUNCED == result.exit_code, result.stderr
    audit = field.audit()
    assert [] == audit.duplicates == audit.lost == audit.unknown


def configured(field: Field, *lines: str) -> None:
    """Add *lines* to the config."""
    config = field.folder / "pushctl.yaml"
    config.write_text(config.read_text() + "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("what", ["state_dir", "bounce_log"])
@pytest.mark.parametrize("how", ["read-only", "file in the way"])
def test_what_cannot_be_made_is_said_before_anything_is_sent(
    field: Field, what: str, how: str
) -> None:
    """One error with the path and 74; nothing was sent, no run is left behind."""
    prefix = as_anybody()
    place = field.folder / "place"
    if how == "read-only":
        place.mkdir(mode=0o555)
    else:
        place.write_text("")
    configured(field, f"{what}: place/here")

    process = field.start_under(prefix, *SEND)
    output, talk = ended(process)
    code = process.returncode

    assert (IO_FAILED, "") == (code, output), talk
    assert f"could not make {place}" in talk or f"could not open {place / 'here'}" in talk
    assert how == "file in the way" or "Permission denied" in talk
    assert 0 == field.gateway.books()["received"]
    assert not field.journal.exists()
    assert not field.journal.parent.exists()


def test_a_folder_that_becomes_read_only_in_the_middle(field: Field) -> None:
    """What is open stays open: the run ends well; then a resume is refused, with the file."""
    prefix = as_anybody()
    process = field.start_under(prefix, *SEND)
    field.gateway.signals(process, signal.SIGSTOP, 200)
    runs = field.journal.parents[1]
    for folder in (field.journal.parent, runs):
        folder.chmod(0o555)
    process.send_signal(signal.SIGCONT)
    output, talk = ended(process)
    code = process.returncode
    assert BOUNCED == code, talk
    assert TOKENS == sum(json.loads(output)["totals"].values())

    field.journal.chmod(0o400)
    before = field.gateway.books()["received"]
    process = field.start_under(prefix, "runs", "resume", RUN)
    _, talk = ended(process)
    code = process.returncode
    assert IO_FAILED == code, talk
    assert str(field.journal) in talk
    assert before == field.gateway.books()["received"]
    audit = field.audit()
    assert [] == audit.duplicates == audit.lost == audit.unknown


def test_a_log_that_cannot_be_rotated_stops_the_run(field: Field) -> None:
    """Its folder turns read-only in the middle: 74, and a resume goes on when it is mended."""
    prefix = as_anybody()
    place = field.folder / "logs"
    place.mkdir()
    configured(field, "bounce_log: logs/bounces.jsonl", "bounce_log_max_size: 10kB")
    process = field.start_under(prefix, *SEND)
    field.gateway.signals(process, signal.SIGSTOP, 100)
    place.chmod(0o555)
    process.send_signal(signal.SIGCONT)
    output, talk = ended(process)
    code = process.returncode

    assert IO_FAILED == code, talk
    assert str(place / "bounces.jsonl") in talk
    totals = json.loads(output)["totals"]
    assert (TOKENS, 0) == (sum(totals.values()), totals["unknown"])
    assert totals["not_sent"] >= 1
    place.chmod(0o700)
    finished(field)


def limited(kibibytes: int) -> tuple[str, ...]:
    """Return the command by way of which no file can grow beyond that size."""
    if shutil.which("prlimit") is None:
        pytest.skip("there is no prlimit")
    return ("prlimit", f"--fsize={kibibytes * 1024}:{kibibytes * 1024}")


def test_a_journal_that_meets_a_limit_of_file_size(tmp_path: Path) -> None:
    """What is in flight cannot be noted any more: it is unknown, the rest is sent by a resume."""
    with on_field(tmp_path, 2000, streams=20, delay_s=0.005, dead_every=1) as field:
        options = ("--stop-if", "never", "--connections", "1")
        process = field.start_under(limited(1100), *SEND, *options)
        output, talk = ended(process)
        assert IO_FAILED == process.returncode, talk
        assert f"could not write {field.journal}: File too large" in talk
        assert 2000 == sum(json.loads(output)["totals"].values())
        assert 500 < field.gateway.books()["received"] < 2000

        field.runs("resume", RUN)
        audit = field.audit()
    assert [] == audit.duplicates == audit.lost
    assert 1 <= len(audit.unknown) <= 40


@pytest.mark.parametrize("kibibytes", [1, 4, 64])
def test_a_limit_of_file_size(field: Field, kibibytes: int) -> None:
    """Too small for a run to begin: 74, nothing is sent, and no run is left behind."""
    prefix = limited(kibibytes)
    process = field.start_under(prefix, *SEND)
    output, talk = ended(process)
    code = process.returncode

    assert (IO_FAILED, "") == (code, output), talk
    assert 0 == field.gateway.books()["received"]
    assert not field.journal.parent.exists()
