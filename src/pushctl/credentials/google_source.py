"""Where access tokens come from: google-auth's credentials, and Google Cloud's metadata server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Protocol

import google.auth.exceptions
from google.auth import transport
from google.oauth2 import service_account

from pushctl.credentials.service_account import Account

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
"""Google, FCM v1 discovery document: the narrowest scope that may send."""

METADATA_HOST = "metadata.google.internal"
_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105


class Refreshable(Protocol):
    """What all sources have in common, as google-auth has it."""

    token: str | None
    expiry: datetime | None
    """UTC, without saying so."""

    def refresh(self, request: transport.Request) -> None:
        """Set :attr:`token` and :attr:`expiry`; raise what google-auth raises."""


def of_account(account: Account, token_uri: str) -> Refreshable:
    """Return the source that signs assertions of *account* for *token_uri*."""
    info = {
        "client_email": account.client_email,
        "private_key": account.private_key,
        "private_key_id": account.private_key_id,
        "token_uri": token_uri,
    }
    source: Refreshable = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        info, scopes=[SCOPE]
    )
    return source


class MetadataServer:
    """
    The account that this machine of Google's runs as (Google Cloud, "Access the metadata server").

    google-auth has the same, but only where ``requests`` is installed, which it is not.
    """

    def __init__(self, host: str) -> None:
        self.token: str | None = None
        self.expiry: datetime | None = None
        self._url = f"http://{host}{_TOKEN_PATH}?scopes={SCOPE}"

    def refresh(self, request: transport.Request) -> None:
        """Ask the metadata server for the account's current token."""
        answer = request(self._url, headers={"Metadata-Flavor": "Google"})
        if answer.status != 200:
            raise google.auth.exceptions.RefreshError("no token")  # type: ignore[no-untyped-call]
        granted = json.loads(answer.data)
        self.token = granted["access_token"]
        lifetime = timedelta(seconds=float(granted["expires_in"]))
        self.expiry = (datetime.now(UTC) + lifetime).replace(tzinfo=None)
