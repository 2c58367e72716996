"""
Start-up: how long ``pushctl --version`` and ``pushctl explain ExpiredToken`` take, as ratios.

The yardstick is an empty Typer app in the same environment: what any command built on Typer pays.
Runs are interleaved (A B C A B C …), so a machine that changes speed changes all alike; ratios are
taken round by round and their median and quartiles are printed.

    python bench/startup.py [ROUNDS]

The target is a ratio of at most 1.6.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EMPTY_APP = """
import typer

app = typer.Typer()


@app.command()
def main() -> None:
    pass


app()
"""
TARGET = 1.6


def seconds(command: list[str]) -> float:
    """Return the wall seconds that *command* takes as a whole process."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> int:
    """Measure, print the table, and return 1 when a target is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    pushctl = str(Path(sys.executable).with_name("pushctl"))
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP)
        commands = {
            "empty Typer app": [sys.executable, str(empty)],
            "pushctl --version": [pushctl, "--version"],
            "pushctl explain ExpiredToken": [pushctl, "explain", "ExpiredToken"],
        }
        for command in commands.values():  # warm the caches
            seconds(command)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
    base = times["empty Typer app"]
    print(f"{'command':<32} {'median ms':>10} {'ratio':>7} {'quartiles':>15}")
    missed = False
    for name, values in times.items():
        ratios = sorted(value / yardstick for value, yardstick in zip(values, base, strict=True))
        low, middle, high = statistics.quantiles(ratios, n=4)
        missed |= middle > TARGET
        print(
            f"{name:<32} {statistics.median(values) * 1000:>10.1f} {middle:>7.2f}"
            f" {low:>7.2f}–{high:.2f}"
        )
    print(f"target: at most {TARGET}: {'missed' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
