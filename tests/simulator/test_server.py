"""The life of a simulator: starting, stopping, TLS, the files that it makes."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import httpx
import pytest

from pushctl.errors import InvalidInput, StorageError
from pushctl.simulator import Rule, Script, Simulator, make_credentials, serve_in_thread
from pushctl.simulator.throwaway import claim_folder, write_config
from simulator.kit import serving


def test_start_and_stop_leave_nothing_behind(tmp_path: Path) -> None:
    """After the block no thread, no socket and no warning is left, clients or not."""
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        script = Script(rules=(Rule(answer="hang", times=1),))
        with serving(tmp_path, script=script) as served:
            served.client.timeout = httpx.Timeout(0.1)
            with pytest.raises(httpx.ReadTimeout):
                served.push()
            port = served.fake.port
        gc.collect()
    assert before == set(threading.enumerate())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_starting_is_quick() -> None:
    """A simulator is up well within half a second: the best of three, the machine may be busy."""

    def start() -> float:
        began = time.monotonic()
        with serve_in_thread():
            return time.monotonic() - began

    assert min(start() for _ in range(3)) < 0.5


def test_it_is_an_asynchronous_context_manager(tmp_path: Path) -> None:
    """It runs on the caller's loop too, and stops twice without complaint."""

    async def use() -> int:
        fake = Simulator()
        context = fake.client_context()
        async with fake, httpx.AsyncClient(verify=context, trust_env=False) as client:
            answer = await client.get(f"{fake.url}/health")
        await fake.stop()
        return answer.status_code

    assert 200 == asyncio.run(use())


def test_a_taken_port_is_the_callers_error() -> None:
    """The second simulator on a port raises OSError in the thread that asked."""
    with serve_in_thread() as fake, pytest.raises(OSError), serve_in_thread(port=fake.port):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    """A host that others could reach is refused."""
    with pytest.raises(InvalidInput, match="loopback only"):
        Simulator(host=host)


def test_ipv6_has_brackets_in_its_url() -> None:
    """The address of ::1 is a URL that clients take."""
    try:
        with serve_in_thread(host="::1") as fake:
            assert fake.url == f"https://[::1]:{fake.port}"
            answer = httpx.get(f"{fake.url}/health", verify=fake.client_context(), trust_env=False)
            assert 200 == answer.status_code
    except OSError:
        pytest.skip("no IPv6 loopback here")


def test_only_its_own_authority_vouches_for_it() -> None:
    """A client that trusts the system's authorities alone does not connect."""
    with serve_in_thread() as fake, pytest.raises(httpx.ConnectError):
        httpx.get(f"{fake.url}/health", verify=ssl.create_default_context(), trust_env=False)


def test_the_certificate_satisfies_the_strictest_check() -> None:
    """The chain passes X.509 strict verification, the default from Python 3.13 on."""
    with serve_in_thread() as fake:
        context = fake.client_context()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        for name in ("127.0.0.1", "localhost"):
            with (
                socket.create_connection(("127.0.0.1", fake.port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=name) as secured,
            ):
                assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_throw_away_files_are_private_and_complete(tmp_path: Path) -> None:
    """Key, service account and CA are 0600 in a 0700 folder; the account names this endpoint."""
    with serve_in_thread() as fake:
        made = make_credentials(tmp_path / "new", fake)
        config = write_config(tmp_path / "new", fake, made)
        info = json.loads(made.service_account_file.read_text())
        ca = fake.write_ca(tmp_path / "other.pem")
        assert (fake.token_uri, made.client_email, fake.ca_pem, fake.ca_pem) == (
            info["token_uri"],
            info["client_email"],
            made.ca_file.read_bytes(),
            ca.read_bytes(),
        )
        assert f"endpoint: {fake.url}" in config.read_text()
    files = list((tmp_path / "new").iterdir())
    assert (7, {0o600}, 0o700) == (
        len(files),
        {file.stat().st_mode & 0o777 for file in files},
        (tmp_path / "new").stat().st_mode & 0o777,
    )


def test_a_folder_can_be_taken_up_again(tmp_path: Path) -> None:
    """A folder with a config is the simulator's own; recipients that are there stay."""
    with serve_in_thread() as fake:
        write_config(tmp_path, fake, make_credentials(tmp_path, fake))
    (tmp_path / "profiles.yaml").write_text("profiles: []\n")
    claim_folder(tmp_path)
    with serve_in_thread() as again:
        config = write_config(tmp_path, again, make_credentials(tmp_path, again))
        assert again.url in config.read_text()
    assert "profiles: []\n" == (tmp_path / "profiles.yaml").read_text()


def test_a_folder_of_others_is_not_overwritten(tmp_path: Path) -> None:
    """Only an empty folder, a new one, or the simulator's own is taken."""
    claim_folder(tmp_path / "mine")
    (tmp_path / "mine" / "pushctl.yaml").write_text("old")
    claim_folder(tmp_path / "mine")
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InvalidInput, match="not the simulator's"):
        claim_folder(tmp_path)
    with pytest.raises(InvalidInput, match="not a folder"):
        claim_folder(tmp_path / "file")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder below a file is a storage error with the path, no traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot use"):
        claim_folder(tmp_path / "file" / "below")
    with serve_in_thread() as fake, pytest.raises(StorageError, match="cannot write"):
        make_credentials(tmp_path / "file" / "below", fake)
