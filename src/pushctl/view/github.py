"""Annotations of GitHub Actions: lines on stdout that its log turns into marks on files."""

from __future__ import annotations

from typing import Literal

from pushctl.rules.text import printable

AnnotationLevel = Literal["error", "warning", "notice"]


def annotation(
    level: AnnotationLevel,
    message: str,
    *,
    title: str | None = None,
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
) -> str:
    """
    Return one workflow command, with its line end.

    See GitHub Docs, *Workflow commands for GitHub Actions*: ``%``, line ends and, in properties,
    ``:`` and ``,`` are escaped.
    """
    values = {"title": title, "file": file, "line": line, "col": column}
    properties = ",".join(
        f"{name}={_property(str(value))}" for name, value in values.items() if value is not None
    )
    head = f"{level} {properties}" if properties else level
    return f"::{head}::{_escaped(message)}\n"


def _escaped(text: str) -> str:
    clean = "\n".join(printable(line, 4096) for line in text.splitlines())
    return clean.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
