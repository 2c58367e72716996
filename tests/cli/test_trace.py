"""``-vv``: the wire on stderr."""

from __future__ import annotations

from cli.kit import Project, android, ios


def test_vv_shows_requests_and_answers_without_secrets(project: Project) -> None:
    """Each request with its fields and body, each answer with its status; no token of ours."""
    result = project.send("--token", ios(1, "bd"), "--token", android(1), "--title", "Hello", "-vv")

    assert 1 == result.exit_code
    assert "apns-push-type: alert" in result.stderr
    assert '"title": "Hello"' in result.stderr or '"title":"Hello"' in result.stderr
    assert "< 400" in result.stderr
    assert "BadDeviceToken" in result.stderr
    assert "authorization: bearer (hidden)" in result.stderr.lower()
    assert "ey" + "J" not in result.stderr  # how every JSON web token begins


def test_one_v_does_not(project: Project) -> None:
    """-v is about pushes; the wire takes two."""
    result = project.send("--token", ios(1), "--title", "Hello", "-v")

    assert "authorization" not in result.stderr
