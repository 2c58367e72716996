"""A scenario file played by ``pushctl simulate``, met by ``pushctl send``: what both wrote down."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from cli.kit import android, ios, run_cli, start_cli

HELLO = ("--title", "Hello", "-o", "jsonl", "--canary", "0", "--stop-if", "never")


class Playing:
    """``pushctl simulate --scenario --record`` as a process, and a folder to send to it from."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.folder = folder
        (folder / "scenario.yaml").write_text(scenario)
        self._process = start_cli(
            *("simulate", "--port", "0", "--no-page", "--folder", "simulator"),
            *("--scenario", "scenario.yaml", "--record", "received.jsonl"),
            cwd=folder,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Ctrl-C" in line:
                return
        raise AssertionError(f"it did not start: exit {self._process.wait()}")

    def send(self, token: str) -> tuple[int, dict[str, Any]]:
        """Run ``pushctl send`` in this process; return its exit code and its record."""
        found = run_cli("send", *self._options(), "--token", token, cwd=self.folder)
        return found.exit_code, found.record

    def send_list(self, tokens: list[str]) -> list[dict[str, Any]]:
        """Run ``pushctl send --tokens`` as a process of its own; return its records."""
        (self.folder / "tokens.txt").write_text("\n".join(tokens) + "\n")
        arguments = [*self._options(), "--tokens", "tokens.txt"]
        process = start_cli("send", *arguments, cwd=self.folder)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode in (0, 1, 7), stderr
        return [json.loads(line) for line in stdout.splitlines()]

    def _options(self) -> list[str]:
        config = ("--config", "simulator/pushctl.yaml")
        return [*config, *HELLO, "--timeout", "2s", "--retry-for", "5s"]

    def stop(self) -> list[dict[str, Any]]:
        """Stop it as a user does; return what it has recorded."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)
        assert 0 == self._process.returncode
        text = (self.folder / "received.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def kill(self) -> None:
        """End it for good."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def playing(folder: Path, scenario: str) -> Iterator[Playing]:
    """Play *scenario* until the block ends."""
    folder.mkdir(exist_ok=True)
    found = Playing(folder, scenario)
    try:
        yield found
    finally:
        found.kill()


@dataclasses.dataclass(frozen=True)
class Case:
    """A rule, the token it is for, and what either side has to say of it."""

    rule: str
    token: str
    sent: tuple[str, int | None, str | None, int]
    """The sender's outcome, status, reason and attempts."""
    received: list[tuple[str, int | None, str | None, str | None]]
    """The record's outcome, status, reason and fault of each request."""

    def line(self) -> str:
        """Return the rule as a line of the scenario."""
        return f'  - {{token: "{self.token}", {self.rule}}}\n' if self.rule else ""


GOOD = ("accepted", 200, None, None)
ANSWERS = [
    Case("", ios(1), ("accepted", 200, None, 1), [GOOD]),
    Case(
        "answer: Unregistered, timestamp: 2026-09-21T14:13:20Z",
        ios(2),
        ("rejected", 410, "Unregistered", 1),
        [("rejected", 410, "Unregistered", None)],
    ),
    Case(
        "answer: BrandNewReason, status: 418",
        ios(3),
        ("rejected", 418, "BrandNewReason", 1),
        [("rejected", 418, "BrandNewReason", None)],
    ),
    Case(
        "answer: TooManyProviderTokenUpdates, times: 1",
        ios(4),
        ("accepted", 200, None, 2),  # on another connection
        [("rejected", 429, "TooManyProviderTokenUpdates", None), GOOD],
    ),
    Case(
        'answer: 503, headers: {server: gws}, body: "<html>"',
        ios(5),
        ("rejected", 503, None, 1),
        [("rejected", 503, "503", None)],
    ),
    Case("answer: accept, delay: 300ms", ios(6), ("accepted", 200, None, 1), [GOOD]),
    Case(
        'answer: "rst:REFUSED_STREAM", times: 2',
        ios(7),
        ("accepted", 200, None, 1),  # an attempt that was provably not processed is none
        [("unprocessed", None, None, "rst")] * 2 + [GOOD],
    ),
    Case(
        'answer: "rst:INTERNAL_ERROR", processed: false',
        ios(8),
        ("unknown", None, "ConnectionLost", 1),
        [("unprocessed", None, None, "rst")],
    ),
    Case(
        "answer: hang",
        ios(9),
        ("unknown", None, "NoAnswer", 1),
        [("accepted", None, None, "hang")],
    ),
    Case(
        "answer: half, half_of: BadDeviceToken",
        ios(10),
        ("rejected", 400, None, 1),  # the status came, its reason did not
        [("rejected", None, "BadDeviceToken", "half")],
    ),
    Case(
        "answer: UNREGISTERED",
        android(1),
        ("rejected", 404, "UNREGISTERED", 1),
        [("rejected", 404, "UNREGISTERED", None)],
    ),
    Case(
        "answer: QUOTA_EXCEEDED, retry_after: 1, times: 1",
        android(2),
        ("accepted", 200, None, 2),
        [("rejected", 429, "QUOTA_EXCEEDED", None), GOOD],
    ),
    Case(
        "answer: UNAVAILABLE, retry_after_date: 1, times: 1",
        android(3),
        ("accepted", 200, None, 2),
        [("rejected", 503, "UNAVAILABLE", None), GOOD],
    ),
    Case(
        'answer: "(html 404)"',
        android(4),
        ("rejected", 404, None, 1),
        [("rejected", 404, "(html 404)", None)],
    ),
    Case(
        "answer: INVALID_ARGUMENT/bad_ttl",
        android(5),
        ("rejected", 400, "INVALID_ARGUMENT", 1),
        [("rejected", 400, "INVALID_ARGUMENT/bad_ttl", None)],
    ),
    Case(
        "answer: 502",
        android(6),
        ("rejected", 502, None, 1),
        [("rejected", 502, "502", None)],
    ),
    Case(
        "answer: THIRD_PARTY_AUTH_ERROR",
        android(7),
        ("rejected", 401, "THIRD_PARTY_AUTH_ERROR", 1),
        [("rejected", 401, "THIRD_PARTY_AUTH_ERROR", None)],
    ),
]


def test_every_kind_of_answer(tmp_path: Path) -> None:
    """What a scenario says of a token is what the sender is told and what the record holds."""
    scenario = "rules:\n" + "".join(case.line() for case in ANSWERS)
    with playing(tmp_path / "day", scenario) as simulator:
        sent = {one["token"]: one for one in simulator.send_list([case.token for case in ANSWERS])}
        record = simulator.stop()

    assert {case.token: case.sent for case in ANSWERS} == {
        token: (one["outcome"], one["status"], one["reason"], one["attempts"])
        for token, one in sent.items()
    }
    assert {case.token: case.received for case in ANSWERS} == by_target(record)
    assert "2026-09-21T14:13:20.000Z" == sent[ios(2)]["dead_since"]
    assert sent[ios(6)]["latency_ms"] >= 300
    first = {one["target"]: one for one in reversed(record)}
    assert (300, 0) == (first[ios(6)]["delay_ms"], first[ios(1)]["delay_ms"])
    busy, away = (first[android(number)]["answer"]["headers"] for number in (2, 3))
    assert "1" == busy["retry-after"]
    wait = parsedate_to_datetime(away["retry-after"]) - parsedate_to_datetime(away["date"])
    assert 1 == wait.total_seconds()
    broken = first[ios(5)]["answer"]
    assert ("<html>", "gws") == (broken["body"], broken["headers"]["server"])


def by_target(record: list[dict[str, Any]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a record says of each token, in the order of the requests."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for one in sorted(record, key=lambda one: int(one["number"])):
        if one["service"] in ("apns", "fcm"):
            said = (one["outcome"], one["status"], one["reason"], one["fault"])
            found.setdefault(one["target"], []).append(said)
    return found


LOST = ("unknown", None, "ConnectionLost", 1)
FAULTS = [
    Case("answer: drop", ios(1), LOST, [("accepted", None, None, "drop")]),
    Case("answer: drop, processed: false", ios(2), LOST, [("unprocessed", None, None, "drop")]),
    Case("answer: half, then: drop", ios(3), ("accepted", 200, None, 1), [
        ("accepted", None, None, "half"),
    ]),
    Case("answer: silence", ios(4), ("unknown", None, "NoAnswer", 1), [
        ("accepted", None, None, "silence"),
    ]),
    Case("answer: goaway, answers: before", ios(5), ("accepted", 200, None, 1), [
        ("accepted", 200, None, "goaway"),
    ]),
    Case("answer: goaway, answers: together, code: INTERNAL_ERROR", ios(6),
         ("accepted", 200, None, 1), [("accepted", 200, None, "goaway")]),
    Case("answer: goaway, answers: after, debug: '{\"reason\":\"Shutdown\"}'", ios(7),
         ("accepted", 200, None, 1), [("accepted", 200, None, "goaway")]),
    Case("answer: goaway, last_stream: previous, times: 1", ios(8), ("accepted", 200, None, 1), [
        ("unprocessed", None, None, "goaway"), GOOD,
    ]),
    Case("answer: goaway, last_stream: all", ios(9), ("accepted", 200, None, 1), [
        ("accepted", 200, None, "goaway"),
    ]),
    Case("answer: wedge, service: apns, times: 1", ios(10), ("accepted", 200, None, 2), [
        ("rejected", 403, "ExpiredProviderToken", None), GOOD,
    ]),
    Case("answer: drop, service: fcm", android(1), LOST, [("accepted", None, None, "drop")]),
]  # fmt: skip


def test_faults_of_the_connection(tmp_path: Path) -> None:
    """Cut, silent, half, wedged and GOAWAY: never told as more or less than what is known."""
    scenario = "rules:\n" + "".join(case.line() for case in FAULTS)
    sent = {}
    with playing(tmp_path / "day", scenario) as simulator:
        for case in FAULTS:
            _, one = simulator.send(case.token)
            sent[case.token] = (one["outcome"], one["status"], one["reason"], one["attempts"])
        record = simulator.stop()

    assert {case.token: case.sent for case in FAULTS} == sent
    assert {case.token: case.received for case in FAULTS} == by_target(record)
    wedged = [one["connection"] for one in record if one["target"] == ios(10)]
    assert 2 == len(set(wedged))  # a wedged connection is left


def test_limits_counts_and_shares(tmp_path: Path) -> None:
    """Stream limits up and down, refusals, GOAWAY and counted rules: each token told right once."""
    scenario = """
    streams: {first: 1, then: 20, later: [{after: 10, limit: 1}, {after: 20, limit: 1000}]}
    every: {refuse: 17, goaway: 90}
    rules:
      - {pattern: "bb*", answer: BadDeviceToken, share: 25%}
      - {pattern: "cc*", answer: DeviceTokenNotForTopic, count: together, after: 10, every: 4}
      - {pattern: "dd*", answer: BadTopic, after: 1, times: 1}
    """
    groups = {byte: [ios(number, byte) for number in range(100)] for byte in ("aa", "bb", "cc")}
    tokens = [token for group in groups.values() for token in group]
    with playing(tmp_path / "day", scenario) as simulator:
        first = simulator.send_list(tokens)
        again = simulator.send_list(groups["bb"])
        thrice = [simulator.send(ios(1, "dd"))[1]["reason"] for _ in range(3)]
        record = simulator.stop()

    reasons = {one["token"]: one["reason"] for one in first}
    assert len(tokens) == len(first) == len(reasons)
    counted = Counter(reasons.values())
    assert {"BadDeviceToken", "DeviceTokenNotForTopic", None} == set(counted)
    assert 22 == counted["DeviceTokenNotForTopic"]  # (100 - 10) / 4
    assert 0 < counted["BadDeviceToken"] < 50
    chosen = {token for token, reason in reasons.items() if reason == "BadDeviceToken"}
    assert chosen == {one["token"] for one in again if one["reason"]}  # the same tokens again
    assert [None, "BadTopic", None] == thrice
    told = Counter(one["target"] for one in record if one["outcome"] in ("accepted", "rejected"))
    twice = set(groups["bb"])
    assert {token: 1 + (token in twice) for token in tokens} == {
        token: count for token, count in told.items() if token in reasons
    }
    faults = Counter(one["fault"] for one in record)
    assert faults["rst"] >= 17
    assert faults["goaway"] >= 2
    assert not [one for one in record if one["reason"] == "above the stream limit"]


def test_quotas(tmp_path: Path) -> None:
    """Above a quota is 429 until the period is over; a sender that waits gets everything in."""
    scenario = """
    quotas:
      - {service: apns, pushes: 3, per: 1h}
      - {service: fcm, pushes: 4, per: 1s}
    """
    tokens = [*(ios(number) for number in range(5)), *(android(number) for number in range(10))]
    with playing(tmp_path / "day", scenario) as simulator:
        sent = simulator.send_list(tokens)
        record = simulator.stop()

    found = Counter((one["service"], one["outcome"], one["reason"]) for one in sent)
    assert {
        ("apns", "accepted", None): 3,
        ("apns", "rejected", "TooManyRequests"): 2,
        ("fcm", "accepted", None): 10,
    } == found
    late = [one for one in record if one["reason"] == "RATE_LIMIT_EXCEEDED"]
    assert 2 <= len(late)  # however the ten lie to the beginning of a period
    assert {"1"} == {one["answer"]["headers"]["retry-after"] for one in late}


def test_the_token_endpoint_fails_as_told(tmp_path: Path) -> None:
    """A refused account is exit 4; a grant that broke down once is asked for again."""
    scenario = """
    access_tokens: {lifetime: 120}
    rules:
      - {service: oauth, answer: disabled_client, times: 1}
      - {service: oauth, answer: server_side, times: 1}
    """
    with playing(tmp_path / "day", scenario) as simulator:
        runs = [simulator.send(android(number)) for number in range(1, 3)]
        record = simulator.stop()

    assert [(4, "not_sent", "CredentialsRefused"), (0, "accepted", None)] == [
        (code, one["outcome"], one["reason"]) for code, one in runs
    ]
    asked = [one for one in record if one["service"] == "oauth"]
    assert [(401, "disabled_client"), (500, "server_side"), (200, None)] == [
        (one["status"], one["reason"]) for one in asked
    ]
    assert 120 == asked[2]["answer"]["body"]["expires_in"]


def test_a_connection_that_is_not_let_in(tmp_path: Path) -> None:
    """The first connection is closed at once; the sender comes again, and sends once."""
    with playing(tmp_path / "day", "connections: [{answer: close, times: 1}]") as simulator:
        code, one = simulator.send(ios(1))
        record = simulator.stop()

    assert (0, "accepted", 1) == (code, one["outcome"], one["attempts"])
    assert {ios(1): [GOOD]} == by_target(record)


def test_a_scenario_that_is_wrong_is_told_before_anything_is_made(tmp_path: Path) -> None:
    """Every mistake with its place, exit 3, and no folder of credentials."""
    (tmp_path / "day.yaml").write_text("rules:\n  - {answer: hang, timess: 1}\ndelay: soon\n")

    found = run_cli("simulate", "--scenario", "day.yaml", cwd=tmp_path)

    assert 3 == found.exit_code
    assert ["day.yaml:3:8: `delay` must be a duration", "day.yaml:2:20: unknown key 'timess'"] == (
        found.errors
    )
    assert ["day.yaml"] == [path.name for path in tmp_path.iterdir()]


def test_a_record_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    """A folder that is not there is told at once, exit 74."""
    options = ("--port", "0", "--no-page", "--record", "nowhere/received.jsonl")

    found = run_cli("simulate", *options, cwd=tmp_path)

    assert 74 == found.exit_code
    assert ["cannot open the record 'nowhere/received.jsonl': No such file or directory"] == (
        found.errors
    )
