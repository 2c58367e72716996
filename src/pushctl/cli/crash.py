"""What is left of an internal error: a report on disk, or with ``--debug`` its traceback."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import traceback
from collections.abc import Sequence
from typing import Any

from pushctl import __version__
from pushctl.rules.secrets import without_long_words, without_secrets

_PLACE = re.compile(r'[\s|+-]*File "')


def traceback_lines(error: BaseException) -> list[str]:
    """
    Return the traceback of *error* and of what led to it, line by line.

    The words of errors may quote anything: they come without what looks like a secret.
    """
    text = without_secrets("".join(traceback.format_exception(error)))
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
