"""``pushctl bounces follow`` as a process: what it shows, through rotation, and how it ends."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from unittest import mock

from cli.kit import run_cli, start_cli
from cli.test_bounces_list import bounce, write
from pushctl.records.following import Follower, Happening


class Following:
    """A running ``bounces follow`` and the lines that it writes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.readers: list[threading.Thread] = []
        self.out: queue.Queue[str] = queue.Queue()
        self.err: queue.Queue[str] = queue.Queue()
        for stream, lines in ((process.stdout, self.out), (process.stderr, self.err)):
            assert stream is not None
            reader = threading.Thread(target=_pass_on, args=(stream, lines), daemon=True)
            reader.start()
            self.readers.append(reader)

    def wait_for(self, words: str) -> None:
        """Return once a line of stderr holds *words*."""
        while words not in self.err.get(timeout=60):
            pass

    def row(self) -> int:
        """Return the row of the next bounce of -o jsonl."""
        return int(json.loads(self.out.get(timeout=60))["row"])


def _pass_on(stream: IO[str], lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line)


@contextlib.contextmanager
def following(folder: Path, *arguments: str) -> Iterator[Following]:
    """Follow the log of *folder* until the block ends."""
    process = start_cli("bounces", "follow", "bounces.jsonl", *arguments, cwd=folder)
    follow = Following(process)
    try:
        yield follow
    finally:
        process.kill()
        process.wait()
        for reader in follow.readers:
            reader.join()


def append(path: Path, *lines: str) -> None:
    """Append *lines* to the log."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(lines))


def test_it_goes_on_through_rotation_and_ends_with_a_summary(tmp_path: Path) -> None:
    """Earlier bounces, new ones, and those of the new file come once each; Ctrl-C exits 130."""
    path = write(tmp_path, bounce(1), bounce(2))
    with following(tmp_path, "-o", "jsonl", "--lines", "1") as follow:
        follow.wait_for("following ")
        assert 2 == follow.row()
        append(path, bounce(3))
        assert 3 == follow.row()
        path.rename(tmp_path / "bounces.jsonl.1")
        write(tmp_path, bounce(4))
        assert 4 == follow.row()
        follow.process.send_signal(signal.SIGINT)
        assert 130 == follow.process.wait(60)
        follow.wait_for("2 bounces in ")
        assert follow.out.empty()


def test_it_waits_for_a_log_filters_and_explains(tmp_path: Path) -> None:
    """A reason is explained once; what is not of the campaign is passed over; SIGTERM is 143."""
    with following(tmp_path, "--campaign", "spring") as follow:
        follow.wait_for("waiting for ")
        spring = {"campaign": "spring", "description": "It is inactive."}
        write(
            tmp_path,
            bounce(1, **spring),
            bounce(2, campaign="autumn", profile="other"),
            "not a bounce\n",
            bounce(3, **spring, profile="zoe"),
        )
        shown = [follow.out.get(timeout=60)]
        while "zoe" not in shown[-1]:
            shown.append(follow.out.get(timeout=60))
        follow.process.send_signal(signal.SIGTERM)
        assert 143 == follow.process.wait(60)

    text = "".join(shown)
    assert (1, 2) == (text.count("It is inactive."), text.count("410 Unregistered"))
    assert "other" not in text


def test_what_comes_while_it_begins_is_counted(tmp_path: Path) -> None:
    """A line written before the first look is new; the one that was there is shown, not counted."""
    path = write(tmp_path, bounce(1))
    poll = Follower.poll

    def late(follower: Follower) -> Iterator[Happening]:
        if bounce(2) not in path.read_text(encoding="utf-8"):
            append(path, bounce(2))
            signal.raise_signal(signal.SIGINT)
        return poll(follower)

    with mock.patch.object(Follower, "poll", late):
        result = run_cli("bounces", "follow", "bounces.jsonl", "-o", "jsonl", cwd=tmp_path)

    assert 130 == result.exit_code
    assert [1, 2] == [record["row"] for record in result.records]
    assert "1 bounce in " in result.stderr


def test_an_output_that_it_does_not_have(tmp_path: Path) -> None:
    """``follow -o csv`` is a usage error before anything is followed."""
    result = run_cli("bounces", "follow", "-o", "csv", cwd=tmp_path)

    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.errors))


def test_a_service_that_does_not_exist(tmp_path: Path) -> None:
    """A typo in --service is told with what was meant; it is not waited for in silence."""
    result = run_cli("bounces", "follow", "--service", "apn", cwd=tmp_path)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "did you mean 'apns'?" in result.stderr
