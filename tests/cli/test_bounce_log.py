"""The bounce log of ``send``, and the folder of the run."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from cli.kit import Project, android, ios

KINDS = ("accepted", "rejected", "unknown", "not_sent", "skipped")
HELLO = ("--title", "Hello")
MIXED = (
    "token,profile,consent",
    f"{ios(1)},anna,true",
    f"{ios(1, 'de')},ben,true",
    f"{android(1)},carla,true",
    f"{android(1, 'GONE')},dora,true",
    f"{ios(2)},emil,false",
    ",fiona,true",
    "nil,gustav,true",
    f"{ios(1, 'cc')},hilde,true",
)


def mode(path: Path) -> int:
    """Return the permissions of *path*."""
    return stat.S_IMODE(path.stat().st_mode)


def send_mixed(project: Project, *arguments: str) -> None:
    """Send to an audience that meets every kind of outcome but not_sent."""
    project.write("list.csv", "\n".join(MIXED) + "\n")
    # One at a time: the connection that breaks must take nobody else's answer with it.
    one_by_one = ("--concurrency", "1")
    result = project.send("--tokens", "list.csv", *HELLO, *one_by_one, *arguments)
    assert 7 == result.exit_code


def test_there_is_one_line_for_each_rejected_and_no_other(project: Project) -> None:
    """Rejected, missing and malformed tokens have one line each; nobody else has one."""
    send_mixed(project)

    bounced = project.events("Bounced push")
    assert [
        ("ben", 410, "Unregistered", "remove"),
        ("dora", 404, "UNREGISTERED", "remove"),
        ("fiona", None, "MissingToken", "keep"),
        ("gustav", None, "InvalidToken", "suspect"),
    ] == sorted(
        (line["profile"], line["status"], line["reason"], line["token_action"]) for line in bounced
    )
    assert {"rejected"} == {line["outcome"] for line in bounced}


def test_a_bounce_line_is_the_record_of_stdout(project: Project) -> None:
    """A line of the bounce log is the same record that -o jsonl prints."""
    project.write("list.csv", "\n".join(MIXED) + "\n")

    records = project.records("--tokens", "list.csv", *HELLO, "--concurrency", "1")

    rejected = [record for record in records if record["outcome"] == "rejected"]
    assert rejected == sorted(project.events("Bounced push"), key=lambda line: line["row"])


def test_the_counts_of_the_log_add_up_to_the_totals(project: Project) -> None:
    """The "Push counts" of a run sum up to the totals of its "Run finished"."""
    send_mixed(project, "--campaign", "spring")

    counts = project.events("Push counts")
    (finished,) = project.events("Run finished")
    sums = {kind: sum(line[kind] for line in counts) for kind in KINDS}
    assert {"accepted": 2, "rejected": 4, "unknown": 1, "not_sent": 0, "skipped": 1} == sums
    assert finished["totals"] == sums
    assert list(range(1, len(counts) + 1)) == [line["seq"] for line in counts]
    assert {"spring"} == {line["campaign"] for line in (*counts, finished)}
    assert [
        "schema", "event", "run", "campaign", "service", "credential", "environment", "topic",
        "hour", "seq", *KINDS,
    ] == list(counts[0])  # fmt: skip


def test_the_counts_are_kept_apart_by_credential(project: Project) -> None:
    """Each "Push counts" line belongs to one service, credential, environment and topic."""
    send_mixed(project)

    accepted = {
        (line["service"], line["credential"], line["environment"], line["topic"]): line["accepted"]
        for line in project.events("Push counts")
        if line["accepted"]
    }
    assert {
        ("apns", "shop-ios", "production", "com.example.shop"): 1,
        ("fcm", "shop-android", None, None): 1,
    } == accepted


def test_two_runs_append(project: Project) -> None:
    """A second run adds its lines behind those of the first, which stay as they are."""
    assert 1 == project.send("--token", ios(1, "de"), *HELLO, "--run", "one").exit_code
    first = (project.folder / "bounces.jsonl").read_bytes()
    assert 1 == project.send("--token", ios(1, "bd"), *HELLO, "--run", "two").exit_code

    log = (project.folder / "bounces.jsonl").read_bytes()
    assert log.startswith(first)
    assert ["one"] * 3 + ["two"] * 3 == [line["run"] for line in project.bounce_log()]


def test_a_run_without_bounces_logs_its_counts(project: Project) -> None:
    """Rates can be computed from the log alone, so a clean run is in it too."""
    assert 0 == project.send("--token", ios(), *HELLO).exit_code

    assert ["Push counts", "Run finished"] == [line["event"] for line in project.bounce_log()]


def test_the_log_is_private(project: Project) -> None:
    """Tokens are personal data: log, journal and manifest have mode 0600, folders 0700."""
    send_mixed(project)

    assert 0o600 == mode(project.folder / "bounces.jsonl")
    (run,) = project.runs()
    assert {0o600} == {mode(path) for path in run.iterdir()}
    assert [0o700] * 3 == [mode(path) for path in (run, run.parent, run.parent.parent)]


def test_the_state_folder_hides_itself_from_git(project: Project) -> None:
    """The state folder beside the config holds a .gitignore that covers all of it."""
    assert 0 == project.send("--token", ios(), *HELLO).exit_code

    assert "*\n" == (project.folder / ".pushctl" / ".gitignore").read_text()


def test_the_log_may_lie_elsewhere(project: Project) -> None:
    """--bounce-log goes before the config's bounce_log, which goes before the default."""
    assert 1 == project.send("--token", ios(1, "de"), *HELLO, "--bounce-log", "a.jsonl").exit_code
    text = project.config.read_text() + "bounce_log: logs/b.jsonl\nstate_dir: state\n"
    project.write("pushctl.yaml", text)
    assert 1 == project.send("--token", ios(1, "de"), *HELLO).exit_code

    assert 3 == len(project.bounce_log("a.jsonl"))
    assert 3 == len(project.bounce_log("logs/b.jsonl"))
    assert not (project.folder / "bounces.jsonl").exists()
    assert 1 == len(list((project.folder / "state" / "runs").iterdir()))


def test_without_a_project_config_the_state_goes_to_the_users_folder(
    project: Project, tmp_path: Path
) -> None:
    """With the user's own config the log is in the working directory, the runs are not."""
    config = tmp_path / "home" / ".config" / "pushctl" / "config.yaml"
    config.parent.mkdir(parents=True)
    project.config.rename(config)

    assert 1 == project.send("--token", ios(1, "de"), *HELLO).exit_code

    assert 1 == len(project.events("Bounced push"))
    assert [] == project.runs()
    state = tmp_path / "home" / ".local" / "state" / "pushctl"
    assert 1 == len(list((state / "runs").iterdir()))


def test_the_manifest_tells_what_the_run_was(project: Project) -> None:
    """The manifest of a run names audience, consent, numbers and credentials."""
    send_mixed(project, "--campaign", "spring", "--run", "spring-1")

    (run,) = project.runs()
    manifest = json.loads((run / "manifest.json").read_text())
    assert "spring-1" == run.name == manifest["run"]
    assert ("spring", "recorded") == (manifest["campaign"], manifest["consent"])
    assert (8, 5) == (manifest["inputs"], manifest["to_send"])
    assert str(project.config) == manifest["config"]
    assert {
        "shop-ios": ("apns", "key SIMULATED1", 3),
        "shop-android": ("fcm", "service account push@simulated-shop", 2),
    } == {
        name: (one["service"], one["fingerprint"], one["recipients"])
        for name, one in manifest["credentials"].items()
    }


def test_a_410_older_than_the_registration_keeps_the_token(project: Project) -> None:
    """A token that the app registered again after the 410's time is not called dead."""
    rows = ("token,registered_at", f"{ios(1, 'de')},2099-01-01T00:00:00Z", f"{ios(2, 'de')},")
    project.write("list.csv", "\n".join(rows) + "\n")

    records = project.records("--tokens", "list.csv", *HELLO)

    assert ["keep", "remove"] == [record["token_action"] for record in records]
    assert ["Unregistered"] * 2 == [record["reason"] for record in records]


def test_a_log_that_cannot_be_opened_stops_the_send_before_its_first_push(project: Project) -> None:
    """Exit 74, nothing sent, and no run that only looks as if it had begun."""
    project.write("taken", "a file, no folder")

    result = project.send("--token", ios(1, "de"), *HELLO, "--bounce-log", "taken/b.jsonl")

    assert 74 == result.exit_code
    assert "could not make" in result.errors[0]
    assert [] == project.served.pushes
    assert [] == list((project.folder / ".pushctl" / "runs").iterdir())
