"""
Runs pushctl with a journal that writes nothing, to see what the journal costs.

Usage: ``without_journal.py send …``.  For measurements only: pushctl itself has no such switch,
because a run without a journal could not say after a crash what became of each token.
"""

from __future__ import annotations

from typing import Any

from pushctl.__main__ import main
from pushctl.records.journal import Journal


def _nothing(*_: Any) -> None:
    """Take the place of a method that would note or write something."""


def _forget(journal: Any) -> None:
    """Take the place of ``flush()``: what ``add_accepted()`` collected is dropped unwritten."""
    journal._lines.clear()
    journal._rows, journal._latencies, journal._ids, journal._unique_ids = [], [], {}, {}


def silence() -> None:
    """Make every journal of this process write nothing."""
    journal: Any = Journal
    for name in ("add_start", "add_window", "add_outcome", "add_attempt", "add_end", "sync"):
        assert callable(getattr(journal, name))  # a renamed method must not go unnoticed
        setattr(journal, name, _nothing)
    assert callable(journal.flush)
    journal.flush = _forget


if __name__ == "__main__":
    silence()
    main()
