"""The schema that FCM messages are held against."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pushctl.simulator import fcm_schema

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    [*fcm_schema.MESSAGES["Message"], *fcm_schema.MESSAGES["AndroidConfig"], "x", "validate_only"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["message", "validateOnly"]), VALUES))
def test_any_json_is_judged_without_a_crash(body: dict[str, object]) -> None:
    """Whatever JSON comes: faults with a text, or a canonical form that has none either."""
    faults = list(fcm_schema.violations(body))  # type: ignore[arg-type]
    assert all(fault.description for fault in faults)
    if not faults:
        canonical = fcm_schema.canonical(body)  # type: ignore[arg-type]
        assert [] == list(fcm_schema.violations(canonical))


def test_every_message_type_that_a_field_names_exists() -> None:
    """No field points at a message type that is not described."""
    named = {
        shape.name
        for fields in fcm_schema.MESSAGES.values()
        for shape in fields.values()
        if isinstance(shape, fcm_schema.Message)
    }
    assert set() == named - set(fcm_schema.MESSAGES)


def test_both_spellings_lead_to_the_same_message() -> None:
    """snake_case and camelCase have one canonical form."""
    snake = {"message": {"android": {"collapse_key": "a"}, "fcm_options": {"analytics_label": "b"}}}
    camel = {"message": {"android": {"collapseKey": "a"}, "fcmOptions": {"analyticsLabel": "b"}}}
    assert camel == fcm_schema.canonical(snake)
