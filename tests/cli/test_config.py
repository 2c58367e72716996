"""``pushctl config``: values with their origins, the file that is used, and the schemas."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from cli.kit import Project, Result, ios, run_cli
from pushctl.cli.settings import working_folder
from pushctl.documents import load
from pushctl.errors import InvalidInput
from pushctl.message.fields import message_schema

SECRET = "s3cretPassword"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\n"
FINGERPRINT = hashlib.sha256(KEY.replace("\n", "").replace(" ", "").encode()).hexdigest()[:12]
CONFIG = f"""\
credentials:
  shop-ios:
    service: apns
    environment: production
    topic: com.acme.shop
    key_file: AuthKey_ABC123DEFG.p8
    team_id: DEF123GHIJ
    protected: true
  ci:
    service: apns
    environment: sandbox
    topic: com.acme.shop
    key_env: APNS_KEY
    key_id: ABC123DEFG
    team_id: DEF123GHIJ
    proxy: http://ann:{SECRET}@proxy.example:3128
  cert:
    service: apns
    environment: production
    certificate_file: shop.p12
    certificate_password_env: P12_PASSWORD
  shop-android:
    service: fcm
    application_default: true
    proxy: none
defaults: {{apns: shop-ios}}
state_dir: state
"""
ENVIRONMENT = {
    "APNS_KEY": KEY.strip(),
    "P12_PASSWORD": SECRET,
    "HTTPS_PROXY": f"http://bob:{SECRET}@corp.example:8080",
    "PUSHCTL_RETRY_FOR": "5m",
    "PUSHCTL_BOUNCE_LOG": "other.jsonl",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with the config and its key."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pushctl.yaml").write_text(CONFIG)
    (folder / "AuthKey_ABC123DEFG.p8").write_text(KEY)
    return folder


def shown(folder: Path, *arguments: str, **more: Any) -> dict[str, dict[str, Any]]:
    """Return what ``config show`` says, by name."""
    result = run_cli("config", "show", "-o", "json", *arguments, cwd=folder, **more)
    return {it["name"]: it for it in result.document["settings"]}


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table(shop: Path, columns: int, snapshot: SnapshotAssertion) -> None:
    """Every value stands with its origin, secrets as fingerprints."""
    result = run_cli("config", "show", cwd=shop, columns=columns, tty=True, env=ENVIRONMENT)

    assert 0 == result.exit_code
    assert SECRET not in result.stdout + result.stderr
    head, _, rest = result.stdout.partition("bounce_log")
    assert "config" in head  # its path differs from run to run
    assert snapshot == rest


def test_origins(shop: Path) -> None:
    """A value comes from a place in the file, a variable, the command line or a default."""
    found = shown(shop, env=ENVIRONMENT)

    def origin(name: str) -> tuple[Any, ...]:
        it = found[name]
        return it["value"], it["origin"], it["line"], it["column"], it["variable"]

    assert ("com.acme.shop", "file", 5, 12, None) == origin("credentials.shop-ios.topic")
    assert (True, "file", 8, 16, None) == origin("credentials.shop-ios.protected")
    assert (False, "default", None, None, None) == origin("credentials.ci.protected")
    assert ("ABC123DEFG", "default", None, None, None) == origin("credentials.shop-ios.key_id")
    assert ("other.jsonl", "environment", None, None, "PUSHCTL_BOUNCE_LOG") == origin("bounce_log")
    assert (str(shop / "state"), "file", 27, 12, None) == origin("state_dir")
    assert ("5m", "environment", None, None, "PUSHCTL_RETRY_FOR") == origin("--retry-for")
    assert ("shop-android", "default", None, None, None) == origin("defaults.fcm")
    assert (None, "default", None, None, None) == origin("credentials.cert.topic")
    assert ("none", "file", 25, 12, None) == origin("credentials.shop-android.proxy")
    assert ("http://bob:•••@corp.example:8080", "environment", None, None, "HTTPS_PROXY") == origin(
        "credentials.shop-ios.proxy"
    )
    assert "http://ann:•••@proxy.example:3128" == found["credentials.ci.proxy"]["value"]
    assert "pushctl.yaml" == found["credentials.ci.topic"]["file"]


def test_fingerprints(shop: Path) -> None:
    """A key has the same one in a file and in a variable; a password has none."""
    found = shown(shop, env=ENVIRONMENT)

    def fingerprint(name: str) -> str:
        return str(found[f"credentials.{name}"]["fingerprint"])

    assert f"SHA-256 {FINGERPRINT}…" == fingerprint("shop-ios.key_file")
    assert f"SHA-256 {FINGERPRINT}…" == fingerprint("ci.key_env")
    assert "set" == fingerprint("cert.certificate_password_env")
    assert "there is no such file" == fingerprint("cert.certificate_file")
    assert SECRET not in json.dumps(found)


def test_what_is_missing_from_the_environment(shop: Path) -> None:
    """A variable that is not set is told as that; so is a directory in the place of a key."""
    (shop / "shop.p12").mkdir()
    found = shown(shop)

    assert "not set" == found["credentials.ci.key_env"]["fingerprint"]
    assert "not set" == found["credentials.cert.certificate_password_env"]["fingerprint"]
    assert "cannot be read" == found["credentials.cert.certificate_file"]["fingerprint"]


@pytest.mark.parametrize(
    ("arguments", "env", "value", "origin"),
    [
        ((), {}, "pushctl.yaml", "default"),
        (("--config", "pushctl.yaml"), {"PUSHCTL_CONFIG": "x.yaml"}, "pushctl.yaml", "option"),
        ((), {"PUSHCTL_CONFIG": "pushctl.yaml"}, "pushctl.yaml", "environment"),
    ],
)
def test_where_the_file_comes_from(
    shop: Path, arguments: tuple[str, ...], env: dict[str, str], value: str, origin: str
) -> None:
    """The file itself has an origin, too."""
    it = shown(shop, *arguments, env=env)["config"]

    assert (str(shop / value), origin) == (it["value"], it["origin"])


def test_variables_that_set_nothing(shop: Path) -> None:
    """A slip in a variable's name is told with the nearest; names that the config uses are fine."""
    text = CONFIG.replace("APNS_KEY", "PUSHCTL_APNS_KEY")
    (shop / "pushctl.yaml").write_text(text)
    env = {"PUSHCTL_APNS_KEY": KEY, "PUSHCTL_RETRYFOR": SECRET}
    result = run_cli("config", "show", cwd=shop, env=env)

    assert ["PUSHCTL_RETRYFOR sets no option"] == result.warnings
    assert ["did you mean 'PUSHCTL_RETRY_FOR'?"] == result.hints
    assert SECRET not in result.stdout + result.stderr


def test_without_a_config(tmp_path: Path) -> None:
    """Defaults are shown, and what to do next."""
    result = run_cli("config", "show", cwd=tmp_path, tty=True)

    assert 0 == result.exit_code
    assert "there is no pushctl.yaml" in result.stdout
    assert result.stderr.endswith(" pushctl init\n")


def test_an_invalid_config(shop: Path) -> None:
    """All faults of the file are told, and exit code 3."""
    (shop / "pushctl.yaml").write_text(CONFIG.replace("production", "prod"))
    result = run_cli("config", "show", cwd=shop)

    assert (3, "") == (result.exit_code, result.stdout)
    assert 2 == len(result.errors)


def test_a_bad_proxy_variable(shop: Path) -> None:
    """A variable that holds no proxy is named, and its password is not."""
    env = {"HTTPS_PROXY": f"socks5://bob:{SECRET}@corp.example"}
    result = run_cli("config", "show", cwd=shop, env=env)

    assert 3 == result.exit_code
    assert "HTTPS_PROXY" in result.errors[0]
    assert SECRET not in result.stdout + result.stderr


# -- path -----------------------------------------------------------------------------------------


def path_of(folder: Path, *arguments: str, **more: Any) -> Result:
    """Run ``config path``."""
    return run_cli("config", "path", *arguments, cwd=folder, **more)


def test_the_path_and_what_is_not_read(shop: Path) -> None:
    """stdout has the one file that is used; a second one is said not to be read."""
    (shop / ".git").mkdir()
    below = shop / "a"
    below.mkdir()
    (below / "pushctl.yaml").touch()
    result = path_of(below)

    assert (0, f"{below / 'pushctl.yaml'}\n") == (result.exit_code, result.stdout)
    assert f"{shop / 'pushctl.yaml'}  exists and is not read" in result.stderr


def test_a_users_file_that_is_not_read(shop: Path) -> None:
    """XDG_CONFIG_HOME is looked at, and a project's file goes before it."""
    own = shop.parent / "xdg" / "pushctl" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    env = {"XDG_CONFIG_HOME": str(own.parents[1])}
    both = path_of(shop, env=env)
    (shop / "pushctl.yaml").unlink()
    alone = path_of(shop, env=env)

    assert f"{own}  exists and is not read" in both.stderr
    assert f"{own}\n" == alone.stdout


def test_a_named_file_need_not_exist(shop: Path) -> None:
    """A file that was named is used or an error, never replaced by another."""
    result = path_of(shop, "--config", "missing.yaml")

    assert f"{shop / 'missing.yaml'}\n" == result.stdout
    assert "used, but it does not exist" in result.stderr
    assert 3 == run_cli("config", "show", "--config", "missing.yaml", cwd=shop).exit_code


def test_no_config_at_all(tmp_path: Path) -> None:
    """Nothing on stdout, and a file with the other suffix is pointed at."""
    (tmp_path / "pushctl.yml").touch()
    result = path_of(tmp_path)

    assert (0, "") == (result.exit_code, result.stdout)
    assert ["name it pushctl.yaml"] == result.hints


def test_the_path_as_json(shop: Path) -> None:
    """Each candidate says who asks for it, whether it is there, and whether it is used."""
    document = path_of(shop, "-o", "json", env={"PUSHCTL_CONFIG": "x.yaml"}).document

    assert str(shop / "x.yaml") == document["path"]
    assert [("PUSHCTL_CONFIG", False, True), ("project", True, False), ("user", False, False)] == [
        (it["from"], it["exists"], it["used"]) for it in document["candidates"]
    ]


def test_a_deleted_folder(tmp_path: Path) -> None:
    """Where the working directory is gone, that is said."""
    gone = tmp_path / "gone"
    gone.mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        with pytest.raises(InvalidInput, match="does not exist any more"):
            working_folder()


# -- ownership ------------------------------------------------------------------------------------


def test_a_config_that_anybody_may_write(shop: Path) -> None:
    """It is not used because it lies here; it is used when it is named."""
    os.chmod(shop / "pushctl.yaml", 0o666)
    found = run_cli("config", "show", cwd=shop)
    named = run_cli("config", "show", "--config", "pushctl.yaml", cwd=shop)

    assert (3, 0) == (found.exit_code, named.exit_code)
    assert "every user may write it (mode 0666)" in found.errors[0]
    assert "--config" in found.hints[0]


def test_nothing_is_sent_with_such_a_config(project: Project) -> None:
    """send refuses it before anything leaves."""
    os.chmod(project.config, 0o646)
    result = project.send("--token", ios(), "--title", "x")

    assert 3 == result.exit_code
    assert [] == project.served.received()


# -- schema ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [(), ("--message",), ("--profiles",)])
def test_schemas(tmp_path: Path, option: tuple[str, ...]) -> None:
    """Each is a JSON Schema, with a description of every key."""
    document = run_cli("config", "schema", *option, cwd=tmp_path).document

    jsonschema.Draft202012Validator.check_schema(document)
    assert all("description" in it for it in document["properties"].values())


def test_one_schema_at_a_time(tmp_path: Path) -> None:
    """Two schemas are no document."""
    assert 2 == run_cli("config", "schema", "--message", "--profiles", cwd=tmp_path).exit_code


def test_the_message_schema_takes_the_documented_example() -> None:
    """The schema of messages accepts the message file of docs/messages.md."""
    page = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    value = load(example.encode(), "m.yaml", kind="yaml", max_bytes=10_000).value

    jsonschema.Draft202012Validator(message_schema()).validate(value)
