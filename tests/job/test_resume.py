"""Going on with a run: after Ctrl-C, a crash, a torn journal; with and without what was unknown."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from cli.kit import serving
from job.stage import HELLO, Stage, ios, on_stage, staged
from pushctl.job.resume import Again
from pushctl.records.folder import RunFolder, locked
from pushctl.simulator import Hang, Received, Rule, Say, Script, serve_in_thread

INVALID, STOPPED, UNKNOWN, INTERRUPTED = 3, 6, 7, 130
FRESH = Again()
RESEND = Again(on_unknown="resend")


# -- Ctrl-C ---------------------------------------------------------------------------------------


def test_ctrl_c_once_drains_and_a_resume_sends_the_rest(tmp_path: Path) -> None:
    """The totals add up although most of the list was never reached; nothing is sent twice."""
    sent_so_far = 0
    process = None

    def interrupt(push: Received) -> None:
        nonlocal sent_so_far
        sent_so_far += 1
        if sent_so_far == 2000 and process is not None:
            process.send_signal(signal.SIGINT)

    script = Script(delay_s=0.01, max_streams=100)
    with serve_in_thread(script=script, on_push=interrupt) as simulator:
        stage = staged(tmp_path, simulator, [ios(row) for row in range(1, 10_001)])
        with stage.start() as process:
            output, talk = process.communicate(timeout=60)

        assert INTERRUPTED == process.returncode, talk
        totals = json.loads(output)["totals"]
        assert 10_000 == totals["accepted"] + totals["not_sent"]
        assert stage.stats.accepted == totals["accepted"] < 10_000
        assert totals == stage.counted() == stage.events("Run finished")[-1]["totals"]

        sent = stage.resume()
        assert 0 == sent.exit_code
        assert 10_000 == sent.totals["accepted"] == stage.stats.requests
        stage.audit(sent)


def test_ctrl_c_twice_leaves_what_was_in_flight_unknown(tmp_path: Path) -> None:
    """The second one ends it at once; a resume does not send what may have arrived."""
    rules = (Rule(answer=Hang(), each_token=False, after=500, times=1000),)
    with on_stage(tmp_path, Script(rules=rules, max_streams=80)) as stage:
        with stage.start("--connections", "1") as process:
            assert process.stderr is not None
            while stage.stats.faults.get("hang", 0) < 60:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            while not process.stderr.readline().startswith("stopping: "):
                pass
            process.send_signal(signal.SIGINT)
            output, talk = process.communicate(timeout=10)
        assert INTERRUPTED == process.returncode, talk
        totals = json.loads(output)["totals"]
        in_flight = stage.stats.faults["hang"]
        assert in_flight == totals["unknown"] >= 60
        assert 2000 == sum(totals.values())

        requests = stage.stats.requests_per_token
        stage.served.simulator.play(Script())  # it answers again
        sent = stage.resume()
        assert UNKNOWN == sent.exit_code
        assert in_flight == sent.totals["unknown"]
        assert all(stage.stats.requests_per_token[token] == 1 for token in requests)
        stage.audit(sent)


def test_a_deadline_stops_a_run_that_a_resume_finishes(tmp_path: Path) -> None:
    """--max-duration ends the run in good order; the resume is not bound by it."""
    script = Script(delay_s=0.02, max_streams=20)
    with on_stage(tmp_path, script, tokens=2000) as stage:
        sent = stage.send_list("--max-duration", "1s", "--connections", "1")
        assert STOPPED == sent.exit_code
        assert sent.totals["not_sent"] >= 500
        stage.audit(sent)

        sent = stage.resume()
        assert (0, 2000) == (sent.exit_code, sent.totals["accepted"])
        stage.audit(sent)


# -- what is sent again ---------------------------------------------------------------------------


def test_what_is_resent_has_the_id_it_had(tmp_path: Path) -> None:
    """--on-unknown resend sends exactly what is unknown, with the same apns-id."""
    silent = Rule(pattern="ca*", answer=Hang(), times=1)
    with serving(tmp_path / "credentials", Script(rules=(silent,))) as served:
        (tmp_path / "shop").mkdir()
        stage = Stage(tmp_path / "shop", served, [ios(1), ios(2, "ca"), ios(3)])
        sent = stage.send_list("--timeout", "1s")
        assert (2, 1) == (sent.totals["accepted"], sent.totals["unknown"])

        assert sent.totals == stage.resume().totals
        assert 3 == len(served.pushes)
        sent = stage.resume("--on-unknown", "resend")

        assert (3, 0) == (sent.totals["accepted"], sent.totals["unknown"])
        first, again = (push for push in served.pushes if ios(2, "ca") in push.fields[":path"])
        assert first.fields["apns-id"] == again.fields["apns-id"]
        assert 4 == len(served.pushes)
        assert sent.totals == stage.counted()


def test_resending_from_the_start_is_bounded(tmp_path: Path) -> None:
    """``send --on-unknown resend`` tries a push that gets no answer three times in all."""
    rules = (Rule(token=ios(2), answer="drop"),)
    with on_stage(tmp_path, Script(rules=rules), tokens=3) as stage:
        sent = stage.send_list("--on-unknown", "resend")

        assert (2, 1) == (sent.totals["accepted"], sent.totals["unknown"])
        assert 3 == stage.stats.requests_per_token[ios(2)]


def test_a_failed_push_is_taken_up_only_when_asked(tmp_path: Path) -> None:
    """Dead tokens never go again; what may succeed later goes with --retry-failed."""
    rules = (
        Rule(pattern="de*", answer="Unregistered"),
        Rule(pattern="5c*", answer=Say(status=503, reason="ServiceUnavailable"), times=1),
    )
    tokens = [ios(1), ios(2, "de"), ios(3, "5c"), ios(4, "de")]
    with on_stage(tmp_path, Script(rules=rules), tokens=tokens) as stage:
        sent = stage.send_list()
        assert (1, 3) == (sent.totals["accepted"], sent.totals["rejected"])

        sent = stage.resume("--retry-failed")
        assert (2, 2) == (sent.totals["accepted"], sent.totals["rejected"])
        assert 1 == stage.stats.requests_per_token[ios(2, "de")]
        assert 2 == stage.stats.requests_per_token[ios(3, "5c")]
        assert 2 == stage.counted()["accepted"]
        assert sent.totals == stage.counted()
        stage.audit(sent)


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    """A resume of a run with nothing left opens no connection and changes no number."""
    with on_stage(tmp_path, Script(), tokens=5) as stage:
        sent = stage.send_list()
        again = stage.resume()

        assert (sent.totals, 0) == (again.totals, again.exit_code)
        assert 1 == stage.stats.connections
        stage.audit(again)


# -- what a resume refuses ------------------------------------------------------------------------


DYING = Script(rules=(Rule(pattern="de*", answer="Unregistered"),), max_streams=1)
LIST = [ios(1), ios(2, "de"), *map(ios, range(3, 21))]


def stopped_early(stage: Stage) -> None:
    """Leave a run behind that was stopped at its second push."""
    sent = stage.send_list("--stop-if", "bounced>0", "--connections", "1")
    assert (6, 18) == (sent.exit_code, sent.totals["not_sent"])


def test_a_changed_list_is_refused(tmp_path: Path) -> None:
    """Resume refuses another input, and goes on when the old one is back or out of the way."""
    with on_stage(tmp_path, DYING, tokens=LIST) as stage:
        stopped_early(stage)
        before = stage.stats.requests
        path = stage.folder / "list.txt"
        text = path.read_text()
        path.write_text(text + ios(999) + "\n")

        result = stage.runs_command("resume", "r1")
        assert INVALID == result.exit_code
        assert f"{path} has changed since the run began" in result.errors[0]
        assert "put the old one back" in result.hints[0]
        assert before == stage.stats.requests
        check = stage.runs_command("check", "r1")
        assert (1, True) == (check.exit_code, "has changed" in check.stdout)

        path.unlink()
        sent = stage.resume()
        assert 0 == sent.totals["not_sent"]
        stage.audit(sent)


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    """The second is refused while the first holds the run, and sends nothing."""
    with on_stage(tmp_path, DYING, tokens=LIST) as stage:
        stopped_early(stage)
        before = stage.stats.requests
        with locked(RunFolder("r1", stage.journal.parent)):
            result = stage.runs_command("resume", "r1")
            listed = stage.runs_command("list", "-o", "jsonl")

        assert INVALID == result.exit_code
        assert "another pushctl is working on run 'r1'" in result.errors[0]
        assert "running" == json.loads(listed.stdout)["state"]
        assert before == stage.stats.requests


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    """A second send cannot take the id of an earlier one, and leaves that one as it is."""
    with on_stage(tmp_path, Script(), tokens=3) as stage:
        stage.send_list()
        journal = stage.journal.read_bytes()
        result = stage.send("--tokens", "list.txt", *HELLO, "--run", "r1")

        assert (INVALID, 3) == (result.exit_code, stage.stats.requests)
        assert "there is a run 'r1' already" in result.errors[0]
        assert journal == stage.journal.read_bytes()


def test_a_run_that_never_began_says_so(tmp_path: Path) -> None:
    """A process that was killed while it prepared the list leaves a folder and no run."""
    with on_stage(tmp_path, Script(), tokens=3) as stage:
        folder = stage.folder / ".pushctl" / "runs" / "r1"
        folder.mkdir(parents=True)
        result = stage.runs_command("resume", "r1")

        assert INVALID == result.exit_code
        assert "never began" in result.errors[0]
        assert "" == stage.runs_command("list", "-o", "jsonl").stdout
        pruned = stage.runs_command("prune", "--older-than", "0")
        assert ("r1\n", False) == (pruned.stdout, folder.exists())


def test_the_run_may_move_to_a_copy_of_its_folder(tmp_path: Path) -> None:
    """What a run is lies in its folder: a copy that is put back goes on as the original would."""
    with on_stage(tmp_path, DYING, tokens=LIST) as stage:
        stopped_early(stage)
        folder = stage.journal.parent
        shutil.copytree(folder, tmp_path / "copy")
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "copy", folder)
        sent = stage.resume()

        assert 0 == sent.totals["not_sent"]
        stage.audit(sent)


@pytest.mark.parametrize("option", ["--on-unknown", "--fail-on"])
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, option: str) -> None:
    """A word that an option does not know is refused before anything is read."""
    with on_stage(tmp_path, Script(), tokens=1) as stage:
        stage.send_list()
        assert 2 == stage.runs_command("resume", "r1", option, "perhaps").exit_code
