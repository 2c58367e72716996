"""
Everything a checkout needs, with nothing but Python 3.11 or newer: ``python3 dev.py demo``.

demo      make .venv, install pushctl from the locked dependencies, run ``pushctl demo``
test      make .venv with the development tools, run the tests with branch coverage
mutants   plant small faults in a module, see whether its tests notice: tools/mutants.py
lint      ruff, mypy --strict and the import contracts
generate  write completions, man pages and the generated pages of docs/ anew
package   build wheel, source distribution and SBOM into dist/, try the wheel as installed
lock      renew the lock files (needs uv on PATH)

Further arguments go to the command: ``python3 dev.py test tests/wire -k goaway``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)


def main(arguments: list[str]) -> int:
    """Run the command that *arguments* name and return its exit code."""
    commands = {
        "demo": demo,
        "test": test,
        "mutants": mutants,
        "lint": lint,
        "generate": generate,
        "package": package,
        "lock": lock,
    }
    if not arguments or arguments[0] not in commands:
        sys.stderr.write(__doc__ or "")
        return 2
    if sys.version_info < OLDEST:
        return with_newer_python(arguments)
    return commands[arguments[0]](arguments[1:])


def demo(arguments: list[str]) -> int:
    """Run the main job with nothing to configure."""
    install("run")
    return call(BIN / "pushctl", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests; all of them also measure branch coverage."""
    install("dev")
    if arguments:
        return call(BIN / "python", "-m", "pytest", *arguments)
    return call(
        BIN / "python", "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "--cov=pushctl",
        "--cov-branch", "--cov-report=term:skip-covered", "--cov-fail-under=90",
    )  # fmt: skip


def mutants(arguments: list[str]) -> int:
    """Plant small faults in the modules that are held to this, or in those that are named."""
    install("mutants")
    return call(BIN / "python", ROOT / "tools" / "mutants.py", *arguments)


def lint(arguments: list[str]) -> int:
    """Run the static checks; stop at the first that fails."""
    install("dev")
    python = BIN / "python"
    return (
        call(BIN / "ruff", "check", ".")
        or call(BIN / "ruff", "format", "--check", ".")
        or call(python, "-m", "mypy", *arguments)
        or call(BIN / "lint-imports")
    )


def generate(arguments: list[str]) -> int:
    """Write what is made from the commands and the catalog; ``--check`` only compares."""
    install("dev")
    return call(BIN / "python", "-m", "pushctl.cli.generate", *arguments)


def package(arguments: list[str]) -> int:
    """Build what is published, and try it in an environment of its own."""
    install("dev")
    return call(BIN / "python", ROOT / "tools" / "package.py", *arguments)


def lock(arguments: list[str]) -> int:
    """Renew the lock files, for every platform and supported Python."""
    for name, group in (("run", "build"), ("dev", "dev"), ("mutants", "mutants")):
        code = call(
            "uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-emit-index-url", "--no-header", "pyproject.toml",
            "--group", group, "-o", f"requirements/{name}.lock", *arguments,
        )  # fmt: skip
        if code:
            return code
    return 0


def install(kind: str) -> None:
    """Make .venv hold what *kind* (run, dev or mutants) locks, unless it does already."""
    locked = (ROOT / "requirements" / f"{kind}.lock").read_bytes()
    mark = hashlib.sha256(locked + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / f"{kind}.installed"
    if stamp.is_file() and stamp.read_text() == mark and (BIN / "pushctl").exists():
        return
    say(f"setting up .venv ({kind}); this is done once")
    make_venv()
    pip = (BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q")
    # Without --no-deps pip's resolver looks at releases newer than the locked ones, for a package
    # asked for with an extra, and then refuses them for want of a hash.
    require(*pip, "--no-deps", "--require-hashes", "-r", ROOT / "requirements" / f"{kind}.lock")
    require(*pip, "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(mark)


def make_venv() -> None:
    """Make .venv if it is not there."""
    if (BIN / "python").exists():
        return
    try:
        import ensurepip  # noqa: F401 -- Debian keeps it in a package of its own
    except ImportError:
        raise SystemExit(
            "error: this Python cannot make a virtual environment (no ensurepip)\n"
            "hint: on Debian and Ubuntu: apt-get install python3-venv"
        ) from None
    require(sys.executable, "-m", "venv", VENV)


def with_newer_python(arguments: list[str]) -> int:
    """Start again with a newer Python, if there is one."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return call(found, __file__, *arguments)
    sys.stderr.write("error: pushctl needs Python 3.11 or newer\n")
    return 2


def call(*command: object) -> int:
    """Run *command* in the checkout and return its exit code."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode


def require(*command: object) -> None:
    """Run *command*; end with its exit code if it fails."""
    code = call(*command)
    if code:
        raise SystemExit(code)


def say(text: str) -> None:
    """Tell what is going on."""
    sys.stderr.write(f"dev.py: {text}\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
