"""Tests of what a bounce log says about tokens."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from pushctl.audience.suppression import Said, read_words
from pushctl.errors import InvalidInput
from pushctl.outcome import Service, TokenAction
from pushctl.rules.dead_tokens import Word, epoch_s
from pushctl.rules.masking import mask

RECORD: dict[str, Any] = {
    "schema": 1,
    "event": "Bounced push",
    "time": "2026-10-02T08:00:00Z",
    "service": "apns",
    "token": "AB12",
    "token_action": "remove",
    "dead_since": "2026-10-01T08:00:00Z",
}


def log(folder: Path, *lines: dict[str, Any] | str) -> Path:
    """Return a bounce log with *lines*."""
    path = folder / "bounces.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_only_a_word_on_the_life_of_a_token_is_read(tmp_path: Path) -> None:
    """A token that is suspect or belongs to another environment may be alive."""
    doubtful = [{**RECORD, "token_action": one, "dead_since": None} for one in ("keep", "suspect")]
    path = log(tmp_path, *doubtful, RECORD)
    (found,) = read_words(path)
    word = Word(
        TokenAction.REMOVE, epoch_s("2026-10-02T08:00:00Z"), epoch_s("2026-10-01T08:00:00Z")
    )
    when = "dead since 2026-10-01T08:00:00Z"
    assert Said(Service.APNS, "ab12", word, when, f"{path}:3") == found


def test_a_410_that_was_overruled_is_a_word_too(tmp_path: Path) -> None:
    """The app had registered again when it came: that is the log's last word on the token."""
    path = log(tmp_path, RECORD, {**RECORD, "token_action": "keep"})
    assert [TokenAction.REMOVE, TokenAction.KEEP] == [said.word.action for said in read_words(path)]


def test_without_a_time_of_death_the_time_of_the_record_is_told(tmp_path: Path) -> None:
    """FCM says that a token is gone, and not since when."""
    path = log(tmp_path, {**RECORD, "service": "fcm", "dead_since": None})
    (found,) = read_words(path)
    assert (None, "found dead at 2026-10-02T08:00:00Z") == (found.word.since_s, found.shown)
    assert "AB12" == found.token


@pytest.mark.parametrize("row", ["ab\r12,remove,apns", f'"{"x" * 140_000}",remove,apns'])
def test_csv_that_cannot_be_told_apart_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    """A carriage return alone, or a cell of 140 KB: what follows would be read as anything."""
    path = tmp_path / "dead.csv"
    path.write_text(f"token,token_action,service\nab12,keep,apns\n{row}\n", "utf-8", newline="")
    with pytest.raises(InvalidInput) as caught:
        list(read_words(path))
    (problem,) = caught.value.problems
    assert f"{path}:3" == str(problem.place)
    assert "cannot be read as csv" in problem.message


def test_records_as_csv_are_read(tmp_path: Path) -> None:
    """What send -o csv and bounces tokens -o csv print can be given as it is, and packed."""
    text = (
        "token,service,token_action,time,dead_since,detail\n"
        'AB12,apns,remove,2026-10-02T08:00:00Z,2026-10-01T08:00:00Z,"a, b"\n'
        "dX:1,fcm,remove,2026-10-02T08:00:00Z,,\n"
        "cd34,apns,suspect,2026-10-02T08:00:00Z,,\n"
        "torn,ap"
    )
    path = tmp_path / "dead.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert [("ab12", f"{path}:2"), ("dX:1", f"{path}:3")] == [
        (said.token, said.place) for said in read_words(path)
    ]


def test_stdin_is_read(tmp_path: Path) -> None:
    """A pipe can say whom to leave out."""
    stdin = io.BytesIO(json.dumps(RECORD).encode())
    assert ["-:1"] == [said.place for said in read_words("-", stdin)]


def test_masked_tokens_can_tell_nobody_dead(tmp_path: Path) -> None:
    """A list would be sent to in full, silently: it is refused with the line."""
    path = log(tmp_path, RECORD, {**RECORD, "token": mask("ab12", bytes(32))})
    with pytest.raises(InvalidInput, match="masked") as caught:
        list(read_words(path))
    assert f"{path}:2" == str(caught.value.problems[0].place)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "remove",
        '{"token_action": "remove"',
        '{"token_action": "remove"}',
        '["remove"]',
        '"remove"',
        '{"a": "remove"}',
        json.dumps({**RECORD, "token": None}),
        json.dumps({**RECORD, "service": "huawei"}),
        json.dumps({**RECORD, "service": []}),
        "[" * 100_000 + '"remove"',
        '{"token_action": "remove", "x": "' + "x" * 2**21 + '"}',
        "\0\N{BOM}",
    ],
    ids=range(14),
)
def test_foreign_lines_are_passed_over(tmp_path: Path, line: str) -> None:
    """A log may be torn, shared with others, or written by a later version."""
    path = log(tmp_path, {**RECORD, "token": "aa"}, line, {**RECORD, "token": "bb"})
    assert ["aa", "bb"] == [said.token for said in read_words(path)]


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    """Not even UTF-8 is asked of a foreign line."""
    path = tmp_path / "bounces.jsonl"
    path.write_bytes(b'\xff "remove"\n' + json.dumps(RECORD).encode())
    assert ["ab12"] == [said.token for said in read_words(path)]


def test_a_packed_log_is_read(tmp_path: Path) -> None:
    """Old logs are kept packed."""
    path = tmp_path / "bounces.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(RECORD).encode()))
    assert ["ab12"] == [said.token for said in read_words(path)]


@pytest.mark.parametrize("text", ["token\nab12\n", '{"token": "ab12"}\n', "x"])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    """A token list given by mistake would suppress nobody, silently."""
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="no line of this file is one of a bounce log"):
        list(read_words(path))


def test_an_empty_log_suppresses_nobody(tmp_path: Path) -> None:
    """The first run has nothing to look back to."""
    path = tmp_path / "bounces.jsonl"
    path.touch()
    assert [] == list(read_words(path))


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A typing error must not send to dead tokens."""
    with pytest.raises(InvalidInput, match="there is no file"):
        list(read_words(tmp_path / "bounces.jsonl"))
