"""Which config files are used without being named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pushctl.config.trust import check_ownership, distrust
from pushctl.errors import InvalidInput

ME, ROOT, OTHER = 1000, 0, 1001


@pytest.mark.parametrize(
    ("owner", "mode", "words"),
    [
        (ME, 0o644, None),
        (ME, 0o600, None),
        (ME, 0o664, None),
        (ROOT, 0o644, None),
        (OTHER, 0o644, "another user owns it (uid 1001)"),
        (OTHER, 0o600, "another user owns it (uid 1001)"),
        (ME, 0o666, "every user may write it (mode 0666)"),
        (ROOT, 0o602, "every user may write it (mode 0602)"),
    ],
)
def test_whose_file_is_used(owner: int, mode: int, words: str | None) -> None:
    """Mine and root's are, as long as not everybody may write them; group members may."""
    assert words == distrust(owner, 0o100000 | mode, ME)


def test_a_file_that_everybody_may_write(tmp_path: Path) -> None:
    """It is refused with what to do; a file that is fine, or not there, is not."""
    path = tmp_path / "pushctl.yaml"
    path.touch()
    os.chmod(path, 0o644)
    check_ownership(path)
    check_ownership(tmp_path / "missing.yaml")
    os.chmod(path, 0o666)

    with pytest.raises(InvalidInput, match="mode 0666") as caught:
        check_ownership(path)

    assert f"--config {path}" in str(caught.value.problems[0].hint)
