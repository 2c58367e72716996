"""What a reason means and whose side it is about, from the tables of reasons.  Pure."""

from __future__ import annotations

import functools

from pushctl import catalog
from pushctl.outcome import Category, TokenAction
from pushctl.report.values import Fault, Meaning, ReasonKey

_FAULTS = {
    Category.TOKEN: Fault.TOKEN,
    Category.CREDENTIALS: Fault.CREDENTIALS,
    Category.REQUEST: Fault.MESSAGE,
    Category.PAYLOAD: Fault.MESSAGE,
    Category.RATE: Fault.PACE,
    Category.SERVER: Fault.SERVICE,
    Category.CONNECTION: Fault.NETWORK,
    Category.RULE: Fault.LIST,
}
_OF_THE_LIST = frozenset({"MissingToken", "InvalidToken"})


@functools.lru_cache(maxsize=4096)
def meaning_of(key: ReasonKey) -> Meaning:
    """Return what *key* means; a reason that no table has is judged by its status alone."""
    row = catalog.of_record(key.service, key.reason, status=key.status, case=key.case)
    if row is None:
        return Meaning(
            key=key,
            description="",
            category=None,
            fault=Fault.UNKNOWN,
            token_action=TokenAction.KEEP,
            is_documented=False,
        )
    return Meaning(
        key=key,
        description=row.description,
        category=row.category,
        fault=_fault(key, row),
        token_action=row.token_action,
        what_to_do=row.what_to_do,
        is_documented=key.reason is not None and not row.name.startswith("HTTP "),
    )


def _fault(key: ReasonKey, row: catalog.Reason) -> Fault:
    if key.status is None and key.reason in _OF_THE_LIST:
        return Fault.LIST
    if row.token_action is TokenAction.CHECK_ENVIRONMENT:
        return Fault.ENVIRONMENT
    return _FAULTS[row.category]
