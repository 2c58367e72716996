"""Whom ``send`` reaches: tokens, lists in every form, stdin, FCM topics and conditions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

import pytest

from cli.kit import Project, android, config_text, ios

HELLO = ("--title", "Hello")

LISTS: Mapping[str, tuple[str, str]] = {
    "txt": ("list.txt", f"{ios(1)}\n\n{android(2)}\n"),
    "csv": ("list.csv", f"platform,token\nios,{ios(1)}\nandroid,{android(2)}\n"),
    "tsv": ("list.tsv", f"platform\ttoken\nios\t{ios(1)}\nandroid\t{android(2)}\n"),
    "jsonl": ("list.jsonl", f'{{"token": "{ios(1)}"}}\n{{"token": "{android(2)}"}}\n'),
}


@pytest.mark.parametrize(("name", "content"), LISTS.values(), ids=LISTS)
def test_a_list_in_each_form(project: Project, name: str, content: str) -> None:
    """A list is read by its ending; each record names the file and the line it came from."""
    project.write(name, content)

    records = project.records("--tokens", name, *HELLO)

    assert [("accepted", ios(1)), ("accepted", android(2))] == [
        (record["outcome"], record["token"]) for record in records
    ]
    assert {name} == {record["source"].partition(":")[0] for record in records}
    assert [line for line in range(1, 5) if line_holds_token(content, line)] == [
        int(record["source"].partition(":")[2]) for record in records
    ]


def line_holds_token(content: str, number: int) -> bool:
    """Return whether line *number* of *content* holds one of the two tokens."""
    lines = content.splitlines()
    return number <= len(lines) and any(
        token in lines[number - 1] for token in (ios(1), android(2))
    )


@pytest.mark.parametrize(("name", "content"), LISTS.values(), ids=LISTS)
def test_a_list_from_stdin(project: Project, name: str, content: str) -> None:
    """`-` reads stdin in the form that --format says."""
    form = name.partition(".")[2]

    records = project.records("--tokens", "-", "--format", form, *HELLO, stdin=content.encode())

    assert [ios(1), android(2)] == [record["token"] for record in records]
    assert records[0]["source"].startswith("-:")


def test_a_packed_list(project: Project) -> None:
    """A gzip file is read by its ending, and stdin by --format."""
    packed = gzip.compress(LISTS["csv"][1].encode())
    project.write("list.csv.gz", packed)

    by_name = project.records("--tokens", "list.csv.gz", *HELLO)
    by_format = project.records("--tokens", "-", "--format", "csv.gz", *HELLO, stdin=packed)

    assert [ios(1), android(2)] == [record["token"] for record in by_name]
    assert [ios(1), android(2)] == [record["token"] for record in by_format]


def test_profiles_from_stdin(project: Project) -> None:
    """--profiles - reads profiles from stdin."""
    profile = {"id": "anna", "consent": True, "tokens": [{"token": ios(1)}]}
    lines = json.dumps(profile).encode() + b"\n"

    (record,) = project.records("--profiles", "-", "--format", "jsonl", *HELLO, stdin=lines)

    assert ("anna", "accepted") == (record["profile"], record["outcome"])


def test_targets_of_every_kind_in_one_run(project: Project) -> None:
    """--token, --profiles, --tokens and FCM's targets mix; rows are numbered through."""
    project.write(
        "p.yaml", f"profiles: [{{id: a, consent: true, tokens: [{{token: {ios(2)}}}]}}]\n"
    )
    project.write("list.txt", f"{ios(3)}\n")

    records = project.records(
        "--token", ios(1), "--profiles", "p.yaml", "--tokens", "list.txt",
        "--fcm-topic", "news", *HELLO,
    )  # fmt: skip

    assert [
        (1, "--token", "token"),
        (2, "p.yaml:1", "token"),
        (3, "list.txt:1", "token"),
        (4, "--fcm-topic", "topic"),
    ] == [(record["row"], record["source"], record["target"]) for record in records]
    assert {"accepted"} == {record["outcome"] for record in records}


def test_an_fcm_topic_and_a_condition(project: Project) -> None:
    """A topic and a condition each are one push, whose record names the kind of target."""
    condition = "'news' in topics && ('sport' in topics || 'music' in topics)"

    records = project.records("--fcm-topic", "news", "--fcm-condition", condition, *HELLO)

    assert [
        ("topic", "news", "accepted", "fcm"),
        ("condition", condition, "accepted", "fcm"),
    ] == [
        (record["target"], record["token"], record["outcome"], record["service"])
        for record in records
    ]
    assert {"news", condition} == {
        push.message.get("topic") or push.message.get("condition") for push in project.served.pushes
    }


def test_platform_decides_where_the_shape_does_not(project: Project) -> None:
    """A token whose shape tells nothing goes where --platform says, and bounces without it."""
    odd = "e.unusual~token"

    (with_platform,) = project.records("--token", odd, "--platform", "android", *HELLO)
    (without,) = project.records("--token", odd, *HELLO)

    assert ("fcm", 1) == (with_platform["service"], with_platform["attempts"])
    assert ("rejected", "InvalidToken") == (without["outcome"], without["reason"])
    assert "set service or platform" in without["detail"]


def test_a_device_token_is_sent_in_lower_case(project: Project) -> None:
    """Upper-case digits are the same token: it is sent and compared in lower case."""
    records = project.records("--token", ios(0xABC).upper(), "--token", ios(0xABC), *HELLO)

    assert [("accepted", ios(0xABC)), ("skipped", ios(0xABC))] == [
        (record["outcome"], record["token"]) for record in records
    ]


def test_credential_chooses_among_several(project: Project) -> None:
    """--credential decides where several fit; without it the config's default does."""
    second = config_text(project.served, apns_topic="com.example.watch")
    ios_part = second.partition("  shop-android")[0].replace("credentials:\n", "")
    text = project.config.read_text() + ios_part.replace("shop-ios", "watch")
    project.write("pushctl.yaml", text)

    (chosen,) = project.records("--token", ios(1), *HELLO, "--credential", "watch")
    project.write("pushctl.yaml", text + "defaults: {apns: shop-ios}\n")
    (default,) = project.records("--token", ios(1), *HELLO)
    project.write("list.csv", f"token,topic\n{ios(1)},com.example.watch\n")
    (by_row,) = project.records("--tokens", "list.csv", *HELLO)

    assert [
        ("watch", "com.example.watch"),
        ("shop-ios", "com.example.shop"),
        ("watch", "com.example.watch"),
    ] == [(one["credential"], one["topic"]) for one in (chosen, default, by_row)]


def test_a_large_list_is_sent_whole_and_once(project: Project) -> None:
    """Several windows of rows: every token gets exactly one push, in one record each."""
    tokens = [*map(ios, range(1500)), *map(android, range(500))]
    project.write("list.txt", "\n".join(tokens) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO, "-o", "jsonl")

    assert 0 == result.exit_code
    assert tokens == [record["token"] for record in result.records]
    assert sorted(tokens) == sorted(str(token) for token, _, _ in project.served.received())


def test_rate_holds_the_run_back(project: Project) -> None:
    """--rate is the most pushes a second: 30 at 40/s take longer than half a second."""
    project.write("list.txt", "\n".join(map(ios, range(30))) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO, "--rate", "40", "-o", "json")

    assert 30 == result.document["totals"]["accepted"]
    assert 0.5 <= result.document["duration_s"] < 5.0


def test_a_credential_of_the_other_service_is_pointed_out(project: Project) -> None:
    """That no push goes through what --credential names is a warning; one of several may rest."""
    wrong = ("--token", ios(), "--credential", "shop-android", *HELLO)

    slip = project.send(*wrong)
    rehearsed = project.send(*wrong, "--dry-run")
    both = project.send(*wrong, "--credential", "shop-ios")

    said = "warning: no push goes through shop-android, but through shop-ios"
    assert [True, True, False] == [said in it.stderr for it in (slip, rehearsed, both)]
    assert [0, 0, 0] == [it.exit_code for it in (slip, rehearsed, both)]
