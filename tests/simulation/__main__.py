"""
Plays seeds: ``python -m simulation FIRST COUNT [FAULT]``, in ``tests/``.

Prints as JSON how often each thing happened, and a digest of all that happened, in order.  At the
first seed that fails it prints the diary of that seed and the failure.  FAULT names a fault of
:mod:`simulation.planted`, to be planted first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from simulation.planted import FAULTS
from simulation.world import World

_MEMORY = Path("/dev/shm")


def main(arguments: list[str]) -> int:
    """Play the seeds that *arguments* name; return 1 if one fails."""
    first, count = int(arguments[0]), int(arguments[1])
    for fault in arguments[2:]:
        FAULTS[fault]()
    events: Counter[str] = Counter()
    digest = hashlib.blake2b(digest_size=8)
    for seed in range(first, first + count):
        world = play(seed)
        if world is None:
            return 1
        events.update(world.book.events)
        events["processes"] += world.processes
        events["pushes"] += len(world.rows)
        digest.update(repr(world.book.diary).encode())
    print(json.dumps({"events": events, "digest": digest.hexdigest()}))
    return 0


def play(seed: int) -> World | None:
    """Play *seed* and return its world; ``None`` after telling how it failed."""
    folder = tempfile.mkdtemp(
        prefix="pushctl-simulation-", dir=_MEMORY if _MEMORY.is_dir() else None
    )
    world = World(seed, Path(folder))
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it comes with its seed
        for line in world.book.diary:
            print(*line)
        sys.stderr.write(f"seed {seed} failed: {error}\n")
        return None
    finally:
        shutil.rmtree(folder)
    return world


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
