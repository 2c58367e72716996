"""``pushctl runs``: list, show, resume, check and prune, in every form of output."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from cli.kit import Project, Result, ios, run_cli
from pushctl.records.folder import find_run

HELLO = ("--title", "Hello")
TOTALS = {"accepted": 2, "rejected": 1, "unknown": 0, "not_sent": 0, "skipped": 0}


def runs(project: Project, *arguments: str, **more: object) -> Result:
    """Run ``pushctl runs`` with *arguments*."""
    return run_cli("runs", *arguments, cwd=project.folder, **more)  # type: ignore[arg-type]


@pytest.fixture
def sent(project: Project) -> Project:
    """Return a project with two runs: ``first`` to three tokens, ``second`` to one."""
    project.write("list.txt", "\n".join([ios(1), ios(2, "de"), ios(3)]) + "\n")
    assert 1 == project.send("--tokens", "list.txt", *HELLO, "--run", "first").exit_code
    second = ("--token", ios(9), *HELLO, "--run", "another", "--campaign", "spring")
    assert 0 == project.send(*second).exit_code
    return project


# -- list -----------------------------------------------------------------------------------------


def test_the_list_is_a_table_newest_first(sent: Project) -> None:
    """Each run has its start, its numbers and its state, whatever it is called."""
    lines = runs(sent, "list").stdout.splitlines()

    assert [
        "run", "started", "campaign", "state", "inputs", "left", "accepted", "rejected",
        "unknown", "not_sent", "skipped",
    ] == lines[0].split()  # fmt: skip
    assert ["another", "first"] == [line.split()[0] for line in lines[1:]]
    assert ["spring", "finished", "1", "0", "1", "0", "0", "0", "0"] == lines[1].split()[2:]
    assert ["finished", "3", "0", "2", "1", "0", "0", "0"] == lines[2].split()[2:]


def test_the_list_in_json(sent: Project) -> None:
    """``json`` is one array, ``jsonl`` the same objects one a line."""
    document = runs(sent, "list", "-o", "json").document
    lines = runs(sent, "list", "-o", "jsonl").stdout.splitlines()

    assert document == [json.loads(line) for line in lines]
    first = document[1]
    assert ("first", 3, 0, "finished", None) == tuple(
        first[name] for name in ("run", "inputs", "left", "state", "campaign")
    )
    assert TOTALS == first["totals"]


def test_the_list_in_csv(sent: Project) -> None:
    """``csv`` has a header and a row a run."""
    rows = list(csv.DictReader(io.StringIO(runs(sent, "list", "-o", "csv").stdout)))

    assert ["another", "first"] == [row["run"] for row in rows]
    assert ("3", "2", "1") == tuple(rows[1][name] for name in ("inputs", "accepted", "rejected"))


def test_without_a_run_the_list_is_empty(project: Project) -> None:
    """No runs are no error: stdout is empty, stderr says where was looked."""
    result = runs(project, "list")

    assert (0, "") == (result.exit_code, result.stdout)
    assert f"no runs in {project.folder / '.pushctl'}" in result.stderr
    assert [] == runs(project, "list", "-o", "json").document


def test_a_folder_that_is_no_run_spoils_nothing(sent: Project) -> None:
    """A damaged manifest is a run's own state; a file beside the folders is passed over."""
    folder = sent.folder / ".pushctl" / "runs"
    (folder / "notes.txt").write_text("hello")
    (folder / "first" / "manifest.json").write_text("{}")
    states = {run["run"]: run["state"] for run in runs(sent, "list", "-o", "json").document}

    assert {"another": "finished", "first": "damaged"} == states


# -- show -----------------------------------------------------------------------------------------


def test_show_tells_how_each_push_of_a_small_run_ended(sent: Project) -> None:
    """The table has the totals, a line a push and the reasons."""
    result = runs(sent, "show", "first")

    assert 0 == result.exit_code
    assert "run first, begun " in result.stdout
    assert "3 inputs: 2 accepted · 1 rejected" in result.stdout
    assert "Unregistered" in result.stdout
    assert "finished" in result.stdout.splitlines()[0]


def test_show_in_jsonl_is_what_send_said(project: Project) -> None:
    """The records of a run are those that were printed while it ran."""
    tokens = ("--token", ios(1), "--token", ios(2, "de"), "--token", ios(3, "bd"))
    sent = project.send(*tokens, *HELLO, "-o", "jsonl", "--campaign", "spring")
    shown = runs(project, "show", "last", "-o", "jsonl").records

    def without_time(records: list[dict[str, object]]) -> list[dict[str, object]]:
        # Accepted rows are kept in batches, so their time is that of the batch.
        return [{**record, "time": None} for record in records]

    assert without_time(sent.records) == without_time(shown)


def test_show_in_json_and_csv(sent: Project) -> None:
    """``json`` is the summary with the reasons, ``csv`` a row a push."""
    document = runs(sent, "show", "first", "-o", "json").document
    rows = list(csv.DictReader(io.StringIO(runs(sent, "show", "first", "-o", "csv").stdout)))

    assert TOTALS == document["totals"]
    assert [("Unregistered", 410, 1)] == [
        (reason["reason"], reason["status"], reason["count"]) for reason in document["reasons"]
    ]
    assert ["accepted", "rejected", "accepted"] == [row["outcome"] for row in rows]


def test_last_is_the_run_that_began_last(sent: Project) -> None:
    """``last`` goes by the time, not by the name."""
    assert "another" == runs(sent, "show", "last", "-o", "json").document["run"]


@pytest.mark.parametrize("command", ["show", "check", "resume"])
def test_a_run_that_does_not_exist_is_refused(sent: Project, command: str) -> None:
    """The error names the folder and how to find the right one."""
    result = runs(sent, command, "nothing")

    assert 3 == result.exit_code
    assert [f"there is no run 'nothing' in {sent.folder / '.pushctl'}"] == result.errors
    assert ["list them with: pushctl runs list"] == result.hints


@pytest.mark.parametrize("name", ["../first", ".hidden", "a/b", ""])
def test_a_run_id_is_no_path(sent: Project, name: str) -> None:
    """What could lead out of the folder of runs is a usage error."""
    assert 2 == runs(sent, "show", name).exit_code


def test_last_without_a_run_is_refused(project: Project) -> None:
    """There is nothing to resume."""
    result = runs(project, "resume", "last")

    assert (3, True) == (result.exit_code, "there are no runs in" in result.errors[0])


@pytest.mark.parametrize("command", [("list",), ("show", "first"), ("resume", "first")])
def test_an_unknown_form_of_output_is_a_usage_error(
    sent: Project, command: tuple[str, ...]
) -> None:
    """The forms that there are, are named."""
    result = runs(sent, *command, "-o", "xml")

    assert 2 == result.exit_code
    assert "table, json, jsonl, csv" in result.errors[0] + result.hints[0]


# -- check ----------------------------------------------------------------------------------------


def test_a_sound_run_passes_the_check(sent: Project) -> None:
    """Nothing on stdout, what was checked on stderr, exit code 0."""
    result = runs(sent, "check", "first")

    assert (0, "") == (result.exit_code, result.stdout)
    assert "first is sound" in result.stderr


def test_a_bounce_that_is_missing_in_the_log_is_found_and_mended(sent: Project) -> None:
    """The log is derived from the journal: a resume writes what is missing, once."""
    (sent.folder / "bounces.jsonl").unlink()
    result = runs(sent, "check", "first")
    assert (1, "first: 1 bounces are not in the bounce log yet; a resume adds them\n") == (
        result.exit_code,
        result.stdout,
    )

    for _ in range(2):
        assert 1 == runs(sent, "resume", "first").exit_code
        assert [2] == [line["row"] for line in sent.events("Bounced push")]
    assert 0 == runs(sent, "check", "first").exit_code


def test_a_number_that_does_not_add_up_is_found(sent: Project) -> None:
    """A manifest that tells of other inputs than the journal is not believed."""
    folder = find_run(sent.folder / ".pushctl", "first")
    manifest = folder.read_manifest()
    for inputs, words in ((2, "there are 2 inputs"), (7, "the accounting is off")):
        folder.write_manifest(manifest | {"inputs": inputs})
        result = runs(sent, "check", "first")
        assert 1 == result.exit_code
        assert words in result.stdout


# -- prune ----------------------------------------------------------------------------------------


def test_prune_deletes_what_is_old(sent: Project) -> None:
    """Only runs that began before the limit go; their ids are the output."""
    folder = sent.folder / ".pushctl" / "runs"
    first = find_run(sent.folder / ".pushctl", "first")
    first.write_manifest(first.read_manifest() | {"started": time.time() - 91 * 86400})

    result = runs(sent, "prune", "--older-than", "90d")

    assert (0, "first\n") == (result.exit_code, result.stdout)
    assert ["another"] == [entry.name for entry in folder.iterdir()]
    assert "deleted 1 runs" in result.stderr


def test_prune_keeps_away_from_links(sent: Project, tmp_path: Path) -> None:
    """A symbolic link in the folder of runs leads nowhere, and is not followed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("data")
    (sent.folder / ".pushctl" / "runs" / "link").symlink_to(elsewhere)

    assert 0 == runs(sent, "prune", "--older-than", "0").exit_code
    assert "data" == (elsewhere / "precious").read_text()


def test_a_wrong_age_is_a_usage_error(sent: Project) -> None:
    """The grammar is shown in the hint."""
    result = runs(sent, "prune", "--older-than", "soon")

    assert 2 == result.exit_code
    assert "--older-than 'soon' is no time" in result.errors[0]
