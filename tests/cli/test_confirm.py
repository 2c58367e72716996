"""``protected: true``: a bulk send asks for its number, or takes it from a script."""

from __future__ import annotations

import pytest

from cli.kit import Project, ios

TWO = ("--token", ios(1), "--token", ios(2), "--title", "Hello")


@pytest.fixture
def protected(project: Project) -> Project:
    """Return a project whose APNs credential is protected."""
    text = project.config.read_text()
    project.write(
        "pushctl.yaml", text.replace("service: apns", "service: apns\n    protected: true")
    )
    return project


def test_a_script_needs_a_word(protected: Project) -> None:
    """Where nobody can be asked, a bulk send is refused (exit 2) and the option is named."""
    result = protected.send(*TWO)

    assert (2, ["shop-ios is protected: 2 pushes need your word"]) == (
        result.exit_code,
        result.errors,
    )
    assert ["add --confirm 2, or --yes"] == result.hints
    assert ([], []) == (protected.served.pushes, protected.runs())


@pytest.mark.parametrize("word", [("--yes",), ("-y",), ("--confirm", "2")])
def test_a_script_says_so(protected: Project, word: tuple[str, ...]) -> None:
    """--yes, or the exact number, lets the send go on."""
    assert 0 == protected.send(*TWO, *word).exit_code
    assert 2 == len(protected.served.pushes)


def test_another_number_is_refused(project: Project) -> None:
    """--confirm with another number than would be sent is refused, protected or not."""
    result = project.send(*TWO, "--confirm", "3")

    assert (2, ["--confirm 3, but 2 pushes would be sent"]) == (result.exit_code, result.errors)
    assert [] == project.served.pushes


def test_one_push_is_never_asked_about(protected: Project) -> None:
    """A push to a single token goes out without a question."""
    assert 0 == protected.send("--token", ios(), "--title", "Hello").exit_code


@pytest.mark.parametrize(
    ("answer", "exit_code", "sent"), [(b"2\n", 0, 2), (b"y\n", 2, 0), (b"", 2, 0)]
)
def test_a_person_types_the_number(
    protected: Project, answer: bytes, exit_code: int, sent: int
) -> None:
    """On a terminal the number has to be typed; anything else sends nothing."""
    result = protected.send(*TWO, stdin=answer, tty=True, env={"TERM": "dumb"})

    assert exit_code == result.exit_code
    assert "shop-ios is protected. To send 2 pushes, type their number: " in result.stderr
    assert sent == len(protected.served.pushes)


def test_no_input_never_asks(protected: Project) -> None:
    """With --no-input a terminal is not asked either."""
    result = protected.send(*TWO, "--no-input", stdin=b"2\n", tty=True)

    assert 2 == result.exit_code
    assert "type their number" not in result.stderr
