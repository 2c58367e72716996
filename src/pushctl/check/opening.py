"""
What opening a credential showed, and who else could change the config: all of it offline.

The faults themselves are found by :mod:`pushctl.credentials`; here each becomes a step, and what
had no fault becomes one that says so.
"""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pushctl.check.step import Report, Step, Verdict, of_problem, passed, skipped, warned
from pushctl.config import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
)
from pushctl.config.rules import key_id_of
from pushctl.config.trust import distrust
from pushctl.credentials import Credential
from pushctl.errors import InvalidInput, Problem

_STEP_OF = {
    "key_file": "key",
    "key_env": "key",
    "key_id": "key-id",
    "certificate_file": "certificate",
    "certificate_password_env": "certificate",
    "service_account_file": "service-account",
    "service_account_env": "service-account",
    "application_default": "application-default",
    "project_id": "project-id",
    "ca_file": "ca-file",
    "permissions": "key-file",
}
"""The step that a problem about a setting belongs to; other problems name it themselves."""

_OPENERS = frozenset({"key", "certificate", "service-account", "application-default"})
"""Where one of these fails, nothing else of the credential could be looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """How opening one credential went."""

    settings: CredentialSettings
    credential: Credential | None
    """``None``: it cannot be used."""
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> Credential | None:
        """The credential, if nothing is wrong that would keep it from being used."""
        return None if self.problems else self.credential


def judge_opening(opened: Opened, now: float) -> Iterator[Step]:
    """Yield what is known of a credential without asking anybody, at *now* (epoch seconds)."""
    credential = opened.credential
    failures = _by_step(opened.problems, Verdict.FAIL)
    warnings = _by_step(credential.warnings if credential is not None else (), Verdict.WARN)
    closed = not _OPENERS.isdisjoint(failures)
    for step in _expected(opened.settings, credential, now):
        found = failures.pop(step.name, None) or warnings.pop(step.name, None)
        if found is not None:
            yield from found
        elif closed:
            yield skipped(step.name, "it could not be looked at")
        else:
            yield step
    for found in (*failures.values(), *warnings.values()):
        yield from found


def _by_step(problems: Sequence[Problem], verdict: Verdict) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for problem in problems:
        about = problem.about or "config"
        name = _STEP_OF.get(about, about)
        found.setdefault(name, []).append(of_problem(name, problem, verdict))
    return found


def _expected(
    settings: CredentialSettings, credential: Credential | None, now: float
) -> Iterator[Step]:
    """Yield the steps as they are where nothing is wrong."""
    match settings:
        case ApnsKeySettings():
            yield passed("key", f"EC P-256, and it signs provider tokens: key {settings.key_id}")
            yield _file_step(settings.key_file is None)
            yield _key_id_step(settings)
        case ApnsCertificateSettings():
            yield from _certificate_steps(settings, credential, now)
        case FcmSettings():
            yield from _google_steps(settings, credential)
    if settings.ca_file is not None:
        yield passed("ca-file", f"no authorities are trusted but those of {settings.ca_file}")


def _file_step(from_environment: bool) -> Step:
    if from_environment:
        return skipped("key-file", "the secret comes from the environment, not from a file")
    return passed("key-file", "no other user can read it")


def _key_id_step(settings: ApnsKeySettings) -> Step:
    key_id = settings.key_id
    if settings.key_file is not None and key_id_of(settings.key_file.name) == key_id:
        return passed("key-id", f"{key_id}, as the file is named")
    return passed("key-id", f"{key_id}, as the config says; no file name confirms it")


def _certificate_steps(
    settings: ApnsCertificateSettings, credential: Credential | None, now: float
) -> Iterator[Step]:
    known = credential.fingerprint if credential is not None else "it opens"
    yield passed("certificate", f"{known}, and the key in the file belongs to it")
    yield _file_step(False)
    not_after = getattr(credential, "not_after", None)
    if not_after is None:
        yield passed("expiry", "it is valid today")
    else:
        end = datetime.fromtimestamp(not_after, UTC)
        yield passed("expiry", f"valid until {end:%Y-%m-%d}, {_days_left(not_after, now)}")
    topic = settings.topic or (credential.topic if credential is not None else None)
    if topic is None:
        yield passed("topic", "the certificate names it")
    elif getattr(credential, "topics", None) == frozenset():
        yield passed("topic", f"{topic}, as the config says; the certificate names none")
    else:
        yield passed("topic", f"{topic} is in the certificate")
    yield passed("environment", f"nothing in the certificate speaks against {settings.environment}")


def _days_left(not_after: float, now: float) -> str:
    return f"{int((not_after - now) // 86_400)} days left"


def _google_steps(settings: FcmSettings, credential: Credential | None) -> Iterator[Step]:
    who = credential.fingerprint if credential is not None else "it opens"
    if settings.application_default:
        yield passed("application-default", who)
    else:
        yield passed("service-account", f"{who}, with an RSA key")
        yield _file_step(settings.service_account_file is None)
    project_id = credential.project_id if credential is not None else settings.project_id
    yield _project_step(settings, str(project_id), getattr(credential, "home_project", None))


def _project_step(settings: FcmSettings, project_id: str, home: str | None) -> Step:
    if home is not None and home != project_id and not project_id.isdigit():
        problem = settings.problem(
            "project_id",
            f"project_id is {project_id}, but the account belongs to {home}",
            hint="leave project_id out, or give the account a role in that project",
        )
        return of_problem("project-id", problem, Verdict.WARN)
    return passed("project-id", project_id)


# -- the config file itself -----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class FileFacts:
    """What the operating system says about a file."""

    path: str
    owner: int
    mode: int
    """The permission bits."""


def judge_config(facts: FileFacts, user: int) -> Step:
    """
    Return whether others than *user* (and root) can change the config file.

    Whoever can is able to name another key, gateway or proxy.
    """
    reason = distrust(facts.owner, facts.mode, user)
    if reason is None and facts.mode & stat.S_IWGRP:
        reason = f"its group may write it (mode {facts.mode:04o})"
    if reason is None:
        return passed("config-file", "no other user can change it")
    mend = f"chown {user}" if facts.owner not in (user, 0) else "chmod go-w"
    return warned(
        "config-file",
        f"{reason}, and with it where credentials go",
        f"{mend} {facts.path}",
    )


def report_of_faults(name: str, error: InvalidInput) -> Report:
    """Return the report of a config file that cannot be used."""
    steps = [of_problem("config-file", problem, Verdict.FAIL) for problem in error.problems]
    return Report(name=name, steps=tuple(steps))
