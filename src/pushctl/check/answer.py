"""
What a service's answer says about a credential.

The question is asked with a target that cannot exist, so a refusal of the *target* is the good
answer: the service has looked at the credential before, and found nothing wrong with it.  That
order is not documented by either vendor, but each has a reason of its own for a bad credential
(Apple, "Handling notification responses from APNs"; Firebase, "FCM error codes"), and those are
recognised here.  Whatever does not tell is said not to tell: it never passes.
"""

from __future__ import annotations

from pushctl import catalog
from pushctl.check import clock
from pushctl.check.step import Step, failed, passed, skipped, warned
from pushctl.errors import ExitCode
from pushctl.gateway import fcm, oauth
from pushctl.gateway.answer import read_object
from pushctl.outcome import Category, Environment, Kind, Outcome, Service

APNS_TOKEN = "0" * 64
"""Well-formed, and no device's."""
FCM_TOKEN = "pushctl check: no registration token"  # noqa: S105 -- nobody's device
"""Cannot be a registration token: none has a space."""

_PASSING = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})
"""FCM's words about the target: the credentials and the project were taken before."""
_OF_TOPIC = frozenset({"BadTopic", "MissingTopic", "TopicDisallowed"})
_OF_CLOCK = frozenset({"ExpiredProviderToken", "InvalidProviderToken", "clock_or_lifetime"})
_TRANSIENT = frozenset({Category.RATE, Category.SERVER, Category.CONNECTION})
_MISSING_API = frozenset({"SERVICE_DISABLED"})
_MISSING_PERMISSION = frozenset(
    {"IAM_PERMISSION_DENIED", "PERMISSION_DENIED", "USER_PROJECT_DENIED"}
)
_WRONG_PROJECT = frozenset({"NOT_FOUND", "CONSUMER_INVALID"})


def judge_apns(name: str, outcome: Outcome, *, topic: str | None, skew: float | None) -> Step:
    """
    Return the step *name* (``provider-token`` or ``client-certificate``) that *outcome* ends.

    *outcome* is APNs' answer to a push to :data:`APNS_TOKEN`.
    """
    what = name.replace("-", " ")
    if outcome.kind is Kind.ACCEPTED:
        return passed(
            name,
            f"the {what} is accepted, and so was a device token that does not exist: this is no"
            " gateway of Apple's",
        )
    said = _said(outcome)
    if outcome.category is Category.TOKEN:
        return passed(
            name,
            f"APNs accepts the {what}: it answered {said} to a device token that does not exist",
        )
    advice = (
        *(clock.advice_on(skew) if outcome.reason in _OF_CLOCK else ()),
        *_advice(Service.APNS, outcome),
    )
    if outcome.reason in _OF_TOPIC:
        sentence = f"APNs refuses the topic {topic or '(none)'} for it: {_explained(outcome)}"
    elif _is_refusal(outcome):
        sentence = f"APNs refuses the {what}: {_explained(outcome)}"
    else:
        return _untold(name, "APNs", outcome, advice)
    return failed(
        name,
        sentence,
        *advice,
        exit_code=ExitCode.CREDENTIALS_REFUSED,
        reason=outcome.reason,
    )


def unproved(topic: str | None, environment: Environment) -> Step:
    """Return the step that says what no check without a device can prove."""
    return skipped(
        "topic-and-environment",
        f"not proved: only the token of a device shows that {topic} is the app's topic and"
        f" {environment} its environment",
        "send one push to a device of your own: pushctl send --token …",
    )


def judge_fcm(outcome: Outcome, *, project_id: str, who: str) -> Step:
    """
    Return the step ``project`` that *outcome* ends.

    *outcome* is FCM's answer to a ``validate_only`` message to :data:`FCM_TOKEN`.
    """
    if outcome.kind is Kind.ACCEPTED:
        return passed("project", f"FCM takes messages for {project_id} (validated, not sent)")
    said = _said(outcome)
    if _is_about_target(outcome):
        return passed(
            "project",
            f"FCM takes messages for {project_id}: it answered {said} to a registration token"
            " that does not exist",
        )
    advice = _advice(Service.FCM, outcome)
    if outcome.reason == "THIRD_PARTY_AUTH_ERROR":
        return warned(
            "project",
            f"FCM takes the credentials, but Firebase cannot reach Apple for {project_id}:"
            f" {_explained(outcome)}",
            *advice,
        )
    lead = _lead(outcome, project_id, who)
    if lead is None and not _is_refusal(outcome):
        return _untold("project", "FCM", outcome, advice)
    lead = lead or f"FCM refuses the credentials of {who}"
    return failed(
        "project",
        f"{lead}: {_explained(outcome)}",
        *advice,
        exit_code=ExitCode.CREDENTIALS_REFUSED,
        reason=outcome.reason,
    )


def judge_token_refusal(
    message: str, status: int, body: bytes, *, hint: str | None, skew: float | None
) -> Step:
    """
    Return the step ``access-token`` of an exchange that was refused with this answer.

    *message* says who refused whom, *hint* what whoever raised it would do.
    """
    answer = read_object(body) or {}
    if isinstance(answer.get("error"), dict):  # of an API, such as the one that impersonates
        outcome, service = fcm.read_answer(status, (), body), Service.FCM.value
    else:
        granted = oauth.read_answer(status, (), body)
        if not isinstance(granted, Outcome):
            raise AssertionError("a refused exchange granted no token")
        outcome, service = granted, "oauth"
    first = clock.advice_on(skew) if outcome.reason in _OF_CLOCK else ()
    own = (hint,) if hint else ()
    description = outcome.description or ""
    explained = message if description in message else f"{message}: {description}"
    return failed(
        "access-token",
        explained,
        *first,
        *own,
        *_advice(service, outcome),
        exit_code=ExitCode.CREDENTIALS_REFUSED,
        reason=outcome.reason,
    )


def no_answer(name: str, why: str) -> Step:
    """Return the step *name* of a request that was not answered."""
    return failed(
        name,
        f"the request was not answered: {why}",
        "check again; it can do no harm",
        exit_code=ExitCode.UNREACHABLE,
    )


def _is_about_target(outcome: Outcome) -> bool:
    """Tell whether FCM speaks of the registration token, and so has taken everything else."""
    if outcome.reason in _PASSING:
        return True
    if outcome.status != 400 or outcome.reason != "INVALID_ARGUMENT":
        return False
    # The messages that are sent here have one fault alone, so an answer that names no field
    # means the token.  One about the JSON comes from in front of FCM, and tells nothing.
    return outcome.case != "bad_json_type"


def _is_refusal(outcome: Outcome) -> bool:
    if outcome.category in _TRANSIENT:
        return False
    return outcome.status in (401, 403) or outcome.category is Category.CREDENTIALS


def _lead(outcome: Outcome, project_id: str, who: str) -> str | None:
    """Return what is missing, where FCM's answer says which of the three it is."""
    if outcome.reason in _MISSING_API:
        return f"missing API: Firebase Cloud Messaging is not switched on in {project_id}"
    if outcome.reason in _MISSING_PERMISSION:
        return f"missing permission: {who} may not send for {project_id}"
    if outcome.reason in _WRONG_PROJECT and outcome.status in (403, 404):
        return f"wrong project: Google knows no project {project_id} that {who} could use"
    return None


def _untold(name: str, service: str, outcome: Outcome, advice: tuple[str, ...]) -> Step:
    if outcome.category in _TRANSIENT:
        sentence = f"{service} did not judge it now: {_explained(outcome)}"
    else:
        sentence = (
            f"{service} answered {_explained(outcome)}; that tells nothing about the credential"
        )
    return failed(name, sentence, *advice, exit_code=ExitCode.UNREACHABLE, reason=outcome.reason)


def _said(outcome: Outcome) -> str:
    if outcome.reason is None:
        return f"HTTP {outcome.status}"
    return f"{outcome.reason} (HTTP {outcome.status})"


def _explained(outcome: Outcome) -> str:
    description = outcome.description.rstrip(".") if outcome.description else ""
    parts = (_said(outcome), description)
    return ": ".join(part for part in parts if part)


def _advice(service: str, outcome: Outcome) -> tuple[str, ...]:
    """Return what the catalog says to do, and where it says more."""
    row = catalog.of_record(service, outcome.reason, status=outcome.status, case=outcome.case)
    if row is None:
        return ()
    more = (f"pushctl explain {outcome.reason}",) if outcome.reason is not None else ()
    return (*row.what_to_do, *more)
