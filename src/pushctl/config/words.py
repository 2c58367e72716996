"""Finds the word that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SYNONYMS = {
    "prod": "production",
    "live": "production",
    "release": "production",
    "distribution": "production",
    "appstore": "production",
    "testflight": "production",
    "dev": "sandbox",
    "develop": "sandbox",
    "development": "sandbox",
    "debug": "sandbox",
    "test": "sandbox",
    "testing": "sandbox",
    "staging": "sandbox",
    "ios": "apns",
    "apple": "apns",
    "android": "fcm",
    "firebase": "fcm",
    "google": "fcm",
    "gcm": "fcm",
    "key": "key_file",
    "key_path": "key_file",
    "p8": "key_file",
    "p8_file": "key_file",
    "bundle_id": "topic",
    "bundle": "topic",
    "team": "team_id",
    "certificate": "certificate_file",
    "cert": "certificate_file",
    "cert_file": "certificate_file",
    "p12": "certificate_file",
    "p12_file": "certificate_file",
    "certificate_password": "certificate_password_env",
    "password": "certificate_password_env",
    "service_account": "service_account_file",
    "service_account_json": "service_account_file",
    "project": "project_id",
    "token_uri": "token_endpoint",
    "token_url": "token_endpoint",
    "url": "endpoint",
    "host": "endpoint",
    "ca": "ca_file",
    "ca_bundle": "ca_file",
    "consent": "require_consent",
    "state": "state_dir",
    "log": "bounce_log",
    "credential": "credentials",
    "profiles": "credentials",
    "default": "defaults",
}
"""Words that people write, and ours.  Looked at only where ours is one of the choices."""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return which of *choices* was probably meant by *word*; ``None`` if none is near."""
    possible = list(choices)
    simple = word.lower().replace("-", "_")
    if simple in possible:
        return simple
    if _SYNONYMS.get(simple) in possible:
        return _SYNONYMS[simple]
    by_case = {choice.lower(): choice for choice in possible}
    close = difflib.get_close_matches(word.lower(), by_case, n=1, cutoff=0.6)
    return by_case[close[0]] if close else None


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return the hint for a misspelt word; ``None`` if nothing is near."""
    meant = nearest(word, choices)
    return f"did you mean {meant!r}?" if meant is not None else None
