"""
Bulk sending against its peers: whole jobs, side by side, in one run.

    python bench/bulk.py [--rounds 7] [--pushes 200000] [--only NAME…] [--apns2 DIR] [--write]

Starts nginx on one core, runs each client on another, in turns, and prints ratios with their
quartiles; a target is met when the worse quartile meets it.  What is compared, and how, is told
in ``bench/README.md``.  Linux only.  Exit code 0: all targets that were asked for are met; 1: one
is missed or could not be measured; 2: the benchmark could not run.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rig import apns2, machine
from rig.apns2 import NotAvailable
from rig.clients import Client, Clients, Failed, Rig, Sample
from rig.figures import Measure, Row, Spread, ratio, table
from rig.server import CannotServe, serving

RESULTS = Path(__file__).with_name("RESULTS.md")
PEERS = ("apns2", "aioapns", "httpx", "h2load")
VARIANTS = ("dry-run", "no-journal", "goaway", "dead-1", "dead-50", "fcm")
NAMES = ("pushctl", *PEERS, *VARIANTS, "memory")
MEMORY_TOKENS = (100_000, 1_000_000)
MEMORY_TOKENS_FULL = (100_000, 10_000_000)
MB = 1_000_000
LEAST_ROUNDS = 7  # fewer say little about a quartile


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, and return the exit code."""
    options = _parser().parse_args(arguments)
    wanted = set(options.only or NAMES) | {"pushctl"}  # whatever is compared, is with pushctl
    if sys.platform != "linux":
        return _refuse("the benchmark pins processes to cores, which only Linux lets it do")
    try:
        client_cpu, server_cpu = machine.two_cores()
        with tempfile.TemporaryDirectory(prefix="pushctl-bench-") as name:
            folder = Path(name)
            with serving(folder, server_cpu) as server:
                bench = Bench(Rig(folder, server, client_cpu, server_cpu))
                began = machine.load()
                bench.prepare(options.pushes, [one for one in NAMES if one in wanted], options.apns2)
                bench.measure(options.rounds)
                if "memory" in wanted:
                    bench.measure_memory(MEMORY_TOKENS_FULL if options.full else MEMORY_TOKENS)
                facts = machine.facts(folder)
                facts.append(("load average", f"{began} before, {machine.load()} after"))
    except (CannotServe, OSError) as error:
        return _refuse(str(error))
    facts.append(("other processes", f"{bench.disturbance:.0%} of the two cores"))
    rows = bench.rows()
    text = _document(arguments, options.rounds, rows, bench, facts)
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
    return int(any(row.has_target and not row.met for row in rows))


class Bench:
    """The clients of one run and their samples."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._clients: dict[str, Client] = {}
        self._makers: Clients | None = None
        self.samples: dict[str, list[Sample]] = {}
        """By the name of the client, one for each round."""
        self.missing: dict[str, str] = {}
        """Why a client could not be run, by its name."""
        self.memory: dict[int, Sample] = {}
        """By the number of tokens."""

    @property
    def disturbance(self) -> float:
        """Return the share of the two cores' time that went to others while clients ran."""
        samples = [one for rounds in self.samples.values() for one in rounds]
        whole_s = sum(one.whole_s for one in samples)
        return sum(one.others_s for one in samples) / (2 * whole_s) if whole_s else 0.0

    def describe(self, name: str) -> str:
        """Return what the client called *name* is."""
        return self._clients[name].what

    def prepare(self, pushes: int, names: Sequence[str], library: Path | None) -> None:
        """Make the clients called *names*, over lists of *pushes* tokens."""
        rig = self._rig
        clients = self._makers = Clients(rig, pushes)
        makers: dict[str, Callable[[], Client]] = {
            "pushctl": clients.pushctl,
            "apns2": lambda: clients.apns2(apns2.build(rig.folder, library)),
            "aioapns": clients.aioapns,
            "httpx": clients.httpx,
            "h2load": clients.h2load,
            "dry-run": clients.dry_run,
            "no-journal": clients.without_journal,
            "goaway": clients.goaway,
            "dead-1": lambda: clients.dead(1),
            "dead-50": lambda: clients.dead(50),
            "fcm": clients.fcm,
        }
        for name in names:
            if name in makers:
                try:
                    self._clients[name] = makers[name]()
                except NotAvailable as error:
                    self.missing[name] = f"not available: {error}"

    def measure(self, rounds: int) -> None:
        """Run all clients in turns, *rounds* times; one that fails is left out from then on."""
        self.samples = {name: [] for name in self._clients}
        for number in range(1, rounds + 1):
            for name, client in self._clients.items():
                if name in self.missing:
                    continue
                _say(f"round {number} of {rounds}: {name}")
                try:
                    self.samples[name].append(self._rig.measure(client))
                except Failed as error:
                    self.missing[name] = f"failed: {error}"
                    del self.samples[name]
        _say("")

    def measure_memory(self, sizes: Sequence[int]) -> None:
        """Run pushctl once over a list of each of the *sizes*."""
        assert self._makers is not None, "prepare() comes first"
        for tokens in sizes:
            _say(f"memory: {tokens:,} tokens")
            try:
                self.memory[tokens] = self._rig.measure(self._makers.sized(tokens))
            except Failed as error:
                self.missing["memory"] = f"failed: {error}"
        _say("")

    def rows(self) -> list[Row]:
        """Return what was asked of pushctl, and what was found."""
        whole, sending = Sample.whole_rate.__get__, Sample.sending_rate.__get__
        rows = [
            self._ratio("whole job / Go sideshow/apns2", "apns2", whole, at_least=1.5),
            self._ratio("whole job / aioapns", "aioapns", whole, at_least=15),
            self._ratio("whole job / httpx", "httpx", whole, at_least=60),
            self._ratio("whole job / h2load", "h2load", whole, at_least=0.4),
            self._cpu(),
            self._variant("FCM path / APNs path", "fcm", at_least=0.5),
            self._variant("1 % rejected / all accepted", "dead-1", at_least=0.8),
            self._variant("50 % rejected / all accepted", "dead-50", at_least=0.5),
            self._ratio("with / without journal", "no-journal", sending, at_least=0.9),
            *self._memory(),
            self._variant("a GOAWAY every 10,000 requests / none", "goaway"),
            self._ratio("sending part alone / Go sideshow/apns2", "apns2", sending),
            self._audience(),
        ]
        return [row for row in rows if row is not None]

    def _ratio(
        self, what: str, name: str, mine: Measure, *, at_least: float | None = None
    ) -> Row | None:
        """Return pushctl's rate over that of the client *name* while it sends."""
        return self._row(what, name, lambda ours, theirs: ratio(ours, mine, theirs, _sending), at_least)

    def _row(self) -> None: ...
