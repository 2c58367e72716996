"""Explanations as text, JSON and Markdown."""

import json

import pytest

from pushctl import catalog
from pushctl.catalog import Reason, find
from pushctl.catalog.finding import Finding
from pushctl.errors import ExitCode
from pushctl.outcome import Kind, TokenAction
from pushctl.view import explain as view

PLAIN = view.Style()
HEADINGS = [
    "What it means",
    "Who can fix it",
    "Why it happens",
    "What to do",
    "Retry?",
    "Is the token still good?",
    "Example response",
]


def row(service: str, name: str, case: str | None = None) -> Reason:
    """Return a row that must be there."""
    found = catalog.lookup(service, name, case=case)
    assert found is not None
    return found


def text_of(*reasons: Reason) -> str:
    """Return the pages of *reasons* as they stand in a pipe."""
    return view.as_text(view.pages_of(reasons), PLAIN)


def test_a_page_has_all_headings_in_order() -> None:
    """A vendor's reason is explained under the seven headings, in their order."""
    lines = text_of(row("apns", "BadDeviceToken")).splitlines()

    assert HEADINGS == [line for line in lines if line in HEADINGS]
    assert "BadDeviceToken" == lines[0]
    assert "APNs · HTTP 400 · token" == lines[1]


@pytest.mark.parametrize(
    "reason", catalog.all_reasons(), ids=lambda reason: f"{reason.service}-{reason.name}"
)
def test_every_row_has_a_page_in_the_vendors_words(reason: Reason) -> None:
    """Every row can be shown, its texts word for word on one line, and without an empty heading."""
    page = view.page_of(reason)
    text = view.as_text([page], PLAIN)

    for words in (
        reason.description,
        *reason.seed_descriptions,
        *reason.causes,
        *reason.what_to_do,
    ):
        assert any(words in line for line in text.splitlines())
    assert all(s.paragraphs or s.bullets or s.terms or s.code for s in page.sections)
    assert {"What it means", "Who can fix it", "Retry?", "Is the token still good?"} <= {
        section.heading for section in page.sections
    }


def test_the_older_wording_stands_beside_the_current_one() -> None:
    """Where the vendor has reworded a text, both are shown; the same text is not shown twice."""
    reworded = text_of(row("apns", "BadDeviceToken"))
    unchanged = text_of(row("apns", "BadTopic"))

    assert "  The specified device token is invalid. Verify" in reworded
    assert "  In the older table: The specified device token was bad. Verify" in reworded
    assert "older table" not in unchanged
    assert 1 == unchanged.count("The apns-topic value is invalid.")


def test_the_meanings_of_invalid_argument_are_listed_on_one_page() -> None:
    """The general page lists the twelve meanings, and they get no pages of their own beside it."""
    pages = view.pages_of(find.by_name("INVALID_ARGUMENT"))

    assert {"INVALID_ARGUMENT"} == {page.title for page in pages}
    assert ["FCM", "FCM topic subscriptions", "Google API front end"] == [
        page.facts.split(" · ")[0] for page in pages
    ]
    (meanings,) = [section for section in pages[0].sections if section.terms]
    assert 12 == len(meanings.terms)


def test_one_meaning_has_a_page_of_its_own() -> None:
    """Asked for by its case, a meaning is explained in full."""
    (page,) = view.pages_of(find.by_name("bad_ttl"))

    assert "INVALID_ARGUMENT (bad_ttl)" == page.title


@pytest.mark.parametrize(
    ("service", "name", "words"),
    [
        ("apns", "InternalServerError", "Wait for Retry-After, without it at least 15 minutes."),
        ("fcm", "QUOTA_EXCEEDED", "at least 60 seconds."),
        ("oauth", "server_side", "at least 1 second."),
        ("apns", "TooManyProviderTokenUpdates", "Yes, once the cause is corrected."),
        ("apns", "BadDeviceToken", "No. The same push to the same token cannot succeed."),
        ("apns", "Forbidden", "Apple says: do not retry."),
        ("pushctl", "NoConsent", "No. It is left out on purpose."),
        ("apns", "Unregistered", "No. Remove it, unless the app registered it again"),
        ("apns", "DeviceTokenNotForTopic", "pushctl never exports it as dead."),
        ("apns", "BadTopic", "This says nothing against it: keep it."),
        ("apns-broadcast", "ChannelNotRegistered", "The channel is gone: remove it."),
        ("oauth", "bad_signature", "No token is involved."),
        ("apns", "InvalidProviderToken", "in the Apple developer account. Everything sent with"),
        ("fcm", "THIRD_PARTY_AUTH_ERROR", "Whoever manages the service account"),
        ("pushctl", "CredentialsRefused", "Whoever manages the credentials named in pushctl.yaml."),
        ("apns", "Shutdown", "Apple; we can only wait."),
        ("fcm", "INTERNAL", "Google; we can only wait."),
        ("pushctl", "non_json_error_body", "The service; we can only wait."),
        ("apns", "BadDeviceToken", "Handling notification responses from APNs https://developer"),
        ("fcm", "UNREGISTERED", "For all these cases, remove this registration token"),
        ("fcm", "THIRD_PARTY_AUTH_ERROR", "Also spelt: APNS_AUTH_ERROR"),
        ("google", "(html 404)", "fb-migrate (legacy shut down from 2024-07-22)"),
        ("google", "ACCESS_TOKEN_EXPIRED", "error_reason.proto"),
    ],
)
def test_a_page_answers_the_question(service: str, name: str, words: str) -> None:
    """Who, when again, and what of the token is said in plain words."""
    text = text_of(row(service, name))

    if name == "(html 404)":
        words = "Migrate from legacy FCM APIs to HTTP v1 (legacy shut down from 2024-07-22)"
    assert words in text


def test_a_terminal_gets_wrapped_and_bold_text() -> None:
    """With a width no line is longer; with colour the headings are bold; the words are the same."""
    pages = view.pages_of([row("apns", "BadDeviceToken")])
    wrapped = view.as_text(pages, view.Style(60))
    bold = view.as_text(pages, view.Style(color=True))

    prose = wrapped[: wrapped.index("Read at")]
    assert max(len(line) for line in prose.splitlines()) <= 60
    assert "".join(view.as_text(pages, PLAIN).split()) == "".join(wrapped.split())
    assert "\x1b[1mWhat it means\x1b[0m" in bold
    assert "\x1b" not in view.as_text(pages, PLAIN)


def test_a_table_is_one_line_a_row() -> None:
    """The table names reason, service, status, retry and token, and gives the whole meaning."""
    rows = [row("fcm", "INVALID_ARGUMENT", "bad_ttl"), row("oauth", "bad_signature")]
    rows.append(row("pushctl", "NoAnswer"))
    lines = view.table(rows, PLAIN).splitlines()

    assert ["REASON", "SERVICE", "STATUS", "RETRY", "TOKEN", "MEANING"] == lines[0].split()
    assert ["INVALID_ARGUMENT/bad_ttl", "fcm", "400", "yes-after-fix", "keep"] == lines[1].split()[
        :5
    ]
    assert lines[1].endswith(rows[0].description)
    assert ["bad_signature", "oauth", "400", "yes-after-fix", "-"] == lines[2].split()[:5]
    assert ["NoAnswer", "pushctl", "-"] == lines[3].split()[:3]


def test_a_table_is_cut_to_the_terminal() -> None:
    """On a terminal no line is wider than it, long names included."""
    rows = catalog.all_reasons()
    lines = view.table(rows, view.Style(120)).splitlines()

    assert 1 + len(rows) == len(lines)
    assert max(len(line) for line in lines) <= 120
    assert any(line.endswith("…") for line in lines)


def test_json_has_every_key_always() -> None:
    """A program finds the same keys on every row, and the vendor's text unchanged."""
    objects = [view.reason_object(reason) for reason in catalog.all_reasons()]
    read = json.loads(view.as_json(objects))

    assert 1 == len({tuple(sorted(entry)) for entry in read})
    assert [reason.description for reason in catalog.all_reasons()] == [
        entry["description"] for entry in read
    ]
    assert {"reason"} == {entry["kind"] for entry in read}
    assert 28 == sum(entry["in_seed"] for entry in read)
    assert "status" == view.reason_object(catalog.by_status("apns", 410))["kind"]


def test_markdown_shows_words_and_not_markup() -> None:
    """Stars and angle brackets of a text are shown as they are; a table cell keeps its bars."""
    page = view.as_markdown([view.page_of(row("apns", "BadPath"))])
    table = view.markdown_table([row("google", "API_KEY_INVALID"), row("apns", "BadPath")])

    assert page.startswith("## BadPath\n\nAPNs · HTTP 404 · request\n\n### What it means\n\n")
    assert "/3/device/&lt;token>" in page
    assert '```json\n{\n  "reason": "BadPath"\n}\n```' in page
    assert "| API_KEY_\\* / CREDENTIAL_\\* | google | 400 |" in table
    assert all(line.count(" | ") == 5 for line in table.splitlines()[2:])


def test_markdown_lists_meanings() -> None:
    """The meanings of INVALID_ARGUMENT are a list in a list."""
    text = view.as_markdown(view.pages_of(find.by_name("INVALID_ARGUMENT")))

    assert "- **bad_ttl (token: keep, retry: yes-after-fix)**\n  - Invalid TTL: Check" in text


@pytest.mark.parametrize("code", ExitCode)
def test_an_exit_code_has_a_page(code: ExitCode) -> None:
    """Every exit code is explained; a resumable one names the command that goes on."""
    text = view.as_text([view.exit_code_page(code)], PLAIN)

    assert code.meaning[1:] in text
    assert ("resumable" in code.meaning) == ("pushctl runs resume" in text)
    assert {"kind": "exit-code", "code": int(code), "meaning": code.meaning} == (
        view.exit_code_object(code)
    )


def test_a_status_is_explained_for_each_service() -> None:
    """A bare status says for every service what it means, with the vendor's text for it."""
    rows = [catalog.by_status("apns", 413), catalog.by_status("fcm", 413)]
    text = view.as_text([view.status_page(413, rows)], PLAIN)

    assert "  APNs\n    Payload too large.\n" in text
    assert "The notification payload was too large." in text
    assert "  FCM\n    HTTP body too large" in text


def test_an_acceptance_is_explained() -> None:
    """Accepted never reads as delivered."""
    text = view.as_text([view.accepted_page(["apns"], None)], PLAIN)

    assert "not proof of delivery" in text
    assert "an outcome" in text
    assert {"apns", "fcm"} == set(view.accepted_object(["apns", "fcm"])["meanings"])


def test_an_answer_is_introduced_by_what_it_says() -> None:
    """Reason, evidence, server's text and time of death of the answer at hand come first."""
    finding = Finding(
        service="fcm",
        status=400,
        kind=Kind.REJECTED,
        reason="INVALID_ARGUMENT",
        case="bad_ttl",
        evidence='the field "message.android.ttl"',
        detail="TTL must be",
        dead_since="2026-11-17T10:00:00.000Z",
        rows=(row("fcm", "INVALID_ARGUMENT", "bad_ttl"),),
    )
    text = view.as_text([view.finding_page(finding)], PLAIN)

    assert text.startswith("INVALID_ARGUMENT\nFCM · HTTP 400 · rejected\n")
    assert "  Reason: INVALID_ARGUMENT, case bad_ttl\n" in text
    assert '  Told by: the field "message.android.ttl"\n' in text
    assert "  The server's text: TTL must be\n" in text
    assert "  Dead since: 2026-11-17T10:00:00.000Z\n" in text
    assert "The token in this case" not in text
    assert "bad_ttl" == view.finding_object(finding)["case"]


def test_a_token_that_fares_otherwise_is_said_so() -> None:
    """Where this answer decides otherwise about the token than its row, that is said."""
    finding = Finding(
        service="apns",
        kind=Kind.REJECTED,
        reason="Unregistered",
        token_action=TokenAction.KEEP,
        rows=(row("apns", "Unregistered"),),
    )
    text = view.as_text([view.finding_page(finding)], PLAIN)

    assert "The token in this case\n  This says nothing against it: keep it.\n" in text


def test_candidates_are_listed_with_the_way_to_decide() -> None:
    """Where the body does not decide, the meanings and the deciding experiment are given."""
    finding = Finding(service="fcm", candidates=(row("fcm", "INVALID_ARGUMENT", "bad_condition"),))
    text = view.as_text([view.finding_page(finding)], PLAIN)

    assert text.startswith("answer\nFCM\n")
    assert "It may be one of" in text
    assert "  bad_condition\n    The condition is not a valid expression" in text
    assert ["bad_condition"] == view.finding_object(finding)["candidates"]
