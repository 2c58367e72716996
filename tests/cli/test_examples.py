"""The message files of docs/examples are good ones: by the schema, the lint and the services."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from cli.kit import Project, android, ios
from pushctl.documents import read
from pushctl.message.fields import message_schema
from pushctl.rules.apns import PUSH_TYPES

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
FILES = sorted(FOLDER.glob("*.yaml"))
ATTRIBUTES: Mapping[str, str] = {
    "first_name": "Anna",
    "order": "A-17",
    "unread": "2",
    "stops": "4",
    "room": "the kitchen",
    "push_magic": "the-push-magic",
    "activity_token": "80b356f4",
}
FOR_FCM = ("alert", "critical-alert", "localized-alert", "background", "fcm-blocks", "topic")


def test_there_is_one_for_every_push_type() -> None:
    """No push type is left without an example that can be sent as it is."""
    names = [file.stem for file in FILES]

    assert [] == [
        name
        for name in PUSH_TYPES
        if name not in names and not (name == "liveactivity" and "live-activity-start" in names)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_takes_it(file: Path) -> None:
    """An editor that knows the schema marks nothing."""
    jsonschema.Draft202012Validator(message_schema()).validate(read(file).value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_apns_takes_it(project: Project, file: Path) -> None:
    """Sent to a device as it stands, it is accepted, and warned of where its comment says so."""
    topic = "com.apple.mgmt.External.a1b2" if file.stem == "mdm" else None
    if topic is not None:
        certificate(project, topic)

    result = project.send("-o", "jsonl", *to(project, ios()), "--message", str(file))

    assert (0, "accepted") == (result.exit_code, result.record["outcome"]), result.stderr
    doubts = [line for line in result.warnings if str(file) in line]
    assert (file.stem == "critical-alert") == bool(doubts)


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.stem in FOR_FCM or file.stem.startswith("live-activity")],
    ids=lambda file: file.stem,
)
def test_fcm_takes_it(project: Project, file: Path) -> None:
    """The same file goes to a registration token."""
    result = project.send("-o", "jsonl", *to(project, android()), "--message", str(file))

    assert (0, "accepted") == (result.exit_code, result.record["outcome"]), result.stderr


LINES = [
    line.removeprefix("$ ")
    for line in (FOLDER.parent / "messages.md").read_text().splitlines()
    if line.startswith("$ pushctl send")
]


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_page_works(project: Project, line: str) -> None:
    """A dry run of each line of docs/messages.md finds nothing wrong."""
    _, _, *arguments = shlex.split(line)
    arguments = [ios() if word in ("9f3a…", "80b3…") else word for word in arguments]
    arguments = [word.replace("docs/examples", str(FOLDER)) for word in arguments]
    to(project, ios())
    project.write("state.json", '{"stops": 3}')
    attributes = ", ".join(f"{name}: {value}" for name, value in ATTRIBUTES.items())
    project.write(
        "profiles.yaml",
        f"profiles: [{{id: anna, consent: true, attributes: {{{attributes}}},"
        f" tokens: [{{token: {ios()}}}]}}]\n",
    )
    if "mdm" in arguments:
        certificate(project, "com.apple.mgmt.External.a1b2")

    result = project.send(*arguments, "--dry-run")

    assert 0 == result.exit_code, result.stderr


def to(project: Project, token: str) -> tuple[str, str]:
    """Return the target: a list of one, who has every attribute of the examples."""
    names, values = ",".join(ATTRIBUTES), ",".join(ATTRIBUTES.values())
    project.write("list.csv", f"token,{names}\n{token},{values}\n")
    return "--tokens", "list.csv"


def certificate(project: Project, topic: str) -> None:
    """Have *project* send with a provider certificate for *topic*."""
    served = project.served
    project.write("mdm.pem", served.simulator.push_certificate(topic)).chmod(0o600)
    project.write(
        "pushctl.yaml",
        "credentials: {mdm: {service: apns, certificate_file: mdm.pem,"
        f" environment: {served.simulator.environment}, topic: {topic},"
        f" endpoint: '{served.url}', ca_file: '{served.made.ca_file}'}}}}\n",
    )
