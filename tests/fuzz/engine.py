"""The process that fuzzes: atheris (libFuzzer) around one target, with its room instrumented."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import atheris

from fuzz import kit, planted

PROGRAM = "pushctl"


def run(name: str, fault: str, flags: list[str]) -> NoReturn:
    """
    Fuzz the target *name*, with *fault* planted; ends the process.

    *flags* are libFuzzer's, its folders among them, after the command that it calls itself by.
    """
    # Until the end: much of pushctl is imported where it is first needed.
    with atheris.instrument_imports(include=[PROGRAM], enable_loader_override=False):
        planted.plant(fault)
        check = kit.target(name).check

        def told(data: bytes) -> None:
            """Check *data*; a finding is told here, for the process is then ended at once."""
            try:
                check(data)
            except BaseException:
                print(kit.FINDING, traceback.format_exc(), kit.END, sep="\n", flush=True)
                raise

        atheris.Setup(flags, told)
        atheris.Fuzz()
    sys.exit(0)
