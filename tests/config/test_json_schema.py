"""The JSON Schema of pushctl.yaml accepts what the loader accepts, and nothing else."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.test_load import COMPLETE, apns, fcm
from pushctl.config import load_settings
from pushctl.config.json_schema import config_schema
from pushctl.config.schema import ConfigModel, CredentialModel, DefaultsModel
from pushctl.documents import load as read_yaml
from pushctl.errors import InvalidInput

ID, OTHER_ID = "ABC123DEFG", "XYZ9876543"
_ENDPOINTS = (
    "https://127.0.0.1:2197",
    "https://[::1]:2197/",
    "HTTPS://localhost",
    "https://127.0.0.1:65535",
    "https://127.0.0.1:65536",
    "http://127.0.0.1",
    "https://127.0.0.1/path",
    "https://u@127.0.0.1",
    "https://",
    "",
)

VALUES: dict[str, tuple[object, ...]] = {
    "service": ("apns", "fcm", "ios", 1),
    "environment": ("production", "sandbox", "prod", None),
    "topic": ("com.acme.shop", "com acme", "", ".", 7, None),
    "key_file": (f"AuthKey_{ID}.p8", f"keys/AuthKey_{ID}.p8", "key.p8", "AuthKey_x.p8", " ", 1),
    "key_env": ("APNS_KEY", "a b", "1A", None),
    "key_id": (ID, "abc", 1234567890, None),
    "team_id": (OTHER_ID, "short", "ABC123DEFGH", False),
    "certificate_file": ("shop.p12", "-----BEGIN CERTIFICATE-----", None),
    "certificate_password_env": ("PASSWORD", "pass word"),
    "service_account_file": ("shop.json", '{"type": "service_account"}', ""),
    "service_account_env": ("ACCOUNT", "{}"),
    "application_default": (True, False, "yes", None),
    "project_id": ("shop-1234", "123456789", "example.com:shop-1234", "X", "ab"),
    "require_consent": (True, False, "true", None),
    "protected": (True, False, 1),
    "endpoint": _ENDPOINTS,
    "broadcast_endpoint": _ENDPOINTS,
    "channels_endpoint": _ENDPOINTS,
    "token_endpoint": (
        "https://127.0.0.1:2197/token",
        "https://localhost",
        "https://127.0.0.1/token?x",
        "http://127.0.0.1/token",
    ),
    "ca_file": ("ca.pem", None),
    "proxy": (
        "http://127.0.0.1:3128",
        "127.0.0.1:3128",
        "http://ann:s3cret@127.0.0.1:3128/",
        "http://ann@localhost",
        "https://[::1]:3128",
        "none",
        "",
        None,
        "socks5://127.0.0.1:1080",
        "http://127.0.0.1:70000",
        "http://a/b@127.0.0.1",
        "http://127.0.0.1/path",
        7,
    ),
    "teem_id": (OTHER_ID,),
}
"""For each key what fits and what does not.  Hosts are of this machine: which others may be given
a credential is not the schema's to say."""


@functools.cache
def judge() -> jsonschema.Draft202012Validator:
    """Return the schema, ready to judge."""
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def loads(text: str, folder: Path) -> bool:
    """Return whether the loader takes *text*."""
    path = folder / "pushctl.yaml"
    path.write_text(text)
    try:
        load_settings(path, environ={}, cwd=folder, home=folder)
    except InvalidInput:
        return False
    return True


def value_of(text: str) -> Any:
    """Return *text* as an editor reads it."""
    return read_yaml(text.encode(), "x.yaml", kind="yaml", max_bytes=2**20).value


def test_the_schema_is_one() -> None:
    """It is valid itself, and has every key of the models with a description."""
    schema = judge().schema
    properties = schema["properties"]
    credential = schema["$defs"]["credential"]["properties"]

    assert set(ConfigModel.model_fields) == set(properties)
    assert set(DefaultsModel.model_fields) == set(properties["defaults"]["properties"])
    assert set(CredentialModel.model_fields) == set(credential) == set(VALUES) - {"teem_id"}
    for found in (*properties.values(), *credential.values()):
        assert found["description"].endswith(".")


def test_examples_fit() -> None:
    """What the schema gives as an example of a key is one."""
    for name, found in judge().schema["$defs"]["credential"]["properties"].items():
        alone = jsonschema.Draft202012Validator(found)

        assert all(alone.is_valid(it) for it in found.get("examples", ())), name


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("", True),
        ("credentials:\ndefaults:\nbounce_log:\n", True),
        (COMPLETE, True),
        (apns(), True),
        (fcm(), True),
        (fcm(service_account_file="", application_default="true"), True),
        (fcm(application_default="false"), True),
        (apns(application_default="false"), True),
        (apns(key_file="", team_id="", topic="", certificate_file="a.p12"), True),
        (apns(key_file="", key_env="KEY", key_id=ID), True),
        (apns(proxy="~"), True),
        ("- x", False),
        ("x", False),
        ("bounce_log: ''", False),
        ("bounce-log: x", False),
        ("credentials: []", False),
        ("credentials: {a: }", False),
        ("credentials: {'a b': {service: fcm, application_default: true}}", False),
        ("defaults: {web: x}", False),
        ("defaults: {apns: 1}", False),
        (apns(key_file="", key_env="KEY"), False),
        (apns(key_env="KEY"), False),
        (apns(certificate_password_env="PW"), False),
        (apns(certificate_file="a.p12"), False),
        (apns(project_id="shop-1234"), False),
        (apns(application_default="true"), False),
        (fcm(topic="com.acme"), False),
        (fcm(service_account_file=""), False),
        (fcm(service_account_file="", application_default="false"), False),
        (fcm(application_default="true"), False),
        (
            fcm(
                service_account_file="",
                application_default="true",
                token_endpoint="https://127.0.0.1/token",
            ),
            False,
        ),
    ],
)
def test_files(tmp_path: Path, text: str, valid: bool) -> None:
    """Each file is accepted by both or refused by both."""
    assert (valid, valid) == (judge().is_valid(value_of(text)), loads(text, tmp_path))


_CREDENTIALS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}
)
_GOOD = {
    "apns": {"service", "environment", "topic", "key_file", "key_env", "key_id", "team_id"},
    "fcm": {"service", "service_account_file", "project_id", "token_endpoint", "proxy"},
}


@st.composite
def near_misses(draw: st.DrawFn) -> dict[str, object]:
    """Return a credential that is sound but for a change or two."""
    service = draw(st.sampled_from(["apns", "fcm"]))
    keys = draw(st.sets(st.sampled_from(sorted(_GOOD[service])))) | {"service"}
    written = {key: VALUES[key][0] for key in sorted(keys)} | {"service": service}
    for key in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2)):
        written[key] = draw(st.sampled_from(VALUES[key]))
    return written


@settings(max_examples=300)
@given(st.one_of(near_misses(), _CREDENTIALS))
@example({"service": "apns", "environment": "production", "certificate_file": "a.p12"})
@example({"service": "fcm", "application_default": True, "proxy": None})
def test_any_credential(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, object]
) -> None:
    """Whatever keys and values stand together, schema and loader agree."""
    document = {"credentials": {"shop": written}}
    folder = tmp_path_factory.getbasetemp()
    text = json.dumps(document)

    assert loads(text, folder) == judge().is_valid(value_of(text)), written
