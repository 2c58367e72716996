"""Types a line with Tabs into a real, interactive shell."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path

_PROMPT = "READY>"
_PATIENCE_S = 20.0


def typed(
    command: list[str], setup: Path, line: str, *, cwd: Path, environ: Mapping[str, str]
) -> list[str]:
    """
    Return the words that ``pushctl`` would be called with when a person types *line* and Return.

    *setup* is sourced first; it must set the prompt to ``READY>``.  ``pushctl`` is made a
    function that prints its words, after the completion has been loaded.
    """
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=dict(environ),
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        os.write(ours, f"source {setup}\n".encode())
        _wait_for(ours, _PROMPT)
        os.write(ours, f"{line}\n".encode())
        answer = _wait_for(ours, "<end>\r\n")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    shown = answer.replace("\r\n", "\n").rpartition("<words>\n")[2]
    return shown.partition("<end>\n")[0].splitlines()


SHOW_WORDS = "pushctl() { printf '%s\\n' '<words>' \"$@\" '<end>'; }\n"


def _wait_for(descriptor: int, text: str) -> str:
    """Read until *text* comes and return all that came."""
    read = b""
    while text.encode() not in read:
        ready, _, _ = select.select([descriptor], [], [], _PATIENCE_S)
        assert ready, f"{text!r} did not come; there was {read!r}"
        read += os.read(descriptor, 65536)
    return read.decode("utf-8", "replace")
