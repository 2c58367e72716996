"""The tables of keys in ``docs/configuration.md``, made from the models that read the file."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from pushctl.config.json_schema import unset_meaning
from pushctl.config.rules import ONLY_APNS, ONLY_FCM
from pushctl.config.schema import ConfigModel, CredentialModel, DefaultsModel
from pushctl.manual.completing import NOTICE

BEGIN = f"<!-- begin: keys. {NOTICE} -->"
END = "<!-- end: keys -->"


def with_keys(page: str) -> str:
    """
    Return *page* with the tables of keys between its two markers.

    :raises ValueError: unless it has each marker once, the first before the second.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in before + after:
        raise ValueError(f"docs/configuration.md needs the lines {BEGIN!r} and {END!r}, once each")
    return f"{before}{BEGIN}\n{key_tables()}{END}{after}"


def key_tables() -> str:
    """Return every key of ``pushctl.yaml`` as Markdown."""
    lines: list[str] = [""]
    for title, model in (
        ("The whole file", ConfigModel),
        ("`credentials.NAME`", CredentialModel),
        ("`defaults`", DefaultsModel),
    ):
        lines += [f"### {title}", "", "| key | for | without it | example |", "|---|---|---|---|"]
        lines += [*_rows(model), ""]
    return "\n".join(lines) + "\n"


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        about = f"{_belongs(name, model)}{field.description or ''}"
        examples = ", ".join(f"`{example}`" for example in field.examples or ())
        cells = (f"`{name}`", about, unset_meaning(field) or "", examples)
        yield f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _belongs(name: str, model: type[BaseModel]) -> str:
    if model is not CredentialModel:
        return ""
    return "*apns*: " if name in ONLY_APNS else "*fcm*: " if name in ONLY_FCM else ""


def _escaped(text: str) -> str:
    """Return *text* so that a table cell shows it as it is."""
    return text.replace("<", "&lt;").replace("|", "\\|")
