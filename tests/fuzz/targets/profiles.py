"""
Profile files and lists without columns, and who is sent to.

A profile is the same people whether it stands in a YAML or JSON document or on a line of its own;
nobody is sent to whose consent is not exactly true; and a recipient that is sent to has a token
that its service can be asked with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from audience.kit import DEVICES, REGISTRATION
from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import InMemory
from pushctl.audience.audience import Audience
from pushctl.audience.plain import open_plain
from pushctl.audience.profiles import open_profile_document, open_profile_lines
from pushctl.audience.recipient import Recipient
from pushctl.audience.row import Source
from pushctl.documents import load
from pushctl.gateway import apns_request
from pushctl.outcome import Platform, Service

EXECUTIONS = 20_000
WORDS = (
    *(
        b"profiles:\n",
        b"  - id: anna\n",
        b"    consent: true\n",
        b"    consent: yes\n",
        b"    tokens:",
    ),
    *(b"\n      - {platform: ios, token: ", b"ab12}", b"registered_at: 2026-10-01T08:00:00Z"),
    *(b"    attributes: {first_name: Anna}\n", b"&a ", b"*a", b'{"profiles":[{"id":"a"'),
    *(b'"consent":true', b'"tokens":[{"token":"', b'"attributes":{"', b"service: fcm", b"\n# x\n"),
    *(b"environment: sandbox", b"topic: com.acme.shop", b"credential: shop-ios", b"null", b"17"),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    kind = draw.below(4)
    platform = draw.pick((None, *Platform))
    text = draw.rest()
    try:
        with kit.refusals():
            if kind == 3:
                found = _recipients(open_plain(InMemory(text)), platform)  # type: ignore[arg-type]
            elif kind == 2:
                lines = open_profile_lines(InMemory(text), ())  # type: ignore[arg-type]
                found = _recipients(lines, platform)
            else:
                found = _check_document(text, is_json=kind == 1, platform=platform)
    except kit.Refused:
        return
    for one in found:
        _check_recipient(one)


def seeds() -> Iterator[bytes]:
    """Yield files as people write them."""
    yield b"\x00\x00" + (kit.HERE.parent.parent / "profiles.example.yaml").read_bytes()[:1_000]
    tokens = [{"platform": "ios", "token": DEVICES[0]}, {"token": REGISTRATION}]
    profile = {"id": "anna", "consent": True, "attributes": {"n": 7}, "tokens": tokens}
    yield b"\x01\x00" + json.dumps({"profiles": [profile, {"id": 17, "consent": 1}]}).encode()
    yield b"\x02\x00" + json.dumps(profile).encode() + b'\n{"id":"b","consent":"true"}\n[]\n'
    yield b"\x03\x00" + f"# x\n{DEVICES[0]}\n\n  {REGISTRATION}  \n<ab12>\n".encode()


def _recipients(source: Source, platform: Platform | None) -> list[Recipient]:
    audience = Audience([source], fallback=platform, keep_duplicates=False)
    found = list(audience)
    assert len(found) == audience.total
    assert [one.row for one in found] == list(range(1, len(found) + 1))
    return found


def _check_document(text: bytes, *, is_json: bool, platform: Platform | None) -> list[Recipient]:
    document = load(text, "p", kind="json" if is_json else "yaml", max_bytes=1 << 16)
    source = open_profile_document(document, ())
    found = _recipients(source, platform)
    assert isinstance(document.value, dict)
    people = document.value.get("profiles") or []
    agreed = [profile["consent"] is True for profile in people if "consent" in profile]
    assert sum(one.verdict is None for one in found) == 0 or any(agreed)
    lines = b"".join(json.dumps(profile).encode() + b"\n" for profile in people)
    if people and len(lines) < 10_000:
        alike = _recipients(open_profile_lines(InMemory(lines), ()), platform)  # type: ignore[arg-type]
        assert [_who(one) for one in found] == [_who(one) for one in alike]
    return found


def _who(one: Recipient) -> object:
    """Return all of a recipient but where it stands."""
    verdict = None if one.verdict is None else (one.verdict.kind, one.verdict.reason)
    return (
        *(one.row, one.token, one.service, one.platform, one.profile, one.credential),
        *(one.environment, one.topic, one.registered_at, json.dumps(one.attributes), verdict),
    )


def _check_recipient(one: Recipient) -> None:
    if one.verdict is not None:
        kit.check_shown(one.verdict.detail, 2_000)
        return
    assert one.token
    if one.service is Service.APNS:
        assert apns_request.path(one.token) == b"/3/device/" + one.token.encode("ascii")
    else:
        assert one.service is Service.FCM
        assert one.token.isascii()
        assert one.token.isprintable()
        assert not {*" /"} & {*one.token}
