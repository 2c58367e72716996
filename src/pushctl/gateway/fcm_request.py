"""The request of one FCM message: Google's discovery document, ``projects.messages.send``."""

from __future__ import annotations

import re

from pushctl.gateway.request import PushRequest
from pushctl.message.content import FcmContent
from pushctl.message.skeleton import encode_text
from pushctl.rules.fcm import TARGETS

_PROJECT = re.compile(r"[a-z0-9.:-]+").fullmatch
_OPENINGS = {kind: b'{"message":{"%s":' % kind.encode("ascii") for kind in TARGETS}
_OPENINGS_VALIDATE = {
    kind: b'{"validate_only":true,' + opening[1:] for kind, opening in _OPENINGS.items()
}


def build(
    content: FcmContent, *, project_id: str, target: tuple[str, str], validate_only: bool = False
) -> PushRequest:
    """
    Return the request that carries *content* to *target*, its kind and its value.

    The kinds are ``token``, ``fid``, ``topic`` and ``condition``.  With *validate_only* FCM
    judges the message and sends nothing.

    :raises ValueError: for an unknown kind, or a project id that cannot stand in a path.
    """
    whole = body(content, target=target, validate_only=validate_only)
    return PushRequest(path(project_id), content.fields, whole)


def path(project_id: str) -> bytes:
    """
    Return ``:path`` for the project.

    :raises ValueError: if *project_id* cannot stand in a path.
    """
    if not _PROJECT(project_id):
        raise ValueError("a project id has the characters a-z 0-9 . : -")
    return f"/v1/projects/{project_id}/messages:send".encode("ascii")


def body(content: FcmContent, *, target: tuple[str, str], validate_only: bool = False) -> bytes:
    """
    Return the request's body: *content* addressed to *target*.

    :raises ValueError: for an unknown kind of target.
    """
    kind, value = target
    openings = _OPENINGS_VALIDATE if validate_only else _OPENINGS
    if kind not in openings:
        raise ValueError("an FCM request needs a target of a known kind")
    rest = content.message[1:]
    comma = b"" if rest == b"}" else b","
    return b"".join((openings[kind], encode_text(value), comma, rest, b"}"))
