"""Tests of profile files."""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import documents
from pushctl.audience import profiles
from pushctl.audience.content import open_content
from pushctl.audience.profiles import (
    ProfileDocument,
    ProfileLines,
    open_profile_document,
    open_profile_lines,
)
from pushctl.audience.row import Row
from pushctl.audience.schema import MAX_PROBLEMS
from pushctl.errors import InvalidInput, Problem

ANNA_AND_BRUNO = """\
profiles:
  - id: anna
    consent: true
    attributes: {first_name: Anna, orders: 7, nick: null}
    tokens:
      - {platform: ios, token: aabb, registered_at: 2026-10-01T08:00:00Z}
      - platform: android
        token: "dX1:APA91b"
  - id: bruno
    consent: true
"""


def from_yaml(text: str, wanted: Collection[str] = ()) -> ProfileDocument:
    """Return *text* as the profile file ``people.yaml``."""
    document = documents.load(text.encode(), "people.yaml", kind="yaml", max_bytes=2**20)
    return open_profile_document(document, wanted)


def from_lines(*lines: str, wanted: Collection[str] = ()) -> ProfileLines:
    """Return *lines* as a profile file that arrives on stdin."""
    data = "".join(f"{line}\n" for line in lines).encode()
    return open_profile_lines(open_content("-", stdin=io.BytesIO(data), compression=None), wanted)


def problems_of(text: str) -> list[Problem]:
    """Return all that is wrong with the profile file *text*."""
    with pytest.raises(InvalidInput) as caught:
        from_yaml(text)
    return list(caught.value.problems)


def test_every_token_of_a_profile_is_a_row_with_its_line() -> None:
    """A push is attempted for each device, and a profile without one is a row as well."""
    source = from_yaml(ANNA_AND_BRUNO)
    anna = {"first_name": "Anna", "orders": 7}

    assert [
        Row(
            6,
            {
                "platform": "ios",
                "token": "aabb",
                "registered_at": "2026-10-01T08:00:00Z",
                "profile": "anna",
            },
            anna,
        ),
        Row(8, {"platform": "android", "token": "dX1:APA91b", "profile": "anna"}, anna),
        Row(9, {"profile": "bruno"}, {}),
    ] == list(source)
    assert source.rows == 3
    assert {"first_name", "orders"} == source.attribute_names
    assert source.records_consent
    assert "people.yaml (2 profiles, 3 inputs)" == source.described


def test_only_the_profiles_that_are_asked_for_are_chosen() -> None:
    """The others are no inputs, and still known by their ids."""
    source = from_yaml(ANNA_AND_BRUNO, wanted=["bruno"])

    assert ["bruno"] == [row.values["profile"] for row in source]
    assert source.rows == 1
    assert ["anna", "bruno"] == list(source.ids)


@pytest.mark.parametrize(
    ("consent", "words"),
    [
        pytest.param("yes", "the text `yes`", id="yes"),
        pytest.param('"true"', "the text `true`", id="quoted"),
        pytest.param("false", "consent is false", id="false"),
        pytest.param("1", "consent is 1", id="one"),
        pytest.param("", "no consent is recorded", id="nothing"),
        pytest.param("{on: 2026-10-01}", "consent is a mapping", id="mapping"),
    ],
)
def test_nothing_but_true_gives_consent(consent: str, words: str) -> None:
    """In YAML 1.2 a yes is a text; the profile is skipped and the file stands."""
    (row,) = from_yaml(f"profiles: [{{id: anna, consent: {consent}}}]")

    assert words in (row.no_consent or "")


def test_all_that_is_wrong_is_told_at_once_with_its_place() -> None:
    """One repair is enough: places, source lines and what was probably meant."""
    problems = problems_of(
        """\
version: 1
profiles:
  - id: 007
    consnt: true
    atributes: {}
  - attributes: [a]
    tokens: aabb
  - id: ""
  - just a text
  - id: anna
    tokens:
      - aabb
      - {token: 12, platform: iso, service: fcn, environment: prod, registered_at: yesterday}
  - id: anna
"""
    )

    assert [
        (1, 1, "unknown key `version`", "known here: profiles"),
        (3, 9, "the id is a number, not a text", "put it in quotes"),
        (4, 5, "unknown key `consnt`", "did you mean consent?"),
        (5, 5, "unknown key `atributes`", "did you mean attributes?"),
        (6, 5, "the profile has no id", None),
        (
            6,
            17,
            "attributes are a mapping, and this is a list",
            "write `first_name: Anna` below it",
        ),
        (7, 13, "tokens are a list, and this is a text", None),
        (8, 9, "the profile has no id", None),
        (9, 5, "a profile is a mapping, and this is a text", None),
        (12, 9, "a token is a mapping, and this is a text", "write {platform: ios, token: …}"),
        (13, 17, "token is a number, not a text", "put it in quotes"),
        (13, 31, "platform is `iso`: it is one of ios, android, web", "did you mean ios?"),
        (13, 45, "service is `fcn`: it is one of apns, fcm", "did you mean fcm?"),
        (
            *(13, 63),
            "environment is `prod`: it is one of production, sandbox",
            "did you mean production?",
        ),
        (
            *(13, 84),
            "registered_at is no date and time with an offset from UTC",
            "write it like 2026-10-01T08:00:00Z",
        ),
        (
            *(14, 9),
            "a second profile with the id `anna`",
            "put the tokens of one person into one profile (the first is at people.yaml:10:9)",
        ),
    ] == [
        (problem.place.line, problem.place.column, problem.message, problem.hint)
        for problem in problems
        if problem.place is not None
    ]
    assert "  - id: 007" == problems[1].source_line


@pytest.mark.parametrize("text", ["- id: anna", "anna", "12", ""])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    """The hint says how a profile file begins."""
    (problem,) = problems_of(text)

    assert "a profile file is a mapping" in problem.message
    assert "profiles:" in (problem.hint or "")


def test_a_thousand_problems_are_counted_not_listed() -> None:
    """The screen is not flooded."""
    problems = problems_of("profiles:\n" + "  - {}\n" * 1000)

    assert MAX_PROBLEMS + 1 == len(problems)
    assert f"and {1000 - MAX_PROBLEMS} more problems like these" == problems[-1].message


def test_the_profiles_of_the_example_are_sound() -> None:
    """What new users start from has no problem in it."""
    path = Path(__file__).parents[2] / "profiles.example.yaml"
    source = open_profile_document(documents.read(path, shown=path.name), ())

    assert "profiles.example.yaml (3 profiles, 4 inputs)" == source.described
    assert [None, None, None, "consent is false: only true gives it"] == [
        row.no_consent for row in source
    ]


def test_a_profile_a_line_is_read_like_any_other() -> None:
    """Each token of a line is a row of that line; a number is a fit id in JSON."""
    source = from_lines(
        '{"id": 12, "consent": true, "attributes": {"a": 1, "b": null},'
        ' "tokens": [{"token": "aabb"}, {"token": "ccdd"}]}',
        "",
        '{"id": "bruno"}',
    )

    assert [
        Row(1, {"token": "aabb", "profile": "12"}, {"a": 1}),
        Row(1, {"token": "ccdd", "profile": "12"}, {"a": 1}),
        Row(3, {"profile": "bruno"}, {}, no_consent="no consent is recorded"),
    ] == list(source)
    assert {"a"} == source.attribute_names
    assert "- (2 profiles, 3 inputs)" == source.described


@pytest.mark.parametrize(
    ("line", "profile", "words"),
    [
        pytest.param("{", None, "not a JSON object", id="no-json"),
        pytest.param('{"tokens": []}', None, "the profile has no id", id="no-id"),
        pytest.param('{"id": true}', None, "the id is true", id="boolean-id"),
        pytest.param('{"id": "b", "consnt": true}', "b", "unknown key `consnt`", id="key"),
        pytest.param('{"id": "b", "tokens": "aa"}', "b", "tokens are a list", id="tokens"),
        pytest.param('{"id": 7, "tokens": [{"token": 1}]}', "7", "token is a number", id="token"),
    ],
)
def test_a_line_that_is_no_sound_profile_is_one_bad_row(
    line: str, profile: str | None, words: str
) -> None:
    """It counts as one input, and keeps the name where it has one."""
    _, bad = from_lines('{"id": "anna"}', line)

    assert words in (bad.fault or "")
    assert {"profile": profile} == bad.values
    assert bad.line == 2


def test_lines_that_are_not_asked_for_are_no_inputs() -> None:
    """Not even those that cannot be read."""
    source = from_lines('{"id": "anna"}', "{", '{"id": "bruno"}', wanted=["bruno"])

    assert [3] == [row.line for row in source]
    assert source.rows == 1


def test_ids_that_are_asked_for_are_found_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only some ids of a huge file are remembered for hints, but none is missed."""
    monkeypatch.setattr(profiles, "_IDS_FOR_HINTS", 1)
    source = from_lines(*(f'{{"id": "{name}"}}' for name in "abcd"), wanted=["c"])

    assert {"a", "c"} == set(source.ids)


def test_too_many_attribute_names_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is claimed about them."""
    monkeypatch.setattr(profiles, "MAX_NAMES", 1)

    assert from_lines('{"id": "a", "attributes": {"x": 1, "y": 2}}').attribute_names is None


def test_tokens_in_the_place_of_profiles_are_refused() -> None:
    """They would all be profiles without an id."""
    with pytest.raises(InvalidInput, match="a token in a profile file") as caught:
        from_lines('{"token": "aabb", "consent": true}')

    assert "--tokens" in (caught.value.problems[0].hint or "")


def test_a_file_without_any_object_is_broken_as_a_whole() -> None:
    """A JSON document over many lines is not a thousand bad profiles."""
    with pytest.raises(InvalidInput, match="no line is a JSON object"):
        from_lines("[", "]")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "anna", "ios", "aabb"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["profiles", "id", "consent", "attributes", "tokens", "token", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(value=_JSON)
def test_any_document_is_rows_or_clear_errors(value: object) -> None:
    """No form of document ends in a traceback, and the rows found are the rows yielded."""
    data = json.dumps({"profiles": value}).encode()
    document = documents.load(data, "people.json", kind="json", max_bytes=2**20)
    try:
        source = open_profile_document(document, ())
    except InvalidInput:
        return

    assert source.rows == len(list(source))
