"""Finding reasons as people ask for them."""

import pytest

from pushctl.catalog import all_reasons, find


def names(text: str, group: str | None = None) -> list[tuple[str, str, str | None]]:
    """Return service, name and case of what *text* names."""
    tables = find.SERVICE_GROUPS[group] if group else None
    return [(row.service, row.name, row.case) for row in find.by_name(text, tables)]


@pytest.mark.parametrize(
    "text",
    ["BadDeviceToken", "baddevicetoken", "BADDEVICETOKEN", "bad_device_token", " bad device-token"],
)
def test_case_and_separators_do_not_matter(text: str) -> None:
    """A reason is found however a person writes it."""
    assert [("apns", "BadDeviceToken", None)] == names(text)


def test_the_device_api_comes_first() -> None:
    """A reason of several APIs is found in each, that of ordinary sends before the others."""
    assert ["apns", "apns-broadcast", "apns-web"] == [row[0] for row in names("TooManyRequests")]


def test_the_exact_spelling_comes_first() -> None:
    """FCM's UNREGISTERED and APNs' Unregistered are both found, the one that was written first."""
    assert ["fcm", "apns"] == [row[0] for row in names("UNREGISTERED")]
    assert ["apns", "fcm"] == [row[0] for row in names("Unregistered")]


def test_invalid_argument_brings_all_its_meanings() -> None:
    """The name alone gives the general row, the twelve cases and the front end's row."""
    rows = names("invalid_argument")

    assert ("fcm", "INVALID_ARGUMENT", None) == rows[0]
    assert 12 == sum(row[2] is not None for row in rows)
    assert ("google", "INVALID_ARGUMENT", None) == rows[-1]


@pytest.mark.parametrize(
    "text", ["bad_ttl", "INVALID_ARGUMENT/bad_ttl", "INVALID_ARGUMENT:bad_ttl", "Bad-TTL"]
)
def test_a_meaning_is_found_by_its_case(text: str) -> None:
    """One meaning can be asked for by its case, with or without the name before it."""
    assert ("fcm", "INVALID_ARGUMENT", "bad_ttl") == names(text, "fcm")[0]


def test_an_error_word_of_the_token_endpoint_brings_its_cases() -> None:
    """`invalid_grant` means several things, and all are listed."""
    cases = [row[1] for row in names("invalid_grant")]

    assert "bad_signature" in cases
    assert "clock_or_lifetime" in cases
    assert all(row[0] == "oauth" for row in names("invalid_grant"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("messaging/registration-token-not-registered", "UNREGISTERED"),
        ("BadEnvironmentKeyInToken", "BadEnvironmentKeyIdInToken"),
        ("api_key_expired", "API_KEY_* / CREDENTIAL_*"),
        ("CREDENTIALS_MISSING", "CREDENTIALS_MISSING"),
        ("tls_verify_failed", "tls_verify_failed"),
    ],
)
def test_other_spellings_lead_to_the_row(text: str, name: str) -> None:
    """Aliases, members of a group and names of events lead to one row, and to no neighbour."""
    assert name == names(text)[0][1]
    if name != "API_KEY_* / CREDENTIAL_*":
        assert "API_KEY_* / CREDENTIAL_*" not in [row[1] for row in names(text)]


def test_a_service_narrows_the_search() -> None:
    """Only the tables of the service are looked at; FCM's include the front end before it."""
    assert [] == names("BadDeviceToken", "fcm") == names("bad_device_token", "fcm")
    assert [("google", "ACCESS_TOKEN_EXPIRED", None)] == names("access_token_expired", "fcm")
    assert "oauth" == find.group_of("oauth")
    assert "apns" == find.group_of("apns-web")


@pytest.mark.parametrize(
    ("service", "tables"),
    [
        ("apns", {"apns", "apns-broadcast", "apns-web"}),
        ("fcm", {"fcm", "fcm-topics", "google"}),
        ("google", {"google"}),
        ("oauth", {"oauth"}),
        ("pushctl", {"pushctl"}),
    ],
)
def test_a_service_means_all_its_tables(service: str, tables: set[str]) -> None:
    """Who asks for a service means whatever may come in its answers."""
    assert tables == {row.service for row in find.by_words("e", find.SERVICE_GROUPS[service])}


@pytest.mark.parametrize("text", ["", "  ", "--", "NoSuchThing", "API_KEYS"])
def test_nothing_is_found_for_nothing(text: str) -> None:
    """Blank and unknown names find no row."""
    assert [] == names(text)


@pytest.mark.parametrize(
    ("typo", "name"),
    [
        ("BadDevceToken", "BadDeviceToken"),
        ("Unregisterd", "Unregistered"),
        ("INVALID_ARGUMNT", "INVALID_ARGUMENT"),
        ("TooManyReq", "TooManyRequests"),
        ("noconsnet", "NoConsent"),
    ],
)
def test_a_typo_finds_the_nearest_name(typo: str, name: str) -> None:
    """A slip or half a name leads to the reason that was meant."""
    assert name in find.nearest(typo)


def test_nothing_is_near_to_nonsense() -> None:
    """No name is guessed where none is like it."""
    assert [] == find.nearest("qqqqqqqqqq")
    assert ["Unregistered"] == find.nearest("Unregistered", limit=1)


def test_three_letters_are_a_beginning() -> None:
    """Fewer begin too much to be a hint; of many names three are told, of the service's own."""
    assert ["DeviceTokenNotForTopic"] == find.nearest("dev")
    assert [] == find.nearest("de")
    assert 3 == len(find.nearest("invalid"))
    assert ["UNREGISTERED"] == find.nearest("Unregisterd", find.SERVICE_GROUPS["fcm"], limit=1)


# Survives `catalog/find.py`: `"\n".join`: what stands between two texts is in no word.
def test_every_word_must_occur() -> None:
    """A search finds the rows that have all its words, in any case, anywhere in their texts."""
    rows = {row.name for row in find.by_words("KEY environment")}

    assert {"BadEnvironmentKeyIdInToken", "InvalidProviderToken"} <= rows
    assert "PayloadTooLarge" not in rows
    assert [] == find.by_words("")
    assert [] == find.by_words("environment qqqqqqq")
    assert {"apns", "apns-broadcast", "apns-web"} >= {
        row.service for row in find.by_words("topic", find.SERVICE_GROUPS["apns"])
    }


def test_a_status_lists_its_reasons() -> None:
    """All rows of a status are listed, in the order of the tables."""
    assert ["ExpiredToken", "Unregistered", "(410 status)"] == [
        row.name for row in find.by_status(410)
    ]
    assert ["UNREGISTERED", "NOT_FOUND", "(html 404)"] == [
        row.name for row in find.by_status(404, find.SERVICE_GROUPS["fcm"])
    ]


def test_every_row_is_found_by_its_own_name() -> None:
    """No row of the tables is out of reach."""
    for row in all_reasons():
        for name in row.names:
            assert row in find.by_name(row.case or name), (row.service, name)
