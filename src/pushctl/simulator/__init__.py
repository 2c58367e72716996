"""
A faithful, scriptable fake of APNs, FCM and Google's token endpoint, on loopback.

It is the independent judge of the sender: it is built from the vendors' tables and on other
libraries, and shares no code with the rooms that make, carry and read requests.

    with serve_in_thread(script=Script(rules=(Rule(token="…", answer="Unregistered"),))) as fake:
        made = make_credentials(folder, fake)
        ...  # send to fake.url
        assert fake.stats().accepted == 1
"""

from pushctl.simulator.devices import Device
from pushctl.simulator.exchange import Exchange, Received
from pushctl.simulator.options import Options
from pushctl.simulator.provider_token import ApnsKey
from pushctl.simulator.script import (
    Accept,
    Action,
    ConnectionRule,
    Drop,
    GoAway,
    Half,
    Hang,
    Quota,
    Reset,
    Rule,
    Say,
    Script,
    Silence,
    Wedge,
    parse_action,
)
from pushctl.simulator.server import Simulator, serve_in_thread
from pushctl.simulator.stats import Stats
from pushctl.simulator.throwaway import ThrowAwayCredentials, make_credentials, write_config
from pushctl.simulator.token_endpoint import ServiceAccount

__all__ = [
    "Accept",
    "Action",
    "ApnsKey",
    "ConnectionRule",
    "Device",
    "Drop",
    "Exchange",
    "GoAway",
    "Half",
    "Hang",
    "Options",
    "Quota",
    "Received",
    "Reset",
    "Rule",
    "Say",
    "Script",
    "ServiceAccount",
    "Silence",
    "Simulator",
    "Stats",
    "ThrowAwayCredentials",
    "Wedge",
    "make_credentials",
    "parse_action",
    "serve_in_thread",
    "write_config",
]
