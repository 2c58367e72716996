"""
Makes ``data/catalog.json`` from ``data/*.yaml``: ``python -m pushctl.catalog.build [--check]``.

The YAML is for people, the JSON for the program.  With ``--check`` nothing is written, and the
exit code is 1 if the JSON is not what the YAML says.

A YAML file holds ``sources`` (key: title, url), ``accepted`` (service: sentence), ``tables`` and
``fallbacks``.  A table has a ``service``, a remark ``about`` it, ``min_wait_s`` (the least delay
before a retry by status, or by hundred as ``5xx``) and ``rows``; the fields of a row are those of
:class:`pushctl.catalog.Reason`.  A fallback row has a ``status`` (``400``, ``5xx``, ``other``)
and perhaps the vendor's text for it.  A row without ``examples`` gets the documented form of an
answer with its reason; ``examples: []`` means that there is none to show.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from pushctl.catalog import DATA_FILE, OTHER, Reason
from pushctl.outcome import Category, Retryable, TokenAction

FILES = ("apns.yaml", "fcm.yaml", "pushctl.yaml")
_FIELDS = frozenset(field.name for field in dataclasses.fields(Reason)) - {"service"}
_REQUIRED = ("name", "description", "category", "retryable", "token_action", "source")
_FALLBACK_FIELDS = frozenset(
    {"status", "description", "category", "retryable", "token_action", "vendor_text"}
)
_LISTS = ("seed_descriptions", "causes", "what_to_do", "aliases", "examples")
_ENUMS = {"category": Category, "retryable": Retryable, "token_action": TokenAction}
_PROVENANCES = ("documented", "captured", "constructed")
_GONE_TIMESTAMP_MS = 1795168800000


class BadData(Exception):
    """The YAML is not a catalog; the message names the row."""


def build(documents: Sequence[Mapping[str, Any]]) -> str:
    """
    Return the text of ``catalog.json`` for the parsed YAML *documents*.

    The same documents always give the same bytes.

    :raises BadData: for an unknown or missing field, a value outside its vocabulary, or a name
        that is given twice.
    """
    reasons: list[dict[str, Any]] = []
    fallbacks: list[dict[str, Any]] = []
    accepted: dict[str, str] = {}
    sources: dict[str, Any] = {}
    for document in documents:
        sources.update(document.get("sources", {}))
        accepted.update(document.get("accepted", {}))
        for table in document.get("tables", ()):
            reasons.extend(_row(table, row) for row in table["rows"])
        for table in document.get("fallbacks", ()):
            fallbacks.extend(_fallback(table, row) for row in table["rows"])
    _refuse_duplicates(reasons)
    if ("pushctl", OTHER) not in {(row["service"], row["key"]) for row in fallbacks}:
        raise BadData("fallbacks: pushctl needs a row for the status `other`")
    catalog = {
        "accepted": accepted,
        "fallbacks": fallbacks,
        "reasons": reasons,
        "sources": sources,
    }
    return json.dumps(catalog, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _row(table: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    row = {"service": table["service"], **given}
    where = " ".join(str(row.get(key)) for key in ("service", "name", "case") if row.get(key))
    if unknown := set(given) - _FIELDS:
        raise BadData(f"{where}: unknown fields {sorted(unknown)}")
    if missing := [field for field in _REQUIRED if not row.get(field)]:
        raise BadData(f"{where}: without {', '.join(missing)}")
    _check_values(where, row)
    wait = row.get("min_wait_s", _wait(table, row.get("status")))
    if wait is not None:
        row["min_wait_s"] = wait
    row["examples"] = _examples(where, row)
    return {key: value for key, value in row.items() if value not in (None, [])}


def _check_values(where: str, row: Mapping[str, Any]) -> None:
    for field, vocabulary in _ENUMS.items():
        if row[field] not in tuple(vocabulary):
            raise BadData(f"{where}: {field} {row[field]!r} is not one of {list(vocabulary)}")
    for field, value in row.items():
        texts = value if field in _LISTS else [value]
        if not isinstance(texts, list):
            raise BadData(f"{where}: {field} must be a list")
        if field not in ("status", "min_wait_s", "examples") and not all(
            isinstance(text, str) for text in texts
        ):
            raise BadData(f"{where}: {field} must be text")


def _wait(table: Mapping[str, Any], status: object) -> float | None:
    """Return the table's least delay for a status, an exact one before its hundred."""
    waits: Mapping[object, float] = table.get("min_wait_s", {})
    if isinstance(status, int):
        return waits.get(status, waits.get(f"{status // 100}xx"))
    return waits.get(status)


def _fallback(table: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    status = given.get("status")
    where = f"{table['service']} fallback {status}"
    if unknown := set(given) - _FALLBACK_FIELDS:
        raise BadData(f"{where}: unknown fields {sorted(unknown)}")
    row: dict[str, Any] = {
        "service": table["service"],
        "key": str(status),
        "name": f"HTTP {status}",
        "description": given["description"],
        "category": given["category"],
        "retryable": given["retryable"],
        "token_action": given["token_action"],
        "source": "",
        "verification": "a rule of pushctl for answers without a known reason",
    }
    _check_values(where, row)
    wait = _wait(table, status)
    if wait is not None:
        row["min_wait_s"] = wait
    if "vendor_text" in given:
        row["notes"] = f"The vendor's own text for the status: {given['vendor_text']}"
    return row


def _examples(where: str, row: Mapping[str, Any]) -> list[dict[str, str]]:
    given = row.get("examples")
    if given is None:
        body = _usual_body(row)
        if body is None:
            return []
        note = "the documented form with this reason"
        given = [{"provenance": "constructed", "note": note, "body": body}]
    for example in given:
        if example["provenance"] not in _PROVENANCES:
            raise BadData(f"{where}: provenance is not one of {_PROVENANCES}")
    return [{**example, "body": json.dumps(example["body"])} for example in given]


def _usual_body(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the body that the service's documentation describes for the row's reason."""
    service, name, status = row["service"], row["name"].split(" / ")[0], row.get("status")
    if status is None or name.startswith("("):
        return None
    if service.startswith("apns"):
        gone = {"timestamp": _GONE_TIMESTAMP_MS} if status == 410 else {}
        return {"reason": name, **gone}
    if service == "google":
        error = {"code": status, "message": row["description"], "status": row["rpc_status"]}
        if row["tell"].startswith("ErrorInfo"):
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": name, "domain": "googleapis.com"}]
        return {"error": error}
    return None


def _refuse_duplicates(reasons: Sequence[Mapping[str, Any]]) -> None:
    seen: set[tuple[str, str, str | None]] = set()
    for row in reasons:
        for key in _keys(row):
            if key in seen:
                raise BadData(f"{' '.join(str(part) for part in key if part)} is given twice")
            seen.add(key)


def _keys(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    for name in row["name"].split(" / "):
        yield row["service"], name, row.get("case")
    for alias in row.get("aliases", ()):
        yield row["service"], alias, None


def text_from_files() -> str:
    """Return the text of ``catalog.json`` for the YAML files beside it."""
    folder = DATA_FILE.parent
    return build([yaml.safe_load((folder / name).read_text("utf-8")) for name in FILES])


def main(arguments: Sequence[str]) -> int:
    """Build or check; return the exit code."""
    text = text_from_files()
    if "--check" not in arguments:
        DATA_FILE.write_text(text, "utf-8")
        return 0
    if DATA_FILE.is_file() and DATA_FILE.read_text("utf-8") == text:
        return 0
    sys.stderr.write(f"{DATA_FILE.name} is stale: run `python -m pushctl.catalog.build`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
