"""What ``pushctl send`` was given on the command line, turned into an order or a clear error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from pushctl.audience import Audience, open_audience
from pushctl.audience.formats import FilePath
from pushctl.config import Settings
from pushctl.dispatch.policy import OnUnknown, Policy
from pushctl.dispatch.thresholds import StopIf
from pushctl.documents import Document, read
from pushctl.errors import Problem, UsageError
from pushctl.job.ending import FailOn
from pushctl.job.messages import MAX_MESSAGE_BYTES, Messages, read_message
from pushctl.job.running import Delivery
from pushctl.job.send import Order
from pushctl.message.model import Message
from pushctl.message.neutral import dated, from_options, from_payload
from pushctl.outcome import JsonValue, Platform, Service
from pushctl.records.masking import mask_key
from pushctl.rules.channels import channel_fault
from pushctl.rules.duration import GRAMMAR, parse_duration
from pushctl.rules.fcm import condition_fault, topic_fault
from pushctl.rules.finding import did_you_mean
from pushctl.rules.size import GRAMMAR as GRAMMAR_OF_SIZES
from pushctl.rules.size import parse_size
from pushctl.rules.text import printable

DEFAULT_STOP_IF = "faulty>8%"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """The options of ``pushctl send`` as they were typed; ``None`` where they were not."""

    tokens: Sequence[str] = ()
    fids: Sequence[str] = ()
    platform: str | None = None
    profile_files: Sequence[FilePath] = ()
    profile_ids: Sequence[str] = ()
    token_files: Sequence[FilePath] = ()
    format: str | None = None
    fcm_topics: Sequence[str] = ()
    fcm_conditions: Sequence[str] = ()
    apns_channels: Sequence[str] = ()
    message_file: FilePath | None = None
    payloads: Sequence[str] = ()
    texts: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    """The neutral message options by field name."""
    data: Sequence[str] = ()
    critical: bool = False
    volume: str | None = None
    activity: Mapping[str, str | bool | None] = dataclasses.field(default_factory=dict)
    """The options of a Live Activity, by their keys in the message file."""
    activity_files: Mapping[str, FilePath | None] = dataclasses.field(default_factory=dict)
    """The files that hold parts of it, by the keys of those."""
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
    bounce_log_max_size: str | None = None
    mask_tokens: bool = False
    run: str | None = None
    max_duration: str | None = None
    keep_duplicates: bool = False
    where: str | None = None
    suppress: Sequence[FilePath] = ()


def make_order(
    options: SendOptions, settings: Settings, stdin: BinaryIO | None, now: float
) -> Order:
    """
    Return the order that *options* describe, given at *now* (epoch seconds).

    Raises :class:`UsageError` for options that do not fit each other, :class:`InvalidInput` for
    files that cannot be used; nothing has been sent or written then.
    """
    _require_target(options)
    if [*options.profile_files, *options.token_files, *options.suppress].count("-") > 1:
        raise UsageError("stdin (-) can be read only once")
    policy = _policy(options)
    stop_if = StopIf.parse(options.stop_if or DEFAULT_STOP_IF)
    targets = _targets(options)
    kinds = frozenset({"token"} | {kind for kind, _ in targets})
    messages = Messages(dated(_message(options), now), target_kinds=kinds)
    audience = _audience(options, stdin)
    return Order(
        settings=settings,
        audience=audience,
        messages=messages,
        credentials=tuple(options.credentials),
        targets=targets,
        campaign=options.campaign,
        run=options.run,
        bounce_log=options.bounce_log or settings.bounce_log,
        bounce_log_max_bytes=_size(options.bounce_log_max_size) or settings.bounce_log_max_bytes,
        mask_key=mask_key(settings.state_dir) if options.mask_tokens else None,
        files=[
            Path(name) for name in (*options.profile_files, *options.token_files) if name != "-"
        ],
        where=options.where,
        suppress=options.suppress,
        stdin=stdin,
        stop_if=stop_if,
        delivery=Delivery(
            policy=policy,
            connections=_positive("--connections", options.connections) or 8,
            concurrency=_positive("--concurrency", options.concurrency),
            rate=_rate(options.rate),
            timeout_s=_some_seconds("--timeout", options.timeout) or 30.0,
            max_duration_s=_some_seconds("--max-duration", options.max_duration),
            validate_only=options.validate_only,
        ),
    )


def _require_target(options: SendOptions) -> None:
    targets = (
        options.tokens,
        options.fids,
        options.profile_files,
        options.token_files,
        options.fcm_topics,
        options.fcm_conditions,
        options.apns_channels,
    )
    if not any(targets):
        raise UsageError(
            "nobody to send to",
            hint="give --token T, --profiles FILE, --tokens FILE, --fcm-topic NAME"
            " or --apns-channel ID",
        )


def _audience(options: SendOptions, stdin: BinaryIO | None) -> Audience | None:
    if not (options.tokens or options.fids or options.profile_files or options.token_files):
        return None
    return open_audience(
        tokens=options.tokens,
        fids=options.fids,
        platform=checked_platform(options.platform),
        profile_files=options.profile_files,
        profile_ids=options.profile_ids,
        token_files=options.token_files,
        format=options.format,
        stdin=stdin,
        keep_duplicates=options.keep_duplicates,
    )


def _targets(options: SendOptions) -> tuple[tuple[str, str], ...]:
    problems = []
    for topic in options.fcm_topics:
        problem = topic_fault(topic)
        if problem is not None:
            problems.append(Problem(f"--fcm-topic: {problem}"))
    for condition in options.fcm_conditions:
        problem = condition_fault(condition)
        if problem is not None:
            problems.append(Problem(f"--fcm-condition: {problem}"))
    for channel in options.apns_channels:
        problem = channel_fault(channel)
        if problem is not None:
            hint = "pushctl channels list prints the ids"
            problems.append(Problem(f"--apns-channel: {problem}", hint=hint))
    if problems:
        raise UsageError(problems=problems)
    targets = (
        *(("topic", value) for value in options.fcm_topics),
        *(("condition", value) for value in options.fcm_conditions),
        *(("channel", value) for value in options.apns_channels),
    )
    return targets if options.keep_duplicates else tuple(dict.fromkeys(targets))


def _message(options: SendOptions) -> Message:
    base = None
    if options.message_file is not None and options.payloads:
        raise UsageError("--message and --payload are two ways to say the same: give one of them")
    if options.message_file is not None:
        base = read_message(Path(options.message_file))
    elif options.payloads:
        base = from_payload(_payloads(options))
    activity: dict[str, JsonValue | Document] = {
        key: value for key, value in options.activity.items() if value not in (None, False)
    }
    for key, file in options.activity_files.items():
        if file is not None:
            activity[key] = read(Path(file), max_bytes=MAX_MESSAGE_BYTES)
    return from_options(
        **options.texts,
        data=options.data,
        critical=options.critical,
        volume=options.volume,
        activity=activity,
        base=base,
    )


def _payloads(options: SendOptions) -> dict[Service, Document]:
    """Return the raw payloads by service.  A file without a service is for both."""
    documents: dict[Service, Document] = {}
    for text in options.payloads:
        name, equals, file = text.partition("=")
        if equals and name in tuple(Service):
            services = [Service(name)]
        else:
            services, file = list(Service), text
        if documents.keys() & services or (len(services) > 1 and len(options.payloads) > 1):
            raise UsageError(
                "--payload is given twice for one service",
                hint="for a mixed audience: --payload apns=FILE --payload fcm=FILE",
            )
        document = read(Path(file), max_bytes=MAX_MESSAGE_BYTES)
        documents.update(dict.fromkeys(services, document))
    return documents


def _policy(options: SendOptions) -> Policy:
    canary = 50 if options.canary is None else options.canary
    if canary < 0:
        raise UsageError("--canary is a number from 0")
    retry_for = _seconds("--retry-for", options.retry_for)
    return Policy(
        retry_for_s=300.0 if retry_for is None else retry_for,
        on_unknown=checked_on_unknown(options.on_unknown or "keep"),
        canary=canary,
    )


def checked_on_unknown(text: str) -> OnUnknown:
    """Return the value of ``--on-unknown``.  Raises :class:`UsageError`."""
    known = _one_of("--on-unknown", text, ("keep", "resend"))
    return "resend" if known == "resend" else "keep"


def checked_fail_on(text: str | None) -> FailOn:
    """Return the value of ``--fail-on``.  Raises :class:`UsageError`."""
    match _one_of("--fail-on", text or "bounced", ("bounced", "faulty", "never")):
        case "faulty":
            return "faulty"
        case "never":
            return "never"
        case _:
            return "bounced"


def _one_of(option: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        near = did_you_mean(text, known)
        raise UsageError(
            f"{option} is one of {', '.join(known)}, not {printable(text, 80)!r}", hint=near
        )
    return text


def checked_platform(text: str | None) -> Platform | None:
    """Return the value of ``--platform``.  Raises :class:`UsageError`."""
    return None if text is None else Platform(_one_of("--platform", text, tuple(Platform)))


def _seconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    seconds = parse_duration(text)
    if seconds is None:
        raise UsageError(f"{option} {printable(text, 80)!r} is no time", hint=f"write {GRAMMAR}")
    return float(seconds)


def _some_seconds(option: str, text: str | None) -> float | None:
    seconds = _seconds(option, text)
    if seconds == 0:
        raise UsageError(f"{option} is a time above 0", hint=f"write {GRAMMAR}")
    return seconds


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    size = parse_size(text)
    if not size:
        raise UsageError(
            f"--bounce-log-max-size {printable(text, 80)!r} is no size",
            hint=f"write {GRAMMAR_OF_SIZES}",
        )
    return size


def _positive(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise UsageError(f"{option} is a number from 1")
    return number


def _rate(rate: float | None) -> float | None:
    if rate is not None and not rate > 0:
        raise UsageError("--rate is a number above 0")
    return rate
