"""
``pushctl.yaml``, whatever stands in it.

A file is read or refused, every fault with its place in it; what is read keeps what was written
(each credential of the file, in its order), and what must never be in a file, a private key or the
password in the URL of a proxy, is in no message and in no setting that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fuzz import kit
from fuzz.memory import folder
from pushctl.config import load_settings
from pushctl.config.origins import settings_with_origins
from pushctl.documents import load

EXECUTIONS = 20_000
CANARY = "5f4dcc3b5aa765d61d8327deb882cf99"
WORDS = (
    *(b"credentials:\n", b"  shop-ios:\n", b"    service: apns\n", b"    service: fcm\n"),
    *(
        b"    environment: sandbox\n",
        b"    topic: com.acme.shop\n",
        b"    key_file: AuthKey_A.p8\n",
    ),
    *(b"    key_id: ABC123DEFG\n", b"    team_id: DEF123GHIJ\n", b"    key_env: NAME\n"),
    *(b"    certificate_file: a.p12\n", b"    certificate_password_env: P\n"),
    *(b"    service_account_file: a.json\n", b"    application_default: true\n"),
    *(b"    project_id: shop-1234\n", b"    require_consent: true\n", b"    protected: true\n"),
    *(
        b"    endpoint: https://127.0.0.1:2197\n",
        b"    token_endpoint: https://127.0.0.1:1/token\n",
    ),
    *(b"    ca_file: ca.pem\n", b"    proxy: http://user:" + CANARY.encode() + b"@proxy:3128\n"),
    *(b"defaults: {apns: shop-ios}\n", b"bounce_log: b.jsonl\n", b"state_dir: .pushctl\n"),
    *(b"bounce_log_max_size: 10MB\n", b"https://[::1]:443", b"://", b"@", b"~/", b"-----BEGIN "),
)
_FOLDER = folder("settings")
_FILE = _FOLDER / "pushctl.yaml"


# Elsewhere it is a text like any other: the name of a topic, of a file.
_GUARDED = re.compile(rb"(?m)^ +proxy: [^#\r\n]*%b" % CANARY.encode())


class _NoKeys:
    """Opens nothing."""

    def of_file(self, path: Path) -> str:
        return "a fingerprint"

    def of_variable(self, name: str) -> str:
        return "a fingerprint"

    def password(self, name: str) -> str:
        return "set"


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    _FOLDER.mkdir(exist_ok=True)
    _FILE.write_bytes(data)
    guarded = data.count(CANARY.encode()) == len(_GUARDED.findall(data))
    try:
        with kit.refusals(_FILE.name):
            settings = load_settings(_FILE, environ={}, cwd=_FOLDER, home=_FOLDER)
    except kit.Refused as refused:
        for problem in refused.problems:
            _check_said(f"{problem.message} {problem.hint} {problem.source_line}", guarded=guarded)
        return
    finally:
        _FILE.unlink()
    written = load(data, "f", kind="yaml", max_bytes=1 << 20).value or {}
    assert isinstance(written, dict)
    assert list(settings.credentials) == list(written.get("credentials") or {})
    for name, one in settings.credentials.items():
        assert one.name == name
        assert CANARY not in str(one.origin)
    shown = settings_with_origins(settings, None, {}, _NoKeys(), {})
    for setting in shown:
        _check_said(f"{setting.name} {setting.value} {setting.why}", guarded=guarded)


def _check_said(text: str, *, guarded: bool) -> None:
    assert not guarded or CANARY not in text, text


def seeds() -> Iterator[bytes]:
    """Yield files that say everything that can be said."""
    apns = b"".join(WORDS[:3]) + b"".join(WORDS[4:6]) + WORDS[7] + WORDS[8]
    yield apns + WORDS[6] + b"".join(WORDS[20:24])
    yield apns + WORDS[9] + WORDS[14] + WORDS[15] + WORDS[16] + WORDS[18] + WORDS[19]
    yield WORDS[0] + WORDS[1] + WORDS[2] + WORDS[4] + WORDS[10]
    yield WORDS[0] + b"  web:\n" + WORDS[3] + WORDS[12] + WORDS[13] + WORDS[17]
