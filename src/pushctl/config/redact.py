"""
Blots out of a config file's lines what may be a secret, before they are shown in an error.

Config files hold names of files and variables, never secrets; but a person who misunderstood
that writes the secret there, and the error that tells them so must not print it.
"""

from __future__ import annotations

import dataclasses
import re

from pushctl.errors import InvalidInput, Problem

BLOT = "•••"

_ENV_NAME = re.compile(r"([\"']?)[A-Za-z_][A-Za-z0-9_]{0,63}\1\s*([,}#]|$)")
_BARE_PROXY = re.compile(
    rf"([\"']?)([a-z]+://({BLOT}@)?)?[A-Za-z0-9.-]+(:[0-9]{{1,5}})?/?\1\s*([,}}#]|$)"
)
_TEXT_PATTERNS = (
    (re.compile(r"-----BEGIN.*", re.DOTALL), BLOT),
    (re.compile(r"(://)[^/@\s\"']+@"), rf"\1{BLOT}@"),  # user and password of a URL
    (re.compile(r"^(\s*)[A-Za-z0-9+/=]{40,}(\s*)$"), rf"\1{BLOT}\2"),  # a line of base64
    (re.compile(r"[A-Za-z0-9+=_-]{41,}"), BLOT),  # longer than any id or topic label
)
_SECRET_KEY = re.compile(
    r"""(?P<key>[\w.-]*?(?:password|passphrase|passwd|secret|private|token|pem|json|key|_env)[\w.-]*|(?<![\w./-])proxy)
        ["']?\s*:\s*(?P<value>\S.*)""",
    re.IGNORECASE | re.VERBOSE,
)
_HARMLESS_KEYS = frozenset(
    {"key_file", "key_id", "key_env", "certificate_password_env", "token_endpoint"}
)


def redact(line: str) -> str:
    """Return *line* with everything that may be a secret replaced by dots."""
    for pattern, replacement in _TEXT_PATTERNS:
        line = pattern.sub(replacement, line)
    start = 0
    while match := _SECRET_KEY.search(line, start):
        harmless = _harmless(match.group("key"), match.group("value"))
        if harmless is None:
            return line[: match.start("value")] + BLOT
        start = match.start("value") + harmless
    return line


def _harmless(key: str, value: str) -> int | None:
    """Return how much of *value*, which *key* has, need not be looked at; ``None``: hide it."""
    if key.endswith("_env"):
        return 0 if _ENV_NAME.match(value) else None
    if key == "proxy":  # a URL with a slip in it may hold a password all the same
        bare = _BARE_PROXY.match(value)
        return bare.end() if bare else None
    return 0 if key in _HARMLESS_KEYS else None


def redact_problem(problem: Problem) -> Problem:
    """Return *problem* with its source line redacted."""
    if problem.source_line is None:
        return problem
    return dataclasses.replace(problem, source_line=redact(problem.source_line))


def redact_error(error: InvalidInput) -> InvalidInput:
    """Return *error* with all its source lines redacted."""
    return InvalidInput(problems=[redact_problem(problem) for problem in error.problems])
