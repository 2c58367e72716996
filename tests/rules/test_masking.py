"""Tests of masked tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.outcome import Service
from pushctl.rules import tokens
from pushctl.rules.masking import KEY_BYTES, is_masked, mask

KEY = bytes(range(KEY_BYTES))
TOKENS = st.text(min_size=1, max_size=200)


@given(TOKENS, TOKENS)
def test_a_mask_is_the_same_for_one_token_and_differs_for_two(one: str, other: str) -> None:
    """Masked files can be joined: equal masks, equal tokens."""
    same = one.lower() == other.lower()
    assert mask(one, KEY) == mask(one, KEY)
    assert same or mask(one, KEY) != mask(other, KEY)


@given(TOKENS)
def test_without_the_key_nothing_can_be_looked_for(token: str) -> None:
    """Another key gives another mask, so a mask can not be tried out on tokens that one has."""
    assert mask(token, KEY) != mask(token, bytes(KEY_BYTES))


def test_a_device_token_has_one_mask_however_it_is_written() -> None:
    """Hexadecimal digits mean the same in either case; a registration token does not."""
    assert mask("AB12", KEY) == mask("ab12", KEY)
    assert mask("dX:Ab", KEY) != mask("dX:aB", KEY)


@given(TOKENS)
def test_masking_twice_is_masking_once(token: str) -> None:
    """A file that is masked already can be masked again, and still be joined."""
    assert mask(token, KEY) == mask(mask(token, KEY), bytes(KEY_BYTES))


@pytest.mark.parametrize("service", Service)
@given(token=TOKENS)
def test_no_service_is_ever_sent_a_mask(service: Service, token: str) -> None:
    """A mask is no token of any service, looks like none, and is told from a broken one."""
    masked = mask(token, KEY)
    found = tokens.find_fault(masked, service)
    assert is_masked(masked)
    assert tokens.shape(masked) is None
    assert found is not None
    assert "masked" == found.name
