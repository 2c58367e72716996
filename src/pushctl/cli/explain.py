"""``pushctl explain``: what a reason, a status, an exit code or a whole answer means."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, BinaryIO

import typer

from pushctl import catalog
from pushctl.catalog import Reason, find
from pushctl.cli.common import (
    Color,
    ColorOption,
    ConfigOption,
    DebugOption,
    NoInputOption,
    Progress,
    ProgressOption,
    QuietOption,
    VerboseOption,
    choose_output,
    make_terminal,
    output_option,
)
from pushctl.errors import ExitCode, InvalidInput, Place, PushctlError, UsageError
from pushctl.view import explain as view
from pushctl.view.terminal import Terminal

OUTPUTS = ("table", "json", "markdown")
STDIN_BYTES_MAX = 1_048_576
_WIDTH_MAX = 100
_EXIT_CODE = re.compile(r"exit[ _-]?(?:code[ _-]?)?(\d{1,3})", re.I)
_STATUS = re.compile(r"(?:http[ _/-]?)?([1-5]\d\d)", re.I)

HELP = """
Say what a reason means, why it happens and what to do; offline.

REASON is a reason of APNs, FCM or Google's token endpoint in any case, an HTTP status (410), one
of pushctl's own reasons, or an exit code (74, exit-4). `-` reads a response body, a whole HTTP
response or a bounce-log line from stdin and explains that. Without REASON: the whole table.
"""
EPILOG = """
Examples:

  pushctl explain ExpiredToken

  pushctl explain 410 --service apns

  pushctl explain --search environment

  tail -1 bounces.jsonl | pushctl explain -

Exit codes: 0 explained, 1 unknown reason, 2 usage, 3 stdin is empty, too large or not UTF-8.
"""


class ServiceChoice(StrEnum):
    """Whose reasons are meant."""

    APNS = "apns"
    FCM = "fcm"
    GOOGLE = "google"
    OAUTH = "oauth"
    PUSHCTL = "pushctl"


class UnknownReason(PushctlError):
    """No table has a reason of that name."""

    exit_code = ExitCode.FINDINGS


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("explain", help=HELP, epilog=EPILOG)(explain)


def explain(
    reason: Annotated[
        str | None,
        typer.Argument(metavar="REASON", help="What to explain; `-` reads it from stdin."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search", metavar="WORD", help="List the reasons in whose text each word occurs."
        ),
    ] = None,
    service: Annotated[
        ServiceChoice | None, typer.Option("--service", help="Only reasons of this service.")
    ] = None,
    output: Annotated[
        str,
        output_option(*OUTPUTS),
    ] = "table",
    quiet: QuietOption = 0,
    verbose: VerboseOption = 0,
    debug: DebugOption = False,
    color: ColorOption = Color.AUTO,
    progress: ProgressOption = Progress.AUTO,
    no_input: NoInputOption = False,
    config: ConfigOption = None,
) -> None:
    """Answer with pages for what was named, or with a table for a list."""
    if reason is not None and search is not None:
        raise UsageError("REASON and --search exclude each other")
    show = _Show(
        make_terminal(quiet, verbose, color, progress, no_input), choose_output(output, OUTPUTS)
    )
    tables = find.SERVICE_GROUPS[service.value] if service is not None else None
    if search is not None:
        _explain_search(show, search, tables)
    elif reason is None:
        show.rows([row for row in catalog.all_reasons() if tables is None or row.service in tables])
    elif reason == "-":
        _explain_stdin(show, tables)
    else:
        _explain_name(show, reason, tables)


class _Show:
    """Writes pages or a table in the wanted form."""

    def __init__(self, terminal: Terminal, output: str) -> None:
        self.terminal = terminal
        self.output = output
        width = min(terminal.width, _WIDTH_MAX)
        self.page_style = view.Style(width if terminal.out_is_tty else None, terminal.color_out)
        self.table_style = view.Style(
            terminal.width if terminal.out_is_tty else None, terminal.color_out
        )

    def pages(
        self, pages: Callable[[], Sequence[view.Page]], objects: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Write *pages*, or *objects* with ``-o json``."""
        if self.output == "json":
            self._write(view.as_json(objects()))
        elif self.output == "markdown":
            self._write(view.as_markdown(pages()))
        else:
            self._write(view.as_text(pages(), self.page_style))

    def rows(self, rows: Sequence[Reason]) -> None:
        """Write *rows* as a table, or whole with ``-o json``."""
        if self.output == "json":
            self._write(view.as_json([view.reason_object(row) for row in rows]))
        elif self.output == "markdown":
            self._write(view.markdown_table(rows))
        else:
            self._write(view.table(rows, self.table_style))

    def _write(self, text: str) -> None:
        if not self.terminal.unicode:
            text = text.replace("…", "...").replace("·", "-").encode("ascii", "replace").decode()
        self.terminal.data(text)


def _explain_search(show: _Show, words: str, tables: frozenset[str] | None) -> None:
    rows = find.by_words(words, tables)
    if not rows:
        raise UnknownReason(f"no reason has {words!r} in its text")
    show.rows(rows)


def _explain_name(show: _Show, text: str, tables: frozenset[str] | None) -> None:
    code = _exit_code(text)
    if code is not None:
        show.pages(lambda: [view.exit_code_page(code)], lambda: [view.exit_code_object(code)])
        return
    status = _STATUS.fullmatch(text.strip())
    if status is not None:
        _explain_status(show, int(status[1]), tables)
        return
    rows = find.by_name(text, tables)
    if not rows:
        raise _unknown(text, tables)
    show.pages(lambda: view.pages_of(rows), lambda: [view.reason_object(row) for row in rows])


def _exit_code(text: str) -> ExitCode | None:
    """Return the exit code that *text* names: a bare number, or with the word before it."""
    match = _EXIT_CODE.fullmatch(text.strip())
    number = match[1] if match is not None else text.strip()
    return next((code for code in ExitCode if str(int(code)) == number), None)


def _explain_status(show: _Show, status: int, tables: frozenset[str] | None) -> None:
    """Say what the status alone means, then list every reason that comes with it."""
    rows = find.by_status(status, tables)
    services = _senders(status, rows, tables)
    alone = [] if 200 <= status < 300 else [catalog.by_status(name, status) for name in services]
    if show.output == "json":
        objects = [view.reason_object(row) for row in (*alone, *rows)]
        if not alone:
            objects.insert(0, view.accepted_object(services, status))
        show.pages(list, lambda: objects)
        return
    page = view.status_page(status, alone) if alone else view.accepted_page(services, status)
    show.pages(lambda: [page], list)
    if rows:
        show.terminal.data("\n")
        show.rows(rows)


def _senders(status: int, rows: Sequence[Reason], tables: frozenset[str] | None) -> list[str]:
    """Return the services whose word on the bare status matters: those that document it."""
    services = [name for name in ("apns", "fcm") if tables is None or name in tables]
    if tables is not None and "oauth" in tables:
        services.append("oauth")
    if status >= 500 or status < 300:
        return services
    documented = {find.group_of(row.service) for row in rows}
    return [name for name in services if name in documented] or services


def _explain_stdin(show: _Show, tables: frozenset[str] | None) -> None:
    from pushctl.gateway.recognise import recognise  # only an answer needs the readers

    if show.terminal.in_is_tty:
        show.terminal.say("reading an answer from the terminal; end with Ctrl-D")
    findings = recognise(_read_text(sys.stdin.buffer))
    if not findings:
        raise UnknownReason(
            "stdin holds no answer that pushctl knows",
            hint="it reads a response body, a whole HTTP response, an outcome record or a reason",
        )
    unknown = [found for found in findings if not found.rows and found.kind != "accepted"]
    if len(unknown) == len(findings) and unknown[0].reason is not None:
        raise _unknown(unknown[0].reason, tables)
    pages: list[view.Page] = []
    objects: list[dict[str, Any]] = []
    for found in findings:
        pages.append(view.finding_page(found))
        objects.append(view.finding_object(found))
        if found.kind == "accepted" and found.service in ("apns", "fcm"):
            pages.append(view.accepted_page([found.service], found.status))
        pages += view.pages_of(found.rows)
        objects += [view.reason_object(row) for row in found.rows]
    show.pages(lambda: pages, lambda: objects)


def _read_text(stream: BinaryIO) -> str:
    """
    Return the text on *stream*.

    :raises InvalidInput: if it is empty, over 1 MiB, or not UTF-8.
    """
    data = stream.read(STDIN_BYTES_MAX + 1)
    place = Place("-")
    if len(data) > STDIN_BYTES_MAX:
        raise InvalidInput("stdin is over 1 MiB: that is no single answer", place=place)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start]
        line = good.count(b"\n") + 1
        column = len(good[good.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        raise InvalidInput("stdin is not UTF-8", place=Place("-", line, column)) from None
    if not text.strip():
        raise InvalidInput("stdin is empty: there is no answer to explain", place=place)
    return text


def _unknown(text: str, tables: frozenset[str] | None) -> UnknownReason:
    near = find.nearest(text, tables)
    hint = f"did you mean {' or '.join(near)}?" if near else "`pushctl explain` lists them all"
    return UnknownReason(f"no reason is called {text!r}", hint=hint)
