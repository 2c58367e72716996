"""Tests of reading a prepared audience: from any row on, and only if it is whole."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audience.kit import DEVICES, REGISTRATION, column, file_with, prepared_in, rows_of
from pushctl.audience import open_audience
from pushctl.audience.prepare import COLUMNS, Prepared
from pushctl.errors import InvalidInput
from pushctl.outcome import Platform, Service


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """60 rows of two files: every seventh is bad, the last a duplicate.  To be left as it is."""
    folder = tmp_path_factory.mktemp("whole")
    tokens = [f"{number:064x}" for number in range(60)]
    rows = [f"{token}," if number % 7 else '"bad ",x' for number, token in enumerate(tokens[:50])]
    one = file_with(folder / "one.csv", "\n".join(["token,first_name", *rows]))
    two = file_with(folder / "two.txt", "\n".join([*tokens[50:59], tokens[1]]))
    return prepared_in(folder, open_audience(token_files=[one, two]))


@pytest.fixture
def prepared(whole: Prepared, tmp_path: Path) -> Prepared:
    """The same in a folder of its own."""
    shutil.copytree(whole.folder, tmp_path / "run")
    return Prepared.open(tmp_path / "run")


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
@pytest.mark.parametrize("after", [0, 1, 7, 49, 50, 59, 60, 61])
def test_rows_are_read_in_batches_from_any_row_on(whole: Prepared, size: int, after: int) -> None:
    """What is read does not depend on how, and a run goes on where it stopped."""
    everything = rows_of(whole)
    assert list(range(1, 61)) == [row[0] for row in everything]
    batches = list(whole.batches(size, after=after))
    assert everything[after:] == [row for batch in batches for row in batch]
    assert all(size == len(batch) for batch in batches[:-1])


def test_a_reader_may_stop_where_it_likes(prepared: Prepared) -> None:
    """The files are closed then, and can be read again."""
    batches = prepared.batches(10)
    first = next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert first == next(prepared.batches(10))


@pytest.mark.parametrize("is_on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(prepared: Prepared, is_on: bool) -> None:
    """It is held up while a batch is built, and nobody is to notice."""
    was_on = gc.isenabled()
    try:
        gc.enable() if is_on else gc.disable()
        for _ in prepared.batches(10):
            assert gc.isenabled() is is_on
    finally:
        gc.enable() if was_on else gc.disable()


def test_a_tuple_becomes_a_recipient(prepared: Prepared) -> None:
    """For whoever wants names and types."""
    recipient = prepared.recipient(rows_of(prepared)[1])
    assert (Service.APNS, Platform.IOS) == (recipient.service, recipient.platform)
    assert (2, {}, None) == (recipient.row, recipient.attributes, recipient.verdict)


def test_columns_that_never_vary_are_right_where_they_do(tmp_path: Path) -> None:
    """A row that took a closer look has its own service, whatever all others have."""
    path = file_with(
        tmp_path / "list.csv",
        f'token,service,note\n{DEVICES[0]},,\n{DEVICES[1]},,\n{REGISTRATION},,"a\nb"\nbad!,,\n',
    )
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]))
    assert "apns" == prepared.constants["service"]
    assert ["apns", "apns", "fcm", None] == column(prepared, "service")


def test_one_row_is_an_audience(tmp_path: Path) -> None:
    """Every column but the token may be the same throughout."""
    prepared = prepared_in(tmp_path, open_audience(tokens=[DEVICES[0]]))
    expected = (1, "--token", DEVICES[0], "apns", "ios", *[None] * 9)
    assert [expected] == rows_of(prepared)
    assert len(COLUMNS) == len(expected)


def test_what_was_prepared_is_opened_as_it_was(prepared: Prepared) -> None:
    """Facts and tallies come back from the folder alone."""
    opened = Prepared.open(prepared.folder)
    assert prepared == opened
    assert prepared.tallies() == opened.tallies()
    assert rows_of(prepared) == rows_of(opened)


def cut(path: Path) -> None:
    """Cut the file at *path* in half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    """Write over the middle of the file at *path*."""
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : -len(data) // 4] = b"\xff" * len(data[len(data) // 4 : -len(data) // 4])
    path.write_bytes(bytes(data))


def edited(**facts: object) -> Callable[[Path], None]:
    """Return what puts *facts* into the JSON file at a path."""

    def edit(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_bytes()) | facts))

    return edit


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("audience.json", Path.unlink),
        ("audience.json", cut),
        ("audience.json", edited(total=61)),
        ("audience.json", edited(total="many")),
        ("audience.json", edited(row_files=2)),
        ("audience.json", edited(sendable=None)),
        ("audience.json", lambda path: path.write_text("[]")),
        ("audience.parquet", Path.unlink),
        ("audience.parquet", cut),
        ("audience.parquet", lambda path: path.write_bytes(b"")),
        ("rows-0.parquet", Path.unlink),
        ("verdicts-0.parquet", cut),
    ],
)
def test_what_is_damaged_is_refused_when_it_is_opened(
    prepared: Prepared, name: str, damage: Callable[[Path], object]
) -> None:
    """A run goes on with the whole audience or not at all."""
    damage(prepared.folder / name)
    with pytest.raises(InvalidInput, match="missing or damaged") as caught:
        Prepared.open(prepared.folder)
    (problem,) = caught.value.problems
    assert "start a new run from the original list" == problem.hint


def test_damage_inside_is_found_when_it_is_read(prepared: Prepared) -> None:
    """It is one clear error even then."""
    scribble(prepared.folder / "audience.parquet")
    with pytest.raises(InvalidInput, match="missing or damaged"):
        rows_of(prepared)


def test_another_version_is_told_apart_from_damage(prepared: Prepared) -> None:
    """Whoever has an old run needs the old program."""
    edited(schema=0)(prepared.folder / "audience.json")
    with pytest.raises(InvalidInput, match="another version of pushctl"):
        Prepared.open(prepared.folder)
