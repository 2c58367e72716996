"""
Fuzzes one target, guided by coverage: ``python -m fuzz TARGET``, in ``tests/``.

It begins with the kept inputs and goes on changing them for as long as it may; at the first
finding it prints the input, and the command that plays it again.

--seconds N        how long; 60 without it, 0 only reads what is kept
--seed N           begin in the same way each time
--input BASE64     play this one input instead
--file FILE        play the input in FILE instead
--grow             put what reached something new among the kept inputs
--minimise         keep the fewest inputs that reach what the kept ones reach
--planted FAULT    plant a fault of fuzz/planted.py first

Without TARGET it names the targets.  Needs atheris but for ``--input`` and ``--file``.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import sys
from pathlib import Path

from fuzz import kit, planted


def main(arguments: list[str]) -> int:
    """Do what *arguments* say; return 1 after a finding."""
    if arguments[:1] == ["--engine"]:
        from fuzz import engine

        engine.run(*arguments[1:3], arguments[3:])
    asked = _parser().parse_args(arguments)
    if asked.target is None:
        for name in kit.TARGETS:
            about, _, _ = (kit.target(name).__doc__ or "").strip().partition("\n\n")
            print(f"{name:14} {' '.join(about.split())}")
        return 0
    if asked.input is not None or asked.file is not None:
        data = base64.b64decode(asked.input) if asked.file is None else asked.file.read_bytes()
        planted.plant(asked.planted)
        kit.target(asked.target).check(data)
        print(f"{asked.target}: no finding in these {len(data)} bytes")
        return 0
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(f"error: this needs atheris, which is {kit.WHERE_ATHERIS_IS}\n")
        return 2
    from fuzz import session

    if asked.minimise:
        session.minimise(asked.target)
        return 0
    return session.explore(
        asked.target, asked.seconds, seed=asked.seed, grow=asked.grow, planted=asked.planted
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        usage="python -m fuzz [TARGET] [OPTION...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", choices=kit.TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=60, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--input", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--grow", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--minimise", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--planted", default="", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
