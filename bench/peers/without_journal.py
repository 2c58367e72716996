"""
Runs pushctl with a journal that notes and writes nothing, to see what the journal costs.

Usage: ``without_journal.py send …``.  For measurements only: pushctl itself has no such switch,
because a run without a journal could not say after a crash what became of each token.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from pushctl.__main__ import main
from pushctl.records import journal
from pushctl.records.journal import AcceptedRows, Journal


def _nothing(*_: Any) -> None:
    """Take the place of a method that notes or writes something."""


class _NoRows(AcceptedRows):
    """Columns that keep nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.latencies = deque(maxlen=0)  # type: ignore[assignment]


def silence() -> None:
    """Make every journal of this process write nothing."""
    journal.AcceptedRows = _NoRows  # type: ignore[misc]
    names = [name for name in vars(Journal) if name.startswith("add_")]
    assert "add_accepted" in names, "the journal's methods have other names now"
    for name in (*names, "flush", "sync"):
        assert callable(getattr(Journal, name))
        setattr(Journal, name, _nothing)


if __name__ == "__main__":
    silence()
    main()
