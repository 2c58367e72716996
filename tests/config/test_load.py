"""From pushctl.yaml to settings, or to every fault in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.config import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    FcmSettings,
    Origin,
    Settings,
    load_settings,
)
from pushctl.config.schema import CredentialModel
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Environment, Service

HOME = Path("/home/me")

FULL = """\
credentials:
  shop-ios:
    service: apns
    environment: production
    topic: com.acme.shop
    key_file: keys/AuthKey_ABC123DEFG.p8
    team_id: DEF123GHIJ
    require_consent: true
    protected: true
    proxy: http://u:p@proxy.example:3128
  shop-env:
    service: apns
    environment: sandbox
    topic: com.acme.shop
    key_env: APNS_KEY
    key_id: XYZ9876543
    team_id: DEF123GHIJ
    endpoint: https://127.0.0.1:2197
    ca_file: ca.pem
    proxy: none
  shop-cert:
    service: apns
    environment: production
    certificate_file: ~/shop.p12
    certificate_password_env: P12_PASSWORD
  shop-android:
    service: fcm
    service_account_file: /abs/shop.json
    project_id: shop-1234
    token_endpoint: https://127.0.0.1:2197/token
  adc: {service: fcm, application_default: true, service_account_env: }
defaults: {apns: shop-ios, fcm: shop-android}
bounce_log: logs/b.jsonl
state_dir: ~/state
"""
COMPLETE = FULL.replace(", service_account_env: ", "")


def load(folder: Path, text: str, allow: tuple[str, ...] = ()) -> Settings:
    """Load *text* as the pushctl.yaml of *folder*."""
    path = folder / "pushctl.yaml"
    path.write_text(text)
    return load_settings(path, environ={}, cwd=folder, home=HOME, allow_endpoint=allow)


def problems(folder: Path, text: str) -> list[Problem]:
    """Return what is wrong with *text*."""
    with pytest.raises(InvalidInput) as caught:
        load(folder, text)
    return list(caught.value.problems)


def apns(**changes: str) -> str:
    """Return a config with one APNs credential, changed; an empty change leaves a field out."""
    fields = {
        "service": "apns",
        "environment": "production",
        "topic": "com.acme.shop",
        "key_file": "AuthKey_ABC123DEFG.p8",
        "team_id": "DEF123GHIJ",
    } | changes
    return "credentials:\n  shop:\n" + "".join(
        f"    {key}: {value}\n" for key, value in fields.items() if value
    )


def fcm(**changes: str) -> str:
    """Return a config with one FCM credential, changed likewise."""
    base = {"environment": "", "topic": "", "key_file": "", "team_id": "", "service": "fcm"}
    return apns(**(base | {"service_account_file": "a.json"} | changes))


def test_every_field(tmp_path: Path) -> None:
    """Each kind of credential comes out typed, with paths resolved and ids filled in."""
    settings = load(tmp_path, COMPLETE)

    assert [
        ApnsKeySettings(
            name="shop-ios",
            environment=Environment.PRODUCTION,
            topic="com.acme.shop",
            key_id="ABC123DEFG",
            team_id="DEF123GHIJ",
            key_file=tmp_path / "keys" / "AuthKey_ABC123DEFG.p8",
            require_consent=True,
            protected=True,
            proxy="http://u:p@proxy.example:3128",
        ),
        ApnsKeySettings(
            name="shop-env",
            environment=Environment.SANDBOX,
            topic="com.acme.shop",
            key_id="XYZ9876543",
            team_id="DEF123GHIJ",
            key_env="APNS_KEY",
            endpoint=Origin("127.0.0.1", 2197),
            ca_file=tmp_path / "ca.pem",
            proxy="none",
        ),
        ApnsCertificateSettings(
            name="shop-cert",
            environment=Environment.PRODUCTION,
            certificate_file=HOME / "shop.p12",
            certificate_password_env="P12_PASSWORD",
        ),
        FcmSettings(
            name="shop-android",
            service_account_file=Path("/abs/shop.json"),
            project_id="shop-1234",
            token_endpoint="https://127.0.0.1:2197/token",
        ),
        FcmSettings(name="adc", application_default=True),
    ] == list(settings.credentials.values())
    assert {Service.APNS: "shop-ios", Service.FCM: "shop-android"} == settings.defaults
    assert tmp_path / "logs" / "b.jsonl" == settings.bounce_log
    assert HOME / "state" == settings.state_dir
    assert tmp_path / "pushctl.yaml" == settings.path


def test_every_value_knows_where_it_is_written(tmp_path: Path) -> None:
    """Places lead from a setting back to the file; a default has none."""
    settings = load(tmp_path, COMPLETE)
    shop = settings.credentials["shop-ios"]

    assert Place("pushctl.yaml", 4, 18) == shop.places["environment"].place
    assert Place("pushctl.yaml", 2, 3) == shop.places[""].place
    assert "key_id" not in shop.places
    assert Place("pushctl.yaml", 34, 12) == settings.places["state_dir",].place
    assert Place("pushctl.yaml", 32, 18) == settings.places["defaults", "apns"].place


def test_problems_of_a_setting_are_placed(tmp_path: Path) -> None:
    """What is found later is pointed at in the config; a default at its credential."""
    shop = load(tmp_path, COMPLETE).credentials["shop-ios"]

    assert Problem(
        "credential 'shop-ios': it is missing",
        Place("pushctl.yaml", 6, 15),
        "h",
        "    key_file: keys/AuthKey_ABC123DEFG.p8",
    ) == shop.problem("key_file", "it is missing", hint="h")
    assert Place("pushctl.yaml", 2, 3) == shop.problem("key_id", "x").place
    assert shop.problem("proxy", "x").source_line == "    proxy: http://•••@proxy.example:3128"
    made = FcmSettings(name="made", application_default=True)
    assert Problem("credential 'made': x") == made.problem("project_id", "x")


@pytest.mark.parametrize("written", ["none", "''", "~"])
def test_a_proxy_can_be_switched_off(tmp_path: Path, written: str) -> None:
    """``none`` and nothing at all mean: directly; what is not written, the environment says."""
    settings = load(tmp_path, apns(proxy=written))

    assert "none" == settings.credentials["shop"].proxy
    assert load(tmp_path, apns()).credentials["shop"].proxy is None


def test_no_file_means_defaults(tmp_path: Path) -> None:
    """Without a config there are no credentials, and state is the user's."""
    settings = load_settings(None, environ={}, cwd=tmp_path, home=HOME)

    assert {} == settings.credentials
    assert tmp_path / "bounces.jsonl" == settings.bounce_log
    assert HOME / ".local/state/pushctl" == settings.state_dir


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "credentials:\ndefaults:\n", "{}"])
def test_a_file_to_be_filled_in(tmp_path: Path, text: str) -> None:
    """An empty file is no fault: some commands need no credential."""
    settings = load(tmp_path, text)

    assert {} == settings.credentials
    assert tmp_path / "bounces.jsonl" == settings.bounce_log
    assert tmp_path / ".pushctl" == settings.state_dir


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            apns(environment="prodution"),
            (4, 18),
            "environment: 'prodution' is not one of production, sandbox",
            "did you mean 'production'?",
        ),
        (
            apns(environment="moon"),
            (4, 18),
            "environment: 'moon' is not one of production, sandbox",
            None,
        ),
        (
            apns(environment="[a]"),
            (4, 18),
            "environment: a list is not one of production, sandbox",
            None,
        ),
        (
            apns(service="ios"),
            (3, 14),
            "service: 'ios' is not one of apns, fcm",
            "did you mean 'apns'?",
        ),
        (apns(service=""), (2, 3), "service is missing", "service: apns, or service: fcm"),
        (
            apns(require_consent="yes"),
            (8, 22),
            "require_consent must be true or false, not 'yes'",
            "yes is a text in YAML 1.2: write true",
        ),
        (
            apns(protected="Off"),
            (8, 16),
            "protected must be true or false, not 'Off'",
            "Off is a text in YAML 1.2: write false",
        ),
        (
            apns(protected="'true'"),
            (8, 16),
            "protected must be true or false, not 'true'",
            "write it without quotes",
        ),
        (apns(protected="1"), (8, 16), "protected must be true or false, not '1'", None),
        (
            apns(teem_id="x"),
            (8, 5),
            "unknown key 'teem_id'",
            "did you mean 'team_id'?",
        ),
        (
            apns() + "bounce-log: x\n",
            (8, 1),
            "unknown key 'bounce-log'",
            "did you mean 'bounce_log'?",
        ),
        (
            apns() + "defaults: {web: shop}\n",
            (8, 12),
            "unknown key 'web'",
            "known are apns, fcm",
        ),
        (
            apns(team_id="1234567890"),
            (7, 14),
            "team_id must be a text, not a number",
            'put it in quotes: team_id: "…"',
        ),
        (apns(topic="{a: b}"), (5, 12), "topic must be a text, not a map", None),
        (apns(topic="true"), (5, 12), "topic must be a text, not true or false", 'topic: "…"'),
        (apns(team_id="abc"), (7, 14), "team_id must be 10 capital letters and digits", "Apple"),
        (apns(key_id="ABC"), (8, 13), "key_id must be 10 capital letters and digits", "Apple"),
        (apns(topic="com acme"), (5, 12), "topic must be a bundle id", "com.acme.shop"),
        (fcm(project_id="X"), (5, 17), "project_id must be a project id", "Firebase console"),
        (apns(topic="~"), (5, 5), "topic has no value", "remove the line"),
        (
            apns(key_file="' '", key_id="ABC123DEFG"),
            (6, 15),
            "key_file must be the path of a file",
            None,
        ),
        (
            fcm(service_account_file="'{\"private_key\": 1}'"),
            (4, 27),
            "service_account_file must be the path of a file, not its content",
            None,
        ),
        (
            apns(key_env="'a b'", key_file="", key_id="ABC123DEFG"),
            (7, 14),
            "key_env must be the name of an environment variable, not the secret itself",
            "the variable's name here",
        ),
        (
            apns(endpoint="http://x"),
            (8, 15),
            "endpoint cannot be used: credentials travel over TLS only",
            "https://",
        ),
        (
            fcm(token_endpoint="https://x?y"),
            (5, 21),
            "token_endpoint cannot be used: a token endpoint has no query",
            None,
        ),
        (apns(proxy="socks://x"), (8, 12), "proxy cannot be used: a proxy is written as", "none"),
        (
            apns(proxy="http://proxy.example", ca_file="ca.pem"),
            (8, 12),
            "proxy: with this ca_file, proxy.example could read the credential",
            "--allow-endpoint proxy.example",
        ),
        (
            apns(endpoint="https://evil.example"),
            (8, 15),
            "endpoint: evil.example is neither the vendor's host nor this machine",
            "--allow-endpoint evil.example",
        ),
        (
            fcm(token_endpoint="https://evil.example/token"),
            (5, 21),
            "token_endpoint: evil.example is neither the vendor's host nor this machine",
            "--allow-endpoint evil.example",
        ),
        (apns(environment=""), (2, 3), "shop: environment is missing", "TestFlight"),
        (apns(topic=""), (2, 3), "shop: topic is missing", "bundle id"),
        (apns(team_id=""), (2, 3), "shop: team_id is missing", "Membership"),
        (
            apns(key_file="key.p8"),
            (2, 3),
            "shop: key_id is missing",
            "AuthKey_<key id>.p8",
        ),
        (
            apns(key_file="", key_env="KEY"),
            (2, 3),
            "shop: key_id is missing",
            "AuthKey_<key id>.p8",
        ),
        (
            apns(key_file=""),
            (2, 3),
            "shop: there is no key: key_file, key_env or certificate_file is missing",
            "Keys",
        ),
        (apns(key_env="KEY"), (8, 5), "key_file and key_env are both given", "keep one"),
        (
            apns(key_file="", team_id="", certificate_file="a.p12", key_id="ABC123DEFG"),
            (7, 5),
            "key_id belongs to a .p8 key, and certificate_file is given too",
            "not both",
        ),
        (
            apns(certificate_password_env="PW"),
            (8, 5),
            "certificate_password_env needs certificate_file",
            None,
        ),
        (
            apns(project_id="shop-1234"),
            (8, 5),
            "project_id belongs to service: fcm, and this is apns",
            None,
        ),
        (
            fcm(topic="com.acme"),
            (4, 5),
            "topic belongs to service: apns, and this is fcm",
            None,
        ),
        (fcm(service_account_file=""), (2, 3), "shop: there is no service account", "Firebase"),
        (
            fcm(service_account_file="", application_default="false"),
            (2, 3),
            "shop: there is no service account",
            "Firebase",
        ),
        (
            fcm(application_default="true"),
            (5, 5),
            "service_account_file and application_default are both given",
            "keep one",
        ),
        (
            fcm(
                service_account_file="",
                application_default="true",
                token_endpoint="https://127.0.0.1/token",
            ),
            (5, 5),
            "token_endpoint applies to a service account, not to application_default",
            None,
        ),
        (
            "credentials: {'a b': {service: fcm, application_default: true}}",
            (1, 15),
            "'a b' is no name for a credential",
            "letters",
        ),
        ("credentials: {a: x}", (1, 18), "a must be a map of keys and values, not a text", None),
        ("credentials: [x]", (1, 14), "credentials must be a map of keys and values", None),
        ("- x", (1, 1), "the file must be a map of keys and values, not a list", None),
        ("x", (1, 1), "the file must be a map of keys and values, not a text", None),
        ("defaults: {apns: 1}", (1, 18), "apns must be a text, not a number", "quotes"),
        (
            apns() + "defaults: {apns: shpo}\n",
            (8, 18),
            "defaults: there is no credential 'shpo'",
            "did you mean 'shop'?",
        ),
        (
            "defaults: {apns: x}",
            (1, 18),
            "defaults: there is no credential 'x'",
            "there are none",
        ),
        (
            apns() + "defaults: {apns: zzzzz}\n",
            (8, 18),
            "defaults: there is no credential 'zzzzz'",
            "there are shop",
        ),
        (
            apns() + "defaults: {fcm: shop}\n",
            (8, 17),
            "defaults: shop is a credential for apns, not fcm",
            None,
        ),
        ("bounce_log: ''", (1, 13), "bounce_log must be the path of a file", None),
        ("a: 1\na: 2\n", (2, 1), "the key 'a' occurs twice", "line 1"),
    ],
)
def test_faults(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, hint: str | None
) -> None:
    """Each fault is one problem, with its place, its words and its advice."""
    (problem,) = problems(tmp_path, text)

    assert Place("pushctl.yaml", *place) == problem.place
    assert problem.message.startswith(message)
    assert hint in problem.hint if hint and problem.hint else hint == problem.hint


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A fault hides no other, in the same credential or the next."""
    text = (
        "credentials:\n"
        "  a:\n    service: apns\n    environment: prod\n    key_file: k.p8\n    foo: 1\n"
        "  b:\n    service: fcm\n    endpoint: https://evil.example\n    protected: no\n"
        "  c:\n"
        "defaults: {apns: x, fcm: b}\nstate_dirs: x\n"
    )
    found = problems(tmp_path, text)

    assert [2, 2, 2, 4, 6, 7, 9, 10, 11, 12, 13] == [p.place.line for p in found if p.place]


_FIELDS = st.sampled_from([*CredentialModel.model_fields, "other"])
_WORDS = st.sampled_from(["apns", "fcm", "production", "true", "https://x", "AuthKey_A.p8", "a"])
_VALUES = st.one_of(_WORDS, JSON_VALUES)
_CREDENTIAL = st.one_of(st.dictionaries(_FIELDS, _VALUES, max_size=8), _VALUES)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "credentials": st.one_of(
            st.dictionaries(st.text("ab-é ", max_size=3), _CREDENTIAL), _VALUES
        ),
        "defaults": st.one_of(st.dictionaries(_WORDS, _VALUES), _VALUES),
        "bounce_log": _VALUES,
        "state_dir": _VALUES,
        "other": _VALUES,
    },
)


@given(_DOCUMENTS)
def test_no_document_breaks_the_loader(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]
) -> None:
    """Whatever a well-formed file says, it is settings or problems that all have a place."""
    path = tmp_path_factory.getbasetemp() / "property.json"
    path.write_text(json.dumps(value))
    found: tuple[Problem, ...] = ()
    try:
        load_settings(path, environ={}, cwd=path.parent, home=HOME)
    except InvalidInput as error:
        found = error.problems

    assert all(problem.place and problem.place.line for problem in found)


def test_an_allowed_host_passes(tmp_path: Path) -> None:
    """The sender's own word opens another host."""
    text = apns(endpoint="https://relay.example:8443")
    settings = load(tmp_path, text, allow=("relay.example",))

    assert Origin("relay.example", 8443) == settings.credentials["shop"].endpoint


def test_vendor_hosts_pass(tmp_path: Path) -> None:
    """Apple's other port and Google's own endpoint need no permission."""
    assert load(tmp_path, apns(endpoint="https://api.push.apple.com:2197")).credentials
    assert load(tmp_path, fcm(token_endpoint="https://oauth2.googleapis.com/token")).credentials


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """A secret written where its variable's name belongs is in no message or source line."""
    secret = "Canary7qZ"
    texts = [
        apns(certificate_password=secret, password=secret),
        apns(key_env=f"'-----BEGIN PRIVATE KEY----- {secret}'", key_file="", key_id="x"),
        apns(proxy=f"http://me:{secret}@proxy/path"),
        apns(endpoint=f"https://me:{secret}@host"),
        apns(environment=f"'-----BEGIN {secret}'"),
        apns() + f"secret: [{secret}\n",
        apns() + f"defaults: {{apns: 'http://a:{secret}@b'}}\n",
    ]

    for text in texts:
        for problem in problems(tmp_path, text):
            assert secret not in f"{problem!r}"


def test_a_file_elsewhere_is_named_in_full(tmp_path: Path) -> None:
    """A config outside of the working directory is named by its whole path."""
    path = tmp_path / "pushctl.yaml"
    path.write_text("x: 1")
    with pytest.raises(InvalidInput) as caught:
        load_settings(path, environ={}, cwd=Path("/elsewhere"), home=HOME)

    assert caught.value.problems[0].place is not None
    assert str(path) == caught.value.problems[0].place.file


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    """Naming a missing file is an error, and so is one beyond a megabyte."""
    with pytest.raises(InvalidInput, match="there is no file"):
        load_settings(tmp_path / "no.yaml", environ={}, cwd=tmp_path, home=HOME)
    with pytest.raises(InvalidInput, match="larger than 1 MiB"):
        load(tmp_path, "#" * (2**20 + 1))


def test_pydantic_is_loaded_only_with_a_file() -> None:
    """Commands that read no config do not pay for its schema."""
    script = "import sys, pushctl.config; sys.exit('pydantic' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
