"""From config and options to a client that manages channels or topics."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from pushctl.cli.settings import settings_for
from pushctl.config import CredentialSettings, FcmSettings, Origin, Settings
from pushctl.config.choose import choose_credential, named_credentials
from pushctl.credentials import Credential, open_credential
from pushctl.errors import ExitCode, InvalidInput, UsageError
from pushctl.manage.channels import ChannelManager
from pushctl.manage.client import ManagementClient
from pushctl.outcome import Service
from pushctl.rules.duration import GRAMMAR, parse_duration
from pushctl.rules.text import printable
from pushctl.view.channels import Home
from pushctl.view.terminal import Terminal
from pushctl.view.trace import WireTrace

_Result = TypeVar("_Result")
_SERVICES = {Service.APNS: "APNs", Service.FCM: "FCM"}


@dataclasses.dataclass(frozen=True, slots=True)
class Office:
    """An opened APNs credential, and where its channels are managed."""

    settings: CredentialSettings
    credential: Credential
    origin: Origin
    app: str
    home: Home
    terminal: Terminal
    timeout_s: float
    environ: Mapping[str, str]

    def channels(
        self, work: Callable[[ChannelManager], Awaitable[_Result]]
    ) -> tuple[_Result, ExitCode | None]:
        """
        Return what *work* does with the channels, on one connection.

        And the exit code of the signal that ended it early, if one did.
        """

        async def go() -> _Result:
            client = ManagementClient(
                self.settings,
                self.credential,
                self.environ,
                timeout_s=self.timeout_s,
                trace=trace_of(self.terminal),
            )
            async with client:
                return await work(ChannelManager(client, self.origin, self.app))

        return run_until_signal(go)


def open_apns_office(
    name: str | None,
    *,
    timeout: str,
    allow_endpoint: Sequence[str],
    config: str | None,
    terminal: Terminal,
    environ: Mapping[str, str],
) -> Office:
    """
    Open the APNs credential *name*, or the one that the config decides for.

    :raises InvalidInput: there is none, or it cannot be used.
    :raises UsageError: *timeout* is no time.
    """
    timeout_s = seconds("--timeout", timeout)
    settings, credential = open_one(
        settings_for(config, allow_endpoint), Service.APNS, name, environ
    )
    assert not isinstance(settings, FcmSettings)
    assert credential.topic is not None  # the config or the certificate says it
    home = Home(credential.topic, settings.environment.value, settings.name)
    origin = settings.channels_origin
    return Office(
        settings, credential, origin, credential.topic, home, terminal, timeout_s, environ
    )


def open_one(
    settings: Settings, service: Service, name: str | None, environ: Mapping[str, str]
) -> tuple[CredentialSettings, Credential]:
    """
    Return the credential for *service*: the one called *name*, else what the config decides.

    :raises InvalidInput: if there is none, or it cannot be used.
    """
    chosen = () if name is None else (name,)
    for one in named_credentials(settings, chosen):
        if one.service is not service:
            raise InvalidInput(
                f"{printable(one.name, 80)} is a credential for {_SERVICES[one.service]},"
                f" and this is for {_SERVICES[service]}"
            )
    found = choose_credential(settings, service=service, chosen=chosen)
    if found is None:
        raise InvalidInput(
            f"no credential of the config is for {_SERVICES[service]}",
            hint="pushctl config show lists what there is",
        )
    credential = open_credential(found, environ=environ)
    credential.ssl_context()  # a ca_file that is missing is found now
    return found, credential


def run_until_signal(
    work: Callable[[], Coroutine[Any, Any, _Result]],
) -> tuple[_Result, ExitCode | None]:
    """
    Return what *work* returns, and the exit code of the signal that cancelled it, if one did.

    SIGINT, SIGTERM and SIGHUP cancel it once; what it had begun it must account for itself.
    """
    codes: list[ExitCode] = []

    async def go() -> _Result:
        task = asyncio.create_task(work())
        loop = asyncio.get_running_loop()

        def stop(code: ExitCode) -> None:
            codes.append(code)
            task.cancel()

        signals = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
        if sys.platform != "win32":
            signals[signal.SIGHUP] = ExitCode.TERMINATED
        handled = []
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            for number, code in signals.items():  # not in the main thread, or on Windows: no way
                loop.add_signal_handler(number, stop, code)
                handled.append(number)
        try:
            return await task
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    try:
        return asyncio.run(go()), codes[0] if codes else None
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def trace_of(terminal: Terminal) -> WireTrace | None:
    """Return what shows the wire, if the user asked for it."""
    return WireTrace(terminal) if terminal.verbose >= 2 else None


def seconds(option: str, text: str) -> float:
    """Return the time that *text* means.  Raises :class:`UsageError`."""
    found = parse_duration(text)
    if not found:
        raise UsageError(f"{option} {printable(text, 80)!r} is no time", hint=f"write {GRAMMAR}")
    return float(found)
