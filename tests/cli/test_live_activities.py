"""Live Activities from the command line to the service, by file and by options."""

from __future__ import annotations

import time
from unittest import mock

import pytest

from cli.kit import TOPIC, Project, android, ios, run_cli
from pushctl.cli import deliver

FILE = """\
title: Your order is on its way
body: Four stops to go
live_activity:
  event: start
  attributes_type: DeliveryAttributes
  attributes: {order: "{{ order }}"}
  content_state_file: state.yaml
  stale_date: +30m
  input_push_token: true
"""


def test_a_start_from_one_file_to_many_devices(project: Project) -> None:
    """Each push-to-start token gets its own attributes, under the topic of Live Activities."""
    project.write("start.yaml", FILE)
    project.write("state.yaml", "stops: '{{ stops | int }}'\n")
    project.write("list.csv", f"token,order,stops\n{ios(1)},A-17,4\n{ios(2)},A-18,2\n")
    before = int(time.time())

    records = project.records("--tokens", "list.csv", "--message", "start.yaml")

    assert ["accepted", "accepted"] == [record["outcome"] for record in records]
    assert {f"{TOPIC}.push-type.liveactivity"} == {record["topic"] for record in records}
    first, second = sorted(project.served.pushes, key=lambda push: push.fields[":path"])
    assert ("liveactivity", "10", f"{TOPIC}.push-type.liveactivity") == tuple(
        first.fields[name] for name in ("apns-push-type", "apns-priority", "apns-topic")
    )
    assert [("A-17", {"stops": 4}), ("A-18", {"stops": 2})] == [
        (push.aps["attributes"]["order"], push.aps["content-state"]) for push in (first, second)
    ]
    assert before <= first.aps["timestamp"] == second.aps["timestamp"] <= time.time()
    assert 1800 == first.aps["stale-date"] - first.aps["timestamp"]


def test_an_update_and_an_end_by_options(project: Project) -> None:
    """Without a message file the options alone say what the activity shows and when it goes."""
    project.write("state.json", '{"stops": 3}')
    shown = ("--content-state", "state.json")

    updated = project.send("--token", ios(), "--live-activity", "update", *shown)
    ended = project.send(
        "--token", ios(), "--live-activity", "end", *shown, "--dismissal-date", "+15m",
        "--priority", "normal", "--relevance-score", "75",
    )  # fmt: skip

    assert (0, 0) == (updated.exit_code, ended.exit_code)
    update, end = project.served.pushes
    assert ("update", {"stops": 3}) == (update.aps["event"], update.aps["content-state"])
    assert ("end", 900, 75, "5") == (
        end.aps["event"],
        end.aps["dismissal-date"] - end.aps["timestamp"],
        end.aps["relevance-score"],
        end.fields["apns-priority"],
    )


def test_one_file_serves_an_activity_to_its_end(project: Project) -> None:
    """The options beside a file say what becomes of the activity this time."""
    project.write("trip.yaml", "live_activity: {event: update, content_state: {stops: 3}}\n")

    assert (
        0
        == project.send(
            "--token", ios(), "--message", "trip.yaml", "--live-activity", "end"
        ).exit_code
    )
    assert ("end", {"stops": 3}) == (
        project.served.only().aps["event"],
        project.served.only().aps["content-state"],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--live-activity", "begin"), 2, "`--live-activity` must be one of start, update, end"),
        (("--stale-date", "+4h"), 2, "`--stale-date` is for a Live Activity"),
        (("--live-activity", "update"), 3, "with event update needs `content-state`"),
        (
            ("--live-activity", "update", "--content-state", "none.json"),
            3,
            "there is no file 'none.json'",
        ),
        (
            ("--live-activity", "update", "--content-state", "list.json"),
            3,
            "list.json:1:1: `content_state` of a Live Activity is an object, not a list",
        ),
        (
            ("--live-activity", "update", "--content-state", "state.json", "--badge", "1"),
            3,
            "--badge: `badge` does not belong to a Live Activity",
        ),
        (
            ("--message", "file.yaml"),
            3,
            "file.yaml:3:19: `live_activity` has a `dismissal_date` that must be a point in time",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    project: Project, arguments: tuple[str, ...], code: int, error: str
) -> None:
    """One clear error with its place: usage errors exit 2, files and rules exit 3."""
    project.write("list.json", "[1]")
    project.write("state.json", '{"stops": 3}')
    project.write("file.yaml", "live_activity:\n  event: end\n  dismissal_date: 4h\n")

    result = project.send("--token", ios(), *arguments)

    assert (code, []) == (result.exit_code, project.served.pushes)
    assert 1 == len(result.errors)
    assert error in result.errors[0]


def test_through_fcm_the_activitys_token_goes_beside_the_registration_token(
    project: Project,
) -> None:
    """A profile's registration token says which app, the attribute which activity."""
    project.write("state.json", '{"stops": 3}')
    project.write("list.csv", f"token,activity\n{android()},80b356\n")

    result = project.send(
        "--tokens", "list.csv", "--live-activity", "update", "--content-state", "state.json",
        "--live-activity-token", "{{ activity }}",
    )  # fmt: skip

    assert 0 == result.exit_code
    message = project.served.only().message
    assert {"token", "apns"} == message.keys()
    assert ("80b356", {"stops": 3}) == (
        message["apns"]["liveActivityToken"],
        message["apns"]["payload"]["aps"]["content-state"],
    )


def test_a_resume_tells_devices_the_moment_of_the_run(project: Project) -> None:
    """What is sent again later is as old as it was: it takes the place of nothing newer."""
    began = 1_795_168_800
    clock = mock.Mock(time=lambda: began + 0.5)
    with mock.patch.object(deliver, "time", clock):
        sent = project.send(
            "--token", ios(1, "cc"), "--live-activity", "end", "--dismissal-date", "+15m"
        )

    resumed = run_cli("runs", "resume", "last", "--on-unknown", "resend", cwd=project.folder)

    assert (7, 7) == (sent.exit_code, resumed.exit_code)
    assert 1 < len(project.served.pushes)
    assert {(began, began + 900)} == {
        (push.aps["timestamp"], push.aps["dismissal-date"]) for push in project.served.pushes
    }


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("../other.json", "m.yaml:3:23: '../other.json' lies outside the folder of the message"),
        ("/etc/hostname.json", "m.yaml:3:23: '/etc/hostname.json' lies outside the folder of the"),
        ("link.json", "m.yaml:3:23: 'link.json' lies outside the folder of the message file"),
        ("loop.json", "m.yaml:3:23: cannot read 'loop.json': Too many levels of symbolic links"),
        ("account.json", "account.json:1:2: this file holds a private key"),
        ("none.json", "m.yaml:3:23: there is no file 'none.json'"),
        ("list.json", "list.json:1:1: `content_state` of a Live Activity is an object"),
        ("state.txt", "m.yaml:3:23: cannot tell the format of 'state.txt' by its name"),
    ],
)
def test_a_message_file_reaches_no_file_but_its_own(
    project: Project, named: str, error: str
) -> None:
    """Who writes a message cannot have keys or foreign files sent to a device."""
    project.write("../other.json", '{"a": 1}')
    project.write("account.json", '{"private_key": "-----BEGIN PRIVATE KEY-----"}')
    project.write("list.json", "[1]")
    project.write("state.txt", "{}")
    (project.folder / "link.json").symlink_to("../other.json")
    (project.folder / "loop.json").symlink_to("loop.json")
    project.write("m.yaml", f"live_activity:\n  event: update\n  content_state_file: {named}\n")

    result = project.send("--token", ios(), "--message", "m.yaml")

    assert (3, []) == (result.exit_code, project.served.pushes)
    assert error in result.errors[0]
    assert "PRIVATE KEY" not in result.stdout + result.stderr


def test_a_credential_is_no_content_state(project: Project) -> None:
    """The wrong file behind --content-state is noticed before it is sent to everybody."""
    account = project.served.made.service_account_file

    result = project.send(
        "--token", ios(), "--live-activity", "update", "--content-state", str(account)
    )

    assert (3, []) == (result.exit_code, project.served.pushes)
    assert "this file holds a private key: it is no `content_state`" in result.errors[0]
    assert "PRIVATE KEY" not in result.stdout + result.stderr
