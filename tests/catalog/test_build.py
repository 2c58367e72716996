"""From the YAML that people edit to the JSON that is shipped."""

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from pushctl.catalog import DATA_FILE, build

ROW = {
    "name": "BadThing",
    "status": 400,
    "description": "A thing is bad.",
    "category": "request",
    "retryable": "no",
    "token_action": "keep",
    "source": "somewhere",
    "verification": "verified",
}
LAST_RESORT = {
    "service": "pushctl",
    "rows": [
        {
            "status": "other",
            "description": "Unexpected.",
            "category": "server",
            "retryable": "no",
            "token_action": "keep",
        }
    ],
}


def document(*rows: dict[str, Any], **table: Any) -> dict[str, Any]:
    """Return a YAML document with one APNs table of *rows*."""
    return {
        "tables": [{"service": "apns", "rows": list(rows), **table}],
        "fallbacks": [LAST_RESORT],
    }


def built(*rows: dict[str, Any], **table: Any) -> list[dict[str, Any]]:
    """Return the built reasons of one table."""
    reasons: list[dict[str, Any]] = json.loads(build.build([document(*rows, **table)]))["reasons"]
    return reasons


def test_the_shipped_json_is_what_the_yaml_says() -> None:
    """Nobody edited one without the other: `--check` finds nothing stale."""
    assert 0 == build.main(["--check"])


def test_the_documented_command_works() -> None:
    """`python -m pushctl.catalog.build --check` is what the YAML's head says it is."""
    command = [sys.executable, "-m", "pushctl.catalog.build", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


def test_a_stale_json_fails_the_check(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A JSON file that differs from the YAML, or is missing, makes `--check` exit with 1."""
    for name in build.FILES:
        (tmp_path / name).write_bytes((DATA_FILE.parent / name).read_bytes())
    copy = tmp_path / "catalog.json"
    monkeypatch.setattr(build, "DATA_FILE", copy)

    assert 1 == build.main(["--check"])
    assert "stale" in capsys.readouterr().err
    assert 0 == build.main([])
    assert DATA_FILE.read_bytes() == copy.read_bytes()
    assert 0 == build.main(["--check"])
    copy.write_text("{}", "utf-8")
    assert 1 == build.main(["--check"])


def test_building_is_deterministic() -> None:
    """The same YAML gives the same bytes, whatever order its keys have."""
    other = dict(reversed(list(ROW.items())))

    assert build.build([document(ROW)]) == build.build([document(other)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "apns BadThing: unknown fields ['colour']"),
        ({"description": ""}, "apns BadThing: without description"),
        ({"category": "weather"}, "category 'weather' is not one of"),
        ({"retryable": False}, "retryable"),
        ({"token_action": "delete"}, "token_action 'delete' is not one of"),
        ({"causes": "one text"}, "causes must be a list"),
        ({"notes": 3}, "notes must be text"),
        ({"examples": [{"provenance": "rumour", "body": {}}]}, "provenance is not one of"),
    ],
)
def test_a_bad_row_is_named(change: dict[str, Any], message: str) -> None:
    """A fault in the YAML is told with the row and the field it is in."""
    with pytest.raises(build.BadData) as caught:
        build.build([document({**ROW, **change})])

    assert message in str(caught.value)


@pytest.mark.parametrize(
    "second",
    [ROW, {**ROW, "name": "Other / BadThing"}, {**ROW, "name": "Other", "aliases": ["BadThing"]}],
)
def test_a_name_is_given_once(second: dict[str, Any]) -> None:
    """Two rows cannot claim one name, by alternatives and aliases neither."""
    with pytest.raises(build.BadData, match="apns BadThing is given twice"):
        build.build([document(ROW, second)])


def test_a_fallback_is_checked_like_a_row() -> None:
    """An unknown field of a fallback row is refused, and so is a catalog without a last resort."""
    bad = {"fallbacks": [{"service": "apns", "rows": [{"status": 400, "colour": "red"}]}]}

    with pytest.raises(build.BadData, match=r"apns fallback 400: unknown fields \['colour'\]"):
        build.build([bad])
    with pytest.raises(build.BadData, match="pushctl needs a row for the status `other`"):
        build.build([{"tables": []}])


@pytest.mark.parametrize(
    ("status", "own", "expected"),
    [(503, None, 900), (429, None, 60), (429, 1200, 1200), (400, None, None), (None, None, None)],
)
def test_the_least_delay_comes_from_the_row_then_the_table(
    status: int | None, own: int | None, expected: int | None
) -> None:
    """A row's own delay wins over the table's for its status, and that over the hundred's."""
    row = {**ROW, "status": status, "min_wait_s": own}
    if own is None:
        del row["min_wait_s"]

    assert expected == built(row, min_wait_s={"5xx": 900, 429: 60})[0].get("min_wait_s")


def test_a_row_without_examples_gets_the_documented_form() -> None:
    """An APNs row is shown with the body that Apple describes, a 410 with its timestamp."""
    bodies = [
        json.loads(row["examples"][0]["body"])
        for row in built(ROW, {**ROW, "name": "Gone", "status": 410})
    ]

    assert {"reason": "BadThing"} == bodies[0]
    assert {"reason": "Gone", "timestamp": 1795168800000} == bodies[1]


@pytest.mark.parametrize("change", [{"examples": []}, {"name": "(page)"}, {"status": None}])
def test_a_row_may_have_no_example(change: dict[str, Any]) -> None:
    """Where no answer carries the reason, none is made up."""
    assert "examples" not in built({**ROW, **change})[0]
