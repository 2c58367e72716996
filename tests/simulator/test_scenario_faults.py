"""Scenario files that are wrong: each fault told with its place and a hint; and the schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pushctl.errors import InvalidInput
from pushctl.simulator.scenario import json_schema, parse_scenario, read_scenario


def problems(text: str) -> list[str]:
    """Return what is wrong with *text*, as ``line:column message``."""
    with pytest.raises(InvalidInput) as caught:
        parse_scenario(text, name="day.yaml")
    found = []
    for problem in caught.value.problems:
        place = problem.place
        assert place is not None
        found.append(
            f"{place.file}:{place.line}:{place.column} {problem.message} | {problem.hint or ''}"
        )
    return found


def test_every_fault_of_a_file_has_its_place() -> None:
    """Line, column and hint of each mistake, all at once."""
    found = problems(
        """enviroment: sandbox
delay: soon
devices:
  - {token: 12345678}
rules:
  - {answer: hang, timess: 2}
streams: {first: -1}
"""
    )
    assert [
        "day.yaml:2:8 `delay` must be a duration | 50ms, 1.5s, 20m or 1h; a bare number is seconds",
        'day.yaml:4:13 `token` must be a text, not a number | put it in quotes: token: "…"',
        "day.yaml:6:20 unknown key 'timess' | did you mean `times`?",
        "day.yaml:7:18 `first` must be 0 or more | ",
        "day.yaml:1:1 unknown key 'enviroment' | did you mean `environment`?",
    ] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{answer: Unregisterd}]", ("1:18", "did you mean Unregistered?")),
        ("rules: [{answer: UNREGISTERED, service: apns}]", ("1:18", "does not have the reason")),
        ("rules: [{answer: (html 404), service: apns}]", ("1:18", "does not have the reason")),
        ("rules: [{answer: (html 405)}]", ("1:18", "here has the reason")),
        ("rules: [{answer: drop, retry_after: 3}]", ("1:37", "retry_after")),
        ("rules: [{pattern: x, token: y, answer: hang}]", ("1:19", "not both")),
        ("rules: [{answer: hang, until: 3s, from: 5s}]", ("1:31", "this never acts")),
        ("rules: [{answer: 'rst:NOPE'}]", ("1:18", "NOPE is not an HTTP/2 error code")),
        ("rules: [{answer: 99}]", ("1:18", "99 is not the status of an answer")),
        ("rules: [{token: a}]", ("1:9", "`answer` is missing")),
        ("rules: [{answer: wedge}]", ("1:18", "service: apns")),
        ("quotas: {service: fcm}", ("1:9", "must be a list")),
        ("quotas: [{service: fcm, pushes: 1, per: 0}]", ("1:41", "longer than nothing")),
        ("streams: {later: [{limit: 2}]}", ("1:19", "has `after` or `at`")),
        ("- 1", ("1:1", "must be a map")),
        ("rules: [", ("1:", "")),
        ("delay: 8000000", ("1:8", "a week at most")),
        ("rules: [{answer: 500, share: 120%}]", ("1:30", "0.05 or 5%")),
    ],
)
def test_what_a_scenario_cannot_say(text: str, said: tuple[str, str]) -> None:
    """Each mistake is told in a sentence, at its place."""
    found = problems(text)
    assert 1 == len(found)
    assert found[0].startswith(f"day.yaml:{said[0]}")
    assert said[1] in found[0]


def test_a_file_of_comments_alone_is_plain_serving(tmp_path: Path) -> None:
    """Nothing said is nothing wrong; JSON will do as well as YAML."""
    empty, other = tmp_path / "a.yaml", tmp_path / "b.json"
    empty.write_text("# a quiet day\n")
    other.write_text('{"delay": "50ms"}')
    assert (0.0, 0.05) == (
        read_scenario(empty).script.delay_s,
        read_scenario(other).script.delay_s,
    )


def test_the_schema_names_every_key() -> None:
    """The JSON Schema can be written, forbids unknown keys, and knows ``from`` by its name."""
    schema = json.loads(json.dumps(json_schema()))
    rule = schema["$defs"]["RuleModel"]
    assert (False, False) == (schema["additionalProperties"], rule["additionalProperties"])
    assert {"from", "until", "token", "answer"} <= rule["properties"].keys()
