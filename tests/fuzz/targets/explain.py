"""
Anything that somebody pastes into ``pushctl explain -``.

Nothing raises, there are at most as many findings as are told apart, and what is shown of the
text cannot drive a terminal, as pages, as JSON and as Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from fuzz import kit
from pushctl.catalog import find
from pushctl.catalog.finding import Finding
from pushctl.gateway.recognise import RECORDS_MAX, recognise
from pushctl.rules.text import printable
from pushctl.view import explain as view

FIXTURES = kit.HERE.parent / "fixtures" / "protocol" / "answers.json"
MAX_BYTES = 2_048
WORDS = (
    *(b"HTTP/2 410\n", b":status: 410\n", b"< HTTP/1.1 400 Bad Request\n", b"apns-id: ", b"\n\n"),
    *(b"* Connected", b"{ [10 bytes data]", b'{"reason":"', b'{"error":', b'"outcome":"rejected"'),
    *(b'{"schema":1,', b'"service":"apns"', b'"status":', b'"token_action":"', b"Error 404 ("),
    *(b"apns-request-id: x", b'"dead_since":"', b'"detail":"', b'"case":"', b'"timestamp":'),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    text = data.decode("utf-8", "replace")
    found = recognise(text)
    assert len(found) <= RECORDS_MAX
    for each in found:
        for said in (each.service, each.reason, each.case, each.detail, each.dead_since):
            kit.check_shown(said, 1_100)
    pages = [page for each in found for page in (view.finding_page(each), *_more(each))]
    for shown in (view.as_text(pages, view.Style(None, False)), view.as_markdown(pages)):
        for line in shown.splitlines():
            assert line.strip() == printable(line, len(line) + 1).strip(), line
    objects = [view.finding_object(each) for each in found]
    assert objects == json.loads(view.as_json(objects))
    if len(text) <= 200:
        find.by_words(text)
        assert len(find.nearest(text)) <= 3


def _more(found: Finding) -> list[view.Page]:
    pages = view.pages_of(found.rows)
    if found.kind == "accepted" and found.service in ("apns", "fcm"):
        pages.append(view.accepted_page([found.service], found.status))
    return pages


def seeds() -> Iterator[bytes]:
    """Yield answers as somebody would paste them."""
    for answer in json.loads(Path(FIXTURES).read_text("utf-8"))["answers"]:
        response = answer["response"]
        body = response.get("body")
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        yield text.encode()[:2_000]
        status = response.get("status")
        head = "".join(f"{name}: {value}\n" for name, value in response.get("headers") or ())
        yield f"HTTP/2 {status}\n{head}\n{text}".encode()[:2_000]
