"""Connections that are cut at random, a server that is stopped, a client that is stopped."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from faults.field import ended, on_field

UNREACHABLE, UNKNOWN, BOUNCED = 5, 7, 1


def test_connections_cut_at_random(tmp_path: Path) -> None:
    """Over a hundred cuts: what was in flight is unknown, nothing comes twice, nothing is lost."""
    streams = 40
    with on_field(tmp_path, 7000, streams=streams, delay_s=0.003) as field:
        field.gateway.tell(do="cut", least=10, most=60, seed=1)
        result = field.send("--stop-if", "never", "--retry-for", "10m")
        books = field.gateway.books()
        audit = field.audit()

    print(
        f"\n{books['cuts']} connections cut, {sum(books['lost'])} requests in flight on them,"
        f" {len(audit.unknown)} unknown of {len(field.tokens):,}"
    )
    assert UNKNOWN == result.exit_code, result.stderr
    assert books["cuts"] >= 100
    assert [] == audit.duplicates == audit.lost
    # Those that the gateway has counted, and those that were on their way to it.
    assert sum(books["lost"]) <= len(audit.unknown) <= books["cuts"] * streams


def test_a_server_that_is_stopped_is_noticed_and_a_resume_goes_on(tmp_path: Path) -> None:
    """While it still stands: the run ends, what was in flight is unknown, the rest not sent."""
    with on_field(tmp_path, 3000, streams=150) as field:
        process = field.start("--timeout", "3s", "--retry-for", "0s", "--connections", "1")
        gateway = field.gateway
        in_flight = gateway.signals(gateway.process, signal.SIGSTOP, 700)  # type: ignore[arg-type]
        output, talk = ended(process)
        assert UNREACHABLE == process.returncode, talk
        totals = json.loads(output)["totals"]
        assert in_flight is not None
        assert in_flight >= 100
        assert 100 <= totals["unknown"] <= 150 + 3
        assert totals["not_sent"] >= 1000

        gateway.go_on()
        gateway.wait_until_quiet()
        result = field.runs("resume", "r1", "-o", "json")
        audit = field.audit()

    print(f"\nstopped with {in_flight} in flight: {len(audit.unknown)} unknown")
    assert UNKNOWN == result.exit_code, result.stderr
    assert [] == audit.duplicates == audit.lost
    assert totals["unknown"] == len(audit.unknown)


def test_a_client_that_is_stopped_reads_its_answers_before_it_gives_them_up(tmp_path: Path) -> None:
    """Stopped for longer than the timeout: the answers have come meanwhile, and all count."""
    with on_field(tmp_path, 3000, streams=150) as field:
        process = field.start("--timeout", "3s", "--connections", "1")
        waited = 0
        for _ in range(2):
            in_flight = field.gateway.signals(process, signal.SIGSTOP, 600)
            assert in_flight is not None
            waited += in_flight
            field.gateway.wait_until_quiet()
            time.sleep(3.2)  # its deadlines must be over; there is no event for that
            process.send_signal(signal.SIGCONT)
        _, talk = ended(process)
        books = field.gateway.books()
        audit = field.audit()

    print(f"\nstopped twice with {waited} in flight: {len(audit.unknown)} unknown")
    assert BOUNCED == process.returncode, talk
    assert [] == audit.duplicates == audit.lost == audit.unknown
    assert 1 == books["connections"]
