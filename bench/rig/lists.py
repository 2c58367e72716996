"""The lists that are sent: csv files with the one column ``token``, the same on every run."""

from __future__ import annotations

import base64
import random
from pathlib import Path


def device_tokens(path: Path, number: int, *, dead_every: int = 0) -> Path:
    """
    Write *number* distinct device tokens to *path* and return it.

    Every *dead_every*-th (0: none) ends in ``dead``, which the server answers with 410; all
    others end in ``beef``.
    """
    randbytes = random.Random(number).randbytes
    with path.open("w", encoding="ascii") as file:
        file.write("token\n")
        for row in range(1, number + 1):
            end = "dead" if dead_every and row % dead_every == 0 else "beef"
            file.write(f"{randbytes(30).hex()}{end}\n")
    return path


def registration_tokens(path: Path, number: int) -> Path:
    """Write *number* distinct FCM registration tokens of the usual length to *path*."""
    randbytes = random.Random(number).randbytes
    with path.open("w", encoding="ascii") as file:
        file.write("token\n")
        for _ in range(number):
            text = base64.urlsafe_b64encode(randbytes(117)).decode("ascii")
            file.write(f"{text[:22]}:APA91b{text[22:]}\n")
    return path
