"""Application default credentials: where they are looked for, what each kind does, whom it asks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import respx

from credentials import material
from credentials.material import NOW
from pushctl.config import FcmSettings
from pushctl.credentials import Credential, TokenRefused, application_default, open_credential
from pushctl.errors import InvalidInput, Problem, Unreachable

GOOGLE = "https://oauth2.googleapis.com/token"
STS = "https://sts.googleapis.com/v1/token"
ROBOT = "push@shop-1234.iam.gserviceaccount.com"
IMPERSONATE = (
    f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ROBOT}"
    ":generateAccessToken"
)
METADATA = (
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
)
LOGIN = {
    "type": "authorized_user",
    "client_id": "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
    "client_secret": "s",
    "refresh_token": "r",
}


@pytest.fixture(autouse=True)
def router(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """
    Stand in for the network, on a machine as users have it: not Google's, without ``requests``.
    """
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    monkeypatch.setattr(application_default, "_PRODUCT_FILE", Path("/nonexistent"))
    monkeypatch.setitem(sys.modules, "requests", None)
    monkeypatch.delitem(sys.modules, "google.auth.transport.requests", raising=False)
    with respx.mock(assert_all_called=False) as router:
        yield router


class Machine:
    """A process's environment, with files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder)}

    def point_at(self, document: dict[str, Any] | bytes) -> Path:
        """Make a file the application default."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        path = material.write(self.folder / "adc.json", data)
        self.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
        return path

    def open(self, project_id: str | None = "shop-1234") -> Credential:
        """Open the credential of a config that says ``application_default: true``."""
        return open_credential(settings(project_id=project_id), environ=self.environ)

    def fault(self, **changes: Any) -> Problem:
        """Return why it cannot be opened."""
        with pytest.raises(InvalidInput) as caught:
            self.open(**changes)
        (problem,) = caught.value.problems
        return problem

    def workload(self, **changes: Any) -> dict[str, Any]:
        """Return the configuration of a workload identity whose token is in a file."""
        token = self.folder / "oidc.jwt"
        token.write_text("eyJ.workload.token")
        return {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/12345/locations/global/"
            "workloadIdentityPools/ci/providers/gitlab",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": STS,
            "credential_source": {"file": str(token)},
            **changes,
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine without any credentials."""
    return Machine(tmp_path)


def settings(**changes: Any) -> FcmSettings:
    """Return settings that use them."""
    return material.fcm_settings(service_account_env=None, application_default=True, **changes)


def header_of(credential: Credential) -> bytes:
    """Return the authorization header that its pushes carry."""
    authorization = credential.authorization(NOW)
    assert authorization is not None
    return authorization.header


def grant(token: str = "ya29.first") -> dict[str, object]:
    """Return a good answer of a token endpoint."""
    return {
        "access_token": token,
        "expires_in": 3599,
        "token_type": "Bearer",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }


def test_a_service_account(machine: Machine, router: respx.MockRouter) -> None:
    """The file that the variable names is used; project and address are taken from it."""
    router.post(GOOGLE).respond(200, json=grant())
    machine.point_at(material.account())
    it = machine.open(project_id=None)

    assert "application default credentials push@shop-1234" == it.fingerprint
    assert "shop-1234" == it.project_id
    assert b"Bearer ya29.first" == header_of(it)


def test_a_persons_login(machine: Machine, router: respx.MockRouter) -> None:
    """A gcloud login works if the project is named; google-auth's warning is not shown."""
    router.post(GOOGLE).respond(200, json=grant())
    machine.point_at(LOGIN)

    assert "name no project" in machine.fault(project_id=None).message
    assert b"Bearer ya29.first" == header_of(machine.open())
    assert "application default credentials" == machine.open().fingerprint


def test_the_login_of_gcloud_is_found(machine: Machine) -> None:
    """Without the variable the file of `gcloud auth application-default login` is used."""
    folder = machine.folder / ".config" / "gcloud"
    folder.mkdir(parents=True)
    material.write(folder / "application_default_credentials.json", json.dumps(LOGIN).encode())

    assert machine.open()
    machine.environ["CLOUDSDK_CONFIG"] = str(machine.folder / "elsewhere")
    assert "no application default" in machine.fault().message


def test_the_project_of_the_environment(machine: Machine) -> None:
    """GOOGLE_CLOUD_PROJECT, as CI actions set it, names the project where the config does not."""
    machine.point_at(LOGIN)
    machine.environ["GOOGLE_CLOUD_PROJECT"] = "shop-5678"

    assert "shop-5678" == machine.open(project_id=None).project_id
    assert "shop-1234" == machine.open().project_id


def test_there_are_none(machine: Machine, router: respx.MockRouter) -> None:
    """Without any, the two ways to get them are named, and the network is not asked."""
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(machine.fault().hint)
    assert not router.calls


def test_a_workload_identity(machine: Machine, router: respx.MockRouter) -> None:
    """The workload's own token is exchanged at Google's STS, without asking anybody before."""
    sts = router.post(STS).respond(200, json=grant("ya29.federated"))
    machine.point_at(machine.workload())
    it = machine.open()
    before = len(router.calls)

    assert 0 == before
    assert "application default credentials workload identity" == it.fingerprint
    assert b"Bearer ya29.federated" == header_of(it)
    asked = sts.calls.last.request.content.decode()
    assert "subject_token=eyJ.workload.token" in asked
    assert "firebase.messaging" in asked


def test_a_workload_identity_that_impersonates(machine: Machine, router: respx.MockRouter) -> None:
    """With a service account in the file, its token is what pushes carry."""
    router.post(STS).respond(200, json=grant("ya29.federated"))
    robot = {"accessToken": "ya29.robot", "expireTime": "2031-01-01T00:00:00Z"}
    impersonate = router.post(IMPERSONATE).respond(200, json=robot)
    machine.point_at(machine.workload(service_account_impersonation_url=IMPERSONATE))
    it = machine.open()

    assert "application default credentials push@shop-1234" == it.fingerprint
    assert b"Bearer ya29.robot" == header_of(it)
    assert "Bearer ya29.federated" == impersonate.calls.last.request.headers["authorization"]


def test_a_login_that_impersonates(machine: Machine, router: respx.MockRouter) -> None:
    """`gcloud auth application-default login --impersonate-service-account` works as well."""
    router.post(GOOGLE).respond(200, json=grant())
    robot = {"accessToken": "ya29.robot", "expireTime": "2031-01-01T00:00:00Z"}
    router.post(IMPERSONATE).respond(200, json=robot)
    machine.point_at(
        {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": IMPERSONATE,
            "source_credentials": LOGIN,
            "delegates": [],
        }
    )
    it = machine.open()

    assert "application default credentials push@shop-1234" == it.fingerprint
    assert b"Bearer ya29.robot" == header_of(it)


def test_impersonation_that_is_refused(machine: Machine, router: respx.MockRouter) -> None:
    """The refusal of the API that impersonates is told in its own words, with its name."""
    router.post(STS).respond(200, json=grant("ya29.federated"))
    error = {
        "code": 403,
        "message": "Permission 'iam.serviceAccounts.getAccessToken' denied",
        "status": "PERMISSION_DENIED",
    }
    router.post(IMPERSONATE).respond(403, json={"error": error})
    machine.point_at(machine.workload(service_account_impersonation_url=IMPERSONATE))
    with pytest.raises(TokenRefused) as caught:
        header_of(machine.open())

    assert (
        "iamcredentials.googleapis.com refused application default credentials push@shop-1234:"
        " PERMISSION_DENIED: Permission 'iam.serviceAccounts.getAccessToken' denied"
    ) == str(caught.value)


def test_a_workload_that_sts_refuses(machine: Machine, router: respx.MockRouter) -> None:
    """STS's refusal is a refusal of the credentials; the workload's token is not in it."""
    said = {"error": "invalid_grant", "error_description": "The audience does not match."}
    router.post(STS).respond(400, json=said)
    machine.point_at(machine.workload())
    with pytest.raises(TokenRefused, match=r"sts\.googleapis\.com refused") as caught:
        header_of(machine.open())

    assert "The audience does not match." in str(caught.value)
    assert "eyJ.workload" not in str(caught.value)


def test_the_token_of_a_workload_must_be_there(machine: Machine) -> None:
    """A missing token file is found offline, and said to be missing in this job."""
    machine.point_at(machine.workload(credential_source={"file": "/nonexistent/oidc.jwt"}))
    problem = machine.fault()

    assert "'/nonexistent/oidc.jwt', and there is no such file" in problem.message
    assert "in this job" in str(problem.hint)


def test_a_token_that_vanishes_later(machine: Machine) -> None:
    """A token file that is gone by the time it is needed is Unreachable, in words."""
    machine.point_at(machine.workload())
    it = machine.open()
    (machine.folder / "oidc.jwt").unlink()
    with pytest.raises(Unreachable, match="could not be refreshed"):
        header_of(it)


FOREIGN = "https://evil.example/v1/token"


@pytest.mark.parametrize(
    "changes",
    [
        {"token_url": FOREIGN},
        {"token_url": "http://sts.googleapis.com/v1/token"},
        {"token_url": "https://sts.googleapis.com:8443/v1/token"},
        {"token_url": "https://sts.googleapis.com@evil.example/v1/token"},
        {"token_url": "https://evilgoogleapis.com/v1/token"},
        {"token_url": "https://sts.googleapis.com./v1/token"},
        {"token_url": "https://sts.googleapis.com.evil.example/v1/token"},
        {"token_url": "https://sts.googleapis.c\u03bfm/v1/token"},
        {"token_url": "https://sts\u3002googleapis\u3002com/v1/token"},
        {"token_url": "https://evil.example\\@sts.googleapis.com/v1/token"},
        {"token_url": "https://evil.example#.googleapis.com/v1/token"},
        {"token_url": "https://evil.example/.googleapis.com"},
        {"token_url": "https://142.250.0.1/v1/token"},
        {"token_url": "//sts.googleapis.com/v1/token"},
        {"token_url": "file:///etc/passwd"},
        {"token_url": "https://[::1/v1/token"},
        {"token_url": 7},
        {"service_account_impersonation_url": FOREIGN},
        {"token_info_url": FOREIGN},
        {"universe_domain": "evil.example"},
    ],
    ids=str,
)
def test_a_file_may_not_choose_whom_to_ask(
    machine: Machine, router: respx.MockRouter, changes: dict[str, Any]
) -> None:
    """Nothing is sent to a host that is not Google's, whatever a workload's file says."""
    machine.point_at(machine.workload(**changes))
    problem = machine.fault()

    assert any(word in problem.message for word in ("not Google's", "another universe_domain"))
    assert not router.calls


@pytest.mark.parametrize(
    "source",
    [
        {**LOGIN, "type": "external_account_authorized_user", "token_url": FOREIGN},
        json.loads(material.account(token_uri=FOREIGN)),
    ],
    ids=["a workforce login", "a service account"],
)
def test_nor_may_what_it_impersonates_with(machine: Machine, source: dict[str, Any]) -> None:
    """The credentials inside of an impersonation are held to the same rule."""
    machine.point_at(
        {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": IMPERSONATE,
            "source_credentials": source,
        }
    )

    assert "Google's" in machine.fault().message or "foreign" in machine.fault().message


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com@evil.example/token",
        "https://oauth2.googleapis.com:8443/token",
        "https://oauth2.googleapis.com./token",
        "https://127.0.0.1/token",
    ],
)
def test_a_service_account_may_not_either(
    machine: Machine, router: respx.MockRouter, uri: str
) -> None:
    """A service account in disguise may not choose its endpoint here either."""
    machine.point_at(material.account(token_uri=uri))

    assert "foreign token_uri" in machine.fault().message
    assert not router.calls


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "is no JSON document"),
        (b"[]", "looks like something else"),
        (b'{"type": "gdch_service_account"}', "Google Distributed Cloud"),
        (b'{"type": "external_account"}', "is incomplete"),
        (b'{"type": "authorized_user"}', "is incomplete"),
        (b'{"type": "impersonated_service_account"}', "is incomplete"),
        (b'{"type": "external_account", "credential_source": {"executable": 1}}', "incomplete"),
        (b'{"installed": {}}', "an OAuth client of an app"),
    ],
)
def test_what_is_of_no_use(machine: Machine, document: bytes, message: str) -> None:
    """Each wrong or damaged file is called by its name, and placed at the setting."""
    machine.point_at(document)
    problem = machine.fault()

    assert message in problem.message
    assert "application_default" == problem.about


def test_a_file_that_is_named_must_exist(machine: Machine) -> None:
    """A variable that names nothing is an error, not a reason to look elsewhere."""
    machine.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/nonexistent/adc.json"

    assert "/nonexistent/adc.json" in machine.fault().message


def test_others_may_not_read_a_secret(machine: Machine) -> None:
    """An open mode is warned about, but not of a workload's configuration, which is no secret."""
    machine.point_at(material.account()).chmod(0o644)
    (warning,) = machine.open().warnings
    machine.point_at(machine.workload()).chmod(0o644)

    assert "can be read by other users" in warning.message
    assert () == machine.open().warnings


@pytest.mark.parametrize("variable", ["K_SERVICE", "CLOUD_RUN_JOB", "GAE_ENV"])
def test_the_metadata_server(machine: Machine, router: respx.MockRouter, variable: str) -> None:
    """On Google Cloud the account of the machine is used; its server wants its header."""
    route = router.get(url__startswith=METADATA).respond(200, json=grant("ya29.machine"))
    machine.environ[variable] = "push"
    it = machine.open()

    assert "application default credentials of this machine" == it.fingerprint
    assert b"Bearer ya29.machine" == header_of(it)
    assert "Google" == route.calls.last.request.headers["metadata-flavor"]
    assert "firebase.messaging" in str(route.calls.last.request.url)


def test_a_machine_of_googles_is_recognised(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The firmware says so; NO_GCE_CHECK has the last word."""
    product = tmp_path / "product_name"
    product.write_text("Google Compute Engine\n")
    monkeypatch.setattr(application_default, "_PRODUCT_FILE", product)

    assert machine.open()
    machine.environ["NO_GCE_CHECK"] = "true"
    assert "no application default" in machine.fault().message


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", TokenRefused),
        (200, b"{}", TokenRefused),
        (200, b"<html>", Unreachable),
        (503, b"", Unreachable),
    ],
)
def test_a_metadata_server_that_gives_none(
    machine: Machine, router: respx.MockRouter, status: int, body: bytes, error: type[Exception]
) -> None:
    """A machine without an account is told from a server that is out of order."""
    machine.environ["GCE_METADATA_HOST"] = "metadata.google.internal"
    router.get(url__startswith=METADATA).respond(status, content=body)
    with pytest.raises(error, match="the metadata server"):
        header_of(machine.open())
