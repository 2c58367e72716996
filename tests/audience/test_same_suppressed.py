"""What the database leaves out is what the rule calls dead, whatever logs and lists hold."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience.kit import DEVICES, REGISTRATION, column, prepared_in
from pushctl.audience import open_audience
from pushctl.outcome import Service
from pushctl.rules.dead_tokens import Standing, last_word, standing, word_of

MOMENTS = st.sampled_from(
    [None, "2026-10-01", "2026-10-01T08:00:00Z", "2026-10-02T08:00:00.500Z", "soon", ""]
)
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "token": st.sampled_from([*DEVICES[:2], DEVICES[0].upper(), REGISTRATION]),
            "token_action": st.sampled_from(["remove", "keep", "suspect", "check-environment"]),
            "time": MOMENTS,
            "dead_since": MOMENTS,
        }
    ),
    max_size=6,
)
TARGETS = {DEVICES[0]: Service.APNS, DEVICES[1]: Service.APNS, REGISTRATION: Service.FCM}


@given(lines=LINES, registered=st.lists(MOMENTS, min_size=3, max_size=3))
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25
)
def test_send_leaves_out_what_the_rule_calls_dead(
    tmp_path: Path, lines: list[dict[str, str | None]], registered: list[str | None]
) -> None:
    """Each token of a list against the words of a log on it, in a run and by the rule alone."""
    log, path = tmp_path / "log.jsonl", tmp_path / "list.csv"
    records = [
        {"event": "Bounced push", "service": service_of(line["token"]), **line} for line in lines
    ]
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["token", "registered_at"])
        writer.writerows(zip(TARGETS, registered, strict=True))

    prepared = prepared_in(tmp_path, open_audience(token_files=[path]), suppress=[log])

    expected = []
    for (token, service), registered_at in zip(TARGETS.items(), registered, strict=True):
        words = [
            word
            for line in lines
            if str(line["token"]).lower() == token.lower()
            and (word := word_of(line["token_action"], line["time"], line["dead_since"]))
        ]
        dead = words and standing(service, last_word(words), [registered_at]) is Standing.DEAD
        expected.append("Suppressed" if dead else None)
    assert expected == column(prepared, "verdict_reason")


def service_of(token: str | None) -> str:
    """Return the service whose token that is."""
    return "fcm" if token == REGISTRATION else "apns"
