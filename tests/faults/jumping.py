"""
Runs pushctl with a wall clock that is set on SIGUSR2: ``jumping.py SECONDS ARGUMENT...``.

The clock is replaced before anything else is imported, so that nobody holds the real one.
"""

from __future__ import annotations

import signal
import sys
import time

_real = time.time
_offset = [0.0]


def _set_clock(number: int, frame: object) -> None:
    _offset[0] = float(sys.argv[1])


def _time() -> float:
    return _real() + _offset[0]


if __name__ == "__main__":
    time.time = _time
    signal.signal(signal.SIGUSR2, _set_clock)
    from pushctl.cli.app import run

    sys.exit(run(sys.argv[2:]))
