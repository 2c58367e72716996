"""The process that fuzzes: atheris (libFuzzer) around one target, with its room instrumented."""

from __future__ import annotations

import sys
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
        atheris.Setup(flags, kit.target(name).check)
        atheris.Fuzz()
    sys.exit(0)
