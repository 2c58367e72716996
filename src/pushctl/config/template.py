"""The files that ``pushctl init`` writes, as text.  Pure."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pushctl.config.rules import key_id_of
from pushctl.outcome import Service

FILL_IN = "fill in"
"""The word that marks a line which is not yet true."""
_COMMENT_COLUMN = 46
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What is known when the files are written; ``None`` is filled in later."""

    services: Sequence[Service] = tuple(Service)
    environment: str | None = None
    topic: str | None = None
    key_file: str | None = None
    key_id: str | None = None
    team_id: str | None = None
    certificate_file: str | None = None
    service_account_file: str | None = None
    project_id: str | None = None


def config_text(facts: Facts) -> str:
    """Return a commented ``pushctl.yaml``; it is valid, whatever of *facts* is missing."""
    lines = [
        "# What pushctl sends with. Paths are relative to this file; secrets stay out of it:",
        "# name the files or the environment variables that hold them.",
        "# Every key: docs/configuration.md. For your editor: pushctl config schema",
        "",
        "credentials:",
    ]
    if Service.APNS in facts.services:
        lines += [*_apns(facts), ""]
    if Service.FCM in facts.services:
        lines += [*_fcm(facts), ""]
    lines += [
        "# Any credential may add:",
        "#   require_consent: true    a list that does not say who consented is refused",
        "#   protected: true          ask before sending to many",
        "#   proxy: http://proxy.example:3128    without it, HTTPS_PROXY decides; none: directly",
        "#   ca_file: ca.pem          the only certificate authorities to trust",
        "",
        "# Where a service has several credentials, the one to use by default:",
        "# defaults: {apns: ios, fcm: android}",
        "",
        "# bounce_log: bounces.jsonl  # where rejected pushes are logged",
        "# state_dir: .pushctl        # where runs are kept, so that they can be resumed",
    ]
    return "\n".join(lines) + "\n"


def _apns(facts: Facts) -> Iterator[str]:
    yield _line("  ios:", "a name of your choice, for --credential")
    yield "    service: apns"
    yield _line(
        f"    environment: {facts.environment or 'production'}",
        "or sandbox: builds run from Xcode",
    )
    if facts.certificate_file is not None:
        if facts.topic is not None:
            yield f"    topic: {quoted(facts.topic)}"
        yield _line(f"    certificate_file: {quoted(facts.certificate_file)}", ".p12 or .pem")
        yield _line(
            "    # certificate_password_env: P12_PASSWORD", "the variable with its password"
        )
        return
    yield _fact("topic", facts.topic, "com.example.app", "the app's bundle id")
    where = "from Apple's developer account, Keys"
    yield _fact("key_file", facts.key_file, "AuthKey_KEYID12345.p8", where)
    yield _line("    # key_env: APNS_KEY", "instead, in CI: the variable with its text")
    key_id = facts.key_id
    if key_id is None and facts.key_file is not None and key_id_of(facts.key_file) is None:
        yield _fact("key_id", None, "KEYID12345", "10 characters, beside the key's name")
    elif key_id is not None:
        yield f"    key_id: {quoted(key_id)}"
    yield _fact("team_id", facts.team_id, "TEAMID1234", "10 characters, under Membership")


def _fcm(facts: Facts) -> Iterator[str]:
    yield _line("  android:", "FCM serves iOS apps with Firebase, too")
    yield "    service: fcm"
    yield _fact(
        "service_account_file",
        facts.service_account_file,
        "service-account.json",
        "Firebase console, Service accounts",
    )
    yield _line("    # service_account_env: FIREBASE_ACCOUNT", "instead, in CI")
    yield _line("    # application_default: true", "instead, on Google Cloud or with gcloud")
    if facts.project_id is not None:
        yield f"    project_id: {quoted(facts.project_id)}"
    else:
        yield _line("    # project_id: shop-1234", "default: from the service account")


def _fact(key: str, value: str | None, stand_in: str, about: str) -> str:
    if value is not None:
        return f"    {key}: {quoted(value)}"
    return _line(f"    {key}: {stand_in}", f"{FILL_IN}: {about}")


def _line(text: str, comment: str) -> str:
    return f"{text:{_COMMENT_COLUMN}}  # {comment}"


def quoted(value: str) -> str:
    """Return *value* as a YAML scalar that reads back as that text."""
    plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def lines_to_fill_in(text: str) -> list[tuple[int, str]]:
    """Return number and key of each line of a config that is not yet true."""
    return [
        (number, line.partition(":")[0].strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if f"# {FILL_IN}" in line
    ]


PROFILES_TEXT = """\
# People, whether they agreed to get pushes, and the tokens of their devices. To try a message
# without sending it:
#
#   pushctl send --profiles profiles.yaml --title "Hello {{ first_name }}" --dry-run
#
# Tokens of real people are personal data: keep this file out of version control.
# Every key: docs/audience.md. For your editor: pushctl config schema --profiles

profiles:
  - id: me
    consent: true                 # exactly true; without it nothing is ever sent
    attributes:                   # what {{ first_name }} in a message is filled from
      first_name: Anna
    tokens:                       # a push goes to each device; these two are invented
      - platform: ios             # ios, android or web
        token: 9f3a61c07d52b8e4410f96ae2c7b85d3f01e6a94c8527db3b06f4e19a2d875c3
      - platform: android
        token: "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6Gf3Ta9"
"""
"""A profile file to begin with."""


def ignore_lines(facts: Facts) -> list[str]:
    """Return the lines that keep keys and personal data out of a git repository."""
    named = (facts.key_file, facts.certificate_file, facts.service_account_file)
    keys = ["AuthKey_*.p8", "*.p12"]
    if Service.FCM in facts.services and facts.service_account_file is None:
        keys.append("service-account.json")
    for name in named:
        if name is not None and _is_inside(name) and not _covered(name, keys):
            keys.append("/" + _escaped(PurePosixPath(name).as_posix()))
    return [*keys, "profiles.yaml", "bounces.jsonl*", ".pushctl/"]


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and not name.startswith("~")


def _covered(name: str, patterns: Sequence[str]) -> bool:
    return any(PurePosixPath(name).match(pattern) for pattern in patterns)


def _escaped(path: str) -> str:
    """Return *path* so that git takes it literally."""
    return re.sub(r"([\\*?\[\]!# ])", r"\\\1", path)


def with_lines(existing: str, lines: Sequence[str]) -> tuple[str, int]:
    """Return what to append to the ``.gitignore`` *existing*, and how many of *lines* that is."""
    present = {line.strip() for line in existing.splitlines()}
    missing = [line for line in lines if line not in present]
    if not missing:
        return "", 0
    end = "\r\n" if "\r\n" in existing else "\n"
    gap = "" if not existing else end if existing.endswith("\n") else end * 2
    text = ["# pushctl: keys and personal data", *missing]
    return gap + end.join(text) + end, len(missing)
