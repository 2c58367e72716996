"""The page about messages says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from message.kit import apns_body, fcm_message, from_yaml
from pushctl.message.fields import FIELDS
from pushctl.message.lint import lint
from pushctl.message.template import ALLOWED_FILTERS
from pushctl.outcome import JsonValue, Service
from pushctl.rules.apns import PUSH_TYPES

PAGE = (Path(__file__).parent.parent.parent / "docs/messages.md").read_text()
ANNA: dict[str, JsonValue] = {"first_name": "Anna", "order": 17, "unread": 2}


def test_the_example_file_passes_the_lint() -> None:
    """The message file on the page is a good one, and can be filled."""
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    message = from_yaml(example[1])

    assert () == lint(message, list(Service)).errors
    assert "Order 17 is on its way to you" == apns_body(message, ANNA)["aps"]["alert"]["body"]
    assert "van" == fcm_message(message, ANNA)["android"]["notification"]["sound"]


def test_every_option_and_filter_is_on_the_page() -> None:
    """No field of the message and no filter is left unsaid."""
    in_files_alone = ("apns", "fcm", "target_content_id", "filter_criteria")
    names = [
        field.name if field.name in in_files_alone else f"--{field.name.replace('_', '-')}"
        for field in FIELDS
    ]
    missing = [name for name in names if name not in PAGE]
    filters = [name for name in ALLOWED_FILTERS - {"d", "count"} if f"`{name}" not in PAGE]

    assert [] == missing
    assert [] == filters


def test_the_table_of_push_types_is_that_of_the_rules() -> None:
    """Suffix and priorities of every push type stand on the page as they are in the code."""
    rows = re.findall(r"^\| `(\w+)` \| (?:–|`([\w.-]+)`) \| ([\d, ]+) \|", PAGE, re.MULTILINE)

    assert [
        (row.name, row.topic_suffix, ", ".join(map(str, row.priorities)))
        for row in sorted(PUSH_TYPES.values(), key=lambda row: row.name)
    ] == rows
    assert all(row.default_priority == row.priorities[0] for row in PUSH_TYPES.values())
