"""Records without their tokens, for logs that leave the house, and the key that masks them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from pushctl.errors import InvalidInput, Place
from pushctl.records.folder import state_folder
from pushctl.records.journal import storage_error
from pushctl.rules.masking import KEY_BYTES, mask
from pushctl.rules.tokens import DEVICE_TARGETS

KEY_FILE = "mask.key"
"""Where the key lies in the state folder: 32 random bytes as hexadecimal digits, mode 0600."""


def mask_key(state_dir: Path) -> bytes:
    """
    Return the key of *state_dir*, made the first time; of several makers one wins for all.

    Raises :class:`InvalidInput` where the file holds no key, and :class:`StorageError` where it
    cannot be made or read.
    """
    path = state_folder(state_dir) / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        with open(path, encoding="ascii", errors="replace", opener=_no_link) as file:
            text = file.read().strip()
    except OSError as error:
        raise storage_error("read", str(path), error) from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInput(
            f"this is no key for masking tokens: {2 * KEY_BYTES} hexadecimal digits are",
            place=Place(str(path)),
            hint="put the right file back; with a new key masks no longer match those of before",
        )
    return key


def borrowed_mask_key(state_dir: Path) -> bytes:
    """
    Return the key of *state_dir*, or where there is none yet one that is kept nowhere.

    For what leaves nothing behind.  Raises as :func:`mask_key` does.
    """
    if (state_dir / KEY_FILE).exists():
        return mask_key(state_dir)
    return os.urandom(KEY_BYTES)


def masked(record: dict[str, Any], key: bytes) -> dict[str, Any]:
    """
    Return *record* with a mask in place of its token, also where the detail quotes it.

    A topic, a condition or a channel, which stands in the same field, names nobody and stays.
    """
    token = record.get("token")
    if not isinstance(token, str) or not token or not is_device(record):
        return record
    hidden = {**record, "token": mask(token, key)}
    detail = record.get("detail")
    if isinstance(detail, str) and token in detail:
        hidden["detail"] = detail.replace(token, hidden["token"])
    return hidden


def is_device(record: dict[str, Any]) -> bool:
    """Return whether the token of *record* is one, and not the name of a topic or a channel."""
    return record.get("target", "token") in DEVICE_TARGETS


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _make(path: Path) -> None:
    """Put a new key at *path*, whole from the first moment, unless somebody else is quicker."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o600)
    try:
        os.write(descriptor, os.urandom(KEY_BYTES).hex().encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
