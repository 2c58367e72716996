"""What ``pushctl send`` was given on the command line, turned into an order or a clear error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from pushctl.audience import Audience, open_audience
from pushctl.config import Settings
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.thresholds import StopIf
from pushctl.documents import Document, load, read
from pushctl.errors import InvalidInput, Problem, UsageError
from pushctl.job.ending import FailOn
from pushctl.job.send import Order
from pushctl.message import CompiledMessage, Message, compile_message
from pushctl.message.lint import lint
from pushctl.outcome import Platform, Service
from pushctl.rules.duration import parse_duration
from pushctl.rules.fcm import CONDITION, TOPIC

DEFAULT_STOP_IF = "faulty>8%"
_MESSAGE_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """The options of ``pushctl send`` as they were typed; ``None`` where they were not."""

    tokens: Sequence[str] = ()
    platform: str | None = None
    profile_files: Sequence[Path | str] = ()
    profile_ids: Sequence[str] = ()
    token_files: Sequence[Path | str] = ()
    format: str | None = None
    fcm_topics: Sequence[str] = ()
    fcm_conditions: Sequence[str] = ()
    message_file: Path | str | None = None
    payloads: Sequence[str] = ()
    texts: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    """The neutral message options by field name."""
    data: Sequence[str] = ()
    credentials: Sequence[str] = ()
    campaign: str | None = None
    validate_only: bool = False
    concurrency: int | None = None
    connections: int | None = None
    rate: float | None = None
    retry_for: str | None = None
    timeout: str | None = None
    on_unknown: str | None = None
    stop_if: str | None = None
    canary: int | None = None
    bounce_log: Path | None = None
    run: str | None = None
    max_duration: str | None = None
    keep_duplicates: bool = False
    words: Sequence[str] = ()


def make_order(options: SendOptions, settings: Settings, stdin: BinaryIO | None) -> Order:
    """
    Return the order that *options* describe.

    Raises :class:`UsageError` for options that do not fit each other, :class:`InvalidInput` for
    files that cannot be used; nothing has been sent or written then.
    """
    _require_target(options)
    policy = _policy(options)
    stop_if = StopIf.parse(options.stop_if or DEFAULT_STOP_IF)
    messages = _messages(options)
    audience = _audience(options, settings, stdin)
    return Order(
        settings=settings,
        audience=audience,
        messages=messages,
        credentials=tuple(options.credentials),
        targets=_targets(options),
        campaign=options.campaign,
        run=options.run,
        bounce_log=options.bounce_log,
        policy=policy,
        stop_if=stop_if,
        connections=_positive("--connections", options.connections) or 8,
        concurrency=_positive("--concurrency", options.concurrency),
        rate=_rate(options.rate),
        timeout_s=_seconds("--timeout", options.timeout) or 30.0,
        max_duration_s=_seconds("--max-duration", options.max_duration),
        validate_only=options.validate_only,
        words=options.words,
    )
