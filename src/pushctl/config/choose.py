"""Which credential serves a push."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pushctl.config.settings import CredentialSettings, Settings
from pushctl.config.words import did_you_mean
from pushctl.errors import InvalidInput
from pushctl.outcome import Environment, Service
from pushctl.rules.apns import is_topic_of


def choose_credential(
    settings: Settings,
    *,
    service: Service,
    name: str | None = None,
    environment: Environment | str | None = None,
    topic: str | None = None,
    chosen: Sequence[str] = (),
) -> CredentialSettings | None:
    """
    Return the credential for one recipient; ``None`` where none fits (the push is skipped).

    *name*, *environment* and *topic* are what the recipient's row asks for, *topic* with or
    without the suffix of a push type; a credential whose topic its certificate will say fits any
    topic, if no other names that topic.  *chosen* are the names given by ``--credential``: they
    decide wherever the row does not name one.  Where several fit, the service's default decides.

    :raises InvalidInput: if there is no credential at all, *chosen* names one that does not exist
        or two for one service, or several fit and nothing decides.
    """
    wanted = _chosen_for(named_credentials(settings, chosen), service)
    if name is not None:
        named = settings.credentials.get(name)
        return named if named is not None and _fits(named, service, environment) else None
    candidates = [wanted] if wanted else list(settings.credentials.values())
    candidates = [it for it in candidates if _fits(it, service, environment)]
    return _decide(settings, service, _with_topic(candidates, topic))


def named_credentials(settings: Settings, names: Iterable[str]) -> list[CredentialSettings]:
    """
    Return the credentials called *names*, each once, in their order.

    :raises InvalidInput: if there is no credential at all, or one of *names* does not exist.
    """
    if not settings.credentials:
        raise InvalidInput(
            "no credential is configured",
            hint="pushctl init writes a pushctl.yaml to begin with; pushctl demo needs none",
        )
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in settings.credentials]
    if unknown:
        known = ", ".join(settings.credentials)
        meant = did_you_mean(unknown[0], settings.credentials)
        raise InvalidInput(
            f"there is no credential {unknown[0]!r}",
            hint=f"{meant} there are {known}" if meant else f"there are {known}",
        )
    return [settings.credentials[name] for name in wanted]


def _chosen_for(
    chosen: Sequence[CredentialSettings], service: Service
) -> CredentialSettings | None:
    serving = [settings for settings in chosen if settings.service == service]
    if len(serving) > 1:
        raise InvalidInput(
            f"{' and '.join(settings.name for settings in serving)} are both for {service}",
            hint="choose one for each service",
        )
    return serving[0] if serving else None


def _fits(
    credential: CredentialSettings, service: Service, environment: Environment | str | None
) -> bool:
    if credential.service != service:
        return False
    return environment is None or credential.environment in (None, environment)


def _with_topic(
    candidates: list[CredentialSettings], topic: str | None
) -> list[CredentialSettings]:
    if topic is None:
        return candidates
    exact: list[CredentialSettings] = [it for it in candidates if it.topic == topic]
    # Records and other senders' lists have the topic as it was sent, with its suffix.
    of_app: list[CredentialSettings] = [
        it for it in candidates if it.topic is not None and is_topic_of(it.topic, topic)
    ]
    from_certificate: list[CredentialSettings] = [it for it in candidates if it.topic is None]
    return exact or of_app or from_certificate


def _decide(
    settings: Settings, service: Service, candidates: list[CredentialSettings]
) -> CredentialSettings | None:
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    default = settings.defaults.get(service)
    for candidate in candidates:
        if candidate.name == default:
            return candidate
    names = ", ".join(candidate.name for candidate in candidates)
    raise InvalidInput(
        f"several credentials serve {service}: {names}",
        hint=f"choose with --credential NAME, or set a default: defaults: {{{service}:"
        f" {candidates[0].name}}}",
    )
