"""
Turns an audience into a file that can be sent from, and resumed from, whatever its size.

DuckDB reads, judges and writes the rows; the rules it judges by are those of
:mod:`pushctl.audience.recipient`, see :mod:`pushctl.audience.judging`.  What does not fit in
memory goes to a folder beside the result, which is removed in the end.
"""

from __future__ import annotations

_STORED = (
    *("token", "service", "platform", "profile", "credential", "environment", "topic"),
    *("registered_at", "attributes", "verdict_kind", "verdict_reason", "verdict_detail"),
)
_SLOW = f"CREATE TABLE slow (row BIGINT, origin INTEGER, line BIGINT, {', '.join(f'{name} VARCHAR' for name in _STORED)}, key UBIGINT)"
