"""Starts pushctl: ``python -m pushctl`` and the ``pushctl`` script."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    arguments = sys.argv[1:]
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: not a reason to stop
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 -- for the whole process
    if arguments in (["--version"], ["-V"]):
        # Answered before anything is imported: scripts ask this in a loop.
        from pushctl import __version__

        sys.stdout.write(f"pushctl {__version__}\n")
        return
    if arguments[:1] == ["__complete"]:
        from pushctl.cli.complete import main as complete

        complete(arguments[1:])
        return
    from pushctl.cli.app import run

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
