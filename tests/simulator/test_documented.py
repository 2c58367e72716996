"""What docs/simulator.md shows is what the simulator reads."""

from __future__ import annotations

import re
from pathlib import Path

from pushctl.simulator.scenario import parse_scenario

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_the_example_of_the_page_is_a_scenario() -> None:
    """The complete example parses, with all of its rules."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    scenario = parse_scenario(found[1])
    assert (8, 1, 1) == (
        len(scenario.script.rules),
        len(scenario.script.quotas),
        len(scenario.devices),
    )
