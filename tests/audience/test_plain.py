"""Tests of token files with nothing but tokens."""

from __future__ import annotations

import io

import pytest

from pushctl.audience.content import open_content
from pushctl.audience.plain import GivenTokens, PlainSource, open_plain
from pushctl.audience.row import Row
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Platform


def opened(text: str) -> PlainSource:
    """Return *text* as a list that arrives on stdin."""
    return open_plain(open_content("-", stdin=io.BytesIO(text.encode()), compression=None))


def test_each_line_is_a_token() -> None:
    """Blank lines and comments do not count, and neither does white space around a token."""
    source = opened("# devices of the test lab\n\naabb\n  ccdd\t\r\n#eeff\nnull")

    assert [
        Row(3, {"token": "aabb"}, {}),
        Row(4, {"token": "ccdd"}, {}),
        Row(6, {"token": "null"}, {}),
    ] == list(source)
    assert source.rows == 3
    assert "- (3 tokens)" == source.described


def test_a_plain_list_records_no_consent_and_no_attributes() -> None:
    """Who sends to it vouches for it."""
    source = opened("aabb\n")

    assert not source.records_consent
    assert frozenset() == source.attribute_names


@pytest.mark.parametrize("header", ["token,platform", "profile;Token", '"token"\tname', "token"])
def test_a_table_under_the_name_of_a_list_is_refused(header: str) -> None:
    """Its rows would all be malformed tokens."""
    with pytest.raises(InvalidInput, match="a header") as caught:
        opened(f"# export\n{header}\naabb,ios\n")
    (problem,) = caught.value.problems

    assert Place("-", 2, 1) == problem.place
    assert ".csv" in (problem.hint or "")


def test_tokens_of_the_command_line_have_its_platform_and_no_line() -> None:
    """``--platform`` says what they are."""
    source = GivenTokens(["aabb", "ccdd"], Platform.ANDROID)

    assert [
        Row(None, {"token": "aabb", "platform": "android"}, {}),
        Row(None, {"token": "ccdd", "platform": "android"}, {}),
    ] == list(source)
    assert "--token (2 tokens)" == source.described
