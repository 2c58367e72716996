"""What a simulator can be made with, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

from pushctl.outcome import Environment
from pushctl.simulator.devices import Device
from pushctl.simulator.exchange import Exchange, Received
from pushctl.simulator.provider_token import ApnsKey
from pushctl.simulator.script import Script
from pushctl.simulator.token_endpoint import ServiceAccount


class Options(TypedDict, total=False):
    """What a simulator can be told at the start; see ``Simulator``."""

    host: str
    port: int
    environment: Environment
    apns_keys: Mapping[str, ApnsKey]
    service_accounts: tuple[ServiceAccount, ...]
    topics: frozenset[str] | None
    devices: Mapping[str, Device]
    script: Script
    clock: Callable[[], float]
    max_tokens: int
    access_token_lifetime_s: int
    on_push: Callable[[Received], None] | None
    on_exchange: Callable[[Exchange], None] | None
    page_port: int | None
