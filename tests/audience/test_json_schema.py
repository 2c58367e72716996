"""The JSON Schema of profile files accepts what their reader accepts."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.audience.json_schema import profiles_schema
from pushctl.audience.schema import ProfileReader
from pushctl.documents import load

EXAMPLE = Path(__file__).parents[2] / "profiles.example.yaml"


@functools.cache
def judge() -> jsonschema.Draft202012Validator:
    """Return the schema, ready to judge."""
    schema = profiles_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def verdicts(data: bytes) -> tuple[bool, bool]:
    """Return whether the schema, and whether the reader, takes the file *data*."""
    document = load(data, "profiles.yaml", kind="yaml", max_bytes=2**20)
    reader = ProfileReader(document)
    reader.profiles(document.value)
    return judge().is_valid(document.value), not reader.problems


def test_the_example_fits() -> None:
    """The example that comes with pushctl is valid."""
    assert (True, True) == verdicts(EXAMPLE.read_bytes())


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("profiles:", True),
        ("profiles: []", True),
        ("profiles: [{id: a}]", True),
        ("profiles: [{id: a, consent: yes}]", True),
        ("profiles: [{id: a, tokens: [{token: x, platform: iOS}]}]", True),
        ("profiles: [{id: a, tokens: [{token: x, registered_at: 2026-10-01T08:00:00Z}]}]", True),
        ("profiles: [{id: a, tokens: [{registered_at: '2026-10-01 08:00+02:00'}]}]", True),
        ("profiles: [{id: a, tokens: [{registered_at: 2026-10-01}]}]", False),
        ("profiles: [{id: 7}]", False),
        ("profiles: [{id: ' '}]", False),
        ("profiles: [{}]", False),
        ("profiles: [a]", False),
        ("profiles: {a: 1}", False),
        ("[]", False),
        ("people: []", False),
        ("profiles: [{id: a, tokens: {}}]", False),
        ("profiles: [{id: a, tokens: [x]}]", False),
        ("profiles: [{id: a, tokens: [{token: 7}]}]", False),
        ("profiles: [{id: a, tokens: [{platform: symbian}]}]", False),
        ("profiles: [{id: a, attributes: []}]", False),
        ("profiles: [{id: a, name: b}]", False),
    ],
)
def test_files(text: str, valid: bool) -> None:
    """Each file is accepted by both or refused by both."""
    assert (valid, valid) == verdicts(text.encode())


_SCALARS = st.sampled_from([None, True, 7, 1.5, "", " ", "x", "ios", "APNS", "production", [], {}])
_TOKENS = st.dictionaries(
    st.sampled_from(["token", "platform", "service", "environment", "topic", "credential", "tok"]),
    _SCALARS,
    max_size=3,
)
_PROFILES = st.fixed_dictionaries(
    {"id": st.one_of(st.uuids().map(str), _SCALARS)},
    optional={
        "consent": _SCALARS,
        "attributes": st.one_of(_SCALARS, st.dictionaries(st.just("a"), _SCALARS)),
        "tokens": st.one_of(_SCALARS, st.lists(st.one_of(_TOKENS, _SCALARS), max_size=2)),
    },
)


@settings(max_examples=200)
@given(st.one_of(_PROFILES, _SCALARS))
def test_any_profile(profile: object) -> None:
    """Whatever stands in a profile, schema and reader agree."""
    schema, reader = verdicts(json.dumps({"profiles": [profile]}).encode())

    assert reader == schema
