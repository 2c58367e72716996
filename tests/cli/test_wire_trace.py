"""``-vv``: requests and answers on stderr, and no secret among them."""

from __future__ import annotations

from pathlib import Path

from cli.kit import Project, android, ios

HELLO = ("--title", "Hello")


def test_requests_and_answers_are_shown(project: Project) -> None:
    """Method, URL, header fields and payload of what went out; status and body of what came."""
    result = project.send("--token", ios(1, "de"), *HELLO, "-vv")

    lines = result.stderr.splitlines()
    assert any(line.startswith("1 > POST https://127.0.0.1:") for line in lines)
    assert "1 > apns-topic: com.example.shop" in lines
    assert '1 > {"aps":{"alert":{"title":"Hello"}}}' in lines
    assert any(line.startswith("1 < 410  (") for line in lines)
    assert any(line.startswith('1 < {"reason":"Unregistered"') for line in lines)
    assert 1 == result.exit_code


def test_an_accepted_answer_is_shown_too(project: Project) -> None:
    """The 200 that is otherwise not read at all is shown with its fields."""
    result = project.send("--token", ios(), *HELLO, "-vv")

    assert "1 < apns-id: " in result.stderr
    assert "1 < 200  (" in result.stderr
    assert 0 == result.exit_code


def test_a_request_without_an_answer_is_shown(project: Project) -> None:
    """Where the connection was dropped, that stands in the place of the answer."""
    result = project.send("--token", ios(1, "cc"), *HELLO, "-vv", "--retry-for", "0")

    assert "1 < no answer: " in result.stderr
    assert 7 == result.exit_code


def test_no_secret_is_shown(project: Project) -> None:
    """Neither a provider token nor an access token is on the screen, nor any of a key."""
    result = project.send("--token", ios(), "--token", android(), *HELLO, "-vv")

    assert 2 == result.stderr.count("> authorization: bearer (hidden)") + result.stderr.count(
        "> authorization: Bearer (hidden)"
    )
    assert "eyJ" not in result.stderr
    assert "ya29" not in result.stderr
    key = Path(project.served.made.key_file).read_text().splitlines()
    assert not any(line in result.stderr for line in key[1:-1])


def test_once_is_not_the_wire(project: Project) -> None:
    """-v shows pushes, not requests; stdout is the same at any verbosity."""
    once = project.send("--token", ios(), *HELLO, "-v")
    twice = project.send("--token", ios(2), *HELLO, "-vv", "-o", "jsonl")

    assert "> POST" not in once.stderr
    assert "POST" not in twice.stdout
    assert "accepted" == twice.record["outcome"]


def test_what_a_server_says_cannot_drive_the_terminal(project: Project) -> None:
    """Control characters of an answer do not reach the screen."""
    result = project.send("--token", android(1, "CONTROL"), *HELLO, "-vv", env={"NO_COLOR": "1"})

    assert "\x1b" not in result.stderr
    assert "INVALID_ARGUMENT" in result.stderr
