"""How single values of a message are read: what fits, and in which words the rest is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pushctl.outcome import JsonValue
from pushctl.rules.finding import Path, did_you_mean, type_name


class WrongValue(Exception):
    """A value does not fit its field; the text follows the field's name."""

    def __init__(self, message: str, hint: str | None = None, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        """Where inside the value, if not the value as a whole."""


def has_placeholder(text: object) -> bool:
    """Return whether *text* is a template rather than plain text or another value."""
    return isinstance(text, str) and ("{{" in text or "{%" in text)


def is_unicode(text: str) -> bool:
    """Return whether *text* can be sent: bytes of a shell argument that are no UTF-8 cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def read_text(value: JsonValue) -> str:
    """Return *value*, a text that is not blank.  Raises :class:`WrongValue`."""
    if not isinstance(value, str):
        hint = None if isinstance(value, Mapping | list) else "write it in quotes"
        raise WrongValue(f"must be a text, not {type_name(value)}", hint)
    if not value.strip():
        raise WrongValue("must not be blank", "leave it out, or give it a text")
    if not is_unicode(value):
        raise WrongValue("is not valid Unicode text")
    return value


def read_object(value: JsonValue) -> Mapping[str, JsonValue]:
    """Return *value*, an object.  Raises :class:`WrongValue`."""
    if not isinstance(value, Mapping):
        raise WrongValue(f"must be an object, not {type_name(value)}")
    return value


def read_flag(value: JsonValue) -> bool:
    """Return *value*, true or false.  Raises :class:`WrongValue`."""
    if not isinstance(value, bool):
        raise WrongValue(f"must be true or false, not {type_name(value)}")
    return value


def read_number(value: JsonValue) -> int | float:
    """Return *value*, a finite number.  Raises :class:`WrongValue`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongValue(f"must be a number, not {type_name(value)}")
    if not abs(value) < 2**53:  # NaN and the infinities too
        raise WrongValue("must lie between -2^53 and 2^53")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def typed_number(text: str | None) -> JsonValue:
    """Return the number that an option's *text* means; the text itself where it means none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def read_word(value: JsonValue, words: Sequence[str]) -> str:
    """Return *value*, one of *words*.  Raises :class:`WrongValue`."""
    if isinstance(value, str) and value in words:
        return value
    hint = did_you_mean(value, words) if isinstance(value, str) else None
    raise WrongValue(f"must be one of {', '.join(words)}", hint)


def check_keys(value: Mapping[str, JsonValue], known: Sequence[str]) -> None:
    """Raise :class:`WrongValue` for the first key of *value* that is not among *known*."""
    for key in value:
        if key not in known:
            hint = did_you_mean(key, known) or f"it knows {', '.join(known)}"
            raise WrongValue(f"has no key `{key}`", hint, (key,))
