"""Requests and answers as values: what the judges see, whatever HTTP version carried them."""

from __future__ import annotations

import dataclasses
import json
from typing import Literal

from pushctl.outcome import JsonValue

Fields = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, whole."""

    method: str
    target: str
    """The path and the query, as sent."""
    fields: Fields
    """Header fields in the order of arrival, names in lower case, without pseudo-header fields."""
    body: bytes
    """At most the first :func:`most_kept` bytes."""
    body_size: int
    """How many bytes the body had."""
    version: Literal["1.1", "2"] = "2"
    stream: int = 0
    """The HTTP/2 stream it came on; 0 in HTTP/1.1."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def field(self, name: str) -> str | None:
        """Return the first value of the header field *name* (lower case), or ``None``."""
        for key, value in self.fields:
            if key == name:
                return value
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, whole.  ``content-length`` is left to whoever writes it."""

    status: int
    fields: Fields = ()
    body: bytes = b""


MAX_BODY = 64 * 1024
"""Bytes of a request body that are kept: far above any limit judged here."""
_MAX_BATCH_BODY = 16 * MAX_BODY
"""A batch for topics holds a thousand registration tokens, which are 160 characters and more."""


def most_kept(target: str) -> int:
    """Return how many bytes of the body of a request to *target* are kept."""
    return _MAX_BATCH_BODY if target.startswith("/iid/v1:batch") else MAX_BODY


def json_bytes(value: JsonValue) -> bytes:
    """Return *value* as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_answer(status: int, value: JsonValue, fields: Fields = ()) -> Answer:
    """Return an answer with *value* as its JSON body."""
    return Answer(
        status, (("content-type", "application/json; charset=UTF-8"), *fields), json_bytes(value)
    )


def html_answer(status: int, title: str, fields: Fields = ()) -> Answer:
    """Return an HTML error page, as front ends send where no API is."""
    page = (
        f"<!DOCTYPE html>\n<html lang=en>\n  <title>Error {status} ({title})!!1</title>\n"
        f"  <p><b>{status}.</b> <ins>That's an error.</ins>\n"
    )
    head = (("content-type", "text/html; charset=UTF-8"), *fields)
    return Answer(status, head, page.encode())
