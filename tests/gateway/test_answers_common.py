"""What the readers of all services share."""

import pytest

from pushctl.gateway import answer

DATE = ("date", "Fri, 20 Nov 2026 10:00:00 GMT")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("0", 0),
        ("3600", 3600),
        ("86400", 3600),
        ("9" * 18, 3600),
        ("9" * 400, 3600),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Fri, 20 Nov 2026 10:01:30 GMT", 90),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 0),
        ("Fri, 20 Nov 2099 10:00:00 GMT", 3600),
        ("Fri, 99 Nov 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, expected: float | None) -> None:
    """Seconds or a date give a wait between nothing and an hour; nonsense gives none."""
    assert expected == answer.retry_after_s([DATE, ("retry-after", value)])


def test_a_date_is_measured_against_the_answers_own() -> None:
    """Without a Date field, or with a broken one, a date says nothing: our clock is not asked."""
    until = ("retry-after", "Fri, 20 Nov 2026 10:01:30 GMT")

    assert answer.retry_after_s([until]) is None
    assert answer.retry_after_s([("date", "today"), until]) is None
    assert answer.retry_after_s([DATE]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("42s", 42),
        ("1.500s", 1.5),
        ("0s", 0),
        ("999999999999s", 3600),
        ("-1s", None),
        ("42", None),
        ("s", None),
        (".5s", None),
        ("1.s", None),
        ("0.5s", 0.5),
        ("1.0000000000001s", 1.0000000000001),
        ("9" * 400 + "s", 3600),
        (42, None),
        (None, None),
        ({"seconds": 42}, None),
    ],
)
def test_a_protobuf_duration_is_read(value: object, expected: float | None) -> None:
    """RetryInfo spells its delay in seconds with an s, capped at an hour as the field is."""
    assert expected == answer.proto_duration_s(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (5.0, 5),
        (-(2**63), -(2**63)),
        (2**63, None),
        (5.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("5", None),
    ],
)
def test_only_whole_numbers_are_numbers(value: object, expected: int | None) -> None:
    """Truth values, texts and what does not fit 64 bits are no numbers."""
    assert expected == answer.whole_number(value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", None),
        (b"[]", None),
        (b"null", None),
        (b"{", None),
        (b"\xff{}", None),
        (b' \t\r\n{"a": 1} \t\r\n', {"a": 1}),
        ('\N{NO-BREAK SPACE}{"a": 1}'.encode(), None),
        (b'X{"a": 1}X', None),
        ('{"a": 1}'.encode("utf-16"), None),
        (b'{"a":' * 50_000, None),
    ],
)
def test_a_body_is_an_object_or_nothing(body: bytes, expected: object) -> None:
    """Only a UTF-8 JSON object of reasonable size is read."""
    assert expected == answer.read_object(body)


def test_a_body_is_read_up_to_64_kib() -> None:
    """A body of 65,536 bytes is still an answer, one more is not."""
    whole = b'{"a": 1' + b" " * (65_536 - 8) + b"}"

    assert {"a": 1} == answer.read_object(whole)
    assert answer.read_object(whole + b" ") is None


def test_the_services_words_are_cut_where_they_are_too_many() -> None:
    """What a service says in its own words is kept up to 1,024 characters, the cut shown."""
    assert "x" * 1024 == answer.detail("x" * 1024)
    assert "x" * 1023 + "…" == answer.detail("x" * 1025)


# Survives `gateway/answer.py`: `[: _NAME_LENGTH_MAX + 1]`: by how much more the cut is noticed is
# free.
def test_a_mark_in_a_name_counts_as_a_character() -> None:
    """A name with what cannot be shown is kept up to 128 characters, the cut shown."""
    assert "\ufffd" + "x" * 127 == answer.label("\0" + "x" * 127)
    assert "\ufffd" + "x" * 126 + "…" == answer.label("\0" + "x" * 128)


# Survives `gateway/answer.py`: `body[: _RAW_LENGTH_MAX * 4]`: how much is decoded before the cut is
# a matter of speed: four bytes a character are always enough.
def test_a_bottomless_body_does_no_harm() -> None:
    """Whether this Python's parser can follow it or not, nothing raises."""
    deep = answer.read_object(b'{"a":' * 5_000 + b"1" + b"}" * 5_000)
    assert deep is None or ["a"] == list(deep)
