"""When an answer is tried again, and what an answer says about the credential.  Pure."""

from __future__ import annotations

import dataclasses
from typing import Literal

from pushctl.outcome import Category, Outcome, Retryable, Service

OnUnknown = Literal["keep", "resend"]

_ABOUT_ONE_TOKEN = frozenset({"SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"})
# SENDER_ID_MISMATCH: this token belongs to another project.  THIRD_PARTY_AUTH_ERROR: the APNs key
# stored in Firebase, which leaves the Android half of a list untouched.

_STALE = {
    Service.APNS: frozenset({"ExpiredProviderToken"}),
    Service.FCM: frozenset({"ACCESS_TOKEN_EXPIRED"}),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """How patient a run is.  Times are seconds."""

    retry_for_s: float = 300.0
    on_unknown: OnUnknown = "keep"
    resend_limit: int = 3
    """How often a request may be sent in all under ``on_unknown="resend"``."""
    refusal_limit: int = 5
    """After so many refusals in a row, with no other answer meanwhile, a push waits."""
    canary: int = 50
    """How many pushes of a lane go out before their answers are judged; 0 is none."""


def is_stale(outcome: Outcome, service: Service) -> bool:
    """
    Tell whether the answer asks for a newer provider or access token.

    FCM says so with 401; a 401 that carries an FcmError is about the APNs key in Firebase and
    is no statement about ours (fcm-errors, classification order).
    """
    if outcome.reason in _STALE[service]:
        return True
    return (
        service is Service.FCM
        and outcome.status == 401
        and outcome.category is Category.CREDENTIALS
        and outcome.reason not in _ABOUT_ONE_TOKEN
    )


def refuses_credential(outcome: Outcome) -> bool:
    """Tell whether every other push with the same credential would be answered alike."""
    return (
        outcome.status in (401, 403)
        and outcome.category is Category.CREDENTIALS
        and outcome.reason not in _ABOUT_ONE_TOKEN
    )


def retry_delay(
    outcome: Outcome, *, attempts: int, least_wait_s: float | None, jitter: float
) -> float | None:
    """
    Return after how many seconds the push may be tried again; ``None`` for never.

    The service's own Retry-After is the floor; where there is none, the catalog's least delay,
    doubled with each attempt.  *jitter*, from 0 to 1, spreads the retries over up to half of the
    delay on top, so that they do not come back in one wave.
    """
    if outcome.retryable is not Retryable.WITH_BACKOFF:
        return None
    if outcome.retry_after_s is not None:
        floor = outcome.retry_after_s
    elif least_wait_s:
        floor = least_wait_s * 2.0 ** max(attempts - 1, 0)
    else:
        # At once the first time (an idle connection was closed), and never in a tight loop.
        floor = 0.0 if attempts <= 1 else 2.0 ** (attempts - 2)
    return floor * (1 + jitter / 2)
