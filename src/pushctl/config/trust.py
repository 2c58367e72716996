"""
Whether a config file that was found, not named, may be used.

Whoever can write it chooses keys, authorities, and the port of this machine that is given a
credential.  A file of somebody else in a shared folder must not: git refuses a foreign
repository likewise (``safe.directory``).
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from pushctl.errors import InvalidInput, Place


def check_ownership(path: Path) -> None:
    """
    Return if the file at *path* is this user's or root's, and not everybody's to write.

    One that cannot be examined is left to the reader, who says so.  Nothing is checked on
    Windows, where there are no such modes.

    :raises InvalidInput: if it is not; naming the file is the way out.
    """
    if sys.platform == "win32":
        return
    try:
        status = path.stat()
    except OSError:
        return
    reason = distrust(status.st_uid, status.st_mode, os.geteuid())
    if reason is not None:
        raise InvalidInput(
            f"this config file was found here, but {reason}: it is not used",
            place=Place(str(path)),
            hint=f"if you trust it, name it: --config {path} (or PUSHCTL_CONFIG)",
        )


def distrust(owner: int, mode: int, user: int) -> str | None:
    """Return why a file of *owner* with *mode* is not used by *user*; ``None`` if it may be."""
    if owner not in (user, 0):
        return f"another user owns it (uid {owner})"
    if mode & stat.S_IWOTH:
        return f"every user may write it (mode {stat.S_IMODE(mode):04o})"
    return None
