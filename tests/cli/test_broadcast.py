"""``send --apns-channel``: a Live Activity's update or end to everybody who listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from cli.kit import TOPIC, Project, Served, config_text, ios, rules, run_cli, steady
from pushctl import catalog
from pushctl.simulator import Rule, Script

UPDATE = {"aps": {"timestamp": 1, "event": "update", "content-state": {"score": 1}}}
BROADCAST = f"/4/broadcasts/apps/{TOPIC}"


def channel_of(project: Project, storage: str = "none") -> str:
    """Return the id of a new channel."""
    made = run_cli("channels", "create", "-q", "--storage", storage, cwd=project.folder)
    return made.stdout.strip()


@pytest.fixture
def channel(project: Project) -> str:
    """Return a channel that stores nothing, beside a payload for it in ``update.json``."""
    project.write("update.json", json.dumps(UPDATE))
    return channel_of(project)


@pytest.fixture
def script(served: Served) -> Iterator[Any]:
    """Return what adds a rule for broadcasts until the test is over."""

    def add(answer: Any, **more: Any) -> None:
        served.simulator.add_rule(Rule(service="apns", pattern="channel:*", answer=answer, **more))

    yield add
    served.simulator.play(Script(rules=rules()))


def test_an_update_is_what_apple_documents(project: Project, channel: str) -> None:
    """Path, header fields and body of the request; the record names the channel and the ids."""
    record = project.send(
        "--apns-channel", channel, "--payload", "update.json", "-o", "jsonl"
    ).record

    push = project.served.only()
    assert UPDATE == push.payload
    assert {
        ":path": BROADCAST,
        "apns-channel-id": channel,
        "apns-push-type": "liveactivity",
        "apns-expiration": "0",
        "apns-priority": "10",
        "apns-request-id": record["id"],
    } == {name: value for name, value in push.fields.items() if name[:5] in (":path", "apns-")}
    assert ("accepted", "channel", channel, "apns", TOPIC, "shop-ios", "production") == tuple(
        record[name]
        for name in ("outcome", "target", "token", "service", "topic", "credential", "environment")
    )
    assert record["unique_id"]


@pytest.mark.parametrize("event", ["update", "end"])
def test_a_live_activity_in_words(project: Project, channel: str, event: str) -> None:
    """--live-activity and a content state make the payload."""
    project.write("state.json", '{"score": 2}')

    result = project.send(
        "--apns-channel", channel, "--live-activity", event, "--content-state", "state.json"
    )

    assert 0 == result.exit_code
    aps = project.served.only().aps
    assert (event, {"score": 2}) == (aps["event"], aps["content-state"])


def test_one_run_for_channels_and_devices(project: Project, channel: str) -> None:
    """Update tokens of older devices and channels go together, each by its own API."""
    other = channel_of(project, "last")

    records = project.records(
        *("--token", ios(1), "--apns-channel", channel, "--apns-channel", other),
        *("--apns-channel", channel, "--payload", "update.json"),
    )

    assert [("token", ios(1)), ("channel", channel), ("channel", other)] == [
        (one["target"], one["token"]) for one in records
    ]
    assert {f"/3/device/{ios(1)}": f"{TOPIC}.push-type.liveactivity", BROADCAST: None} == {
        push.fields[":path"]: push.fields.get("apns-topic") for push in project.served.pushes
    }
    assert 3 == len(project.served.pushes)  # a channel that is given twice is sent to once
    shown = run_cli("runs", "show", "last", "-o", "jsonl", cwd=project.folder)
    assert [(one["target"], one["credential"], one["topic"], one["id"]) for one in records] == [
        (one["target"], one["credential"], one["topic"], one["id"]) for one in shown.records
    ]
    assert 0 == run_cli("runs", "check", "last", cwd=project.folder).exit_code
    receipt = run_cli("runs", "show", "last", "-o", "html", cwd=project.folder)
    assert 0 == receipt.exit_code


def test_what_a_channel_stores_decides_on_the_expiration(project: Project, channel: str) -> None:
    """--ttl is refused by a channel that stores nothing, and explained by the broadcast table."""
    stores = channel_of(project, "last")

    records = project.records(
        *("--apns-channel", channel, "--apns-channel", stores),
        *("--payload", "update.json", "--ttl", "1h"),
    )

    refused, accepted = records
    row = catalog.of_record("apns", "BadExpirationDate", case=catalog.BROADCAST)
    assert row is not None
    assert ("rejected", "BadExpirationDate", "broadcast", row.description, "keep") == tuple(
        refused[name] for name in ("outcome", "reason", "case", "description", "token_action")
    )
    assert "accepted" == accepted["outcome"]


ROWS = [row for row in catalog.all_reasons() if row.service == "apns-broadcast" and row.status]


@pytest.mark.parametrize(
    "reason",
    ["FeatureNotEnabled", "TopicDisallowed", "PayloadTooLarge", "BadMessageId"],
)
def test_a_refusal_means_what_the_broadcast_table_says(
    project: Project, channel: str, script: Any, reason: str
) -> None:
    """The bounce log, and explain of its line, speak of the broadcast and not of a device."""
    script(reason)
    row = next(row for row in ROWS if row.name == reason)

    result = project.send("--apns-channel", channel, "--payload", "update.json")

    assert 1 == result.exit_code
    (line,) = project.events("Bounced push")
    assert ("channel", row.description) == (line["target"], line["description"])
    explained = run_cli("explain", "-", cwd=project.folder, stdin=json.dumps(line).encode())
    assert "APNs broadcast and channels" in explained.stdout
    dead = run_cli("bounces", "tokens", "--suspect", cwd=project.folder)
    assert channel not in dead.stdout


def test_a_broadcast_without_an_answer_is_unknown(
    project: Project, channel: str, script: Any
) -> None:
    """It is not sent again: a device would get it twice."""
    script("drop")

    result = project.send("--apns-channel", channel, "--payload", "update.json", "-o", "jsonl")

    assert ("unknown", 7) == (result.record["outcome"], result.exit_code)
    assert 1 == len(project.served.pushes)


def test_a_run_of_channels_goes_on(project: Project, channel: str, script: Any) -> None:
    """What was refused for a while is sent by a resume, to the same channel."""
    script("TooManyRequests", times=1)
    first = project.send(
        "--apns-channel", channel, "--payload", "update.json", "--retry-for", "0", "-o", "jsonl"
    )

    resumed = run_cli("runs", "resume", "last", "--retry-failed", "-o", "jsonl", cwd=project.folder)

    assert "rejected" == first.record["outcome"]
    assert ("accepted", channel, "channel") == tuple(
        resumed.record[name] for name in ("outcome", "token", "target")
    )
    assert 0 == run_cli("runs", "check", "last", cwd=project.folder).exit_code


def test_broadcasts_have_a_host_of_their_own(project: Project, channel: str) -> None:
    """broadcast_endpoint decides over endpoint, and only for broadcasts."""
    text = config_text(project.served, url="https://127.0.0.1:9").replace(
        "    key_id", f"    broadcast_endpoint: {project.served.url}\n    key_id"
    )
    project.write("pushctl.yaml", text)

    result = project.send("--apns-channel", channel, "--payload", "update.json")

    assert 0 == result.exit_code


def test_a_dry_run_shows_the_broadcast(project: Project, channel: str) -> None:
    """The request as it would leave, without its authorization; nobody is asked."""
    result = project.send("--apns-channel", channel, "--payload", "update.json", "-n", "-o", "json")

    (sample,) = result.document["samples"]
    fields = dict(sample["fields"])
    assert (BROADCAST, channel, "shop-ios") == (
        sample["path"],
        fields["apns-channel-id"],
        sample["credential"],
    )
    assert "authorization" not in fields
    assert [] == project.served.pushes


def test_a_protected_credential_asks_for_one_channel_too(project: Project, channel: str) -> None:
    """One push to a channel reaches many."""
    text = config_text(project.served).replace(
        "    service: apns\n", "    service: apns\n    protected: true\n"
    )
    project.write("pushctl.yaml", text)
    send = ("--apns-channel", channel, "--payload", "update.json")

    asked = project.send(*send)
    allowed = project.send(*send, "--yes")

    assert (2, 0) == (asked.exit_code, allowed.exit_code)
    assert "shop-ios is protected: 1 push to a channel needs your word" in asked.errors[0]


def state(size: int) -> str:
    """Return a payload whose body has *size* bytes."""
    aps = {"timestamp": 1, "event": "update", "content-state": {"text": ""}}
    bare = len(json.dumps({"aps": aps}, separators=(",", ":")))
    aps["content-state"] = {"text": "x" * (size - bare)}
    return json.dumps({"aps": aps}, separators=(",", ":"))


def test_a_broadcast_may_be_larger(project: Project, channel: str) -> None:
    """5,120 bytes go to a channel; one more is refused before anything is sent."""
    project.write("most.json", state(5120))
    project.write("more.json", state(5121))

    most = project.send("--apns-channel", channel, "--payload", "most.json")
    more = project.send("--apns-channel", channel, "--payload", "more.json")
    device = project.send("--token", ios(1), "--payload", "most.json")

    assert [0, 3, 3] == [most.exit_code, more.exit_code, device.exit_code]
    assert "5121 bytes" in more.errors[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--apns-channel", "YQ==", "--title", "Hello"), 3, "only Live Activities go to a channel"),
        (("--apns-channel", "YQ==", "--payload", "start.json"), 3, "cannot start a Live Activity"),
        (
            ("--apns-channel", "no id", "--payload", "update.json"),
            2,
            "--apns-channel: a channel id",
        ),
        (("--apns-channel", "", "--payload", "update.json"), 2, "must not be empty"),
        (
            ("--apns-channel", "YQ==", "--payload", "update.json", "--collapse-id", "a"),
            3,
            "a broadcast has no collapse id",
        ),
        (
            ("--apns-channel", "YQ==", "--payload", "update.json", "--priority", "low"),
            3,
            "priority",
        ),
        (
            ("--apns-channel", "YQ==", "--payload", "named.json"),
            3,
            "no recipient has the attribute 'team'",
        ),
    ],
)
def test_bad_input(project: Project, arguments: tuple[str, ...], code: int, message: str) -> None:
    """One clear error, its exit code, and nothing is sent."""
    project.write("update.json", json.dumps(UPDATE))
    start = {**UPDATE["aps"], "event": "start", "attributes-type": "A", "attributes": {}}
    start["alert"] = {"title": "a", "body": "b"}
    project.write("start.json", json.dumps({"aps": start}))
    named = {**UPDATE["aps"], "content-state": {"team": "{{ team }}"}}
    project.write("named.json", json.dumps({"aps": named}))

    result = project.send(*arguments)

    assert code == result.exit_code
    assert any(message in error for error in result.errors)
    assert [] == project.served.pushes


def test_screens(project: Project, channel: str, snapshot: SnapshotAssertion) -> None:
    """What a person at a terminal sees."""
    send = ("--apns-channel", channel, "--apns-channel", "bm9uZQ==", "--payload", "update.json")

    result = project.send(*send, tty=True, env={"NO_COLOR": "1", "TERM": "dumb"})

    text = steady(result.stdout + result.stderr, project.folder)
    assert snapshot == text.replace(f"{channel[:8]}…{channel[-4:]}", "<channel>")
