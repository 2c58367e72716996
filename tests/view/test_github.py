"""Tests of annotations for GitHub Actions."""

from pushctl.view.github import annotation


def test_what_would_end_a_command_is_escaped() -> None:
    """No file name and no server text can forge an annotation or end one."""
    written = annotation(
        "error", "50% wrong\n::error::forged", title="a,b:c", file="x:y.csv", line=3, column=7
    )
    assert (
        "::error title=a%2Cb%3Ac,file=x%3Ay.csv,line=3,col=7::50%25 wrong%0A::error::forged\n"
        == written
    )


def test_an_annotation_without_a_place_has_none() -> None:
    """What is about everything is attached to no file."""
    assert "::notice::said\n" == annotation("notice", "said")
