"""Nothing that may be a secret is shown from a config file."""

from __future__ import annotations

import pytest

from pushctl.config.redact import redact

SECRET = "h7Kq2Zx9"


@pytest.mark.parametrize(
    "line",
    [
        f"    certificate_password: {SECRET}",
        f"    password: '{SECRET}'",
        f"    api_key: {SECRET}",
        f"    shop: {{service: apns, secret: {SECRET}, topic: x}}",
        f'    "private_key": "{SECRET}"',
        f"    key_env: {SECRET} with words",
        f'    key_env: "-----BEGIN PRIVATE KEY----- {SECRET}"',
        f"    service_account_env: {{private: {SECRET}}}",
        f"    proxy: http://user:{SECRET}@proxy:3128",
        f"    proxy: http://{SECRET}@proxy:3128",
        f"    proxy: http://user:{SECRET}/x@proxy:3128",
        f"    proxy: user:{SECRET}#proxy:3128",
        f"    note: -----BEGIN PRIVATE KEY-----{SECRET}",
        f"    {SECRET * 8}",
        f"    {(SECRET + '/+') * 6}==",
        f"    x: {SECRET * 6}",
        f"    key_file: a, password: {SECRET}",
    ],
)
def test_secrets_are_blotted_out(line: str) -> None:
    """Keys that name secrets, PEM, base64, long words and a URL's password are hidden."""
    assert SECRET not in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "    environment: prodution",
        "    key_file: AuthKey_ABC123DEFG.p8",
        "    key_id: ABC123DEF",
        "    team_id: abc",
        "    key_env: MY_KEY",
        "  c: {key_env: MY_KEY, key_id: x}",
        '    certificate_password_env: "P12_PASSWORD"  # comment',
        "    service_account_file: shop-firebase.json",
        "    token_endpoint: https://127.0.0.1:2197/token",
        "    topic: com.acme.shop.with.a.rather.long.bundle.identifier.indeed",
        "    proxy: http://proxy.example:3128",
        "    proxy: 'proxy:3128'",
        "  c: {proxy: none, topic: x}",
        "credentials:",
    ],
)
def test_the_rest_is_shown(line: str) -> None:
    """An error that hides the fault itself would help nobody."""
    assert line == redact(line)


def test_columns_before_the_blot_stay() -> None:
    """What stands before the secret keeps its column, for the caret under the key."""
    assert redact(f"    password: {SECRET}").startswith("    password: •")
