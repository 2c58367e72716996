"""``pushctl topics`` against the simulator, over TLS and HTTP/2."""

from __future__ import annotations

import csv
import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from syrupy.assertion import SnapshotAssertion

from cli.kit import Project, Result, Served, android, config_text, ios, rules, run_cli, start_cli
from cli.test_proxy import ConnectProxy
from pushctl.simulator import Rule, Say, Script

FID = "cabcdefghijklmnopqrstu"
NOWHERE = "https://127.0.0.1:9"


def topics(project: Project, *arguments: str, **more: Any) -> Result:
    """Run ``pushctl topics`` in the folder of *project*."""
    return run_cli("topics", *arguments, cwd=project.folder, **more)


@pytest.fixture
def script(served: Served) -> Iterator[Any]:
    """Return what adds a rule for the topic ``news`` until the test is over."""

    def add(answer: Any, **more: Any) -> None:
        served.simulator.add_rule(Rule(service="topics", token="topic:news", answer=answer, **more))

    yield add
    served.simulator.play(Script(rules=rules()))


def subscribed(served: Served, token: str) -> bool:
    """Return whether the simulator has *token* among the subscribers of ``news``."""
    judge = served.simulator._desk._docket._judges.subscriptions
    return "news" in judge._created.get((served.made.project_id, token), {})


def test_subscribed_and_unsubscribed(project: Project) -> None:
    """A token and an installation id, by batch and singly, and back."""
    whom = ("--token", android(1), "--fid", FID)

    on = topics(project, "subscribe", "news", *whom, "-o", "jsonl")
    were = [subscribed(project.served, one) for one in (android(1), FID)]
    again = topics(project, "subscribe", "news", *whom, "-o", "jsonl")
    off = topics(project, "unsubscribe", "news", *whom)

    assert [("accepted", "token"), ("accepted", "fid")] == [
        (one["outcome"], one["target"]) for one in on.records
    ]
    assert [True, True] == were
    assert ["accepted", "accepted"] == [one["outcome"] for one in again.records]
    assert (0, 0) == (again.exit_code, off.exit_code)
    assert not any(subscribed(project.served, one) for one in (android(1), FID))


def test_one_by_one(project: Project) -> None:
    """--one-by-one asks for tokens singly too, and ends in the same."""
    before = project.served.simulator.stats().management_requests

    result = topics(
        project, "subscribe", "news", "--token", android(2), "--token", android(3), "--one-by-one"
    )

    assert 0 == result.exit_code
    assert before + 2 == project.served.simulator.stats().management_requests
    assert subscribed(project.served, android(3))


def test_a_list_goes_in_batches(project: Project) -> None:
    """2,500 rows of stdin are three requests; those without consent are skipped, in order."""
    rows = [f"{android(n)},{'no' if n % 5 == 0 else 'true'}" for n in range(1, 3126)]
    before = project.served.simulator.stats().management_requests

    result = topics(
        project,
        *("subscribe", "news", "--tokens", "-", "--format", "csv", "-o", "jsonl"),
        stdin="\n".join(["token,consent", *rows]).encode(),
    )

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert 0 == result.exit_code
    assert list(range(1, 3126)) == [record["row"] for record in records]
    assert {"accepted": 2500, "skipped": 625} == {
        kind: sum(record["outcome"] == kind for record in records)
        for kind in ("accepted", "skipped")
    }
    assert "-:2" == records[0]["source"]
    assert before + 3 == project.served.simulator.stats().management_requests


def test_no_consent_is_needed_to_leave_somebody_alone(project: Project) -> None:
    """Who withdrew it is unsubscribed, and is never subscribed."""
    profiles = {"profiles": [{"id": "anna", "consent": False, "tokens": [{"token": android(7)}]}]}
    project.write("profiles.json", json.dumps(profiles))
    topics(project, "subscribe", "news", "--token", android(7))

    on = topics(project, "subscribe", "news", "--profiles", "profiles.json", "-o", "jsonl")
    off = topics(project, "unsubscribe", "news", "--profiles", "profiles.json", "-o", "jsonl")

    assert ("skipped", "NoConsent", "anna") == tuple(
        on.record[name] for name in ("outcome", "reason", "profile")
    )
    assert "accepted" == off.record["outcome"]
    assert not subscribed(project.served, android(7))


def test_a_credential_that_requires_consent(project: Project) -> None:
    """A list that records none is refused to subscribe, and taken to unsubscribe."""
    text = config_text(project.served).replace(
        "    service: fcm\n", "    service: fcm\n    require_consent: true\n"
    )
    project.write("pushctl.yaml", text)
    project.write("list.txt", android(1))

    on = topics(project, "subscribe", "news", "--tokens", "list.txt")
    off = topics(project, "unsubscribe", "news", "--tokens", "list.txt")

    assert (3, 0) == (on.exit_code, off.exit_code)
    assert "records no consent" in on.errors[0]


def test_what_is_never_asked_for(project: Project) -> None:
    """Device tokens, duplicates, damaged tokens, other segments: each is told with why."""
    project.write(
        "list.csv",
        "token,orders\n"
        f"{ios(1)},5\n{android(1)},5\n{android(1)},5\n{android(2)},1\nExponentPushToken[x],5\n",
    )

    result = topics(
        project,
        "subscribe",
        "news",
        "--tokens",
        "list.csv",
        "--where",
        "orders >= 3",
        "-o",
        "jsonl",
    )

    assert [
        ("skipped", "NoCredential"),
        ("accepted", None),
        ("skipped", "Duplicate"),
        ("skipped", "NotInSegment"),
        ("rejected", "InvalidToken"),
    ] == [(one["outcome"], one["reason"]) for one in result.records]
    assert 1 == result.exit_code


def test_dead_tokens_are_left_out(project: Project) -> None:
    """--suppress goes by what a bounce log calls dead."""
    project.send("--token", android(4, "GONE"), "--title", "Hello")

    result = topics(
        project,
        *("subscribe", "news", "--token", android(4, "GONE"), "--token", android(5)),
        *("--suppress", "bounces.jsonl", "-o", "jsonl"),
    )

    assert ["Suppressed", None] == [one["reason"] for one in result.records]


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_every_output(project: Project, output: str) -> None:
    """The data is on stdout in the form asked for, with the same totals."""
    whom = ("--token", android(1), "--token", "not a token")

    result = topics(project, "subscribe", "news", *whom, "-o", output)

    assert 1 == result.exit_code
    match output:
        case "json":
            document = result.document
            assert ("subscribe", "news", 1) == tuple(
                document[name] for name in ("action", "topic", "requests")
            )
            assert (1, 1) == (document["totals"]["accepted"], document["totals"]["rejected"])
        case "jsonl":
            assert ["accepted", "rejected"] == [one["outcome"] for one in result.records]
        case "csv":
            lines = list(csv.DictReader(io.StringIO(result.stdout)))
            assert [android(1), "not a token"] == [line["token"] for line in lines]
        case _:
            assert "subscribed to news through shop-android: 1 accepted · 1 rejected" in (
                result.stdout
            )


def test_records_are_a_list_for_the_next_command(project: Project) -> None:
    """What one command printed another takes: tokens, ids, and who had no consent stays out."""
    project.write("list.csv", f"token,consent\n{android(1)},true\n{FID},true\n{android(2)},\n")
    first = topics(project, "subscribe", "news", "--tokens", "list.csv", "-o", "jsonl")
    printed = topics(project, "subscribe", "news", "--tokens", "list.csv", "-o", "csv")

    for text, form in ((first.stdout, "jsonl"), (printed.stdout, "csv")):
        sent = project.send(
            *("--tokens", "-", "--format", form, "--title", "Hello", "-o", "jsonl"),
            stdin=text.encode(),
        )

        assert [("accepted", "token"), ("accepted", "fid"), ("skipped", "token")] == [
            (one["outcome"], one["target"]) for one in sent.records
        ]


def test_a_dry_run_asks_nobody(project: Project) -> None:
    """It tells how many would be asked about, in how many requests, and who would not."""
    project.write("list.csv", f"token,consent\n{android(1)},true\n{FID},true\n{android(2)},\n")
    before = project.served.simulator.stats()

    result = topics(project, "subscribe", "news", "--tokens", "list.csv", "-n", "-o", "json")
    shown = topics(project, "unsubscribe", "news", "--tokens", "list.csv", "-n")

    assert (2, 2, [{"outcome": "skipped", "reason": "NoConsent", "count": 1}]) == tuple(
        result.document[name] for name in ("to_ask", "requests", "decided")
    )
    assert shown.stdout.startswith(
        "dry run: 3 registrations would be unsubscribed from news through shop-android, in 2"
    )
    after = project.served.simulator.stats()
    assert (before.management_requests, before.token_requests) == (
        after.management_requests,
        after.token_requests,
    )


def test_a_batch_without_an_answer_is_asked_for_again(project: Project, script: Any) -> None:
    """Nothing is doubtful where asking twice does no harm."""
    script("drop", times=1)

    result = topics(project, "subscribe", "news", "--token", android(1), "-o", "jsonl")

    assert ("accepted", 2) == (result.record["outcome"], result.record["attempts"])


def test_what_stays_unanswered_is_unknown(project: Project, script: Any) -> None:
    """Exit 5: the service is out of reach; the tokens in doubt say so."""
    script("drop")

    result = topics(
        project, "subscribe", "news", "--token", android(1), "--retry-for", "0", "-o", "jsonl"
    )

    assert ("unknown", "NoAnswer") == (result.record["outcome"], result.record["reason"])
    assert 5 == result.exit_code


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        ("PERMISSION_DENIED", 4, "not_sent"),
        ("SERVICE_DISABLED", 4, "not_sent"),
        (Say(status=401, body=b'{"error":"Unauthorized"}'), 4, "not_sent"),
        ("UNAVAILABLE", 5, "rejected"),
        (Say(status=502, body=b"<html>Bad Gateway</html>"), 5, "rejected"),
        (Say(status=404, body=b"<html>Error 404 (Not Found)!!1</html>"), 6, "rejected"),
    ],
)
def test_refusals_of_the_whole(
    project: Project, script: Any, answer: Any, code: int, outcome: str
) -> None:
    """Each ends in the exit code that its kind has everywhere."""
    script(answer)

    result = topics(
        project, "subscribe", "news", "--token", android(1), "--retry-for", "0", "-o", "jsonl"
    )

    assert (code, outcome) == (result.exit_code, result.record["outcome"])


def test_nobody_there(project: Project) -> None:
    """A service that cannot be reached was asked nothing: exit 5."""
    text = config_text(project.served, url=NOWHERE)
    project.write("pushctl.yaml", text)

    result = topics(
        project, "subscribe", "news", "--token", android(1), "--retry-for", "0", "-o", "jsonl"
    )

    assert (5, "not_sent", "NotReached") == (
        result.exit_code,
        result.record["outcome"],
        result.record["reason"],
    )


def test_no_access_token(project: Project) -> None:
    """A service account that Google does not know costs no request: exit 4."""
    before = project.served.simulator.stats().management_requests
    account = json.loads(Path(project.served.made.service_account_file).read_text())
    account["client_email"] = "nobody@simulated-shop.iam.gserviceaccount.com"
    project.write("other.json", json.dumps(account)).chmod(0o600)
    text = config_text(project.served).replace(
        str(project.served.made.service_account_file), "other.json"
    )
    project.write("pushctl.yaml", text)

    result = topics(project, "subscribe", "news", "--token", android(1), "-o", "jsonl")

    assert (4, "not_sent", "CredentialsRefused") == (
        result.exit_code,
        result.record["outcome"],
        result.record["reason"],
    )
    assert before == project.served.simulator.stats().management_requests


def test_an_interruption_is_told(project: Project, script: Any) -> None:
    """Ctrl-C while Google is silent: the batch is unknown, the rest not sent, exit 130."""
    script("hang")
    project.write("list.txt", "\n".join(android(n) for n in range(1, 1502)))

    process = start_cli(
        "topics", "subscribe", "news", "--tokens", "list.txt", "-o", "jsonl", cwd=project.folder
    )
    try:
        assert project.served.asked_for_batch.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()

    records = [json.loads(line) for line in out.splitlines()]
    assert (130, 1501) == (process.returncode, len(records))
    assert ({"unknown"}, {"not_sent"}) == (
        {one["outcome"] for one in records[:1000]},
        {one["outcome"] for one in records[1000:]},
    )
    assert "Traceback" not in err


def test_through_a_proxy_without_secrets(project: Project) -> None:
    """The proxy carries it, and -vv shows no access token."""
    with ConnectProxy() as proxy:
        text = config_text(project.served).replace(
            "    token_endpoint", f"    proxy: {proxy.url}\n    token_endpoint"
        )
        project.write("pushctl.yaml", text)
        result = topics(project, "subscribe", "news", "--token", android(1), "-vv")

    assert 0 == result.exit_code
    assert 2 == len(proxy.targets)  # the token endpoint and FCM
    assert "authorization: bearer (hidden)" in result.stderr
    assert "ya29" not in result.stderr + result.stdout


@respx.mock
def test_google_is_asked_where_it_serves(project: Project) -> None:
    """Without an endpoint batches go to iid.googleapis.com, installation ids to FCM's own host."""
    account = json.loads(Path(project.served.made.service_account_file).read_text())
    account["token_uri"] = "https://oauth2.googleapis.com/token"
    project.write("real.json", json.dumps(account)).chmod(0o600)
    project.write(
        "pushctl.yaml",
        "credentials: {shop: {service: fcm, service_account_file: real.json}}\n",
    )
    respx.post(account["token_uri"]).respond(json={"access_token": "ya29.x", "expires_in": 3600})
    batch = respx.post("https://iid.googleapis.com/iid/v1:batchAdd").respond(json={"results": [{}]})
    single = respx.post(
        f"https://fcm.googleapis.com/v1/projects/{account['project_id']}"
        f"/registrations/{FID}/topicSubscriptions",
        params={"topicName": "news"},
    ).respond(json={})

    result = topics(project, "subscribe", "news", "--token", android(1), "--fid", FID)

    assert 0 == result.exit_code
    sent: httpx.Request = batch.calls.last.request
    assert ("true", "Bearer ya29.x") == (
        sent.headers["access_token_auth"],
        sent.headers["authorization"],
    )
    assert single.called


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("news",), 2, "nobody to send to"),
        (("/topics/news", "--token", "x"), 2, "without `/topics/`"),
        (("two words", "--token", "x"), 2, "a topic has 1 to 900"),
        (("", "--token", "x"), 2, "a topic has 1 to 900"),
        (("news", "--token", "x", "--retry-for", "ages"), 2, "--retry-for"),
        (("news", "--token", "x", "--timeout", "0"), 2, "--timeout"),
        (("news", "--token", "x", "-o", "yaml"), 2, "not an output"),
        (("news", "--token", "x", "-n", "-o", "csv"), 2, "not an output"),
        (("news", "--token", "x", "--credential", "shop-ios"), 3, "is a credential for APNs"),
        (("news", "--tokens", "gone.csv"), 3, "gone.csv"),
        (("news", "--tokens", "-", "--suppress", "-", "--format", "txt"), 2, "only once"),
        (("news", "--profile", "anna", "--token", "x"), 2, "--profile needs --profiles"),
    ],
)
def test_bad_input(project: Project, arguments: tuple[str, ...], code: int, message: str) -> None:
    """One clear error, its exit code, nothing on stdout, nobody asked."""
    before = project.served.simulator.stats().management_requests

    result = topics(project, "subscribe", *arguments)

    assert (code, "") == (result.exit_code, result.stdout)
    assert message in result.stderr
    assert before == project.served.simulator.stats().management_requests


def test_screens(project: Project, snapshot: SnapshotAssertion, script: Any) -> None:
    """What a person at a terminal sees."""
    whom = ("--token", android(1), "--fid", FID, "--token", ios(1), "--token", "…")
    screens = [
        topics(project, "subscribe", "spring", *whom, tty=True),
        topics(project, "unsubscribe", "spring", *whom[:4], "-n", tty=True),
    ]
    script("PERMISSION_DENIED")
    screens.append(topics(project, "subscribe", "news", *whom[:2], tty=True))

    assert snapshot == "\n".join(screen.stdout + screen.stderr for screen in screens)
