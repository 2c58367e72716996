"""The clients that are measured: how each is started, what it must report, what it cost."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from rig import lists, process, server
from rig.process import Finished
from rig.server import Server

TITLE = "Order shipped"
TEXT = "It arrives tomorrow."
_PEERS = Path(__file__).parent.parent / "peers"
_PUSHCTL = (sys.executable, "-m", "pushctl")
_TERMINATED = 143  # pushctl's exit code for a run that SIGTERM ended
_LIMIT_S = 180.0
_LEAST_RATE = 2_000  # pushes/s: a run slower than this is hung, however long its list

# The best of those tried on the machine of RESULTS.md; none of them gains by more.
_APNS2_GOROUTINES = 500
_AIOAPNS_WORKERS = 100
_HTTPX_WORKERS = 50

# What two Python peers can send in a few seconds; their rate does not depend on the number.
_AIOAPNS_PUSHES = 10_000
_HTTPX_PUSHES = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a client says of its run."""

    sending_s: float
    """From its first push to its last answer."""
    accepted: int
    rejected: int
    cpu_s: float | None = None
    """Of the sending alone; ``None``: the whole process counts."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How to run one client over one list."""

    name: str
    what: str
    command: Sequence[str]
    pushes: int
    read: Callable[[Finished], Report]
    rejected: int = 0
    """How many pushes of its list the server answers with 410."""
    requests: int | None = None
    """How many requests the server must count; ``None``: one a push."""
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One measured run."""

    pushes: int
    whole_s: float
    sending_s: float
    cpu_s: float
    peak_bytes: int
    server_busy: float
    """The share of its core that the server used meanwhile."""
    others_s: float
    """Seconds of the two cores that went to other processes of the machine."""

    @property
    def whole_rate(self) -> float:
        """Return pushes/s of the whole process, from its start to its end."""
        return self.pushes / self.whole_s

    @property
    def sending_rate(self) -> float:
        """Return pushes/s while the client was sending, by its own clock."""
        return self.pushes / self.sending_s

    @property
    def cpu_us(self) -> float:
        """Return microseconds of processor time per push."""
        return self.cpu_s / self.pushes * 1e6


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed:
    """A run that was stopped and resumed."""

    ready_s: float
    """What the second process spent on anything but sending: mostly before its first push."""
    peak_bytes: int
    """The most memory that was resident in either process."""


class NotAvailable(Exception):
    """A client cannot be had here; the message says why."""


class Failed(Exception):
    """A client's run cannot be used; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rig:
    """Where clients run."""

    folder: Path
    server: Server
    client_cpu: int
    server_cpu: int

    def measure(self, client: Client) -> Sample:
        """
        Run *client* once and return what it cost.

        Raises :class:`Failed` when it ended badly, or when its totals or the number of requests
        that the server counted are not what its list demands.
        """
        cores = (self.client_cpu, self.server_cpu)
        served, server_cpu_s = self.server.requests(), self.server.cpu_s()
        busy_s = _busy_s(cores)
        ended = self._run(client, client.command)
        server_cpu_s = self.server.cpu_s() - server_cpu_s
        others_s = max(0.0, _busy_s(cores) - busy_s - ended.cpu_s - server_cpu_s)
        served = self.server.requests() - served
        self._tidy()
        report = _checked(client, ended, served)
        return Sample(
            pushes=client.pushes,
            whole_s=ended.wall_s,
            sending_s=report.sending_s,
            cpu_s=ended.cpu_s if report.cpu_s is None else report.cpu_s,
            peak_bytes=ended.peak_bytes,
            server_busy=server_cpu_s / ended.wall_s,
            others_s=others_s,
        )

    def measure_resumed(self, client: Client) -> Resumed:
        """
        Run *client*, which must be pushctl, stop it half-way, and resume it to its end.

        Raises :class:`Failed` as :meth:`measure` does; the totals are those of both processes.
        """
        served = self.server.requests()
        half = served + client.pushes // 2
        begun = self._run(client, client.command, lambda: self.server.requests() >= half)
        if begun.exit_code != _TERMINATED:
            raise Failed(f"exit code {begun.exit_code} after SIGTERM: {_last_words(begun)}")
        options = ["-o", "json", "--fail-on", "never"]
        ended = self._run(client, [*_PUSHCTL, "runs", "resume", "last", *options])
        served = self.server.requests() - served
        self._tidy()
        report = _checked(client, ended, served)
        peak_bytes = max(begun.peak_bytes, ended.peak_bytes)
        return Resumed(ready_s=ended.wall_s - report.sending_s, peak_bytes=peak_bytes)

    def _run(
        self,
        client: Client,
        command: Sequence[str],
        stop_when: Callable[[], bool] | None = None,
    ) -> Finished:
        return process.run(
            command,
            cpu=self.client_cpu,
            cwd=self.folder,
            environ={**_environ(self.folder), **client.environ},
            limit_s=_LIMIT_S + client.pushes / _LEAST_RATE,
            stop_when=stop_when,
        )

    def _tidy(self) -> None:
        shutil.rmtree(self.folder / ".pushctl", ignore_errors=True)
        (self.folder / "bounces.jsonl").unlink(missing_ok=True)


class Clients:
    """Makes the clients for one rig; each method raises :class:`NotAvailable` where it cannot."""

    def __init__(self, rig: Rig, pushes: int) -> None:
        """Write what the clients read: configs, payload, lists of *pushes* tokens."""
        self._rig = rig
        self._pushes = pushes
        self._folder = rig.folder
        self._list = lists.device_tokens(rig.folder / "tokens.csv", pushes)
        self._payload = rig.folder / "payload.json"
        alert = {"aps": {"alert": {"title": TITLE, "body": TEXT}}}
        self._payload.write_text(json.dumps(alert, separators=(",", ":")))
        (rig.folder / "pushctl.yaml").write_text(_config(rig.server, rig.server.port))
        (rig.folder / "goaway.yaml").write_text(_config(rig.server, rig.server.goaway_port))

    def pushctl(self) -> Client:
        """Return the ordinary job: a csv file in, outcomes journalled, a JSON summary out."""
        return self._send("pushctl", "whole job, all accepted", self._list)

    def dry_run(self) -> Client:
        """Return the job without its sending: start-up and audience."""
        ordinary = self._send("dry-run", "pushctl send --dry-run: all but the sending", self._list)
        return dataclasses.replace(
            ordinary,
            command=[*ordinary.command, "--dry-run"],
            requests=0,
            read=lambda ended: Report(ended.wall_s, self._pushes, 0),
        )

    def without_journal(self) -> Client:
        """Return the job with a journal that writes nothing."""
        ordinary = self._send("no-journal", "pushctl with its journal patched away", self._list)
        script = str(_PEERS / "without_journal.py")
        return dataclasses.replace(
            ordinary, command=[sys.executable, script, *ordinary.command[len(_PUSHCTL) :]]
        )

    def goaway(self) -> Client:
        """Return the job against a server that says GOAWAY now and then."""
        what = f"pushctl, a GOAWAY every {server.GOAWAY_EVERY:,} requests"
        return self._send("goaway", what, self._list, "--config", "goaway.yaml")

    def dead(self, percent: int) -> Client:
        """Return the job over a list of which *percent* are dead tokens (a divisor of 100)."""
        name = f"dead-{percent}"
        path = self._folder / f"{name}.csv"
        if not path.exists():
            lists.device_tokens(path, self._pushes, dead_every=100 // percent)
        ordinary = self._send(name, f"pushctl, {percent} % of the tokens answered 410", path)
        return dataclasses.replace(ordinary, rejected=self._pushes // (100 // percent))

    def fcm(self) -> Client:
        """Return the job over FCM registration tokens."""
        path = self._folder / "fcm.csv"
        if not path.exists():
            lists.registration_tokens(path, self._pushes)
        ordinary = self._send("fcm", "pushctl, FCM registration tokens", path)
        return dataclasses.replace(ordinary, requests=self._pushes + 1)  # and the access token's

    def sized(self, tokens: int) -> Client:
        """Return the job over a list of *tokens*, to see its memory."""
        path = lists.device_tokens(self._folder / f"tokens-{tokens}.csv", tokens)
        ordinary = self._send(f"memory-{tokens}", f"pushctl, {tokens:,} tokens", path)
        return dataclasses.replace(ordinary, pushes=tokens)

    def apns2(self, program: Path | None) -> Client:
        """Return the Go client, which is ``peers/apns2_send.go`` built as *program*."""
        if program is None or not program.is_file():
            raise NotAvailable("name the program with --apns2")
        given = self._rig.server
        command = [
            str(program.resolve()),
            str(self._list),
            str(self._payload),
            str(given.key_file),
            f"https://{server.HOST}:{given.port}",
            server.TOPIC,
            server.KEY_ID,
            server.TEAM_ID,
            str(_APNS2_GOROUTINES),
        ]
        return Client(
            name="apns2",
            what=f"Go sideshow/apns2, GOMAXPROCS=1, {_APNS2_GOROUTINES:,} goroutines",
            command=command,
            pushes=self._pushes,
            read=_read_peer,
            environ={"GOMAXPROCS": "1", "SSL_CERT_FILE": str(given.ca_file)},
        )

    def aioapns(self) -> Client:
        """Return aioapns."""
        return self._python_peer("aioapns", _AIOAPNS_PUSHES, _AIOAPNS_WORKERS)

    def httpx(self) -> Client:
        """Return httpx over HTTP/2."""
        return self._python_peer("httpx", _HTTPX_PUSHES, _HTTPX_WORKERS)

    def h2load(self) -> Client:
        """Return h2load: one path for all, which HPACK folds into a byte; a ceiling, not a job."""
        program = shutil.which("h2load")
        if program is None:
            raise NotAvailable("h2load was not found: apt install nghttp2-client")
        fields = {
            "authorization": "bearer " + "x" * 180,
            "apns-topic": server.TOPIC,
            "apns-push-type": "alert",
            "apns-priority": "10",
        }
        headers = [part for name, text in fields.items() for part in ("-H", f"{name}: {text}")]
        url = f"https://{server.HOST}:{self._rig.server.port}/3/device/{'beef' * 16}"
        command = [program, "-n", str(self._pushes), "-c", "1", "-m", "1000"]
        return Client(
            name="h2load",
            what="h2load -c 1 -m 1000, one request repeated",
            command=[*command, "-d", str(self._payload), *headers, url],
            pushes=self._pushes,
            read=_read_h2load,
        )

    def _send(self, name: str, what: str, path: Path, *options: str) -> Client:
        command = [*_PUSHCTL, "send", "--tokens", path.name]
        command += ["--title", TITLE, "--body", TEXT]
        command += ["-o", "json", "--yes", "--no-input", "--fail-on", "never"]
        return Client(
            name=name,
            what=what,
            command=[*command, *options],
            pushes=self._pushes,
            read=_read_pushctl,
        )

    def _python_peer(self, name: str, pushes: int, workers: int) -> Client:
        if find_spec(name) is None:
            raise NotAvailable(f"{name} is not installed in this environment")
        given = self._rig.server
        number = min(pushes, self._pushes)
        command = [
            sys.executable,
            str(_PEERS / f"{name}_send.py"),
            str(self._list),
            str(number),
            str(self._payload),
            str(given.key_file),
            str(given.ca_file),
            server.HOST,
            str(given.port),
            server.TOPIC,
            server.KEY_ID,
            server.TEAM_ID,
            str(workers),
        ]
        return Client(
            name=name,
            what=f"{name}, {workers} at a time",
            command=command,
            pushes=number,
            read=_read_peer,
        )


def _config(given: Server, port: int) -> str:
    origin = f"https://{server.HOST}:{port}"
    apns = {
        "service": "apns",
        "environment": "production",
        "topic": server.TOPIC,
        "key_file": given.key_file.name,
        "key_id": server.KEY_ID,
        "team_id": server.TEAM_ID,
        "endpoint": origin,
        "ca_file": given.ca_file.name,
    }
    fcm = {
        "service": "fcm",
        "service_account_file": "service-account.json",
        "endpoint": origin,
        "token_endpoint": f"{origin}/token",
        "ca_file": given.ca_file.name,
    }
    return json.dumps({"credentials": {"apns": apns, "fcm": fcm}})  # JSON is YAML


def _environ(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PUSHCTL_DEBUG": "1",  # if it fails, its last words say where
    }


def _checked(client: Client, ended: Finished, served: int) -> Report:
    if ended.exit_code:
        raise Failed(f"exit code {ended.exit_code}: {_last_words(ended)}")
    try:
        report = client.read(ended)
    except (ValueError, LookupError) as error:
        raise Failed(f"no report in its output: {error}") from error
    expected = (client.pushes - client.rejected, client.rejected)
    if (report.accepted, report.rejected) != expected:
        raise Failed(
            f"it says {report.accepted:,} accepted and {report.rejected:,} rejected;"
            f" its list demands {expected[0]:,} and {expected[1]:,}"
        )
    requests = client.pushes if client.requests is None else client.requests
    if served != requests:
        raise Failed(f"the server counted {served:,} requests, not {requests:,}")
    return report


def _last_words(ended: Finished) -> str:
    return " ".join((ended.stderr or ended.stdout).split())[-300:]


def _read_pushctl(ended: Finished) -> Report:
    document = json.loads(ended.stdout)
    totals = document["totals"]
    return Report(document["duration_s"], totals["accepted"], totals["rejected"])


def _read_peer(ended: Finished) -> Report:
    said = json.loads(ended.stdout.splitlines()[-1])
    if said["failed"]:
        raise ValueError(f"{said['failed']:,} pushes failed")
    return Report(said["seconds"], said["accepted"], said["rejected"], said.get("cpu_s"))


def _read_h2load(ended: Finished) -> Report:
    took = re.search(r"^finished in ([0-9.]+)(s|ms|us),", ended.stdout, re.MULTILINE)
    codes = re.search(r"^status codes: (\d+) 2xx, \d+ 3xx, (\d+) 4xx", ended.stdout, re.MULTILINE)
    if took is None or codes is None:
        raise ValueError("h2load printed no summary")
    seconds = float(took[1]) * {"s": 1.0, "ms": 1e-3, "us": 1e-6}[took[2]]
    return Report(seconds, int(codes[1]), int(codes[2]))


def _busy_s(cores: Sequence[int]) -> float:
    """Return the seconds that *cores* were not idle since the machine started."""
    total = 0
    names = {f"cpu{core}" for core in cores}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in names:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            total += user + nice + system + irq + softirq + steal
    return total / os.sysconf("SC_CLK_TCK")
