"""Tests of preparing an audience: order, duplicates, suppression, segments, and bad days."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from audience.kit import (
    DEVICES,
    INSTALLATION,
    REGISTRATION,
    check_same,
    column,
    file_with,
    prepared_in,
    recipients,
    rows_of,
)
from pushctl.audience import Verdict, counting, marking, open_audience, workspace
from pushctl.audience import prepare as preparing
from pushctl.audience.engine import Engine
from pushctl.audience.prepare import COLUMNS, prepare
from pushctl.errors import InvalidInput, StorageError
from pushctl.outcome import Kind


def tokens(rows: int) -> list[str]:
    """Return that many different device tokens."""
    return [f"{number:064x}" for number in range(1, rows + 1)]


def csv_file(path: Path, header: str, rows: Sequence[str]) -> Path:
    """Return *path*, now a csv file with *header* and *rows*."""
    return file_with(path, "\n".join([header, *rows]) + "\n")


def bounce_log(path: Path, *dead: tuple[str, str, str | None]) -> Path:
    """Return *path*, now a log that marks tokens for removal: service, token, dead since."""
    lines = [
        json.dumps(
            {
                "event": "Bounced push",
                "time": "2026-10-05T00:00:00Z",
                "service": service,
                "token": token,
                "token_action": "remove",
                "dead_since": since,
            }
        )
        for service, token, since in dead
    ]
    return file_with(path, "\n".join(lines) + "\n")


# -- every row, in order --------------------------------------------------------------------------


def test_a_row_is_the_tuple_that_is_documented(tmp_path: Path) -> None:
    """Its fields are those of a recipient, as plain text."""
    path = csv_file(
        tmp_path / "list.csv",
        "token,service,platform,profile,credential,environment,topic,registered_at,first_name",
        [f"{DEVICES[0]},apns,iOS,anna,shop,Sandbox,com.acme,2026-10-01,Zoë", "x,,,,,,,,"],
    )
    first, second = rows_of(prepared_in(tmp_path, open_audience(token_files=[path])))
    assert (
        *(1, f"{path}:2", DEVICES[0], "apns", "ios", "anna", "shop", "sandbox", "com.acme"),
        *("2026-10-01", '{"first_name":"Zoë"}', None, None, None),
    ) == first
    assert (2, f"{path}:3", "x") == second[:3]
    assert ("rejected", "InvalidToken") == second[11:13]
    assert len(COLUMNS) == len(first)


def test_a_long_file_that_needs_a_parser_keeps_its_order(tmp_path: Path) -> None:
    """Rows that are taken apart from the others come back to where they stood."""
    rows = [f'{token},"a ""quote"""' for token in tokens(3_000)]
    rows[1_234] = f'{DEVICES[3]},"a\nbreak"'
    rows[2_345] = "ragged"
    rows[2_999] = " spaced ,x"
    path = csv_file(tmp_path / "list.csv", "token,text", rows)
    prepared = check_same(tmp_path, token_files=[path], keep_duplicates=True)
    assert 3_000 == prepared.total
    assert list(range(1, 3_001)) == column(prepared, "row")


@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.txt", "list.jsonl"])
def test_a_long_plain_file_keeps_its_order(tmp_path: Path, name: str) -> None:
    """Row groups and batches of the engine end anywhere; rows do not care."""
    form = {"list.txt": "{}", "list.jsonl": '{{"token": "{}"}}'}.get(name, "{}")
    header = [] if name in ("list.txt", "list.jsonl") else ["token"]
    everybody = tokens(50_000)
    path = file_with(tmp_path / name, "\n".join([*header, *map(form.format, everybody)]))
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]))
    assert everybody == column(prepared, "token")
    expected = [f"{path}:{line}" for line in range(1 + len(header), 50_001 + len(header))]
    assert expected == column(prepared, "source")


def test_all_kinds_of_sources_follow_each_other(tmp_path: Path) -> None:
    """Rows are numbered through, in the order of the files, whatever each of them is."""
    people = file_with(
        tmp_path / "people.yaml",
        f"profiles: [{{id: anna, consent: true, attributes: {{n: 1}}, "
        f"tokens: [{{token: '{DEVICES[0]}'}}, {{token: '{REGISTRATION}'}}]}}, {{id: bo}}]",
    )
    lines = file_with(
        tmp_path / "more.jsonl",
        json.dumps({"id": "zoe", "consent": True, "tokens": [{"token": DEVICES[1]}] * 2})
        + "\n"
        + json.dumps({"id": "odd", "consent": True, "tokens": [{"token": DEVICES[2], "a": 1}]}),
    )
    packed = tmp_path / "list.csv.gz"
    packed.write_bytes(gzip.compress(f"token,city\n{DEVICES[3]},Bonn\n\n{DEVICES[0]},\n".encode()))
    plain = file_with(tmp_path / "list.txt", f"{INSTALLATION}\n# comment\n{DEVICES[4]}\n")
    objects = file_with(tmp_path / "list.jsonl", f'{{"token": "{DEVICES[5]}", "n": [1]}}\n7\n')
    prepared = check_same(
        tmp_path,
        tokens=[DEVICES[6]],
        profile_files=[people, lines],
        token_files=[packed, plain, objects],
    )
    assert 13 == prepared.total
    assert "mixed" == prepared.consent
    assert {"n", "city"} == prepared.attribute_names


def test_an_argument_that_is_no_text_is_stored_as_one(tmp_path: Path) -> None:
    """The shell hands bytes over that are not UTF-8; the row is told, with a mark instead."""
    prepared = prepared_in(tmp_path, open_audience(tokens=["\udcffab"]))
    assert ["?ab"] == column(prepared, "token")
    assert ["InvalidToken"] == column(prepared, "verdict_reason")


def test_what_is_not_asked_of_a_row_is_not_its_fault(tmp_path: Path) -> None:
    """Firebase installation ids, which are whole lists today, are as plain as tokens."""
    rows = [f"cW{number:020}" for number in range(100)]
    path = csv_file(tmp_path / "list.csv", "token", rows)
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]))
    assert 0 == prepared.row_files
    assert {("fcm", None, None, None): 100} == prepared.tallies().sendable


@pytest.mark.parametrize(
    "name", ["a*b.csv", "we[i]rd.csv", "qu'o\"te.csv", "s3:x.csv", "x=1.csv", "?.txt", "é ü.csv"]
)
def test_names_are_no_patterns(tmp_path: Path, name: str) -> None:
    """A file is the one that is named, in whatever folder, and not one that is alike."""
    folder = tmp_path / name.replace(".csv", "")
    folder.mkdir()
    file_with(folder / "other.csv", f"token\n{DEVICES[8]}\n")
    text = f"{DEVICES[0]}\n" if name.endswith(".txt") else f"token\n{DEVICES[0]}\n"
    path = file_with(folder / name, text)
    prepared = prepared_in(folder, open_audience(token_files=[path]))
    assert [DEVICES[0]] == column(prepared, "token")


def test_relative_names_are_read_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source says the name as it was given."""
    file_with(tmp_path / "list.csv", f"token\n{DEVICES[0]}\n")
    monkeypatch.chdir(tmp_path)
    prepared = prepared_in(Path("."), open_audience(token_files=[Path("list.csv")]))
    assert ["list.csv:2"] == column(prepared, "source")


# -- duplicates -----------------------------------------------------------------------------------


def test_the_first_of_a_service_and_token_wins(tmp_path: Path) -> None:
    """Case does not tell device tokens apart; whoever is not sent to does not count."""
    path = csv_file(
        tmp_path / "list.csv",
        "token,service,consent",
        [
            f"{DEVICES[0]},,false",
            f"{DEVICES[0]},,true",
            f"{DEVICES[1]},,true",
            f"{'AB' * 32},,true",
            f"{'ab' * 32},,true",
            f"{DEVICES[0]},,true",
            "abcdefabcdef,fcm,true",
            "abcdefabcdef,apns,true",
        ],
    )
    prepared = check_same(tmp_path, token_files=[path])
    expected = ["NoConsent", None, None, None, "Duplicate", "Duplicate", None, None]
    assert expected == column(prepared, "verdict_reason")
    assert f"first at row 4 ({path}:5)" == column(prepared, "verdict_detail")[4]


@pytest.mark.parametrize("keys_at_once", [0, 250_000])
def test_duplicates_are_found_across_sources_and_passes(
    keys_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows and keys are compared at a time, and however many files verdicts take."""
    monkeypatch.setattr(marking, "ROWS_A_PASS", 7)
    monkeypatch.setattr(marking, "_KEYS_AT_ONCE", keys_at_once)
    monkeypatch.setattr(workspace, "ROWS_A_PASS", 7)
    monkeypatch.setattr(preparing, "_ROWS_A_FILE", 10)
    few = tokens(40)
    one = csv_file(tmp_path / "one.csv", "token,n", [f"{each},1" for each in few])
    two = csv_file(tmp_path / "two.csv", "token", [few[3], *few[20:], "bad", few[3].upper()])
    prepared = check_same(tmp_path, tokens=[few[5]], token_files=[one, two])
    assert prepared.verdict_files > 1
    assert 23 == prepared.tallies().verdicts["skipped", "Duplicate"]
    assert "first at row 1 (--token)" in column(prepared, "verdict_detail")


def test_duplicates_are_kept_if_asked(tmp_path: Path) -> None:
    """``--keep-duplicates`` sends to a token as often as it stands there."""
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0]] * 3)
    prepared = check_same(tmp_path, token_files=[path], keep_duplicates=True)
    assert [None] * 3 == column(prepared, "verdict_reason")


def test_tokens_that_share_a_key_are_no_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key finds candidates; only the token itself tells."""
    monkeypatch.setattr(workspace, "key", lambda token: f"length({token})::UBIGINT")
    monkeypatch.setattr("pushctl.audience.judging.key", lambda token: f"length({token})::UBIGINT")
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0], DEVICES[1], DEVICES[0]])
    prepared = check_same(tmp_path, token_files=[path])
    assert [None, None, "Duplicate"] == column(prepared, "verdict_reason")


# -- suppression ----------------------------------------------------------------------------------


def test_dead_tokens_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By service and token, whatever its case; the detail says since when and who says so."""
    monkeypatch.setattr(marking, "_WORDS_A_PASS", 1)
    log = bounce_log(
        tmp_path / "bounces.jsonl",
        ("apns", DEVICES[0].upper(), "2026-10-01T00:00:00Z"),
        ("fcm", REGISTRATION, None),
        ("fcm", DEVICES[2], None),
    )
    path = csv_file(
        tmp_path / "list.csv",
        "token",
        [DEVICES[0], DEVICES[0], REGISTRATION, DEVICES[1], DEVICES[2]],
    )
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]), suppress=[log])
    expected = ["Suppressed", "Suppressed", "Suppressed", None, None]
    assert expected == column(prepared, "verdict_reason")
    assert [
        f"dead since 2026-10-01T00:00:00Z ({log}:1)",
        f"dead since 2026-10-01T00:00:00Z ({log}:1)",
        f"found dead at 2026-10-05T00:00:00Z ({log}:2)",
        None,
        None,
    ] == column(prepared, "verdict_detail")
    assert {("skipped", "Suppressed"): 3} == prepared.tallies().verdicts
    assert {("apns", None, None, None): 2} == prepared.tallies().sendable


def test_a_token_registered_after_its_death_is_sent_to(tmp_path: Path) -> None:
    """Unless a later line of any log says that it died again."""
    early = bounce_log(
        tmp_path / "early.jsonl",
        ("apns", DEVICES[0], "2026-10-01T00:00:00Z"),
        ("apns", DEVICES[1], "2026-10-01T00:00:00Z"),
        ("apns", DEVICES[2], "2026-10-01T00:00:00Z"),
    )
    late = bounce_log(
        tmp_path / "late.jsonl",
        ("apns", DEVICES[1], "2026-10-04T00:00:00Z"),
        ("apns", DEVICES[1], "2026-09-01T00:00:00Z"),
        ("apns", DEVICES[2], None),
    )
    rows = [f"{token},2026-10-02T00:00:00Z" for token in DEVICES[:3]]
    path = csv_file(tmp_path / "list.csv", "token,registered_at", rows)
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]), suppress=[early, late])
    assert [None, "Suppressed", "Suppressed"] == column(prepared, "verdict_reason")


def test_a_row_that_took_a_closer_look_is_suppressed_too(tmp_path: Path) -> None:
    """And a duplicate of it is no duplicate of a row that was sent to."""
    log = bounce_log(tmp_path / "bounces.jsonl", ("apns", DEVICES[0], None))
    rows = [f'{DEVICES[0]},"a\nb"', f'{DEVICES[1]},"a\nb"', f'{DEVICES[1]},"c\nd"']
    path = csv_file(tmp_path / "list.csv", "token,note", rows)
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]), suppress=[log])
    assert ["Suppressed", None, "Duplicate"] == column(prepared, "verdict_reason")
    assert {"note": "a\nb"} == recipients(prepared)[1].attributes
    assert {"apns": {"note"}} == prepared.tallies().attributes


# -- segments -------------------------------------------------------------------------------------


def test_a_segment_leaves_out_whom_it_is_not_true_of(tmp_path: Path) -> None:
    """It is asked after consent and the token, and before duplicates are looked for."""
    path = csv_file(
        tmp_path / "list.csv",
        "token,orders,consent",
        [
            f"{DEVICES[0]},3,true",
            f"{DEVICES[0]},12,true",
            f"{DEVICES[0]},13,true",
            f"{DEVICES[1]},3,false",
            "bad!,3,true",
            ",3,true",
            f"{DEVICES[2]},many,true",
            f'{DEVICES[3]},"9 ",true',
            f'{DEVICES[4]},"1\n",true',
        ],
    )
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]), where="orders > 5")
    assert [
        *("NotInSegment", None, "Duplicate", "NoConsent", "InvalidToken", "MissingToken"),
        *("NotInSegment", None, "NotInSegment"),
    ] == column(prepared, "verdict_reason")
    assert 2 == prepared.tallies().sendable["apns", None, None, None]
    assert 3 == prepared.tallies().verdicts["skipped", "NotInSegment"]


def test_a_segment_sees_json_as_json(tmp_path: Path) -> None:
    """Numbers, truth and nested attributes of profiles and JSON lines."""
    lines = [
        {"token": DEVICES[0], "orders": 12, "vip": True},
        {"token": DEVICES[1], "orders": 3, "vip": True},
        {"token": DEVICES[2], "orders": "12", "vip": "true", "x": {"y": 1}},
    ]
    path = file_with(tmp_path / "list.jsonl", "\n".join(map(json.dumps, lines)))
    audience = open_audience(token_files=[path])
    prepared = prepared_in(tmp_path, audience, where="vip AND orders > 5")
    assert [None, "NotInSegment", None] == column(prepared, "verdict_reason")
    prepared = prepared_in(tmp_path, audience, where="x.y = 1")
    assert ["NotInSegment", "NotInSegment", None] == column(prepared, "verdict_reason")


def test_a_segment_that_is_none_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is judged before the list is read."""
    folder = tmp_path / "run"
    folder.mkdir()
    path = csv_file(tmp_path / "list.csv", "token,orders", [f"{DEVICES[0]},1"])
    with pytest.raises(InvalidInput, match="no recipient has the attribute `ordrs`"):
        prepare(open_audience(token_files=[path]), folder, where="ordrs > 1")
    assert [] == list(folder.iterdir())


# -- tallies --------------------------------------------------------------------------------------


def test_attributes_are_looked_for_beyond_the_first_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the last of a service has, is there to fill a placeholder."""
    monkeypatch.setattr(counting, "_SAMPLE_ROWS", 1)
    rows = [f"{DEVICES[0]},a,,", f"{REGISTRATION},,b,", f"{DEVICES[1]},,c,", f"{DEVICES[1]},,,d"]
    path = csv_file(tmp_path / "list.csv", "token,one,two,three", rows)
    prepared = check_same(tmp_path, token_files=[path])
    assert {"apns": {"one", "two"}, "fcm": {"two"}} == prepared.tallies().attributes


def test_wishes_are_counted_one_by_one(tmp_path: Path) -> None:
    """Each combination of service, credential, environment and topic, as rows state them."""
    rows = [
        f"{DEVICES[0]},shop,,",
        f"{DEVICES[1]},shop,SANDBOX,",
        f"{DEVICES[2]},shop,sandbox,",
        f"{DEVICES[3]},,,com.acme",
        f"{DEVICES[3]},,,com.acme",
    ]
    path = csv_file(tmp_path / "list.csv", "token,credential,environment,topic", rows)
    assert {
        ("apns", "shop", None, None): 1,
        ("apns", "shop", "sandbox", None): 2,
        ("apns", None, None, "com.acme"): 1,
    } == check_same(tmp_path, token_files=[path]).tallies().sendable


# -- bad days -------------------------------------------------------------------------------------


def test_nobody_else_can_read_what_is_left_behind(tmp_path: Path) -> None:
    """Tokens are personal data: files are 0600, and what was spilt is gone."""
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0], DEVICES[0], "bad"])
    before = os.umask(0)
    try:
        prepared = prepared_in(tmp_path, open_audience(token_files=[path]))
        assert 0 == os.umask(0)
    finally:
        os.umask(before)
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in prepared.folder.iterdir()}
    assert {
        "audience.json": 0o600,
        "audience.parquet": 0o600,
        "rows-0.parquet": 0o600,
        "verdicts-0.parquet": 0o600,
    } == files


@pytest.mark.parametrize("name", ["list.csv", "list.txt", "list.jsonl", "list.csv.gz"])
def test_a_file_that_changed_since_it_was_checked_is_refused(tmp_path: Path, name: str) -> None:
    """What was found sound is what must be sent; nothing is left of what was begun."""
    text = {"list.txt": DEVICES[0], "list.jsonl": f'{{"token": "{DEVICES[0]}"}}'}
    data = text.get(name, f"token\n{DEVICES[0]}\n").encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    audience = open_audience(token_files=[path])
    path.write_bytes(path.read_bytes() + b"\n")
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(InvalidInput, match="changed since it was checked"):
        prepare(audience, folder)
    assert [] == list(folder.iterdir())


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again when it was read."""
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0]])
    audience = open_audience(token_files=[path])
    write_table = preparing._write_table

    def grow(*arguments: Any) -> None:
        write_table(*arguments)
        file_with(path, f"token\n{DEVICES[1]}\n")

    monkeypatch.setattr(preparing, "_write_table", grow)
    with pytest.raises(InvalidInput, match="changed since it was checked"):
        prepared_in(tmp_path, audience)


@pytest.mark.parametrize("rows", [[], [DEVICES[0]] * 3, ["a,b", "c,d"]])
def test_rows_that_come_or_go_unseen_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    """However the file came by other rows, their number is checked in the end."""
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0], DEVICES[1]])
    audience = open_audience(token_files=[path])
    csv_file(path, "token", rows)
    monkeypatch.setattr("pushctl.audience.content._identity", lambda file: ())
    monkeypatch.setattr(audience.sources[0].content, "_identity", ())  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match="changed since it was checked"):
        prepared_in(tmp_path, audience)


def test_progress_is_told_and_ends_at_the_total(tmp_path: Path) -> None:
    """Whoever waits sees how far it is."""
    path = csv_file(tmp_path / "list.csv", "token", tokens(5_000))
    seen: list[int] = []
    prepared_in(tmp_path, open_audience(token_files=[path]), on_progress=seen.append)
    assert 5_000 == seen[-1]
    assert sorted(seen) == seen


def test_whoever_interrupts_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while DuckDB works ends its work; the folder is as before."""
    monkeypatch.setattr("pushctl.audience.engine._POLL_S", 0.0)
    path = csv_file(tmp_path / "list.csv", "token", tokens(20_000))
    folder = tmp_path / "run"
    folder.mkdir()

    def interrupt(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(open_audience(token_files=[path]), folder, on_progress=interrupt)
    assert [] == list(folder.iterdir())


def test_ctrl_c_is_ctrl_c_while_the_engine_works(tmp_path: Path) -> None:
    """The engine catches the signal; whoever pressed the keys wants to see it obeyed."""
    sums = "SELECT sum(a.i * b.i) FROM range(100000) a(i), range(1000000) b(i)"
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    with Engine() as engine:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            engine.all(sums)
    timer.join()


def test_a_full_disk_is_no_riddle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 74 and what to do, and nothing is left to fill the disk further."""

    def full(*_: Any) -> None:
        raise duckdb.IOException("Could not write: No space left on device")

    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0]])
    audience = open_audience(token_files=[path])
    folder = tmp_path / "run"
    folder.mkdir()
    run = Engine.run

    def failing(self: Engine, sql: str, *arguments: Any) -> None:
        if sql.startswith("COPY"):
            sql = "SELECT error('No space left on device')"
        run(self, sql, *arguments)

    monkeypatch.setattr(Engine, "run", failing)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        prepare(audience, folder)
    assert "free some space, or set state_dir" in str(caught.value.problems[0].hint)
    assert [] == list(folder.iterdir())


def test_too_little_memory_is_said_so(tmp_path: Path) -> None:
    """An error of the engine is never a traceback."""
    path = csv_file(tmp_path / "list.csv", "token", tokens(1_000))
    with pytest.raises(StorageError, match="cannot prepare the audience"):
        prepared_in(tmp_path, open_audience(token_files=[path]), memory_limit="1MB")


def test_a_copy_that_finds_no_room_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copies of files that need a parser are written by us."""
    path = csv_file(tmp_path / "list.csv", "token,n", [f'{DEVICES[0]},"a""b"'])
    audience = open_audience(token_files=[path])
    open_file = Path.open

    def full(self: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if "x" in mode:
            return open("/dev/full", "w")
        return open_file(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match="cannot write"):
        prepared_in(tmp_path, audience)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """The run's folder is made by others."""
    path = csv_file(tmp_path / "list.csv", "token", [DEVICES[0]])
    with pytest.raises(StorageError, match="cannot make"):
        prepare(open_audience(token_files=[path]), tmp_path / "missing")


def test_the_engine_reaches_nothing_but_what_it_was_given(tmp_path: Path) -> None:
    """Not a file, not a setting, not an extension: a segment could not if it got this far."""
    secret = file_with(tmp_path / "secret.txt", "x")
    with Engine() as engine:
        for sql in (
            f"SELECT * FROM read_text('{secret}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'new'}'",
            f"ATTACH '{tmp_path / 'db'}'",
            "SET enable_external_access = true",
            "SET memory_limit = '1GB'",
            "INSTALL httpfs",
        ):
            with pytest.raises((duckdb.Error, StorageError)):
                engine.all(sql)
    assert [secret] == list(tmp_path.iterdir())


def test_the_engine_is_loaded_only_when_it_is_needed() -> None:
    """Importing the room, as every command does, must stay cheap."""
    script = "import sys, pushctl.audience.prepare; print('duckdb' in sys.modules)"
    command = [sys.executable, "-c", script]
    assert "False\n" == subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_verdict_found_later_keeps_the_rest_of_the_row(tmp_path: Path) -> None:
    """Who a duplicate belongs to is of interest too."""
    rows = [f"{DEVICES[0]},anna", f"{DEVICES[0]},bruno"]
    path = csv_file(tmp_path / "list.csv", "token,profile", rows)
    _, second = recipients(prepared_in(tmp_path, open_audience(token_files=[path])))
    assert ("bruno", DEVICES[0], f"{path}:3") == (second.profile, second.token, second.source)
    detail = f"first at row 1 ({path}:2)"
    assert Verdict(Kind.SKIPPED, "Duplicate", detail) == second.verdict
