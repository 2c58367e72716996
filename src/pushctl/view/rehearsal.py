"""Shows what a send would do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pushctl.outcome import Kind
from pushctl.rules.masking import mask
from pushctl.rules.text import printable, shorten_token
from pushctl.view.progress import clock
from pushctl.view.terminal import Terminal
from pushctl.view.trace import token_of


def show_rehearsal(document: Mapping[str, Any], terminal: Terminal) -> None:
    """
    Print the dry run's *document* for people.

    Its keys: ``inputs``, ``to_send``, ``estimate_s``, ``credentials`` (name, number and sizes),
    ``decided`` (kind, reason, count), ``samples``.
    """
    say = terminal.data
    say(f"dry run: {document['to_send']:,} of {document['inputs']:,} would be sent; nothing was\n")
    for one in document["credentials"]:
        say(
            f"  {printable(one['credential'], 80)}: {_pushes(one['number'])},"
            f" payload {one['least_bytes']:,} to {one['most_bytes']:,} bytes\n"
        )
    for one in document["decided"]:
        mark = terminal.mark(one["outcome"])
        say(f"  {mark} {one['count']:,} {Kind(one['outcome']).value}: {one['reason']}\n")
    if document["to_send"]:
        say(f"  would take about {clock(document['estimate_s'])} ({document['assuming']})\n")
    if document["validated"] is not None:
        _show_validated(document["validated"], terminal)
    for sample in document["samples"]:
        _show_sample(sample, terminal)


def masked_sample(sample: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return a sample of a dry run with a mask in place of the token it is addressed to."""
    token = token_of(sample["path"], sample["body"].encode())
    if token is None:  # to a topic or a condition, which names nobody
        return dict(sample)
    hidden = mask(token, key)
    texts = {name: sample[name].replace(token, hidden) for name in ("token", "path", "body")}
    return {**sample, **texts}


def _show_sample(sample: Mapping[str, Any], terminal: Terminal) -> None:
    title = f"\n{sample['source']} through {sample['credential']}:"
    terminal.data(terminal.paint(printable(title.strip(), 400), "bold", out=True) + "\n")
    token = sample["token"]
    path = printable(sample["path"].replace(token, shorten_token(token)), 400)
    terminal.data(f"  POST https://{sample['authority']}{path}\n")
    fields: Sequence[tuple[str, str]] = sample["fields"]
    for name, value in fields:
        terminal.data(f"  {name}: {printable(value, 400)}\n")
    body = sample["body"].replace(token, shorten_token(token))
    for line in json.dumps(json.loads(body), ensure_ascii=False, indent=2).splitlines():
        text = line.lstrip(" ")  # printable() may strip: the indentation is put back
        indent = " " * (2 + len(line) - len(text))
        terminal.data(f"{indent}{printable(text, 4096)}\n")


def _show_validated(validated: Mapping[str, Any], terminal: Terminal) -> None:
    totals = validated["totals"]
    terminal.data(
        f"  FCM checked {_pushes(sum(totals.values()))} (validate_only; it cannot see APNs"
        f" tokens): {totals['accepted']:,} would be accepted\n"
    )
    for one in validated["reasons"]:
        case = f" ({one['case']})" if one["case"] else ""
        reason = printable(str(one["reason"]), 80)
        terminal.data(f"  {terminal.mark('rejected')} {one['count']:,} {reason}{case}\n")
    for problem in validated["problems"]:
        terminal.data(f"  {terminal.mark('rejected')} {printable(problem, 400)}\n")


def _pushes(number: int) -> str:
    return f"{number:,} push{'es' * (number != 1)}"
