"""What arrives at the gateways: placeholders, overrides, profiles, raw payloads."""

from __future__ import annotations

import json
from typing import Any

from cli.kit import Project, Push, android, ios

PROFILES = f"""\
profiles:
  - id: anna
    consent: true
    attributes: {{first_name: Anna, unread: 7, vip: true, tags: [a, b]}}
    tokens:
      - {{platform: ios, token: {ios(1)}}}
      - {{platform: android, token: "{android(1)}"}}
  - id: ben
    consent: true
    attributes: {{first_name: 'Ben "B"', unread: 0, vip: false, tags: []}}
    tokens:
      - {{platform: ios, token: {ios(2)}}}
  - id: carla
    consent: true
    attributes: {{first_name: Carla, unread: 3, vip: false, tags: []}}
    tokens:
      - {{platform: ios, token: "{android(3)}"}}
"""


def by_token(project: Project) -> dict[str, Push]:
    """Return the pushes that arrived, by token."""
    return {
        push.message["token"]
        if "message" in push.payload
        else push.fields[":path"].rpartition("/")[2]: push
        for push in project.served.pushes
    }


def test_attributes_fill_every_text(project: Project) -> None:
    """{{ … }} is filled for each recipient, on all of a profile's devices, whatever the text."""
    project.write("profiles.yaml", PROFILES)

    records = project.records(
        "--profiles", "profiles.yaml",
        "--title", "Hi {{ first_name }}",
        "--body", "{{ unread }} new{% if vip %}, dear friend{% endif %}",
        "--data", "who={{ first_name }}",
    )  # fmt: skip

    assert {"accepted"} == {record["outcome"] for record in records}
    arrived = by_token(project)
    assert {"title": "Hi Anna", "body": "7 new, dear friend"} == arrived[ios(1)].aps["alert"]
    assert {"title": 'Hi Ben "B"', "body": "0 new"} == arrived[ios(2)].aps["alert"]
    assert 'Ben "B"' == arrived[ios(2)].payload["who"]
    for_anna = arrived[android(1)].message
    assert {"title": "Hi Anna", "body": "7 new, dear friend"} == for_anna["notification"]
    assert {"who": "Anna"} == for_anna["data"]


def test_a_lone_placeholder_keeps_its_type(project: Project) -> None:
    """A badge or data value that is one placeholder is the attribute's number, not a text."""
    project.write("profiles.yaml", PROFILES)
    project.write(
        "m.yaml",
        'title: Hello\nbadge: "{{ unread }}"\ndata: {n: "{{ unread }}"}\n'
        'apns: {payload: {tags: "{{ tags }}"}}\n',
    )

    assert 0 == project.send("--profiles", "profiles.yaml", "--message", "m.yaml").exit_code

    arrived = by_token(project)
    assert [7, 0] == [arrived[ios(number)].aps["badge"] for number in (1, 2)]
    assert (7, ["a", "b"]) == (arrived[ios(1)].payload["n"], arrived[ios(1)].payload["tags"])
    assert "7" == arrived[android(1)].message["data"]["n"]


def test_columns_of_a_token_file_are_attributes(project: Project) -> None:
    """Any column that is not a known one fills placeholders; a blank cell fills none."""
    project.write("list.csv", f"token,first_name\n{ios(1)},Zoë\n{ios(2)},\n")

    records = project.records("--tokens", "list.csv", "--title", "Hi {{ first_name }}")

    assert [("accepted", None), ("skipped", "MissingAttribute")] == [
        (record["outcome"], record["reason"]) for record in records
    ]
    assert {"title": "Hi Zoë"} == project.served.only().aps["alert"]


def test_a_default_stands_in_for_a_missing_attribute(project: Project) -> None:
    """A placeholder with a default is filled for whoever lacks the attribute."""
    project.write("list.csv", f"token,first_name\n{ios(1)},Anna\n{ios(2)},\n")

    title = "Hi {{ first_name | default('friend') }}"
    records = project.records("--tokens", "list.csv", "--title", title)

    assert ["accepted"] * 2 == [record["outcome"] for record in records]
    arrived = by_token(project)
    assert ["Hi Anna", "Hi friend"] == [
        arrived[ios(number)].aps["alert"]["title"] for number in (1, 2)
    ]


def test_profile_chooses_whom(project: Project) -> None:
    """--profile sends to all devices of that profile and to nobody else; it may be repeated."""
    project.write("profiles.yaml", PROFILES)
    arguments = ("--profiles", "profiles.yaml", "--title", "Hello")

    anna = project.records(*arguments, "--profile", "anna")
    two = project.records(*arguments, "--profile", "ben", "--profile", "carla")

    assert [("anna", "apns"), ("anna", "fcm")] == [
        (record["profile"], record["service"]) for record in anna
    ]
    assert [("ben", "apns"), ("carla", "fcm")] == [
        (record["profile"], record["service"]) for record in two
    ]


def test_an_ios_device_behind_firebase_goes_to_fcm(project: Project) -> None:
    """Platform is not service: an FCM token of an iOS device is delivered by FCM."""
    project.write("profiles.yaml", PROFILES)

    (record,) = project.records(
        "--profiles", "profiles.yaml", "--profile", "carla", "--title", "Hello"
    )

    assert ("accepted", "fcm", "ios") == (
        record["outcome"],
        record["service"],
        record["platform"],
    )


MESSAGE = """\
title: Hello
body: From the file
badge: 3
sound: default
collapse_id: spring
ttl: 4h
priority: normal
thread_id: orders
category: ORDER
subtitle: Sub
image: https://pictures.example/a.png
data: {screen: orders, kept: "1"}
apns:
  headers: {apns-priority: 10}
  aps: {interruption-level: time-sensitive, badge: null}
fcm:
  android: {notification: {channel_id: news}}
"""


def test_a_message_file_with_overrides_for_each_service(project: Project) -> None:
    """Neutral fields reach both services; what stands under `apns:` and `fcm:` goes over them."""
    project.write("m.yaml", MESSAGE)

    result = project.send("--token", ios(), "--token", android(), "--message", "m.yaml")

    assert 0 == result.exit_code
    arrived = by_token(project)
    apple, google = arrived[ios()], arrived[android()].message
    assert {
        "alert": {"title": "Hello", "subtitle": "Sub", "body": "From the file"},
        "sound": "default",
        "thread-id": "orders",
        "category": "ORDER",
        "mutable-content": 1,
        "interruption-level": "time-sensitive",
    } == apple.aps
    assert ("orders", "https://pictures.example/a.png") == (
        apple.payload["screen"],
        apple.payload["image"],
    )
    assert ("alert", "10", "spring", "com.example.shop") == tuple(
        apple.fields[f"apns-{name}"] for name in ("push-type", "priority", "collapse-id", "topic")
    )
    assert {"screen": "orders", "kept": "1"} == google["data"]
    android_part = google["android"]
    assert ("14400s", "spring", "news") == (
        android_part["ttl"],
        android_part["collapseKey"],
        android_part["notification"]["channelId"],
    )
    assert "NORMAL" == android_part["priority"]


def test_options_go_over_the_message_file(project: Project) -> None:
    """An option replaces the field of --message, and --data its key; the rest stays."""
    project.write("m.yaml", MESSAGE)

    result = project.send(
        "--token", ios(), "--message", "m.yaml", "--title", "Now", "--data", "screen=home"
    )

    assert 0 == result.exit_code
    push = project.served.only()
    assert ("Now", "From the file") == (push.aps["alert"]["title"], push.aps["alert"]["body"])
    assert ("home", "1") == (push.payload["screen"], push.payload["kept"])


def test_raw_payloads_for_both_services(project: Project) -> None:
    """--payload apns=FILE --payload fcm=FILE send what the files hold, and the target with it."""
    apple: dict[str, Any] = {"aps": {"alert": "Hello", "relevance-score": 0.5}, "x": [1, None]}
    google: dict[str, Any] = {"notification": {"title": "Hello"}, "data": {"k": "v"}}
    project.write("apns.json", json.dumps(apple))
    project.write("fcm.json", json.dumps(google))

    result = project.send(
        "--token", ios(), "--token", android(),
        "--payload", "apns=apns.json", "--payload", "fcm=fcm.json",
    )  # fmt: skip

    assert 0 == result.exit_code
    arrived = by_token(project)
    assert apple == arrived[ios()].payload
    assert {**google, "token": android()} == arrived[android()].message


def test_delivery_options_beside_a_raw_payload(project: Project) -> None:
    """Beside --payload the options that say how to deliver still count."""
    project.write("p.json", '{"aps": {"content-available": 1}}')

    result = project.send(
        "--token", ios(), "--payload", "p.json", "--push-type", "background",
        "--priority", "normal", "--ttl", "0",
    )  # fmt: skip

    assert 0 == result.exit_code
    fields = project.served.only().fields
    assert ("background", "5", "0") == (
        fields["apns-push-type"],
        fields["apns-priority"],
        fields["apns-expiration"],
    )


def test_the_push_type_makes_the_topic(project: Project) -> None:
    """A push type with a suffix is sent to the topic with it, and the record says so."""
    project.write("p.json", '{"call": "1"}')

    (record,) = project.records("--token", ios(), "--payload", "p.json", "--push-type", "voip")

    assert "com.example.shop.voip" == record["topic"]
    assert "com.example.shop.voip" == project.served.only().fields["apns-topic"]
