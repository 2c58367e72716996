"""No text of a server, a file, a profile or a name drives a terminal or forges a line."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given

from cli.kit import TOPIC, Project, Result, ios, run_cli
from hostile.commands import _ended
from hostile.texts import (
    HOSTILE,
    LONG,
    TOGETHER,
    any_text,
    commands,
    driving,
    forged,
    formulas,
    hostile_text,
)
from pushctl.errors import Place, Problem, PushctlError
from pushctl.records.record import FIELDS, to_line
from pushctl.rules.text import inert, json_string
from pushctl.simulator import Rule, Say, Script
from pushctl.view.outcomes import CsvWriter, csv_cell
from pushctl.view.terminal import Terminal

EVERYTHING = "\n".join(HOSTILE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What no id of a profile may hold: such a profile is refused with its place."""

# -- the one door ---------------------------------------------------------------------------------


@given(text=hostile_text)
def test_nothing_that_goes_through_the_terminal_can_drive_it(text: str) -> None:
    """Whatever a view hands over: no control or bidi character, and talk is one line each."""
    for color in (False, True):
        out, err = io.StringIO(), io.StringIO()
        terminal = Terminal(out, err, color_out=color, color_err=color, err_is_tty=True)
        problem = Problem(text, Place(text, 1, 2), text, text)
        terminal.data(text)
        terminal.say(text, style="dim")
        terminal.warn(text, hint=text)
        terminal.next_step(text)
        terminal.trouble([text])
        terminal.error(PushctlError(problems=[problem]))

        shown = out.getvalue() + err.getvalue()
        assert [] == driving(shown, color=color)
        assert [] == commands(shown)
        assert err.getvalue().count("\n") == (9 if text else 7)  # an empty hint is not shown


@given(text=any_text)
def test_what_is_made_inert_is_the_same_json(text: str) -> None:
    """Escaping loses nothing: a reader of the JSON has the very text, surrogates included."""
    document = json.dumps({"a": text, text: [text]}, ensure_ascii=False, indent=1)

    assert {"a": text, text: [text]} == json.loads(inert(document))
    assert text == json.loads(json_string(text))
    assert [] == driving(json_string(text))


@given(text=hostile_text)
def test_no_cell_is_a_formula(text: str) -> None:
    """Wherever a spreadsheet cuts cells, none begins as a formula does; and a row is a line."""
    record = dict.fromkeys(FIELDS, text) | {"row": 1, "schema": 1}
    out = io.StringIO()
    CsvWriter(Terminal(out, io.StringIO())).write([record])

    shown = out.getvalue()
    assert [] == [cell for cell in formulas(shown) if cell != text]  # a token stays what it is
    assert 2 == shown.count("\n")
    assert [] == driving(shown) + commands(shown)
    assert [] == [*formulas(str(csv_cell(text)))]


@given(text=hostile_text)
def test_a_record_is_one_line(text: str) -> None:
    """In the bounce log and in JSON lines: one line, nothing in it drives, and nothing is lost."""
    record = dict.fromkeys(FIELDS, text) | {"row": 1, "schema": 1, "status": 400, "attempts": 1}
    record["latency_ms"] = None
    line = to_line(record)

    assert 1 == len(line.splitlines())
    assert [] == driving(line)
    assert record == json.loads(line)


# -- all of it at once ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """Return hostile names of files."""
    joined = "".join(HOSTILE[:3]).replace("/", "_").replace("\0", "")
    return {
        "profiles": f"p{joined[:90]}.yaml",
        "list": "x\nerror: FORGED\n::error::FORGED\u202e.csv",
        "config": "c\x1b[2J\x9b2J\r\nerror: FORGED\u2028FORGED.yaml",
        "log": "b\x1b]52;c;x\x07\nFORGED\u202e.jsonl",
        "missing": os.fsdecode(b"\xff\xfe\x1b[31m\nFORGED"),
    }


@pytest.fixture
def besieged(project: Project, names: dict[str, str]) -> Project:
    """Return a project in which every name and text is hostile, and so are both services."""
    answers = [
        Say(
            status=400,
            body=json.dumps({"reason": text, "error": {"code": 400, "message": text}}).encode(),
            fields=(("apns-id", "".join(c for c in text if " " <= c <= "~")[:200]),),
        )
        for text in (*HOSTILE, LONG)
    ]
    rules = [
        Rule(pattern=pattern, service=service, answer=answer)
        for number, answer in enumerate(answers)
        for service, pattern in (("apns", f"*{number:04x}"), ("fcm", f"*{number:04d}:*"))
    ]
    project.served.simulator.play(Script(rules=tuple(rules)))
    profiles = [
        {
            "id": f"{text}{number}",
            "consent": True,
            "attributes": {"name": text, text or "x": text},
            "tokens": [
                {"platform": "ios", "token": f"{'ab' * 30}{number:04x}"},
                {"platform": "android", "token": f"dTok{number:04d}:APA91bInvented{'x' * 30}"},
                {"platform": "ios", "token": text},
                {"platform": "android", "token": text},
            ],
        }
        for number, text in enumerate(text for text in HOSTILE if "\0" not in text)
    ]
    project.write(names["profiles"], json.dumps({"profiles": profiles}))
    project.write(names["list"], 'token,"=1+1",x\n"=cmd|x!A1","\x1b[2J",@x\n' + f"{ios(1)},a,b\n")
    text = project.config.read_text()
    project.write(names["config"], f"bounce_log: {json.dumps(names['log'])}\n{text}")
    return project


def judged(result: Result, *, color: bool = False, annotations: bool = False) -> list[str]:
    """Return what in *result* would be obeyed by a terminal or a CI service, or is forged."""
    shown = result.stdout + result.stderr
    found = driving(shown, color=color) + forged(shown)
    return found if annotations else found + commands(shown)


def test_a_run_in_which_everything_is_hostile(besieged: Project, names: dict[str, str]) -> None:
    """Each command that shows it, in each output, on a terminal and in a pipe: nothing obeys."""
    who = ("--profiles", names["profiles"], "--config", names["config"])
    what = ("--title", "Hi {{ name }}", "--stop-if", "never", "--run", "r1")
    sent = besieged.send(*who, *what, "--campaign", EVERYTHING, "-o", "jsonl", "-vv")
    assert [] == judged(sent)
    assert sent.exit_code in (1, 7)
    texts = enumerate(text for text in HOSTILE if "\0" not in text)
    whole = {f"{text}{number}" for number, text in texts if not _CONTROL.search(text)}
    assert {*whole, None} == {record["profile"] for record in sent.records}
    assert {EVERYTHING} == {record["campaign"] for record in sent.records}

    log, journal = besieged.folder / names["log"], besieged.runs()[0] / "journal.jsonl"
    for file in (log, journal, besieged.runs()[0] / "manifest.json"):
        assert [] == driving(file.read_text("utf-8")), file
    for line in log.read_text("utf-8").splitlines():
        assert isinstance(json.loads(line), dict)

    for arguments in _views(names):
        _look(besieged, (*arguments, "--config", names["config"]))


def _views(names: dict[str, str]) -> Iterator[tuple[str, ...]]:
    yield from (("runs", "list", "-o", form) for form in ("table", "json", "jsonl", "csv"))
    for form in ("table", "json", "jsonl", "csv", "html"):
        yield ("runs", "show", "r1", "-o", form)
    yield from (("bounces", "list", "-o", form) for form in ("table", "json", "jsonl", "csv"))
    yield ("bounces", "list", "--fields", "campaign,reason,detail,profile,token", "-o", "csv")
    for form in ("table", "json", "csv", "markdown", "html"):
        yield ("bounces", "report", "--by", "campaign", "--by", "reason", "-v", "-o", form)
    yield ("bounces", "report")
    yield from (("bounces", "follow", "--lines", "100", "-o", form) for form in ("table", "jsonl"))
    yield from (("bounces", "tokens", "--suspect", "-o", form) for form in ("csv", "jsonl"))
    yield from (("config", "show", "-o", form) for form in ("table", "json"))
    yield ("config", "path")
    yield from (("check", "--offline", "-o", form) for form in ("table", "json", "junit", "github"))
    yield ("runs", "check", "r1")


def _look(project: Project, arguments: tuple[str, ...]) -> None:
    """Run *arguments*; judge what is shown in a pipe, and tables on a terminal with colour."""
    form = arguments[arguments.index("-o") + 1] if "-o" in arguments else "table"
    with _ended():
        piped = run_cli(*arguments, cwd=project.folder)
        if form == "table":
            seen = run_cli(*arguments, cwd=project.folder, tty=True, env={"TERM": "xterm"})
            assert [] == judged(seen, color=True), arguments
    assert 70 != piped.exit_code, arguments
    assert [] == judged(piped, annotations=form == "github"), arguments
    if form == "csv":
        token_like = [cell for cell in formulas(piped.stdout) if not cell.startswith("-")]
        assert [] == token_like, arguments
    elif form in ("json", "jsonl"):
        text = piped.stdout.strip()
        assert [json.loads(part) for part in (text.splitlines() if form == "jsonl" else [text])]
    elif form == "junit":
        ElementTree.fromstring(piped.stdout.encode())


LISTS = ("table", "json", "csv", "github")


@pytest.mark.parametrize("form", LISTS)
def test_lists_that_are_hostile(besieged: Project, names: dict[str, str], form: str) -> None:
    """tokens check tells of hostile files, columns, ids and tokens without obeying them."""
    for file in (names["list"], names["profiles"], names["missing"]):
        result = run_cli("tokens", "check", file, "-o", form, cwd=besieged.folder)

        assert [] == judged(result, annotations=form == "github")
        assert 70 != result.exit_code
        if form == "github":
            foreign = [line for line in commands(result.stdout) if not _is_ours(line)]
            assert [] == foreign
        if form == "csv":
            assert [] == [*formulas(result.stdout)]


def _is_ours(line: str) -> bool:
    return line.startswith(("::error ", "::warning ", "::notice ", "::error::", "::warning::"))


@pytest.mark.parametrize("option", ["--profiles", "--tokens", "--message", "--payload", "--config"])
@pytest.mark.parametrize("text", TOGETHER, ids=range(len(TOGETHER)))
def test_errors_that_name_hostile_files(project: Project, option: str, text: str) -> None:
    """A file that is not there is named in one line of error, whatever its name."""
    name = text.replace("\0", "")
    result = project.send("--token", ios(), "--title", "x", option, name)

    assert [] == judged(result)
    assert 1 == len(result.errors)
    assert result.exit_code in (2, 3)


@pytest.mark.parametrize("text", TOGETHER, ids=range(len(TOGETHER)))
def test_a_config_of_hostile_values(project: Project, text: str) -> None:
    """Names of credentials, fields and their values: each fault is told in a line of its own."""
    quoted = json.dumps(text)
    known = project.config.read_text()
    for content in (
        known.replace("shop-ios:", f"{quoted}:"),
        known.replace(f"topic: {TOPIC}", f"topic: {quoted}"),
        f"{quoted}: 1\n{known}",
        known.replace("environment: production", f"environment: {quoted}"),
        f"state_dir: {quoted}\n{known}",
        text + known,
    ):
        project.write("pushctl.yaml", content.encode("utf-8", "surrogatepass"))
        for arguments in (
            ("send", "--token", ios(), "--title", "x"),
            ("config", "show", "-o", "json"),
            ("check", "--offline", "-o", "junit"),
            ("check", "--offline", "-o", "github"),
        ):
            result = run_cli(*arguments, cwd=project.folder)

            assert [] == judged(result, annotations="github" in arguments), content[:200]
            assert 70 != result.exit_code


@pytest.mark.parametrize("text", [*TOGETHER, LONG[:4000]], ids=range(len(TOGETHER) + 1))
def test_hostile_options(project: Project, text: str) -> None:
    """What is typed is quoted without obeying it."""
    clean = text.replace("\0", "")
    for arguments in (
        ("send", "--token", clean, "--title", "x"),
        ("send", "--token", ios(), "--title", "x", "--campaign", clean, "-v"),
        ("send", "--token", ios(), "--title", "x", "--run", clean),
        ("send", "--token", ios(), "--title", "x", "--collapse-id", clean),
        ("send", "--fcm-topic", clean, "--title", "x"),
        ("send", "--token", ios(), "--title", "x", "--where", clean),
        ("explain", clean),
        ("explain", "--search", clean),
        ("bounces", "list", "--campaign", clean, "--reason", clean),
        ("runs", "show", clean),
        ("help", clean),
        (clean,),
        ("send", clean),
    ):
        result = run_cli(*arguments, cwd=project.folder)

        assert [] == judged(result), arguments
        assert 70 != result.exit_code, arguments


def test_what_a_foreign_log_says(project: Project) -> None:
    """A bounce log that somebody else wrote, hostile in every field, is only text."""
    lines = []
    for number, text in enumerate(HOSTILE):
        record = dict.fromkeys(FIELDS, text) | {
            "schema": 1, "row": number, "event": "Bounced push", "outcome": "rejected",
            "service": "apns", "target": "token", "status": 410, "reason": f"{text}",
            "time": "2026-11-20T01:00:00Z", "token_action": "remove", "retryable": "no",
            "attempts": 1, "latency_ms": 1,
        }  # fmt: skip
        lines.append(json.dumps(record))
    project.write("foreign.jsonl", "\n".join(lines) + "\n" + EVERYTHING + "\n")
    for arguments in (
        *(("bounces", "list", "foreign.jsonl", "-o", form) for form in ("table", "json", "csv")),
        ("bounces", "list", "foreign.jsonl", "--fields", "token,reason,profile", "-o", "table"),
        *(("bounces", "tokens", "foreign.jsonl", "-o", form) for form in ("csv", "jsonl")),
        *(("bounces", "report", "foreign.jsonl", "-o", form) for form in ("table", "markdown")),
        ("bounces", "follow", "foreign.jsonl", "--lines", "99"),
    ):
        _look(project, arguments)
    explained = run_cli("explain", "-", cwd=project.folder, stdin=lines[4].encode())
    assert [] == judged(explained)


def test_goaway_and_fields_that_are_hostile(project: Project) -> None:
    """The debug data of GOAWAY and header values are shown on one line each, with -vv, too."""
    from pushctl.simulator import GoAway

    debug = EVERYTHING.encode("utf-8", "replace")
    fields = (("x-odd", "\x9b2J\x85\x7f".encode("latin-1").decode("latin-1")),)
    rules = (
        Rule(pattern="*1", service="apns", answer=GoAway(last_stream="previous", debug=debug)),
        Rule(pattern="*2", service="apns", answer=Say(status=400, body=debug, fields=fields)),
    )
    project.served.simulator.play(Script(rules=rules))

    result = project.send(
        "--token", ios(1), "--token", ios(2), "--title", "x", "-vv", "--retry-for", "0"
    )

    assert [] == judged(result)
    assert result.exit_code in (1, 5, 7)
