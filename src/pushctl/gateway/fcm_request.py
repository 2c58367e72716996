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
    kind, value = target
    openings = _OPENINGS_VALIDATE if validate_only else _OPENINGS
    if kind not in openings or not _PROJECT(project_id):
        raise ValueError("an FCM request needs a project id and a target of a known kind")
    rest = content.message[1:]
    comma = b"" if rest == b"}" else b","
    body = b"".join((openings[kind], encode_text(value), comma, rest, b"}"))
    path = f"/v1/projects/{project_id}/messages:send".encode("ascii")
    return PushRequest(path, content.fields, body)
