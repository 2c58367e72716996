"""Which credential a recipient goes out with, and what of the message is ready for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pushctl.audience import Recipient
from pushctl.config import CredentialSettings, Settings, choose_credential
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
class Binding:
    """A credential that was opened for this run, with the message compiled for its service."""

    credential: Credential
    settings: CredentialSettings
    message: CompiledMessage
    proxy: Proxy | None = None

    @property
    def service(self) -> Service:
        """Return who delivers."""
        return self.credential.service


def open_bindings(
    needed: Sequence[CredentialSettings],
    messages: Messages,
    environ: Mapping[str, str],
) -> dict[str, Binding]:
    """
    Open every credential of *needed*; return them by name.

    Raises :class:`~pushctl.errors.InvalidInput` with the problems of all of them.
    """
    opened = open_credentials(needed, environ=environ)
    _check_trust(opened)
    return {
        settings.name: Binding(
            credential,
            settings,
            messages.of(credential.service),
            proxy_of(credential, settings, environ),
        )
        for settings, credential in zip(needed, opened, strict=True)
    }


def proxy_of(
    credential: Credential, settings: CredentialSettings, environ: Mapping[str, str]
) -> Proxy | None:
    """
    Return the proxy that pushes of *credential* go through; ``None``: directly.

    Raises :class:`~pushctl.errors.InvalidInput` if a variable such as ``HTTPS_PROXY`` holds none.
    """
    origin = credential.origin
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
    """Return the apns-topic that every push of *binding* carries; ``None`` for FCM."""
    message, topic = binding.message, binding.credential.topic
    if topic is None or not isinstance(message, CompiledApns):
        return None
    return topic_for(message.push_type, topic)
