"""Whatever is wrong is said once, with its place and a hint, and nothing is sent."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.kit import Project, Result, android, ios, run_cli

HELLO = ("--token", ios(), "--title", "Hello")
HELLO_FCM = ("--token", android(), "--title", "Hello")


def expect_refused(project: Project, result: Result, exit_code: int) -> None:
    """Check what holds for every refusal: the code, silence on stdout, and no effect at all."""
    assert exit_code == result.exit_code, result.stderr
    assert "" == result.stdout
    assert "Traceback" not in result.stderr
    assert "error: " in result.stderr
    assert [] == project.served.pushes
    assert [] == project.runs()
    assert not (project.folder / "bounces.jsonl").exists()


@functools.cache
def rsa_key() -> bytes:
    """Return an RSA key in PKCS#8, as a service account holds it."""
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Return *key* as a PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


# -- the config -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BadConfig:
    """A change of the config, and what is said of it."""

    change: Callable[[str], str]
    errors: tuple[tuple[str, str], ...]
    """Place and a part of the message of each error, in order."""
    hint: str | None = None
    arguments: tuple[str, ...] = HELLO


def replaced(old: str, new: str) -> Callable[[str], str]:
    """Return a change of the first *old* into *new*."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def without_fcm(text: str) -> str:
    """Return the config without its FCM credential."""
    return text.partition("  shop-android:")[0]


def with_second_ios(text: str) -> str:
    """Return the config with two APNs credentials that fit alike."""
    return text + without_fcm(text).replace("credentials:\n", "").replace("shop-ios", "other-ios")


BAD_CONFIGS = {
    "broken YAML": BadConfig(
        lambda text: "credentials:\n  shop: [one\n", (("pushctl.yaml:3:1", "invalid YAML"),)
    ),
    "a tab as indentation": BadConfig(
        lambda text: "credentials:\n\tshop: {}\n", (("pushctl.yaml:2:1", "invalid YAML"),)
    ),
    "duplicate key": BadConfig(
        replaced("    team_id:", "    key_id: AAAAAAAAAA\n    team_id:"),
        (("pushctl.yaml:8:5", "'key_id' occurs twice"),),
        "the first is on line 7",
    ),
    "unknown key": BadConfig(
        lambda text: text + "bounce_logs: b.jsonl\n",
        (("pushctl.yaml:17:1", "unknown key 'bounce_logs'"),),
        "did you mean 'bounce_log'?",
    ),
    "wrong type": BadConfig(
        replaced("team_id: TEAM123456", "team_id: [TEAM123456]"),
        (("pushctl.yaml:8:14", "team_id must be a text, not a list"),),
    ),
    "yes is a text": BadConfig(
        replaced("    endpoint:", "    protected: yes\n    endpoint:"),
        (("pushctl.yaml:9:16", "protected must be true or false"),),
        "write true",
    ),
    "every fault at once": BadConfig(
        lambda text: (
            text.replace("environment: production", "environment: prod")
            .replace("team_id:", "teamid:")
            .replace("service: fcm", "service: gcm")
            + "state: here\n"
        ),
        (
            ("pushctl.yaml:2:3", "team_id is missing"),
            ("pushctl.yaml:4:18", "'prod' is not one of production, sandbox"),
            ("pushctl.yaml:8:5", "unknown key 'teamid'"),
            ("pushctl.yaml:12:14", "'gcm' is not one of apns, fcm"),
            ("pushctl.yaml:17:1", "unknown key 'state'"),
        ),
        "did you mean 'production'?",
    ),
    "missing key file": BadConfig(
        lambda text: text.replace(
            next(line for line in text.splitlines() if "key_file" in line),
            "    key_file: AuthKey_ABC123DEFG.p8",
        ),
        (("pushctl.yaml:6:15", "there is no file"),),
    ),
    "credentials to a stranger": BadConfig(
        replaced("endpoint: https://127.0.0.1", "endpoint: https://push.evil.example"),
        (("pushctl.yaml:9:15", "push.evil.example is neither the vendor's host"),),
        "--allow-endpoint push.evil.example",
    ),
    "missing CA file": BadConfig(
        replaced("ca.pem", "no-ca.pem"),
        (("pushctl.yaml:10:14", "there is no file"),),
    ),
    "no credential for the service": BadConfig(
        without_fcm,
        (("", "no credential of the config fits service fcm"),),
        "--credential",
        arguments=HELLO_FCM,
    ),
    "several credentials fit": BadConfig(
        with_second_ios,
        (("", "several credentials serve apns: shop-ios, other-ios"),),
        "choose with --credential NAME",
    ),
    "unknown --credential": BadConfig(
        lambda text: text,
        (("", "there is no credential 'shop-oss'"),),
        "did you mean 'shop-ios'?",
        arguments=(*HELLO, "--credential", "shop-oss"),
    ),
    "default that is no credential": BadConfig(
        lambda text: text + "defaults: {apns: shop-os}\n",
        (("pushctl.yaml:17:18", "there is no credential 'shop-os'"),),
        "did you mean 'shop-ios'?",
    ),
}


@pytest.mark.parametrize("case", BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_bad_config_is_refused_with_every_fault_placed(project: Project, case: BadConfig) -> None:
    """Each fault of the config is one error with file, line and column; the exit code is 3."""
    project.write("pushctl.yaml", case.change(project.config.read_text()))

    result = project.send(*case.arguments)

    expect_refused(project, result, 3)
    assert len(case.errors) == len(result.errors), result.stderr
    for (place, message), error in zip(case.errors, result.errors, strict=True):
        assert error.startswith(f"{place}: " if place else ""), error
        assert message in error
    if case.hint is not None:
        assert any(case.hint in hint for hint in result.hints), result.stderr


def test_the_caret_stands_under_the_fault(project: Project) -> None:
    """Under an error stands the line of the file, and a caret under the faulty column."""
    project.write("pushctl.yaml", project.config.read_text().replace(": production", ": prod", 1))

    lines = project.send(*HELLO).stderr.splitlines()

    assert ["  4 |     environment: prod", "                       ^"] == lines[1:3]


@pytest.mark.parametrize("length", [1, 60, 80, 81, 300])
def test_the_caret_stands_under_the_fault_of_a_long_line(project: Project, length: int) -> None:
    """Of a long line only the part around the fault is shown, and the caret is right there too."""
    project.write("m.yaml", f'{{title: "{"x" * length}", badge: many, body: "{"y" * 300}"}}\n')

    _, line, caret, *_ = project.send("--token", ios(), "--message", "m.yaml").stderr.splitlines()

    assert "many" == line[caret.index("^") :][:4]
    assert 120 > len(line)


def test_without_a_config_the_error_says_how_to_get_one(project: Project) -> None:
    """Where there is no config at all, exit 3 comes with what to do next."""
    project.config.unlink()

    result = project.send(*HELLO)

    expect_refused(project, result, 3)
    assert ["no credential is configured"] == result.errors
    assert "a pushctl.yaml" in result.hints[0]


def test_a_config_that_is_named_and_missing_is_an_error(project: Project) -> None:
    """A missing --config is never replaced by the config that lies here."""
    result = project.send(*HELLO, "--config", "other.yaml")

    expect_refused(project, result, 3)
    assert ["other.yaml: there is no file 'other.yaml'"] == result.errors


# -- credentials ----------------------------------------------------------------------------------


def p384_key(project: Project) -> bytes:
    """Return an EC key on the wrong curve."""
    return pem(ec.generate_private_key(ec.SECP384R1()))


BAD_KEYS: Mapping[str, tuple[Callable[[Project], bytes], str, str]] = {
    "EC on another curve": (p384_key, "secp384r1; APNs keys are on P-256", "AuthKey_"),
    "RSA": (lambda project: rsa_key(), "holds an RSA key", "service account"),
    "a service account": (
        lambda project: project.served.made.service_account_file.read_bytes(),
        "looks like a Google service account",
        "service: fcm",
    ),
    "an empty file": (lambda project: b"", "looks like an empty file", "AuthKey_"),
    "a web page": (lambda project: b"<!DOCTYPE html>\n<p>Sign in", "a web page", "AuthKey_"),
    "a damaged key": (
        lambda project: project.served.made.key_file.read_bytes().replace(b"M", b"!", 3),
        "is damaged",
        "download it again",
    ),
}


@pytest.mark.parametrize(("make", "message", "hint"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_file_that_is_no_push_key_is_refused(
    project: Project, make: Callable[[Project], bytes], message: str, hint: str
) -> None:
    """A key_file that holds something else is named for what it looks like, at its place."""
    content = make(project)
    project.write("key.p8", content)
    key_file = str(project.served.made.key_file)
    project.write("pushctl.yaml", project.config.read_text().replace(key_file, "key.p8"))

    result = project.send(*HELLO)

    expect_refused(project, result, 3)
    (error,) = result.errors
    assert error.startswith("pushctl.yaml:6:15: credential 'shop-ios': ")
    assert message in error
    assert hint in result.hints[0]
    assert "PRIVATE KEY" not in result.stderr


def test_a_p8_key_given_as_service_account_is_refused(project: Project) -> None:
    """A .p8 key in service_account_file is named for what it is, and where it belongs."""
    made = project.served.made
    text = project.config.read_text().replace(str(made.service_account_file), str(made.key_file))
    project.write("pushctl.yaml", text)

    result = project.send(*HELLO_FCM)

    expect_refused(project, result, 3)
    (error,) = result.errors
    assert error.startswith("pushctl.yaml:13:27: credential 'shop-android': ")
    assert "is not a service account" in error
    assert "belongs to service: apns" in result.hints[0]


def test_the_faults_of_all_credentials_come_at_once(project: Project) -> None:
    """Two credentials that cannot be used are two errors of one run."""
    made = project.served.made
    text = project.config.read_text().replace(str(made.key_file), "no.p8")
    project.write("pushctl.yaml", text.replace(str(made.service_account_file), "no.json"))

    result = project.send(*HELLO, "--token", android())

    expect_refused(project, result, 3)
    assert ["pushctl.yaml:6:15", "pushctl.yaml:13:27"] == [
        error.partition(": ")[0] for error in result.errors
    ]


def test_a_credential_that_is_not_needed_may_be_broken(project: Project) -> None:
    """Only what the audience needs is opened: a broken FCM credential does not stop APNs."""
    service_account = str(project.served.made.service_account_file)
    project.write("pushctl.yaml", project.config.read_text().replace(service_account, "no.json"))

    assert 0 == project.send(*HELLO).exit_code
    assert 1 == len(project.served.pushes)


# -- the audience ---------------------------------------------------------------------------------

BAD_AUDIENCES: Mapping[str, tuple[str, str | bytes | None, str, str | None]] = {
    "missing": ("list.csv", None, "list.csv: there is no file 'list.csv'", None),
    "empty csv": ("list.csv", "", "list.csv:1: no column is called token", "names the columns"),
    "header alone": ("list.csv", "token\n", "list.csv: the file holds no token", None),
    "empty txt": ("list.txt", "\n\n", "list.txt: the file holds no token", None),
    "empty jsonl": ("list.jsonl", "", "list.jsonl: the file holds no token", None),
    "unknown column": (
        "list.csv",
        f"tokn\n{ios()}\n",
        "list.csv:1: unknown column `tokn`",
        "token",
    ),
    "open quote": ("list.csv", f'token,name\n{ios()},"Anna\n', "list.csv:2", "written twice"),
    "not UTF-8": ("list.csv", b"token,name\naa11,\xff\n", "list.csv:2:6: not UTF-8", "UTF-8"),
    "not gzip": ("list.csv.gz", b"token\n", "list.csv.gz", None),
    "unknown ending": ("list.xls", b"token\n", "list.xls: the ending of the name", "one of"),
}


@pytest.mark.parametrize(
    ("name", "content", "error", "hint"), BAD_AUDIENCES.values(), ids=BAD_AUDIENCES
)
def test_a_token_file_that_is_broken_as_a_whole_is_refused(
    project: Project, name: str, content: str | bytes | None, error: str, hint: str | None
) -> None:
    """A token file that cannot be read, or holds nobody, is one error with its place."""
    if content is not None:
        project.write(name, content)

    result = project.send("--tokens", name, "--title", "Hello")

    expect_refused(project, result, 3)
    assert 1 == len(result.errors), result.stderr
    assert result.errors[0].startswith(error)
    if hint is not None:
        assert hint in result.hints[0]


BAD_PROFILES: Mapping[str, tuple[str, str | bytes, tuple[str, ...], str | None]] = {
    "broken YAML": ("p.yaml", "profiles:\n  - id: [anna\n", ("p.yaml:3:1: invalid YAML",), None),
    "not UTF-8": ("p.yaml", b"profiles:\n  - id: \xff\n", ("p.yaml:2:9: ",), "UTF-8"),
    "wrong type and unknown key": (
        "p.yaml",
        "profiles:\n  - id: anna\n    tokens: none\n  - id: ben\n    consnt: true\n",
        ("p.yaml:3:13: ", "p.yaml:5:5: "),
        "consent",
    ),
    "broken JSON": ("p.json", '{"profiles": [}', ("p.json:1:15: invalid JSON",), None),
    "nobody": ("p.yaml", "profiles: []\n", ("p.yaml: the file holds no profile",), None),
}


@pytest.mark.parametrize(
    ("name", "content", "errors", "hint"), BAD_PROFILES.values(), ids=BAD_PROFILES
)
def test_a_broken_profile_file_is_refused(
    project: Project, name: str, content: str | bytes, errors: tuple[str, ...], hint: str | None
) -> None:
    """Every fault of a profile file is an error with line and column."""
    project.write(name, content)

    result = project.send("--profiles", name, "--title", "Hello")

    expect_refused(project, result, 3)
    assert len(errors) == len(result.errors), result.stderr
    assert all(map(str.startswith, result.errors, errors)), result.stderr
    if hint is not None:
        assert any(hint in shown for shown in result.hints)


def test_an_unknown_profile_is_refused_with_the_nearest(project: Project) -> None:
    """--profile with an id that no profile has names the nearest id."""
    project.write("p.yaml", "profiles:\n  - {id: anna, consent: true, tokens: []}\n")

    result = project.send("--profiles", "p.yaml", "--profile", "ana", "--title", "Hello")

    expect_refused(project, result, 3)
    assert ["p.yaml: no profile has the id `ana`"] == result.errors
    assert ["did you mean anna?"] == result.hints


@pytest.mark.parametrize("name", ["huge.csv", "huge.txt", "huge.jsonl", "huge.yaml"])
def test_a_huge_line_is_refused_at_once(project: Project, name: str) -> None:
    """A line of 64 MB (a sparse file) is refused in a moment: it is never held in memory."""
    with (project.folder / name).open("wb") as file:
        file.write(b"token\n" if name.endswith("csv") else b"")
        file.truncate(64 << 20)
    option = "--profiles" if name.endswith("yaml") else "--tokens"

    began = time.perf_counter()
    result = project.send(option, name, "--title", "Hello")

    expect_refused(project, result, 3)
    assert 1 == len(result.errors)
    assert result.errors[0].startswith(name)
    assert 2 > time.perf_counter() - began


def test_an_fcm_token_with_service_apns_bounces_by_itself(project: Project) -> None:
    """Only `service: apns` with an FCM-shaped token is wrong: that row bounces, others go out."""
    rows = f"service,platform,token\napns,,{android()}\nfcm,ios,{android(2)}\napns,,{ios()}\n"
    project.write("list.csv", rows)

    records = project.records("--tokens", "list.csv", "--title", "Hello")

    assert [("rejected", "InvalidToken"), ("accepted", None), ("accepted", None)] == [
        (record["outcome"], record["reason"]) for record in records
    ]
    assert "looks like an FCM registration token" in records[0]["detail"]
    assert "list.csv:2" == records[0]["source"]
    assert (None, 0) == (records[0]["status"], records[0]["attempts"])
    assert 2 == len(project.served.pushes)


# -- the message ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BadMessage:
    """A message that no service could take, and what is said of it."""

    arguments: tuple[str, ...]
    errors: tuple[str, ...]
    """The beginning of each error."""
    hint: str | None = None
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    exit_code: int = 3


BAD_MESSAGES = {
    "broken YAML": BadMessage(
        ("--token", ios(), "--message", "m.yaml"),
        ("m.yaml:2:1: invalid YAML",),
        files={"m.yaml": "title: [Hello\n"},
    ),
    "missing file": BadMessage(
        ("--token", ios(), "--message", "m.yaml"), ("m.yaml: there is no file",)
    ),
    "unknown field and wrong type": BadMessage(
        ("--token", ios(), "--message", "m.yaml"),
        ("m.yaml:1:1: a message has no field `titel`", "m.yaml:2:8: `badge` must be a whole"),
        "did you mean `title`?",
        files={"m.yaml": "titel: Hello\nbadge: many\n"},
    ),
    "wrong override": BadMessage(
        ("--token", ios(), "--message", "m.yaml"),
        ("m.yaml:3:",),
        "`headers`",
        files={"m.yaml": "title: Hello\napns:\n  header: {}\n"},
    ),
    "nobody fills the placeholder": BadMessage(
        ("--tokens", "l.csv", "--title", "Hi {{ first_nam }}"),
        ("no recipient has the attribute 'first_nam'",),
        "spelling",
        files={"l.csv": f"token,first_name\n{ios()},Anna\n"},
    ),
    "broken placeholder": BadMessage(
        ("--token", ios(), "--title", "Hi {{ name"), ("--title: the placeholder cannot be read",)
    ),
    "too large for APNs": BadMessage(
        ("--token", ios(), "--body", "x" * 5000),
        ("the APNs payload has 5029 bytes; a push of type alert has 4096 at most",),
        "Apple",
    ),
    "too large for FCM": BadMessage(
        ("--token", android(), "--body", "x" * 5000),
        ("the FCM payload has 5004 bytes; 4096 is the most to a token",),
        "Firebase",
    ),
    "too large for an FCM topic": BadMessage(
        ("--fcm-topic", "news", "--body", "x" * 3000),
        ("the FCM payload has 3004 bytes; 2048 is the most to a topic",),
    ),
    "background with priority high": BadMessage(
        ("--token", ios(), "--push-type", "background", "--priority", "high", "--data", "a=b"),
        ("--priority: a push of type background must have APNs priority 5",),
        "Apple",
    ),
    "collapse id too long": BadMessage(
        (*HELLO, "--collapse-id", "x" * 65), ("--collapse-id: a collapse id has at most 64 bytes",)
    ),
    "ttl over four weeks for FCM": BadMessage(
        (*HELLO_FCM, "--ttl", "29d"), ("--ttl: `ttl` must be seconds from",), "FCM API"
    ),
    "reserved data key for FCM": BadMessage(
        (*HELLO_FCM, "--data", "from=me"), ("--data from: the data key `from` is reserved",)
    ),
    "a payload for one of two services": BadMessage(
        ("--token", ios(), "--token", android(), "--payload", "apns=p.json"),
        ("there is no payload for fcm",),
        "--payload fcm=FILE",
        files={"p.json": '{"aps": {"alert": "Hello"}}'},
    ),
    "a target inside the payload": BadMessage(
        ("--token", android(), "--payload", "fcm=p.json"),
        ("p.json:1:11: the target `token` does not belong in the message",),
        "--token",
        files={"p.json": '{"token": "t", "notification": {"title": "Hello"}}'},
    ),
    "a payload that is no object": BadMessage(
        ("--token", android(), "--payload", "fcm=p.json"),
        ("p.json:1:1: a payload is a JSON object, not a list",),
        files={"p.json": "[1]"},
    ),
    "no message at all": BadMessage(
        ("--token", ios()), ("the message is empty",), "give it a --title or --body"
    ),
}


@pytest.mark.parametrize("case", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_message_that_cannot_be_right_is_refused(project: Project, case: BadMessage) -> None:
    """What breaks a rule of the vendor is refused before anything is sent, with the rule named."""
    for name, content in case.files.items():
        project.write(name, content)

    result = project.send(*case.arguments)

    expect_refused(project, result, case.exit_code)
    assert len(case.errors) == len(result.errors), result.stderr
    assert all(map(str.startswith, result.errors, case.errors)), result.stderr
    if case.hint is not None:
        assert any(case.hint in hint for hint in result.hints), result.stderr


# -- the command line itself ----------------------------------------------------------------------

BAD_OPTIONS: Mapping[str, tuple[tuple[str, ...], str, str | None]] = {
    "no target": (("--title", "Hello"), "nobody to send to", "--token T"),
    "unknown option": (
        (*HELLO, "--titel", "x"),
        "there is no option --titel",
        "did you mean --title?",
    ),
    "option without a value": (("--token",), "--token needs a value", None),
    "stray argument": ((*HELLO, "now"), "unexpected argument 'now'", None),
    "-o": ((*HELLO, "-o", "jsn"), "-o 'jsn' is not an output of this command", "'json'"),
    "--ttl": ((*HELLO, "--ttl", "soon"), "`--ttl` must be a duration", "15m"),
    "--badge": ((*HELLO, "--badge", "many"), "`--badge` must be a whole number", "0 removes"),
    "--priority": ((*HELLO, "--priority", "hihg"), "`--priority` must be one of", "`high`"),
    "--data": ((*HELLO, "--data", "a"), "`--data` takes KEY=VALUE, not `a`", "--data order"),
    "--rate 0": ((*HELLO, "--rate", "0"), "--rate is a number above 0", None),
    "--rate nan": ((*HELLO, "--rate", "nan"), "--rate is a number above 0", None),
    "--rate": ((*HELLO, "--rate", "fast"), "--rate needs a number", None),
    "--stop-if": ((*HELLO, "--stop-if", "bad>1"), "--stop-if 'bad>1' is not a", "faulty>8%"),
    "--timeout": ((*HELLO, "--timeout", "soon"), "--timeout 'soon' is no time", "90s"),
    "--timeout 0": ((*HELLO, "--timeout", "0"), "--timeout is a time above 0", "90s"),
    "--max-duration 0": ((*HELLO, "--max-duration", "0s"), "--max-duration is a time above", "90s"),
    "--retry-for": ((*HELLO, "--retry-for", "-1"), "--retry-for '-1' is no time", "90s"),
    "--canary": ((*HELLO, "--canary", "-1"), "--canary is a number from 0", None),
    "--concurrency": ((*HELLO, "--concurrency", "0"), "--concurrency is a number from 1", None),
    "--connections": ((*HELLO, "--connections", "0"), "--connections is a number from 1", None),
    "--fail-on": ((*HELLO, "--fail-on", "bouncd"), "--fail-on is one of", "`bounced`"),
    "--on-unknown": ((*HELLO, "--on-unknown", "retry"), "--on-unknown is one of keep", None),
    "--validate-only": ((*HELLO, "--validate-only"), "--validate-only belongs to a", "--dry-run"),
    "--platform": ((*HELLO, "--platform", "andriod"), "--platform is one of ios", "`android`"),
    "--run": ((*HELLO, "--run", "../up"), "'../up' cannot be a run id", "letters"),
    "--fcm-topic": (("--fcm-topic", "a b", "--title", "x"), "--fcm-topic: a topic has", None),
    "--fcm-condition": (("--fcm-condition", "news", "--title", "x"), "--fcm-condition: ", None),
    "--profile alone": ((*HELLO, "--profile", "anna"), "--profile needs --profiles", "file"),
    "stdin without a format": (("--tokens", "-", "--title", "x"), "--format is needed", "csv"),
    "unknown format": (
        ("--tokens", "-", "--format", "cvs", "--title", "x"),
        "--format cvs is not known here",
        "did you mean csv?",
    ),
    "stdin twice": (
        ("--tokens", "-", "--profiles", "-", "--format", "jsonl", "--title", "x"),
        "stdin (-) can be read only once",
        None,
    ),
    "message and payload": (
        ("--token", ios(), "--message", "m.yaml", "--payload", "p.json"),
        "--message and --payload are two ways",
        None,
    ),
    "title beside a payload": (
        ("--token", ios(), "--payload", "pushctl.yaml", "--title", "x"),
        "`--title` cannot be used with `--payload`",
        "--message FILE",
    ),
    "payload twice": (
        ("--token", ios(), "--payload", "apns=pushctl.yaml", "--payload", "apns=pushctl.yaml"),
        "--payload is given twice for one service",
        "--payload fcm=FILE",
    ),
}


@pytest.mark.parametrize(("arguments", "error", "hint"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_wrong_command_line_is_a_usage_error(
    project: Project, arguments: tuple[str, ...], error: str, hint: str | None
) -> None:
    """A wrong option is one error and exit 2, before any file is made."""
    result = project.send(*arguments)

    expect_refused(project, result, 2)
    assert 1 == len(result.errors), result.stderr
    assert result.errors[0].startswith(error)
    if hint is not None:
        assert hint in result.hints[0]


def test_several_wrong_options_of_the_message_come_at_once(project: Project) -> None:
    """Every message option whose value does not fit is an error of the same run."""
    result = project.send(*HELLO, "--ttl", "soon", "--priority", "max", "--badge", "-1")

    expect_refused(project, result, 2)
    assert ["`--badge`", "`--ttl`", "`--priority`"] == [
        error.partition(" ")[0] for error in result.errors
    ]


def test_an_unknown_command_names_the_nearest(project: Project) -> None:
    """A mistyped command is exit 2 and a suggestion."""
    result = run_cli("sned", *HELLO, cwd=project.folder)

    expect_refused(project, result, 2)
    assert ["there is no command 'pushctl sned'"] == result.errors
    assert ["did you mean: pushctl send (see: pushctl --help)"] == result.hints


def test_a_run_id_is_used_once(project: Project) -> None:
    """--run with the id of an earlier run is refused; the earlier run is left as it is."""
    assert 0 == project.send(*HELLO, "--run", "spring").exit_code
    journal = project.runs()[0] / "journal.jsonl"
    before = journal.read_bytes()

    result = project.send(*HELLO, "--run", "spring")

    assert 3 == result.exit_code
    assert ["there is a run 'spring' already"] == result.errors
    assert "pushctl runs show spring" in result.hints[0]
    assert before == journal.read_bytes()
    assert 1 == len(project.served.pushes)


def test_quiet_twice_leaves_only_the_exit_code(project: Project) -> None:
    """With -qq even an error is silent; the exit code stays."""
    result = project.send("-qq", "--title", "Hello")

    assert Result(2, "", "") == result
