"""Masked records, and the key that several processes share."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from pushctl.errors import InvalidInput
from pushctl.records.bounce_log import BounceLog
from pushctl.records.masking import KEY_FILE, mask_key, masked
from pushctl.rules.masking import KEY_BYTES, is_masked, mask

KEY = bytes(KEY_BYTES)
FORK = multiprocessing.get_context("fork")


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    """Masks of two runs match because the key is made once; nobody else can read it."""
    state = tmp_path / "state"
    key = mask_key(state)
    assert (KEY_BYTES, key) == (len(key), mask_key(state))
    assert 0o600 == (state / KEY_FILE).stat().st_mode & 0o777
    assert 0o700 == state.stat().st_mode & 0o777
    assert key != mask_key(tmp_path / "another")


def tell_key(state: Path, start: Any, told: Any) -> None:
    """Put the key of *state* into *told*, as soon as all may start."""
    start.wait()
    told.put(mask_key(state))


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    """Of several that make the key one wins, for all."""
    start, told = FORK.Event(), FORK.Queue()
    processes = [FORK.Process(target=tell_key, args=(tmp_path, start, told)) for _ in range(6)]
    for process in processes:
        process.start()
    start.set()
    keys = {told.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(30)
    assert 1 == len(keys)
    assert {KEY_FILE, ".gitignore", "runs"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("text", ["", "zz", "00" * 31])
def test_a_damaged_key_is_refused(tmp_path: Path, text: str) -> None:
    """A new key in its place would make masks that match none of before."""
    (tmp_path / KEY_FILE).write_text(text)
    with pytest.raises(InvalidInput, match="no key for masking"):
        mask_key(tmp_path)


def test_the_token_is_hidden_wherever_it_stands() -> None:
    """Also where the server's text quotes it; what else is known stays."""
    record = {"token": "ab12", "target": "token", "detail": "no such device: ab12", "row": 7}
    hidden = mask("ab12", KEY)
    assert {
        "token": hidden,
        "target": "token",
        "detail": f"no such device: {hidden}",
        "row": 7,
    } == masked(record, KEY)


@pytest.mark.parametrize(
    "record",
    [{"token": None}, {"token": ""}, {"token": "news", "target": "topic"}, {"totals": {}}],
)
def test_what_names_nobody_stays(record: dict[str, Any]) -> None:
    """A topic is no token, and a line of counts has none."""
    assert record == masked(record, KEY)


def test_a_log_masks_what_it_is_given_in_either_form(tmp_path: Path) -> None:
    """Lines that come as text are masked like those that come as records."""
    log = BounceLog(tmp_path / "bounces.jsonl", mask_key=KEY)
    log.add({"token": "ab12"})
    log.add_text('{"token":"AB12"}')
    log.flush()
    log.close()
    first, second = log.path.read_text().splitlines()
    assert first == second
    assert is_masked(first.split('"')[3])
