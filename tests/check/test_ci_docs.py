"""The examples of docs/ci.md are YAML, and what they run works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.kit import clean_environment
from credentials import material

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"
BLOCKS = dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S))
GITHUB, GITLAB = ".github/workflows/push-credentials.yml", ".gitlab-ci.yml"
SECRETS = {"SHOP_APNS_KEY", "SHOP_FIREBASE_JSON"}


def script(name: str) -> str:
    """Return what the example *name* runs with the secrets at hand."""
    job: Any = yaml.safe_load(BLOCKS[name])
    if name == GITLAB:
        return "\n".join(job["push-credentials"]["script"])
    lines = [step.get("run", "") for step in job["jobs"]["check"]["steps"]]
    (line,) = [line for line in lines if line.startswith("pushctl ")]
    return str(line)


def test_only_the_step_that_checks_has_the_secrets() -> None:
    """In the GitHub example no other step, and no job as a whole, sees a secret."""
    job = yaml.safe_load(BLOCKS[GITHUB])["jobs"]["check"]
    with_secrets = [step for step in job["steps"] if "secrets." in str(step)]

    assert "env" not in job
    assert [SECRETS] == [set(step["env"]) for step in with_secrets]
    assert script(GITHUB) == with_secrets[0]["run"]


@pytest.mark.parametrize(("name", "mode"), [(GITHUB, 0o644), (GITLAB, 0o666)])
def test_the_command_runs_as_written(tmp_path: Path, name: str, mode: int) -> None:
    """
    With --offline set by its variable it passes, GitLab's in a checkout that everybody may write.

    It leaves no file but the report behind, and no secret in what it prints.
    """
    config = tmp_path / "pushctl.yaml"
    config.write_text(BLOCKS["pushctl.yaml"], "utf-8")
    config.chmod(mode)
    key, account = material.pem(material.ec_key()).decode(), material.account().decode()
    secrets = {"SHOP_APNS_KEY": key, "SHOP_FIREBASE_JSON": account}
    python = f'pushctl() {{ "{sys.executable}" -m pushctl "$@"; }}\n'

    ended = subprocess.run(
        ["/bin/sh", "-ec", python + script(name)],
        cwd=tmp_path,
        env=clean_environment(tmp_path, 80, {**secrets, "PUSHCTL_OFFLINE": "true"}),
        capture_output=True,
        text=True,
        check=False,
    )
    report = tmp_path / "push-credentials.xml"
    shown = ended.stdout + ended.stderr + (report.read_text("utf-8") if report.exists() else "")

    assert 0 == ended.returncode, ended.stderr
    assert {"pushctl.yaml"} | ({report.name} if name == GITLAB else set()) == {
        it.name for it in tmp_path.iterdir()
    }
    assert "shop-ios" in shown
    assert "shop-android" in shown
    assert not [line for line in key.splitlines()[1:-1] if line in shown]
    assert "PRIVATE KEY" not in shown
