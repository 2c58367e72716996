"""Credentials from a config file, judged by the simulator over real TLS."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pushctl.config import FcmSettings, Settings, load_settings
from pushctl.credentials import Credential, TokenRefused, open_credential
from pushctl.errors import Unreachable
from pushctl.simulator.server import Simulator
from pushctl.simulator.throwaway import ANDROID_TOKEN, IOS_TOKEN, make_credentials, write_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the simulator's credentials lie."""
    return tmp_path_factory.mktemp("simulator")


@pytest.fixture(scope="module")
def simulator(folder: Path) -> Iterator[Simulator]:
    """Run one simulator, with its pushctl.yaml written."""
    with Simulator().run_in_thread() as it:
        write_config(folder, it, make_credentials(folder, it))
        yield it


@pytest.fixture
def settings(simulator: Simulator, folder: Path) -> Settings:
    """Return what the simulator's config says."""
    return load_settings(folder / "pushctl.yaml", environ={}, cwd=folder, home=folder)


def post(credential: Credential, path: str, headers: dict[str, str], body: object) -> int:
    """Send one push as *credential*; return the status."""
    authorization = credential.authorization(time.time())
    assert authorization is not None
    with httpx.Client(verify=credential.ssl_context(), http2=True, trust_env=False) as client:
        answer = client.post(
            f"https://{credential.origin}{path}",
            headers={**headers, "authorization": authorization.header.decode()},
            json=body,
        )
    assert "HTTP/2" == answer.http_version
    return answer.status_code


def test_a_provider_token_is_accepted(settings: Settings) -> None:
    """A push with the key of the config is taken."""
    credential = open_credential(settings.credentials["simulated-ios"], environ={})
    headers = {"apns-topic": str(credential.topic), "apns-push-type": "alert"}

    assert 200 == post(credential, f"/3/device/{IOS_TOKEN}", headers, {"aps": {"alert": "x"}})


def test_an_access_token_is_granted_and_accepted(settings: Settings) -> None:
    """The assertion is verified at the config's token endpoint, and the push is taken."""
    credential = open_credential(settings.credentials["simulated-android"], environ={})
    message = {"message": {"token": ANDROID_TOKEN, "notification": {"title": "x"}}}

    assert 200 == post(
        credential, f"/v1/projects/{credential.project_id}/messages:send", {}, message
    )


def test_an_untrusted_authority_is_a_failure_of_the_way(settings: Settings) -> None:
    """Without ca_file the simulator's certificate is not believed, and no assertion leaves."""
    trusting = settings.credentials["simulated-android"]
    doubting = open_credential(dataclasses.replace(trusting, ca_file=None), environ={})
    with pytest.raises(Unreachable, match="certificate"):
        doubting.authorization(time.time())


def test_an_unknown_account_is_refused(settings: Settings, folder: Path) -> None:
    """An account that the endpoint does not know is refused in its own words."""
    text = (folder / "service-account.json").read_text().replace("push@", "nobody@")
    known = settings.credentials["simulated-android"]
    assert isinstance(known, FcmSettings)
    stranger = dataclasses.replace(
        known,
        service_account_file=None,
        service_account_env="ACCOUNT",
    )
    with pytest.raises(TokenRefused, match="account not found") as caught:
        open_credential(stranger, environ={"ACCOUNT": text}).authorization(time.time())

    assert 400 == caught.value.status
