"""Sessions with the fuzzer: explore, keep what is new, minimise what is kept."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz import kit, memory

MAX_BYTES = 1_024
EXECUTIONS = 2_500
INPUT_SECONDS = 10
"""An input that takes longer is a finding: it hangs."""
MEMORY_MB = 1_024


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """What a session came to."""

    executions: int
    edges: int
    inputs: int
    """How many inputs it ended with, those it began with included."""
    finding: bytes | None
    told: str
    """What the fuzzer said, without its progress."""


def explore(name: str, seconds: int, *, seed: int, grow: bool, planted: str) -> int:
    """Fuzz the target *name*, print what came of it; return 1 after a finding."""
    with _workplace() as place:
        session = fuzz(name, seconds, place, seed=seed, planted=planted)
        print(
            f"{name}: {session.executions:,} executions, {session.edges:,} edges,"
            f" {session.inputs:,} inputs"
        )
        if session.finding is not None:
            print(described(name, session, planted))
            return 1
        if grow:
            before = len(kit.kept(name))
            _merge(name, place, [place / "new", *_folders(name)])
            print(f"{name}: {before} inputs were kept, {len(kit.kept(name))} are now")
    return 0


def minimise(name: str) -> None:
    """Let the kept inputs of the target *name* be the fewest that reach as much."""
    with _workplace() as place:
        before = len(kit.kept(name))
        _merge(name, place, _folders(name))
        print(f"{name}: {before} inputs were kept, {len(kit.kept(name))} are now")


def fuzz(
    name: str,
    seconds: int,
    place: Path,
    *,
    seed: int,
    is_counted: bool = False,
    planted: str = "",
) -> Session:
    """
    Fuzz the target *name* for so many seconds in the empty folder *place*.

    One *is_counted* ends sooner, after the executions of its target: with a seed, runs differ only
    by what the program under test does differently, such as the order of objects by address.
    The fault *planted* is planted first, if one is named.
    """
    new = place / "new"
    new.mkdir()
    flags = [
        f"-max_total_time={seconds}" if seconds else "-runs=0",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={_max_bytes(name)}",
        f"-artifact_prefix={place}/finding-",
        f"-seed={seed}",
        "-print_final_stats=1",
    ]
    if is_counted:
        flags.append(f"-runs={getattr(kit.target(name), 'EXECUTIONS', EXECUTIONS)}")
    words = getattr(kit.target(name), "WORDS", ())
    if words:
        (place / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in words), "ascii")
        flags.append(f"-dict={place / 'words'}")
    folders = [new, *_seeded(name, place)]
    ran = _engine(name, place, *flags, *map(str, folders), planted=planted)
    artifacts = sorted(place.glob("finding-*"))
    if ran.returncode and not artifacts:
        raise RuntimeError(f"the fuzzer failed on {name}:\n{ran.stdout[-4000:]}")
    return Session(
        executions=_figure(ran.stdout, r"stat::number_of_executed_units:\s*(\d+)"),
        edges=_figure(ran.stdout, r"cov: (\d+)"),
        inputs=_figure(ran.stdout, r"corp: (\d+)/"),
        finding=artifacts[0].read_bytes() if artifacts else None,
        told=_told(ran.stdout),
    )


def described(name: str, session: Session, planted: str = "") -> str:
    """Return what a person needs to know of a finding, the command that repeats it included."""
    assert session.finding is not None
    packed = base64.b64encode(session.finding).decode("ascii")
    return (
        f"{session.told}\n"
        f"input: {session.finding!r}\n"
        f"again: cd tests && python -m fuzz {name} --input {packed or repr(packed)}"
        + (f" --planted {planted}" if planted else "")
    )


def _merge(name: str, place: Path, folders: list[Path]) -> None:
    """Let the corpus be the fewest inputs of *folders* that reach all that they reach."""
    merged = place / "merged"
    merged.mkdir()
    # Without counters: how often an edge was passed would keep several times as many inputs.
    flags = ["-set_cover_merge=1", "-use_counters=0", f"-max_len={_max_bytes(name)}"]
    ran = _engine(name, place, *flags, str(merged), *map(str, folders))
    if ran.returncode or not any(merged.iterdir()):
        raise RuntimeError(f"the fuzzer could not merge {name}:\n{ran.stdout[-4000:]}")
    home = kit.CORPUS / name
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(merged, home)


def _engine(
    name: str, place: Path, *flags: str, planted: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer in a process of its own; it never returns from its work."""
    tests = kit.HERE.parent
    itself = place / "engine"  # libFuzzer starts itself again, by one name, when it merges
    command = [sys.executable, "-W", "ignore", "-m", "fuzz", "--engine", name, planted]
    itself.write_text(
        f'#!/bin/sh\ncd {shlex.quote(str(tests))}\nexec {shlex.join(command)} "$0" "$@"\n'
    )
    itself.chmod(0o700)
    with tempfile.TemporaryDirectory(prefix="pushctl-fuzz-", dir=memory.ROOT) as folder:
        return subprocess.run(
            [*command, str(itself), *flags],
            cwd=tests,
            env=os.environ | {"PYTHONHASHSEED": "0", memory.PARENT_VARIABLE: folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )


def _folders(name: str) -> list[Path]:
    return [folder for folder in (kit.CORPUS / name, kit.FOUND / name) if folder.is_dir()]


def _seeded(name: str, place: Path) -> Iterator[Path]:
    """Yield the folders to begin with: what is kept, and what the target makes of samples."""
    yield from _folders(name)
    folder = place / "samples"
    folder.mkdir()
    for number, sample in enumerate(kit.samples(name)):
        (folder / str(number)).write_bytes(sample)
    yield folder


def _max_bytes(name: str) -> int:
    return int(getattr(kit.target(name), "MAX_BYTES", MAX_BYTES))


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _figure(text: str, pattern: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def _told(text: str) -> str:
    """Return the traceback, or the fuzzer's last words where there is none."""
    _, found, told = text.partition(kit.FINDING)
    return told.partition(kit.END)[0].strip() if found else "\n".join(text.splitlines()[-25:])


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pushctl-fuzz-") as folder:
        yield Path(folder)
