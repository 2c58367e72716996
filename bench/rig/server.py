"""
The server of the benchmark: one nginx worker that answers as APNs and FCM do, in a folder of its
own, with a certificate authority and credentials made for this one occasion.

It judges nothing: a device token that ends in ``dead`` is answered 410, every other push 200.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
TOPIC = "com.example.bench"
KEY_ID = "BENCHMARK1"
TEAM_ID = "TEAM123456"
PROJECT_ID = "bench-1234"
GOAWAY_EVERY = 10_000
_STARTED_WITHIN_S = 10.0
_STOPPED_WITHIN_S = 10.0
_ACCESS_TOKEN_BYTES = 1_100  # Google's are of about this size; their cost is part of the FCM path

_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    http2_max_concurrent_streams 1000;
    default_type application/json;
    # APNs returns the caller's apns-id or makes one up: each client reads an answer of one size.
    map $http_apns_id $answer_id {{
        "" "6d1f6d3e-7c52-4a56-9c3a-0b8a3f3f0f10";
        default $http_apns_id;
    }}
    {servers}
    server {{
        listen {host}:{status_port};
        location = /status {{ stub_status; }}
    }}
}}
"""

_SERVER = """
    server {{
        listen {host}:{port} ssl http2 backlog=1024;
        keepalive_requests {requests};
        location /3/device/ {{
            add_header apns-id $answer_id always;
            location ~ dead$ {{
                add_header apns-id $answer_id always;
                return 410 '{gone}';
            }}
            return 200;
        }}
        location /v1/projects/ {{ return 200 '{sent}'; }}
        location = /token {{ return 200 '{grant}'; }}
    }}
"""


@dataclasses.dataclass(slots=True)
class Server:
    """A running server, and the credentials that go with it."""

    folder: Path
    port: int
    goaway_port: int
    """Here a connection takes :data:`GOAWAY_EVERY` requests, then it says GOAWAY."""
    status_port: int
    worker: int
    """The process id of the worker."""
    _questions: int = 0

    @property
    def ca_file(self) -> Path:
        """Return the certificate authority to trust."""
        return self.folder / "ca.pem"

    @property
    def key_file(self) -> Path:
        """Return the push key, a throw-away one."""
        return self.folder / f"AuthKey_{KEY_ID}.p8"

    def requests(self) -> int:
        """Return how many requests were served so far, questions like this one left out."""
        url = f"http://{HOST}:{self.status_port}/status"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode("ascii")
        found = re.search(r"^ *\d+ \d+ (\d+)", text, re.MULTILINE)
        assert found is not None, text
        self._questions += 1
        return int(found[1]) - self._questions

    def cpu_s(self) -> float:
        """Return the seconds of processor time the worker has used, user and system."""
        fields = Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CannotServe(Exception):
    """nginx is missing or would not start; the message says why."""


@contextlib.contextmanager
def serving(folder: Path, cpu: int) -> Iterator[Server]:
    """
    Serve from *folder*, pinned to *cpu*, for as long as the context lasts.

    Raises :class:`CannotServe`.
    """
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if nginx is None:
        raise CannotServe("nginx was not found: apt install nginx")
    port, goaway_port, status_port = _free_ports(3)
    _make_credentials(folder, port)
    config = folder / "nginx.conf"
    config.write_text(_config(folder, port, goaway_port, status_port))
    process = subprocess.Popen(
        [nginx, "-p", str(folder), "-e", str(folder / "nginx-error.log"), "-c", str(config)],
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
        stderr=subprocess.DEVNULL,
    )
    try:
        worker = _await_worker(process, folder, port)
        yield Server(folder, port, goaway_port, status_port, worker)
    finally:
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _config(folder: Path, port: int, goaway_port: int, status_port: int) -> str:
    name = f"projects/{PROJECT_ID}/messages/0:1700000000000000%31bd1c9631bd1c96"
    grant = {"access_token": "x" * _ACCESS_TOKEN_BYTES, "expires_in": 3599, "token_type": "Bearer"}
    gone = {"reason": "Unregistered", "timestamp": 1_700_000_000_000}
    servers = "".join(
        _SERVER.format(
            host=HOST,
            port=one,
            requests=requests,
            gone=json.dumps(gone),
            sent=json.dumps({"name": name}),
            grant=json.dumps(grant),
        )
        for one, requests in ((port, 1_000_000_000), (goaway_port, GOAWAY_EVERY))
    )
    return _CONFIG.format(folder=folder, host=HOST, status_port=status_port, servers=servers)


def _await_worker(process: subprocess.Popen[bytes], folder: Path, port: int) -> int:
    until = time.monotonic() + _STARTED_WITHIN_S
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((HOST, port), timeout=1) as plain,
            trusted.wrap_socket(plain, server_hostname=HOST),
        ):
            return int(children.read_text().split()[0])
        time.sleep(0.05)
    log = folder / "nginx-error.log"
    said = log.read_text().strip() if log.exists() else ""
    raise CannotServe(f"nginx did not start: {said or 'no reason given'}")


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _make_credentials(folder: Path, port: int) -> None:
    now = datetime.datetime.now(datetime.UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark authority")])
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    host = x509.IPAddress(ipaddress.ip_address(HOST))

    def certificate(
        subject: x509.Name, public: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = certificate(ca_name, ca_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    server = certificate(name, key.public_key()).add_extension(
        x509.SubjectAlternativeName([host]), critical=False
    )
    for path, one in (("ca.pem", authority), ("server.pem", server)):
        pem = one.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (folder / path).write_bytes(pem)
    _write_private(folder / "server.key", _pem(key))
    _write_private(folder / f"AuthKey_{KEY_ID}.p8", _pem(ec.generate_private_key(ec.SECP256R1())))
    account = {
        "type": "service_account",
        "project_id": PROJECT_ID,
        "private_key_id": "0" * 40,
        "private_key": _pem(rsa.generate_private_key(65537, 2048)).decode("ascii"),
        "client_email": f"push@{PROJECT_ID}.iam.gserviceaccount.com",
        "client_id": "100000000000000000001",
        "token_uri": f"https://{HOST}:{port}/token",
    }
    _write_private(folder / "service-account.json", json.dumps(account).encode("ascii"))


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
