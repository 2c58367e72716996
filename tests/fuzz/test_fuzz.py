"""
What strangers send, write and paste, with a fuzzer that is guided by coverage (atheris, libFuzzer).

Each target (``targets/``) reads bytes as one kind of input and holds what comes of them against
an oracle.  Its kept inputs (``corpus/``) and former findings (``found/``) are played without the
fuzzer, in every run of the tests; then the fuzzer goes on from them for a while, by default some
four seconds for each target: so many executions from one seed in CI, where a change should not
fail or pass by the luck of the draw, so many seconds at a desk, where each run looks elsewhere.
``PUSHCTL_TEST_FUZZ_SECONDS`` is another time.  ``python -m fuzz`` in ``tests/`` does the same by
hand, and says how.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import kit, session
from fuzz.planted import FAULTS

IS_REPEATABLE = bool(os.environ.get("CI")) and "PUSHCTL_TEST_FUZZ_SECONDS" not in os.environ
SECONDS = int(os.environ.get("PUSHCTL_TEST_FUZZ_SECONDS", "60" if IS_REPEATABLE else "4"))
MOST_KEPT_BYTES = 1_000_000

fuzzing = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason=f"atheris is {kit.WHERE_ATHERIS_IS}"
)


@pytest.mark.parametrize("name", kit.TARGETS)
def test_what_is_kept_shows_no_fault(name: str) -> None:
    """Every kept input, every former finding and every sample is read as it must be."""
    target = kit.target(name)
    inputs = [*kit.samples(name), *(path.read_bytes() for path in kit.kept(name))]

    assert len(inputs) > 5
    for data in inputs:
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"the input: {data!r}")
            raise


def test_what_is_kept_is_little() -> None:
    """All kept inputs together take less than a megabyte."""
    assert MOST_KEPT_BYTES > sum(
        path.stat().st_size for name in kit.TARGETS for path in kit.kept(name)
    )


@fuzzing
@pytest.mark.timeout(SECONDS + 180)
@pytest.mark.parametrize("name", kit.TARGETS)
def test_a_while_of_fuzzing_finds_nothing(name: str, tmp_path: Path) -> None:
    """What can be reached by changing the kept inputs shows no fault either."""
    found = session.fuzz(name, SECONDS, tmp_path, seed=int(IS_REPEATABLE), is_counted=IS_REPEATABLE)

    print(f"\n{name}: {found.executions:,} executions, {found.edges:,} edges")
    if found.finding is not None:
        pytest.fail(session.described(name, found), pytrace=False)
    assert found.edges > 20


@fuzzing
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(fault: str) -> None:
    """The fuzzer is worth something: it finds faults, and the command it prints repeats them."""
    name, _ = FAULTS[fault]
    ran = _python("-m", "fuzz", name, "--seconds", "90", "--seed", "1", "--planted", fault)
    again = re.search(r"^again: cd tests && python (.*)$", ran.stdout, re.MULTILINE)

    assert 1 == ran.returncode, ran.stdout + ran.stderr
    assert again is not None
    words = shlex.split(again[1])
    assert 0 != _python(*words).returncode
    assert 0 == _python(*words[: words.index("--planted")]).returncode


def _python(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=kit.HERE.parent, capture_output=True, text=True, check=False, timeout=150
    )
