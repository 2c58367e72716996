"""The catalog's example answers are understood as the rows they stand for."""

import json
from typing import Any

import pytest

from pushctl import catalog
from pushctl.catalog import Example, Reason
from pushctl.gateway import apns, fcm, oauth
from pushctl.gateway.recognise import recognise
from pushctl.outcome import Outcome


def examples(*services: str) -> list[Any]:
    """Return the rows of *services* with each of their examples."""
    return [
        pytest.param(row, example, id=f"{row.service}-{row.name}-{row.case}-{number}")
        for row in catalog.all_reasons()
        if row.service in services
        for number, example in enumerate(row.examples)
    ]


@pytest.mark.parametrize(("row", "example"), examples("apns"))
def test_an_apns_example_gives_its_row(row: Reason, example: Example) -> None:
    """The example of an APNs row is read as that reason."""
    outcome = apns.read_answer(row.status or 0, (), example.body.encode())

    assert row is catalog.lookup("apns", outcome.reason or "", status=row.status)
    assert (row.category, row.retryable, row.token_action, row.description) == (
        outcome.category,
        outcome.retryable,
        outcome.token_action,
        outcome.description,
    )


@pytest.mark.parametrize(("row", "example"), examples("fcm", "google"))
def test_a_google_example_gives_its_row(row: Reason, example: Example) -> None:
    """The example of an FCM or front-end row is read as that reason, or as undecidable."""
    body = example.body.encode()
    status = json.loads(body)["error"]["code"]
    outcome = fcm.read_answer(status, (), body)
    service = "fcm" if outcome.case is not None else row.service
    found = catalog.lookup(service, outcome.reason or "", case=outcome.case)

    if outcome.case == fcm.UNDECIDED:
        assert row.case in fcm.UNDECIDED_CASES or row.service == "google"
    else:
        assert row is found
        assert (row.category, row.retryable) == (outcome.category, outcome.retryable)


@pytest.mark.parametrize(("row", "example"), examples("oauth"))
def test_a_token_endpoint_example_gives_its_row(row: Reason, example: Example) -> None:
    """The example of a token endpoint row is read as that case."""
    outcome = oauth.read_answer(row.status or 0, (), example.body.encode())

    assert isinstance(outcome, Outcome)
    assert row.name == outcome.case
    assert row.description == outcome.description


@pytest.mark.parametrize(("row", "example"), examples("apns-broadcast", "apns-web"))
def test_an_example_of_apples_other_services_is_recognised(row: Reason, example: Example) -> None:
    """The body alone leads to a row of that name, of the device API where it has the reason."""
    (found,) = recognise(example.body)

    assert row.name in found.rows[0].names + found.rows[0].aliases


def test_nearly_every_vendor_row_has_an_example() -> None:
    """Only reasons that no JSON answer carries are without an example."""
    without = {
        row.name for row in catalog.all_reasons() if row.service != "pushctl" and not row.examples
    }

    assert {
        "Maximum active streams violated for this endpoint",
        "BadProviderToken",
        "BadDate",
        "(410 status)",
        "UNSPECIFIED_ERROR",
        "INVALID_ARGUMENT",
        "messaging/too-many-topics",
        "(html 404)",
        "(html 502)",
    } == without
