"""
Judges the management of FCM's topic subscriptions, and keeps them.

Rules: the discovery document of fcm v1, revision 20261023 (``registrations.topicSubscriptions``),
and for the older ``iid/v1:batchAdd`` and ``:batchRemove`` the sources of Firebase's Admin SDKs,
which still use them.
"""

from __future__ import annotations

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping

from pushctl.outcome import JsonValue
from pushctl.simulator import answers
from pushctl.simulator.devices import Device
from pushctl.simulator.exchange import rfc3339
from pushctl.simulator.google_access import GoogleAccess, Refused
from pushctl.simulator.http import Answer, Request, html_answer, json_answer

LEGACY_PREFIX = "/iid/v1:batch"
MAX_TOPICS = 2000
"""Of one app instance (Firebase, "Throttling and quotas")."""
MAX_BATCH = 1000
_DEFAULT_PAGE, _MAX_PAGE = 1000, 2000

_PATH = re.compile(r"/v1/projects/([^/]+)/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?")
_TOPIC = re.compile(r"[a-zA-Z0-9-_.~%]{1,900}")
_REGISTRATION = re.compile(r"[A-Za-z0-9_:-]{8,4096}")
_METHODS = {False: ("POST", "GET"), True: ("GET", "PATCH", "DELETE")}


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What FCM makes of one request."""

    answer: Answer
    reason: str | None
    """Why it is refused; ``None``: acceptable."""
    registration: str | None
    project: str | None
    authorised: bool
    perform: Callable[[], None] | None = None
    """Does what a good request asks for."""


class Subscriptions:
    """Who is subscribed to which topic."""

    def __init__(self, access: GoogleAccess, devices: Mapping[str, Device]) -> None:
        """:param devices: known devices; any other registration fits every project."""
        self._access = access
        self._devices = devices
        self._created: dict[tuple[str, str], dict[str, float]] = {}

    @staticmethod
    def owns(path: str) -> bool:
        """Whether requests to *path* are for this judge."""
        return path.startswith(LEGACY_PREFIX) or (
            path.startswith("/v1/projects/") and "/registrations/" in path
        )

    def judge(self, request: Request, now: float) -> Judgement:
        """Return the verdict on *request*.  A good one is not done yet."""
        registration = project = None
        authorised = False
        try:
            if request.path.startswith(LEGACY_PREFIX):
                account = self._access.account(request.field("authorization"), now)
                authorised = True
                project = self._access.project(account) or ""
                return self._batch(request, project, now)
            project, registration, topic = _route(request)
            account = self._access.account(request.field("authorization"), now)
            authorised = True
            self._access.check_project(project, account)
            self._check_registration(project, registration)
            return self._single(request, project, registration, topic, now)
        except Refused as no:
            return Judgement(no.answer, no.reason, registration, project, authorised)

    def _single(
        self, request: Request, project: str, registration: str, topic: str | None, now: float
    ) -> Judgement:
        topics = self._created.get((project, registration), {})
        query = dict(urllib.parse.parse_qsl(request.target.partition("?")[2]))
        perform = None
        if topic is None and request.method == "GET":
            answer = _listed(project, registration, topics, query)
        elif topic is None or request.method == "PATCH":
            topic = _check_topic(topic if topic is not None else query.get("topicName", ""))
            if topic in topics and request.method == "POST":
                raise _refused(409, "ALREADY_EXISTS", "Requested entity already exists.")
            if topic not in topics:
                if request.method == "PATCH" and query.get("allowMissing") != "true":
                    raise _missing()
                if len(topics) >= MAX_TOPICS:
                    raise _refused(429, "TOO_MANY_TOPICS", "Too many topics for this instance.")
            answer = _one(project, registration, topic, topics.get(topic, now))
            perform = self._adding(project, [registration], topic, now)
        elif request.method == "DELETE":
            if topic not in topics and query.get("allowMissing") != "true":
                raise _missing()
            answer = json_answer(200, {})
            perform = self._removing(project, [registration], topic)
        else:
            if topic not in topics:
                raise _missing()
            answer = _one(project, registration, topic, topics[topic])
        return Judgement(answer, None, registration, project, True, perform)

    def _batch(self, request: Request, project: str, now: float) -> Judgement:
        """Judge the older API: one topic, up to a thousand tokens, a result for each."""
        what = request.path.removeprefix(LEGACY_PREFIX)
        if request.method != "POST" or what not in ("Add", "Remove"):
            raise Refused(answers.NOT_FOUND_PAGE, html_answer(404, "Not Found"))
        if request.field("access_token_auth") != "true":
            # Without it the API takes the bearer for a server key, and those are gone.
            raise Refused("Unauthorized", json_answer(401, {"error": "Unauthorized"}))
        topic, tokens = _batch_body(request)
        faults = [self._fault(project, token, topic if what == "Add" else None) for token in tokens]
        good = [token for token, fault in zip(tokens, faults, strict=True) if fault is None]
        results: list[JsonValue] = [{} if fault is None else {"error": fault} for fault in faults]
        if what == "Add":
            perform = self._adding(project, good, topic, now)
        else:
            perform = self._removing(project, good, topic)
        answer = json_answer(200, {"results": results})
        return Judgement(answer, None, f"topic:{topic}", project, True, perform)

    def _adding(
        self, project: str, registrations: list[str], topic: str, now: float
    ) -> Callable[[], None]:
        def add() -> None:
            for registration in registrations:
                self._created.setdefault((project, registration), {}).setdefault(topic, now)

        return add

    def _removing(self, project: str, registrations: list[str], topic: str) -> Callable[[], None]:
        def remove() -> None:
            for registration in registrations:
                self._created.get((project, registration), {}).pop(topic, None)

        return remove

    def _check_registration(self, project: str, registration: str) -> None:
        if not _REGISTRATION.fullmatch(registration):
            raise _refused(
                400, "INVALID_ARGUMENT", "The registration is not a valid FCM registration."
            )
        if not self._fits(project, registration):
            raise _missing()

    def _fault(self, project: str, token: str, added: str | None) -> str | None:
        """Return what a batch says of *token*, which is *added* to a topic or to none."""
        if not _REGISTRATION.fullmatch(token):
            return "INVALID_ARGUMENT"
        if not self._fits(project, token):
            return "NOT_FOUND"
        topics = self._created.get((project, token), {})
        is_new = added is not None and added not in topics
        return "TOO_MANY_TOPICS" if is_new and len(topics) >= MAX_TOPICS else None

    def _fits(self, project: str, registration: str) -> bool:
        device = self._devices.get(registration)
        known = device is None or device.project in (None, project)
        return known and _REGISTRATION.fullmatch(registration) is not None


def _route(request: Request) -> tuple[str, str, str | None]:
    """Return project, registration and topic of the path."""
    found = _PATH.fullmatch(request.path)
    if found is None or request.method not in _METHODS[found[3] is not None]:
        raise Refused(answers.NOT_FOUND_PAGE, html_answer(404, "Not Found"))
    project, registration, topic = (
        None if part is None else urllib.parse.unquote(part) for part in found.groups()
    )
    return str(project), str(registration), topic


def _batch_body(request: Request) -> tuple[str, list[str]]:
    try:
        body: JsonValue = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        topic, tokens = body.get("to"), body.get("registration_tokens")
        if (
            isinstance(topic, str)
            and _TOPIC.fullmatch(topic.removeprefix("/topics/"))
            and isinstance(tokens, list)
            and 0 < len(tokens) <= MAX_BATCH
        ):
            return topic.removeprefix("/topics/"), [str(token) for token in tokens]
    raise Refused("InvalidRequest", json_answer(400, {"error": "INVALID_ARGUMENT"}))


def _check_topic(topic: str) -> str:
    if not _TOPIC.fullmatch(topic):
        raise _refused(400, "INVALID_ARGUMENT", "Invalid topic name.")
    return topic


def _one(project: str, registration: str, topic: str, created: float) -> Answer:
    return json_answer(200, _shown(project, registration, topic, created))


def _shown(project: str, registration: str, topic: str, created: float) -> JsonValue:
    return {
        "name": f"projects/{project}/registrations/{registration}/topicSubscriptions/{topic}",
        "topicName": topic,
        "createTime": rfc3339(created),
    }


def _listed(
    project: str, registration: str, topics: Mapping[str, float], query: Mapping[str, str]
) -> Answer:
    """Return a page; the page token is the number of topics that came before."""
    size, start = query.get("pageSize", ""), query.get("pageToken", "0")
    if (size and not size.isdecimal()) or not start.isdecimal() or int(start) > len(topics):
        raise _refused(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
    end = int(start) + min(int(size or 0) or _DEFAULT_PAGE, _MAX_PAGE)
    names = sorted(topics)[int(start) : end]
    page: dict[str, JsonValue] = {}
    if names:
        page["topicSubscriptions"] = [
            _shown(project, registration, name, topics[name]) for name in names
        ]
    if end < len(topics):
        page["nextPageToken"] = str(end)
    return json_answer(200, page)


def _missing() -> Refused:
    return _refused(404, "NOT_FOUND", "Requested entity was not found.")


def _refused(status: int, reason: str, text: str) -> Refused:
    return Refused(reason, answers.google_error(status, text, ()))
