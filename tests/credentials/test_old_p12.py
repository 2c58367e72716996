"""A .p12 as old exports are: its certificates encrypted by RC2 with 40 bits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from credentials import material
from pushctl.credentials.identity import Unfit, load_identity


def test_an_old_file_opens_or_the_way_out_is_named(tmp_path: Path) -> None:
    """Where OpenSSL has the cipher the file opens; else the command to convert it is shown."""
    key = material.ec_key()
    (tmp_path / "key.pem").write_bytes(material.pem(key))
    subprocess.run(
        ["openssl", "req", "-x509", "-key", "key.pem", "-subj", "/CN=old", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    export = "pkcs12 -export -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES"
    made = subprocess.run(
        ["openssl", *export.split(), "-inkey", "key.pem", "-in", "cert.pem",
         "-passout", "pass:secret", "-out", "old.p12"],
        cwd=tmp_path, check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this openssl cannot write RC2-40 any more")
    found: object
    try:
        found = load_identity((tmp_path / "old.p12").read_bytes(), b"secret").key.public_key()
    except Unfit as fault:
        found = fault.hint

    assert found == key.public_key() or "openssl pkcs12 -legacy" in str(found)
