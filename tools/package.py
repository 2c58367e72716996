"""
Builds the source distribution and the wheel into ``dist/``, and tries the wheel as installed.

The wheel is built from the unpacked source distribution, so that both are whole.  It is installed
into a new virtual environment with what ``requirements/run.lock`` names and nothing else, and
used from a folder that has no checkout above it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path

from sbom import write_sbom

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
SMOKE = ROOT / "tools" / "smoke.py"


def main() -> int:
    """Build, install and try; return 0 if all of it works."""
    began = time.monotonic()
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="pushctl-package-") as folder:
        place = Path(folder)
        wheel = build(place)
        write_sbom(ROOT, DIST)
        python = install(wheel, place / "venv")
        run(python, "-I", SMOKE, place / "venv", cwd=make(place / "elsewhere"))
    for path in sorted(DIST.iterdir()):
        say(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
    say(f"built, installed and tried in {time.monotonic() - began:.0f} s")
    return 0


def build(place: Path) -> Path:
    """Build both distributions and return the wheel."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", DIST, cwd=ROOT)
    (source,) = DIST.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(place / "source", filter="data")
    (unpacked,) = (place / "source").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", DIST, cwd=unpacked)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install *wheel* and what is locked for it into *folder*; return the Python there."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.lock", cwd=folder)
    run(*pip, wheel, cwd=folder)
    run(python, "-m", "pip", "--disable-pip-version-check", "check", cwd=folder)
    return python


def make(folder: Path) -> Path:
    """Make *folder* and return it."""
    folder.mkdir()
    return folder


def run(*command: object, cwd: Path) -> None:
    """Run *command* in *cwd* without the checkout on the path; end if it fails."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environ, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def say(text: str) -> None:
    """Tell what was done."""
    sys.stderr.write(f"package: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
