"""``pushctl check`` as a person and as a CI job see it."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from syrupy.assertion import SnapshotAssertion

from check.kit import closed_port
from cli.kit import Project, Result, run_cli, start_cli, steady
from pushctl.check.step import Report, Step, Verdict
from pushctl.errors import Place
from pushctl.view.check import as_github

OUTPUTS = ("table", "json", "junit", "github")


def check(project: Project, *arguments: str, **more: object) -> Result:
    """Run ``pushctl check`` in the folder of *project*."""
    return run_cli("check", *arguments, cwd=project.folder, **more)  # type: ignore[arg-type]


def change(project: Project, old: str, new: str) -> None:
    """Replace *old*, which is there, in the config."""
    text = project.config.read_text("utf-8")
    assert old in text
    project.write("pushctl.yaml", text.replace(old, new))


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table(project: Project, snapshot: SnapshotAssertion, columns: int) -> None:
    """Offline, on a terminal: no line is wider than it."""
    change(project, f"    ca_file: {project.served.made.ca_file}\n", "")  # as long as its folder
    env = {"NO_COLOR": "1", "TERM": "dumb"}
    result = check(project, "--offline", columns=columns, tty=True, env=env)

    assert 0 == result.exit_code
    assert columns >= max(map(len, result.stdout.splitlines()))
    assert snapshot == steady(result.stdout + result.stderr, project.folder)


def test_json(project: Project) -> None:
    """Stdout is one document; its exit code is that of the process."""
    result = check(project, "-o", "json")

    assert (0, 0, 1) == (
        result.exit_code, result.document["exit_code"], result.document["schema"],
    )  # fmt: skip
    assert [None, "apns", "fcm"] == [it["service"] for it in result.document["reports"]]


def test_junit(project: Project) -> None:
    """A credential that cannot be judged is an error, and the counts are those of the cases."""
    change(project, project.served.url, f"https://127.0.0.1:{closed_port()}")
    result = check(project, "shop-ios", "-o", "junit")
    suites = ElementTree.fromstring(result.stdout.encode()).findall("testsuite")

    assert 5 == result.exit_code
    assert ["0", "1"] == [suite.get("errors") for suite in suites]
    assert all(suite.get("tests") == str(len(suite.findall("testcase"))) for suite in suites)


def test_github_escapes_what_would_break_a_workflow_command() -> None:
    """Percent signs, line breaks and, in properties, colons and commas cannot end a command."""
    step = Step(
        name="key, or: not",
        verdict=Verdict.FAIL,
        sentence="100% wrong\r\n::error::forged",
        advice=("do this",),
        place=Place("a,b:c%.yaml", 3, 5),
    )
    first, last = as_github([Report(name="shop", steps=(step,))])
    properties, _, message = first.removeprefix("::error ").partition("::")

    assert "\n" not in first + last
    assert "\r" not in first + last
    assert "file=a%2Cb%3Ac%25.yaml" in properties
    assert "title=shop%3A key%2C or%3A not" in properties
    assert message.startswith("100%25 wrong")
    assert message.endswith("%0A→ do this")


def test_a_warning_fails_only_if_wished(project: Project) -> None:
    """A config that everybody may write is a warning: 0, and 1 with --fail-on warn."""
    project.config.chmod(0o666)
    named = ("--config", str(project.config), "--offline")

    assert 0 == check(project, *named).exit_code
    assert 1 == check(project, *named, "--fail-on", "warn").exit_code


def test_an_invalid_config(project: Project) -> None:
    """A key that is not there is exit code 3."""
    change(project, str(project.served.made.key_file), "missing.p8")

    assert 3 == check(project, "--offline").exit_code


def test_a_refusal(project: Project) -> None:
    """A team that the key does not belong to is refused: 4, and the reason can be explained."""
    change(project, project.served.made.team_id, "WRONGTEAM1")
    result = check(project, "shop-ios")

    assert 4 == result.exit_code
    assert "pushctl explain InvalidProviderToken" in result.stdout


def test_an_endpoint_must_be_allowed(project: Project) -> None:
    """A host that is not the vendor's gets no credential unless it is named."""
    change(project, project.served.url, "https://push.example.com")

    assert 3 == check(project, "shop-ios", "--offline").exit_code
    assert (
        0
        == check(project, "shop-ios", "--offline", "--allow-endpoint", "push.example.com").exit_code
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_secret_is_shown(project: Project, output: str) -> None:
    """No line of a private key, and no token, in any output, however talkative."""
    made = project.served.made
    result = check(project, "-o", output, "-vv")
    shown = result.stdout + result.stderr
    key = made.key_file.read_text("utf-8") + made.service_account_file.read_text("utf-8")

    assert 0 == result.exit_code
    assert not [it for it in re.findall(r"[A-Za-z0-9+/=]{40,}", key) if it in shown]
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.", shown)


def test_two_processes_send_the_same_provider_token(project: Project) -> None:
    """APNs sees one token of the key, however many processes check it at a time."""
    before = Counter(project.served.simulator.stats().provider_tokens)
    processes = [start_cli("check", "shop-ios", cwd=project.folder) for _ in range(2)]

    assert [0, 0] == [(it.communicate(), it.returncode)[1] for it in processes]
    after = Counter(project.served.simulator.stats().provider_tokens)
    assert [2] == list((after - before).values())


def test_a_variable_of_send_does_not_break_check(project: Project) -> None:
    """PUSHCTL_FAIL_ON may hold what send knows: check then takes its own default."""
    assert 0 == check(project, "--offline", env={"PUSHCTL_FAIL_ON": "bounced"}).exit_code
    assert 2 == check(project, "--offline", "--fail-on", "bounced").exit_code
    assert 2 == check(project, "--offline", env={"PUSHCTL_FAIL_ON": "nonsense"}).exit_code
