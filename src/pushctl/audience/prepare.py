"""
Turns an audience into a file that can be sent from, and resumed from, whatever its size.

DuckDB reads, judges and writes the rows; the rules it judges by are those of
:mod:`pushctl.audience.recipient`, see :mod:`pushctl.audience.judging`.  What does not fit in
memory goes to a folder beside the result, which is removed in the end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pushctl.audience.audience import Audience
from pushctl.audience.engine import (
    MEMORY_LIMIT,
    Engine,
    literal,
    private_files,
    spill_folder,
)
from pushctl.audience.judging import judged, key
from pushctl.audience.prepared import (
    COLUMNS,
    FACTS,
    TABLE,
    Prepared,
    Tallies,
    exceptions_file,
    facts_of,
    parquet,
    source_of,
)
from pushctl.audience.recipient import Recipient, resolve
from pushctl.audience.row import Row
from pushctl.audience.staging import Relation, attributes_of, attributes_text, staged
from pushctl.errors import InvalidInput, Place, StorageError
from pushctl.outcome import Kind, Platform

_STORED = (
    *("token", "service", "platform", "profile", "credential", "environment", "topic"),
    *("registered_at", "attributes", "verdict_kind", "verdict_reason", "verdict_detail"),
)
_SLOW = f"CREATE TABLE slow (row BIGINT, origin INTEGER, line BIGINT, {', '.join(f'{name} VARCHAR' for name in _STORED)}, key UBIGINT)"
