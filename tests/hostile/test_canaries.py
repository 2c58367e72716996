"""No secret comes out of any command, however much is asked for and however it fails."""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from cli.kit import TOPIC, Project, Push, Result, Served
from cli.test_proxy import PASSWORD as PROXY_PASSWORD
from cli.test_proxy import ConnectProxy
from hostile.canaries import Search, forms_of_key, forms_of_login, forms_of_token, forms_of_word
from hostile.commands import CALLS, OPENS_CREDENTIALS, call, leaves, stock, ways_to_ask
from pushctl.simulator import Rule, Say, Script

P12_PASSWORD = "pw-Canary 7Zx3/q+ö\"'"
COMMANDS = leaves()


@dataclasses.dataclass(slots=True)
class Guarded:
    """A project whose secrets are all known, and the search for them."""

    project: Project
    search: Search
    environ: dict[str, str]
    keys: list[Path]
    """The files that hold the secrets."""
    results: int = 0
    """How many runs were looked at."""

    def pushes(self) -> list[Push]:
        """Return pushes that went out with a bearer token, after one more send if need be."""
        if not self.project.served.pushes:
            call(self.project, "send", env=self.environ)
        return self.project.served.pushes

    def leaks(self, result: Result) -> list[str]:
        """Return which secrets are in *result*, or in any file that was written."""
        self.results += 1
        for push in self.project.served.pushes:
            if header := push.fields.get("authorization"):
                self.search.add("a bearer token", forms_of_token(header.split(" ", 1)[1]))
        own = [self.project.folder / made for made in ("simulated", "demo")]
        keys = [*self.keys, *(path for folder in own for path in _keys_in(folder))]
        return [
            *(f"stdout: {name}" for name in self.search.hits(result.stdout)),
            *(f"stderr: {name}" for name in self.search.hits(result.stderr)),
            *self.search.hits_in_files(self.project.folder.parent, but=keys),
        ]


def _keys_in(folder: Path) -> Iterator[Path]:
    """Yield the throw-away keys that the simulator or the demo made in *folder* or its copies."""
    for made in folder.parent.glob(f"{folder.name}*"):
        yield from made.glob("*.p8")
        yield from made.glob("service-account.json")


@pytest.fixture(scope="module")
def proxy() -> Iterator[ConnectProxy]:
    """Run a proxy that wants a password."""
    with ConnectProxy(wants=True) as running:
        yield running
    # Tunnels that a crash left open die with their loop, and say so.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def stocked(
    simulator: Served, proxy: ConnectProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """Return a project with a credential of each kind, all of them behind a proxy's password."""
    folder = tmp_path_factory.mktemp("guarded") / "shop"
    folder.mkdir()
    (folder.parent / "tmp").mkdir()
    guarded = guard(Project(folder, simulator), proxy)
    stock(guarded.project, env=guarded.environ)
    yield guarded
    search = guarded.search
    forms = len(search.words) + len(search.pieces)
    print(
        f"\n{guarded.results:,} runs of {len(COMMANDS)} commands, {search.texts_searched:,} texts,"
        f" {search.bytes_searched:,} bytes searched for {forms:,} forms of secrets"
    )


@pytest.fixture
def guarded(stocked: Guarded, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """Return that project, with temporary files beside it; its config is put back afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(stocked.project.folder.parent / "tmp"))
    kept = {path: path.read_bytes() for path in stocked.keys}
    yield stocked
    for path, content in kept.items():
        path.write_bytes(content)


def guard(project: Project, proxy: ConnectProxy) -> Guarded:
    """Give *project* a credential of each kind, through *proxy*."""
    served, made = project.served, project.served.made
    account = json.loads(made.service_account_file.read_text())
    pem = served.simulator.push_certificate(TOPIC)
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    store = pkcs12.serialize_key_and_certificates(
        None,
        key,
        load_pem_x509_certificate(pem),
        None,
        BestAvailableEncryption(P12_PASSWORD.encode()),
    )
    files = [
        project.write("AuthKey_SIMULATED1.p8", made.key_file.read_bytes()),
        project.write("account.json", made.service_account_file.read_bytes()),
        project.write("push.p12", store),
    ]
    for file in files:
        file.chmod(0o600)
    environ = {
        "PUSH_KEY": made.key_file.read_text(),
        "P12_PASSWORD": P12_PASSWORD,
        "HTTPS_PROXY": proxy.url_with_password,
    }
    project.write("pushctl.yaml", config(served, proxy.url_with_password))
    search = Search()
    search.add("the .p8", forms_of_key(made.key_file.read_text()))
    search.add("the service account", forms_of_key(account["private_key"]))
    search.add("the certificate's key", forms_of_key(pem[pem.index(b"-----BEGIN PR") :].decode()))
    search.add("the p12 password", forms_of_word(P12_PASSWORD))
    written = urllib.parse.quote(PROXY_PASSWORD, safe="")
    search.add("the proxy's password", forms_of_login("ann", PROXY_PASSWORD) | {written})
    return Guarded(project, search, environ, [*files, project.config])


def config(served: Served, proxy: str) -> str:
    """Return a config with a credential of each kind."""
    made, url = served.made, served.url
    apns = f"""\
    service: apns
    environment: {served.simulator.environment}
    topic: {TOPIC}
    endpoint: {url}
    ca_file: {made.ca_file}
    proxy: '{proxy}'
"""
    return f"""\
defaults: {{apns: by-file, fcm: account}}
credentials:
  by-file:
{apns}    key_file: AuthKey_SIMULATED1.p8
    team_id: {made.team_id}
  by-variable:
{apns}    key_env: PUSH_KEY
    key_id: {made.key_id}
    team_id: {made.team_id}
  certificate:
{apns}    certificate_file: push.p12
    certificate_password_env: P12_PASSWORD
  account:
    service: fcm
    service_account_file: account.json
    endpoint: {url}
    token_endpoint: {served.simulator.token_uri}
    ca_file: {made.ca_file}
    proxy: '{proxy}'
"""


def test_no_command_is_forgotten() -> None:
    """Each command has a call here: a new one fails this test until it has one, too."""
    assert set() == {*COMMANDS} - {*CALLS}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_comes_out_of(guarded: Guarded, name: str) -> None:
    """Not at any level and not in any output of the command, where all is well."""
    for options in ways_to_ask(COMMANDS[name]):
        result = call(guarded.project, name, *options, env=guarded.environ)

        assert [] == guarded.leaks(result), (name, options)
        assert result.exit_code not in (2, 70), (name, options, result.stderr)


# -- failing --------------------------------------------------------------------------------------


def damaged(guarded: Guarded) -> None:
    """Every key file is cut off in the middle, and so is the key in the variable."""
    for path in guarded.keys[:3]:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])


def swapped(guarded: Guarded) -> None:
    """Every key file holds what belongs in the next one."""
    files = guarded.keys[:3]
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, [*contents[1:], contents[0]], strict=True):
        path.write_bytes(content)


def unreachable(guarded: Guarded) -> None:
    """Nobody listens behind the proxy, where the services should be."""
    config = guarded.project.config
    config.write_text(config.read_text().replace(guarded.project.served.url, "https://127.0.0.1:9"))


def unwelcome(guarded: Guarded) -> None:
    """The proxy wants another password."""
    config = guarded.project.config
    config.write_text(config.read_text().replace("ann:", "bob:"))


def refused(guarded: Guarded) -> None:
    """Both services refuse the credential, and what they say of it holds the credential."""
    tokens = [push.fields.get("authorization", "") for push in guarded.pushes()]
    echo = json.dumps({"reason": f"bad: {tokens}", "error": {"code": 403, "message": str(tokens)}})
    say = Say(status=403, body=echo.encode(), fields=(("x-echo", tokens[-1]),))
    any_of = ("apns", "fcm", "channels")
    guarded.project.served.simulator.play(
        Script(rules=tuple(Rule(pattern="*", service=name, answer=say) for name in any_of))
    )


def pasted(guarded: Guarded) -> None:
    """The key stands in the config, where its name should be."""
    key = json.dumps(guarded.environ["PUSH_KEY"])
    config = guarded.project.config
    fields = re.compile(r"(key_id|team_id|topic|environment|key_env): .*")
    config.write_text(fields.sub(lambda found: f"{found[1]}: {key}", config.read_text()))


WAYS = (damaged, swapped, unreachable, unwelcome, refused, pasted)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", OPENS_CREDENTIALS)
def test_no_secret_comes_out_of_what_fails(
    guarded: Guarded, name: str, way: Callable[[Guarded], None]
) -> None:
    """However a command fails, what it says of it holds nothing secret."""
    way(guarded)
    environ = {**guarded.environ, "P12_PASSWORD": f"{P12_PASSWORD}x", "PUSH_KEY": "-----BEGIN"}
    result = call(guarded.project, name, "-vv", "--debug", env=environ)

    assert [] == guarded.leaks(result)
    assert result.exit_code not in (2, 70), result.stderr


# -- a bug of ours --------------------------------------------------------------------------------

PLACES = (
    "pushctl.credentials.provider_token.ProviderTokenCredential.authorization",
    "pushctl.credentials.provider_token.ProviderTokenCredential.mint",
    "pushctl.credentials.provider_token.ProviderTokenCredential.ssl_context",
    "pushctl.credentials.google.GoogleCredential.authorization",
    "pushctl.wire.link.Link.request",
    "pushctl.gateway.apns.read_answer",
    "pushctl.records.bounce_log.BounceLog.flush",
)
"""Where a bug may strike while secrets are in memory."""


@pytest.mark.parametrize("debug", [False, True], ids=["report", "debug"])
@pytest.mark.parametrize("place", PLACES)
def test_no_secret_comes_out_of_a_crash(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, place: str, *, debug: bool
) -> None:
    """An error with every secret in its words, raised anywhere: exit 70, and none is told."""
    said = [*guarded.environ.values(), *(path.read_text("latin-1") for path in guarded.keys)]
    said += [f"authorization: {push.fields.get('authorization')}" for push in guarded.pushes()]

    def broken(*_: object, **__: object) -> None:
        try:
            raise ValueError(repr(said))
        except ValueError as error:
            raise RuntimeError("\n".join(said)) from error

    monkeypatch.setattr(place, broken)
    for name in ("send", "check"):
        result = call(guarded.project, name, *(["--debug"] if debug else []), env=guarded.environ)

        assert [] == guarded.leaks(result), name
