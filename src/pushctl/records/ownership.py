"""
Whose the folders and logs are that pushctl works with.

Who can put a folder of runs where pushctl looks for one would have their recipients sent to with
somebody else's keys, and who can put a log there could read whom pushes bounced from.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pushctl.errors import InvalidInput, Place


def refuse_foreign_folder(path: Path) -> None:
    """Raise :class:`InvalidInput` if *path*, or a link there, is neither this user's nor root's."""
    owner = _foreign_owner(path)
    if owner is not None:
        raise InvalidInput(
            f"this folder belongs to another user (uid {owner}): it is not used",
            place=Place(str(path)),
            hint="set state_dir to a folder of your own, or run pushctl as that user",
        )


def refuse_foreign_log(path: Path) -> None:
    """
    Raise :class:`InvalidInput` if a log at *path* was put there by another user.

    That is a link of theirs, or a file of theirs that every user may write.  A log that is shared
    with a group stays one.
    """
    owner = _foreign_owner(path, shared=True)
    if owner is not None:
        raise InvalidInput(
            f"another user (uid {owner}) put this log here: it is not written to",
            place=Place(str(path)),
            hint="choose another with bounce_log or --bounce-log",
        )


def _foreign_owner(path: Path, *, shared: bool = False) -> int | None:
    """
    Return the other user who owns *path*, or a link there; ``None`` if nobody does.

    With *shared* a file of another user counts only if everybody may write it.
    """
    ours = (os.geteuid(), 0)
    for follow in (False, True):
        try:
            found = os.stat(path, follow_symlinks=follow)
        except OSError:
            return None  # whoever opens it says why that cannot be done
        is_link = stat.S_ISLNK(found.st_mode)
        trusted = shared and not is_link and not found.st_mode & stat.S_IWOTH
        if found.st_uid not in ours and not trusted:
            return found.st_uid
    return None
