"""What a run's folder says about the run, so that another process can go on with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pushctl import __version__
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.thresholds import StopIf
from pushctl.errors import InvalidInput, Problem
from pushctl.job.binding import Binding, sent_topic
from pushctl.job.running import Delivery
from pushctl.job.survey import Survey
from pushctl.message.model import Message, Priority
from pushctl.outcome import Service

SCHEMA = 1


def message_to_json(message: Message) -> dict[str, Any]:
    """Return *message* as JSON values; where its parts were read is left out."""
    fields = {
        field.name: getattr(message, field.name)
        for field in dataclasses.fields(message)
        if field.name != "sources"
    }
    plain: dict[str, Any] = json.loads(json.dumps(fields, default=dict))
    return plain


def message_from_json(values: Mapping[str, Any]) -> Message:
    """Return the message that :func:`message_to_json` was given."""
    values = dict(values)
    priority = values["priority"]
    values["priority"] = None if priority is None else Priority(priority)
    values["payloads"] = {Service(name): value for name, value in values["payloads"].items()}
    return Message(**values)


def delivery_to_json(delivery: Delivery) -> dict[str, Any]:
    """Return *delivery* as JSON values."""
    return dataclasses.asdict(delivery)


def delivery_from_json(values: Mapping[str, Any]) -> Delivery:
    """Return the delivery that :func:`delivery_to_json` was given."""
    return Delivery(**{**values, "policy": Policy(**values["policy"])})


def manifest(
    run: str,
    *,
    message: Message,
    delivery: Delivery,
    found: Survey,
    bindings: Mapping[str, Binding],
    files: Iterable[Path],
    **more: Any,
) -> dict[str, Any]:
    """Return the manifest of a new run.  *more* are JSON values that are taken as they are."""
    return {
        "schema": SCHEMA,
        "run": run,
        "pushctl": __version__,
        "started": time.time(),
        **more,
        "inputs": found.inputs,
        "to_send": found.to_send,
        "credentials": {
            lane: {
                "service": binding.service.value,
                "credential": binding.settings.name,
                "environment": _text(binding.credential.environment),
                "topic": sent_topic(binding),
                "fingerprint": binding.credential.fingerprint,
                "recipients": found.sendable[lane],
            }
            for lane, binding in bindings.items()
        },
        "message": message_to_json(message),
        "delivery": delivery_to_json(delivery),
        "files": [file_mark(path) for path in files],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def file_mark(path: Path) -> dict[str, Any]:
    """Return what tells a file from a changed one: its path, size and SHA-256."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
    return {"path": str(path.absolute()), "size": size, "sha256": digest}


def refuse_changed(files: Sequence[Mapping[str, Any]]) -> None:
    """
    Raise :class:`InvalidInput` with each of *files* that is not what it was.

    A file that is gone is no change: the run keeps its own copy of the audience.
    """
    problems = []
    for mark in files:
        path = Path(mark["path"])
        try:
            now = file_mark(path)
        except OSError:
            continue
        if now != mark:
            problems.append(
                Problem(
                    f"{path} has changed since the run began",
                    hint="start a new run with the changed file; or put the old one back,"
                    " or move it away, to finish this run as it was begun",
                )
            )
    if problems:
        raise InvalidInput(problems=problems)


def stop_if_text(stop_if: StopIf | None) -> str:
    """Return *stop_if* as it is written on the command line."""
    return "never" if stop_if is None else str(stop_if)
