"""``pushctl explain`` from its arguments to its exit code."""

import io
import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from pushctl import catalog
from pushctl.cli import explain as command
from pushctl.errors import ExitCode, InvalidInput, PushctlError, UsageError
from pushctl.view.terminal import Terminal

SAMPLES_FILE = pathlib.Path(__file__).parents[1] / "fixtures" / "protocol" / "answers.json"
SEED_ROWS = [reason for reason in catalog.all_reasons() if reason.in_seed]


def run(*arguments: str, stdin: str | bytes | None = None, **environ: str) -> Result:
    """Run the command in an app of its own."""
    app = typer.Typer(add_completion=False)
    command.register(app)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["explain", *arguments], input=stdin, env=environ)


def shown(*arguments: str, **more: Any) -> str:
    """Return what a successful run wrote to stdout."""
    result = run(*arguments, **more)
    assert 0 == result.exit_code, result.exception
    return result.stdout


def failed(*arguments: str, **more: Any) -> PushctlError:
    """Return the error of a run that must fail with one."""
    result = run(*arguments, **more)
    assert "" == result.stdout
    assert isinstance(result.exception, PushctlError)
    return result.exception


def objects(*arguments: str, **more: Any) -> list[dict[str, Any]]:
    """Return what a successful run wrote with ``-o json``."""
    read: list[dict[str, Any]] = json.loads(shown(*arguments, "-o", "json", **more))
    return read


def test_there_are_28_older_rows() -> None:
    """The next test speaks of 17 rows of APNs and 11 of FCM."""
    assert 28 == len(SEED_ROWS)


@pytest.mark.parametrize("reason", SEED_ROWS, ids=lambda row: f"{row.name}-{row.case}")
def test_an_older_text_is_printed_word_for_word_beside_the_current(
    reason: catalog.Reason,
) -> None:
    """`explain` prints the older table's text and the vendor's current one, each on one line."""
    for asked in filter(None, (reason.name, reason.case)):
        lines = shown(asked).splitlines()
        assert any(reason.description in line for line in lines)
        assert any(reason.seed_descriptions[0] in line for line in lines)


@pytest.mark.parametrize("text", ["ExpiredToken", "expiredtoken", "EXPIRED_TOKEN"])
def test_a_reason_is_found_in_any_case(text: str) -> None:
    """The command finds a reason however it is written."""
    assert shown(text).startswith("ExpiredToken\nAPNs · HTTP 410 · token\n")


def test_several_matches_are_shown_one_after_another() -> None:
    """A reason of several APIs gets a page for each, the device API's first."""
    titles = [line for line in shown("TooManyRequests").splitlines() if " · HTTP 429" in line]

    assert [
        "APNs · HTTP 429 · rate",
        "APNs broadcast and channels · HTTP 429 · rate",
        "Apple web push · HTTP 429 · rate",
    ] == titles


def test_a_service_narrows_what_is_shown() -> None:
    """With --service only that service's reasons count."""
    assert "Unregistered" not in shown("UNREGISTERED", "--service", "fcm").splitlines()
    assert ExitCode.FINDINGS is failed("BadDeviceToken", "--service", "fcm").exit_code


@pytest.mark.parametrize("text", ["410", "HTTP 410", "http-410"])
def test_a_status_lists_its_reasons(text: str) -> None:
    """A status is explained by itself, then every reason of it is listed."""
    output = shown(text)

    assert output.startswith("HTTP 410\n")
    assert "The device token is no longer active for the topic." in output
    assert "\nExpiredToken  apns" in output
    assert "\nUnregistered  apns" in output


@pytest.mark.parametrize(
    ("status", "services"),
    [
        ("400", ["apns", "fcm"]),
        ("410", ["apns"]),
        ("401", ["fcm"]),
        ("502", ["apns", "fcm"]),
        ("418", ["apns", "fcm"]),
    ],
)
def test_a_status_is_explained_for_the_services_that_document_it(
    status: str, services: list[str]
) -> None:
    """Only the word of a service that documents the status counts; of all, if none does."""
    statuses = [entry for entry in objects(status) if entry["kind"] == "status"]

    assert services == [entry["service"] for entry in statuses]


def test_a_status_can_be_narrowed() -> None:
    """The token endpoint's word on a status is given when it is asked for."""
    kinds = [(entry["kind"], entry["service"]) for entry in objects("401", "--service", "oauth")]

    assert ("status", "oauth") == kinds[0]
    assert {"oauth"} == {service for _, service in kinds}


def test_a_success_is_explained_as_acceptance() -> None:
    """200 says what accepted means, and that it is no delivery."""
    assert "not proof of delivery" in shown("200")
    assert "accepted" == objects("200")[0]["kind"]
    assert "not proof of delivery" not in shown("200", "--service", "pushctl")


@pytest.mark.parametrize("text", ["74", "exit-74", "exit 74", "Exit code 74"])
def test_an_exit_code_is_explained(text: str) -> None:
    """A bare number that is an exit code, or one with the word before it, is explained."""
    assert "Reading or writing failed" in shown(text)
    assert [{"kind": "exit-code", "code": 74, "meaning": ExitCode.IO.meaning}] == objects(text)


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_can_be_asked_for(code: ExitCode) -> None:
    """No exit code of pushctl is taken for anything else."""
    assert f"exit {int(code)}" == shown(str(int(code))).splitlines()[0]


@pytest.mark.parametrize("name", ["NoConsent", "MissingToken", "NoAnswer"])
def test_our_own_reasons_are_explained(name: str) -> None:
    """What pushctl itself writes into a record has a page."""
    assert shown(name).startswith(f"{name}\npushctl · ")


def test_a_typo_gets_the_nearest_match() -> None:
    """An unknown reason is an error with exit code 1 that names what was probably meant."""
    error = failed("BadDevceToken")

    assert ExitCode.FINDINGS is error.exit_code
    assert "no reason is called 'BadDevceToken'" == error.problems[0].message
    assert "did you mean BadDeviceToken" in (error.problems[0].hint or "")


@pytest.mark.parametrize("text", ["qqqqqqqqq", "exit-99", "999", ""])
def test_nonsense_gets_a_way_on(text: str) -> None:
    """Where nothing is near, the list of all reasons is named."""
    error = failed(text)

    assert ExitCode.FINDINGS is error.exit_code
    assert error.problems[0].hint


def test_without_an_argument_the_whole_table_is_shown() -> None:
    """Every row of the catalog stands in the table, one a line."""
    lines = shown().splitlines()

    assert 1 + len(catalog.all_reasons()) == len(lines)
    assert ["REASON", "SERVICE", "STATUS", "RETRY", "TOKEN", "MEANING"] == lines[0].split()
    assert len(catalog.all_reasons()) == len(objects())
    assert all(" oauth " in line for line in shown("--service", "oauth").splitlines()[1:])


def test_the_table_and_pages_can_be_markdown() -> None:
    """`-o markdown` gives a table without an argument and headings with one."""
    assert shown("-o", "markdown").startswith("| Reason | Service |")
    assert shown("BadTopic", "-o", "markdown").startswith("## BadTopic\n")
    assert "| ExpiredToken | apns | 410 |" in shown("410", "-o", "markdown")


def test_a_search_lists_what_it_finds() -> None:
    """`--search` lists the reasons with all the words in their texts, and fails if none has."""
    assert "BadEnvironmentKeyIdInToken" in shown("--search", "key environment")
    error = failed("--search", "qqqqqq")
    assert ExitCode.FINDINGS is error.exit_code


def test_a_reason_and_a_search_exclude_each_other() -> None:
    """Asking for two things at once is a usage error."""
    assert isinstance(failed("BadTopic", "--search", "topic"), UsageError)


def test_an_output_is_one_of_three() -> None:
    """An output that the command does not have is a usage error that lists those it has."""
    error = failed("BadTopic", "-o", "jsn")

    assert isinstance(error, UsageError)
    assert "table, json, markdown" in (error.problems[0].hint or "")
    assert "[" == shown("BadTopic", PUSHCTL_OUTPUT="json")[0]


def samples() -> list[Any]:
    """Return every sample whose answer was a rejection."""
    read = json.loads(SAMPLES_FILE.read_text("utf-8"))["answers"]
    return [
        pytest.param(sample, id=sample["id"])
        for sample in read
        if sample["expect"]["outcome"] == "rejected"
    ]


@pytest.mark.parametrize("sample", samples())
def test_every_sample_can_be_pasted(sample: dict[str, Any]) -> None:
    """A whole response from stdin is explained by the reason, case and status that it carries."""
    response, expect = sample["response"], sample["expect"]
    body = response["body"] if isinstance(response["body"], str) else json.dumps(response["body"])
    lines = [f"HTTP/2 {response['status']}"]
    lines += [f"{name}: {value}" for name, value in response["headers"] if name[0] != ":"]
    answer = objects("-", stdin="\n".join([*lines, "", body if response["body"] else ""]))[0]

    assert expect["status"] == answer["status"]
    assert expect.get("sub_case") or expect.get("oauth_case") == answer["case"]
    if "given_token_registered_at_ms" not in expect:
        assert answer["token_action"] in (None, expect["token_action"])


def test_a_body_from_stdin_is_explained_with_its_evidence() -> None:
    """For INVALID_ARGUMENT it is told which meaning fits the body, and what in it says so."""
    body = {
        "error": {
            "code": 400,
            "message": "Request contains an invalid argument.",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "message.android.ttl"}],
                }
            ],
        }
    }
    output = shown("-", stdin=json.dumps(body))

    assert "  Reason: INVALID_ARGUMENT, case bad_ttl\n" in output
    assert '  Told by: the field "message.android.ttl"\n' in output
    assert "\nINVALID_ARGUMENT (bad_ttl)\n" in output


def test_an_acceptance_from_stdin_is_explained() -> None:
    """An accepted record or answer is said to be accepted, and by whom."""
    record = {"schema": 1, "outcome": "accepted", "service": "apns", "reason": None, "status": 200}

    assert "Accepted by APNs" in shown("-", stdin=json.dumps(record))
    assert "accepted" in shown("-", stdin='{"access_token": "ya29.x"}')
    assert "ya29" not in shown("-", stdin='{"access_token": "ya29.x"}')


def test_an_unknown_reason_in_an_answer_gets_the_nearest() -> None:
    """A reason that no table has is reported as one that was typed would be."""
    error = failed("-", stdin='{"reason": "BadDevceToken"}')

    assert "did you mean BadDeviceToken" in (error.problems[0].hint or "")
    assert ExitCode.FINDINGS is failed("-", stdin="what is this?").exit_code


@pytest.mark.parametrize(
    ("stdin", "message", "place"),
    [
        (b"", "stdin is empty", "-"),
        (b" \n", "stdin is empty", "-"),
        (b"x" * 1_048_577, "over 1 MiB", "-"),
        ("a\nü".encode() + b"\xff", "not UTF-8", "-:2:2"),
    ],
)
def test_bad_input_is_one_clear_error(stdin: bytes, message: str, place: str) -> None:
    """Empty, oversized and undecodable input exits with 3 and says where the fault is."""
    error = failed("-", stdin=stdin)

    assert isinstance(error, InvalidInput)
    assert message in error.problems[0].message
    assert place == str(error.problems[0].place)


def test_a_person_at_a_terminal_is_told_what_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading from a terminal is announced on stderr, so that nobody waits for a hung program."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(stdout=out, stderr=err, in_is_tty=True, out_is_tty=True, width=60)
    monkeypatch.setattr(command, "make_terminal", lambda *_: terminal)

    assert 0 == run("-", stdin="Unregistered").exit_code
    assert "end with Ctrl-D" in err.getvalue()
    assert "What it means" in out.getvalue()


def test_an_ascii_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the terminal has no Unicode the text is written without it."""
    out = io.StringIO()
    terminal = Terminal(stdout=out, stderr=io.StringIO(), unicode=False)
    monkeypatch.setattr(command, "make_terminal", lambda *_: terminal)

    assert 0 == run("BadTopic").exit_code
    assert out.getvalue().isascii()
    assert "APNs - HTTP 400" in out.getvalue()


def test_explaining_imports_nothing_heavy() -> None:
    """Start-up is a feature: a page needs no library but the command line's own."""
    heavy = "{'yaml', 'httpx', 'h2', 'rich', 'cryptography', 'google', 'jinja2', 'duckdb'}"
    code = (
        "import sys, typer; from pushctl.cli import explain; app = typer.Typer(); "
        "explain.register(app); app(['ExpiredToken'], standalone_mode=False); "
        f"sys.stderr.write(repr(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stderr
