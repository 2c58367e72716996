"""Every kind of outcome through the real path, and the exit code that it makes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.kit import (
    DEAD_SINCE,
    Project,
    android,
    config_text,
    ios,
    serving,
)
from pushctl.outcome import Environment
from pushctl.simulator import Rule, Say, Script, make_credentials

HELLO = ("--title", "Hello")


# -- accepted -------------------------------------------------------------------------------------


def test_accepted_by_apns(project: Project) -> None:
    """An accepted push is told with status 200, one attempt and the apns-id that was sent."""
    result = project.send("--token", ios(), *HELLO, "-o", "jsonl")

    record = result.record
    assert 0 == result.exit_code
    assert ("accepted", "Received push", 200, None, 1) == (
        record["outcome"],
        record["event"],
        record["status"],
        record["reason"],
        record["attempts"],
    )
    assert project.served.only().fields["apns-id"] == record["id"]
    assert ("com.example.shop", "production") == (record["topic"], record["environment"])


def test_accepted_by_fcm(project: Project) -> None:
    """An accepted FCM push is told with the message name of the answer."""
    record = project.records("--token", android(), *HELLO)[0]

    assert ("accepted", 200) == (record["outcome"], record["status"])
    assert record["id"].startswith("projects/simulated-shop/messages/")
    assert (None, None) == (record["topic"], record["environment"])


def test_the_sandbox_tells_its_unique_id(tmp_path: Path) -> None:
    """In the sandbox a record has apns-unique-id, the key to Apple's delivery log."""
    with serving(tmp_path, Script(), environment=Environment.SANDBOX) as served:
        (tmp_path / "shop").mkdir()
        record = Project(tmp_path / "shop", served).records("--token", ios(), *HELLO)[0]

    assert ("accepted", "sandbox") == (record["outcome"], record["environment"])
    assert 36 == len(record["unique_id"])


# -- rejected -------------------------------------------------------------------------------------

REJECTED = {
    "APNs 410": (
        ios(1, "de"),
        {"status": 410, "reason": "Unregistered", "dead_since": DEAD_SINCE},
        {"category": "token", "token_action": "remove", "retryable": "no"},
    ),
    "APNs 400": (
        ios(1, "bd"),
        {"status": 400, "reason": "BadDeviceToken", "dead_since": None},
        {"category": "token", "token_action": "check-environment", "retryable": "no"},
    ),
    "APNs 400 of a reason nobody knows": (
        ios(1, "f0"),
        {"status": 400, "reason": "BrandNewReason"},
        {"token_action": "keep"},
    ),
    "APNs 502 with a web page": (
        ios(1, "dd"),
        {"status": 502, "reason": None},
        {"category": "server", "token_action": "keep", "retryable": "yes-with-backoff"},
    ),
    "FCM 404": (
        android(1, "GONE"),
        {"status": 404, "reason": "UNREGISTERED"},
        {"category": "token", "token_action": "remove", "retryable": "no"},
    ),
    "FCM 400": (
        android(1, "BADTOKEN"),
        {"status": 400, "reason": "INVALID_ARGUMENT", "case": "bad_token"},
        {"token_action": "suspect", "retryable": "no"},
    ),
    "FCM 403": (
        android(1, "OTHERPROJECT"),
        {"status": 403, "reason": "SENDER_ID_MISMATCH"},
        {"token_action": "suspect", "retryable": "yes-after-fix"},
    ),
    "FCM 429 with a long Retry-After": (
        android(1, "QUOTA"),
        {"status": 429, "reason": "QUOTA_EXCEEDED"},
        {"category": "rate", "token_action": "keep", "retryable": "yes-with-backoff"},
    ),
}


@pytest.mark.parametrize(("token", "answer", "meaning"), REJECTED.values(), ids=REJECTED)
def test_rejected(
    project: Project, token: str, answer: dict[str, object], meaning: dict[str, object]
) -> None:
    """A refusal is told as it was answered, with what it means for the token; exit 1."""
    result = project.send("--token", token, *HELLO, "-o", "jsonl", "--retry-for", "60s")

    record = result.record
    assert 1 == result.exit_code
    assert ("rejected", "Bounced push", 1) == (
        record["outcome"],
        record["event"],
        record["attempts"],
    )
    expected = {**answer, **meaning}
    if answer.get("dead_since"):
        record["dead_since"] = record["dead_since"].replace(".000Z", "Z")
    assert expected == {name: record[name] for name in expected}
    assert record["description"]


def test_a_bad_row_and_a_missing_token_never_leave(project: Project) -> None:
    """A malformed and a missing token are rejected without a status, at no attempt."""
    project.write("list.csv", f"token,profile\n0xzz,anna\n,ben\n{ios()},carla\n")

    result = project.send("--tokens", "list.csv", *HELLO, "-o", "jsonl")

    assert 1 == result.exit_code
    assert [
        ("anna", "rejected", "InvalidToken", None, 0),
        ("ben", "rejected", "MissingToken", None, 0),
        ("carla", "accepted", None, 200, 1),
    ] == [
        (
            record["profile"],
            record["outcome"],
            record["reason"],
            record["status"],
            record["attempts"],
        )
        for record in result.records
    ]
    assert 1 == len(project.served.pushes)


# -- retried --------------------------------------------------------------------------------------


def test_an_expired_provider_token_is_renewed_once(tmp_path: Path) -> None:
    """ExpiredProviderToken: one new token on one new connection, then the push is accepted."""
    rule = Rule(token=ios(), answer="ExpiredProviderToken", times=1)
    with serving(tmp_path, Script(rules=(rule,))) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        (record,) = project.records("--token", ios(), *HELLO)
        stats = served.simulator.stats()

    assert ("accepted", 2) == (record["outcome"], record["attempts"])
    assert 2 == len(stats.provider_tokens)
    assert 2 == stats.connections


def test_an_expired_access_token_is_refreshed_once(tmp_path: Path) -> None:
    """FCM's 401 makes one new access token; the push that met it is accepted."""
    rule = Rule(token=android(), answer="ACCESS_TOKEN_EXPIRED", times=1)
    with serving(tmp_path, Script(rules=(rule,))) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        (record,) = project.records("--token", android(), *HELLO)
        stats = served.simulator.stats()

    assert ("accepted", 2) == (record["outcome"], record["attempts"])
    assert 2 == stats.token_requests


def test_a_refused_stream_goes_again_at_once(tmp_path: Path) -> None:
    """REFUSED_STREAM promises that nothing was processed: the push goes again and counts once."""
    rule = Rule(token=ios(), answer="rst:REFUSED_STREAM", times=1)
    with serving(tmp_path, Script(rules=(rule,))) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        (record,) = project.records("--token", ios(), *HELLO, "--retry-for", "0")

        assert [(ios(), None, "rst"), (ios(), 200, None)] == served.received()
    assert ("accepted", 1) == (record["outcome"], record["attempts"])


def test_a_busy_service_is_asked_again(tmp_path: Path) -> None:
    """FCM's 503 with a Retry-After inside --retry-for is tried again after that time."""
    busy = Say(reason="UNAVAILABLE", fields=(("retry-after", "1"),))
    rule = Rule(token=android(), answer=busy, times=1)
    with serving(tmp_path, Script(rules=(rule,))) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        (record,) = project.records("--token", android(), *HELLO)
        first, second = served.answered

    assert ("accepted", 2) == (record["outcome"], record["attempts"])
    assert 1.0 <= second.time - first.time < 3.0


# -- unknown --------------------------------------------------------------------------------------


def test_no_answer_within_the_timeout_is_unknown(project: Project) -> None:
    """A push that is never answered is unknown (exit 7), and is not sent again by itself."""
    result = project.send("--token", ios(1, "ca"), *HELLO, "-o", "jsonl", "--timeout", "1s")

    record = result.record
    assert 7 == result.exit_code
    assert ("unknown", "NoAnswer", None, None) == (
        record["outcome"],
        record["reason"],
        record["status"],
        record["event"],
    )
    assert ("keep", 1) == (record["token_action"], record["attempts"])
    assert 1000 <= record["latency_ms"] < 5000
    assert 1 == len(project.served.pushes)
    assert "unknown" in result.warnings[-1]


@pytest.mark.parametrize("token", [ios(1, "cc"), android(1, "DROP")], ids=["APNs", "FCM"])
def test_a_connection_lost_in_flight_is_unknown(project: Project, token: str) -> None:
    """A connection that breaks after the request leaves the outcome unknown: no second send."""
    result = project.send("--token", token, *HELLO, "-o", "jsonl")

    assert 7 == result.exit_code
    assert ("unknown", "ConnectionLost") == (result.record["outcome"], result.record["reason"])
    assert 1 == len(project.served.pushes)


def test_a_lost_connection_costs_only_what_was_in_flight(project: Project) -> None:
    """Pushes behind a broken connection go out on a new one."""
    tokens = [ios(1), ios(1, "cc"), *(ios(number) for number in range(2, 30))]
    project.write("list.txt", "\n".join(tokens) + "\n")

    records = project.records("--tokens", "list.txt", *HELLO, "--concurrency", "1")

    kinds = [record["outcome"] for record in records]
    assert (1, 29) == (kinds.count("unknown"), kinds.count("accepted"))


def test_on_unknown_resend_sends_again(tmp_path: Path) -> None:
    """With --on-unknown resend a push without an answer is sent again: that may show it twice."""
    with serving(tmp_path, Script(rules=(Rule(token=ios(), answer="drop", times=1),))) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        (record,) = project.records("--token", ios(), *HELLO, "--on-unknown", "resend")
        stats = served.simulator.stats()

    assert ("accepted", 2) == (record["outcome"], record["attempts"])
    assert 1 == stats.accepted_again


# -- not sent -------------------------------------------------------------------------------------


def closed_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_listens(project: Project) -> None:
    """Where nothing listens, every token is not_sent, and the exit code says unreachable."""
    url = f"https://127.0.0.1:{closed_port()}"
    project.write("pushctl.yaml", config_text(project.served, url=url))

    tokens = ("--token", ios(1), "--token", ios(2))
    result = project.send(*tokens, *HELLO, "-o", "jsonl", "--retry-for", "0")

    assert 5 == result.exit_code
    assert [("not_sent", "NotReached", 0)] * 2 == [
        (record["outcome"], record["reason"], record["attempts"]) for record in result.records
    ]
    assert "refused" in result.records[0]["detail"]
    assert any("refused" in error for error in result.errors)


def test_a_server_that_is_not_trusted(project: Project) -> None:
    """A server whose certificate comes from another CA gets nothing: not_sent, with a hint."""
    text = project.config.read_text().replace(f"ca_file: {project.served.made.ca_file}", "")
    project.write("pushctl.yaml", text)

    result = project.send("--token", ios(), *HELLO, "-o", "jsonl")

    assert (5, "NotReached") == (result.exit_code, result.record["reason"])
    assert "not trusted" in result.record["detail"]
    assert any("ca_file" in hint for hint in result.hints)
    assert [] == project.served.pushes


def test_a_refused_key_costs_one_request(project: Project, tmp_path: Path) -> None:
    """A key that APNs does not know is refused once; the rest of the list is not sent (exit 4)."""
    stranger = tmp_path / "stranger"
    with serving(stranger, Script()) as other:
        made = make_credentials(stranger, other.simulator)
    key_file = str(project.served.made.key_file)
    project.write("pushctl.yaml", project.config.read_text().replace(key_file, str(made.key_file)))
    project.write("list.txt", "\n".join(ios(number) for number in range(200)) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO, "-o", "jsonl")

    assert 4 == result.exit_code
    assert [(ios(0), 403, "InvalidProviderToken")] == project.served.received()
    reasons = [(record["outcome"], record["reason"]) for record in result.records]
    assert ("rejected", "InvalidProviderToken") == reasons[0]
    assert [("not_sent", "CredentialsRefused")] * 199 == reasons[1:]
    assert any("'shop-ios' was refused" in error for error in result.errors)


def test_a_refused_service_account_sends_nothing(project: Project) -> None:
    """Where the token endpoint refuses the account nothing is sent: not_sent, exit 4."""
    account = project.served.made.service_account_file
    project.write("stranger.json", account.read_text().replace("push@", "stranger@"))
    text = project.config.read_text().replace(str(account), "stranger.json")
    project.write("pushctl.yaml", text)

    result = project.send("--token", android(), *HELLO, "-o", "jsonl")

    assert 4 == result.exit_code
    assert ("not_sent", "CredentialsRefused") == (
        result.record["outcome"],
        result.record["reason"],
    )
    assert [] == project.served.pushes
    assert any("'shop-android' was refused" in error for error in result.errors)


def test_one_refused_credential_does_not_hold_up_the_other(
    project: Project, tmp_path: Path
) -> None:
    """A mixed audience with a refused APNs key still reaches FCM."""
    stranger = tmp_path / "stranger"
    with serving(stranger, Script()) as other:
        made = make_credentials(stranger, other.simulator)
    key_file = str(project.served.made.key_file)
    project.write("pushctl.yaml", project.config.read_text().replace(key_file, str(made.key_file)))

    result = project.send("--token", ios(), "--token", android(), *HELLO, "-o", "jsonl")

    assert 4 == result.exit_code
    assert ["rejected", "accepted"] == [record["outcome"] for record in result.records]


# -- skipped --------------------------------------------------------------------------------------

PROFILES = f"""\
profiles:
  - id: anna
    consent: true
    attributes: {{first_name: Anna}}
    tokens: [{{token: {ios(1)}}}, {{token: "{android(1)}"}}]
  - id: ben
    consent: false
    attributes: {{first_name: Ben}}
    tokens: [{{token: {ios(2)}}}]
  - id: carla
    consent: "true"
    attributes: {{first_name: Carla}}
    tokens: [{{token: {ios(3)}}}]
  - id: dora
    consent: true
    tokens: [{{token: {ios(4)}}}]
  - id: emil
    consent: true
    attributes: {{first_name: Emil}}
    tokens: [{{token: {ios(1)}}}]
  - id: fiona
    consent: true
    attributes: {{first_name: {"F" * 5000}}}
    tokens: [{{token: {ios(5)}}}]
"""


def test_each_reason_to_skip(project: Project) -> None:
    """Consent, attributes, duplicates and size are judged row by row; a skip is no failure."""
    project.write("profiles.yaml", PROFILES)

    result = project.send(
        "--profiles", "profiles.yaml", "--title", "Hi {{ first_name }}", "-o", "jsonl"
    )

    assert 0 == result.exit_code
    assert [
        ("anna", "accepted", None),
        ("anna", "accepted", None),
        ("ben", "skipped", "NoConsent"),
        ("carla", "skipped", "NoConsent"),
        ("dora", "skipped", "MissingAttribute"),
        ("emil", "skipped", "Duplicate"),
        ("fiona", "skipped", "PayloadTooLarge"),
    ] == [(record["profile"], record["outcome"], record["reason"]) for record in result.records]
    skipped = [record for record in result.records if record["outcome"] == "skipped"]
    assert {None} == {record["event"] for record in skipped}
    assert {"rule"} == {record["category"] for record in skipped}
    assert "first_name" in skipped[2]["detail"]
    assert "profiles.yaml:5" in skipped[3]["detail"]


def test_a_row_that_no_credential_fits_is_skipped(project: Project) -> None:
    """A row that asks for a credential, environment or topic that nobody has is NoCredential."""
    rows = (
        "token,service,credential,environment,topic",
        f"{ios(1)},apns,,,",
        f"{ios(2)},apns,shop-watch,,",
        f"{ios(3)},apns,,sandbox,",
        f"{ios(4)},apns,,,com.example.other",
        f"{ios(5)},apns,shop-ios,production,com.example.shop",
    )
    project.write("list.csv", "\n".join(rows) + "\n")

    records = project.records("--tokens", "list.csv", *HELLO)

    assert ["accepted", "skipped", "skipped", "skipped", "accepted"] == [
        record["outcome"] for record in records
    ]
    assert {"NoCredential"} == {record["reason"] for record in records[1:4]}


def test_keep_duplicates_sends_to_a_token_as_often_as_it_is_listed(project: Project) -> None:
    """--keep-duplicates sends twice to a token that is listed twice."""
    project.write("list.txt", f"{ios()}\n{ios()}\n")

    records = project.records("--tokens", "list.txt", *HELLO, "--keep-duplicates")

    assert ["accepted", "accepted"] == [record["outcome"] for record in records]


def test_a_file_without_consent_is_refused_where_consent_is_required(project: Project) -> None:
    """`require_consent: true` refuses a plain list (exit 3); --token is exempt."""
    text = project.config.read_text().replace(
        "    service: apns\n", "    service: apns\n    require_consent: true\n"
    )
    project.write("pushctl.yaml", text)
    project.write("list.txt", ios() + "\n")

    refused = project.send("--tokens", "list.txt", *HELLO)

    assert 3 == refused.exit_code
    assert "records no consent" in refused.errors[0]
    assert [] == project.served.pushes
    assert 0 == project.send("--token", ios(), *HELLO).exit_code


# -- exit codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail_on", "first_byte", "exit_code"),
    [
        ("bounced", "de", 1),
        ("bounced", "bd", 1),
        ("faulty", "de", 0),
        ("faulty", "bd", 1),
        ("never", "bd", 0),
    ],
)
def test_fail_on(project: Project, fail_on: str, first_byte: str, exit_code: int) -> None:
    """--fail-on says what makes exit 1; a dead token (410) is a bounce and no fault."""
    result = project.send("--token", ios(1, first_byte), *HELLO, "--fail-on", fail_on)

    assert exit_code == result.exit_code


def test_unknown_goes_before_bounced(project: Project) -> None:
    """Where some bounced and some are unknown, the exit code is 7."""
    tokens = ("--token", ios(1, "bd"), "--token", ios(1, "cc"))

    assert 7 == project.send(*tokens, *HELLO).exit_code


def test_nothing_sent_is_no_failure_but_is_said(project: Project) -> None:
    """Everything skipped: exit 0 with a warning, or 1 with --fail-if-empty."""
    project.write("p.yaml", f"profiles: [{{id: ben, consent: no, tokens: [{{token: {ios()}}}]}}]\n")
    arguments = ("--profiles", "p.yaml", *HELLO)

    result = project.send(*arguments)

    assert 0 == result.exit_code
    assert ["nothing was sent"] == result.warnings
    assert 1 == project.send(*arguments, "--fail-if-empty").exit_code


def test_stop_if_stops_the_run(project: Project) -> None:
    """A threshold that is met ends the run with exit 6; what was not sent is not_sent/Stopped."""
    tokens = [*(ios(number, "bd") for number in range(4)), *map(ios, range(300))]
    project.write("list.txt", "\n".join(tokens) + "\n")

    result = project.send(
        "--tokens", "list.txt", *HELLO, "--stop-if", "bounced>2", "--concurrency", "1", "-o", "json"
    )

    assert 6 == result.exit_code
    totals = result.document["totals"]
    assert 3 == totals["rejected"]
    assert 304 == sum(totals.values())
    assert {"Stopped", "BadDeviceToken"} == {
        reason["reason"] for reason in result.document["reasons"]
    }
    assert any("--stop-if 'bounced>2' was met" in warning for warning in result.warnings)


def test_the_canary_stops_a_list_for_the_other_environment(project: Project) -> None:
    """20 answers alike and none accepted: the run stops, and says what very likely is wrong."""
    tokens = (ios(number, "bd") for number in range(200))
    project.write("list.txt", "\n".join(tokens) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO, "-o", "json")

    assert 6 == result.exit_code
    totals = result.document["totals"]
    assert 20 <= totals["rejected"] <= 50
    assert 200 == totals["rejected"] + totals["not_sent"]
    assert len(project.served.pushes) <= 50
    assert any("other environment" in warning for warning in result.warnings)
    assert any("sandbox" in hint for hint in result.hints)


def test_max_duration_ends_a_run(tmp_path: Path) -> None:
    """A run that --max-duration ends says so: exit 6, the rest not_sent."""
    with serving(tmp_path, Script(delay_s=0.3)) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        project.write("list.txt", "\n".join(map(ios, range(100))) + "\n")
        result = project.send(
            "--tokens", "list.txt", *HELLO, "--max-duration", "1s", "--concurrency", "2",
            "-o", "json",
        )  # fmt: skip

    assert 6 == result.exit_code
    totals = result.document["totals"]
    assert 0 < totals["accepted"] < 20
    assert 100 == totals["accepted"] + totals["not_sent"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_goes_before_everything(project: Project) -> None:
    """Where the bounce log cannot be written the exit code is 74, whatever else happened."""
    result = project.send("--token", ios(1, "bd"), *HELLO, "--bounce-log", "/dev/full")

    assert 74 == result.exit_code
    assert any("No space left" in error for error in result.errors)
