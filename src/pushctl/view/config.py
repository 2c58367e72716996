"""Shows settings with their origins, and which config file is used."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from pushctl.config.discover import Candidate, Source
from pushctl.config.origins import Kind, Setting
from pushctl.rules.text import printable
from pushctl.view.terminal import Terminal

_ASKED_BY = {
    Source.OPTION: "--config",
    Source.VARIABLE: "PUSHCTL_CONFIG",
    Source.PROJECT: "project",
    Source.USER: "user",
}
_SHOWN = 200


def show_settings(settings: Sequence[Setting], terminal: Terminal, output: str) -> None:
    """Print *settings* as a table, or as a JSON list of objects."""
    if output == "json":
        document = [_document(setting) for setting in settings]
        terminal.data(json.dumps({"settings": document}, ensure_ascii=False, indent=2) + "\n")
    else:
        _table(settings, terminal)


def show_path(
    candidates: Sequence[Candidate], chosen: Candidate | None, terminal: Terminal, output: str
) -> None:
    """Print the path of the config that is *chosen*; on stderr every place that was looked at."""
    if output == "json":
        document = {
            "path": None if chosen is None else str(chosen.path),
            "candidates": [
                {
                    "path": str(it.path),
                    "from": _ASKED_BY[it.source],
                    "exists": it.exists,
                    "used": it is chosen,
                }
                for it in candidates
            ],
        }
        terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    for it in candidates:
        terminal.say(f"  {_verdict(it, chosen, terminal)}")
    if chosen is not None:
        path = str(chosen.path).replace("\n", "\\u000a")  # one line, whatever it is called
        terminal.data(f"{path}\n")


def _verdict(it: Candidate, chosen: Candidate | None, terminal: Terminal) -> str:
    where = f"{_ASKED_BY[it.source]:14}  {printable(str(it.path), 4096)}"
    if it is chosen:
        missing = "" if it.exists else ", but it does not exist"
        return f"{terminal.mark('accepted' if it.exists else 'rejected')} {where}  used{missing}"
    if it.exists:
        return f"{terminal.mark('not_sent')} {where}  exists and is not read: one above is used"
    return f"{terminal.mark('skipped')} {where}"


def _document(setting: Setting) -> dict[str, Any]:
    place = setting.place
    return {
        "name": setting.name,
        "value": setting.value,
        "fingerprint": setting.fingerprint,
        "origin": setting.kind.value,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "column": None if place is None else place.column,
        "variable": setting.variable,
        "why": setting.why,
    }


def _table(settings: Sequence[Setting], terminal: Terminal) -> None:
    """Print a row for each setting, those of a credential below its name, paths as in the file."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    config = next((str(it.value) for it in settings if it.name == "config" and it.value), None)
    folder = None if config is None else os.path.dirname(config) + os.sep
    group = ""
    for setting in settings:
        path, _, name = setting.name.rpartition(".")
        inside = path if path.startswith("credentials.") else ""
        if inside != group:
            table.add_row("", "", "")
            if inside:
                table.add_row(printable(inside, _SHOWN), "", "", style="bold")
            group = inside
        shown = f"  {name}" if inside else setting.name
        table.add_row(shown, _value(setting, folder), printable(_origin(setting), _SHOWN))
    console = terminal.console(out=True)
    with console.capture() as capture:
        console.print(table)
    terminal.data("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def _value(setting: Setting, folder: str | None) -> str:
    value = printable(_text(setting.value), _SHOWN)
    if folder is not None and setting.name != "config":
        value = value.removeprefix(folder)
    return value if setting.fingerprint is None else f"{value} ({setting.fingerprint})"


def _text(value: str | bool | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else str(value).lower()


def _origin(setting: Setting) -> str:
    if setting.place is not None:
        return str(setting.place)
    if setting.kind is Kind.ENVIRONMENT:
        return f"environment: {setting.why or setting.variable}"
    if setting.kind is Kind.OPTION:
        return setting.why or "command line"
    return f"default: {setting.why}" if setting.why else "default"
