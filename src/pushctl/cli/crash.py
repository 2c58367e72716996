"""What is left of an internal error: a report on disk, or with ``--debug`` its traceback."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from pushctl import __version__
from pushctl.rules.secrets import BLOT, without_long_words, without_secrets

_SECRET_NAME = re.compile(r"pass|pw|secret|token|key|credential|auth|proxy", re.IGNORECASE)
_LEAST_SECRET = 6
"""Characters.  A shorter value would be blotted out of words that it merely occurs in."""
_PLACE = re.compile(r'[\s|+-]*File "')


def traceback_lines(error: BaseException, environ: Mapping[str, str]) -> list[str]:
    """
    Return the traceback of *error* and of what led to it, line by line.

    The words of errors may quote anything: they come without what looks like a secret, and
    without the values of variables in *environ* that are named like one.
    """
    text = "".join(traceback.format_exception(error))
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _LEAST_SECRET:
            for form in (value, repr(value)[1:-1]):
                text = text.replace(form, BLOT)
    text = without_secrets(text)
    return [line if _PLACE.match(line) else without_long_words(line) for line in text.splitlines()]


def write_report(error: BaseException, command: Any, arguments: Sequence[str]) -> str | None:
    """
    Write the places in the code that led to *error*, with no value; return the file's path.

    *command* is the root of the framework's commands: of *arguments* the report has the names of
    commands and options, and nothing else.  Mode 0600.  ``None`` where no file can be made.
    """
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    report = (
        f"pushctl {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command: {' '.join(_names(command, arguments))}\n{frames}{type(error).__qualname__}\n"
    )
    try:
        descriptor, path = tempfile.mkstemp(prefix="pushctl-crash-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(report)
    except OSError:  # a full disk, no folder for temporary files: there is still the error
        return None
    return path


def _names(command: Any, arguments: Sequence[str]) -> list[str]:
    """Return which of *arguments* are names of commands below *command* or of their options."""
    words = list(arguments)
    names = []
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]
        names.append(words.pop(0))
    known = {name for it in getattr(command, "params", ()) for name in it.opts}
    options = (word.partition("=")[0] for word in words)
    return [*(names or ["?"]), *(option for option in options if option in known)]
