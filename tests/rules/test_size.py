"""Tests of sizes as people write them."""

import pytest

from pushctl.rules.size import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        ("2GiB", 2**31),
        ("64k", 64_000),
        ("3Ki", 3072),
        ("7b", 7),
        ("0", 0),
    ],
)
def test_a_size_is_read_in_either_kind_of_unit(text: str, size: int) -> None:
    """KB is a thousand bytes, KiB 1,024, as the standards have it."""
    assert size == parse_size(text)


@pytest.mark.parametrize("text", ["", "MB", "-1", "1.5GB", "1TB", "1 0", "ten", "1" * 13])
def test_what_is_no_size_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert parse_size(text) is None
