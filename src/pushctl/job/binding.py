"""Which credential a recipient goes out with, and what of the message is ready for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pushctl.audience import Recipient
from pushctl.config import (
    CredentialSettings,
    FcmSettings,
    Origin,
    Settings,
    choose_credential,
)
from pushctl.credentials import Credential, open_credentials
from pushctl.errors import InvalidInput, Problem
from pushctl.job.messages import Messages
from pushctl.message.compile import CompiledApns, CompiledMessage
from pushctl.outcome import Service
from pushctl.proxy import Proxy, choose_way
from pushctl.rules.apns import topic_for


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What a row says about its credential."""

    service: Service
    credential: str | None
    environment: str | None
    topic: str | None
    to_channel: bool = False
    """Whether it goes to a broadcast channel of the app."""

    def lane(self, credential: str) -> str:
        """
        Return the name of the lane that *credential* serves this wish on.

        Broadcasts may go to another host, and their answers mean other things than those of
        pushes to devices: they have a lane of their own.  No credential is called so.
        """
        return f"{credential} broadcast" if self.to_channel else credential

    @classmethod
    def of(cls, recipient: Recipient) -> Wish:
        """Return what *recipient*, whose service is known, wishes."""
        assert recipient.service is not None
        return cls(recipient.service, recipient.credential, recipient.environment, recipient.topic)


class Chooser:
    """Answers which credential fits a wish; remembers the answers."""

    def __init__(self, settings: Settings, chosen: Sequence[str]) -> None:
        """*chosen* are the names given with ``--credential``."""
        self._settings = settings
        self._chosen = chosen
        self._answers: dict[Wish, CredentialSettings | None] = {}

    def choose(self, wish: Wish) -> CredentialSettings | None:
        """
        Return the credential that fits; ``None`` where none does: the row is skipped.

        Raises :class:`~pushctl.errors.InvalidInput` where the config does not decide.
        """
        if wish not in self._answers:
            self._answers[wish] = choose_credential(
                self._settings,
                service=wish.service,
                name=wish.credential,
                environment=wish.environment,
                topic=wish.topic,
                chosen=self._chosen,
            )
        return self._answers[wish]


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """What a lane is needed for."""

    settings: CredentialSettings
    to_channel: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """A credential that was opened for this run, with the message compiled for its service."""

    credential: Credential
    settings: CredentialSettings
    message: CompiledMessage
    proxy: Proxy | None = None
    to_channel: bool = False
    """Whether it carries broadcasts."""

    @property
    def origin(self) -> Origin:
        """Return where its pushes go."""
        return origin_of(self.settings, to_channel=self.to_channel)

    @property
    def service(self) -> Service:
        """Return who delivers."""
        return self.credential.service


def open_bindings(
    needed: Mapping[str, Need],
    messages: Messages,
    environ: Mapping[str, str],
) -> dict[str, Binding]:
    """
    Open the credential of each lane of *needed*; return the bindings by the lane's name.

    Raises :class:`~pushctl.errors.InvalidInput` with the problems of all of them.
    """
    different = {need.settings.name: need.settings for need in needed.values()}
    opened = dict(
        zip(different, open_credentials([*different.values()], environ=environ), strict=True)
    )
    _check_trust([*opened.values()])
    return {
        lane: Binding(
            opened[need.settings.name],
            need.settings,
            messages.of(need.settings.service, to_channel=need.to_channel),
            proxy_of(need.settings, environ, to_channel=need.to_channel),
            need.to_channel,
        )
        for lane, need in needed.items()
    }


def origin_of(settings: CredentialSettings, *, to_channel: bool = False) -> Origin:
    """Return where pushes with *settings* go; with *to_channel*, broadcasts."""
    if to_channel and not isinstance(settings, FcmSettings):
        return settings.broadcast_origin
    return settings.origin


def proxy_of(
    settings: CredentialSettings, environ: Mapping[str, str], *, to_channel: bool = False
) -> Proxy | None:
    """
    Return the proxy that pushes with *settings* go through; ``None``: directly.

    Raises :class:`~pushctl.errors.InvalidInput` if a variable such as ``HTTPS_PROXY`` holds none.
    """
    origin = origin_of(settings, to_channel=to_channel)
    way = choose_way(origin.host, origin.port, configured=settings.proxy, environ=environ)
    return way.proxy


def _check_trust(credentials: Sequence[Credential]) -> None:
    """Read every ``ca_file`` now: one that is missing must not cost a run."""
    problems: list[Problem] = []
    for credential in credentials:
        try:
            credential.ssl_context()
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems=problems)


def sent_topic(binding: Binding) -> str | None:
    """
    Return the apns-topic that every push of *binding* carries; ``None`` for FCM.

    For broadcasts it is the bundle id, which stands in the path.
    """
    message, topic = binding.message, binding.credential.topic
    if binding.to_channel:
        return topic
    if topic is None or not isinstance(message, CompiledApns):
        return None
    return topic_for(message.push_type, topic)
