"""
Would the tests notice?  Plants small faults in a module and runs the tests that concern it.

``python3 dev.py mutants PATH...`` takes modules or folders under ``src/pushctl``, with or without
that in front (some lines as ``gateway/fcm.py:120-140``), by default all of ``CONCERNS``.  Nothing
is written to the tree: each mutant is imported by a process of its own in place of the module.
First come the tests that ran the changed line, then all that concern the module, then simulated
seeds.

A survivor is listed, unless a comment in ``tests/`` says why it may live: ``# Survives
`gateway/fcm.py`: `some text`: the reason``, where the text is what was changed, or the name of the
function around it.  Ends with 1 if one is listed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.machinery
import importlib.util
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from mutations import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "pushctl"
TESTS = ROOT / "tests"
JOURNAL = (
    "records/test_journal.py", "records/test_journal_lines.py", "records/test_replay.py",
    "job/test_resume_journal.py",
)  # fmt: skip
DISPATCH = (
    "dispatch/test_lane.py", "dispatch/test_lane_rules.py", "dispatch/test_policy.py",
    "dispatch/test_thresholds.py",
)  # fmt: skip
CONCERNS = {
    "catalog/__init__.py": ("catalog/test_catalog.py", "catalog/test_find.py", "gateway"),
    "catalog/find.py": ("catalog/test_find.py",),
    "catalog/finding.py": ("gateway",),
    "gateway": ("gateway",),
    "outcome.py": ("gateway", "records/test_record.py", *DISPATCH),
    "rules/dead_tokens.py": ("rules/test_dead_tokens.py", "gateway"),
    "dispatch/runner.py": (*DISPATCH, "job/test_runner.py"),
    "dispatch": DISPATCH,
    "records/identity.py": ("records/test_identity.py",),
    "records/journal.py": JOURNAL,
    "records/replay.py": JOURNAL,
}
"""What is held to this, and the tests that concern it."""
SIMULATED = ("dispatch", "records/journal.py", "records/replay.py")
SEEDS = 100
TEST_CPU_SECONDS_MAX = 5
"""The slowest of these tests takes one and a half; a mutant that never ends is noticed."""
MEMORY_BYTES_MAX = 4 << 30
_EXPLAINED = re.compile(r"# Survives `([^`]+)`: `([^`]+)`: \w")
_PRELOADED = (
    "coverage", "cryptography.x509", "google.auth", "google.oauth2.service_account",
    "h2.connection", "hpack", "httpx", "hypothesis.strategies", "jinja2.sandbox", "jwt", "pydantic",
    "pytest", "pytest_cov.plugin", "pytest_timeout", "respx", "rich.table", "typer", "yaml",
)  # fmt: skip
EVERY = range(1, 1_000_000)
PASSED, FAILED = 0, 1
OUT_OF_TIME = -signal.SIGPROF


def main(arguments: Sequence[str]) -> int:
    """Run what *arguments* name and return the exit code."""
    parser = argparse.ArgumentParser(description="Plant small faults and see which tests notice.")
    parser.add_argument("paths", nargs="*", default=[*CONCERNS], metavar="PATH[:FIRST[-LAST]]")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="simulated seeds for a mutant")
    given = parser.parse_args(arguments)
    os.environ["CI"] = "1"  # Hypothesis looks at the same examples each time
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # most of what a short run costs
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    listed = 0
    for path, lines in modules(given.paths):
        listed += Trial(path, given.jobs, given.seeds).run(lines)
    return 1 if listed else 0


def modules(paths: Sequence[str]) -> Iterator[tuple[Path, range]]:
    """Yield the modules that *paths* name, each with the lines that are asked for."""
    for text in paths:
        name, _, lines = text.partition(":")
        first, _, last = lines.partition("-")
        path = SOURCE / name.removeprefix("src/pushctl/")
        if not path.exists():
            sys.exit(f"{text}: no such module or folder under src/pushctl")
        if path.is_dir():
            yield from ((found, EVERY) for found in sorted(path.glob("*.py")) if has_code(found))
        else:
            yield path, range(int(first), int(last or first) + 1) if lines else EVERY


def has_code(path: Path) -> bool:
    return next(mutants(path.read_text("utf-8")), None) is not None


class Trial:
    """The mutants of one module."""

    def __init__(self, path: Path, jobs: int, seeds: int) -> None:
        self.path = path
        self.name = path.relative_to(SOURCE).as_posix()
        self.jobs = jobs
        self.seeds = seeds if _concern(self.name, SIMULATED) else 0
        concern = _concern(self.name, CONCERNS)
        if concern is None:
            sys.exit(f"{self.name}: CONCERNS in tools/mutants.py names no tests for it")
        self.tests = [str(TESTS / test) for test in CONCERNS[concern]]
        self.by_line: dict[int, set[str]] = {}

    def run(self, lines: range) -> int:
        """Try the mutants of *lines*; return how many survivors nothing explains."""
        began = time.monotonic()
        share = self._learn()
        source = self.path.read_text("utf-8")
        unchanged = Mutant(0, 0, "", "", "", source)
        if [result for _, result in self._results(iter([unchanged]))] != ["survived"]:
            sys.exit(f"{self.name}: without any fault its tests fail, so they would tell nothing")
        reasons = _reasons(self.name)
        counts: Counter[str] = Counter()
        wanted = (it for it in mutants(source) if it.first in lines or it.last in lines)
        for mutant, result in self._results(wanted):
            if result == "survived" and any(_speaks_of(text, mutant) for text in reasons):
                result = "explained"
            counts[result] += 1
            if counts.total() % 100 == 0:
                print(f"{self.name}: line {mutant.first}, {dict(counts)}", file=sys.stderr)
            if result == "survived":
                print(f"{self.name}:{mutant.first}: {mutant.place}", flush=True)
                print(f"  - {mutant.was}\n  + {mutant.now}", flush=True)
        total = sum(counts.values())
        print(
            f"| `{self.name}` | {total} | {counts['killed']} | {counts['out of time']} |"
            f" {counts['explained']} | {counts['survived']} | {share} |"
            f" {time.monotonic() - began:.0f} s",
            flush=True,
        )
        return counts["survived"]

    def _learn(self) -> str:
        """Run the tests on the module as it is: which of them run which line, and the coverage."""
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "coverage"
            process = fork(lambda: _covered(self.path, data, self.tests))
            if ended(process) != PASSED:
                sys.exit(f"{self.name}: its tests fail: {self.tests}")
            from coverage import Coverage

            measured = Coverage(data_file=str(data), config_file=str(ROOT / "pyproject.toml"))
            measured.load()
            contexts = measured.get_data().contexts_by_lineno(str(self.path))
            numbers = measured._analyze(str(self.path)).numbers  # what its reports are made of
        for number, tests in contexts.items():
            names = {re.sub(r"(\[.*)?\|.*", "", test) for test in tests if test}
            self.by_line[number] = names
        return f"{numbers.pc_covered_str} %"

    def _results(self, wanted: Iterator[Mutant]) -> Iterator[tuple[Mutant, str]]:
        """Yield each mutant with what became of it, in the order in which they end."""
        running: dict[int, tuple[Mutant, list[Callable[[], int]]]] = {}

        def start(mutant: Mutant, stages: list[Callable[[], int]]) -> None:
            stage, *rest = stages
            running[fork(lambda: self._with(mutant, stage))] = mutant, rest

        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < self.jobs:
                mutant = next(wanted, None)
                if mutant is None:
                    exhausted = True
                else:
                    start(mutant, self._stages(mutant))
            if not running:
                break
            process, status = os.wait()
            mutant, rest = running.pop(process)
            code = os.waitstatus_to_exitcode(status)
            if code == PASSED and rest:
                start(mutant, rest)
            elif code == PASSED:
                yield mutant, "survived"
            else:
                yield mutant, "out of time" if code == OUT_OF_TIME else "killed"

    def _stages(self, mutant: Mutant) -> list[Callable[[], int]]:
        near = set().union(
            *(self.by_line.get(number, ()) for number in range(mutant.first, mutant.last + 1))
        )
        near = near or set().union(*self.by_line.values())  # what stands at the top of a module
        stages = [lambda: _tested(near)] if near else []
        far = [option for test in sorted(near) for option in ("--deselect", test)]
        # Some tests only import the module, or come to what an earlier one left in a cache.
        stages.append(lambda: _tested(self.tests, *far))
        if self.seeds:
            stages.append(lambda: _simulated(self.seeds))
        return stages

    def _with(self, mutant: Mutant, stage: Callable[[], int]) -> int:
        sys.meta_path.insert(0, InPlaceOf(self.path, mutant.source))
        return stage()


class InPlaceOf(MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports another source in place of one module."""

    def __init__(self, path: Path, source: str) -> None:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        self._module = ".".join(parts).removesuffix(".__init__")
        self._source = source
        super().__init__(self._module, str(path))

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> Any:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> Any:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class CpuLimit:
    """A pytest plugin: a test that takes too much CPU time ends its process."""

    @staticmethod
    def pytest_runtest_setup() -> None:
        signal.setitimer(signal.ITIMER_PROF, TEST_CPU_SECONDS_MAX)


def fork(work: Callable[[], int]) -> int:
    """Start a process that does *work*, silently and with nothing left behind; return its id."""
    process = os.fork()
    if process:
        return process
    code = FAILED
    folder = tempfile.mkdtemp(prefix="pushctl-mutant-")
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        tempfile.tempdir = folder
        os.chdir(ROOT)
        code = work()
    except BaseException:  # noqa: BLE001 -- whatever went wrong, the mutant was noticed
        code = FAILED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(code)


def ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _tested(tests: Sequence[str] | set[str], *options: str) -> int:
    import pytest

    code = int(
        pytest.main(
            [
                "-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-o", "timeout=60",
                "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"),
                "--basetemp", tempfile.mkdtemp(), "-W", "ignore::pytest.PytestAssertRewriteWarning",
                *options, *sorted(tests),
            ],
            plugins=[CpuLimit()],
        )
    )  # fmt: skip
    return PASSED if code == pytest.ExitCode.NO_TESTS_COLLECTED else code


def _covered(path: Path, data: Path, tests: Sequence[str]) -> int:
    os.environ["COVERAGE_FILE"] = str(data)
    return _tested(
        tests,
        "-p",
        "pytest_cov",
        f"--cov={path.parent}",
        "--cov-branch",
        "--cov-context=test",
        "--cov-report=",
    )


def _simulated(seeds: int) -> int:
    signal.setitimer(signal.ITIMER_PROF, seeds * 0.05 + TEST_CPU_SECONDS_MAX)
    sys.path.insert(0, str(TESTS))
    from simulation.__main__ import main as simulate

    return simulate(["0", str(seeds)])


def _concern(name: str, keys: Sequence[str] | dict[str, Any]) -> str | None:
    return next((key for key in keys if name == key or name.startswith(f"{key}/")), None)


def _speaks_of(text: str, mutant: Mutant) -> bool:
    return text == mutant.place or (text in mutant.was and text not in mutant.now)


def _reasons(name: str) -> list[str]:
    """Return the texts that comments in the tests give for survivors of the module *name*."""
    texts: list[str] = []
    for path in sorted(TESTS.rglob("test_*.py")):
        texts += [text for it, text in _EXPLAINED.findall(path.read_text("utf-8")) if it == name]
    return texts


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
