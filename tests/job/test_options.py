"""From the options of ``send`` to an order."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from job.kit import ios_credential, settings
from pushctl.errors import InvalidInput, UsageError
from pushctl.job.options import SendOptions, checked_fail_on, make_order
from pushctl.job.send import Order
from pushctl.outcome import Service

TOKEN = "aa" * 32
NOW = 1_795_168_800.25


def order(stdin: bytes | None = None, **options: Any) -> Order:
    """Return the order of *options*, to one token where they name nobody."""
    given = {"tokens": [TOKEN], "texts": {"title": "Hello"}, **options}
    stream = None if stdin is None else io.BytesIO(stdin)
    return make_order(SendOptions(**given), settings(ios_credential()), stream, NOW)


def test_the_defaults_are_those_of_the_contract() -> None:
    """Without options: 5 minutes of retries, 30 s for an answer, a canary of 50, faulty>8%."""
    made = order()

    delivery = made.delivery
    assert (300.0, 30.0, 50, "keep") == (
        delivery.policy.retry_for_s,
        delivery.timeout_s,
        delivery.policy.canary,
        delivery.policy.on_unknown,
    )
    assert "faulty>8%" == str(made.stop_if)
    assert (None, None, None, False) == (
        delivery.rate,
        delivery.concurrency,
        delivery.max_duration_s,
        delivery.validate_only,
    )
    assert Path("bounces.jsonl") == made.bounce_log
    assert (None, None, None, ()) == (made.campaign, made.run, made.where, made.targets)


def test_every_option_of_the_delivery_is_taken() -> None:
    """The options of the delivery arrive in seconds, numbers and words."""
    made = order(
        retry_for="2m",
        timeout="45",
        max_duration="1h",
        rate=12.5,
        concurrency=3,
        connections=2,
        canary=0,
        on_unknown="resend",
        stop_if="unknown>100",
        campaign="spring",
        run="r1",
        bounce_log=Path("other.jsonl"),
    )

    delivery = made.delivery
    assert (120.0, 45.0, 3600.0, 12.5, 3, 2) == (
        delivery.policy.retry_for_s,
        delivery.timeout_s,
        delivery.max_duration_s,
        delivery.rate,
        delivery.concurrency,
        delivery.connections,
    )
    assert (0, "resend") == (delivery.policy.canary, delivery.policy.on_unknown)
    assert ("unknown>100", "spring", "r1") == (str(made.stop_if), made.campaign, made.run)
    assert Path("other.jsonl") == made.bounce_log


def test_never_turns_the_threshold_off() -> None:
    """--stop-if never leaves no condition."""
    assert order(stop_if="never").stop_if is None


def test_no_retry_at_all_can_be_asked_for() -> None:
    """--retry-for 0 is no time, and not the default."""
    assert 0.0 == order(retry_for="0").delivery.policy.retry_for_s


def test_topics_go_before_conditions() -> None:
    """FCM's other targets keep their order: topics, then conditions."""
    condition = "'a' in topics"
    made = order(tokens=[], fcm_topics=["news", "sport"], fcm_conditions=[condition])

    assert made.audience is None
    assert [("topic", "news"), ("topic", "sport"), ("condition", condition)] == list(made.targets)


def test_all_bad_topics_come_at_once() -> None:
    """Each topic and condition that cannot be right is a problem of one error."""
    with pytest.raises(UsageError) as caught:
        order(fcm_topics=["a b", "good", ""], fcm_conditions=["news"])

    assert ["--fcm-topic", "--fcm-topic", "--fcm-condition"] == [
        problem.message.partition(":")[0] for problem in caught.value.problems
    ]


def test_a_payload_without_a_service_is_for_both(tmp_path: Path) -> None:
    """--payload FILE is one file for whichever service the audience needs."""
    file = tmp_path / "p.json"
    file.write_text('{"aps": {"alert": "Hello"}}')

    made = order(texts={}, payloads=[str(file)])

    assert set(Service) == set(made.messages.message.payloads or ())


@pytest.mark.parametrize("twice", [["apns={}", "apns={}"], ["{}", "{}"], ["{}", "fcm={}"]])
def test_a_payload_given_twice_for_a_service_is_refused(tmp_path: Path, twice: list[str]) -> None:
    """Two payloads for one service contradict each other."""
    file = tmp_path / "p.json"
    file.write_text("{}")

    with pytest.raises(UsageError, match="twice for one service"):
        order(texts={}, payloads=[text.format(file) for text in twice])


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    """Only `apns=` and `fcm=` are services: any other text before a sign belongs to the path."""
    file = tmp_path / "a=b.json"
    file.write_text('{"aps": {"alert": "Hello"}}')

    made = order(texts={}, payloads=[str(file)])

    assert made.messages.message.payloads


def test_stdin_is_read_where_a_dash_stands() -> None:
    """`-` takes the stream that was passed in."""
    made = order(stdin=f"{TOKEN}\n".encode(), tokens=[], token_files=["-"], format="txt")

    assert made.audience is not None
    assert 1 == made.audience.total


def test_the_command_line_is_judged_before_any_file(tmp_path: Path) -> None:
    """A usage error comes first: exit 2 goes before exit 3."""
    with pytest.raises(UsageError):
        order(token_files=[tmp_path / "missing.csv"], stop_if="nonsense")
    with pytest.raises(InvalidInput):
        order(token_files=[tmp_path / "missing.csv"])


@pytest.mark.parametrize("word", ["bounced", "faulty", "never"])
def test_fail_on_knows_three_words(word: str) -> None:
    """--fail-on is one of three words; bounced is the default."""
    assert word == checked_fail_on(word)
    assert "bounced" == checked_fail_on(None)
    with pytest.raises(UsageError):
        checked_fail_on(word + "s")
