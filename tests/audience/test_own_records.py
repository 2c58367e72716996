"""Records that pushctl wrote, read as lists of tokens."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from audience.kit import DEVICES, REGISTRATION, check_same, column
from pushctl.audience import open_audience
from pushctl.errors import InvalidInput
from pushctl.records.record import FIELDS

BASE: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "schema": 1,
    "row": 1,
    "outcome": "accepted",
    "target": "token",
    "service": "apns",
    "platform": "ios",
    "credential": "shop-ios",
}
RECORDS = [
    {**BASE, "token": DEVICES[0], "profile": "+49 171"},
    {**BASE, "token": DEVICES[1], "outcome": "skipped", "reason": "NoConsent"},
    {**BASE, "token": "news", "service": "fcm", "target": "topic"},
    {**BASE, "token": REGISTRATION, "service": "fcm", "outcome": "rejected", "reason": "INTERNAL"},
    {**BASE, "token": None, "outcome": "rejected", "reason": "MissingToken"},
    {**BASE, "token": f"-{REGISTRATION}", "service": "fcm"},
]


def written(folder: Path, form: str) -> Path:
    """Return RECORDS in *folder* as ``send -o`` *form* writes them."""
    path = folder / f"records.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
        return path
    from pushctl.view.outcomes import csv_cell, csv_token

    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        for one in RECORDS:
            cells = [csv_token(one[n]) if n == "token" else csv_cell(one[n]) for n in FIELDS]
            writer.writerow(cells)
    return path


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_who_did_not_consent_stays_left_out(tmp_path: Path, form: str) -> None:
    """Nor is a topic taken for a token; all else is as it was, in whichever way it is read."""
    prepared = check_same(tmp_path, token_files=[written(tmp_path, form)])
    expected = [None, "NoConsent", "InvalidToken", None, "MissingToken", None]
    assert expected == column(prepared, "verdict_reason")
    assert "+49 171" == column(prepared, "profile")[0]
    assert f"-{REGISTRATION}" == column(prepared, "token")[-1]
    assert "stated by the sender" == prepared.consent


@pytest.mark.parametrize("blank", ["", "\n"])
def test_a_bounce_log_as_it_lies_there_is_refused_with_the_pipe_to_use(
    tmp_path: Path, blank: str
) -> None:
    """Its lines of counts are nobody: they would be rejected as missing tokens, and logged."""
    counts = {"schema": 1, "event": "Push counts", "run": "r1", "seq": 1, "accepted": 7}
    path = tmp_path / "bounces.jsonl"
    path.write_text(f"{json.dumps(RECORDS[0])}\n{blank}{json.dumps(counts)}\n")
    with pytest.raises(InvalidInput, match="counts are no recipients") as caught:
        open_audience(token_files=[path])
    assert "bounces list LOG -o jsonl" in str(caught.value.problems[0].hint)


def test_a_list_of_somebody_else_with_such_columns_is_left_alone(tmp_path: Path) -> None:
    """A column called reason or target is an attribute like any other."""
    path = tmp_path / "list.csv"
    path.write_text(f"token,reason,target\n{DEVICES[0]},NoConsent,topic\n{DEVICES[1]},'=x,y\n")
    prepared = check_same(tmp_path, token_files=[path])
    assert [None, None] == column(prepared, "verdict_reason")
