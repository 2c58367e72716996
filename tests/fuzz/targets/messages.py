"""
Message files and raw payloads, from their text to what goes to APNs and FCM.

A message is read or refused with its places; what the lint finds no fault in is rendered, for
anybody, or says which attribute is missing; what is rendered is JSON within the service's limit,
in header fields nothing that could end one.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from fuzz import kit
from fuzz.draw import Draw
from pushctl.documents import load
from pushctl.errors import UsageError
from pushctl.message.compile import compile_message
from pushctl.message.content import ApnsContent, MissingAttribute, PayloadTooLarge
from pushctl.message.fields import FIELDS
from pushctl.message.lint import lint
from pushctl.message.neutral import from_document, from_options, from_payload
from pushctl.outcome import Service

EXECUTIONS = 30_000
NOW = 1_795_168_800.25
LIMITS = {Service.APNS: 5_120, Service.FCM: 65_536}
PEOPLE = (
    {"first_name": "Anna", "n": 7, "list": ["a", 1], "map": {"k": "v"}, "t": True, "z": 1.5},
    {"first_name": "Zo\u00eb \u202e", "n": "7", "list": [], "map": {}, "t": "", "z": None},
    {},
)
WORDS = (
    *(f"{field.name}: ".encode() for field in FIELDS),
    *(
        b"apns:\n  headers: {",
        b"apns-priority: 5",
        b"apns-collapse-id: x",
        b"  aps: {",
        b"payload: ",
    ),
    *(b"fcm:\n  android: {", b"ttl: 3600s", b"notification: {", b"webpush: {", b"condition: "),
    *(b"alert", b"background", b"content-available: 1", b"mutable-content: 1", b"sound: default"),
    *(b'"{{ first_name }}"', b'"{{ n }}"', b"high", b"90s", b"https://x.example/a.png", b'"\\n"'),
    *(b"loc-key: ", b"critical: 1", b"volume: 0.5", b"thread-id: ", b"interruption-level: "),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    is_payload, is_json, with_options = draw.chance(), draw.chance(), draw.chance()
    text = draw.rest()
    with contextlib.suppress(kit.Refused, UsageError), kit.refusals():
        document = load(text, "m", kind="json" if is_json else "yaml", max_bytes=1 << 16)
        if is_payload:
            message = from_payload(dict.fromkeys(Service, document))
        else:
            message = from_document(document)
        if with_options:
            message = from_options(badge="3", ttl="4h", data=["k=v"], base=message)
        for service in Service:
            _check_service(message, service)


def seeds() -> Iterator[bytes]:
    """Yield payloads as the vendors document them, and neutral messages."""
    samples = json.loads((kit.HERE.parent / "fixtures/messages/requests.json").read_bytes())
    for request in samples["requests"]:
        body = request["body"]
        yield b"\x01\x01\x00" + json.dumps(body.get("message", body)).encode()[:1_000]
    yield b"\x00\x00\x00title: Hi {{ first_name }}\nbody: x\nttl: 4h\nbadge: '{{ n }}'\n"
    yield b"\x00\x00\x01apns: {aps: {sound: a}, headers: {apns-priority: 5}}\nfcm: {data: {a: b}}\n"


def _check_service(message: object, service: Service) -> None:
    with contextlib.suppress(kit.Refused), kit.refusals():
        verdict = lint(message, [service])  # type: ignore[arg-type]
        for problem in (*verdict.errors, *verdict.warnings):
            kit.check_problem(problem)
        compiled = compile_message(message, service)  # type: ignore[arg-type]
        for person in PEOPLE:
            with contextlib.suppress(MissingAttribute, PayloadTooLarge):
                content = compiled.render(person, now=NOW)
                again = compiled.render(person, now=NOW)
                assert content == again
                is_apns = isinstance(content, ApnsContent)
                body = content.body if is_apns else content.message
                assert isinstance(json.loads(body), dict)
                assert len(body) <= LIMITS[service]
                for name, value in content.fields:
                    assert name == name.lower()
                    assert not {*b"\r\n\0"} & {*value}
