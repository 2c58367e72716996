"""Settings, pushes and a recorder on real files, for the tests of the job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pushctl.config import ApnsKeySettings, CredentialSettings, FcmSettings, Settings
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import StopIf
from pushctl.job.recorder import Recorder, open_recorder_files
from pushctl.outcome import Environment, Kind, Outcome, Service, TokenAction
from pushctl.records.record import Address

ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
DEAD = Outcome(
    kind=Kind.REJECTED, status=410, reason="Unregistered", token_action=TokenAction.REMOVE
)
WRONG = Outcome(kind=Kind.REJECTED, status=400, reason="BadDeviceToken")


def ios_credential(name: str = "shop-ios", topic: str = "com.example.shop") -> ApnsKeySettings:
    """Return the settings of a push key."""
    return ApnsKeySettings(
        name=name,
        environment=Environment.PRODUCTION,
        topic=topic,
        key_id="ABC123DEFG",
        team_id="DEF123GHIJ",
        key_file=Path("AuthKey_ABC123DEFG.p8"),
    )


def fcm_credential(name: str = "shop-android") -> FcmSettings:
    """Return the settings of a service account."""
    return FcmSettings(name=name, service_account_file=Path("shop.json"))


def settings(*credentials: CredentialSettings, folder: Path = Path()) -> Settings:
    """Return settings with *credentials*."""
    return Settings(
        path=None,
        credentials={one.name: one for one in credentials},
        defaults={},
        bounce_log=folder / "bounces.jsonl",
        state_dir=folder / "state",
    )


def push(row: int, *, sent_at: float = 0.0) -> Push:
    """Return push *row*, sent once."""
    one = Push(row, row, b"/3/device/aa", (), b"%036d" % row, b"{}")
    one.attempts, one.sent_at = 1, sent_at
    return one


def address(row: int) -> Address:
    """Return whom push *row* goes to."""
    return Address(
        row=row,
        source=f"list.txt:{row}",
        profile=None,
        service=Service.APNS.value,
        platform="ios",
        credential="shop-ios",
        environment="production",
        topic="com.example.shop",
        token=f"{row:064x}",
    )


class Heard:
    """What a recorder told."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.records: list[dict[str, object]] = []

    def outcome(self, service: str | None, outcome: Outcome) -> None:
        """Hear of an outcome that was not accepted."""
        assert service == "apns"
        self.outcomes.append(outcome)


def recorder(folder: Path, heard: Heard, *, stop_if: StopIf | None = None) -> Recorder:
    """Return a recorder of a run called ``run``, whose clocks stand at noon."""
    journal, log = open_recorder_files(folder / "journal.jsonl", folder / "bounces.jsonl")
    journal.add_start("run", "boot")
    made = Recorder(
        journal,
        log,
        run="run",
        campaign=None,
        stop_if=stop_if,
        on_outcome=heard.outcome,
        on_record=heard.records.append,
        wall_clock=lambda: 43_200.0,
        clock=lambda: 0.0,
    )
    made.address_of = lambda _, one: address(one.row)
    return made


def rows_of(records: Sequence[dict[str, object]]) -> list[object]:
    """Return the rows of *records*."""
    return [record["row"] for record in records]
