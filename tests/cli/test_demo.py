"""``pushctl demo``: the main job with nothing to configure."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cli.kit import Result, run_cli
from pushctl import catalog

REASONS = {
    ("fiona", None, "MissingToken", "keep"),
    ("gustav", None, "InvalidToken", "suspect"),
    ("ben", 410, "Unregistered", "remove"),
    ("carla", 404, "UNREGISTERED", "remove"),
    ("dora", 400, "BadDeviceToken", "check-environment"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the demo was run in."""
    folder = tmp_path_factory.mktemp("demo") / "here"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def shown(place: Path) -> Result:
    """Return how the demo went."""
    return run_cli("demo", cwd=place)


def test_it_ends_well_and_quickly(place: Path) -> None:
    """The demo ends with exit 0 within the five seconds that it is allowed."""
    began = time.perf_counter()
    assert 0 == run_cli("demo", "--folder", "other", cwd=place).exit_code
    assert 5 > time.perf_counter() - began


def test_it_shows_each_outcome(shown: Result) -> None:
    """The table has two accepted devices of one profile, five rejected and two skipped."""
    assert 0 == shown.exit_code
    table = shown.stdout.partition("\n\n")[0].splitlines()[1:]
    assert ["anna", "anna", "ben", "carla", "dora", "emil", "fiona", "gustav", "hilde"] == [
        row.split()[2] for row in table
    ]
    assert [2, 5, 2] == [
        sum(word in row for row in table) for word in ("accepted", "rejected", "skipped")
    ]


def test_it_gives_each_rejection_its_documented_meaning(shown: Result) -> None:
    """Each rejection is followed by the vendor's own words for it, whole."""
    for service, name in (
        ("apns", "Unregistered"),
        ("apns", "BadDeviceToken"),
        ("fcm", "UNREGISTERED"),
        ("pushctl", "MissingToken"),
        ("pushctl", "InvalidToken"),
    ):
        reason = catalog.lookup(service, name)
        assert reason is not None
        assert f"    {reason.description}\n" in shown.stdout


def test_it_shows_the_bounce_log_that_it_wrote(shown: Result, place: Path) -> None:
    """The lines it shows are those of the file: one for each rejection."""
    text = (place / "pushctl-demo" / "bounces.jsonl").read_text(encoding="utf-8")
    log = [json.loads(line) for line in text.splitlines()]
    bounced = [line for line in log if line["event"] == "Bounced push"]
    assert {
        (line["profile"], line["status"], line["reason"], line["token_action"]) for line in bounced
    } == REASONS
    assert {"spring"} == {line["campaign"] for line in bounced}
    (head, lines) = shown.stdout.split("The bounce log, ")[1].split("):\n", 1)
    assert f"pushctl-demo/bounces.jsonl ({len(log)} lines" in head
    printed = [json.loads(line) for line in lines.split("\n\n")[0].splitlines()]
    by_row = sorted(bounced, key=lambda line: int(line["row"]))
    assert [line["profile"] for line in by_row] == [one["profile"] for one in printed]


def test_it_leaves_files_that_other_commands_can_use(shown: Result, place: Path) -> None:
    """The folder that it names holds config, credentials, profiles, message and the run."""
    folder = place / "pushctl-demo"
    assert {
        ".pushctl", "AuthKey_SIMULATED1.p8", "bounces.jsonl", "ca.pem", "message.yaml",
        "profiles.yaml", "pushctl.yaml", "service-account.json",
    } <= {path.name for path in folder.iterdir()}  # fmt: skip
    assert "pushctl-demo/" in shown.stdout
    result = run_cli(
        "send", "--config", "pushctl-demo/pushctl.yaml", "--profiles", "pushctl-demo/profiles.yaml",
        "--message", "pushctl-demo/message.yaml", "--dry-run", cwd=place,
    )  # fmt: skip
    assert 0 == result.exit_code
    assert "dry run: 5 of 9 would be sent" in result.stdout


def test_its_simulator_can_be_served_again(shown: Result, place: Path) -> None:
    """`pushctl simulate --folder` takes the demo's folder, as the demo says."""
    from pushctl.simulator.throwaway import claim_folder

    assert "pushctl simulate --folder pushctl-demo " in shown.stdout
    claim_folder(place / "pushctl-demo")


def test_a_second_demo_makes_a_second_folder(shown: Result, place: Path) -> None:
    """A second demo leaves the first one's files alone and says where its own are."""
    before = (place / "pushctl-demo/bounces.jsonl").read_bytes()

    second = run_cli("demo", cwd=place)

    assert "Everything is in pushctl-demo-2/" in second.stdout
    assert (place / "pushctl-demo-2/bounces.jsonl").exists()
    assert before == (place / "pushctl-demo/bounces.jsonl").read_bytes()


def test_a_folder_that_holds_files_is_refused(place: Path) -> None:
    """--folder with a folder that holds something is exit 3, and the folder stays as it is."""
    taken = place / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")

    result = run_cli("demo", "--folder", "taken", cwd=place)

    assert (3, ["taken exists already"]) == (result.exit_code, result.errors)
    assert ["mine.txt"] == [path.name for path in taken.iterdir()]


def test_everything_private_is_private(shown: Result, place: Path) -> None:
    """Keys and bounce log of the demo can be read by their owner alone."""
    folder = place / "pushctl-demo"
    private = ("AuthKey_SIMULATED1.p8", "service-account.json", "bounces.jsonl")
    assert {0o600} == {(folder / name).stat().st_mode & 0o777 for name in private}
