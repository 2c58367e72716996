"""No token, topic or option reaches the wire with a character that could end a field or a path."""

from __future__ import annotations

import json

import pytest

from cli.kit import TOPIC, Project, android, ios

HELLO = ("--title", "x")
ODD = ("/", "\r\n", "\n", "\r", "\0", " ", "?", "#", "%2f", "\x7f", "\x85", "ü", "\u2028", "\x1b[m")


def odd_tokens() -> list[str]:
    """Return tokens of both services with something odd in front, inside and behind."""
    found = []
    for good in (ios(1), android(2)):
        for odd in ODD:
            found += [odd + good, good[:10] + odd + good[10:], good + odd]
    return found


def sent_tokens(project: Project) -> list[str]:
    """Return the paths and tokens that arrived."""
    arrived = []
    for push in project.served.pushes:
        arrived.append(push.fields[":path"])
        if "message" in push.payload:
            arrived.append(push.message["token"])
    return arrived


@pytest.mark.parametrize("form", ["txt", "csv", "tsv", "jsonl", "json", "yaml", "--token"])
def test_odd_tokens_never_leave(project: Project, form: str) -> None:
    """In no format: what is sent is visible ASCII without a slash, the rest is InvalidToken."""
    tokens = odd_tokens()
    devices = [{"platform": "ios", "token": token} for token in tokens]
    profiles = {"profiles": [{"id": "a", "consent": True, "tokens": devices}]}
    options: list[str] = ["--tokens", f"list.{form}"]
    if form == "--token":
        options = [word for t in tokens if "\0" not in t for word in ("--token", t)]
        options += ["--platform", "ios"]
    elif form in ("json", "yaml"):
        project.write(f"list.{form}", json.dumps(profiles))
        options = ["--profiles", f"list.{form}"]
    elif form == "jsonl":
        project.write("list.jsonl", "".join(json.dumps({"token": t}) + "\n" for t in tokens))
    else:
        fit = [t for t in tokens if not {"\0", "\n", "\r"} & {*t}]
        head = "" if form == "txt" else "token\n"
        project.write(f"list.{form}", head + "".join(f"{t}\n" for t in fit))

    result = project.send(*options, *HELLO, "--stop-if", "never", "--keep-duplicates")

    assert result.exit_code in (0, 1)
    for text in sent_tokens(project):
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text
    for push in project.served.pushes:
        if push.fields[":path"].startswith("/3/device/"):
            token = push.fields[":path"].removeprefix("/3/device/")
            assert {*token} <= {*"0123456789abcdef"}


@pytest.mark.parametrize("odd", ["x\r\nx-evil: 1", "x\ny", "x\ry", "x\x00y", "x\x7f"])
def test_header_values_with_line_ends_never_leave(project: Project, odd: str) -> None:
    """Collapse id, topic and key id with CR, LF or NUL: refused, and no field is forged."""
    project.write("m.yaml", json.dumps({"title": "x", "collapse_id": odd}))
    project.write(
        "h.yaml", json.dumps({"title": "x", "apns": {"headers": {"apns-collapse-id": odd}}})
    )
    text = project.config.read_text()
    for name, value in (("topic", TOPIC), ("key_id", "SIMULATED1"), ("team_id", "TEAM123456")):
        changed = text.replace(f"{name}: {value}", f"{name}: {json.dumps(odd)}")
        assert changed != text
        project.write(f"{name}.yaml", changed)
    for arguments in (
        ("--title", "x", "--collapse-id", odd.replace("\0", "\x01")),
        ("--message", "m.yaml"),
        ("--message", "h.yaml"),
        ("--title", "x", "--config", "topic.yaml"),
        ("--title", "x", "--config", "key_id.yaml"),
        ("--title", "x", "--config", "team_id.yaml"),
    ):
        result = project.send("--token", ios(), *arguments)

        assert result.exit_code in (2, 3), arguments
        assert [] == project.served.pushes, arguments


def test_a_placeholder_cannot_forge_a_field(project: Project) -> None:
    """An attribute with a line end that fills a collapse id makes that push skipped or cleaned."""
    rows = [{"token": ios(1), "shop": "x\r\nx-evil: 1"}, {"token": ios(2), "shop": "fine"}]
    project.write("list.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    result = project.send(
        "--tokens", "list.jsonl", *HELLO, "--collapse-id", "{{ shop }}", "-o", "jsonl"
    )

    assert result.exit_code in (0, 1, 3)
    for push in project.served.pushes:
        assert "x-evil" not in push.fields
        assert push.fields.get("apns-collapse-id") in (None, "fine")
