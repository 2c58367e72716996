"""From settings to opened credentials, with the faults of all of them at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pushctl.config import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
)
from pushctl.credentials.credential import Credential
from pushctl.errors import InvalidInput, Problem


def open_credential(
    settings: CredentialSettings, *, environ: Mapping[str, str], now: float | None = None
) -> Credential:
    """
    Read the key, certificate or service account and check all that can be checked offline.

    *now* (epoch seconds; the clock's time by default) is what certificates are judged by.

    :raises InvalidInput: if it cannot be used.
    """
    match settings:
        case ApnsKeySettings():
            from pushctl.credentials.provider_token import open_provider_token

            return open_provider_token(settings, environ)
        case ApnsCertificateSettings():
            from pushctl.credentials.certificate import open_certificate

            return open_certificate(settings, environ, time.time() if now is None else now)
        case FcmSettings():
            from pushctl.credentials.google import open_google

            return open_google(settings, environ)


def open_credentials(
    wanted: Sequence[CredentialSettings],
    *,
    environ: Mapping[str, str],
    now: float | None = None,
) -> list[Credential]:
    """
    Open all of *wanted*; return them in the same order.

    :raises InvalidInput: with the problems of every one that cannot be used.
    """
    opened: list[Credential] = []
    problems: list[Problem] = []
    for settings in wanted:
        try:
            opened.append(open_credential(settings, environ=environ, now=now))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems=problems)
    return opened
