"""``pushctl tokens check``: what a list is warned of before anybody is sent to."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli.kit import Result, run_cli

DEVICE = "9f3a61c07d52b8e4410f96ae2c7b85d3f01e6a94c8527db3b06f4e19a2d875c3"
OTHER = DEVICE[::-1]
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"


def check(folder: Path, *arguments: str, **more: Any) -> Result:
    """Run ``pushctl tokens check`` in *folder*."""
    return run_cli("tokens", "check", *arguments, cwd=folder, **more)


def write(folder: Path, name: str, *lines: str) -> str:
    """Write *lines* to the file *name* in *folder*; return the name."""
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def found(folder: Path, *arguments: str, **more: Any) -> dict[str, tuple[str, int, list[str]]]:
    """Return level, count and rows of each finding."""
    result = check(folder, *arguments, "-o", "json", **more)
    document = json.loads(result.stdout)
    assert result.exit_code == (0 if document["sound"] else 1)
    return {
        finding["finding"]: (
            finding["level"],
            finding["count"],
            [row["source"] for row in finding["rows"]],
        )
        for finding in document["findings"]
    }


def test_a_sound_list_is_found_sound(tmp_path: Path) -> None:
    """Exit 0, and how many a send would try by who delivers."""
    write(tmp_path, "list.csv", "token,consent", f"{DEVICE},true", f"{OTHER},TRUE")
    result = check(tmp_path, "list.csv")
    assert (0, "2 inputs · 2 to send to (APNs 2) · 0 errors · 0 warnings\n", "") == (
        result.exit_code,
        result.stdout,
        result.stderr,
    )


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (DEVICE[:-1], "odd-digits"),
        ("9f3a61c0…75c3", "shortened"),
        ('"{length = 32, bytes = 0x9f3a61c0 7d52b8e4 ... a2d875c3 }"', "log-shortened"),
        ("32 bytes", "log-shortened"),
        (f"<{DEVICE}>", "angle-brackets"),
        (f"0x{DEVICE}", "hex-prefix"),
        (REGISTRATION, "fcm-token-for-apns"),
        ("9.87E+12", "spreadsheet"),
        ("(null)", "word-for-nothing"),
        ("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]", "expo"),
        (f"masked~{'0' * 32}", "masked"),
        ("zz", "not-hexadecimal"),
        ("", "missing-token"),
    ],
)
def test_a_malformed_token_is_named_with_its_line(tmp_path: Path, cell: str, name: str) -> None:
    """Each way in which tokens are damaged has a name, an error, and file and line."""
    rows = (f"{DEVICE},apns,true", f"{cell},apns,true")
    write(tmp_path, "list.csv", "token,service,consent", *rows)
    assert {name: ("error", 1, ["list.csv:3"])} == found(tmp_path, "list.csv")


def test_what_only_other_rows_show_is_found(tmp_path: Path) -> None:
    """Duplicates, two kinds of token for one platform, a device that would show a push twice."""
    write(
        tmp_path,
        "list.csv",
        "token,platform,profile",
        f"{DEVICE},ios,anna",
        f"{DEVICE.upper()},ios,ben",
        f"{REGISTRATION},ios,anna",
        f"{OTHER},android,carla",
    )
    assert {
        "duplicate": ("warning", 1, ["list.csv:3"]),
        "two-kinds-for-ios": ("warning", 1, ["list.csv:4"]),
        "wrong-platform": ("warning", 1, ["list.csv:5"]),
        "same-device-twice": ("warning", 1, ["list.csv:2"]),
        "both-services": ("note", 3, []),
        "consent-not-recorded": ("note", 1, []),
    } == found(tmp_path, "list.csv")


def test_an_ios_app_that_uses_firebase_is_no_mistake(tmp_path: Path) -> None:
    """FCM tokens for iOS are worth a note where there is nothing else for iOS."""
    write(tmp_path, "list.csv", "token,platform,consent", f"{REGISTRATION},ios,true")
    assert {"fcm-for-ios": ("note", 1, [])} == found(tmp_path, "list.csv")


def test_consent_is_weighed(tmp_path: Path) -> None:
    """A plain no is in order; a text that means a yes to somebody, or nothing, is not."""
    lines = ("token,consent", f"{DEVICE},false", f"{DEVICE},yes", f"{OTHER},", f"{OTHER},true")
    write(tmp_path, "list.csv", *lines)
    assert {
        "no-consent": ("note", 1, ["list.csv:2"]),
        "unclear-consent": ("warning", 2, ["list.csv:3", "list.csv:4"]),
    } == found(tmp_path, "list.csv")


def test_a_file_without_consent_is_wrong_where_it_is_required(tmp_path: Path) -> None:
    """--require-consent turns the note into an error."""
    write(tmp_path, "list.txt", DEVICE)
    assert {"consent-not-recorded": ("note", 1, [])} == found(tmp_path, "list.txt")
    required = found(tmp_path, "list.txt", "--require-consent")
    assert {"consent-required": ("error", 1, [])} == required


def test_rows_that_cannot_be_read_are_told_apart_from_bad_values(tmp_path: Path) -> None:
    """A row of another width is not trusted; a platform that is none is named."""
    write(tmp_path, "list.csv", "token,platform", f"{DEVICE}", f"{OTHER},iphone", "hello,")
    assert {
        "unusable-row": ("error", 1, ["list.csv:2"]),
        "bad-value": ("error", 1, ["list.csv:3"]),
        "unknown-service": ("error", 1, ["list.csv:4"]),
        "consent-not-recorded": ("note", 1, []),
    } == found(tmp_path, "list.csv")


def test_a_message_is_filled_for_everybody(tmp_path: Path) -> None:
    """Whoever lacks an attribute is found, and a placeholder that nobody can fill is an error."""
    write(tmp_path, "m.yaml", 'title: "{{ shop.name }}"', 'body: "Hi {{ first_name }}"')
    lines = ("token,first_name", f"{DEVICE},Anna", f"{OTHER},")
    write(tmp_path, "list.csv", *lines)
    result = found(tmp_path, "list.csv", "--message", "m.yaml")
    assert ("error", 1, []) == result["no-such-attribute"]
    assert ("warning", 2) == result["missing-attribute"][:2]

    rows = [
        {"token": DEVICE, "first_name": "Anna", "shop": {"name": "Acme"}},
        {"token": OTHER, "first_name": "Ben", "shop": {"open": True}},
    ]
    write(tmp_path, "list.jsonl", *map(json.dumps, rows))
    result = found(tmp_path, "list.jsonl", "--message", "m.yaml")
    assert ("warning", 1, ["list.jsonl:2"]) == result["missing-attribute"]


def test_a_message_that_grows_too_large_is_found(tmp_path: Path) -> None:
    """The limit of the service is looked at with the attributes filled in."""
    write(tmp_path, "m.yaml", 'body: "{{ text }}"')
    write(tmp_path, "list.csv", "token,text", f"{DEVICE},short", f"{OTHER},{'x' * 5000}")
    result = found(tmp_path, "list.csv", "--message", "m.yaml")
    assert ("warning", 1, ["list.csv:3"]) == result["payload-too-large"]


def test_profiles_are_looked_at_like_tokens(tmp_path: Path) -> None:
    """Each format of a profile file is known, .jsonl by what its first lines hold."""
    profile = {"id": "anna", "consent": True, "tokens": [{"token": DEVICE}, {"token": "abc"}]}
    write(tmp_path, "p.jsonl", json.dumps(profile), '{"id": "ben", "consent": true}')
    write(tmp_path, "p.json", json.dumps({"profiles": [profile]}))
    assert {
        "odd-digits": ("error", 1, ["p.jsonl:1"]),
        "missing-token": ("error", 1, ["p.jsonl:2"]),
    } == found(tmp_path, "p.jsonl")
    assert ["odd-digits"] == [*found(tmp_path, "p.json")]


def test_several_files_are_one_list(tmp_path: Path) -> None:
    """A token that stands in two files is a duplicate, and so is one from stdin."""
    write(tmp_path, "a.txt", DEVICE)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(DEVICE.encode()))
    result = check(
        tmp_path, "a.txt", "b.txt.gz", "-", "--format", "txt", "-o", "csv", stdin=DEVICE.encode()
    )
    rows = [*csv.DictReader(io.StringIO(result.stdout))]
    assert [("b.txt.gz:1", "duplicate"), ("'-:1", "duplicate")] == [
        (row["source"], row["finding"]) for row in rows
    ]


def test_csv_has_every_row_and_runs_no_formula(tmp_path: Path) -> None:
    """All rows are told, not only the first; what a spreadsheet would run gets a mark."""
    lines = ("token,profile", *[f"=cmd{number},+evil" for number in range(20)])
    write(tmp_path, "list.csv", *lines)
    result = check(tmp_path, "list.csv", "-o", "csv")
    rows = [*csv.DictReader(io.StringIO(result.stdout))]
    assert 1 == result.exit_code
    assert [f"list.csv:{number}" for number in range(2, 22)] == [row["source"] for row in rows]
    assert {"'+evil"} == {row["profile"] for row in rows}
    assert all(row["token"].startswith("'=") for row in rows)


def test_annotations_name_file_and_line(tmp_path: Path) -> None:
    """-o github marks rows, says how many more there are, and marks a file that is broken."""
    write(tmp_path, "list.csv", "token", *["abc"] * 7, DEVICE)
    result = check(tmp_path, "list.csv", "-o", "github", "--lines", "2")
    assert [
        "::error title=odd-digits,file=list.csv,line=2::an odd number of hexadecimal digits (3):"
        " the token was cut or mistyped",
        "::error title=odd-digits,file=list.csv,line=3::an odd number of hexadecimal digits (3):"
        " the token was cut or mistyped",
        "::error title=odd-digits::5 more rows like these",
        "::notice title=consent-not-recorded::list.csv records no consent: whoever sends vouches"
        " for it",
    ] == result.stdout.splitlines()

    write(tmp_path, "list.csv", "tokn", DEVICE)
    result = check(tmp_path, "list.csv", "-o", "github")
    assert 3 == result.exit_code
    expected = "::error file=list.csv,line=1::unknown column `tokn`; did you mean token?\n"
    assert expected == result.stdout


def test_a_file_that_is_broken_as_a_whole_is_one_clear_error(tmp_path: Path) -> None:
    """All such files are told at once, with exit code 3."""
    write(tmp_path, "a.csv", "tokn", DEVICE)
    result = check(tmp_path, "a.csv", "b.csv", "c.doc")
    assert 3 == result.exit_code
    assert ["a.csv:1", "b.csv", "c.doc"] == [error.split(": ")[0] for error in result.errors]


def test_the_table_tells_how_many_more_there_are(tmp_path: Path) -> None:
    """The first rows are told, with what each shows where they differ, and then a number."""
    write(tmp_path, "list.csv", "token", *["abc"] * 3, *[DEVICE] * 4)
    lines = [
        line.strip() for line in check(tmp_path, "list.csv", "--lines", "2").stdout.split("\n")
    ]
    assert "at: list.csv:2, list.csv:3 and 1 more" in lines
    first = lines.index("at: list.csv:6: first at row 4 (list.csv:5)")
    assert "and 1 more" == lines[first + 2]


def test_the_table(tmp_path: Path, snapshot: object) -> None:
    """The gravest first, each with what it is and where; the sum last."""
    write(
        tmp_path,
        "list.csv",
        "token,platform,profile,consent",
        f"{DEVICE},ios,anna,true",
        f"{DEVICE},ios,ben,true",
        "abc,ios,carla,true",
        "abd,ios,dora,true",
        f"{OTHER},ios,emil,yes",
        f"{REGISTRATION},android,fiona,true",
    )
    result = check(tmp_path, "list.csv")
    assert 1 == result.exit_code
    assert snapshot == result.stdout
