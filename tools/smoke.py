"""
Tries an installed pushctl as a newcomer would: nothing but the wheel and what it depends on.

``python smoke.py VENV`` ends with 0 if all of it works, and says what does not.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

SHARED = (
    "share/bash-completion/completions/pushctl",
    "share/zsh/site-functions/_pushctl",
    "share/fish/vendor_completions.d/pushctl.fish",
    "share/man/man1/pushctl.1",
    "share/man/man1/pushctl-send.1",
)


def main(venv: Path) -> int:
    """Try what is installed in *venv*; return 0."""
    command = venv / ("Scripts" if os.name == "nt" else "bin") / "pushctl"
    missing = [name for name in SHARED if not (venv / name).is_file()]
    expect(not missing, f"the wheel did not bring {', '.join(missing)}")
    expect_no_tree(venv)

    version = run(command, "--version").strip()
    expect(re.fullmatch(r"pushctl \d+\.\d+\.\d+\S*", version), f"--version says {version!r}")
    expect("Usage: pushctl send" in run(command, "send", "--help"), "send --help")
    expect("inactive" in run(command, "explain", "Unregistered"), "explain Unregistered")
    expect("Bounced push" in run(command, "demo"), "demo shows no bounce")
    send_to_simulator(command)
    say(f"{version}: help, explain, demo and a send against the simulator work as installed")
    return 0


def send_to_simulator(command: Path) -> None:
    """Serve the simulator as a process of its own, and send to it."""
    simulator = subprocess.Popen(
        [str(command), "simulate", "--port", "0", "--folder", "fake"],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert simulator.stderr is not None
        for line in simulator.stderr:  # it says when it is ready
            if "Ctrl-C" in line:
                break
        sent = run(
            command, "send", "--config", "fake/pushctl.yaml", "--profiles", "fake/profiles.yaml",
            "--title", "Hello", "-o", "json", "--fail-on", "never",
        )  # fmt: skip
        totals = json.loads(sent)["totals"]
        expect(totals["accepted"] > 0, f"nothing was accepted: {totals}")
    finally:
        simulator.send_signal(signal.SIGTERM)
        simulator.wait(20)


def expect_no_tree(venv: Path) -> None:
    """Hold that the package comes from *venv*, not from a checkout."""
    import pushctl

    place = Path(pushctl.__file__).resolve()
    expect(place.is_relative_to(venv.resolve()), f"pushctl was imported from {place}")


def run(*command: object) -> str:
    """Return the stdout of *command*, which must end with 0."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    shown = " ".join(words[1:])
    expect(done.returncode == 0, f"{shown} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def expect(holds: object, otherwise: str) -> None:
    """End with *otherwise* unless something *holds*."""
    if not holds:
        raise SystemExit(f"smoke: {otherwise}")


def say(text: str) -> None:
    """Tell what works."""
    sys.stderr.write(f"smoke: {text}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
