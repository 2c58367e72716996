"""``send`` with a provider certificate instead of a key."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from cli.kit import TOPIC, Project, ios


def config_of(project: Project, file: str) -> str:
    served = project.served
    password = "" if file.endswith(".pem") else "certificate_password_env: CERTIFICATE_PASSWORD"
    return f"""\
credentials:
  shop-cert:
    service: apns
    environment: {served.simulator.environment}
    topic: {TOPIC}
    certificate_file: {file}
    endpoint: {served.url}
    ca_file: {served.made.ca_file}
    {password}
"""


@pytest.mark.parametrize("form", ["pem", "p12"])
def test_a_push_goes_out_with_a_client_certificate(project: Project, form: str) -> None:
    """The service judges the certificate; no authorization field is sent."""
    pem = project.served.simulator.push_certificate(TOPIC)
    content = pem
    if form == "p12":
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
        encryption = serialization.BestAvailableEncryption(b"sesame")
        content = pkcs12.serialize_key_and_certificates(
            None,
            key,
            certificate,
            None,
            encryption,  # type: ignore[arg-type]
        )
    project.write(f"push.{form}", content).chmod(0o600)
    project.write("pushctl.yaml", config_of(project, f"push.{form}"))

    result = project.send(
        "--token", ios(1), "--title", "Hello", env={"CERTIFICATE_PASSWORD": "sesame"}
    )

    assert (0, "") == (result.exit_code, "".join(result.errors))
    assert [(ios(1), 200, None)] == project.served.received()
    assert "authorization" not in project.served.pushes[0].fields


def test_a_wrong_password_sends_nothing(project: Project) -> None:
    """Exit 3, the file is named, and the password is not shown."""
    pem = project.served.simulator.push_certificate(TOPIC)
    key = serialization.load_pem_private_key(pem, None)
    content = pkcs12.serialize_key_and_certificates(
        None,
        key,  # type: ignore[arg-type]
        x509.load_pem_x509_certificate(pem),
        None,
        serialization.BestAvailableEncryption(b"sesame"),
    )
    project.write("push.p12", content).chmod(0o600)
    project.write("pushctl.yaml", config_of(project, "push.p12"))

    result = project.send(
        "--token", ios(1), "--title", "x", env={"CERTIFICATE_PASSWORD": "open-sesame-wrong"}
    )

    assert 3 == result.exit_code
    assert "push.p12" in result.stderr
    assert "open-sesame-wrong" not in result.stderr
    assert [] == project.served.pushes
