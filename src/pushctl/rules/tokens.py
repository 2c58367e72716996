"""
What can be said of a push token by looking at it.

Neither vendor promises a form, so little is refused here: what no service could take, and the
damage that tokens meet on their way through logs, spreadsheets and shells.  In particular a
device token has no fixed length (Apple, *Registering your app with APNs*), and neither has a
registration token (Firebase, *Best practices for FCM registration token management*).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from pushctl.outcome import Service
from pushctl.rules.masking import is_masked

DEVICE_TARGETS = ("token", "fid")
"""The kinds of target that are one app on one device; a record names the kind in ``target``."""
MAX_LENGTH = 4096
"""Characters.  No vendor states a limit; the longest tokens seen are well below 400."""

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_NOT_HEXADECIMAL = re.compile(r"[^0-9A-Fa-f]")
_BAD_IN_ANY_TOKEN = re.compile(r"[^!-~]|/")
_REGISTRATION_TOKEN = re.compile(r"[A-Za-z0-9_-]+:[A-Za-z0-9_:-]+")
_INSTALLATION_ID = re.compile(r"[c-f][A-Za-z0-9_-]{21}")
# Since 2026 FCM takes a Firebase installation id wherever it takes a registration token.
_LONG_BASE64URL = re.compile(r"[A-Za-z0-9_-]{100,}")
_BYTES_IN_A_LOG = re.compile(r"\{\s*length\s*=\s*\d+\s*,\s*bytes\s*=", re.IGNORECASE)
_COUNTED_BYTES = re.compile(r"\d+ bytes")
_EXPO = re.compile(r"Expo(?:nent)?PushToken\[")
_SPREADSHEET_NUMBER = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_BASE64_BYTES = re.compile(r"[A-Za-z0-9+/]{42,}={1,2}")
# A device token of 32 bytes, the usual length today, ends in one "=".

_WORDS_FOR_NOTHING = frozenset({"null", "(null)", "none", "nil", "undefined", "nan", "n/a"})
_QUOTES = "\"'`"


def shape(token: str) -> Service | None:
    """
    Return the service whose tokens look like *token*, or ``None`` where nothing tells.

    A guess about origin, not about validity: brackets, quotes, a ``0x`` or white space around a
    token do not hide where it came from.  Ask :func:`fault` whether it can be sent.
    """
    if _HEXADECIMAL.fullmatch(token):
        return Service.APNS
    if _REGISTRATION_TOKEN.fullmatch(token):
        return Service.FCM  # also where it begins with 0x: a colon is never hexadecimal
    bare = _undressed(token)
    if _HEXADECIMAL.fullmatch(bare) or _BYTES_IN_A_LOG.match(bare):
        return Service.APNS
    if (
        _REGISTRATION_TOKEN.fullmatch(bare)
        or _INSTALLATION_ID.fullmatch(bare)
        or _LONG_BASE64URL.fullmatch(bare)
    ):
        return Service.FCM
    return None


def is_installation_id(token: str) -> bool:
    """
    Return whether *token*, one of FCM's, has the form of a Firebase installation id (FID).

    Google does not promise the form: 22 characters of base64url, the first from a nibble that
    marks it.  A registration token is longer, and has a colon.
    """
    return len(token) == 22 and _INSTALLATION_ID.fullmatch(token) is not None


class Fault(NamedTuple):
    """Why a text cannot be a token."""

    name: str
    """A short, stable name of what is wrong: ``odd-digits``, ``spreadsheet``, ``masked``…"""
    text: str
    """
    The same in a sentence, with what to do.

    One line without control characters, which quotes at most one character of a token.
    """


def fault(token: str, service: Service) -> str | None:
    """Return the sentence of :func:`find_fault`, or ``None`` where *token* may be a token."""
    found = find_fault(token, service)
    return None if found is None else found.text


def find_fault(token: str, service: Service) -> Fault | None:
    """
    Return why *token* cannot be a token of *service*, or ``None`` where it may be one.

    A token without a fault is visible ASCII without ``/``, at most :data:`MAX_LENGTH`
    characters, and for APNs an even number of hexadecimal digits: safe in a path, a header
    field and a log.
    """
    if not token:
        return Fault("empty", "the token is empty")
    if len(token) > MAX_LENGTH:
        text = f"{len(token)} characters are more than any token has (at most {MAX_LENGTH})"
        return Fault("too-long", text)
    if service is Service.FCM:
        usual = _REGISTRATION_TOKEN.fullmatch(token)
        return None if usual else _damage(token) or _unfit_character(token)
    if len(token) % 2 == 0 and _HEXADECIMAL.fullmatch(token):
        return None
    if _REGISTRATION_TOKEN.fullmatch(token):
        return _foreign(token)
    return _logged_form(token) or _damage(token) or _foreign(token) or _not_hexadecimal(token)


def normalise(token: str, service: Service) -> str:
    """
    Return the one spelling of a faultless *token* under which it is sent and compared.

    Hexadecimal digits mean the same in either case, so a device token becomes lower case; a
    registration token stays as it is.
    """
    return token.lower() if service is Service.APNS else token


def _undressed(token: str) -> str:
    """Return *token* without what logs, shells and spreadsheets put around a token."""
    bare = token[: MAX_LENGTH + 1].strip().strip(_QUOTES)
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1].replace(" ", "")
    return bare[2:] if bare[:2] in {"0x", "0X"} else bare


def _logged_form(token: str) -> Fault | None:
    """Return what is wrong with a token copied from what iOS prints for ``Data``, or ``None``."""
    if _BYTES_IN_A_LOG.search(token):
        return Fault(
            "log-shortened",
            "this is how iOS prints bytes in a log, shortened: the token cannot be recovered "
            "from it; let the app write each byte as two hexadecimal digits",
        )
    if token.startswith("<") and token.endswith(">"):
        return Fault(
            "angle-brackets", "remove the angle brackets and the spaces between the digits"
        )
    if token[:2] in {"0x", "0X"}:
        return Fault("hex-prefix", "write the hexadecimal digits without 0x")
    return None


def _damage(token: str) -> Fault | None:
    """Return what happened to *token* on its way here, whichever the service, or ``None``."""
    bare = token.strip()
    if is_masked(bare):
        return Fault(
            "masked",
            "this is a masked token: it stands for a real one and cannot be sent to; use the log "
            "or file that it was masked from",
        )
    if _COUNTED_BYTES.fullmatch(bare):
        return Fault(
            "log-shortened",
            "this is how Swift prints data, which tells its length and nothing of it; let the app"
            " write each byte as two hexadecimal digits",
        )
    if bare.lower() in _WORDS_FOR_NOTHING:
        return Fault(
            "word-for-nothing",
            f"`{bare}` is a word for nothing, not a token: the export wrote an empty value",
        )
    if _EXPO.match(bare):
        return Fault("expo", "this is an Expo push token: only Expo's own service can send to it")
    if _SPREADSHEET_NUMBER.fullmatch(bare):
        return Fault(
            "spreadsheet",
            "a spreadsheet turned the token into a number: export the column as text",
        )
    if "…" in bare or "..." in bare:
        return Fault("shortened", "the token was shortened for display: the whole of it is needed")
    if bare.startswith("/topics/"):
        return Fault("topic", "a topic is not a token: send to it with --fcm-topic")
    if token != bare:
        return Fault("white-space", "remove the white space around the token")
    if len(token) > 1 and token[0] in _QUOTES and token[-1] == token[0]:
        return Fault("quotes", "remove the quotes around the token")
    return None


def _foreign(token: str) -> Fault | None:
    """Return whose token, or which other encoding, was given to APNs, or ``None``."""
    if shape(token) is Service.FCM:
        return Fault(
            "fcm-token-for-apns",
            "this looks like an FCM registration token; APNs takes hexadecimal device tokens: "
            "set service to fcm, or give the device token",
        )
    if _BASE64_BYTES.fullmatch(token):
        return Fault(
            "base64", "this looks like base64: decode it and write the bytes as hexadecimal digits"
        )
    return None


def _not_hexadecimal(token: str) -> Fault:
    """Return what keeps *token* from being whole bytes in hexadecimal."""
    foreign = _NOT_HEXADECIMAL.search(token)
    if foreign is None:
        return Fault(
            "odd-digits",
            f"an odd number of hexadecimal digits ({len(token)}): the token was cut or mistyped",
        )
    return Fault(
        "not-hexadecimal",
        f"{_at(foreign)} is not a hexadecimal digit, and a device token is nothing but those",
    )


def _unfit_character(token: str) -> Fault | None:
    """Return which character no token holds: a ``/`` or anything but visible ASCII."""
    unfit = _BAD_IN_ANY_TOKEN.search(token)
    return unfit and Fault("unfit-character", f"{_at(unfit)} cannot be in a token")


def _at(match: re.Match[str]) -> str:
    """Return the character of *match* by name where it does not show itself, and its position."""
    character = match.group()
    if "!" <= character <= "~":
        shown = f"`{character}`"
    elif character == " ":
        shown = "a space"
    else:
        unnamed = "a control character" if unicodedata.category(character) == "Cc" else "no name"
        name = unicodedata.name(character, unnamed)
        shown = f"U+{ord(character):04X} ({name})"
    return f"{shown} at character {match.start() + 1}"
