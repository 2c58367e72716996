"""From rows to groups of requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.gateway.topics import MAX_BATCH, Action
from pushctl.manage import groups as module
from pushctl.manage.groups import Row, groups, judge
from pushctl.outcome import Kind

FID = "cabcdefghijklmnopqrstu"


def row(number: int, token: str | None = "a:b", **more: Any) -> Row:
    """Return row *number* of an audience."""
    return (
        number,
        "list.csv:1",
        token,
        more.get("service", "fcm"),
        "android",
        None,
        more.get("credential"),
        None,
        None,
        None,
        None,
        more.get("kind"),
        more.get("reason"),
        more.get("detail"),
    )


ROWS = st.lists(
    st.builds(
        lambda token, service, kind: (token, service, *kind),
        st.sampled_from(["a:b", FID]),
        st.sampled_from(["fcm", "fcm", "apns"]),
        st.sampled_from([(None, None), (None, None), ("skipped", "NoConsent")]),
    ),
    max_size=60,
)


@given(
    ROWS,
    st.sampled_from(list(Action)),
    st.booleans(),
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(1, 30),
)
def test_every_row_is_in_one_group_and_no_group_too_large(
    given_rows: list[tuple[str, str, str | None, str | None]],
    action: Action,
    batches: bool,
    most_batched: int,
    most_singles: int,
    most_rows: int,
) -> None:
    """All rows come out once and in order, decided, in the batch or singly; limits are kept."""
    rows = [
        row(number, token, service=service, kind=kind, reason=reason)
        for number, (token, service, kind, reason) in enumerate(given_rows, 1)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_BATCH", most_batched)
        patch.setattr(module, "MAX_SINGLES", most_singles)
        patch.setattr(module, "MAX_ROWS", most_rows)
        found = list(groups(iter(rows), action, credential="shop", batches=batches))

    assert rows == [one for group in found for one in group.rows]
    for group in found:
        assert group.rows
        assert len(group.batch) <= most_batched
        assert len(group.singles) <= most_singles
        assert len(group.rows) <= most_rows
        asked = [one[0] for one in (*group.batch, *group.singles)]
        assert sorted([*asked, *group.decided]) == [one[0] for one in group.rows]
        assert FID not in {one[2] for one in group.batch}
        assert batches or not group.batch


def test_a_full_batch_has_a_thousand() -> None:
    """2,500 tokens are three batches."""
    rows = (row(number) for number in range(1, 2501))

    assert [MAX_BATCH, MAX_BATCH, 500] == [
        len(group.batch) for group in groups(rows, Action.SUBSCRIBE, credential="shop")
    ]


@pytest.mark.parametrize(
    ("given_row", "subscribing", "unsubscribing"),
    [
        (row(1), None, None),
        (row(1, kind="skipped", reason="NoConsent"), "NoConsent", None),
        (row(1, None, kind="skipped", reason="NoConsent"), "NoConsent", "MissingToken"),
        (row(1, "a b", kind="skipped", reason="NoConsent"), "NoConsent", "InvalidToken"),
        (
            row(1, "ab" * 32, service="apns", kind="skipped", reason="NoConsent"),
            "NoConsent",
            "NoCredential",
        ),
        (row(1, kind="skipped", reason="Duplicate"), "Duplicate", "Duplicate"),
        (row(1, None, kind="rejected", reason="MissingToken"), "MissingToken", "MissingToken"),
        (row(1, "ab" * 32, service="apns"), "NoCredential", "NoCredential"),
        (row(1, credential="shop"), None, None),
        (row(1, credential="other"), "NoCredential", "NoCredential"),
    ],
)
def test_who_is_asked_about(
    given_row: Row, subscribing: str | None, unsubscribing: str | None
) -> None:
    """Consent is needed to subscribe and not to unsubscribe; all else holds for both."""
    for action, expected in (
        (Action.SUBSCRIBE, subscribing),
        (Action.UNSUBSCRIBE, unsubscribing),
    ):
        outcome = judge(given_row, action, "shop")

        assert expected == (None if outcome is None else outcome.reason)
        if outcome is not None:
            assert outcome.kind in (Kind.SKIPPED, Kind.REJECTED)
            assert outcome.description
