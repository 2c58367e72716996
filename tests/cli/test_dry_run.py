"""``send --dry-run``: everything but the sending."""

from __future__ import annotations

import re
import socket

from cli.kit import Project, android, ios

HELLO = ("--title", "Hello {{ name }}", "--dry-run")
ROWS = f"token,name\n{ios(1)},Anna\n{android(1)},Ben\n{ios(2)},\nnil,Emil\n"


def test_it_tells_what_would_be_sent_and_leaves_nothing(project: Project) -> None:
    """A dry run counts, shows samples with their header fields, sends and leaves nothing."""
    project.write("list.csv", ROWS)

    result = project.send("--tokens", "list.csv", *HELLO)

    assert 0 == result.exit_code
    assert result.stdout.startswith("dry run: 2 of 4 would be sent; nothing was\n")
    assert "apns-topic: com.example.shop" in result.stdout
    assert (
        '  {\n    "aps": {\n      "alert": {\n        "title": "Hello Anna"\n      }\n    }\n  }\n'
        in result.stdout
    )
    assert "  shop-ios: 1 push, payload" in result.stdout
    assert ios(1) not in result.stdout
    assert [] == project.served.pushes
    assert ["list.csv", "pushctl.yaml"] == sorted(path.name for path in project.folder.iterdir())


def test_its_document(project: Project) -> None:
    """-o json of a dry run is one document: numbers, sizes, decisions, samples."""
    project.write("list.csv", ROWS)

    document = project.send("--tokens", "list.csv", *HELLO, "-o", "json").document

    assert (4, 2) == (document["inputs"], document["to_send"])
    assert {("skipped", "MissingAttribute", 1), ("rejected", "InvalidToken", 1)} == {
        tuple(one.values()) for one in document["decided"]
    }
    assert ["list.csv:2", "list.csv:3"] == [sample["source"] for sample in document["samples"]]
    assert "authorization" not in str(document)


def test_what_a_send_refuses_a_dry_run_refuses(project: Project) -> None:
    """A dry run finds the faults that would stop the send, with the same exit code."""
    result = project.send("--token", ios(), "--body", "x" * 5000, "--dry-run")

    assert 3 == result.exit_code
    assert "the APNs payload has" in result.errors[0]


def test_records_have_no_place_in_a_dry_run(project: Project) -> None:
    """-o jsonl and csv are outcomes, and a dry run has none: exit 2."""
    result = project.send("--token", ios(), "--title", "x", "--dry-run", "-o", "jsonl")

    assert (2, ["a dry run has no -o jsonl"]) == (result.exit_code, result.errors)


def test_validate_only_has_fcm_check_each_push(project: Project) -> None:
    """With --validate-only FCM judges its pushes and delivers none; APNs is not asked."""
    project.write("list.txt", f"{ios(1)}\n{android(1)}\n{android(1, 'GONE')}\n")
    arguments = ("--tokens", "list.txt", "--title", "Hello", "--dry-run", "--validate-only")

    document = project.send(*arguments, "-o", "json").document
    screen = project.send(*arguments)
    table = screen.stdout

    assert 1 == screen.exit_code  # as a send would end: one bounced
    assert (1, 1) == (
        document["validated"]["totals"]["accepted"],
        document["validated"]["totals"]["rejected"],
    )
    assert [("UNREGISTERED", "remove", 1)] == [
        (one["reason"], one["token_action"], one["count"])
        for one in document["validated"]["reasons"]
    ]
    assert {True} == {push.payload.get("validate_only") for push in project.served.pushes}
    assert "1 would be accepted" in table
    assert "1 UNREGISTERED" in table
    assert ["list.txt", "pushctl.yaml"] == sorted(path.name for path in project.folder.iterdir())


def test_a_refused_credential_fails_a_validation(project: Project) -> None:
    """Where FCM's side refuses the credential the dry run ends with exit 4."""
    account = project.served.made.service_account_file
    project.write("stranger.json", account.read_text().replace("push@", "stranger@"))
    text = project.config.read_text().replace(str(account), "stranger.json")
    project.write("pushctl.yaml", text)

    result = project.send("--token", android(), "--title", "x", "--dry-run", "--validate-only")

    assert 4 == result.exit_code
    assert "'shop-android' was refused" in result.errors[0]


def test_a_validation_that_reaches_nobody_says_so(project: Project) -> None:
    """Where FCM cannot be reached nothing was validated: exit 5, and the reason in words."""
    text = project.config.read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"https://127.0.0.1:{server.getsockname()[1]}"
    project.write("pushctl.yaml", re.sub(r"(?m)^( +endpoint: ).*$", rf"\g<1>{nobody}", text))

    result = project.send("--token", android(), "--title", "x", "--dry-run", "--validate-only")

    assert 5 == result.exit_code
    assert "NotReached" in result.stdout
    assert "shop-android: " in result.stdout.partition("NotReached")[2]
