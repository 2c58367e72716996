"""What is left of an internal error: a report, or with --debug its traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.kit import Project, android, ios

BUG = "pushctl.cli.deliver.settings_for"


def test_a_crash_report_holds_no_values(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error is exit 70 and one error; its report has frames and no argument's value."""

    value = "-".join(("secret", "canary", "1"))  # so that no line of this file holds it

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(value)

    monkeypatch.setattr(BUG, broken)

    result = project.send("--token", ios(), "--title", value)

    assert 70 == result.exit_code
    (error,) = result.errors
    assert error.startswith("internal error (RuntimeError); details are in ")
    assert "report it" in result.hints[0]
    assert "Traceback" not in result.stderr
    (report,) = (project.folder.parent / "tmp").glob("pushctl-crash-*.txt")
    text = report.read_text()
    assert "command: send --token --title" in text
    assert "test_crash.py" in text
    assert value not in text + result.stderr
    assert ios() not in text
    assert 0o600 == report.stat().st_mode & 0o777


def test_what_begins_with_a_hyphen_is_no_option(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report names the options that pushctl has; a value that looks like one is not in it."""
    monkeypatch.setattr(BUG, _raise("bug"))

    project.send("--token", "-canary:x", "--title=-----canary", "--body", "--canary-2", "-vv")

    (report,) = (project.folder.parent / "tmp").glob("pushctl-crash-*.txt")
    assert "command: send --token --title --body\n" in report.read_text()
    assert "-canary" not in report.read_text()


def test_a_crash_without_a_place_for_its_report(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no file can be made it is still one error and exit 70, not a second crash."""
    monkeypatch.setattr(BUG, _raise("bug"))
    monkeypatch.setattr("tempfile.tempdir", str(project.folder / "nowhere"))

    result = project.send("--token", ios(), "--title", "x")

    assert 70 == result.exit_code
    assert ["internal error (RuntimeError); no report could be written"] == result.errors


def test_the_words_of_a_bug_cannot_drive_the_terminal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--debug shows what an error says without control characters, tokens, keys and passwords."""
    token = android(7, "canary") + "Z9" * 20
    said = f"\x1b]52;c;x\x07\u202e\x9b2J http://ann:hunter22@host {token} {ios(5)} Bearer abcdefgh1"
    monkeypatch.setattr(BUG, _raise(said))

    result = project.send("--token", ios(), "--title", "x", "--debug")

    assert 70 == result.exit_code
    assert "RuntimeError: \\u001b]52;c;x\\u0007\\u202e\\u009b2J http://•••@host" in result.stderr
    for secret in ("hunter22", token[:40], ios(5)[-20:], "abcdefgh1"):
        assert secret not in result.stderr


def _raise(words: str) -> Callable[..., None]:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(words)

    return broken
