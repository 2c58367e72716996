"""
The one place where pushctl meets the terminal: what is shown, where, and how loudly.

Nothing that goes through here can drive the terminal: what could is written as JSON escapes it.
Data goes to stdout, talk to stderr.  A reader that closes stdout (``| head``) never stops a run:
writing simply ends.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import io
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TextIO

from pushctl.errors import Problem, PushctlError
from pushctl.rules.secrets import without_secrets
from pushctl.rules.text import inert, printable

if TYPE_CHECKING:
    from rich.console import Console

ColorChoice = Literal["auto", "always", "never"]

_PROBLEMS_MAX = 100
"""So many faults of a file are told at once."""
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}


@dataclasses.dataclass(slots=True)
class Terminal:
    """
    Streams and how to use them.  Made by :func:`open_terminal`; tests make their own.

    ``quiet``: 0 everything, 1 only results and failures, 2 nothing but the exit code.
    ``verbose``: 1 one line a push, 2 the wire.
    """

    stdout: TextIO
    stderr: TextIO
    out_is_tty: bool = False
    err_is_tty: bool = False
    in_is_tty: bool = False
    width: int = 80
    color_out: bool = False
    color_err: bool = False
    unicode: bool = True
    quiet: int = 0
    verbose: int = 0
    animate: bool = False
    may_ask: bool = False
    stdout_closed: bool = False

    def data(self, text: str, *, commands: bool = False) -> None:
        """
        Write *text*, made inert, to stdout; nothing at ``-qq`` or after stdout was closed.

        With *commands* it holds lines that a CI service is to obey.
        """
        if self.quiet >= 2 or self.stdout_closed:
            return
        try:
            self.stdout.write(inert(text, color=self.color_out, commands=commands))
            self.stdout.flush()
        except BrokenPipeError:
            self.stdout_closed = True
            _discard(self.stdout)
        except (
            OSError
        ) as error:  # a full disk behind a redirection, or stdout closed from the start
            self.stdout_closed = True
            _discard(self.stdout)
            self.warn(
                f"stdout cannot be written: {error.strerror}; the command goes on without it",
                hint="pushctl runs show -o jsonl prints a run's outcomes again",
            )

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """Write one line of talk to stderr; nothing when quiet."""
        if self.quiet == 0:
            self._err(self.paint(text, style))

    def warn(self, text: str, *, hint: str | None = None) -> None:
        """Write a warning to stderr; nothing when quiet."""
        if self.quiet == 0:
            self._err(f"{self.paint('warning:', 'yellow')} {_told(text)}")
            if hint:
                self._err(f"{self.paint('hint:', 'cyan')} {_told(hint)}")

    def next_step(self, command: str) -> None:
        """Say which command comes next; only to a person."""
        if self.quiet == 0 and self.err_is_tty:
            self._err(f"{self.paint('next:', 'cyan')} {command}")

    def error(self, error: PushctlError) -> None:
        """Write every problem of *error* to stderr, with place, source line and hint."""
        if self.quiet >= 2:
            return
        shown, left = error.problems[:_PROBLEMS_MAX], len(error.problems) - _PROBLEMS_MAX
        for problem in shown:
            self._problem(problem)
        if left > 0:
            self._err(f"{self.paint('error:', 'bold red')} and {left:,} more like these")
        for hint in dict.fromkeys(problem.hint for problem in shown if problem.hint):
            self._err(f"{self.paint('hint:', 'cyan')} {_told(hint)}")

    def trouble(self, lines: Iterable[str]) -> None:
        """Write *lines* to stderr as they are, but for what could drive the terminal."""
        if self.quiet < 2:
            for line in lines:
                self._err(line)

    def paint(self, text: str, style: str | None, *, out: bool = False) -> str:
        """Return *text* in *style* (words such as ``bold red``) where the stream takes colour."""
        if not style or not (self.color_out if out else self.color_err) or not text:
            return text
        codes = ";".join(_CODES[word] for word in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def mark(self, kind: str) -> str:
        """Return the mark of an outcome, readable without colour and without Unicode."""
        fancy = {"accepted": "✓", "rejected": "✗", "unknown": "?", "not_sent": "!", "skipped": "–"}
        plain = {"accepted": "+", "rejected": "x", "unknown": "?", "not_sent": "!", "skipped": "-"}
        return (fancy if self.unicode else plain).get(kind, " ")

    def console(self, *, out: bool, animated: bool = False) -> Console:
        """Return a rich console on stdout (*out*) or stderr; *animated* may move the cursor."""
        from rich.console import Console

        tty = self.out_is_tty if out else self.err_is_tty
        return Console(
            file=self.stdout if out else self.stderr,
            width=self.width if tty else max(self.width, 200),
            no_color=not (self.color_out if out else self.color_err),
            force_terminal=animated or (self.color_out if out else self.color_err),
            force_interactive=animated,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def _problem(self, problem: Problem) -> None:
        where = f"{_told(str(problem.place))}: " if problem.place else ""
        self._err(f"{self.paint('error:', 'bold red')} {where}{_told(problem.message)}")
        line, place = problem.source_line, problem.place
        if line is None or place is None or place.line is None:
            return
        clean, caret = excerpt(line, place.column)
        margin = f"{place.line} | "
        self._err(f"  {margin}{without_secrets(clean)}")
        if caret is not None:
            self._err(" " * (2 + len(margin) + caret) + self.paint("^", "bold red"))

    def ask(self, question: str) -> str:
        """Put *question* on stderr and return the line that is typed, without its line end."""
        self._err(question, end=" ")
        return sys.stdin.readline().strip()

    def _err(self, text: str, *, end: str = "\n") -> None:
        """Write *text* on one line, whatever is in it."""
        line = inert(text, color=self.color_err).replace("\n", " ")
        try:
            self.stderr.write(line + end)
            self.stderr.flush()
        except BrokenPipeError:
            _discard(self.stderr)


def _told(text: str) -> str:
    """Return *text*, which may quote what somebody pasted in the wrong place, as it is shown."""
    return printable(without_secrets(text), 4096)


def excerpt(line: str, column: int | None, width: int = 100) -> tuple[str, int | None]:
    """Return a showable part of *line* and where (from 0) its *column* (from 1) stands in it."""
    start = 0
    if column is not None and column > width - 20:
        start = column - width // 2
    part = line[start : start + width].rstrip().replace("\t", " ")
    text = part.lstrip()  # the blanks in front are kept: the caret counts them
    clean = " " * (len(part) - len(text)) + printable(text, width)
    if column is None:
        return clean, None
    return clean, min(max(column - 1 - start, 0), len(clean))


def open_terminal(
    environ: Mapping[str, str],
    *,
    quiet: int = 0,
    verbose: int = 0,
    color: ColorChoice = "auto",
    progress: str = "auto",
    no_input: bool = False,
) -> Terminal:
    """Return the terminal this process was started in, as *environ* and the options want it."""
    out_tty, err_tty = _isatty(sys.stdout), _isatty(sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ESCAPED)
    dumb = environ.get("TERM") == "dumb"
    size = shutil.get_terminal_size((80, 24))
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    animate = (
        err_tty
        and not dumb
        and not environ.get("CI")
        and quiet == 0
        and verbose == 0
        and progress == "auto"
    )
    return Terminal(
        stdout=sys.stdout,
        stderr=sys.stderr,
        out_is_tty=out_tty,
        err_is_tty=err_tty,
        in_is_tty=_isatty(sys.stdin),
        width=max(size.columns, 40),
        color_out=_wants_color(color, environ, out_tty and not dumb),
        color_err=_wants_color(color, environ, err_tty and not dumb),
        unicode="utf" in encoding,
        quiet=quiet,
        verbose=verbose,
        animate=animate,
        may_ask=_isatty(sys.stdin) and err_tty and not no_input,
    )


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return what the encoding cannot hold as JSON escapes it: JSON stays JSON."""
    import json

    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


_ESCAPED = "pushctl.escaped"
codecs.register_error(_ESCAPED, _escape)


def _wants_color(choice: ColorChoice, environ: Mapping[str, str], tty: bool) -> bool:
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return tty


def _isatty(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _discard(stream: TextIO) -> None:
    # The interpreter flushes stdout at exit; without this it would complain then.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
