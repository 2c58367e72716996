"""
HTTP/2 servers that are not ours, each as a gateway on loopback: a device token that begins with
``de`` is answered 410, every other push 200.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from wire.authority import Authority

HOST = "127.0.0.1"
PEERS = Path(__file__).parent / "peers"
STREAMS = 10
"""The stream limit that each server is given, where it can be given one."""
LAST = 20
"""After so many requests a connection ends, where a server can be told so."""
_STARTED_WITHIN_S = 20.0
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
_COMPLAINT = re.compile(r".*(?:send RST_STREAM|(?<!NO)_ERROR\().*")
_GONE = json.dumps({"reason": "Unregistered", "timestamp": 1_790_000_000_000})
_SENT = json.dumps({"name": "projects/shop/messages/0:1"})
_GRANT = json.dumps({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"})


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: its folder, its port, and files in the folder."""

    folder: Path
    port: int
    certificate: Path
    """Key and certificate, PEM."""
    ca_file: Path

    @property
    def log(self) -> Path:
        """Where the server writes down what it is asked for."""
        return self.folder / "requests.log"


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A server: how it is found, started, and what it says of the requests it had."""

    name: str
    engine: str
    """Whose HTTP/2 it is."""
    program: str | None
    """What has to be on PATH; ``None``: a Python package called *name*."""
    package: str
    """Where it comes from, for who wants to have it."""
    version: Callable[[Server], str]
    command: Callable[[Place], Sequence[str]]
    """Writes what the server needs into its place and returns how to start it."""
    can: frozenset[str]
    """``410``: its refusal has a body of ours; ``fcm``: a token endpoint and FCM's answers;
    ``end``: it ends connections politely; ``limit``: it takes the stream limit."""
    path: re.Pattern[str] = re.compile(r"^(/\S+)(?: (\d+))?$", re.MULTILINE)
    """Finds the paths in its log, and where it says so the connection that each came on."""

    def missing(self) -> str | None:
        """Return why it cannot be started here; ``None``: it can."""
        if self.program is not None:
            found = shutil.which(self.program, path=_PATH)
        else:
            found = _package_version(self.name)
        return None if found else f"needs {self.name} ({self.package})"


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    ca_file: Path
    requests: Callable[[], list[tuple[str, str]]]
    """Returns path and connection of each request; the connection is empty if nobody says."""
    complaints: Callable[[], list[str]]
    """Returns what the server says is wrong with its client; nghttpd tells each reset stream."""


@contextlib.contextmanager
def serving(server: Server, folder: Path) -> Iterator[Running]:
    """Run *server* in *folder* until the block ends."""
    authority = Authority(folder)
    certificate = authority._issue(HOST, expired=False)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    place = Place(folder, port, certificate, authority.file)
    place.log.touch()
    command = server.command(place)
    environment = {**os.environ, "PATH": _PATH, "GATEWAY_LOG": str(place.log), "HOME": str(folder)}
    said = folder / "said.log"
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        _await(process, place, said)

        def requests() -> list[tuple[str, str]]:
            text = place.log.read_text() + said.read_text(errors="replace")
            return [(found[1], found[2] or "") for found in server.path.finditer(text)]

        def complaints() -> list[str]:
            return _COMPLAINT.findall(said.read_text(errors="replace"))

        yield Running(f"https://{HOST}:{port}", place.ca_file, requests, complaints)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], place: Place, said: Path) -> None:
    until = time.monotonic() + _STARTED_WITHIN_S
    context = ssl.create_default_context(cafile=str(place.ca_file))
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((HOST, place.port), timeout=1) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            return
        time.sleep(0.02)
    raise AssertionError(f"it does not listen: {said.read_text(errors='replace')[-500:]}")


def _package_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def said_by(*words: str) -> Callable[[Server], str]:
    """Return a reader of the first version number that ``program words`` prints."""

    def read(server: Server) -> str:
        assert server.program is not None
        command = [server.program, *words]
        environment: Mapping[str, str] = {**os.environ, "PATH": _PATH}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
        return found[0] if found else "?"

    return read


# -- how each of them is told ---------------------------------------------------------------------


def _nginx(place: Place) -> Sequence[str]:
    temporary = "".join(
        f"{kind}_temp_path {place.folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = place.folder / "nginx.conf"
    config.write_text(f"""
daemon off;
pid {place.folder}/nginx.pid;
error_log stderr error;
events {{}}
http {{
    {temporary}
    log_format path '$request_uri $connection';
    access_log {place.log} path;
    server {{
        listen {HOST}:{place.port} ssl http2;
        ssl_certificate {place.certificate};
        ssl_certificate_key {place.certificate};
        http2_max_concurrent_streams {STREAMS};
        keepalive_requests {LAST};
        default_type application/json;
        location /3/device/de {{ return 410 '{_GONE}'; }}
        location /3/device/ {{ return 200; }}
        location /v1/ {{ return 200 '{_SENT}'; }}
        location = /token {{ return 200 '{_GRANT}'; }}
    }}
}}
""")
    return ["nginx", "-p", str(place.folder), "-e", "stderr", "-c", str(config)]


def _nghttpd(place: Place) -> Sequence[str]:
    # It serves files: those of good tokens are there, what is not there is answered 404.
    device = place.folder / "htdocs" / "3" / "device"
    device.mkdir(parents=True)
    for number in range(1, 1000):
        (device / f"aa{number:062x}").write_bytes(b"ok")
    options = ["-a", HOST, "-d", str(place.folder / "htdocs"), "-m", str(STREAMS), "-v"]
    options += ["--padding=200", "--trailer=x-trailer: kept out", "--no-content-length"]
    pem = str(place.certificate)
    return ["nghttpd", *options, str(place.port), pem, pem]


def _haproxy(place: Place) -> Sequence[str]:
    config = place.folder / "haproxy.cfg"
    config.write_text(f"""
global
    tune.h2.max-concurrent-streams {STREAMS}
    log stdout format raw local0
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
    log global
    log-format %HPO
frontend gateway
    bind {HOST}:{place.port} ssl crt {place.certificate} alpn h2,http/1.1
    http-request wait-for-body time 5s if METH_POST
    http-request return status 410 content-type application/json string '{_GONE}' if {{ path_beg /3/device/de }}
    http-request return status 200 if {{ path_beg /3/device/ }}
    http-request return status 200 content-type application/json string '{_SENT}' if {{ path_beg /v1/ }}
    http-request return status 200 content-type application/json string '{_GRANT}'
""")  # noqa: E501
    return ["haproxy", "-db", "-f", str(config)]


def _caddy(place: Place) -> Sequence[str]:
    config = place.folder / "Caddyfile"
    config.write_text(f"""
{{
    admin off
    auto_https off
    skip_install_trust
}}
https://{HOST}:{place.port} {{
    tls {place.certificate} {place.certificate}
    log {{
        output file {place.log}
    }}
    header content-type application/json
    respond /3/device/de* `{_GONE}` 410
    respond /3/device/* 200
    respond /v1/* `{_SENT}` 200
    respond /token `{_GRANT}` 200
}}
""")
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


def _granian(place: Place) -> Sequence[str]:
    pem = str(place.certificate)
    options = ["--interface", "asgi", "--http", "auto", "--host", HOST, "--port", str(place.port)]
    options += ["--ssl-certificate", pem, "--ssl-keyfile", pem]
    options += ["--http2-max-concurrent-streams", str(STREAMS), "--no-log"]
    return [sys.executable, "-m", "granian", *options, "--working-dir", str(PEERS), "gateway:app"]


def _hypercorn(place: Place) -> Sequence[str]:
    # Not with keep_alive_max_requests: there it drops the answers of the streams that are open.
    config = place.folder / "hypercorn.toml"
    config.write_text(f"h2_max_concurrent_streams = {STREAMS}\n")
    pem = str(place.certificate)
    options = ["--config", str(config), "--bind", f"{HOST}:{place.port}"]
    options += ["--certfile", pem, "--keyfile", pem]
    return [sys.executable, "-m", "hypercorn", *options, f"{PEERS / 'gateway.py'}:app"]


def _node(place: Place) -> Sequence[str]:
    given = (place.port, place.certificate, place.log, STREAMS, LAST)
    return ["node", str(PEERS / "gateway.cjs"), *map(str, given)]


def _of_package(server: Server) -> str:
    return _package_version(server.name) or "?"


_ALL = frozenset({"410", "fcm", "limit", "end"})
SERVERS = (
    Server("nginx", "its own", "nginx", "Debian", said_by("-v"), _nginx, _ALL),
    Server(
        "nghttpd",
        "nghttp2",
        "nghttpd",
        "Debian: nghttp2-server",
        said_by("--version"),
        _nghttpd,
        frozenset({"limit"}),
        re.compile(r":path: (\S+)()"),
    ),
    Server("haproxy", "its own", "haproxy", "Debian", said_by("-v"), _haproxy, _ALL - {"end"}),
    Server(
        "caddy",
        "Go",
        "caddy",
        "Debian",
        said_by("version"),
        _caddy,
        _ALL - {"end", "limit"},
        re.compile(r'"uri":"([^"]+)"()'),
    ),
    Server("node", "nghttp2", "node", "nodejs.org", said_by("--version"), _node, _ALL),
    Server("granian", "Rust hyper", None, "PyPI", _of_package, _granian, _ALL - {"end"}),
    Server("hypercorn", "h2", None, "PyPI", _of_package, _hypercorn, _ALL - {"end"}),
)
