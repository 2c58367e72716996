"""Shows what a check found: for people, as JSON, as JUnit XML, as GitHub annotations."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from pushctl.check.step import Report, Step, Verdict
from pushctl.errors import ExitCode, Place
from pushctl.outcome import Service
from pushctl.rules.text import inert, printable
from pushctl.view.github import AnnotationLevel, annotation
from pushctl.view.terminal import Terminal

SCHEMA = 1
_STYLES = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.SKIPPED: "dim",
}
_MARKS = {
    Verdict.PASS: "✓+",
    Verdict.WARN: "!!",
    Verdict.FAIL: "✗x",
    Verdict.SKIPPED: "–-",
}
"""With Unicode, and without."""
_SERVICES = {Service.APNS: "APNs", Service.FCM: "FCM"}
_TEXT_WIDTH_MIN = 30
_ENDED = {
    ExitCode.OK: "good",
    ExitCode.FINDINGS: "good, with warnings",
    ExitCode.INVALID_INPUT: "invalid",
    ExitCode.CREDENTIALS_REFUSED: "refused",
    ExitCode.UNREACHABLE: "could not be told",
}


def show_check(
    reports: Sequence[Report], code: ExitCode, terminal: Terminal, output: str, *, offline: bool
) -> None:
    """Print *reports*, which lead to the exit *code*, in the form *output*."""
    match output:
        case "json":
            document = as_json(reports, code, offline=offline)
            terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        case "junit":
            terminal.data(as_junit(reports, warnings_fail=code is ExitCode.FINDINGS))
        case "github":
            terminal.data("".join(f"{line}\n" for line in as_github(reports)), commands=True)
        case _:
            _show_table(reports, terminal)


def summary(reports: Sequence[Report]) -> str:
    """Return a sentence on how many credentials ended how."""
    credentials = [report for report in reports if report.service is not None]
    counts = Counter(_ended(report) for report in credentials)
    number = f"{len(credentials)} credential{'s' * (len(credentials) != 1)}"
    return f"{number}: " + ", ".join(f"{count} {word}" for word, count in counts.items())


def _ended(report: Report) -> str:
    from pushctl.check.step import exit_code

    return _ENDED[exit_code([report], fail_on_warn=True)]


# -- for people -----------------------------------------------------------------------------------


def _show_table(reports: Sequence[Report], terminal: Terminal) -> None:
    names = [len(step.name) for report in reports for step in report.steps]
    layout = _Layout(terminal, name_width=max(names, default=0))
    for report in reports:
        steps = [step for step in report.steps if _is_worth_it(step, terminal)]
        if steps:
            terminal.data(terminal.paint(_title(report), "bold", out=True) + "\n")
        for step in steps:
            terminal.data("".join(f"{line}\n" for line in layout.lines(step)))


def _is_worth_it(step: Step, terminal: Terminal) -> bool:
    return not terminal.quiet or step.verdict in (Verdict.WARN, Verdict.FAIL)


def _title(report: Report) -> str:
    if report.service is None:
        return printable(report.name, 400)
    about = (
        " ".join(filter(None, (_SERVICES[report.service], report.environment))),
        report.topic or report.project_id,
        report.fingerprint,
    )
    return printable(f"{report.name}: {' · '.join(filter(None, about))}", 400)


class _Layout:
    """Lays steps out in columns; on a terminal the last one is wrapped to its width."""

    def __init__(self, terminal: Terminal, *, name_width: int) -> None:
        self._terminal = terminal
        self._name_width = name_width
        indent = 2 + 2 + len("skipped") + 2 + name_width + 2
        if terminal.out_is_tty and terminal.width - indent < _TEXT_WIDTH_MIN:
            indent = 6  # sentences stand below the names
        self._indent = indent
        self._width = terminal.width if terminal.out_is_tty else None

    def lines(self, step: Step) -> Iterator[str]:
        """Yield the lines of one step."""
        terminal = self._terminal
        mark = _MARKS[step.verdict][not terminal.unicode]
        verdict = f"{mark} {step.verdict.value:<7}"
        painted = terminal.paint(verdict, _STYLES[step.verdict], out=True)
        head = f"  {painted}  {step.name:<{self._name_width}}  "
        plain_width = len(head) - len(painted) + len(verdict)
        texts = list(self._wrapped(_sentence(step, verbose=terminal.verbose > 0)))
        if plain_width == self._indent and texts:
            yield head + texts.pop(0)
        else:
            yield head.rstrip()
        for text in texts:
            yield " " * self._indent + text
        arrow = "→" if terminal.unicode else "->"
        if step.verdict is Verdict.PASS:
            return
        for advice in step.advice:
            first, *rest = self._wrapped(f"{arrow} {printable(advice, 1000)}", hanging=2)
            yield " " * self._indent + first
            for text in rest:
                yield " " * self._indent + text

    def _wrapped(self, text: str, *, hanging: int = 0) -> list[str]:
        if self._width is None:
            return [text]
        return textwrap.wrap(
            text,
            max(self._width - self._indent, _TEXT_WIDTH_MIN),
            subsequent_indent=" " * hanging,
            break_on_hyphens=False,
        ) or [""]


def _sentence(step: Step, *, verbose: bool) -> str:
    parts = [printable(step.sentence, 2000)]
    if step.place is not None:
        parts.append(f"({printable(str(step.place), 400)})")
    if verbose and step.seconds is not None:
        parts.append(f"[{step.seconds * 1000:.0f} ms]")
    return " ".join(parts)


# -- for machines ---------------------------------------------------------------------------------


def as_json(reports: Sequence[Report], code: ExitCode, *, offline: bool) -> dict[str, Any]:
    """Return the document of ``-o json``; keys are only ever added."""
    return {
        "schema": SCHEMA,
        "verdict": Report(name="", steps=tuple(_all_steps(reports))).verdict.value,
        "exit_code": int(code),
        "offline": offline,
        "reports": [
            {
                "name": report.name,
                "service": report.service,
                "environment": report.environment,
                "topic": report.topic,
                "project_id": report.project_id,
                "fingerprint": report.fingerprint,
                "verdict": report.verdict.value,
                "place": _place(report.place),
                "steps": [_step_as_json(step) for step in report.steps],
            }
            for report in reports
        ],
    }


def _all_steps(reports: Sequence[Report]) -> Iterator[Step]:
    return (step for report in reports for step in report.steps)


def _step_as_json(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "verdict": step.verdict.value,
        "sentence": printable(step.sentence, 4096),
        "advice": [printable(advice, 4096) for advice in step.advice],
        "reason": step.reason,
        "exit_code": None if step.exit_code is None else int(step.exit_code),
        "place": _place(step.place),
        "seconds": None if step.seconds is None else round(step.seconds, 3),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column}


def as_junit(reports: Sequence[Report], *, warnings_fail: bool) -> str:
    """
    Return JUnit XML: a suite for each report, a case for each step.

    A ``failure`` is a credential that is no good, an ``error`` one that could not be judged.  A
    warning is a passed case with a ``system-out``, or a failure with *warnings_fail*.
    """
    root = ElementTree.Element("testsuites", name="pushctl check")
    for report in reports:
        suite = ElementTree.SubElement(root, "testsuite", name=_title(report))
        for step in report.steps:
            _add_case(suite, report, step, warnings_fail=warnings_fail)
        for attribute, element in (
            ("tests", "testcase"),
            ("failures", "testcase/failure"),
            ("errors", "testcase/error"),
            ("skipped", "testcase/skipped"),
        ):
            suite.set(attribute, str(len(suite.findall(element))))
        suite.set("time", f"{sum(step.seconds or 0 for step in report.steps):.3f}")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_case(
    suite: ElementTree.Element, report: Report, step: Step, *, warnings_fail: bool
) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=step.name,
        classname=printable(report.name, 400),
        time=f"{step.seconds or 0:.3f}",
    )
    if step.place is not None:
        case.set("file", printable(step.place.file, 4096))
        if step.place.line is not None:
            case.set("line", str(step.place.line))
    sentence = printable(step.sentence, 2000)
    whole = "\n".join((sentence, *(f"-> {printable(advice, 1000)}" for advice in step.advice)))
    if step.verdict is Verdict.SKIPPED:
        ElementTree.SubElement(case, "skipped", message=sentence)
    elif step.verdict is Verdict.FAIL:
        untold = step.exit_code is ExitCode.UNREACHABLE
        kind = step.reason or step.name
        fault = ElementTree.SubElement(
            case, "error" if untold else "failure", message=sentence, type=printable(kind, 200)
        )
        fault.text = whole
    elif step.verdict is Verdict.WARN and warnings_fail:
        fault = ElementTree.SubElement(case, "failure", message=sentence, type="warning")
        fault.text = whole
    elif step.verdict is Verdict.WARN:
        ElementTree.SubElement(case, "system-out").text = f"warning: {whole}"


def as_github(reports: Sequence[Report]) -> Iterator[str]:
    """
    Yield lines: workflow commands that GitHub Actions shows as annotations, and one a report.

    An annotation stands at the setting that is at fault, or else at the credential.
    """
    for report in reports:
        for step in report.steps:
            if step.verdict in (Verdict.WARN, Verdict.FAIL):
                yield _annotation(report, step)
        yield inert(f"{_title(report)}: {report.verdict.value}")


def _annotation(report: Report, step: Step) -> str:
    level: AnnotationLevel = "error" if step.verdict is Verdict.FAIL else "warning"
    place = step.place or report.place or Place("")
    # Each text is on one line; only the breaks that are meant come on top.
    lines = [printable(text, 2000) for text in (step.sentence, *step.advice)]
    return annotation(
        level,
        "\n".join([lines[0], *(f"→ {line}" for line in lines[1:])]),
        title=f"{report.name}: {step.name}",
        file=place.file or None,
        line=place.line,
        column=place.column,
    ).rstrip("\n")
