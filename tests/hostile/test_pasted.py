"""A secret that stands where its name should is not repeated by the error that says so."""

from __future__ import annotations

import json

import pytest

from cli.kit import Project, Result, ios, run_cli
from hostile.canaries import Search, forms_of_key

LOUD = ("-vv", "--debug", "--title", "Hello")


def key_of(project: Project) -> str:
    """Return the .p8 that *project* sends with."""
    return project.served.made.key_file.read_text()


def leaks(project: Project, *results: Result) -> list[str]:
    """Return which pieces of the .p8 are in *results*."""
    search = Search()
    search.add("key", forms_of_key(key_of(project)))
    return [name for it in results for name in search.hits(it.stdout + it.stderr)]


def test_a_key_pasted_into_the_config_is_not_printed(project: Project) -> None:
    """A config that holds the key itself is refused without repeating it."""
    folded = "".join(f"      {line}\n" for line in key_of(project).splitlines())
    text = project.config.read_text().replace("    key_id:", f"    key: |\n{folded}    key_id:")
    project.write("pushctl.yaml", text)

    result = project.send("--token", ios(), *LOUD)

    assert 3 == result.exit_code
    assert [] == leaks(project, result)


def test_a_key_pasted_on_one_broken_line_is_not_printed(project: Project) -> None:
    """Not even the line under a YAML error shows a key that stands in it."""
    escaped = key_of(project).replace("\n", "\\n")
    project.write("pushctl.yaml", 'credentials: {shop: "' + escaped + "\n")

    result = project.send("--token", ios(), *LOUD)

    assert 3 == result.exit_code
    assert [] == leaks(project, result)


def test_a_key_in_the_environment_is_not_printed(project: Project) -> None:
    """`key_env` takes the key from a variable; a damaged one is refused without repeating it."""
    made, key = project.served.made, key_of(project)
    text = project.config.read_text().replace(f"key_file: {made.key_file}", "key_env: PUSH_KEY")
    project.write("pushctl.yaml", text)

    good = project.send("--token", ios(), *LOUD, env={"PUSH_KEY": key.replace("\n", "\\n")})
    damaged = project.send("--token", ios(), *LOUD, env={"PUSH_KEY": key.replace("-----END", "x")})

    assert (0, 3) == (good.exit_code, damaged.exit_code)
    assert [] == leaks(project, good, damaged)


OPTIONS = (
    "--ttl", "--priority", "--push-type", "--platform", "--credential", "--retry-for", "--timeout",
    "--stop-if", "--run", "--on-unknown", "--fail-on", "--bounce-log-max-size", "--rate", "--where",
    "--message", "--tokens", "--profiles", "--payload", "--fcm-topic", "--fcm-condition", "-o",
    "--color", "--progress", "--config", "--data",
)  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_a_key_given_to_an_option_is_not_printed(project: Project, option: str) -> None:
    """Whichever option of send, or its variable, is given the key itself instead of its file."""
    key = key_of(project)
    variable = f"PUSHCTL_{option.lstrip('-').replace('-', '_').upper()}"

    written = project.send("--token", ios(), *LOUD, option, key)
    set_ = project.send("--token", ios(), *LOUD, env={variable: key})

    assert [] == leaks(project, written, set_)


@pytest.mark.parametrize("field", ["key_file", "key_id", "topic", "endpoint", "ca_file", "proxy"])
def test_a_key_in_any_field_is_not_printed(project: Project, field: str) -> None:
    """Nor does a field of the config that is given the key, by no command that reads it."""
    lines = project.config.read_text().splitlines()
    kept = [line for line in lines if not line.strip().startswith(f"{field}:")]
    at = kept.index("    service: apns") + 1
    kept.insert(at, f"    {field}: {json.dumps(key_of(project))}")
    project.write("pushctl.yaml", "\n".join(kept) + "\n")

    sent = project.send("--token", ios(), *LOUD)
    shown = run_cli("config", "show", cwd=project.folder)
    checked = run_cli("check", "--offline", "-o", "github", cwd=project.folder)

    assert [] == leaks(project, sent, shown, checked)
