"""What is found without asking anybody: keys, certificates, accounts, the config file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from check.kit import check, step, verdicts
from credentials import material
from credentials.material import NOW
from pushctl.check.opening import FileFacts, judge_config, report_of_faults
from pushctl.check.step import Report, Verdict
from pushctl.config import CredentialSettings
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Environment


def offline(settings: CredentialSettings, **environ: str) -> Report:
    """Check one credential offline, at the moment of the test material."""
    return check(settings, environ=environ, clock=lambda: NOW, offline=True)


def p8(folder: Path, data: bytes | None = None, name: str = "AuthKey_ABC123DEFG.p8") -> Path:
    """Write a .p8 file."""
    return material.write(folder / name, data or material.pem(material.ec_key()))


def p12(folder: Path, **changes: Any) -> Path:
    """Write a .p12 file without a password."""
    key = material.ec_key()
    made = pkcs12.serialize_key_and_certificates(
        b"push", key, material.certificate(key, **changes), None, NoEncryption()
    )
    return material.write(folder / "push.p12", made)


# -- .p8 keys -------------------------------------------------------------------------------------


def test_a_good_key(tmp_path: Path) -> None:
    """Key, mode and name of the file are each looked at; nobody is asked."""
    report = offline(material.key_settings(p8(tmp_path)))

    assert {"key": "pass", "key-file": "pass", "key-id": "pass", "service": "skipped"} == verdicts(
        report
    )
    assert Verdict.PASS is report.verdict
    assert ("key ABC123DEFG", "com.acme.shop") == (report.fingerprint, report.topic)
    assert "ABC123DEFG, as the file is named" == step(report, "key-id").sentence


def test_a_key_of_the_environment() -> None:
    """A key in a variable has no file that others could read, nor a name that confirms its id."""
    report = offline(material.key_settings(), APNS_KEY=material.pem(material.ec_key()).decode())

    assert {"key": "pass", "key-file": "skipped", "key-id": "pass"}.items() <= verdicts(
        report
    ).items()
    assert "no file name confirms it" in step(report, "key-id").sentence


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    """A mode that is too open is a warning, with the command that mends it."""
    path = p8(tmp_path)
    path.chmod(0o644)
    found = step(offline(material.key_settings(path)), "key-file")

    assert Verdict.WARN is found.verdict
    assert "can be read by other users (mode 0644)" in found.sentence
    assert (f"chmod 600 {path}",) == found.advice


def test_a_file_that_is_named_for_another_key(tmp_path: Path) -> None:
    """Apple's name of the file carries the key id: another id in the config is a warning."""
    path = p8(tmp_path, name="AuthKey_ZZZZZZZZZZ.p8")
    found = step(offline(material.key_settings(path)), "key-id")

    assert Verdict.WARN is found.verdict
    assert "key_id is ABC123DEFG, but the file is named for ZZZZZZZZZZ" == found.sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (material.pem(material.rsa_key()), "an RSA key; APNs keys are EC P-256"),
        (material.pem(material.ec_key("P-384")), "APNs keys are on P-256"),
        (material.account(), "it looks like a Google service account"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is damaged"),
    ],
)
def test_a_key_of_the_wrong_kind(tmp_path: Path, data: bytes, words: str) -> None:
    """What is no APNs key is called by its name, with exit 3; what hangs on it is skipped."""
    report = offline(material.key_settings(p8(tmp_path, data)))
    found = step(report, "key")

    assert (Verdict.FAIL, 3) == (found.verdict, found.exit_code)
    assert words in found.sentence
    assert {"key-file": "skipped", "key-id": "skipped"}.items() <= verdicts(report).items()


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and an unset variable are exit 3, without a look at the network."""
    missing = offline(material.key_settings(tmp_path / "AuthKey_ABC123DEFG.p8"))
    unset = offline(material.key_settings())

    assert 3 == step(missing, "key").exit_code
    assert "the environment variable APNS_KEY is not set" == step(unset, "key").sentence
    assert "in CI" in step(unset, "key").advice[0]


# -- certificates ---------------------------------------------------------------------------------


def test_a_good_certificate(tmp_path: Path) -> None:
    """Certificate, key, end, topic and environment are each looked at."""
    report = offline(material.certificate_settings(p12(tmp_path)))

    assert {
        "certificate": "pass",
        "key-file": "pass",
        "expiry": "pass",
        "topic": "pass",
        "environment": "pass",
        "service": "skipped",
    } == verdicts(report)
    assert "300 days left" in step(report, "expiry").sentence
    assert "com.acme.shop is in the certificate" == step(report, "topic").sentence


def test_a_certificate_that_names_no_topic(tmp_path: Path) -> None:
    """The config's topic is believed, and that it is the config's is said."""
    settings = material.certificate_settings(p12(tmp_path, uid=None), topic="com.acme.x")

    assert "com.acme.x, as the config says" in step(offline(settings), "topic").sentence


def test_a_certificate_near_its_end(tmp_path: Path) -> None:
    """Under 30 days there is a warning with the days that are left."""
    found = step(offline(material.certificate_settings(p12(tmp_path, days=29.5))), "expiry")

    assert Verdict.WARN is found.verdict
    assert "expires in 29 days" in found.sentence
    assert 0 == len(
        [
            it
            for it in offline(material.certificate_settings(p12(tmp_path, days=31))).steps
            if it.verdict is Verdict.WARN
        ]
    )


def test_a_certificate_that_contradicts_the_config(tmp_path: Path) -> None:
    """End, topic and environment fail each in a step of its own; the file itself opens."""
    mark = {material.DEVELOPMENT: b"\x05\x00"}
    path = p12(tmp_path, days=-1, extensions=mark)
    report = offline(material.certificate_settings(path, topic="com.other"))

    assert {
        "certificate": "pass",
        "expiry": "fail",
        "topic": "fail",
        "environment": "fail",
    }.items() <= verdicts(report).items()
    assert {3} == {it.exit_code for it in report.steps if it.exit_code is not None}


def test_a_certificate_without_a_topic_anywhere(tmp_path: Path) -> None:
    """Where neither names a topic, that is what fails."""
    report = offline(material.certificate_settings(p12(tmp_path, uid=None)))

    assert "topic is missing" in step(report, "topic").sentence


def test_a_certificate_that_does_not_open(tmp_path: Path) -> None:
    """A wrong password fails the certificate, and nothing else is guessed about."""
    settings = material.certificate_settings(p12(tmp_path), certificate_password_env="PW")
    report = offline(settings)

    assert "fail" == verdicts(report)["certificate"]
    assert {"skipped"} == {verdicts(report)[name] for name in ("expiry", "topic", "environment")}


def test_a_sandbox_certificate_for_the_sandbox(tmp_path: Path) -> None:
    """A certificate that is marked for the environment of the config passes."""
    path = p12(tmp_path, extensions={material.DEVELOPMENT: b"\x05\x00"})
    settings = material.certificate_settings(path, environment=Environment.SANDBOX)

    assert "pass" == verdicts(offline(settings))["environment"]


# -- service accounts -----------------------------------------------------------------------------


def test_a_good_account(tmp_path: Path) -> None:
    """Account, mode and project are each looked at."""
    path = material.write(tmp_path / "account.json", material.account())
    report = offline(material.fcm_settings(path))

    assert {
        "service-account": "pass",
        "key-file": "pass",
        "project-id": "pass",
        "service": "skipped",
    } == verdicts(report)
    assert "shop-1234" == report.project_id


def test_an_account_of_the_environment() -> None:
    """A service account in a variable has no file that others could read."""
    report = offline(material.fcm_settings(), ACCOUNT=material.account().decode())

    assert {"service-account": "pass", "key-file": "skipped"}.items() <= verdicts(report).items()


def test_an_account_of_another_project() -> None:
    """A project that is not the account's own is a warning: mostly a wrong file."""
    settings = material.fcm_settings(project_id="shop-9999")
    found = step(offline(settings, ACCOUNT=material.account().decode()), "project-id")

    assert Verdict.WARN is found.verdict
    assert "project_id is shop-9999, but the account belongs to shop-1234" == found.sentence


def test_a_project_number_is_not_compared() -> None:
    """A project's number may well be that of the account's project: nothing is claimed."""
    settings = material.fcm_settings(project_id="123456789012")

    assert "pass" == verdicts(offline(settings, ACCOUNT=material.account().decode()))["project-id"]


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (material.account(private_key=material.pem(material.ec_key()).decode()),
         "service-account", "not RSA"),
        (material.account(token_uri="https://evil.example/"),
         "service-account", "not Google's token endpoint"),
        (material.account(project_id=None), "project-id", "names no valid project_id"),
        (b'{"project_info": {}}', "service-account", "google-services.json"),
    ],
)  # fmt: skip
def test_an_account_of_no_use(data: bytes, name: str, words: str) -> None:
    """What is wrong with an account fails the step that it concerns, with exit 3."""
    found = step(offline(material.fcm_settings(), ACCOUNT=data.decode()), name)

    assert (Verdict.FAIL, 3) == (found.verdict, found.exit_code)
    assert words in found.sentence


def test_application_default_credentials(tmp_path: Path) -> None:
    """They are found and named, or that there are none is said."""
    settings = material.fcm_settings(service_account_env=None, application_default=True)
    path = material.write(tmp_path / "adc.json", material.account())
    found = step(offline(settings, GOOGLE_APPLICATION_CREDENTIALS=str(path)), "application-default")
    environ = {"NO_GCE_CHECK": "true", "HOME": str(tmp_path)}
    none = step(offline(settings, **environ), "application-default")

    assert "application default credentials push@shop-1234" == found.sentence
    assert (Verdict.FAIL, 3) == (none.verdict, none.exit_code)


# -- what is not the credential's own -------------------------------------------------------------


def test_a_bad_ca_file(tmp_path: Path) -> None:
    """A ca_file that cannot be read fails offline, and keeps the credential from being sent."""
    report = offline(material.key_settings(p8(tmp_path), ca_file=tmp_path / "ca.pem"))
    online = check(material.key_settings(p8(tmp_path), ca_file=tmp_path / "ca.pem"))

    assert {"key": "pass", "ca-file": "fail"}.items() <= verdicts(report).items()
    assert "nobody was asked: the credential cannot be used" == step(online, "service").sentence


@pytest.mark.parametrize(
    ("owner", "mode", "verdict", "words"),
    [
        (1000, 0o644, "pass", "no other user"),
        (0, 0o644, "pass", "no other user"),
        (1001, 0o644, "warn", "uid 1001"),
        (1000, 0o664, "warn", "its group may write it (mode 0664)"),
        (1000, 0o646, "warn", "every user may write it (mode 0646)"),
    ],
)
def test_the_config_file(owner: int, mode: int, verdict: str, words: str) -> None:
    """Whoever can write the config can send credentials elsewhere: only its user and root may."""
    found = judge_config(FileFacts("pushctl.yaml", owner, mode), user=1000)

    assert verdict == found.verdict.value
    assert words in found.sentence
    assert (verdict == "warn") == any("pushctl.yaml" in advice for advice in found.advice)


def test_faults_of_a_config_keep_their_places() -> None:
    """Each fault of a config that cannot be read is a step at its line."""
    place = Place("pushctl.yaml", 3, 5)
    error = InvalidInput(problems=[Problem("a", place, "h"), Problem("b", place)])
    report = report_of_faults("config", error)

    assert ["a", "b"] == [it.sentence for it in report.steps]
    assert {(place, 3)} == {(it.place, it.exit_code) for it in report.steps}
