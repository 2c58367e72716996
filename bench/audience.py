"""
The audience: how fast a list is prepared and read back, and how much memory that takes.

Each case is a fresh process, so that its peak of resident memory is its own.  Lists are made once,
with tokens that compress as badly as real ones.  Preparing includes the first look at the file.

    python bench/audience.py [ROWS …]        default: 100000 1000000

Targets on the reference machine: a csv of ten million rows in 40 s and 300 MB, one million in 4 s;
reading back a plain token list at 1.5 million rows/s.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("Anna", "Bert", "Çelik", "Dora", "Émile", "Fritz", "Gül", "Hans")
DEFAULT_ROWS = (100_000, 1_000_000)
BATCH = 1024


def token(number: int) -> str:
    """Return the device token with that *number*."""
    return hashlib.sha256(number.to_bytes(8, "big")).hexdigest()


def plain_lines(rows: int) -> Iterator[str]:
    """Yield a token a line."""
    return (f"{token(number)}\n" for number in range(rows))


def csv_lines(rows: int) -> Iterator[str]:
    """Yield a csv file of tokens and two attributes."""
    yield "token,first_name,orders\n"
    for number in range(rows):
        yield f"{token(number)},{NAMES[number % 8]},{number % 97}\n"


def quoted_lines(rows: int) -> Iterator[str]:
    """Yield the same with quotes around each cell."""
    yield '"token","first_name","orders"\n'
    for number in range(rows):
        yield f'"{token(number)}","{NAMES[number % 8]}","{number % 97}"\n'


def doubled_lines(rows: int) -> Iterator[str]:
    """Yield the same as :func:`csv_lines`, but each token stands in it twice."""
    yield "token,first_name,orders\n"
    for number in range(rows):
        yield f"{token(number % (rows // 2))},{NAMES[number % 8]},{number % 97}\n"


def object_lines(rows: int) -> Iterator[str]:
    """Yield a JSON object a line."""
    for number in range(rows):
        yield (
            f'{{"token": "{token(number)}", "first_name": "{NAMES[number % 8]}",'
            f' "orders": {number % 97}}}\n'
        )


def profile_lines(rows: int) -> Iterator[str]:
    """Yield a profile a line, each with one token."""
    for number in range(rows):
        yield (
            f'{{"id": "u{number}", "consent": true, "attributes": {{"first_name":'
            f' "{NAMES[number % 8]}", "orders": {number % 97}}}, "tokens": [{{"platform": "ios",'
            f' "token": "{token(number)}"}}]}}\n'
        )


def log_lines(rows: int) -> Iterator[str]:
    """Yield a bounce log that marks every tenth token for removal."""
    for number in range(0, rows, 10):
        record = {
            "schema": 1,
            "event": "Bounced push",
            "time": "2026-10-01T08:00:00Z",
            "service": "apns",
            "token": token(number),
            "token_action": "remove",
            "dead_since": "2026-09-30T08:00:00Z",
        }
        yield json.dumps(record) + "\n"


CASES: dict[str, tuple[str, Callable[[int], Iterator[str]], dict[str, str]]] = {
    "txt": ("list.txt", plain_lines, {}),
    "csv": ("list.csv", csv_lines, {}),
    "csv, quoted": ("quoted.csv", quoted_lines, {}),
    "csv, half duplicates": ("doubled.csv", doubled_lines, {}),
    "csv, a tenth suppressed": ("list.csv", csv_lines, {"suppress": "bounces.jsonl"}),
    "csv, --where": ("list.csv", csv_lines, {"where": "orders > 50 AND first_name <> 'Anna'"}),
    "jsonl": ("list.jsonl", object_lines, {}),
    "jsonl of profiles": ("profiles.jsonl", profile_lines, {}),
}


def measure(path: Path, folder: Path, options: dict[str, str]) -> dict[str, float]:
    """Prepare the list *path* in *folder*, read it back, and return seconds and megabytes."""
    from pushctl.audience import open_audience
    from pushctl.audience.prepare import prepare

    begun = time.perf_counter()
    if path.name.startswith("profiles"):
        audience = open_audience(profile_files=[path])
    else:
        audience = open_audience(token_files=[path])
    opened = time.perf_counter()
    logs = [path.with_name(options["suppress"])] if "suppress" in options else []
    prepared = prepare(audience, folder, where=options.get("where"), suppress=logs)
    ready = time.perf_counter()
    rows = sum(len(batch) for batch in prepared.batches(BATCH))
    read = time.perf_counter()
    assert rows == prepared.total
    return {
        "open_s": opened - begun,
        "prepare_s": ready - opened,
        "read_s": read - ready,
        "sent_to": sum(prepared.tallies().sendable.values()),
        "megabytes": peak_megabytes(),
    }


def peak_megabytes() -> float:
    """Return the peak of resident memory of this process itself, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it forked
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def write(path: Path, lines: Iterator[str]) -> None:
    """Write *lines* to *path* unless it is there."""
    if not path.exists():
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)


def main() -> None:
    """Measure every case at every size and print a table."""
    sizes = [int(argument) for argument in sys.argv[1:]] or list(DEFAULT_ROWS)
    print("| case | rows | sent to | prepared in | rows/s | read back, rows/s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as place:
            write(Path(place, "bounces.jsonl"), log_lines(rows))
            for name, (file, lines, options) in CASES.items():
                path = Path(place, file)
                write(path, lines(rows))
                with tempfile.TemporaryDirectory(dir=place) as folder:
                    command = [sys.executable, __file__, "--measure", str(path), folder]
                    answer = subprocess.run(
                        [*command, json.dumps(options)], check=True, capture_output=True
                    )
                print_row(name, rows, json.loads(answer.stdout))


def print_row(name: str, rows: int, found: dict[str, float]) -> None:
    """Print one row of the table."""
    prepared = found["open_s"] + found["prepare_s"]
    print(
        f"| {name} | {rows:,} | {found['sent_to']:,.0f} | {prepared:.1f} s"
        f" | {rows / prepared:,.0f} | {rows / found['read_s']:,.0f} | {found['megabytes']:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _, _, list_path, run_folder, words = sys.argv
        print(json.dumps(measure(Path(list_path), Path(run_folder), json.loads(words))))
    else:
        main()
