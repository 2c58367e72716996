"""Looks at audience files as a send would, sends nothing, and says what is wrong with them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pushctl.audience import Audience
from pushctl.audience.checking import (
    MEANINGS,
    Fault,
    Finding,
    ListCheck,
    Spot,
    devices_twice,
    fault_of,
    kinds_of_token,
)
from pushctl.audience.parts import attributes_of
from pushctl.audience.prepare import prepare
from pushctl.audience.prepared import COLUMNS, Prepared, Tuple
from pushctl.errors import StorageError
from pushctl.job.messages import Messages
from pushctl.message.compile import CompiledMessage
from pushctl.message.content import MissingAttribute, PayloadTooLarge
from pushctl.outcome import Platform, Service

_ROWS_AT_ONCE = 4096
_SOURCE, _TOKEN = COLUMNS.index("source"), COLUMNS.index("token")
_SERVICE, _PLATFORM = COLUMNS.index("service"), COLUMNS.index("platform")
_PROFILE, _ATTRIBUTES = COLUMNS.index("profile"), COLUMNS.index("attributes")
_REASON = COLUMNS.index("verdict_reason")


OnSpot = Callable[[Spot], None]
OnProgress = Callable[[str, int, int], None]
"""Takes what is done, how many rows of it, and of how many."""


def check_list(
    audience: Audience,
    *,
    messages: Messages | None = None,
    require_consent: bool = False,
    spots_kept: int = 5,
    on_spot: OnSpot = lambda _: None,
    on_progress: OnProgress = lambda *_: None,
) -> ListCheck:
    """
    Return what is wrong with *audience*, in memory that does not grow with it.

    Parameters
    ----------
    messages
        What is to be sent: whom it cannot be filled for is found, by filling it for everybody.
    require_consent
        Whether files that record no consent are wrong.
    spots_kept
        How many rows of each finding are kept; *on_spot* gets every one.

    Raises
    ------
    InvalidInput
        A file has changed since *audience* was opened, or the message is wrong for a service.
    StorageError
        There is no room for a copy of the audience in the folder for temporary files.
    """
    check = ListCheck(audience.description, audience.consent)
    with tempfile.TemporaryDirectory(prefix="pushctl-") as folder:
        prepared = _prepared(audience, Path(folder), on_progress)
        looker = _Looker(check, spots_kept, on_spot)
        looker.look_at_files(audience, require_consent=require_consent)
        looker.look_at_kinds(prepared)
        fills = {} if messages is None else looker.look_at_message(prepared, messages)
        looker.look_at_rows(prepared, fills, on_progress)
        looker.look_at_devices(prepared)
    return check


def _prepared(audience: Audience, folder: Path, on_progress: OnProgress) -> Prepared:
    total = audience.total
    try:
        return prepare(audience, folder, on_progress=lambda done: on_progress("read", done, total))
    except StorageError as error:
        raise StorageError(str(error), hint="set TMPDIR to a folder with more room") from None


class _Looker:
    """Gathers findings."""

    def __init__(self, check: ListCheck, spots_kept: int, on_spot: OnSpot) -> None:
        self._check = check
        self._spots_kept = spots_kept
        self._on_spot = on_spot
        self._odd: dict[tuple[str, str], Fault] = {}
        """What is odd about rows of a platform and a service."""

    def look_at_files(self, audience: Audience, *, require_consent: bool) -> None:
        """Find files that say nothing of consent."""
        name = "consent-required" if require_consent else "consent-not-recorded"
        for shown in audience.without_consent:
            self._add_whole(
                name, f"{shown} records no consent: whoever sends vouches for it", count=1
            )

    def look_at_kinds(self, prepared: Prepared) -> None:
        """Find tokens that do not fit their platform, and count who delivers."""
        for (service, *_), number in prepared.tallies().sendable.items():
            self._check.sendable[Service(service)] += number
        kinds = kinds_of_token(prepared)
        for platform in (Platform.ANDROID, Platform.WEB):
            self._odd[platform, Service.APNS] = Fault(
                "wrong-platform",
                f"the platform is {platform}, and the token goes to APNs, which serves no such"
                " device",
            )
        devices = kinds[Platform.IOS, Service.APNS]
        registrations = kinds[Platform.IOS, Service.FCM]
        if devices and registrations:
            self._odd[Platform.IOS, Service.FCM] = Fault(
                "two-kinds-for-ios",
                "an FCM token, where other tokens for iOS are device tokens: an app is reached"
                f" through one of the two (device tokens: {devices:,}, FCM: {registrations:,})",
            )
        elif registrations:
            text = "iOS devices have FCM tokens: right for an app that uses Firebase"
            self._add_whole("fcm-for-ios", text, count=registrations)
        if self._check.sendable[Service.APNS] and self._check.sendable[Service.FCM]:
            text = "tokens of both services: each goes to its own, and both credentials are needed"
            self._add_whole("both-services", text, count=self._check.sendable.total())

    def look_at_message(
        self, prepared: Prepared, messages: Messages
    ) -> Mapping[str, CompiledMessage]:
        """Find attributes that nobody has; return the messages that must be filled, by service."""
        compiled = {}
        filled = prepared.tallies().attributes
        for service in sorted(self._check.sendable):
            message = messages.of(service)
            for name in sorted(message.placeholders - filled.get(service, frozenset())):
                text = f"the message needs `{name}`, and no {service} recipient has it"
                self._add_whole("no-such-attribute", text, count=1)
            if not message.uniform:
                compiled[service.value] = message
        return compiled

    def look_at_rows(
        self, prepared: Prepared, fills: Mapping[str, CompiledMessage], on_progress: OnProgress
    ) -> None:
        """Find what is wrong with rows, one by one."""
        self._check.rows = prepared.total
        for batch in prepared.batches(_ROWS_AT_ONCE):
            for row in batch:
                if row[_REASON] is not None:
                    fault = fault_of(row)
                else:
                    fault = self._odd.get((row[_PLATFORM], row[_SERVICE]))
                    if fills and fault is None:
                        fault = _unfilled(row, fills)
                if fault is not None:
                    place = row[_SOURCE], row[_PROFILE], row[_TOKEN]
                    self._add(Spot(*place, fault.name, fault.detail))
            on_progress("checked", batch[-1][0], prepared.total)

    def look_at_devices(self, prepared: Prepared) -> None:
        """Find people whose device may get each push twice."""
        if "two-kinds-for-ios" not in self._check.findings:
            return
        for profile, apns, fcm in devices_twice(prepared):
            text = f"the FCM token is at {fcm}"
            self._add(Spot(apns, profile, None, "same-device-twice", text))

    def _add(self, spot: Spot) -> None:
        finding = self._check.findings.get(spot.name)
        if finding is None:
            detail = MEANINGS.get(spot.name, spot.detail)
            finding = self._check.findings[spot.name] = Finding(spot.name, detail)
        finding.count += 1
        if len(finding.spots) < self._spots_kept:
            finding.spots.append(spot)
        self._on_spot(spot)

    def _add_whole(self, name: str, detail: str, *, count: int) -> None:
        finding = self._check.findings.setdefault(name, Finding(name, detail))
        if finding.count:
            finding.detail = f"{finding.detail}; {detail}"
        finding.count += count


def _unfilled(row: Tuple, fills: Mapping[str, CompiledMessage]) -> Fault | None:
    """Return why the message cannot be filled for *row*, or ``None``."""
    message = fills.get(row[_SERVICE])
    if message is None:
        return None
    try:
        message.render(attributes_of(row[_ATTRIBUTES]), now=0)
    except MissingAttribute as error:
        return Fault("missing-attribute", str(error))
    except PayloadTooLarge as error:
        return Fault("payload-too-large", str(error))
    return None
