"""Tests of the whole audience: sources in, recipients out."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.audience import Audience, Recipient, open_audience
from pushctl.audience.formats import MAX_DOCUMENT_BYTES
from pushctl.errors import InvalidInput, Place, UsageError
from pushctl.outcome import Kind, Platform

DEVICES = [f"{number:064x}" for number in range(1, 10)]
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"


def file_with(path: Path, text: str) -> Path:
    """Return *path*, which now holds *text*."""
    path.write_text(text, encoding="utf-8")
    return path


def verdicts(recipients: Iterable[Recipient]) -> list[str | None]:
    """Return the reason of each recipient's verdict, ``None`` for those that are sent to."""
    return [each.verdict and each.verdict.reason for each in recipients]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A profile file: one consents and has two devices, one does not, one has no token."""
    return file_with(
        tmp_path / "people.yaml",
        f"""\
profiles:
  - id: anna
    consent: true
    attributes: {{first_name: Anna}}
    tokens:
      - {{platform: ios, token: "{DEVICES[0]}"}}
      - {{platform: android, token: "{REGISTRATION}"}}
  - id: bruno
    consent: yes
    tokens: [{{token: "{DEVICES[1]}"}}]
  - id: chiara
    consent: true
""",
    )


def test_sources_follow_each_other_and_rows_are_numbered_through(
    tmp_path: Path, people: Path
) -> None:
    """First ``--token``, then profiles, then token files; each input counts once."""
    listed = file_with(tmp_path / "list.csv", f"token,city\n{DEVICES[2]},Rome\nzz,Oslo\n")
    audience = open_audience(tokens=[DEVICES[3]], profile_files=[people], token_files=[listed])

    assert [
        (1, "--token", None),
        (2, f"{people}:6", None),
        (3, f"{people}:7", None),
        (4, f"{people}:10", "NoConsent"),
        (5, f"{people}:11", "MissingToken"),
        (6, f"{listed}:2", None),
        (7, f"{listed}:3", "InvalidToken"),
    ] == [(each.row, each.source, each.verdict and each.verdict.reason) for each in audience]
    assert audience.total == 7
    assert {"first_name", "city"} == audience.attribute_names
    assert (
        f"--token (1 token), {people} (3 profiles, 4 inputs), {listed} (2 rows)"
        == audience.description
    )


def test_an_audience_can_be_read_again(people: Path) -> None:
    """Each reading starts anew, duplicates included."""
    audience = open_audience(profile_files=[people], tokens=[DEVICES[0]])

    assert list(audience) == list(audience)
    assert ["first at row 1 (--token)"] == [
        each.verdict.detail
        for each in audience
        if each.verdict is not None and each.verdict.reason == "Duplicate"
    ]


def test_the_first_of_equal_tokens_wins(tmp_path: Path) -> None:
    """Equal means the same service and the same token in its one spelling."""
    first = file_with(tmp_path / "a.txt", f"\n{'ab' * 32}\n{REGISTRATION}\n")
    second = file_with(
        tmp_path / "b.csv", f"token,service\n{'AB' * 32},\n{'ab' * 32},fcm\n{REGISTRATION},\n"
    )
    recipients = list(open_audience(token_files=[first, second]))

    assert [None, None, "Duplicate", None, "Duplicate"] == verdicts(recipients)
    assert recipients[2].verdict is not None
    assert Kind.SKIPPED == recipients[2].verdict.kind
    assert f"first at row 1 ({first}:2)" == recipients[2].verdict.detail


def test_a_token_that_is_not_sent_to_does_not_make_the_next_a_duplicate(tmp_path: Path) -> None:
    """Somebody who has not consented does not stand in the way of somebody who has."""
    listed = file_with(
        tmp_path / "list.csv", f"token,consent\n{DEVICES[0]},no\n{DEVICES[0]},true\n"
    )

    assert ["NoConsent", None] == verdicts(open_audience(token_files=[listed]))


def test_duplicates_can_be_kept() -> None:
    """A load test may want to send to one device many times."""
    audience = open_audience(tokens=[DEVICES[0]] * 3, keep_duplicates=True)

    assert [None, None, None] == verdicts(audience)


def test_profiles_are_chosen_by_id(tmp_path: Path, people: Path) -> None:
    """An id may be in any of the files."""
    more = file_with(tmp_path / "more.jsonl", '{"id": "dora", "consent": true}\n{"id": "emil"}\n')
    audience = open_audience(profile_files=[people, more], profile_ids=["dora", "anna"])

    assert ["anna", "anna", "dora"] == [each.profile for each in audience]


def test_unknown_profiles_are_told_with_what_was_meant(people: Path) -> None:
    """Nothing is sent to the others meanwhile."""
    with pytest.raises(InvalidInput) as caught:
        open_audience(profile_files=[people], profile_ids=["ana", "anna", "zoe"])

    assert [
        ("no profile has the id `ana`", Place(str(people)), "did you mean anna?"),
        ("no profile has the id `zoe`", Place(str(people)), None),
    ] == [(problem.message, problem.place, problem.hint) for problem in caught.value.problems]


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Missing, broken and empty files are one error, and nothing is sent."""
    broken = file_with(tmp_path / "broken.yaml", "profiles: [{id: anna, consnt: true}]\n")
    empty = file_with(tmp_path / "empty.csv", "token\n")
    nobody = file_with(tmp_path / "nobody.yaml", "profiles: []\n")
    with pytest.raises(InvalidInput) as caught:
        open_audience(
            profile_files=[broken, nobody],
            token_files=[tmp_path / "none.txt", empty],
            profile_ids=[],
        )

    assert [
        "unknown key `consnt`",
        f"there is no file '{tmp_path / 'none.txt'}'",
        "the file holds no profile",
        "the file holds no token",
    ] == [problem.message for problem in caught.value.problems]


def test_a_profile_is_not_called_unknown_while_a_file_cannot_be_read(tmp_path: Path) -> None:
    """It may well stand there."""
    with pytest.raises(InvalidInput) as caught:
        open_audience(profile_files=[tmp_path / "none.yaml"], profile_ids=["anna"])

    assert 1 == len(caught.value.problems)


@pytest.mark.parametrize(
    ("given_tokens", "profiles", "csv", "consent"),
    [
        (False, True, None, "recorded"),
        (False, False, "token,consent", "recorded"),
        (False, False, "token,x", "stated by the sender"),
        (True, False, None, "stated by the sender"),
        (True, True, None, "mixed"),
        (False, True, "token,x", "mixed"),
        (False, True, "token,consent", "recorded"),
    ],
)
def test_who_says_that_people_agreed_is_known_beforehand(
    tmp_path: Path,
    people: Path,
    given_tokens: bool,
    profiles: bool,
    csv: str | None,
    consent: str,
) -> None:
    """The files, whoever runs the command, or both."""
    listed = file_with(tmp_path / "list.csv", f"{csv}\n{DEVICES[0]},true\n")
    audience = open_audience(
        tokens=DEVICES[:1] if given_tokens else [],
        profile_files=[people] if profiles else [],
        token_files=[listed] if csv else [],
    )

    assert consent == audience.consent


def test_a_credential_can_require_recorded_consent(tmp_path: Path, people: Path) -> None:
    """Files without consent are refused by name; ``--token`` is exempt."""
    plain = file_with(tmp_path / "list.txt", f"{DEVICES[0]}\n")
    open_audience(tokens=[DEVICES[0]], profile_files=[people]).require_consent("shop-ios")
    audience = open_audience(tokens=[DEVICES[1]], token_files=[plain])
    with pytest.raises(InvalidInput) as caught:
        audience.require_consent("shop-ios")

    assert [str(plain)] == audience.without_consent
    assert [("the file records no consent, and shop-ios requires it", Place(str(plain)))] == [
        (problem.message, problem.place) for problem in caught.value.problems
    ]


CONTENTS = {
    "txt": f"{DEVICES[0]}\n",
    "csv": f"token,platform\n{DEVICES[0]},ios\n",
    "tsv": f"token\tplatform\n{DEVICES[0]}\tios\n",
    "jsonl": f'{{"token": "{DEVICES[0]}"}}\n',
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("way", ["name", "stdin", "nameless"])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_format_is_read_by_name_and_by_option(
    tmp_path: Path, name: str, way: str, packed: bool
) -> None:
    """The ending of the name tells the format; ``--format`` does where there is none."""
    data = CONTENTS[name].encode()
    ending = f"{name}.gz" if packed else name
    path = tmp_path / (f"LIST.{ending.upper()}" if way == "name" else "list")
    path.write_bytes(gzip.compress(data) if packed else data)
    source: Path | Literal["-"] = "-" if way == "stdin" else path
    audience = open_audience(
        token_files=[source],
        format=None if way == "name" else ending,
        stdin=io.BytesIO(path.read_bytes()),
    )

    assert [DEVICES[0]] == [each.token for each in audience]


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("yaml", "profiles: [{id: anna, consent: true}]"),
        ("yml", "profiles: [{id: anna, consent: true}]"),
        ("json", '{"profiles": [{"id": "anna", "consent": true}]}'),
        ("jsonl", '{"id": "anna", "consent": true}'),
    ],
)
def test_profiles_can_come_from_stdin(format: str, text: str) -> None:
    """Every format of profile files is read from a pipe."""
    audience = open_audience(profile_files=["-"], format=format, stdin=io.BytesIO(text.encode()))

    assert ["anna"] == [each.profile for each in audience]


def test_a_named_file_needs_no_format_even_if_one_is_given_for_stdin(tmp_path: Path) -> None:
    """The name of a file says more than an option that is meant for stdin."""
    listed = file_with(tmp_path / "list.csv", f"token\n{DEVICES[0]}\n")
    audience = open_audience(
        token_files=[listed, "-"], format="txt", stdin=io.BytesIO(DEVICES[1].encode())
    )

    assert DEVICES[:2] == [each.token for each in audience]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("people.yaml", "--profiles"),
        ("people.json", "--profiles"),
        ("list.cvs", "did you mean csv?"),
        ("list", "one of .txt, .csv, .tsv, .jsonl, .parquet, or .gz or .zst after it"),
        ("list.xlsx", "one of .txt"),
    ],
)
def test_a_token_file_of_another_format_is_refused_with_a_way_out(name: str, words: str) -> None:
    """The hint says what to do with such a file."""
    with pytest.raises(InvalidInput, match="tells no format") as caught:
        open_audience(token_files=[Path(name)])

    assert words in (caught.value.problems[0].hint or "")


def test_a_token_file_is_no_profile_file() -> None:
    """The hint names the right option."""
    with pytest.raises(InvalidInput) as caught:
        open_audience(profile_files=[Path("list.csv")])

    assert "--tokens" in (caught.value.problems[0].hint or "")


def test_a_packed_profile_document_is_refused() -> None:
    """What is large enough to be packed belongs in lines."""
    with pytest.raises(InvalidInput, match="not read compressed"):
        open_audience(profile_files=[Path("people.yaml.gz")])


@pytest.mark.parametrize("from_stdin", [False, True])
def test_a_profile_document_has_a_bound(tmp_path: Path, from_stdin: bool) -> None:
    """More than 16 MiB of YAML is refused before it is parsed."""
    path = tmp_path / "people.yaml"
    path.write_bytes(b"#" * (MAX_DOCUMENT_BYTES + 1))
    source: Path | Literal["-"] = "-" if from_stdin else path
    with path.open("rb") as stdin, pytest.raises(InvalidInput, match="larger than 16 MiB"):
        open_audience(profile_files=[source], format="yaml", stdin=stdin)


def test_contradictions_are_usage_errors() -> None:
    """What no file can repair is about the command."""
    with pytest.raises(UsageError, match="read only once"):
        open_audience(profile_files=["-"], token_files=["-"], format="jsonl")
    with pytest.raises(UsageError, match="--profile needs --profiles"):
        open_audience(tokens=["aabb"], profile_ids=["anna"])
    with pytest.raises(UsageError, match="--format is needed"):
        open_audience(token_files=["-"], stdin=io.BytesIO(b"aabb\n"))
    with pytest.raises(UsageError, match="--format xml is not known here"):
        open_audience(token_files=["-"], format="xml", stdin=io.BytesIO(b"aabb\n"))
    with pytest.raises(UsageError, match="nobody to send to"):
        open_audience()


def test_a_closed_stdin_is_an_error() -> None:
    """Profiles and tokens from nowhere are refused alike."""
    with pytest.raises(InvalidInput, match="stdin is closed"):
        open_audience(profile_files=["-"], format="yaml")
    with pytest.raises(InvalidInput, match="stdin is closed"):
        open_audience(token_files=["-"], format="txt")


def test_the_platform_of_the_command_line_is_a_last_resort_for_files(tmp_path: Path) -> None:
    """It decides for ``--token``, and for rows that nothing else tells."""
    listed = file_with(tmp_path / "list.txt", f"opaque\n{DEVICES[0]}\n")
    audience = open_audience(tokens=["opaque-too"], platform=Platform.WEB, token_files=[listed])

    assert [("fcm", "web"), ("fcm", "web"), ("apns", "ios")] == [
        (each.service, each.platform) for each in audience
    ]


def test_unknown_attribute_names_make_the_whole_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is claimed of all where something is not known of one."""
    monkeypatch.setattr("pushctl.audience.jsonlines.MAX_NAMES", 1)
    listed = file_with(tmp_path / "list.jsonl", '{"token": "aabb", "a": 1}\n')

    assert open_audience(token_files=[listed]).attribute_names is None


def test_nothing_heavy_is_imported() -> None:
    """Reading an audience costs no start-up time that only sending needs."""
    heavy = ["httpx", "cryptography", "google", "jwt", "jinja2", "pydantic", "duckdb", "yaml"]
    code = f"import sys, pushctl.audience; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert "[]" == run.stdout.strip()


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([*DEVICES[:3], DEVICES[0].upper(), REGISTRATION, "", "zz", "null"]),
            st.sampled_from(["true", "TRUE", "yes", ""]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_input_is_one_recipient_and_no_token_is_sent_to_twice(
    rows: list[tuple[str, str]],
) -> None:
    """Whatever the list: as many recipients as rows, in order, each token once at most."""
    text = "token,consent\n" + "".join(f"{token},{consent}\n" for token, consent in rows)
    audience: Audience = open_audience(
        token_files=["-"], format="csv", stdin=io.BytesIO(text.encode())
    )
    recipients = list(audience)
    sent = Counter((each.service, each.token) for each in recipients if each.verdict is None)

    assert list(range(1, len(rows) + 1)) == [each.row for each in recipients]
    assert audience.total == len(rows)
    assert set(sent.values()) <= {1}
    assert {
        token.lower() if token != REGISTRATION else token
        for token, consent in rows
        if consent.lower() == "true" and token not in {"", "zz", "null"}
    } == {token for _, token in sent}
