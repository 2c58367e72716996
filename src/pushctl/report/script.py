"""
The report as SQL that anybody can run and change in DuckDB itself.  Pure.

It is made of the very statements that make the report, on the files that were named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pushctl.audience.engine import literal
from pushctl.errors import UsageError
from pushctl.report import questions, tables
from pushctl.report.files import LogFile
from pushctl.report.logs import lines_view
from pushctl.report.values import Dimension, Filter

_HEAD = """-- A report over bounce logs, as SQL for DuckDB: pushctl bounces report --sql | duckdb
-- It reads the files that are named here, and nothing else.
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET allowed_paths = [{paths}];
SET enable_external_access = false;
SET lock_configuration = true;
"""


def script(files: Sequence[LogFile], chosen: Filter, by: Sequence[Dimension]) -> str:
    """
    Return the statements that answer what a report on *files* says.

    Raises :class:`~pushctl.errors.UsageError` for stdin, which cannot be read twice.
    """
    paths = [_path(file) for file in files]
    lines = lines_view(paths)  # no name is a pattern where only named files may be read
    named = ", ".join(dimension.value for dimension in by)
    parts = [
        ("The lines of the log.", lines),
        ("One pass over them: how many there are of each kind.", tables.tally(chosen)),
        (
            "A line that stands in the logs twice counts once.",
            f"{tables.find_repeats(chosen)};\n{tables.take_back_repeats(chosen)}",
        ),
        ("Bounces, and how pushes ended.", ";\n".join(tables.VIEWS)),
        (f"Bounces by {named}.", questions.groups(by)),
        ("How pushes ended under the same keys, for the rates.", questions.tallies(by)),
        ("Received and bounced, day by day (UTC).", questions.DAYS),
        ("The same by campaign.", questions.CAMPAIGNS),
        ("Bounces by reason and hour of the day (UTC).", questions.HEAT),
        ("What each reason of each credential stands against.", questions.TRAITS),
    ]
    head = _HEAD.format(paths=", ".join(literal(path) for path in paths))
    return head + "".join(f"\n-- {title}\n{text};\n" for title, text in parts)


def _path(file: LogFile) -> str:
    if file.path is None:
        raise UsageError("--sql needs logs that DuckDB can open: stdin is none")
    return str(Path(file.path).absolute())
