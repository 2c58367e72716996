"""What the options of ``pushctl simulate`` name, as the simulator takes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pushctl.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from pushctl.simulator import ApnsKey, Rule, ServiceAccount, Simulator

_MAX_FILE = 1 << 20


def parse_delay(text: str) -> float:
    """
    Return *text* (``50ms``, ``1.5s``, ``2``: seconds) in seconds.

    :raises UsageError: it is something else, or more than an hour.
    """
    found = re.fullmatch(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(ms|s)?", text.strip())
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= 3600:
        raise UsageError(f"--delay {text[:40]!a} is no delay", hint="write 50ms or 1.5s")
    return seconds


def rules_of(pairs: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of ``--answer TOKEN=REASON``.  Raises :class:`UsageError`."""
    from pushctl.simulator import Rule

    rules = []
    for pair in pairs:
        token, equals, word = pair.rpartition("=")
        if not equals or not token:
            raise UsageError(
                f"--answer {pair[:80]!a} is not TOKEN=REASON",
                hint="for example --answer 9f3a1c…=Unregistered",
            )
        _check_word(word)
        rules.append(Rule(token=token, answer=word))
    return tuple(rules)


def _check_word(word: str) -> None:
    import difflib

    from pushctl.simulator import Say, answers, parse_action

    try:
        action = parse_action(word)
    except ValueError as error:
        raise UsageError(f"--answer: {error}") from None
    if isinstance(action, Say) and action.reason and not answers.known(action.reason):
        near = difflib.get_close_matches(word, answers.names(), 1, 0.5)
        raise UsageError(
            f"--answer: neither service has the reason {word[:60]!a}",
            hint=f"did you mean {near[0]}?" if near else "pushctl explain lists the reasons",
        )


def key_id_of(path: Path, key_id: str | None) -> str:
    """Return the key id that was given, or that the name of the file tells."""
    found = re.fullmatch(r"AuthKey_([A-Z0-9]{10})\.p8", path.name)
    if key_id is None and found is None:
        raise UsageError(f"the key id of {path.name} is not known", hint="give it with --key-id")
    return key_id or (found[1] if found else "")


def push_key(path: Path, team_id: str | None) -> ApnsKey:
    """Return the push key in *path*.  Raises :class:`InvalidInput` if it holds none."""
    from pushctl.simulator import ApnsKey

    if team_id is None:
        raise UsageError("--key-file needs --team-id, the team that the key belongs to")
    try:
        return ApnsKey.from_pem(read_file(path), team_id)
    except (ValueError, TypeError):
        raise InvalidInput(f"{path} is not a push key (.p8, a PEM on P-256)") from None


def account_of(path: Path) -> ServiceAccount:
    """Return the service account in *path*.  Raises :class:`InvalidInput` if it holds none."""
    import json

    from pushctl.simulator import ServiceAccount

    try:
        info = json.loads(read_file(path))
        if not isinstance(info, dict):
            raise ValueError("no object")
        return ServiceAccount.from_info(info)
    except (ValueError, TypeError):
        raise InvalidInput(f"{path} is not a service account's JSON file") from None


def read_file(path: Path) -> bytes:
    """Return the beginning of a file.  Raises :class:`InvalidInput` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None


def trust_certificate(simulator: Simulator, path: Path) -> None:
    """Let *simulator* accept the certificates in *path*.  Raises :class:`InvalidInput`."""
    try:
        simulator.trust_certificate(read_file(path))
    except ValueError:
        raise InvalidInput(
            f"{path} holds no certificate in PEM",
            hint="openssl pkcs12 -in FILE.p12 -clcerts -nokeys makes one of a .p12",
        ) from None


def page_port_of(host: str, port: int, wanted: int | None) -> int:
    """Return the port for the page: *wanted*, else the one after *port*, else any that is free."""
    import socket

    if wanted is not None or not 0 < port < 65535:
        return wanted or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port + 1))
        except OSError:
            return 0
    return port + 1
