"""What ``pushctl init`` finds, asks and writes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pushctl.config.rules import key_id_of
from pushctl.config.template import Facts, with_lines
from pushctl.errors import Problem, UsageError
from pushctl.outcome import Environment, Service

_MAX_ACCOUNT_BYTES = 64 * 1024
_MAX_LOOKED_AT = 200
_QUESTIONS = (
    ("environment", Service.APNS, "APNs environment, production or sandbox", "production"),
    ("topic", Service.APNS, "the app's bundle id", None),
    ("key_file", Service.APNS, "the push key (.p8)", None),
    ("key_id", Service.APNS, "the push key's id, 10 characters", None),
    ("team_id", Service.APNS, "the team's id, 10 characters", None),
    ("service_account_file", Service.FCM, "the service account's JSON file", None),
)
_ONLY_WITH_A_KEY = ("topic", "key_file", "key_id", "team_id")


def given_facts(folder: Path, *, services: Sequence[Service] | None, **given: str | None) -> Facts:
    """
    Return what the options say, and what lies in *folder*.

    Where only options of one service are *given*, that service is meant.  Files are given from
    where the person is, and returned as a config in *folder* names them.

    :raises UsageError: with every option whose value does not fit.
    """
    _refuse_misfits(given)
    fcm = [name for name in ("service_account_file", "project_id") if given[name]]
    apns = [name for name, value in given.items() if value and name not in fcm]
    if services is None:
        meant = [Service.APNS] * bool(apns) + [Service.FCM] * bool(fcm)
        services = meant or list(Service)
    for service, names in ((Service.APNS, apns), (Service.FCM, fcm)):
        if names and service not in services:
            raise UsageError(f"{_option(names[0])} belongs to --service {service}")
    seen = {name: _seen_from(folder, name, value) for name, value in given.items()}
    facts = Facts(services=tuple(dict.fromkeys(services)), **seen)
    if facts.certificate_file is not None:
        for name in ("key_file", "key_id", "team_id"):
            if given[name]:
                raise UsageError(
                    f"--certificate-file and {_option(name)} exclude each other",
                    hint="one credential has a key or a certificate",
                )
    elif facts.key_file is None and Service.APNS in facts.services:
        facts = dataclasses.replace(facts, key_file=_only_key(folder))
    if facts.service_account_file is None and Service.FCM in facts.services:
        facts = dataclasses.replace(facts, service_account_file=_only_account(folder))
    return facts


def complete(facts: Facts, ask: Callable[[str], str], say: Callable[[str], None]) -> Facts:
    """Return *facts* with what a person answers; an empty answer leaves a fact to be filled in."""
    say("press Enter to leave an answer open")
    for name, service, question, default in _QUESTIONS:
        if not _is_open(facts, name, service):
            continue
        shown = f"{question} [{default}]:" if default else f"{question}:"
        while answer := ask(shown) or default:
            fault = _misfit(name, answer)
            if fault is None:
                learnt: dict[str, Any] = {name: answer}
                facts = dataclasses.replace(facts, **learnt)
                break
            say(f"{name} {fault[0]}" + (f" ({fault[1]})" if fault[1] else ""))
    return facts


def _is_open(facts: Facts, name: str, service: Service) -> bool:
    """Tell whether the fact is missing and its question makes sense."""
    if service not in facts.services or getattr(facts, name) is not None:
        return False
    if name == "key_id" and (facts.key_file is None or key_id_of(facts.key_file)):
        return False
    return not (facts.certificate_file is not None and name in _ONLY_WITH_A_KEY)


def _refuse_misfits(given: dict[str, str | None]) -> None:
    problems: list[Problem] = []
    for name, value in given.items():
        fault = None if value is None else _misfit(name, str(value))
        if fault is not None:
            problems += UsageError(f"{_option(name)} {fault[0]}", hint=fault[1]).problems
    if problems:
        raise UsageError(problems=problems)


def _misfit(name: str, value: str) -> tuple[str, str | None] | None:
    """Return what is wrong with *value* as the config's field *name*, and what to do."""
    from pydantic import ValidationError

    from pushctl.config.schema import CredentialModel

    try:
        CredentialModel.model_validate({"service": "apns", name: value})
    except ValidationError as error:
        (finding,) = error.errors(include_url=False)
        if finding["type"] == "pushctl":
            return finding["ctx"]["message"], finding["ctx"]["hint"]
        return f"must be one of {', '.join(Environment)}", None
    return None


def _seen_from(folder: Path, name: str, value: str | None) -> str | None:
    if value is None or not name.endswith("_file") or os.path.isabs(value) or value[0] == "~":
        return value
    return os.path.relpath(value, folder)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _only_key(folder: Path) -> str | None:
    """Return the push key that lies in *folder* under Apple's name; ``None`` unless it is one."""
    found = [path.name for path in _files(folder, "*.p8") if key_id_of(path.name)]
    return found[0] if len(found) == 1 else None


def _only_account(folder: Path) -> str | None:
    """Return the service account's file that lies in *folder*; ``None`` unless it is one."""
    found = [path.name for path in _files(folder, "*.json") if _is_account(path)]
    return found[0] if len(found) == 1 else None


def _files(folder: Path, pattern: str) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in sorted(folder.glob(pattern))[:_MAX_LOOKED_AT] if path.is_file()]
    return []


def _is_account(path: Path) -> bool:
    try:
        if path.stat().st_size > _MAX_ACCOUNT_BYTES:
            return False
        value: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "service_account"


def write_new(path: Path, text: str, mode: int, *, keep: bool = False) -> bool:
    """
    Write *text* to a new file; return whether that was done.

    Whatever is there already, a dangling link too, is never overwritten: it is left as it is
    with *keep*, and an error without.

    :raises OSError: if it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        if keep:
            return False
        raise
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return True


def add_lines(path: Path, lines: Sequence[str]) -> int | None:
    """
    Append those of *lines* that the file at *path* does not have; return how many.

    ``None`` if it is no regular file: git does not follow a link there, and neither do we.

    :raises OSError: if it cannot be read or written.
    """
    existing = b""
    if os.path.lexists(path):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        existing = path.read_bytes()
    text, count = with_lines(existing.decode("utf-8", "surrogateescape"), lines)
    if count:
        with open(path, "a", encoding="utf-8", newline="", opener=_for_all_to_read) as file:
            file.write(text)
    return count


def _for_all_to_read(path: str, flags: int) -> int:
    """Open a file that, if it is new, no other user may write, whatever the umask."""
    return os.open(path, flags, 0o644)
