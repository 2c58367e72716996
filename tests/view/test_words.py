"""Numbers and lines as people read them."""

from hypothesis import given
from hypothesis import strategies as st

from pushctl.view.words import broken


@given(st.lists(st.text("ab", min_size=1, max_size=12), max_size=8), st.integers(4, 30))
def test_parts_stay_whole_and_lines_within_the_width(parts: list[str], width: int) -> None:
    """Nothing is lost; only a part that is too long by itself reaches beyond the width."""
    lines = broken(parts, " · ", width)

    assert parts == [part for line in lines for part in line.split(" · ")]
    assert all(len(line) <= width or line in parts for line in lines)


def test_without_a_width_all_parts_are_one_line() -> None:
    """A file or a pipe gets a line for a credential, however long."""
    assert ["a" * 90 + ", b"] == broken(["a" * 90, "b"], ", ", None)
