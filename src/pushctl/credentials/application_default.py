"""
Application default credentials, found where AIP-4110 says and read by google-auth.

``google.auth.default`` is not used: without ``requests`` it fails on a workload identity and finds
no metadata server, it goes to the network while it looks, and it takes the word of a file on where
its secrets are to be sent (Google Cloud, "Security requirements when using credential
configurations from an external source").  Here looking is offline, and tokens are fetched from
Google's hosts alone.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.auth.exceptions

from pushctl.config import FcmSettings
from pushctl.credentials.google_source import (
    METADATA_HOST,
    SCOPE,
    MetadataServer,
    Refreshable,
    of_account,
)
from pushctl.credentials.recognise import describe
from pushctl.credentials.service_account import GOOGLE_TOKEN_ENDPOINT, load_account
from pushctl.credentials.sources import MAX_SECRET_BYTES, Secret, Unfit, from_file
from pushctl.documents import load
from pushctl.errors import InvalidInput, Problem
from pushctl.rules.text import printable

_PRODUCT_FILE = Path("/sys/class/dmi/id/product_name")
_SERVERLESS = ("K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_ENV")
"""Set on Cloud Run, in Cloud Functions and on App Engine."""
_PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
_URLS = ("token_url", "service_account_impersonation_url", "token_info_url", "revoke_url")
"""Where a file may say that secrets are to be sent."""
_AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"  # noqa: S105 -- a kind of token
_HINT = (
    "set GOOGLE_APPLICATION_CREDENTIALS to a file, or run `gcloud auth application-default login`"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The application default credentials of this process."""

    source: Refreshable
    who: str
    """What they are, for people: an address, ``workload identity``; may be empty."""
    project_id: str | None
    """What file or environment say."""
    home_project: str | None = None
    warnings: tuple[Problem, ...] = ()


def find_default(settings: FcmSettings, environ: Mapping[str, str]) -> Found:
    """
    Return the application default credentials, without asking anybody.

    They are the file that ``GOOGLE_APPLICATION_CREDENTIALS`` names, else that of ``gcloud auth
    application-default login``, else the account of the Google Cloud machine this is.

    :raises InvalidInput: if there are none, or they cannot be used.
    """
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if named:
        return _from_file(settings, Path(named), environ)
    login = _login_file(environ)
    if login.is_file():
        return _from_file(settings, login, environ)
    host = _metadata_host(environ)
    if host is not None:
        return Found(MetadataServer(host), "of this machine", _project(environ))
    raise settings.invalid(
        "application_default", "there are no application default credentials here", hint=_HINT
    )


def _project(environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in _PROJECT_VARIABLES if environ.get(name)), None)


def _login_file(environ: Mapping[str, str]) -> Path:
    """Return where gcloud keeps the login, whether or not there is one."""
    folder = environ.get("CLOUDSDK_CONFIG")
    if not folder:
        windows = os.name == "nt"
        base = environ.get("APPDATA" if windows else "HOME") or os.path.expanduser("~")
        folder = os.path.join(base, "gcloud" if windows else ".config/gcloud")
    return Path(folder) / "application_default_credentials.json"


def _metadata_host(environ: Mapping[str, str]) -> str | None:
    """Return the metadata server's host if this machine is one of Google's."""
    if environ.get("NO_GCE_CHECK") == "true":
        return None
    named = environ.get("GCE_METADATA_HOST")
    if named:
        return named
    if any(environ.get(name) for name in _SERVERLESS) or _is_google_machine():
        return METADATA_HOST
    return None


def _is_google_machine() -> bool:
    try:
        return _PRODUCT_FILE.read_text(errors="replace").startswith("Google")
    except OSError:
        return False


def _from_file(settings: FcmSettings, path: Path, environ: Mapping[str, str]) -> Found:
    secret = from_file(settings, "application_default", path)
    try:
        found = _read(secret)
    except Unfit as unfit:
        raise settings.invalid(
            "application_default", f"{secret.shown} {unfit.message}", hint=unfit.hint
        ) from None
    return dataclasses.replace(found, project_id=_project(environ) or found.project_id)


def _read(secret: Secret) -> Found:
    """Return what a file of credentials holds; raise :class:`Unfit` if pushctl cannot use it."""
    looks = describe(secret.data)
    if looks == "a Google service account":
        account = load_account(secret.data)
        if account.token_uri != GOOGLE_TOKEN_ENDPOINT:
            raise Unfit(
                "is a service account with a foreign token_uri",
                "use service_account_file and token_endpoint if you trust it",
            )
        return Found(
            of_account(account, GOOGLE_TOKEN_ENDPOINT),
            account.client_email,
            account.project_id,
            account.project_id,
            secret.warnings,
        )
    info = _object(secret.data)
    kind = info.get("type")
    if kind not in ("authorized_user", "external_account", "impersonated_service_account"):
        raise Unfit(f"is of no kind that pushctl knows: it looks like {looks}", _HINT)
    _check_hosts(info)
    if kind == "external_account":
        _check_subject(info)
        # The configuration of a workload identity is no secret: who may read it does not matter.
        return Found(_google(_workload, info), _email_in(info) or "workload identity", None)
    if kind == "authorized_user":
        return Found(_google(_login, info), "", None, warnings=secret.warnings)
    return Found(_google(_impersonated, info), _email_in(info), None, warnings=secret.warnings)


def _object(data: bytes) -> dict[str, Any]:
    try:
        document = load(data, "", kind="json", max_bytes=MAX_SECRET_BYTES)
    except InvalidInput:
        raise Unfit("is no JSON document that can be read", "make it again") from None
    return dict(document.value) if isinstance(document.value, Mapping) else {}


def _check_hosts(info: Mapping[str, Any]) -> None:
    """Raise :class:`Unfit` unless every URL that may get a secret is one of Google's."""
    inner = info.get("source_credentials")
    inner = inner if isinstance(inner, Mapping) else {}
    if inner.get("token_uri", GOOGLE_TOKEN_ENDPOINT) != GOOGLE_TOKEN_ENDPOINT:
        raise Unfit("holds a service account with a foreign token_uri", "make it again")
    for field in _URLS:
        for url in (info.get(field), inner.get(field)):
            if url is not None and not _is_google(url):
                raise Unfit(
                    f"has a {field} that is not Google's: {printable(str(url), 100)}",
                    "make it again, with `gcloud iam workload-identity-pools create-cred-config`",
                )
    if info.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise Unfit("belongs to another universe_domain than googleapis.com")


def _is_google(url: object) -> bool:
    try:
        parts = urlsplit(str(url))
        return (
            parts.scheme == "https"
            and parts.port in (None, 443)
            and parts.username is None
            and (parts.hostname or "").endswith(".googleapis.com")
        )
    except ValueError:
        return False


def _check_subject(info: Mapping[str, Any]) -> None:
    """Raise :class:`Unfit` if the file that holds the workload's own token is not there."""
    source = info.get("credential_source")
    file = source.get("file") if isinstance(source, Mapping) else None
    if isinstance(file, str) and not os.path.isfile(file):
        raise Unfit(
            f"takes the workload's token from {printable(file, 200)!r}, and there is no such file",
            "in CI: has the step run that writes it, in this job?",
        )


def _email_in(info: Mapping[str, Any]) -> str:
    """Return the address of the service account that is impersonated."""
    url = info.get("service_account_impersonation_url")
    name = str(url or "").rpartition("/")[2].partition(":")[0]
    return printable(name, 256) if "@" in name else ""


def _google(make: Any, info: Mapping[str, Any]) -> Refreshable:
    """Return what *make* makes of *info*; google-auth's exceptions may quote it, so none leaves."""
    source: Refreshable | None = None
    try:
        with warnings.catch_warnings(action="ignore"):  # they are meant for developers
            source = make(info)
    except (
        google.auth.exceptions.GoogleAuthError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ImportError,
    ):
        pass
    if source is None:
        raise Unfit("is incomplete, or of a form that pushctl does not know", "make it again")
    return source


def _workload(info: Mapping[str, Any]) -> Any:
    """Return the identity of another provider, from a file, a URL, AWS or a program."""
    if info.get("subject_token_type") == _AWS_TOKEN:
        kind = "google.auth.aws"
    elif "executable" in info["credential_source"]:
        kind = "google.auth.pluggable"
    else:
        kind = "google.auth.identity_pool"
    return _class_of(kind).from_info(dict(info), scopes=[SCOPE])


def _login(info: Mapping[str, Any]) -> Any:
    return _class_of("google.oauth2.credentials").from_authorized_user_info(dict(info))


def _impersonated(info: Mapping[str, Any]) -> Any:
    return _class_of("google.auth.impersonated_credentials").from_impersonated_service_account_info(
        dict(info), scopes=[SCOPE]
    )


def _class_of(module: str) -> Any:
    """Return the ``Credentials`` of a module of google-auth, loaded only if it is needed."""
    return importlib.import_module(module).Credentials
