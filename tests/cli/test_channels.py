"""``pushctl channels`` against the simulator, over TLS and HTTP/2."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from cli.kit import TOPIC, Project, Result, Served, config_text, rules, run_cli
from cli.test_proxy import ConnectProxy
from pushctl import catalog
from pushctl.outcome import Category, Retryable
from pushctl.simulator import Rule, Say, Script

NOWHERE = "https://127.0.0.1:9"
"""The discard port: nobody listens."""


def channels(project: Project, *arguments: str, **more: Any) -> Result:
    """Run ``pushctl channels`` in the folder of *project*."""
    return run_cli("channels", *arguments, cwd=project.folder, **more)


@contextlib.contextmanager
def answering(served: Served, answer: Any, **more: Any) -> Iterator[None]:
    """Let the management of channels be answered with *answer* until the block ends."""
    served.simulator.add_rule(Rule(service="channels", token=TOPIC, answer=answer, **more))
    try:
        yield
    finally:
        served.simulator.play(Script(rules=rules()))


def made(project: Project, *arguments: str) -> str:
    """Return the id of a new channel."""
    return channels(project, "create", "-q", *arguments).stdout.strip()


def test_the_life_of_a_channel(project: Project) -> None:
    """Made, listed, shown and deleted; then it is not registered any more."""
    channel = made(project, "--storage", "last")
    listed = channels(project, "list").stdout.splitlines()
    shown = channels(project, "show", channel, "-o", "json").document
    deleted = channels(project, "delete", channel, "--yes")
    again = channels(project, "show", channel)

    assert channel in listed
    assert ("last", "LiveActivity", TOPIC, "accepted") == tuple(
        shown[name] for name in ("storage", "push_type", "app", "outcome")
    )
    assert (0, f"✓ deleted  {channel}\n") == (deleted.exit_code, deleted.stdout)
    assert channel not in channels(project, "list").stdout.splitlines()
    assert 1 == again.exit_code
    assert "400 ChannelNotRegistered" in again.errors[0]
    assert [
        "See which channels this app has in this environment with `pushctl channels list`."
    ] == (again.hints)


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_every_output_of_every_command(project: Project, output: str) -> None:
    """Data goes to stdout in the form that was asked for, talk to stderr."""
    created = channels(project, "create", "-o", output)
    channel = made(project)
    listed = channels(project, "list", "-o", output)
    shown = channels(project, "show", channel, "-o", output)
    deleted = channels(project, "delete", channel, "--yes", "-o", output)

    for result in (created, listed, shown, deleted):
        assert 0 == result.exit_code
        if output == "json":
            assert result.document
        elif output == "jsonl":
            assert all(json.loads(line)["id"] for line in result.stdout.splitlines())
        elif output == "csv":
            assert result.stdout.startswith("id,")
    assert channel in listed.stdout
    assert "made a channel of" in created.stderr


def test_several_are_deleted_each_with_its_own_end(project: Project) -> None:
    """One that does not exist does not keep the others; an id given twice is deleted once."""
    first, second = made(project), made(project)

    result = channels(project, "delete", first, "bm9uZQ==", second, first, "--yes", "-o", "jsonl")

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(first, "accepted"), ("bm9uZQ==", "rejected"), (second, "accepted")] == [
        (record["id"], record["outcome"]) for record in records
    ]
    assert 1 == result.exit_code
    assert 1 == len(result.errors)


def test_deleting_needs_a_word(project: Project) -> None:
    """Without a terminal it takes --yes; at one the answer decides, and no is the default."""
    channel = made(project)

    silent = channels(project, "delete", channel)
    declined = channels(project, "delete", channel, tty=True, stdin=b"\n")
    kept = channels(project, "list").stdout.splitlines()
    agreed = channels(project, "delete", channel, tty=True, stdin=b"y\n")

    assert (2, ["add --yes: no way back"]) == (silent.exit_code, silent.hints)
    assert 2 == declined.exit_code
    assert "not confirmed: nothing was deleted" in declined.stderr
    assert channel in kept
    assert 0 == agreed.exit_code
    assert channel not in channels(project, "list").stdout.splitlines()


def test_a_dry_run_shows_the_request_and_asks_nobody(project: Project) -> None:
    """Method, URL, header fields and body, without the credential."""
    before = project.served.simulator.stats().management_requests

    created = channels(project, "create", "-n", "--storage", "last", "-o", "json")
    deleted = channels(project, "delete", "YQ==", "-n", "-o", "jsonl")

    request = created.document
    assert ("POST", f"{project.served.url}/1/apps/{TOPIC}/channels") == (
        request["method"],
        request["url"],
    )
    assert {"message-storage-policy": 1, "push-type": "LiveActivity"} == json.loads(request["body"])
    assert ("DELETE", "YQ==") == (
        (document := json.loads(deleted.stdout))["method"],
        document["headers"]["apns-channel-id"],
    )
    assert "authorization" not in created.stdout + deleted.stdout
    assert before == project.served.simulator.stats().management_requests


BROADCAST = [reason for reason in catalog.all_reasons() if reason.service == "apns-broadcast"]


@pytest.mark.parametrize("reason", BROADCAST, ids=lambda reason: reason.name)
def test_each_documented_refusal(project: Project, reason: catalog.Reason) -> None:
    """The refusal is told in the words of the broadcast table, with what to do, and its code."""
    expected = 1
    if reason.category is Category.CREDENTIALS and reason.status == 403:
        expected = 4
    elif reason.retryable is Retryable.WITH_BACKOFF:
        expected = 5

    with answering(project.served, reason.name):
        result = channels(project, "list")

    assert (expected, "") == (result.exit_code, result.stdout)
    assert result.errors == [
        f"APNs refused to list the channels: {reason.status} {reason.name}: {reason.description}"
    ]
    assert [reason.what_to_do[0]] == result.hints


def test_an_odd_refusal(project: Project) -> None:
    """A page of something in between is told by its status, its text harmless."""
    page = Say(status=502, body=b"<html>\x1b[31mBad Gateway</html>")

    with answering(project.served, page):
        result = channels(project, "list")

    assert 5 == result.exit_code
    assert "HTTP 502" in result.errors[0]
    assert "<html>[31mBad Gateway</html>" in result.errors[0]


def test_a_list_that_is_none(project: Project) -> None:
    """A 200 without a list is not taken for an app without channels."""
    with answering(project.served, Say(status=200, body=b'{"channels": 7}')):
        result = channels(project, "list")

    assert (5, "") == (result.exit_code, result.stdout)
    assert "not a list of channels" in result.errors[0]


def test_a_creation_without_an_answer_is_unknown(project: Project) -> None:
    """It is not asked for again, exit 7, and the way to find out is named."""
    before = len(channels(project, "list", "-o", "json").document["channels"])

    with answering(project.served, "drop", times=1):
        result = channels(project, "create", "-o", "json")

    after = len(channels(project, "list", "-o", "json").document["channels"])
    assert (7, "unknown", "NoAnswer") == (
        result.exit_code,
        result.document["outcome"],
        result.document["reason"],
    )
    assert "pushctl channels list" in result.stderr
    assert before + 1 == after  # it had been made, once


def test_a_deletion_without_an_answer_is_unknown(project: Project) -> None:
    """Exit 7; what was told about the others stands."""
    channel, other = made(project), made(project)

    with answering(project.served, "drop", times=1):
        result = channels(project, "delete", channel, other, "--yes", "-o", "json")

    assert ["unknown", "accepted"] == [one["outcome"] for one in result.document]
    assert 7 == result.exit_code
    assert "pushctl channels show" in result.stderr


@pytest.mark.parametrize("answer", ["rst:REFUSED_STREAM", "goaway:previous"])
def test_what_was_surely_not_done_is_asked_for_again(project: Project, answer: str) -> None:
    """A stream that was refused, or lies above a GOAWAY, leaves no doubt: one channel is made."""
    before = len(channels(project, "list", "-o", "json").document["channels"])

    with answering(project.served, answer, times=1):
        result = channels(project, "create")
    after = len(channels(project, "list", "-o", "json").document["channels"])
    with answering(project.served, answer):
        refused = channels(project, "create")

    assert (0, before + 1) == (result.exit_code, after)
    assert 5 == refused.exit_code
    assert after == len(channels(project, "list", "-o", "json").document["channels"])


def test_a_question_without_an_answer_changed_nothing(project: Project) -> None:
    """Reading has no doubtful end: exit 5."""
    with answering(project.served, "drop"):
        result = channels(project, "list")

    assert 5 == result.exit_code


def test_a_timeout_ends_the_wait(project: Project) -> None:
    """--timeout bounds a request that is never answered."""
    with answering(project.served, "hang"):
        result = channels(project, "create", "--timeout", "1")

    assert 7 == result.exit_code
    assert "no answer within 1 s" in result.errors[0]


@pytest.mark.parametrize("command", [("create",), ("list",), ("delete", "YQ==", "Yg==", "--yes")])
def test_nobody_there(project: Project, command: tuple[str, ...]) -> None:
    """A service that cannot be reached was asked nothing: exit 5, also for a creation."""
    project.write("pushctl.yaml", config_text(project.served, url=NOWHERE))

    result = channels(project, *command, "-o", "json")

    assert 5 == result.exit_code
    assert "could not be reached" in result.errors[0]
    if command[0] == "delete":
        assert ["NotReached", "NotReached"] == [one["reason"] for one in result.document]


def test_a_server_that_is_not_trusted(project: Project) -> None:
    """A certificate of another authority ends the handshake: nothing was sent, exit 5."""
    text = config_text(project.served)
    project.write("pushctl.yaml", "\n".join(it for it in text.splitlines() if "ca_file" not in it))

    result = channels(project, "create")

    assert 5 == result.exit_code
    assert "certificate" in result.errors[0].lower()


def test_an_expired_provider_token_is_replaced_once(project: Project) -> None:
    """The request is made again with a new token, on a new connection; nothing is made twice."""
    before = len(channels(project, "list", "-o", "json").document["channels"])

    with answering(project.served, "ExpiredProviderToken", times=1):
        result = channels(project, "create", "-vv")

    assert 0 == result.exit_code
    assert 2 == result.stderr.count("/channels\n")
    assert before + 1 == len(channels(project, "list", "-o", "json").document["channels"])


def test_a_certificate_manages_channels(project: Project) -> None:
    """A client certificate does without a provider token."""
    project.write("push.pem", project.served.simulator.push_certificate(TOPIC)).chmod(0o600)
    project.write(
        "pushctl.yaml",
        f"""\
credentials:
  shop-cert:
    service: apns
    environment: {project.served.simulator.environment}
    certificate_file: push.pem
    endpoint: {project.served.url}
    ca_file: {project.served.made.ca_file}
""",
    )

    result = channels(project, "create", "-vv")

    assert 0 == result.exit_code
    assert "authorization" not in result.stderr


def test_the_wire_is_shown_without_secrets(project: Project) -> None:
    """-vv shows request and answer, and of the provider token only that it is there."""
    result = channels(project, "create", "-vv")

    assert "authorization: bearer (hidden)" in result.stderr
    assert "eyJ" not in result.stderr
    assert "apns-channel-id: " in result.stderr


def test_through_a_proxy(project: Project) -> None:
    """The configured proxy carries management too."""
    with ConnectProxy() as proxy:
        text = config_text(project.served).replace(
            "    ca_file", f"    proxy: {proxy.url}\n    ca_file"
        )
        project.write("pushctl.yaml", text)
        result = channels(project, "list")

    assert 0 == result.exit_code
    assert [project.served.url.removeprefix("https://")] == proxy.targets


def test_channels_have_a_place_of_their_own(project: Project) -> None:
    """channels_endpoint decides over endpoint."""
    text = config_text(project.served, url=NOWHERE).replace(
        "    key_id", f"    channels_endpoint: {project.served.url}\n    key_id"
    )
    project.write("pushctl.yaml", text)

    assert 0 == channels(project, "list").exit_code


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("create", "--storage", "all"), 2, "storage"),
        (("create", "--timeout", "soon"), 2, "--timeout 'soon' is no time"),
        (("create", "--timeout", "0"), 2, "is no time"),
        (("create", "-o", "yaml"), 2, "not an output"),
        (("create", "-n", "-o", "csv"), 2, "not an output"),
        (("create", "--credential", "shop-android"), 3, "is a credential for FCM"),
        (("create", "--credential", "shop-oss"), 3, "there is no credential"),
        (("show", ""), 2, "must not be empty"),
        (("show", "naïve"), 2, "base64"),
        (("show", "a" * 2000), 2, "2000 characters"),
        (("delete", "YQ==", "no id", "--yes"), 2, "base64"),
    ],
)
def test_bad_input(project: Project, arguments: tuple[str, ...], code: int, message: str) -> None:
    """One clear error, its exit code, nothing on stdout, nobody asked."""
    before = project.served.simulator.stats().management_requests

    result = channels(project, *arguments)

    assert (code, "") == (result.exit_code, result.stdout)
    assert message in result.stderr
    assert before == project.served.simulator.stats().management_requests


def test_screens(project: Project, snapshot: SnapshotAssertion) -> None:
    """What a person at a terminal sees."""
    create = channels(project, "create", tty=True)
    channel = create.stdout.partition("\n")[0]
    screens = [create, channels(project, "show", channel, tty=True)]
    screens.append(channels(project, "delete", channel, "YQ==", "--yes", tty=True))
    with answering(project.served, "drop", times=1):
        screens.append(channels(project, "create", tty=True))
    with answering(project.served, "CannotCreateChannelConfig"):
        screens.append(channels(project, "create", tty=True))

    assert snapshot == "\n".join(
        (screen.stdout + screen.stderr).replace(channel, "<channel>") for screen in screens
    )
