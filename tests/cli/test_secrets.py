"""Keys and tokens of ours are written nowhere, however much is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.kit import Project, Result, android, ios, serving
from pushctl.simulator import Rule, Say, Script

LOUD = ("-vv", "--debug", "--title", "Hello")


def secrets_of(project: Project) -> set[str]:
    """Return every piece of a secret that a run with *project*'s credentials could leak."""
    made = project.served.made
    account = json.loads(made.service_account_file.read_text())
    keys = made.key_file.read_text() + account["private_key"]
    pieces = {line for line in keys.splitlines() if line and "-----" not in line}
    for push in project.served.pushes:
        kind, _, token = push.fields["authorization"].partition(" ")
        assert kind.lower() == "bearer"
        pieces |= {token, *(part for part in token.split(".") if len(part) > 12)}
    return pieces


def leaks(project: Project, result: Result) -> list[str]:
    """Return where *result*, or any file that the run left, holds a secret."""
    texts = {"stdout": result.stdout, "stderr": result.stderr}
    for path in project.folder.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("utf-8", "replace")
    secrets = secrets_of(project)
    assert 10 < len(secrets)
    return [name for name, text in texts.items() if any(piece in text for piece in secrets)]


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_no_secret_in_a_run_of_mixed_outcomes(project: Project, output: str) -> None:
    """Neither streams nor journal, manifest or bounce log hold key, token or assertion."""
    tokens = [ios(1), ios(1, "de"), ios(1, "cc"), android(1), android(1, "GONE"), "nil"]
    arguments = [part for token in tokens for part in ("--token", token)]

    result = project.send(*arguments, *LOUD, "-o", output)

    assert 7 == result.exit_code
    assert [] == leaks(project, result)


def test_no_secret_where_the_credential_is_refused(tmp_path: Path) -> None:
    """What the services say when they refuse a credential is shown without the credential."""
    rules = (
        Rule(pattern="*", service="apns", answer="InvalidProviderToken"),
        Rule(
            pattern="*",
            service="fcm",
            answer=Say(status=403, body=b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'),
        ),
    )
    with serving(tmp_path, Script(rules=rules)) as served:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", served)
        result = project.send("--token", ios(), "--token", android(), *LOUD)

        assert 4 == result.exit_code
        assert 2 == len(served.pushes)
        assert [] == leaks(project, result)


def test_a_key_pasted_into_the_config_is_not_printed(project: Project) -> None:
    """A config that holds the key itself is refused without repeating it."""
    key = project.served.made.key_file.read_text()
    body = key.splitlines()[1]
    folded = "".join(f"      {line}\n" for line in key.splitlines())
    text = project.config.read_text().replace("    key_id:", f"    key: |\n{folded}    key_id:")
    project.write("pushctl.yaml", text)

    result = project.send("--token", ios(), *LOUD)

    assert 3 == result.exit_code
    assert body not in result.stdout + result.stderr


def test_a_key_pasted_on_one_broken_line_is_not_printed(project: Project) -> None:
    """Not even the line under a YAML error shows a key that stands in it."""
    key = project.served.made.key_file.read_text()
    body = key.splitlines()[1]
    project.write("pushctl.yaml", 'credentials: {shop: "' + key.replace("\n", "\\n") + "\n")

    result = project.send("--token", ios(), *LOUD)

    assert 3 == result.exit_code
    assert body not in result.stdout + result.stderr


def test_a_key_in_the_environment_is_not_printed(project: Project) -> None:
    """`key_env` takes the key from a variable; a damaged one is refused without repeating it."""
    made = project.served.made
    text = project.config.read_text().replace(f"key_file: {made.key_file}", "key_env: PUSH_KEY")
    project.write("pushctl.yaml", text)
    key = made.key_file.read_text()

    good = project.send("--token", ios(), *LOUD, env={"PUSH_KEY": key.replace("\n", "\\n")})
    damaged = project.send("--token", ios(), *LOUD, env={"PUSH_KEY": key.replace("-----END", "x")})

    assert (0, 3) == (good.exit_code, damaged.exit_code)
    assert [] == leaks(project, good)
    assert [] == leaks(project, damaged)


def test_a_crash_report_holds_no_values(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An internal error is exit 70 and one error; its report has frames and no argument's value."""

    value = "-".join(("secret", "canary", "1"))  # so that no line of this file holds it

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(value)

    monkeypatch.setattr("pushctl.cli.deliver.settings_for", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    result = project.send("--token", ios(), "--title", value)

    assert 70 == result.exit_code
    (error,) = result.errors
    assert error.startswith("internal error (RuntimeError); details are in ")
    assert "report it" in result.hints[0]
    assert "Traceback" not in result.stderr
    (report,) = tmp_path.glob("pushctl-crash-*.txt")
    text = report.read_text()
    assert "command: send --token --title" in text
    assert "test_secrets.py" in text
    assert value not in text + result.stderr
    assert ios() not in text
    assert 0o600 == report.stat().st_mode & 0o777
