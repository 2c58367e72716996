"""
Bulk sending against its peers: whole jobs, side by side, in one run.

    python bench/bulk.py [--rounds 7] [--pushes 200000] [--only NAME…] [--apns2 PROGRAM] [--write]

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
from operator import attrgetter
from pathlib import Path

from rig import machine
from rig.clients import Client, Clients, Failed, NotAvailable, Rig, Sample
from rig.figures import Measure, Row, Spread, ratio, table
from rig.server import CannotServe, serving

RESULTS = Path(__file__).with_name("RESULTS.md")
NAMES = (  # neighbours in a round share the machine's mood, so what is compared stands together
    "no-journal",
    "pushctl",
    "apns2",
    "h2load",
    "dead-1",
    "dead-50",
    "fcm",
    "goaway",
    "dry-run",
    "aioapns",
    "httpx",
    "memory",
)
MEMORY_TOKENS = (100_000, 1_000_000)
MEMORY_TOKENS_FULL = (100_000, 10_000_000)
MB = 1_000_000
QUIET = 0.05  # the share of the two cores that others may use before the result says so
WHOLE: Measure = attrgetter("whole_rate")
SENDING: Measure = attrgetter("sending_rate")


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
                bench.prepare(
                    options.pushes, [one for one in NAMES if one in wanted], options.apns2
                )
                bench.measure(options.rounds)
                if "memory" in wanted:
                    bench.measure_memory(MEMORY_TOKENS_FULL if options.full else MEMORY_TOKENS)
                facts = machine.facts(folder)
                facts.append(("load average", f"{began} before, {machine.load()} after"))
    except (CannotServe, OSError) as error:
        return _refuse(str(error))
    facts.append(("other processes", f"{bench.disturbance:.0%} of the two cores"))
    rows = bench.rows()
    told = ["PROGRAM" if one == str(options.apns2) else one for one in arguments]  # no one's paths
    text = _document(told, options.rounds, rows, bench, facts)
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
    return int(any(row.has_target and not row.met for row in rows))


class Bench:
    """The clients of one run and their samples."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._asked: set[str] = set()
        self._clients: dict[str, Client] = {}
        self._makers: Clients | None = None
        self.samples: dict[str, list[Sample]] = {}
        """By the name of the client, one for each round."""
        self.missing: dict[str, str] = {}
        """Why a client could not be run, by its name."""
        self._peaks: dict[int, int] = {}
        """The most bytes that were resident, by the number of tokens."""
        self._resume_s: float | None = None

    @property
    def disturbance(self) -> float:
        """Return the share of the two cores' time that went to others while clients ran."""
        samples = [one for rounds in self.samples.values() for one in rounds]
        whole_s = sum(one.whole_s for one in samples)
        return sum(one.others_s for one in samples) / (2 * whole_s) if whole_s else 0.0

    def describe(self, name: str) -> str:
        """Return what the client called *name* is."""
        return self._clients[name].what

    def prepare(self, pushes: int, names: Sequence[str], apns2: Path | None) -> None:
        """Make the clients called *names*, over lists of *pushes* tokens."""
        rig = self._rig
        self._asked = set(names)
        clients = self._makers = Clients(rig, pushes)
        makers: dict[str, Callable[[], Client]] = {
            "pushctl": clients.pushctl,
            "apns2": lambda: clients.apns2(apns2),
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
        """
        Run pushctl once over a list of each of the *sizes*, in ascending order.

        The run over the longest is stopped half-way and resumed: that must not take more
        memory either, and shows how long a resume takes until it sends.
        """
        assert self._makers is not None, "prepare() comes first"
        try:
            for tokens in sizes:
                _say(f"memory: {tokens:,} tokens")
                client = self._makers.sized(tokens)
                if tokens < sizes[-1]:
                    self._peaks[tokens] = self._rig.measure(client).peak_bytes
                else:
                    resumed = self._rig.measure_resumed(client)
                    self._peaks[tokens] = resumed.peak_bytes
                    self._resume_s = resumed.ready_s
        except Failed as error:
            self.missing["memory"] = f"failed: {error}"
        _say("")

    def rows(self) -> list[Row]:
        """Return what was asked of pushctl, and what was found."""
        rows = [
            self._against("whole job / Go sideshow/apns2", "apns2", WHOLE, 1.5),
            self._against("whole job / aioapns", "aioapns", WHOLE, 15),
            self._against("whole job / httpx", "httpx", WHOLE, 60),
            self._against("whole job / h2load", "h2load", WHOLE, 0.4),
            self._row(
                "CPU of the whole job, µs per push", "pushctl", _cpu_us, at_most=20, digits=1
            ),
            self._variant("whole job over FCM / over APNs", "fcm", WHOLE, 0.5),
            self._variant("whole job, 1 % rejected / all accepted", "dead-1", WHOLE, 0.8),
            self._variant("whole job, 50 % rejected / all accepted", "dead-50", WHOLE, 0.5),
            self._against("with / without journal", "no-journal", SENDING, 0.9),
            *self._memory_rows(),
            self._variant("sending part over FCM / over APNs", "fcm", SENDING),
            self._variant("sending part, 1 % rejected / all accepted", "dead-1", SENDING),
            self._variant("sending part, 50 % rejected / all accepted", "dead-50", SENDING),
            self._variant("sending part, a GOAWAY every 10,000 requests / none", "goaway", SENDING),
            self._against("sending part / Go sideshow/apns2", "apns2", SENDING),
            self._against("sending part / h2load", "h2load", SENDING),
            self._row("CPU of the sending part, µs per push", "dry-run", _sending_cpu_us, digits=1),
            self._row("start-up and audience of the whole job, s", "pushctl", _rest_s),
        ]
        return [row for row in rows if row is not None]

    def _against(
        self, what: str, name: str, mine: Measure, at_least: float | None = None
    ) -> Row | None:
        """Return pushctl's rate, as *mine* says it, over what the client *name* sends at."""

        def spread(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Spread:
            return ratio(ours, mine, theirs, SENDING)

        return self._row(what, name, spread, at_least=at_least)

    def _variant(
        self, what: str, name: str, rate: Measure, at_least: float | None = None
    ) -> Row | None:
        """Return the *rate* of the variant *name* over that of the ordinary job."""

        def spread(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Spread:
            return ratio(theirs, rate, ours, rate)

        return self._row(what, name, spread, at_least=at_least)

    def _row(
        self,
        what: str,
        name: str,
        spread: Callable[[Sequence[Sample], Sequence[Sample]], Spread],
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        digits: int = 2,
    ) -> Row | None:
        """Return what *spread* makes of pushctl's samples and those of *name*, if asked for."""
        if name not in self._asked:
            return None
        found = None
        if name not in self.missing and "pushctl" not in self.missing:
            found = spread(self.samples["pushctl"], self.samples[name])
        return Row(what=what, found=found, at_least=at_least, at_most=at_most, digits=digits)

    def _memory_rows(self) -> list[Row]:
        if "memory" not in self._asked:
            return []
        most = growth = ready = None
        if self._resume_s is not None:
            peaks = [peak / MB for _, peak in sorted(self._peaks.items())]
            most = Spread.of([max(peaks)])
            growth = Spread.of([peaks[-1] / peaks[0]])
            ready = Spread.of([self._resume_s])
        longest = f"{max(self._peaks, default=0):,} tokens"
        return [
            Row(what=f"resident memory, MB ({longest})", found=most, at_most=300, digits=0),
            Row(what="resident memory / that of 100,000 tokens", found=growth, at_most=1.25),
            Row(what=f"a resume until it sends, s ({longest})", found=ready, at_most=15, digits=1),
        ]


def _cpu_us(ours: Sequence[Sample], _: Sequence[Sample]) -> Spread:
    return Spread.of([one.cpu_us for one in ours])


def _sending_cpu_us(ours: Sequence[Sample], dry: Sequence[Sample]) -> Spread:
    return Spread.of([a.cpu_us - b.cpu_us for a, b in zip(ours, dry, strict=True)])


def _rest_s(ours: Sequence[Sample], _: Sequence[Sample]) -> Spread:
    return Spread.of([one.whole_s - one.sending_s for one in ours])


def _document(
    arguments: Sequence[str],
    rounds: int,
    rows: Sequence[Row],
    bench: Bench,
    facts: Sequence[tuple[str, str]],
) -> str:
    """Return the result of a run as Markdown."""
    command = shlex.join(["python", "bench/bulk.py", *arguments])
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    asked = table(("what", "target", "found (quartiles)", ""), [row.cells() for row in rows], 4)
    clients = table(
        ("client", "pushes", "whole job/s", "sending/s", "CPU µs", "peak MB", "server"),
        [_client_cells(name, samples, bench) for name, samples in bench.samples.items()],
    )
    notes = "".join(f"- {name}: {why}\n" for name, why in bench.missing.items())
    if bench.disturbance > QUIET:
        notes += (
            f"- The machine was not quiet: other processes used {bench.disturbance:.0%} of the two"
            " cores.  Ratios suffer less than rates, quartiles say how much.\n"
        )
    if notes:
        notes += "\n"
    machine_table = table(("machine", ""), facts, 2)
    return f"""# Bulk sending, measured

`{command}`, {today}, rounds: {rounds}, clients in turns.
What is compared and how is told in [README.md](README.md).

{asked}

{notes}{clients}

`whole job/s` is pushes over the time of the whole process, `sending/s` over the time the client
itself calls sending; `CPU µs` is processor time a push; `server` is how busy the server's core was.
Medians over the rounds.  In each run the server counted as many requests as the list demanded.

- Loopback without latency, a server that answers from memory: this says what a client costs, not
  what Apple or Google let through.
- Peers send from a list and keep no outcomes; they are taken at `sending/s`, so without their
  start-up.  pushctl is taken as the whole process where a row says so.
- h2load repeats one request, which header compression folds to a few bytes: a ceiling, no sender.

{machine_table}
"""


def _client_cells(name: str, samples: Sequence[Sample], bench: Bench) -> tuple[str, ...]:
    def middle(measure: Measure) -> float:
        return Spread.of([measure(one) for one in samples]).middle

    return (
        bench.describe(name),
        f"{samples[0].pushes:,}",
        f"{middle(WHOLE):,.0f}",
        f"{middle(SENDING):,.0f}",
        f"{middle(attrgetter('cpu_us')):,.1f}",
        f"{middle(attrgetter('peak_bytes')) / MB:,.0f}",
        f"{middle(attrgetter('server_busy')):.0%}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Bulk sending against its peers.", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=_positive, default=7)
    parser.add_argument("--pushes", type=_hundreds, default=200_000, help="a multiple of 100")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of: {', '.join(NAMES)}"
    )
    parser.add_argument("--apns2", type=Path, metavar="PROGRAM", help="peers/apns2_send.go, built")
    parser.add_argument(
        "--full", action="store_true", help="memory with 10 million tokens, not 1 million"
    )
    parser.add_argument("--write", action="store_true", help=f"keep the result in {RESULTS.name}")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _hundreds(text: str) -> int:
    number = _positive(text)
    if number % 100:
        raise argparse.ArgumentTypeError("must be a multiple of 100")
    return number


def _say(text: str) -> None:
    """Show on a terminal what is going on, in one line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _refuse(why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
