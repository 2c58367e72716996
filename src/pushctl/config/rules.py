"""
What the fields of one credential must be together.

Judged by which keys are written, not by their values, so that a field of the wrong type does not
hide another fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from pushctl.documents import Document
from pushctl.errors import Problem
from pushctl.outcome import JsonValue

_KEY_FILE_NAME = re.compile(r"AuthKey_([A-Z0-9]{10})\.p8")
PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{6,20}")
# The part before a colon is a domain: projects of some organisations still have it.

ONLY_KEY = ("key_file", "key_env", "key_id", "team_id")
_ONLY_CERTIFICATE = ("certificate_file", "certificate_password_env")
_APNS_PLACES = ("broadcast_endpoint", "channels_endpoint")
ONLY_APNS = ("environment", "topic", *ONLY_KEY, *_ONLY_CERTIFICATE, *_APNS_PLACES)
FCM_SOURCES = ("service_account_file", "service_account_env", "application_default")
ONLY_FCM = (*FCM_SOURCES, "project_id", "token_endpoint")
_MEANINGLESS_NULL = (*ONLY_APNS, *ONLY_FCM, "endpoint", "ca_file")


def key_id_of(file_name: str) -> str | None:
    """Return the key id that Apple's name for a key file carries; ``None`` for other names."""
    match = _KEY_FILE_NAME.fullmatch(PurePath(file_name).name)
    return match.group(1) if match else None


def is_project_id(text: str) -> bool:
    """Tell whether *text* can be a project's id or number (Google Cloud, "Creating projects")."""
    return PROJECT.fullmatch(text) is not None


def credential_problems(
    document: Document, name: str, written: Mapping[str, JsonValue]
) -> Iterator[Problem]:
    """Yield what is wrong with the combination of fields of the credential *name*."""
    about = _About(document, name, written)
    for field in _MEANINGLESS_NULL:
        if field in written and written[field] is None:
            yield about.field(field, f"{field} has no value", "remove the line, or fill it in")
    if written.get("service") == "apns":
        yield from _apns(about)
    elif written.get("service") == "fcm":
        yield from _fcm(about)


class _About:
    """One credential as it is written, and problems about it."""

    def __init__(self, document: Document, name: str, written: Mapping[str, JsonValue]) -> None:
        self._document = document
        self._name = name
        self.written = written

    def given(self, *fields: str) -> list[str]:
        """Return which of *fields* are written; ``application_default: false`` is not."""
        return [
            field
            for field in fields
            if field in self.written
            and not (field == "application_default" and self.written[field] is False)
        ]

    def field(self, field: str, message: str, hint: str | None = None) -> Problem:
        """Return a problem about a field that is written."""
        path = ("credentials", self._name, field)
        return self._document.problem(path, message, hint=hint, key=True)

    def missing(self, what: str, hint: str | None = None) -> Problem:
        """Return a problem about something that is not written."""
        path = ("credentials", self._name)
        return self._document.problem(path, f"{self._name}: {what}", hint=hint, key=True)


def _apns(about: _About) -> Iterator[Problem]:
    for field in about.given(*ONLY_FCM):
        yield about.field(field, f"{field} belongs to service: fcm, and this is apns")
    if not about.given("environment"):
        yield about.missing(
            "environment is missing",
            "production for TestFlight and App Store builds, sandbox for builds run from Xcode",
        )
    if about.given("certificate_file"):
        for field in about.given(*ONLY_KEY):
            yield about.field(
                field,
                f"{field} belongs to a .p8 key, and certificate_file is given too",
                "one credential has a key or a certificate, not both",
            )
        return
    yield from _apns_key(about)


def _apns_key(about: _About) -> Iterator[Problem]:
    sources = about.given("key_file", "key_env")
    if not sources:
        yield about.missing(
            "there is no key: key_file, key_env or certificate_file is missing",
            "the .p8 file comes from Apple's developer account, Keys",
        )
    if len(sources) == 2:
        yield about.field("key_env", "key_file and key_env are both given", "keep one of them")
    for field in about.given("certificate_password_env"):
        yield about.field(field, f"{field} needs certificate_file")
    if not about.given("topic"):
        yield about.missing("topic is missing", "the app's bundle id, such as com.acme.shop")
    if not about.given("team_id"):
        yield about.missing(
            "team_id is missing", "10 characters: Apple's developer account, Membership details"
        )
    if (
        sources
        and not about.given("key_id")
        and key_id_of(str(about.written.get("key_file"))) is None
    ):
        yield about.missing(
            "key_id is missing",
            "10 characters; it is taken from the file name only where that is AuthKey_<key id>.p8",
        )


def _fcm(about: _About) -> Iterator[Problem]:
    for field in about.given(*ONLY_APNS):
        yield about.field(field, f"{field} belongs to service: apns, and this is fcm")
    sources = about.given(*FCM_SOURCES)
    if not sources:
        yield about.missing(
            "there is no service account: service_account_file, service_account_env or"
            " application_default: true is missing",
            "the file comes from the Firebase console, project settings, Service accounts",
        )
    for field in sources[1:]:
        yield about.field(field, f"{sources[0]} and {field} are both given", "keep one of them")
    if sources == ["application_default"] and about.given("token_endpoint"):
        yield about.field(
            "token_endpoint",
            "token_endpoint applies to a service account, not to application_default",
        )
