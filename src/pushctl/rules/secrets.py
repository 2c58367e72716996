"""
Finds secrets by their looks, in text of which nobody knows where it comes from.

The second line of defence: what pushctl itself says of keys, tokens and passwords it says by
fingerprint.  This is for the words of other people's code, and for what was pasted in the wrong
place.
"""

from __future__ import annotations

import re

BLOT = "•••"
"""What stands where a secret was."""

_HINT = re.compile(
    r"-----BEGIN|\beyJ|\bbearer|\bbasic|\bya29\.|://|[A-Za-z0-9+/]{48}", re.IGNORECASE
)
_PEM = re.compile(r"-----BEGIN [^-]*-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL)
_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}"), BLOT),  # a JWT (RFC 7519)
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {BLOT}"),
    (re.compile(r"\bya29\.[A-Za-z0-9._-]{8,}"), BLOT),  # an access token of Google
    (re.compile(r"(://)[^/@\s\"']+@"), rf"\1{BLOT}@"),  # user and password of a URL
    (
        re.compile(
            r"(?<![\w./~+-])(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])(?=[A-Za-z+/]*[0-9])"
            r"[A-Za-z0-9+][A-Za-z0-9+/]{47,}={0,2}"
        ),
        BLOT,
    ),  # a line of base64: of a key whose first line is not here.  Not a path, not hexadecimal
)
_LONG = re.compile(r"[A-Za-z0-9+/=_:-]{32,}")
# 24 random bytes, or a device token of 16.


def without_secrets(text: str) -> str:
    """Return *text* without PEM, long base64, JWTs, bearer tokens, and the logins of URLs."""
    if _HINT.search(text) is None:
        return text  # nearly always
    text = _PEM.sub(BLOT, text)
    for pattern, replacement in _PLAIN:
        text = pattern.sub(replacement, text)
    return text


def without_long_words(text: str) -> str:
    """
    Return *text* as :func:`without_secrets` does, and without whatever else may be one.

    That is each run of 32 or more characters of base64, hexadecimal digits or a push token that
    has a digit in it: keys, tokens, but also a long path.
    """
    return _LONG.sub(
        lambda found: BLOT if any(map(str.isdigit, found[0])) else found[0], without_secrets(text)
    )
