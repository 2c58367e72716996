"""
Runs pushctl with a journal that notes and writes nothing, to see what the journal costs.

Usage: ``without_journal.py send …``.  For measurements only: pushctl itself has no such switch,
because a run without a journal could not say after a crash what became of each token.
"""

from __future__ import annotations

from typing import Any

from pushctl.__main__ import main
from pushctl.records.journal import Journal


def _nothing(*_: Any) -> None:
    """Take the place of a method that notes or writes something."""


def silence() -> None:
    """Make every journal of this process write nothing."""
    names = [name for name in vars(Journal) if name.startswith("add_")]
    assert "add_accepted" in names, "the journal's methods have other names now"
    for name in (*names, "flush", "sync"):
        assert callable(getattr(Journal, name))
        setattr(Journal, name, _nothing)


if __name__ == "__main__":
    silence()
    main()
