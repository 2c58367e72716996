"""What a user sees of a gateway that floods: the run ends, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.kit import apns_at, ios, run_cli
from credentials import material
from wire.authority import Authority
from wire.talk import opening
from wire.test_floods import ATTACKS, chunks
from wire.witness import Wrong, witnessing

FLOODS = ("unknown frames", "1xx", "a header block without an end", "an HPACK bomb")
ENOUGH = 1 << 17
"""Octets of a flood, unless its name says more."""


def flood(name: str) -> bytes:
    """Return what is said by an attacker that never listens."""
    attack = ATTACKS[name]
    said = bytearray(attack.before)
    for chunk, _ in chunks(attack.repeats):
        said += chunk
        if len(said) > ENOUGH:
            return bytes(said)
    raise AssertionError("an attack has no end")


@pytest.mark.parametrize("name", FLOODS)
def test_a_gateway_that_floods(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """
    Ten recipients, and each request is answered by a flood.

    The first costs one connection and is unknown, with the flood's name; nothing is sent twice.
    """
    authority = Authority(tmp_path_factory.mktemp("ca"))
    folder = tmp_path / "shop"
    folder.mkdir()
    material.write(folder / "key.p8", material.pem(material.ec_key()))
    (folder / "list.txt").write_text("".join(f"{ios(number)}\n" for number in range(10)))
    attacker = Wrong(
        lambda ca: ca.server(),
        "",
        "",
        "",
        greets=opening(100, ack=ATTACKS[name].acknowledged),
        cue=b"/3/device/",
        replies=flood(name),
    )
    with witnessing(attacker, authority) as witness:
        apns_at(folder, witness.port, authority.file)
        arguments = ("--tokens", "list.txt", "--title", "Hi", "-o", "jsonl", "--retry-for", "0")
        result = run_cli("send", *arguments, cwd=folder)
    outcomes = [record["outcome"] for record in result.records]
    doubtful = outcomes.count("unknown")
    heard = witness.heard.count(b"/3/device/")

    assert 5 == result.exit_code, result.stderr
    assert 10 == len(outcomes)
    assert ["unknown"] * doubtful + ["not_sent"] * (10 - doubtful) == outcomes
    assert 1 <= doubtful == heard == witness.connections <= 3
    assert ATTACKS[name].words in result.records[0]["detail"]
    (error,) = result.errors
    assert "3 requests in a row went unanswered" in error
    assert ATTACKS[name].words in error
