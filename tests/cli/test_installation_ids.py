"""Firebase installation ids (FIDs) beside registration tokens: sent, told, suppressed, masked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cli.kit import Project, Served, android, rules, run_cli
from pushctl.simulator import Rule, Script

FID = "cabcdefghijklmnopqrstu"
OTHER = "d-9_efghijklmnopqrstuv"
HELLO = ("--title", "Hello")


@pytest.fixture
def gone(served: Served) -> Iterator[None]:
    """Let FCM call :data:`FID` unregistered until the test is over."""
    served.simulator.add_rule(Rule(service="fcm", token=FID, answer="UNREGISTERED"))
    yield
    served.simulator.play(Script(rules=rules()))


def test_an_id_is_sent_as_one(project: Project) -> None:
    """--fid goes into `message.fid`, and the record says so, whatever form the id has."""
    records = project.records("--fid", FID, "--fid", "of-another-form", *HELLO)

    assert [("fid", FID, "--fid"), ("fid", "of-another-form", "--fid")] == [
        (one["target"], one["token"], one["source"]) for one in records
    ]
    assert [{"fid": FID}, {"fid": "of-another-form"}] == [
        {key: value for key, value in push.message.items() if key in ("fid", "token")}
        for push in project.served.pushes
    ]


def test_an_id_in_a_list_is_told_by_its_form(project: Project) -> None:
    """In a list of tokens an id goes out as an id, a registration token as a token."""
    project.write("list.csv", f"token\n{FID}\n{android(1)}\n{OTHER}\n")

    records = project.records("--tokens", "list.csv", *HELLO)

    assert ["fid", "token", "fid"] == [one["target"] for one in records]
    assert {"fid": FID} == {
        key: value
        for key, value in project.served.pushes[0].message.items()
        if key in ("fid", "token")
    }


def test_an_id_is_sent_to_once(project: Project) -> None:
    """Whether it was given by --fid, --token or in a list."""
    project.write("list.txt", f"{FID}\n")

    records = project.records(
        "--token", FID, "--fid", FID, "--tokens", "list.txt", "--fid", OTHER, *HELLO
    )

    assert [None, "Duplicate", None, "Duplicate"] == [one["reason"] for one in records]
    assert [FID, OTHER] == [push.message["fid"] for push in project.served.pushes]


@pytest.mark.usefixtures("gone")
def test_a_dead_id_is_removed_and_suppressed(project: Project) -> None:
    """UNREGISTERED kills an id as it kills a token: listed to delete, left out, masked."""
    (record,) = project.records("--fid", FID, *HELLO)
    dead = run_cli("bounces", "tokens", "-o", "jsonl", cwd=project.folder)
    again = project.records("--fid", FID, "--suppress", "bounces.jsonl", *HELLO)
    masked = project.records("--fid", FID, "--mask-tokens", *HELLO)

    assert ("remove", "fid") == (record["token_action"], record["target"])
    assert FID == json.loads(dead.stdout)["token"]
    assert [("skipped", "Suppressed")] == [(one["outcome"], one["reason"]) for one in again]
    assert FID not in json.dumps(masked)


def test_records_of_ids_are_a_list_again(project: Project) -> None:
    """What one send printed the next takes, ids as ids."""
    for form in ("jsonl", "csv"):
        first = project.send("--fid", FID, "--token", android(1), *HELLO, "-o", form)

        again = project.records(
            *("--tokens", "-", "--format", form, *HELLO), stdin=first.stdout.encode()
        )

        assert [("accepted", "token"), ("accepted", "fid")] == [
            (one["outcome"], one["target"]) for one in again
        ]


def test_a_run_remembers_its_ids(project: Project) -> None:
    """`runs show` tells the same of every row as the run itself did."""
    records = project.records("--fid", FID, "--token", android(1), *HELLO)

    shown = run_cli("runs", "show", "last", "-o", "jsonl", cwd=project.folder)

    assert [(one["target"], one["token"]) for one in records] == [
        (one["target"], one["token"]) for one in shown.records
    ]


@pytest.mark.parametrize("fid", ["", "a b", "null", "…"])
def test_what_is_no_id_is_never_sent(project: Project, fid: str) -> None:
    """A damaged id bounces here, and FCM is not asked."""
    (record,) = project.records("--fid", fid, *HELLO)

    assert "rejected" == record["outcome"]
    assert [] == project.served.pushes
