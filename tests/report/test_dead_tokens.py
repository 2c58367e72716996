"""Tests of which tokens a log calls dead, and which it only casts a doubt on."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.audience.audience import Audience, open_audience, open_lists
from pushctl.audience.prepare import prepare
from pushctl.audience.prepared import Prepared
from pushctl.errors import InvalidInput
from pushctl.outcome import Service
from pushctl.records.record import FIELDS
from pushctl.report.dead_tokens import (
    DEAD_FIELDS,
    SUSPECT_FIELDS,
    Found,
    dead,
    evidence,
    judge,
    registered_files,
    suspects,
    why,
)
from pushctl.report.files import find_logs
from pushctl.report.logs import open_logs
from pushctl.report.values import Filter
from pushctl.rules.masking import mask

DEVICES = [f"{number:064x}" for number in range(1, 6)]
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"
DIED = "2026-10-01T08:00:00.000Z"


def bounce(token: str | None, row: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a "Bounced push" line: APNs, 410, unless *fields* say otherwise."""
    return {
        **dict.fromkeys(FIELDS),
        "schema": 1,
        "row": row,
        "source": f"list.csv:{row}",
        "event": "Bounced push",
        "outcome": "rejected",
        "time": "2026-10-02T08:00:00.000Z",
        "run": "r1",
        "service": "apns",
        "credential": "shop-ios",
        "environment": "production",
        "topic": "com.acme.shop",
        "token": token,
        "target": "token",
        "status": 410,
        "reason": "Unregistered",
        "token_action": "remove",
        "dead_since": DIED,
        **fields,
    }


def doubt(token: str, row: int, **fields: Any) -> dict[str, Any]:
    """Return a line with BadDeviceToken."""
    values = {"status": 400, "reason": "BadDeviceToken", "token_action": "check-environment"}
    return bounce(token, row, dead_since=None, **{**values, **fields})


def counts(run: str, accepted: int, seq: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a "Push counts" line."""
    return {
        "schema": 1,
        "event": "Push counts",
        "run": run,
        "service": "apns",
        "credential": "shop-ios",
        "environment": "production",
        "topic": "com.acme.shop",
        "hour": "2026-10-02T08",
        "seq": seq,
        "accepted": accepted,
        "rejected": 0,
        **fields,
    }


def write(folder: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    """Return a log in *folder* that holds *lines*."""
    path = folder / "bounces.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def registered_in(folder: Path, rows: Sequence[tuple[str, str]]) -> Prepared:
    """Return a list of tokens and when they were registered, prepared."""
    path = folder / "registered.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("token", "registered_at"), *rows])
    place = folder / "prepared"
    place.mkdir()
    sources = open_lists([path]).sources
    return prepare(Audience(sources, fallback=None, keep_duplicates=True), place)


def judged(
    log: Path, chosen: Filter | None = None, registered: Prepared | None = None
) -> tuple[Found, list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return what is found in *log*: the counts, the dead, the suspects."""
    chosen = chosen or Filter()
    in_reach = [] if registered is None else registered_files(registered)
    with open_logs(find_logs([str(log)], log), in_reach=in_reach) as logs:
        found = judge(logs, chosen, registered)
        return found, [*dead(logs)], [*suspects(logs, chosen)]


def tokens_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the tokens of *rows*."""
    return [row["token"] for row in rows]


def test_dead_is_what_a_service_called_dead(tmp_path: Path) -> None:
    """APNs 410 and FCM UNREGISTERED, once a token however often and in whatever case."""
    log = write(
        tmp_path,
        [
            bounce(DEVICES[0].upper(), profile="anna"),
            bounce(DEVICES[0], run="r2", time="2026-10-03T08:00:00.000Z"),
            bounce(REGISTRATION, 2, service="fcm", status=404, dead_since=None),
            doubt(DEVICES[1], 3),
            bounce(DEVICES[2], 4, token_action="keep", status=413, dead_since=None),
            bounce(None, 5, reason="MissingToken", token_action="keep", dead_since=None),
            bounce("news", 6, target="topic", service="fcm"),
        ],
    )
    found, rows, _ = judged(log)
    assert {Service.APNS: 1, Service.FCM: 1} == found.dead
    assert [REGISTRATION, DEVICES[0]] == tokens_of(rows)
    assert DEAD_FIELDS == tuple(rows[1])
    assert {
        "profile": "anna",
        "bounces": 2,
        "run": "r2",
        "first_time": "2026-10-02T08:00:00.000Z",
        "time": "2026-10-03T08:00:00.000Z",
        "dead_since": DIED,
        "token_action": "remove",
        "event": "Dead token",
    }.items() <= rows[1].items()


def test_a_registration_saves_a_token_and_a_doubtful_one_makes_it_suspect(tmp_path: Path) -> None:
    """Later than its death: alive.  Unreadable: suspect.  The mildest row of the list counts."""
    log = write(tmp_path, [bounce(token, row) for row, token in enumerate(DEVICES, 1)])
    registered = registered_in(
        tmp_path,
        [
            (DEVICES[0].upper(), "2026-10-01T08:00:01Z"),
            (DEVICES[1], "2026-10-01T08:00:00Z"),
            (DEVICES[2], "last week"),
            (DEVICES[3], "2020-01-01"),
            (DEVICES[3], "2026-11-01"),
        ],
    )
    found, rows, doubted = judged(log, registered=registered)
    assert {DEVICES[1], DEVICES[4]} == set(tokens_of(rows))
    assert [DEVICES[2]] == tokens_of(doubted)
    assert (2, 1) == (found.alive, found.doubtful)
    assert "suspect" == doubted[0]["token_action"]


def test_the_last_word_of_the_log_counts(tmp_path: Path) -> None:
    """A 410 that was overruled because the app had registered again takes back the one before."""
    later = {"time": "2026-10-05T08:00:00.000Z", "run": "r2"}
    log = write(
        tmp_path,
        [
            bounce(DEVICES[0]),
            bounce(DEVICES[0], token_action="keep", **later),
            bounce(DEVICES[1], 2, token_action="keep"),
            bounce(DEVICES[1], 2, **later),
        ],
    )
    assert [DEVICES[1]] == tokens_of(judged(log)[1])


def test_a_filter_chooses_tokens_and_not_what_is_known_of_them(tmp_path: Path) -> None:
    """A token that bounced in a campaign is judged by all its lines, also those of others."""
    overruled = {"token_action": "keep", "time": "2026-11-02T08:00:00.000Z", "run": "r2"}
    log = write(
        tmp_path,
        [
            bounce(DEVICES[0], campaign="spring"),
            bounce(DEVICES[0], campaign="autumn", **overruled),
            bounce(DEVICES[1], 2, campaign="spring"),
            bounce(DEVICES[2], 3, campaign="autumn"),
        ],
    )
    found, rows, _ = judged(log, Filter(campaigns=("spring",)))
    assert [DEVICES[1]] == tokens_of(rows)
    assert (1, 1) == (found.dead.total(), found.alive)


def test_suspects_come_with_why_and_with_evidence(tmp_path: Path) -> None:
    """Days, runs, and who was accepted beside them with the same credential and environment."""
    next_day = {"time": "2026-10-03T08:00:00.000Z", "run": "r2"}
    log = write(
        tmp_path,
        [
            doubt(DEVICES[0], 1),
            doubt(DEVICES[0], 1, **next_day),
            doubt(DEVICES[1], 2, environment="sandbox"),
            bounce("12", 3, token_action="suspect", reason="InvalidToken", dead_since=None),
            bounce(DEVICES[2], 4),
            doubt(DEVICES[2], 4, run="r2"),
            counts("r1", 1200),
            counts("r1", -200, seq=2),
            counts("r2", 40),
            counts("r2", 7, seq=2, environment="sandbox"),
        ],
    )
    _, dead_rows, rows = judged(log)
    by_token = {row["token"]: row for row in rows}
    assert [DEVICES[2]] == tokens_of(dead_rows)
    assert {DEVICES[0], DEVICES[1], "12"} == set(by_token)
    first = by_token[DEVICES[0]]
    assert SUSPECT_FIELDS == tuple(first)
    assert (2, 2, 2, 1040) == tuple(
        first[name] for name in ("bounces", "days", "runs", "accepted_beside")
    )
    assert "rejected on 2 days; 1,040 others were accepted beside it" in first["evidence"]
    assert "check-environment" == first["token_action"]
    assert 0 == by_token[DEVICES[1]]["accepted_beside"]
    assert "nobody was accepted beside it" in by_token[DEVICES[1]]["evidence"]
    assert "never sent" in by_token["12"]["evidence"]


def test_masked_tokens_cannot_be_called_dead(tmp_path: Path) -> None:
    """A DELETE by them would delete nothing and look as if it had."""
    log = write(tmp_path, [bounce(mask(DEVICES[0], bytes(32)))])
    with pytest.raises(InvalidInput, match="masked"):
        judged(log)


@pytest.mark.parametrize(
    "reason",
    [
        "BadDeviceToken",
        "DeviceTokenNotForTopic",
        "SENDER_ID_MISMATCH",
        "INVALID_ARGUMENT/bad_token",
    ],
)
def test_each_doubt_has_its_own_reason(reason: str) -> None:
    """Why a token is only suspect is said in the words of its reason."""
    assert "cannot be read" not in why(reason)


def test_one_other_is_one() -> None:
    """The sentence of the evidence agrees with its number."""
    assert "1 other was accepted" in evidence(["BadDeviceToken"], days=1, accepted_beside=1)


MOMENTS = st.sampled_from(
    [None, "2026-10-01", "2026-10-01T08:00:00Z", "2026-10-02T08:00:00.500Z", "soon", ""]
)
TARGETS = {DEVICES[0]: "apns", DEVICES[1]: "apns", REGISTRATION: "fcm"}
LINES = st.lists(
    st.builds(
        lambda token, row, **fields: bounce(
            token, row, service="fcm" if token == REGISTRATION else "apns", **fields
        ),
        st.sampled_from([*TARGETS, DEVICES[0].upper()]),
        st.integers(1, 50),
        token_action=st.sampled_from(["remove", "keep", "suspect", "check-environment"]),
        time=MOMENTS.filter(bool),
        dead_since=MOMENTS,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda line: line["row"],
)


@given(lines=LINES, registered=st.lists(MOMENTS, min_size=3, max_size=3))
@settings(deadline=None, max_examples=20)
def test_what_is_deleted_is_what_a_send_leaves_out(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[dict[str, Any]],
    registered: list[str | None],
) -> None:
    """``bounces tokens --registered LIST`` and ``send --suppress LOG --tokens LIST`` agree."""
    folder = tmp_path_factory.mktemp("agree")
    log = write(folder, lines)
    rows = [(token, at or "") for token, at in zip(TARGETS, registered, strict=True)]
    _, dead_rows, _ = judged(log, registered=registered_in(folder, rows))

    place = folder / "send"
    place.mkdir()
    audience = open_audience(token_files=[folder / "registered.csv"])
    sent = prepare(audience, place, suppress=[log])
    left_out = [row[2] for batch in sent.batches(9) for row in batch if row[12] == "Suppressed"]
    assert sorted(left_out) == sorted(tokens_of(dead_rows))
