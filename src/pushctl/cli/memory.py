"""Keeps the memory of this process, in which there are keys and tokens, from being written out."""

from __future__ import annotations

import contextlib
import sys

_PR_SET_DUMPABLE = 4
"""From <linux/prctl.h>."""


def keep_memory_private() -> None:
    """
    See to it that a crash of this process leaves no core dump.

    On Linux other processes of the same user cannot attach to it or read its memory either
    (prctl(2), PR_SET_DUMPABLE): a limit of 0 alone does not hold where the kernel hands dumps to
    a program (core(5)).  What cannot be set stays as it is.
    """
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
