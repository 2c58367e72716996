"""The tables as the program sees them."""

import collections
import dataclasses
import subprocess
import sys

import pytest

from pushctl import catalog
from pushctl.catalog import Reason
from pushctl.outcome import SKIP_REASONS, Category, Retryable, TokenAction

NO_ANSWER_REASONS = (
    "NoAnswer",
    "ConnectionLost",
    "NotReached",
    "NotProcessed",
    "CredentialsRefused",
    "Stopped",
    "Interrupted",
)
SERVICES = (
    *("apns", "apns-broadcast", "apns-web", "fcm", "fcm-topics"),
    *("google", "oauth", "pushctl"),
)
SEED_CASES = {
    "bad_token": "Check the format of the registration token you pass to the server.",
    "bad_package": "Make sure the message was addressed to a registration token whose package",
    "too_large": "Check that the total size of the payload data included in a message",
    "bad_data_key": "Check that the payload data does not contain a key (such as from, or gcm",
    "bad_ttl": "Check that the value used in ttl is an integer representing a duration in seconds",
    "bad_json_type": "Check that the provided parameters have the right name and type.",
}


def found(service: str, name: str, **more: str | int) -> Reason:
    """Return a row that must be there."""
    row = catalog.lookup(service, name, **more)  # type: ignore[arg-type]
    assert row is not None
    return row


def test_every_table_is_complete() -> None:
    """Each table has the documented rows and the few that are seen without being documented."""
    counts = collections.Counter(row.service for row in catalog.all_reasons())

    assert {
        "apns": 32 + 3,
        "apns-broadcast": 28 + 1,
        "apns-web": 17,
        "fcm": 8 + 12 + 1,
        "fcm-topics": 8,
        "google": 28,
        "oauth": 17,
        "pushctl": 2 + len(SKIP_REASONS) + len(NO_ANSWER_REASONS) + 9,
    } == counts


def test_the_older_tables_have_28_rows() -> None:
    """17 rows of APNs and 11 of FCM carry older words, six of them for INVALID_ARGUMENT."""
    rows = [row for row in catalog.all_reasons() if row.in_seed]

    assert {"apns": 17, "fcm": 11} == collections.Counter(row.service for row in rows)
    assert all(len(row.seed_descriptions) == 1 for row in rows)
    assert set(SEED_CASES) == {row.case for row in rows if row.name == "INVALID_ARGUMENT"}


@pytest.mark.parametrize(("case", "start"), SEED_CASES.items())
def test_an_older_wording_of_invalid_argument_stands_on_its_case(case: str, start: str) -> None:
    """Each of the six older texts of INVALID_ARGUMENT belongs to the meaning it describes."""
    row = found("fcm", "INVALID_ARGUMENT", case=case)

    assert row.seed_descriptions[0].startswith(start)


def test_a_token_is_removed_on_the_vendors_word_only() -> None:
    """No row but Unregistered, ExpiredToken, UNREGISTERED and a gone web subscription removes."""
    removing = {
        (row.service, row.name)
        for row in catalog.all_reasons()
        if row.token_action is TokenAction.REMOVE
    }
    statuses = {
        (service, status)
        for service in SERVICES
        for status in range(1000)
        if catalog.by_status(service, status).token_action is TokenAction.REMOVE
    }

    assert {
        ("apns", "Unregistered"),
        ("apns", "ExpiredToken"),
        ("apns-web", "(410 status)"),
        ("fcm", "UNREGISTERED"),
    } == removing
    assert {("apns", 410), ("apns-broadcast", 410), ("apns-web", 410)} == statuses


@pytest.mark.parametrize(
    ("service", "name", "action"),
    [
        ("apns", "BadDeviceToken", TokenAction.CHECK_ENVIRONMENT),
        ("apns", "DeviceTokenNotForTopic", TokenAction.SUSPECT),
        ("fcm", "SENDER_ID_MISMATCH", TokenAction.SUSPECT),
        ("google", "NOT_FOUND", TokenAction.KEEP),
        ("fcm", "THIRD_PARTY_AUTH_ERROR", TokenAction.KEEP),
    ],
)
def test_a_doubtful_token_is_listed_apart(service: str, name: str, action: TokenAction) -> None:
    """What may be a fault of ours never calls a token dead."""
    assert action is found(service, name).token_action


@pytest.mark.parametrize(
    ("service", "name", "seconds"),
    [
        ("apns", "InternalServerError", 900),
        ("apns", "Shutdown", 900),
        ("apns", "TooManyRequests", 60),
        ("apns", "TooManyProviderTokenUpdates", 1200),
        ("apns", "IdleTimeout", None),
        ("fcm", "UNAVAILABLE", 10),
        ("fcm", "QUOTA_EXCEEDED", 60),
        ("google", "RATE_LIMIT_EXCEEDED", 60),
        ("google", "(html 502)", 30),
        ("oauth", "server_side", 1),
        ("fcm", "UNREGISTERED", None),
    ],
)
def test_the_least_delay_is_the_vendors(service: str, name: str, seconds: float | None) -> None:
    """A retry without Retry-After waits what the vendor advises, or nothing where none is due."""
    assert seconds == found(service, name).min_wait_s


@pytest.mark.parametrize(
    ("service", "status", "category", "retryable", "seconds"),
    [
        ("apns", 400, Category.REQUEST, Retryable.AFTER_FIX, None),
        ("apns", 403, Category.CREDENTIALS, Retryable.AFTER_FIX, None),
        ("apns", 413, Category.PAYLOAD, Retryable.NO, None),
        ("apns", 429, Category.RATE, Retryable.WITH_BACKOFF, 60),
        ("apns", 599, Category.SERVER, Retryable.WITH_BACKOFF, 900),
        ("apns", 302, Category.SERVER, Retryable.WITH_BACKOFF, 60),
        ("apns-web", 503, Category.SERVER, Retryable.WITH_BACKOFF, 900),
        ("fcm", 401, Category.CREDENTIALS, Retryable.AFTER_FIX, None),
        ("fcm", 404, Category.REQUEST, Retryable.AFTER_FIX, None),
        ("fcm", 425, Category.CONNECTION, Retryable.WITH_BACKOFF, 10),
        ("google", 500, Category.SERVER, Retryable.WITH_BACKOFF, 10),
        ("oauth", 403, Category.CREDENTIALS, Retryable.AFTER_FIX, None),
        ("oauth", 500, Category.SERVER, Retryable.WITH_BACKOFF, 1),
        ("nobody", 0, Category.SERVER, Retryable.WITH_BACKOFF, None),
    ],
)
def test_a_status_alone_is_classified(
    service: str, status: int, category: Category, retryable: Retryable, seconds: float | None
) -> None:
    """Every status of every service has a row, the exact one first, then its hundred."""
    row = catalog.by_status(service, status)

    assert (service, status, f"HTTP {status}") == (row.service, row.status, row.name)
    assert (category, retryable) == (row.category, row.retryable)
    assert seconds == row.min_wait_s


def test_both_spellings_of_the_environment_key_reason_are_one_row() -> None:
    """What Apple documents and what its server sends are found as the same reason."""
    documented = found("apns", "BadEnvironmentKeyIdInToken")

    assert documented is found("apns", "BadEnvironmentKeyInToken")
    assert "BadEnvironmentKeyIdInToken" == documented.name


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("GCP_SUSPENDED", "CONSUMER_SUSPENDED / GCP_SUSPENDED"),
        ("API_KEY_INVALID", "API_KEY_* / CREDENTIAL_*"),
        ("CREDENTIAL_X", "API_KEY_* / CREDENTIAL_*"),
        ("CREDENTIALS_MISSING", "CREDENTIALS_MISSING"),
        ("TLS_CIPHER_RESTRICTION_VIOLATED", found("google", "SECURITY_POLICY_VIOLATED").name),
        ("OUT_OF_RANGE", "FAILED_PRECONDITION / OUT_OF_RANGE"),
    ],
)
def test_a_row_is_found_by_each_of_its_alternatives(name: str, row: str) -> None:
    """A row for a group of reasons is found by every member and by no neighbour."""
    assert row == found("google", name).name


@pytest.mark.parametrize("name", ["ANY", "CAPTCHA", "API_KEY", "API_KEYS_X", "LOCATIONS_X", "TLSX"])
def test_the_beginning_of_a_group_is_its_own_whole(name: str) -> None:
    """What only begins like the members of a group is no member, and keeps its name."""
    assert catalog.lookup("google", name) is None


# Survives `catalog/__init__.py`: `find("google", name, case)`: none of these rows has a case.
def test_fcm_knows_the_reasons_of_the_front_end_before_it() -> None:
    """An answer to a push may carry Google's own reason; FCM's row of the same name wins."""
    assert "google" == found("fcm", "ACCESS_TOKEN_EXPIRED").service
    assert "fcm" == found("fcm", "UNAVAILABLE").service
    assert "google" == found("google", "UNAVAILABLE").service


def test_a_case_that_is_not_in_the_tables_gives_the_general_row() -> None:
    """An undecided INVALID_ARGUMENT is explained by what is common to its meanings."""
    general = found("fcm", "INVALID_ARGUMENT")

    assert general.case is None
    assert general is found("fcm", "INVALID_ARGUMENT", case="undecided")
    assert found("oauth", "policy") is found("oauth", "access_denied", case="undecided")


def test_a_row_of_another_status_is_not_returned() -> None:
    """A reason under a status it is not documented for is not taken at its word."""
    assert catalog.lookup("apns", "Unregistered", status=400) is None
    assert "Unregistered" == found("apns", "Unregistered", status=410).name
    assert "UNSPECIFIED_ERROR" == found("fcm", "UNSPECIFIED_ERROR", status=418).name


def test_a_token_endpoint_case_is_found_with_or_without_its_error() -> None:
    """The case names the row; the error word beside it, which several share, does no harm."""
    row = found("oauth", "bad_signature")

    assert row is found("oauth", "invalid_grant", case="bad_signature")
    assert row is found("oauth", "bad_signature", case="bad_signature")
    assert catalog.lookup("oauth", "invalid_grant") is None


def test_names_are_exact() -> None:
    """A look-up for the program does not guess: case and service count."""
    assert catalog.lookup("apns", "baddevicetoken") is None
    assert catalog.lookup("fcm", "BadDeviceToken") is None


@pytest.mark.parametrize(
    "name", ["MissingToken", "InvalidToken", *SKIP_REASONS, *NO_ANSWER_REASONS]
)
def test_pushctls_own_reasons_are_all_explained(name: str) -> None:
    """Whatever pushctl puts into a record can be looked up."""
    row = catalog.own(name)

    assert ("pushctl", name) == (row.service, row.name)
    assert row.causes
    assert row.what_to_do
    assert (name in SKIP_REASONS) <= (row.category is Category.RULE)


def test_an_unknown_reason_of_our_own_is_a_bug() -> None:
    """Asking for a reason that pushctl does not give raises at once."""
    with pytest.raises(KeyError, match="NoSuchReason"):
        catalog.own("NoSuchReason")


# Survives `catalog/__init__.py`: `if service else None`: no table is called None; this is for the
# type checker.
@pytest.mark.parametrize(
    ("service", "reason", "status", "case", "expected"),
    [
        ("apns", "BadTopic", 400, None, "BadTopic"),
        ("apns", "SomeFutureReason", 400, None, "HTTP 400"),
        ("apns", None, 503, None, "HTTP 503"),
        ("fcm", "INVALID_ARGUMENT", 400, "bad_ttl", "INVALID_ARGUMENT"),
        ("fcm", "NoConsent", None, None, "NoConsent"),
        (None, "MissingToken", None, None, "MissingToken"),
        ("apns", None, None, None, None),
        (None, None, 410, None, None),
    ],
)
def test_a_record_is_led_to_its_row(
    service: str | None,
    reason: str | None,
    status: int | None,
    case: str | None,
    expected: str | None,
) -> None:
    """A record's reason is the service's, ours, or told by its status."""
    row = catalog.of_record(service, reason, status=status, case=case)

    assert expected == (row.name if row is not None else None)
    assert row is None or row.service in (service, "pushctl")
    if case is not None:
        assert case == (row.case if row is not None else None)


def test_every_row_says_where_it_was_read() -> None:
    """No vendor row stands without source, verification and a text."""
    known = catalog.sources()
    for row in catalog.all_reasons():
        assert row.description, row
        assert row.verification, row
        assert row.source, row
        assert row.causes or row.what_to_do, row
        first = row.source.split(";")[0].split(" (")[0].split(" /")[0].strip()
        if row.service in ("apns", "fcm"):
            assert first in known, row
    assert (known["apple-responses"].url or "").startswith("https://developer.apple.com/")


def test_acceptance_is_never_called_delivery() -> None:
    """What an acceptance means says at once what it does not mean."""
    for service in ("apns", "fcm"):
        assert "not proof of delivery" in catalog.accepted(service)


def test_a_row_has_an_example_where_an_answer_carries_it() -> None:
    """The first example of a row is at hand as JSON text; our own reasons have none."""
    assert '{"reason": "BadTopic"}' == found("apns", "BadTopic").example
    assert catalog.own("NoConsent").example is None


def test_looking_up_imports_nothing_heavy() -> None:
    """Reading the tables needs neither a YAML parser nor any library of the sending side."""
    heavy = "{'yaml', 'httpx', 'rich', 'pydantic', 'cryptography', 'google', 'jinja2', 'duckdb'}"
    code = (
        "import sys; from pushctl import catalog; from pushctl.catalog import find; "
        "assert find.by_name('expiredtoken'); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


# Survives `catalog/__init__.py`: `case or ""`: any text that is no case will do; this is for the
# type checker.
# Survives `catalog/__init__.py`: `if own_table is not None else None`: likewise.
def test_a_case_leads_to_a_table_of_its_own() -> None:
    """What answers about channels and about topics mean stands in tables of their own."""
    channel = catalog.lookup("apns", "ChannelNotRegistered", case="broadcast")
    topic = catalog.lookup("fcm", "NOT_FOUND", case="topics")

    assert channel is not None
    assert topic is not None
    assert ("apns-broadcast", "fcm-topics") == (channel.service, topic.service)
    assert Category.RATE is catalog.by_status("fcm-topics", 429).category


def test_what_a_row_does_not_say_is_none() -> None:
    """An empty text would be shown, and an empty column printed; a list of things is empty."""
    for shape in (catalog.Example, catalog.Source, catalog.Reason):
        for field in dataclasses.fields(shape):
            several = str(field.type).startswith("tuple")
            assert field.default in (dataclasses.MISSING, () if several else None), field.name
