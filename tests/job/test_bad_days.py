"""
Bad days: connections cut, streams refused, quotas met, servers that fall silent, disks that fill.

After each the books are audited: the totals add up, the gateway accepted no token twice, and what
is uncertain is ``unknown``.  Each says (``pytest -s``) how often its fault fired.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from job.stage import Sent, Stage, android, ios, on_stage, staged
from pushctl.dispatch.runner import Runner
from pushctl.simulator import (
    ApnsKey,
    GoAway,
    Hang,
    Received,
    Reset,
    Rule,
    Say,
    Script,
    serve_in_thread,
)
from pushctl.wire.errors import ConnectFailed

ALL_WELL, REFUSED, UNREACHABLE, UNKNOWN = 0, 4, 5, 7
needs_a_quiet_machine = pytest.mark.skipif(
    bool(os.environ.get("CI")),
    reason="deadlines of one second: where others use the processors, answers come after them",
)


def fired(stage: Stage, kind: str, least: int) -> int:
    """Return how often a fault of *kind* fired; at least so often, or the test shows nothing."""
    times = stage.stats.faults.get(kind, 0)
    print(f"\n{kind}: {times} times, {stage.stats.connections} connections")
    assert times >= least
    return times


def all_accepted(stage: Stage, sent: Sent) -> None:
    """Check that nothing is uncertain: every token was accepted once."""
    assert ALL_WELL == sent.exit_code, sent.result.stderr
    assert len(stage.tokens) == sent.totals["accepted"]
    stage.audit(sent)


# -- connections ----------------------------------------------------------------------------------


def test_a_connection_that_is_cut_every_thirty_pushes(tmp_path: Path) -> None:
    """What was in flight when a connection was cut is unknown; all the rest is accepted."""
    streams = 12
    with on_stage(tmp_path, Script(cut_every=30, max_streams=streams), tokens=4500) as stage:
        sent = stage.send_list()

        cuts = fired(stage, "drop", 100)
        assert UNKNOWN == sent.exit_code
        assert {"ConnectionLost"} == set(sent.reasons)
        assert cuts <= sent.totals["unknown"] <= cuts * streams
        stage.audit(sent)


def test_a_goaway_every_twenty_five_pushes(tmp_path: Path) -> None:
    """A connection that is closed in good order costs nothing, answers in one piece with it."""
    with on_stage(tmp_path, Script(goaway_every=25, max_streams=50), tokens=3000) as stage:
        sent = stage.send_list()

        fired(stage, "goaway", 100)
        all_accepted(stage, sent)


def test_answers_long_after_a_goaway(tmp_path: Path) -> None:
    """What lies below the last stream is still answered, and the late answer counts."""
    rules = (
        Rule(pattern="aa*f", answer=GoAway(last_stream="this"), times=1),
        Rule(pattern="aa*1", answer="accept", delay_s=0.03),
    )
    with on_stage(tmp_path, Script(rules=rules, max_streams=50), tokens=2000) as stage:
        sent = stage.send_list()

        fired(stage, "goaway", 100)
        all_accepted(stage, sent)


@pytest.mark.parametrize("last", ["previous", "all"])
def test_a_goaway_below_or_far_above_what_is_in_flight(tmp_path: Path, last: str) -> None:
    """What lies above the last stream was not processed and goes again elsewhere."""
    goaway = GoAway(last_stream=last)  # type: ignore[arg-type]
    rule = Rule(pattern="aa*1", answer=goaway, times=1)
    with on_stage(tmp_path, Script(rules=(rule,), max_streams=40), tokens=3000) as stage:
        sent = stage.send_list()

        fired(stage, "goaway", 100)
        all_accepted(stage, sent)


def test_every_fifth_stream_is_refused(tmp_path: Path) -> None:
    """A refused stream was not processed: the push goes again, and none is lost or doubled."""
    with on_stage(tmp_path, Script(refuse_every=5), tokens=3000) as stage:
        sent = stage.send_list()

        fired(stage, "rst", 600)
        all_accepted(stage, sent)


def test_streams_that_are_reset_without_a_promise(tmp_path: Path) -> None:
    """INTERNAL_ERROR does not say that nothing was processed: the push is unknown."""
    rule = Rule(pattern="aa*7", answer=Reset(processed=True))
    with on_stage(tmp_path, Script(rules=(rule,)), tokens=2000) as stage:
        sent = stage.send_list()

        resets = fired(stage, "rst", 100)
        assert resets == sent.totals["unknown"]
        stage.audit(sent)


def test_a_status_without_an_end_is_an_answer(tmp_path: Path) -> None:
    """The status arrived, then the connection was cut: the service has accepted."""
    rule = Rule(pattern="aa*b", answer="half:drop", times=1)
    with on_stage(tmp_path, Script(rules=(rule,), max_streams=1), tokens=1000) as stage:
        sent = stage.send_list()

        fired(stage, "half", 50)
        all_accepted(stage, sent)


def test_the_stream_limit_goes_up_and_down(tmp_path: Path) -> None:
    """1, 1000, 1, 1000: the limit is followed at once, and nothing is lost on the way."""
    limits = ((300, 1), (350, 1000), (900, 1), (950, 1000), (1500, 2), (1600, 700))
    with on_stage(tmp_path, Script(stream_limits=limits), tokens=4000) as stage:
        sent = stage.send_list("--connections", "1")

        all_accepted(stage, sent)
        # What was on its way when the limit fell may be refused, no more.
        assert stage.stats.refused_streams <= 3 * 1000


@needs_a_quiet_machine
def test_a_stream_limit_of_nothing_does_not_hold_a_run_up_for_ever(tmp_path: Path) -> None:
    """A connection that takes no request within the timeout is given up for another."""
    with on_stage(tmp_path, Script(stream_limits=((400, 0),)), tokens=1000) as stage:
        sent = stage.send_list("--timeout", "1s", "--connections", "1")

        all_accepted(stage, sent)
        assert stage.stats.connections >= 2


def test_a_server_that_ends_every_connection_at_its_first_push(tmp_path: Path) -> None:
    """A service that takes nothing is given up soon: all is provably not sent."""
    rule = Rule(pattern="*", answer=GoAway(last_stream="previous"))
    with on_stage(tmp_path, Script(rules=(rule,)), tokens=500) as stage:
        sent = stage.send_list()

        assert UNREACHABLE == sent.exit_code
        assert 500 == sent.totals["not_sent"]
        assert stage.stats.connections <= 4
        stage.audit(sent)


# -- silence --------------------------------------------------------------------------------------


def test_a_server_that_accepts_and_never_answers(tmp_path: Path) -> None:
    """Three requests are unknown; the rest of the list is not burnt, and stays to be resumed."""
    with on_stage(tmp_path, Script(rules=(Rule(pattern="*", answer=Hang()),))) as stage:
        sent = stage.send_list("--timeout", "1s")

        hung = fired(stage, "hang", 3)
        assert UNREACHABLE == sent.exit_code
        assert hung == sent.totals["unknown"] == 3
        assert 1997 == sent.totals["not_sent"]
        stage.audit(sent)


@needs_a_quiet_machine
def test_a_server_that_falls_silent_in_the_middle(tmp_path: Path) -> None:
    """What was in flight is unknown; once the service answers again a resume sends the rest."""
    silence = Rule(answer=Hang(), each_token=False, after=700, times=154)
    script = Script(rules=(silence,), max_streams=150)
    with on_stage(tmp_path, script) as stage:
        sent = stage.send_list("--timeout", "1s", "--connections", "1")
        assert UNREACHABLE == sent.exit_code
        assert 100 <= sent.totals["unknown"] <= 150 + 3
        stage.audit(sent)

        while stage.stats.faults["hang"] < 154:
            before = sent.totals["unknown"]
            sent = stage.resume()
            assert sent.totals["unknown"] <= before + 3
            stage.audit(sent)
        sent = stage.resume()

        fired(stage, "hang", 154)
        assert UNKNOWN == sent.exit_code
        assert (1846, 154) == (sent.totals["accepted"], sent.totals["unknown"])
        stage.audit(sent)


def test_a_half_open_connection(tmp_path: Path) -> None:
    """The server stops reading: what it got is unknown, and the run goes on elsewhere."""
    stopped: list[int] = []

    def stop_reading(push: Received) -> None:
        stopped.append(0)
        if len(stopped) in (300, 900, 1500):
            assert simulator._entrance is not None
            for transport in list(simulator._entrance._transports):
                transport.pause_reading()
                transport.write = lambda data: None  # type: ignore[method-assign]

    script = Script(max_streams=60)
    with serve_in_thread(script=script, on_push=stop_reading) as simulator:
        stage = staged(tmp_path, simulator, [ios(row) for row in range(1, 2001)])
        sent = stage.send_list("--timeout", "1s", "--connections", "1")

        assert UNKNOWN == sent.exit_code
        assert {"NoAnswer"} == set(sent.reasons)
        assert 3 <= sent.totals["unknown"] <= 3 * 60 + 3
        assert stage.stats.connections >= 4
        stage.audit(sent)


# -- answers --------------------------------------------------------------------------------------


def test_a_storm_of_429_pauses_the_whole_project(tmp_path: Path) -> None:
    """FCM's quota is the project's: one 429 stops all sending until its Retry-After is over."""
    times: list[tuple[float, str | None]] = []

    def note(push: Received) -> None:
        times.append((time.monotonic(), push.reason))

    storm = Rule(
        answer=Say(reason="QUOTA_EXCEEDED", fields=(("retry-after", "1"),)),
        service="fcm",
        each_token=False,
        after=400,
        times=250,
    )
    tokens = [android(row) for row in range(1, 2001)]
    script = Script(rules=(storm,), max_streams=100)
    with on_stage(tmp_path, script, tokens=tokens, on_push=note) as stage:
        sent = stage.send_list("--connections", "1")

        assert 250 == stage.stats.reasons["fcm/QUOTA_EXCEEDED"]
        all_accepted(stage, sent)
        # Between the end of a burst of 429s and the next push lies what the service asked for.
        gaps = [
            after - before
            for (before, reason), (after, _) in itertools.pairwise(times)
            if reason == "QUOTA_EXCEEDED"
        ]
        pauses = [gap for gap in gaps if gap >= 1]
        print(f"\n429: 250 times in {len(pauses)} bursts, pauses of {pauses}")
        assert 1 <= len(pauses) <= 4


def test_five_per_cent_503(tmp_path: Path) -> None:
    """A 503 that falls inside --retry-for is tried again after the service's own delay."""
    tokens = [android(row, "OK" if row % 20 else "BUSY") for row in range(1, 3001)]
    busy = Rule(
        pattern="*:BUSY-*",
        answer=Say(status=503, reason="UNAVAILABLE", fields=(("retry-after", "1"),)),
        times=2,
    )
    with on_stage(tmp_path, Script(rules=(busy,)), tokens=tokens) as stage:
        sent = stage.send_list()

        assert 300 == stage.stats.reasons["fcm/UNAVAILABLE"]
        all_accepted(stage, sent)
        assert 3 == stage.stats.requests_per_token[tokens[19]]


def test_503_beyond_the_patience_of_the_run_is_rejected_and_retried_later(tmp_path: Path) -> None:
    """What ran out of retries is rejected; --retry-failed sends exactly that again."""
    busy = Rule(pattern="aa*5", answer="ServiceUnavailable", times=1)
    with on_stage(tmp_path, Script(rules=(busy,)), tokens=1600) as stage:
        sent = stage.send_list()
        assert 1 == sent.exit_code
        assert 100 == sent.totals["rejected"]
        stage.audit(sent)

        again = stage.resume()
        assert sent.totals == again.totals
        assert 1600 == stage.stats.requests

        sent = stage.resume("--retry-failed")
        assert 1700 == stage.stats.requests
        all_accepted(stage, sent)


# -- credentials ----------------------------------------------------------------------------------


def test_access_tokens_that_are_revoked_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """Each time one newer token is fetched, and what was answered 401 goes again."""
    accepted = 0

    def revoke(push: Received) -> None:
        nonlocal accepted
        accepted += push.status == 200
        if push.status == 200 and accepted in (500, 510, 2500):  # by the second, some meet it twice
            simulator.revoke_access_tokens()

    tokens = [android(row) for row in range(1, 3001)]
    with serve_in_thread(script=Script(max_streams=200), on_push=revoke) as simulator:
        stage = staged(tmp_path, simulator, tokens)
        sent = stage.send_list()

        refused = stage.stats.reasons["fcm/ACCESS_TOKEN_EXPIRED"]
        print(f"\n401: {refused} times, {stage.stats.token_requests} tokens fetched")
        assert refused >= 30
        assert 4 == stage.stats.token_requests
        all_accepted(stage, sent)


def test_a_provider_token_that_is_called_expired_once(tmp_path: Path) -> None:
    """One newer token is made, on a new connection, and the push goes again."""
    expired = Rule(token=ios(700), answer="ExpiredProviderToken", times=1)
    with on_stage(tmp_path, Script(rules=(expired,), max_streams=50)) as stage:
        sent = stage.send_list("--connections", "1")

        assert 1 == stage.stats.reasons["apns/ExpiredProviderToken"]
        assert 2 == len(stage.stats.provider_tokens)
        assert 2 == stage.stats.connections
        all_accepted(stage, sent)


@pytest.mark.parametrize("reason", ["IdleTimeout", "TooManyProviderTokenUpdates"])
def test_a_push_that_must_go_elsewhere_finds_its_way_alone(tmp_path: Path, reason: str) -> None:
    """The last push of a run is answered so that its connection is done: it is not forgotten."""
    rule = Rule(token=ios(1), answer=reason, times=1)
    with on_stage(tmp_path, Script(rules=(rule,)), tokens=1) as stage:
        sent = stage.send_list()

        assert 2 == stage.stats.requests == stage.stats.connections
        all_accepted(stage, sent)


def test_a_wrong_key_costs_one_request(tmp_path: Path) -> None:
    """The service does not know the key: one push is rejected, the list is not sent."""
    with on_stage(tmp_path, Script()) as stage:
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        stage.served.simulator.trust_key(
            stage.served.made.key_id, ApnsKey(other, stage.served.made.team_id)
        )
        sent = stage.send_list()

        assert REFUSED == sent.exit_code
        assert 1 == stage.stats.requests
        assert (1, 1999) == (sent.totals["rejected"], sent.totals["not_sent"])
        stage.audit(sent)


def test_both_services_in_one_run_and_each_has_its_trouble(tmp_path: Path) -> None:
    """Rows of two services lie mixed in the windows; each lane's retries keep to its own rows."""
    tokens = [ios(row) if row % 3 else android(row) for row in range(1, 3001)]
    rules = (
        Rule(pattern="aa*3", answer="goaway:previous", times=1),
        Rule(
            pattern="dTok*4:OK-*",
            answer=Say(status=503, reason="UNAVAILABLE", fields=(("retry-after", "1"),)),
            times=1,
        ),
    )
    script = Script(rules=rules, max_streams=30, refuse_every=7)
    with on_stage(tmp_path, script, tokens=tokens) as stage:
        sent = stage.send_list()

        fired(stage, "goaway", 100)
        fired(stage, "rst", 400)
        assert stage.stats.reasons["fcm/UNAVAILABLE"] >= 50
        all_accepted(stage, sent)


# -- what is around -------------------------------------------------------------------------------


def test_a_closed_stdout_never_stops_a_run(tmp_path: Path) -> None:
    """``| head -1``: the reader goes after one line, the run goes on to its end."""
    with on_stage(tmp_path, Script(), tokens=3000) as stage:
        with stage.start("-o", "jsonl") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            talk = process.stderr.read()
            process.wait(60)

        assert ALL_WELL == process.returncode, talk
        assert "Traceback" not in talk
        assert 3000 == stage.stats.accepted
        again = stage.resume()
        assert 3000 == stage.stats.requests
        all_accepted(stage, again)


def test_a_service_that_cannot_be_reached_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens at first: connecting is tried again, and the run goes through."""
    with on_stage(tmp_path, Script(), tokens=200) as stage:
        simulator = stage.served.simulator
        assert simulator._server is not None
        loop = simulator._server.get_loop()
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        failed = Runner._connect_failed
        failures: list[str] = []

        def come_back(runner: Runner, track: Any, problem: ConnectFailed) -> None:
            failed(runner, track, problem)
            failures.append(problem.stage)
            if len(failures) == 2:
                asyncio.run_coroutine_threadsafe(simulator.start(), loop)

        monkeypatch.setattr(Runner, "_connect_failed", come_back)
        sent = stage.send_list()

        assert ["connect", "connect"] == failures
        assert "trying again in 1 s" in sent.result.stderr
        assert "trying again in 2 s" in sent.result.stderr
        all_accepted(stage, sent)
