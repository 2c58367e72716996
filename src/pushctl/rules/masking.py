"""
Masked tokens: a name for each token that tells nothing of it, the same wherever it occurs.

For logs that leave the house.  Whoever has two masked files can tell that a token occurs in both;
only whoever has the key can tell which one it is.
"""

from __future__ import annotations

import hmac
import re

PREFIX = "masked~"
"""What masked tokens begin with.  No token of any service holds a ``~``."""

KEY_BYTES = 32

_DIGITS = 32
# 128 bits of the hash: that any two of ten million tokens share a mask has a probability below
# 1e-24.
_MASKED = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")


def mask(token: str, key: bytes) -> str:
    """
    Return what stands for *token* where it must not be told: ``masked~`` and 32 digits.

    HMAC-SHA-256 with *key*: without the key not even a token that one has can be looked for.  A
    device token has one mask however its digits are written.  What is masked already stays.
    """
    if is_masked(token):
        return token
    spelling = token.lower() if _HEXADECIMAL.fullmatch(token) else token
    digest = hmac.digest(key, spelling.encode("utf-8", "replace"), "sha256").hex()
    return PREFIX + digest[:_DIGITS]


def is_masked(token: str) -> bool:
    """Return whether *token* was made by :func:`mask`."""
    return _MASKED.fullmatch(token) is not None
