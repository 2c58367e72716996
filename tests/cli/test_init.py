"""``pushctl init`` writes files that work, and never over others."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from cli.kit import Result, run_cli
from pushctl.config import ApnsCertificateSettings, ApnsKeySettings, FcmSettings, load_settings
from pushctl.config.template import Facts, ignore_lines, quoted, with_lines
from pushctl.documents import load as read_yaml

ACCOUNT = json.dumps({"type": "service_account", "project_id": "shop-1234"})


def init(folder: Path, *arguments: str, answers: str | None = None) -> Result:
    """Run ``pushctl init`` in *folder*, on a terminal if there are *answers*."""
    stdin = (answers or "").encode()
    return run_cli("init", *arguments, cwd=folder, stdin=stdin, tty=answers is not None)


def loaded(folder: Path) -> list[object]:
    """Return the credentials of the config in *folder*."""
    path = folder / "pushctl.yaml"
    settings = load_settings(path, environ={}, cwd=folder, home=folder)
    return [*settings.credentials.values()]


def test_without_anything_known(tmp_path: Path) -> None:
    """Both services, valid as it stands; what is not yet true is told with its line."""
    result = init(tmp_path)

    assert (0, "pushctl.yaml\nprofiles.yaml\n") == (result.exit_code, result.stdout)
    apns, fcm = loaded(tmp_path)
    assert isinstance(apns, ApnsKeySettings)
    assert isinstance(fcm, FcmSettings)
    lines = (tmp_path / "pushctl.yaml").read_text().splitlines()
    marked = [number for number, line in enumerate(lines, 1) if "# fill in" in line]
    assert 4 == len(marked)
    for number in marked:
        assert f"(pushctl.yaml:{number})" in result.stderr
    assert max(map(len, lines)) <= 100


def test_the_profiles_can_be_rehearsed(tmp_path: Path) -> None:
    """The profile file is sound, and only its owner may read it."""
    init(tmp_path)
    result = run_cli(
        "send", "--profiles", "profiles.yaml", "--title", "Hi {{ first_name }}", "--dry-run",
        "-o", "json", cwd=tmp_path,
    )  # fmt: skip

    assert 0o600 == stat.S_IMODE((tmp_path / "profiles.yaml").stat().st_mode)
    # The keys do not exist yet, and that is the only thing that is wrong.
    assert all("there is no file" in error for error in result.errors), result.stderr
    assert 2 == len(result.errors)


def test_everything_given(tmp_path: Path) -> None:
    """Options fill everything in; nothing is left open."""
    result = init(
        tmp_path, "--environment", "sandbox", "--topic", "com.acme.shop", "--key-file", "k/my.p8",
        "--key-id", "ABC123DEFG", "--team-id", "1234567890", "--service-account-file", "a.json",
        "--project-id", "shop-1234",
    )  # fmt: skip
    apns, fcm = loaded(tmp_path)

    assert 0 == result.exit_code
    assert "fill in" not in result.stderr
    assert ("sandbox", "com.acme.shop", "ABC123DEFG", "1234567890", tmp_path / "k/my.p8") == (
        apns.environment, apns.topic, apns.key_id, apns.team_id, apns.key_file,
    )  # fmt: skip
    assert (tmp_path / "a.json", "shop-1234") == (fcm.service_account_file, fcm.project_id)


def test_what_lies_in_the_folder_is_found(tmp_path: Path) -> None:
    """A push key under Apple's name and a service account need not be named."""
    (tmp_path / "AuthKey_ABC123DEFG.p8").touch()
    (tmp_path / "firebase-adminsdk.json").write_text(ACCOUNT)
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "broken.json").write_text("{")
    init(tmp_path)
    apns, fcm = loaded(tmp_path)

    assert "ABC123DEFG" == apns.key_id
    assert tmp_path / "firebase-adminsdk.json" == fcm.service_account_file
    assert "/firebase-adminsdk.json\n" in (tmp_path / ".gitignore").read_text()


def test_two_keys_are_not_guessed_between(tmp_path: Path) -> None:
    """Where there are several, the person says which."""
    (tmp_path / "AuthKey_ABC123DEFG.p8").touch()
    (tmp_path / "AuthKey_XYZ9876543.p8").touch()

    assert "fill in: key_file" in init(tmp_path).stderr


def test_the_service_that_the_options_mean(tmp_path: Path) -> None:
    """Options of one service ask for that one; a certificate takes the place of a key."""
    init(tmp_path, "--certificate-file", "shop.p12")
    (only,) = loaded(tmp_path)

    assert isinstance(only, ApnsCertificateSettings)
    assert tmp_path / "shop.p12" == only.certificate_file


def test_another_folder(tmp_path: Path) -> None:
    """The folder may be new; files are named from where the person is."""
    result = init(tmp_path, "new/shop", "--key-file", "AuthKey_ABC123DEFG.p8")
    (apns,) = loaded(tmp_path / "new" / "shop")

    assert "new/shop/pushctl.yaml\nnew/shop/profiles.yaml\n" == result.stdout
    assert (tmp_path / "AuthKey_ABC123DEFG.p8") == Path(apns.key_file).resolve()


def test_a_config_is_never_overwritten(tmp_path: Path) -> None:
    """Neither a file nor a link is replaced, and nothing else is written then."""
    (tmp_path / "pushctl.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    result = init(tmp_path)

    assert (2, "") == (result.exit_code, result.stdout)
    assert ["pushctl.yaml exists already: nothing was written"] == result.errors
    assert ["pushctl.yaml"] == [path.name for path in tmp_path.iterdir()]


def test_profiles_are_never_overwritten(tmp_path: Path) -> None:
    """Profiles that are there stay, and that is said."""
    (tmp_path / "profiles.yaml").write_text("profiles: []\n")
    result = init(tmp_path)

    assert (0, "pushctl.yaml\n") == (result.exit_code, result.stdout)
    assert "profiles.yaml exists already and was left as it is" in result.stderr
    assert "profiles: []\n" == (tmp_path / "profiles.yaml").read_text()


def test_git_ignores_keys_and_personal_data(tmp_path: Path) -> None:
    """git itself says so, of every file that holds a secret or a token."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    init(tmp_path, "--key-file", "my [old] key.p8", "--key-id", "ABC123DEFG",
         "--service-account-file", "#1.json")  # fmt: skip
    secret = [
        "my [old] key.p8", "#1.json", "AuthKey_ABC123DEFG.p8", "shop.p12", "profiles.yaml",
        "bounces.jsonl", "bounces.jsonl.1", ".pushctl/runs/x",
    ]  # fmt: skip
    command = ["git", "-C", str(tmp_path), "check-ignore", "--stdin", "-z"]
    said = subprocess.run(
        command,
        input="\0".join([*secret, "pushctl.yaml"]),
        capture_output=True,
        text=True,
        check=True,
    )

    assert secret == said.stdout.rstrip("\0").split("\0")


def test_an_existing_gitignore_is_added_to_once(tmp_path: Path) -> None:
    """What stands there stays, what is there already is not repeated, line breaks are kept."""
    path = tmp_path / ".gitignore"
    path.write_bytes(b"*.p12\r\nbuild")
    init(tmp_path)
    first = path.read_bytes()
    (tmp_path / "pushctl.yaml").unlink()
    init(tmp_path)

    assert first.startswith(b"*.p12\r\nbuild\r\n\r\n# pushctl")
    assert 1 == first.count(b"*.p12")
    assert first.count(b"\n") == first.count(b"\r\n")
    assert first == path.read_bytes()


def test_a_gitignore_that_is_a_link(tmp_path: Path) -> None:
    """A link is not followed: the lines are told instead."""
    other = tmp_path / "other"
    other.touch()
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / ".gitignore").symlink_to(other)
    result = init(folder)

    assert 0 == result.exit_code
    assert "AuthKey_*.p8" in result.warnings[0]
    assert b"" == other.read_bytes()


def test_questions(tmp_path: Path) -> None:
    """On a terminal what is missing is asked, a wrong answer again; Enter leaves it open."""
    result = init(tmp_path, answers="\ncom acme\ncom.acme.shop\nmy.p8\nABC123DEFG\n\na.json\n")
    apns, fcm = loaded(tmp_path)

    assert 0 == result.exit_code
    assert ("production", "com.acme.shop", "ABC123DEFG") == (
        apns.environment,
        apns.topic,
        apns.key_id,
    )
    assert tmp_path / "a.json" == fcm.service_account_file
    assert "topic must be a bundle id" in result.stderr
    assert 1 == result.stderr.count("fill in: ")
    assert result.stderr.endswith(" pushctl check\n")


def test_the_end_of_input_writes_nothing(tmp_path: Path) -> None:
    """Ctrl-D at a question ends the command."""
    assert 130 == init(tmp_path, answers="").exit_code
    assert [] == [*tmp_path.iterdir()]


def test_no_questions_without_a_person(tmp_path: Path) -> None:
    """--no-input asks nothing on a terminal either."""
    result = init(tmp_path, "--no-input", answers="")

    assert 0 == result.exit_code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--topic", "a b"], "--topic must be a bundle id"),
        (["--team-id", "x"], "--team-id must be 10 capital letters and digits"),
        (["--environment", "prod"], "prod"),
        (["--service", "fcm", "--topic", "a.b"], "--topic belongs to --service apns"),
        (["--service", "apns", "--project-id", "shop-1234"], "belongs to --service fcm"),
        (["--certificate-file", "a.p12", "--key-file", "b.p8"], "exclude each other"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, arguments: list[str], words: str) -> None:
    """A wrong option is told as the config would tell it, and nothing is written."""
    result = init(tmp_path, *arguments)

    assert 2 == result.exit_code
    assert words in result.stderr
    assert [] == [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in the place of the folder is an error of storage, not a crash."""
    (tmp_path / "file").touch()
    result = init(tmp_path, "file/below")

    assert 74 == result.exit_code
    assert "cannot write" in result.errors[0]


@pytest.mark.parametrize(
    "text", ["a b", "1e5", "0123456789", "yes", "NULL", "~/k", "-x", "ä: #", '"']
)
def test_values_are_quoted_where_yaml_would_read_something_else(text: str) -> None:
    """Whatever a file is called: it reads back as that text."""
    written = read_yaml(f"a: {quoted(text)}".encode(), "x.yaml", kind="yaml", max_bytes=100)

    assert {"a": text} == written.value


def test_files_outside_are_not_ignored() -> None:
    """What does not lie in the folder is none of its .gitignore's business."""
    lines = ignore_lines(Facts(key_file="/keys/a.p8", service_account_file="../b.json"))

    assert not [line for line in lines if "a.p8" in line or "b.json" in line]
    assert ("", 0) == with_lines("x\n", ["x"])
