"""What each client sends to the simulator, and what is right of what it says and leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from cli.kit import android, ios
from interop.clients import Client
from interop.libraries import Told
from pushctl.simulator import Rule, Script
from simulator.kit import serving

MANY = 50
STEPS = ("one", f"{MANY} at once", "a dead token", "GOAWAY", "and another")
GONE = {
    "@parse/node-apn": "Unregistered",
    "firebase-admin": "UnregisteredError",
    "firebase-admin (async)": "UnregisteredError",
    "firebase-admin (Node)": "messaging/registration-token-not-registered",
    "nghttp": "410",  # it shows no bodies
}
"""How a client says that a token is dead, where it is not ``Unregistered``."""


KNOWN: Mapping[tuple[str, str], str] = {
    # h2 throws away an answer that comes together with a GOAWAY (python-hyper/h2 issue 1181).
    ("aioapns", "GOAWAY"): "yes, accepted twice",
    ("httpx", "GOAWAY"): "error: LocalProtocolError",
    ("firebase-admin (async)", "GOAWAY"): "UnknownError",  # httpx again
    # Its batch fails as a whole, although the message was accepted and answered.
    ("firebase-admin (Node)", "GOAWAY"): "messaging/app/network-error",
}
"""What clients are known to do wrong: the cells of the table that are not ``yes``."""


def judge(client: Client, folder: Path) -> dict[str, str]:
    """
    Let *client* send its rounds to a simulator in *folder*.

    Returns for each step ``yes``, or what was said instead.
    """
    token = android if client.fcm else ios
    dead, leaving = token(90), token(91)
    rounds = [[token(1)], [token(number) for number in range(2, 2 + MANY)], [dead], [leaving]]
    rounds.append([token(92)])
    rules = (
        Rule(token=dead, answer="UNREGISTERED" if client.fcm else "Unregistered"),
        Rule(token=leaving, answer="goaway", times=1),
    )
    with serving(folder, script=Script(rules=rules)) as served:
        told = client.send(served, rounds)
        stats = served.fake.stats()
    good = GONE.get(client.name, "Unregistered")
    cells = {
        step: _cell(told, tokens, good if tokens == [dead] else "accepted")
        for step, tokens in zip(STEPS, rounds, strict=True)
    }
    for step, tokens in zip(STEPS, rounds, strict=True):
        if any(stats.accepted_per_token.get(one, 0) > 1 for one in tokens):
            cells[step] += ", accepted twice"
    return cells


def expected(client: Client) -> dict[str, str]:
    """Return what is known to come of the rounds of *client*."""
    return {step: KNOWN.get((client.name, step), "yes") for step in STEPS}


def _cell(told: Told, tokens: list[str], wanted: str) -> str:
    said = Counter(told.get(token, "nothing") for token in tokens)
    if said == {wanted: len(tokens)}:
        return "yes"
    wrong, count = next(item for item in said.most_common() if item[0] != wanted)
    return wrong if len(tokens) == 1 else f"{count} of {len(tokens)}: {wrong}"
